"""Every text that people see is there in every language, and what is compiled is what was written."""

import ast
import gettext
import re

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import override

from accounts.models import User

CATALOGUES = settings.BASE_DIR / "locale/zh_Hans/LC_MESSAGES"
ENTRY = re.compile(r'^msgid (".+")\n(?:msgid_plural ".+"\n)?msgstr(?:\[0\])? (".*")$', re.M)
IN_TEMPLATES = re.compile(r"""{% translate (".+?"|'.+?') %}""")
IN_MODULES = re.compile(r'\bn?gettext\(\s*("(?:[^"\\]|\\.)+")')
IN_PYTHON = re.compile(r'\b(?:_|gettext_noop|ngettext)\(\s*("(?:[^"\\]|\\.)+")')


def written(domain):
    """What the .po file says: {text: translation}."""
    pairs = ENTRY.findall((CATALOGUES / f"{domain}.po").read_text("utf-8"))
    return {ast.literal_eval(text): ast.literal_eval(translation) for text, translation in pairs}


def texts(pattern, *globs):
    paths = [path for glob in globs for path in settings.BASE_DIR.glob(glob)]
    return {ast.literal_eval(text) for path in paths for text in pattern.findall(path.read_text("utf-8"))}


def test_every_text_of_a_page_has_an_entry():
    in_templates = texts(IN_TEMPLATES, "templates/**/*.html", "templates/**/*.txt")
    in_python = texts(IN_PYTHON, "accounts/**/*.py", "chat/**/*.py", "chatsite/**/*.py")
    assert min(len(in_templates), len(in_python)) > 20
    assert (in_templates | in_python) - written("django").keys() == set()


def test_every_text_of_a_module_has_an_entry():
    asked_for = texts(IN_MODULES, "chat/static/chat/**/*.js")
    assert len(asked_for) > 20
    assert asked_for - written("djangojs").keys() == set()


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_every_entry_is_translated_and_compiled(domain):
    with (CATALOGUES / f"{domain}.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert "#, fuzzy" not in (CATALOGUES / f"{domain}.po").read_text("utf-8")
    for text, translation in written(domain).items():
        assert translation, text
        # A text with a plural is kept under its number only.
        assert translation in (compiled.gettext(text), compiled.ngettext(text, text, 1))


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_a_translation_fills_in_what_its_text_fills_in(domain):
    for text, translation in written(domain).items():
        assert sorted(re.findall(r"%\(\w+\)\w", text)) == sorted(re.findall(r"%\(\w+\)\w", translation))


@pytest.mark.parametrize("password", ["12345", "password", "98765432101", "adalovelace"])
def test_what_is_wrong_with_a_password_is_said_in_chinese(password):
    with override("zh-hans"), pytest.raises(ValidationError) as wrong:
        validate_password(password, User(username="adalovelace"))
    for sentence in wrong.value.messages:
        assert not re.search(r"[A-Za-z]", sentence)
