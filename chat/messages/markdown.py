"""What a message looks like: Markdown as GitHub writes it, with line breaks as typed, as HTML that can only look.

Rendered once, by the writing thread before its transaction, and kept beside the text. Most messages are plain, have no
HTML, and cost one search. Addresses become links in the page, also in plain text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import emoji
import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from . import highlighting

# What could be Markdown. A text without any of it is what it is.
SIGNS = re.compile(
    r"[*_`~\\<&\[|]|:[\w+-]+:"
    r"|^[ \t]*(?:[>#+-]|=+[ \t]*$|\d{1,9}[.)][ \t])",
    re.MULTILINE,
)
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# What makes the parser try again and again: a bomb has thousands, and is shown as it was typed.
COSTLY = re.compile(r"[*_`~\[\]<>&|!\\]|^[ \t]*(?:[#+-]|\d+[.)])")
COSTLY_LIMIT = 600
NESTING_LIMIT = 12

TAGS = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "a", "span"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "a": {"href", "target"},
    "code": {"data-language"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"data-align"},
    "th": {"data-align"},
}
SCHEMES = {"http", "https", "mailto"}
REL = "noopener noreferrer nofollow"
CLASS = re.compile(r"[a-z][a-z0-9]{0,2}")
LANGUAGE = re.compile(r"[\w+#.-]{1,20}")


def html_of(text: str) -> str:
    """The HTML of a message; empty where it would say no more than the text itself."""
    if SIGNS.search(text) is None or _is_bomb(text):
        return ""
    tokens = _parser().parse(text)
    if _is_plain(tokens, text):
        return ""
    return _cleaned(_parser().renderer.render(tokens, _parser().options, {}))


def _is_bomb(text: str) -> bool:
    """What stands in fences is not parsed, and code has many signs."""
    costly, fence = 0, ""
    for line in text.split("\n"):
        if (found := FENCE.match(line)) and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence):
            fence = ""
        elif not fence:
            costly += len(COSTLY.findall(line))
    return costly > COSTLY_LIMIT


def _is_plain(tokens: Sequence[Token], text: str) -> bool:
    """Paragraphs of text as it was typed, and nothing else."""
    said = []
    for token in tokens:
        if token.type == "inline":
            said += [_with_emoji(child.content) or "\n" for child in token.children or () if _is_text(child)]
            if not all(_is_text(child) for child in token.children or ()):
                return False
        elif not token.type.startswith("paragraph_"):
            return False
    return "".join("".join(said).split()) == "".join(text.split())


def _is_text(token: Token) -> bool:
    return token.type in ("text", "softbreak", "hardbreak")


def _cleaned(rendered: str) -> str:
    """By an allow-list, whatever the parser let through."""
    return nh3.clean(
        rendered,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_allowed,
        url_schemes=SCHEMES,
        link_rel=REL,
    ).strip()


def _allowed(tag: str, name: str, value: str) -> str | None:
    match name:
        case "class":
            return value if CLASS.fullmatch(value) else None
        case "target":
            return "_blank"
        case "data-language":
            return value if LANGUAGE.fullmatch(value) else None
        case _:
            return value


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": NESTING_LIMIT})
    parser.enable(["table", "strikethrough"])
    # An indented line is an indented line; a link is written where it is used.
    parser.disable(["code", "reference", "lheading"])
    for name, rule in RULES.items():
        parser.add_render_rule(name, rule)
    return parser


def _text(renderer: Any, tokens: Sequence[Token], number: int, *_: Any) -> str:
    return html.escape(_with_emoji(tokens[number].content), quote=False)


def _with_emoji(text: str) -> str:
    """Names between colons become what they name."""
    return emoji.emojize(text, language="alias") if ":" in text else text


def _fence(renderer: Any, tokens: Sequence[Token], number: int, *_: Any) -> str:
    token = tokens[number]
    language = token.info.split()[0] if token.info.split() else ""
    code = highlighting.html_of(token.content, language) or html.escape(token.content, quote=False)
    return f'<pre><code data-language="{html.escape(language)}">{code}</code></pre>\n'


def _heading(renderer: Any, tokens: Sequence[Token], number: int, *_: Any) -> str:
    """A message is no chapter of the page: for those who hear it, a line that is strong."""
    return "<p><strong>" if tokens[number].nesting > 0 else "</strong></p>\n"


def _link(renderer: Any, tokens: Sequence[Token], number: int, *_: Any) -> str:
    return f'<a href="{html.escape(str(tokens[number].attrGet("href") or ""))}" target="_blank">'


def _image(renderer: Any, tokens: Sequence[Token], number: int, *_: Any) -> str:
    """A link: what is shown comes from here, and nobody elsewhere learns who reads."""
    address = html.escape(str(tokens[number].attrGet("src") or ""))
    return f'<a href="{address}" target="_blank">{html.escape(tokens[number].content, quote=False) or address}</a>'


def _cell(renderer: Any, tokens: Sequence[Token], number: int, *_: Any) -> str:
    token = tokens[number]
    align = str(token.attrGet("style") or "").removeprefix("text-align:")
    return f'<{token.tag} data-align="{html.escape(align)}">' if align else f"<{token.tag}>"


RULES = {
    "text": _text,
    "fence": _fence,
    "heading_open": _heading,
    "heading_close": _heading,
    "link_open": _link,
    "image": _image,
    "th_open": _cell,
    "td_open": _cell,
}
