from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.i18n import JavaScriptCatalog

handler500 = "chatsite.trouble.server_error"


class Catalog(JavaScriptCatalog):
    """The texts of the page's scripts, in its language. Those of Django's admin would be four times as much."""

    packages = ["chat"]

    def get_paths(self, packages: list[str]) -> list[str]:
        return [str(path) for path in settings.LOCALE_PATHS]


# Pages ask for it by their language, so it may be kept.
catalog = cache_control(private=True, max_age=600)(gzip_page(Catalog.as_view()))

urlpatterns = [
    path("admin/", admin.site.urls),
    path("jsi18n/", catalog, name="javascript-catalog"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("chat.pages.urls")),
]
