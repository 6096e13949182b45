from django.contrib import admin
from django.urls import include, path
from django.views.i18n import JavaScriptCatalog

handler500 = "chatsite.trouble.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("jsi18n/", JavaScriptCatalog.as_view(), name="javascript-catalog"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("chat.pages.urls")),
]
