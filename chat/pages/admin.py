"""Django's admin: people, rooms and who belongs to them. Messages can be read and searched, not written."""

from typing import Any

from allauth.account import admin as allauth_admin
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin_login import LimitedAdminLoginForm
from accounts.models import User
from chat.models import Membership, Message, Room

from . import admin_search

PEOPLE_IN_A_FORM = 100

admin.site.site_header = "Chatsite"
admin.site.site_title = "Chatsite"
admin.site.login_form = LimitedAdminLoginForm
admin.site.index_title = _("Administration")
admin.site.unregister(allauth_admin.EmailAddress)  # Nobody has one here.


class FoundByWords:
    """A list that is searched in its own way: see admin_search. `searched` are the fields that are compared."""

    searched: tuple[str, ...] = ()

    def get_search_results(self, request: HttpRequest, rows: QuerySet[Any], words: str) -> tuple[QuerySet[Any], bool]:
        if not words.strip():
            return rows, False
        try:
            found = admin_search.search(rows, self.searched, words)
        except admin_search.Busy:
            messages.warning(request, _("Others are searching at the moment. Try again in a few seconds."))
            return rows.none(), False
        if not found.is_complete:
            messages.warning(request, _("These are the newest that were found; there may be older ones."))
        return rows.filter(pk__in=found.pks), False


class PersonCreationForm(AdminUserCreationForm):
    """A new account: a name, and a password or none."""

    class Meta(AdminUserCreationForm.Meta):
        model = User

    def clean_username(self) -> str:
        """Whether the name is taken is the model's to say: it knows when two names are the same."""
        return self.cleaned_data["username"]


class PersonChangeForm(UserChangeForm):
    """An account as it is."""

    class Meta(UserChangeForm.Meta):
        model = User


class PersonPasswordForm(AdminPasswordChangeForm):
    """A guest who is given a password is a guest no more."""

    def save(self, commit=True):
        self.user.is_guest = self.user.is_guest and not self.cleaned_data["set_usable_password"]
        return super().save(commit)


@admin.register(User)
class PersonAdmin(FoundByWords, UserAdmin):
    """Finding people, letting them in, shutting them out. A name stays as it was chosen."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    change_password_form = PersonPasswordForm
    actions = ("deactivate", "activate")
    list_display = ("username", "is_guest", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_guest", "is_active", "is_staff", "is_superuser", "is_claimed", "groups")
    search_fields = searched = ("username", "email")
    show_full_result_count = False
    ordering = ("username",)
    readonly_fields = ("is_guest", "is_claimed", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("State"), {"fields": ("is_active", "is_guest", "is_claimed", "last_login", "date_joined")}),
        (_("Personal info"), {"fields": ("first_name", "last_name", "email"), "classes": ("collapse",)}),
        (_("Permissions"), {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None):
        fields = super().get_readonly_fields(request, obj)
        return ("username", *fields) if obj else fields

    def get_deleted_objects(self, people, request: HttpRequest):
        """Without reading what they wrote: there may be very much of it, and one message is enough to say no."""
        wrote = [str(person) for person in people if person.messages.exists()]
        if wrote:
            return [], {}, set(), [_("messages of %(name)s") % {"name": name} for name in wrote]
        return super().get_deleted_objects(people, request)

    @admin.action(description=_("Deactivate: sign out and keep out"), permissions=["change"])
    def deactivate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Everybody chosen, but never oneself."""
        count = _set_active(people.exclude(username=request.user.get_username()), False)
        text = ngettext("%(count)d person was deactivated.", "%(count)d people were deactivated.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Activate: let in again"), permissions=["change"])
    def activate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        count = _set_active(people, True)
        text = ngettext("%(count)d person was activated.", "%(count)d people were activated.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


def _set_active(people: QuerySet[User], is_active: bool) -> int:
    """One by one, because saving a person is what tells the processes to look again. Says how many changed."""
    changed = list(people.exclude(is_active=is_active))
    for person in changed:
        person.is_active = is_active
        person.save(update_fields=["is_active"])
    return len(changed)


class MembershipForm(forms.ModelForm):
    """A place in a room. A visitor who is given a role keeps the reading position."""

    def clean(self):
        cleaned = super().clean()
        if self.instance.pk is None:
            places = Membership.objects.filter(room=self.instance.room_id, user=self.cleaned_data.get("user"))
            self.instance = self._visit(places.first()) or self.instance
        return cleaned

    def _visit(self, place: Membership | None) -> Membership | None:
        if place and place.role != Membership.Role.VISITOR:
            raise forms.ValidationError(_("This person already has a role in this room."))
        return place


class WithoutVisitors:
    """Visitors are left out: in an open room that is everybody."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows = super().get_queryset(request)  # type: ignore[misc]
        return rows.exclude(role=Membership.Role.VISITOR).select_related("user", "room")

    def formfield_for_choice_field(self, db_field, request, **kwargs):
        if db_field.name == "role":
            kwargs["choices"] = [role for role in db_field.choices if role[0] != Membership.Role.VISITOR]
        return super().formfield_for_choice_field(db_field, request, **kwargs)  # type: ignore[misc]


class MembershipInline(WithoutVisitors, admin.TabularInline):
    """The people of a room and their roles."""

    model = Membership
    form = MembershipForm
    extra = 0
    autocomplete_fields = ("user",)
    fields = ("user", "role")


@admin.register(Membership)
class MembershipAdmin(WithoutVisitors, FoundByWords, admin.ModelAdmin):
    """The people of rooms that have too many for a form."""

    list_display = ("user", "room", "role")
    list_editable = ("role",)
    list_filter = ("role",)
    search_fields = searched = ("user__username", "room__title", "room__slug")
    autocomplete_fields = ("room", "user")
    fields = ("room", "user", "role")
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Rooms lead here."""
        return False


@admin.register(Room)
class RoomAdmin(FoundByWords, admin.ModelAdmin):
    """Making rooms and saying who belongs to them. The address stays: clients know the room by it."""

    list_display = ("title", "slug", "is_private", "head", "created_at")
    list_filter = ("is_private",)
    search_fields = searched = ("title", "slug")
    show_full_result_count = False
    fields = ("title", "slug", "is_private", "people", "contents", "head", "epoch", "created_at")
    readonly_fields = ("people", "contents", "head", "epoch", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Room | None = None):
        fields = super().get_readonly_fields(request, obj)
        return ("slug", *fields) if obj else fields

    def get_prepopulated_fields(self, request: HttpRequest, obj: Room | None = None):
        return {} if obj else {"slug": ("title",)}

    def get_inlines(self, request: HttpRequest, obj: Room | None):
        """A form has its limits: beyond them the people have a list of their own."""
        return [] if obj and _people_of(obj).count() > PEOPLE_IN_A_FORM else [MembershipInline]

    @admin.display(description=_("people"))
    def people(self, room: Room) -> str:
        return _link("admin:chat_membership_changelist", room, _people_of(room).count() if room.pk else 0)

    @admin.display(description=_("messages"))
    def contents(self, room: Room) -> str:
        return _link("admin:chat_message_changelist", room, room.posts)

    def get_deleted_objects(self, rooms, request: HttpRequest):
        """Without reading them: a room may have very many people and messages."""
        full = [str(room) for room in rooms if room.messages.exists()]
        if full:
            return [], {}, set(), [_("messages in %(room)s") % {"room": room} for room in full]
        places = Membership.objects.filter(room__in=list(rooms)).count()
        counts = {Room._meta.verbose_name_plural: len(rooms), Membership._meta.verbose_name_plural: places}
        return [str(room) for room in rooms], counts, set(), []


def _people_of(room: Room) -> QuerySet[Membership]:
    return Membership.objects.filter(room=room).exclude(role=Membership.Role.VISITOR)


def _link(name: str, room: Room, count: int) -> str:
    return format_html('<a href="{}?room__id__exact={}">{}</a>', reverse(name), room.pk, count) if room.pk else "–"


@admin.register(Message)
class MessageAdmin(FoundByWords, admin.ModelAdmin):
    """Reading and searching. A change of a message takes a number of its room, which the ledger alone gives."""

    list_display = ("created_at", "room", "seq", "author", "beginning", "edited_at", "deleted_at")
    list_display_links = ("beginning",)
    list_filter = (("deleted_at", admin.EmptyFieldListFilter),)
    show_facets = admin.ShowFacets.NEVER
    list_select_related = ("room", "author")
    search_fields = searched = ("text", "author__username", "room__slug")
    search_help_text = _("Words of the text, the author's name, the room's address")
    ordering = ("-pk",)
    show_full_result_count = False

    @admin.display(description=_("text"))
    def beginning(self, message: Message) -> str:
        return Truncator(message.text).chars(80) or "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False
