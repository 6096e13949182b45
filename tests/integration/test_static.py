"""Static files from a real server: the names that pages and modules link to, and what browsers are told."""

import re
import urllib.request
from urllib.parse import urljoin

import pytest

pytestmark = pytest.mark.one_database

LINK = re.compile(r'(?:src|href)="(/static/[^"]+)"')
IMPORT = re.compile(r'(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"')
FOR_EVER = "max-age=315360000, public, immutable"


def get(url: str):
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as response:
        return response


def text(url: str) -> str:
    with urllib.request.urlopen(url) as response:
        return response.read().decode()


def links_of(page: str) -> set[str]:
    return {urljoin(page, link) for link in LINK.findall(text(page))}


def modules_from(module: str, found: set[str]) -> set[str]:
    """The module and all that it imports, and so on."""
    if module not in found:
        found.add(module)
        for name in IMPORT.findall(text(module)):
            modules_from(urljoin(module, name), found)
    return found


def test_what_a_page_links_to_is_kept_for_ever(start_site):
    links = links_of(start_site(1).urls[0] + "/connection/")
    assert links
    for link in links:
        assert get(link).headers["Cache-Control"] == FOR_EVER, link


def test_text_is_sent_compressed(start_site):
    styles = [link for link in links_of(start_site(1).urls[0] + "/") if link.endswith(".css")]
    assert styles
    assert all(get(link).headers["Content-Encoding"] == "gzip" for link in styles)


def test_what_a_module_imports_is_kept_for_ever(start_site):
    links = links_of(start_site(1).urls[0] + "/connection/")
    modules = set()
    for link in links:
        if link.endswith(".js"):
            modules_from(link, modules)
    assert len(modules) > 1
    for module in modules:
        assert get(module).headers["Cache-Control"] == FOR_EVER, module


def test_without_collected_files_the_site_serves_them_as_they_are(start_site):
    site = start_site(0)
    (site.folder / "data" / "static").unlink()
    site.add_process()
    links = links_of(site.urls[0] + "/")
    assert links
    assert all(get(link).headers["Cache-Control"] == "max-age=60, public" for link in links)
