"""The pages. A view reads what its template shows; the conversation itself comes over the socket."""

from allauth.account.adapter import get_adapter
from allauth.decorators import rate_limit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import entering
from accounts.forms import EnterForm, KeepForm
from accounts.models import User
from accounts.text import is_storable
from chat.models import Room
from chat.rooms import unused_guests
from chat.rooms.permissions import visible_rooms

from . import emoji_list

GUEST_SESSION_AGE_S = 365 * 24 * 3600

# Pages cost the same with ten rooms and with thousands.
ROOMS_PER_PAGE = 100
ROOMS_BESIDE = 30


class SignedInRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User


@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Signed out: the ways in. Signed in: the rooms."""
    if not request.user.is_authenticated:
        return _ways_in(request, EnterForm())
    if next_url := _safe_next(request):
        return HttpResponseRedirect(next_url)
    pages = Paginator(visible_rooms(request.user.pk), ROOMS_PER_PAGE)
    return render(request, "chat/home.html", {"rooms": pages.get_page(request.GET.get("page"))})


@never_cache
@rate_limit(action="enter")
def enter(request: HttpRequest) -> HttpResponse:
    """A guest comes in by choosing a name."""
    return _enter_from_behind(request) if get_adapter().makes_claims(request) else _enter(request)


def _enter(request: HttpRequest) -> HttpResponse:
    if request.method != "POST" or not settings.CHAT_GUESTS:
        return redirect("home")
    if request.user.is_authenticated:
        return HttpResponseRedirect(_safe_next(request) or reverse("home"))
    form = EnterForm(request.POST)
    with transaction.atomic():  # whose answer fails has not taken the name
        guest = _entering(request, form)
        if guest is None:
            return _ways_in(request, form)
        login(request, guest)
        request.session.set_expiry(GUEST_SESSION_AGE_S)
        return HttpResponseRedirect(_safe_next(request) or _first_room_url(guest))


# Fewer, where somebody behind the address writes addresses too: an office is let in, and so is who makes them up.
_enter_from_behind = rate_limit(action="enter_from_behind")(_enter)


def _entering(request: HttpRequest, form: EnterForm) -> User | None:
    if not form.is_valid():
        return None
    name = form.cleaned_data["name"]
    unused_guests.free_name(name)
    guest = form.guest() or entering.just_made(request, name)
    if guest is not None:
        entering.remember(request, guest)
    return guest


@never_cache
@login_required
def room(request: SignedInRequest, slug: str, seq: int | None = None) -> HttpResponse:
    """The frame of a conversation: some rooms beside it, and what the modules need to fill it, from that message on."""
    visible = visible_rooms(request.user.pk)
    if not is_storable(slug):  # not every database takes it for a question even
        raise Http404
    here = get_object_or_404(visible, slug=slug)
    rooms, are_there_more = _rooms_beside(here, list(visible[: ROOMS_BESIDE + 1]))
    context = {
        "room": here,
        "rooms": rooms,
        "are_there_more": are_there_more,
        "quick_reactions": emoji_list.QUICK,
        "config": _room_config(request, here),
    }
    return render(request, "chat/room.html", context)


@never_cache
@sensitive_post_parameters("password1")
@login_required
def keep(request: SignedInRequest) -> HttpResponse:
    """A guest sets a password and is a full account from then on."""
    if not request.user.is_guest:
        return redirect("account_change_password")
    if not get_adapter().is_open_for_signup(request):
        return render(request, "account/signup_closed.html")
    form = KeepForm(request.user, request.POST or None)
    if not form.is_valid():
        return render(request, "chat/keep.html", {"form": form})
    form.save()
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Done. You can now sign in with this name on any device."))
    return redirect("home")


def connection(request: HttpRequest) -> HttpResponse:
    """The test that finds out whether this browser and everything in between let a socket through."""
    config = {"echoPath": "/ws/echo/", "healthPath": reverse("healthz")}
    return render(request, "chat/connection.html", {"config": config})


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok", content_type="text/plain")


def _ways_in(request: HttpRequest, form: EnterForm) -> HttpResponse:
    context = {
        "form": form,
        "next": _safe_next(request),
        "are_guests_welcome": settings.CHAT_GUESTS,
        "is_signup_open": get_adapter().is_open_for_signup(request),
    }
    return render(request, "chat/ways_in.html", context)


def _safe_next(request: HttpRequest) -> str:
    """Where the visitor was going, if that is a page of ours."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    is_a_page = url.startswith(("/", "http:", "https:"))  # else it is relative to wherever we happen to be
    return url if is_ours and is_a_page else ""


def _first_room_url(user: User) -> str:
    oldest = visible_rooms(user.pk).order_by("pk").first()
    return reverse("room", args=[oldest.slug]) if oldest else reverse("home")


def _rooms_beside(here: Room, first: list[Room]) -> tuple[list[Room], bool]:
    """The first rooms, and the one that is open in any case; are there others?"""
    shown = first[:ROOMS_BESIDE]
    return shown if here in shown else [*shown, here], len(first) > ROOMS_BESIDE


def _room_config(request: SignedInRequest, room: Room) -> dict:
    return {
        "socketPath": "/ws/",
        "room": {"slug": room.slug, "title": room.title, "path": reverse("room", args=[room.slug])},
        "name": request.user.username,
        "emojiUrl": f"{reverse('emoji')}?{emoji_list.version()}",
        "ticketUrl": reverse("ticket"),
        "csrfToken": get_token(request),
    }
