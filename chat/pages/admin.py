"""Django's admin: people, rooms and who belongs to them. Messages can be read and searched, not written."""

from allauth.account import admin as allauth_admin
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin_login import LimitedAdminLoginForm
from accounts.models import User
from chat.models import Membership, Message, Room

admin.site.site_header = "Chatsite"
admin.site.site_title = "Chatsite"
admin.site.login_form = LimitedAdminLoginForm
admin.site.index_title = _("Administration")
admin.site.unregister(allauth_admin.EmailAddress)  # Nobody has one here.


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
class PersonAdmin(UserAdmin):
    """Finding people, letting them in, shutting them out. A name stays as it was chosen."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    change_password_form = PersonPasswordForm
    actions = ("deactivate", "activate")
    list_display = ("username", "is_guest", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_guest", "is_active", "is_staff", "is_superuser", "is_claimed", "groups")
    search_fields = ("username", "name_key", "email")
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
            raise forms.ValidationError(_("Nobody has two places in one room."))
        return place


class MembershipInline(admin.TabularInline):
    """The people of a room and their roles. Visitors are left out: in an open room that is everybody."""

    model = Membership
    form = MembershipForm
    extra = 0
    autocomplete_fields = ("user",)
    fields = ("user", "role")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).exclude(role=Membership.Role.VISITOR).select_related("user")

    def formfield_for_choice_field(self, db_field, request, **kwargs):
        if db_field.name == "role":
            kwargs["choices"] = [role for role in db_field.choices if role[0] != Membership.Role.VISITOR]
        return super().formfield_for_choice_field(db_field, request, **kwargs)


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    """Making rooms and saying who belongs to them. The address stays: clients know the room by it."""

    list_display = ("title", "slug", "is_private", "head", "created_at")
    list_filter = ("is_private",)
    search_fields = ("title", "slug")
    inlines = (MembershipInline,)
    fields = ("title", "slug", "is_private", "head", "epoch", "created_at")
    readonly_fields = ("head", "epoch", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Room | None = None):
        fields = super().get_readonly_fields(request, obj)
        return ("slug", *fields) if obj else fields

    def get_prepopulated_fields(self, request: HttpRequest, obj: Room | None = None):
        return {} if obj else {"slug": ("title",)}


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """Reading and searching. A change of a message takes a number of its room, which the ledger alone gives."""

    list_display = ("created_at", "room", "seq", "author", "beginning", "edited_at", "deleted_at")
    list_display_links = ("beginning",)
    list_filter = (("deleted_at", admin.EmptyFieldListFilter), "room")
    list_select_related = ("room", "author")
    search_fields = ("text", "author__username")
    search_help_text = _("Words of the text, or the author's name")
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
