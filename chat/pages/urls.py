from allauth.account import views as account
from django.urls import path

from . import api, emoji_list, views

urlpatterns = [
    path("", views.home, name="home"),
    path("enter/", views.enter, name="enter"),
    path("rooms/<str:slug>/", views.room, name="room"),
    path("rooms/<str:slug>/<int:seq>/", views.room, name="message"),
    path("keep/", views.keep, name="keep"),
    path("connection/", views.connection, name="connection"),
    path("emoji.json", emoji_list.groups, name="emoji"),
    path("healthz", views.healthz, name="healthz"),
    path("api/ticket", api.ticket, name="ticket"),
    path("ws/", api.socket_only),
    path("ws/text/", api.socket_only),
    path("ws/echo/", api.socket_only),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/signup/", account.signup, name="account_signup"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/password/change/", account.password_change, name="account_change_password"),
    # A person without a password is a guest.
    path("accounts/password/set/", views.keep, name="account_set_password"),
]
