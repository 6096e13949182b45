"""Code with colours: the words of some forty languages, by Pygments, as spans with its short class names."""

from __future__ import annotations

from functools import cache

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Beyond this it stays in one colour: a lexer takes a microsecond for each character, some take more.
LIMIT_CHARACTERS = 4_000
LANGUAGES = frozenset(
    [
        *("bash", "c", "c++", "c#", "clojure", "cmake", "cpp", "csharp", "css", "cs", "dart", "diff", "docker"),
        *("dockerfile", "elixir", "erlang", "go", "graphql", "haskell", "html", "http", "ini", "java", "javascript"),
        *("js", "json", "jsx", "julia", "kotlin", "lua", "make", "makefile", "nginx", "nix", "ocaml", "perl", "php"),
        *("powershell", "py", "pycon", "python", "r", "rb", "ruby", "rs", "rust", "scala", "sh", "shell", "sql"),
        *("swift", "toml", "ts", "tsx", "typescript", "xml", "yaml", "yml", "zig", "zsh"),
    ]
)


def html_of(code: str, language: str) -> str | None:
    """None where the language is not known, or the code too long."""
    if len(code) > LIMIT_CHARACTERS or (lexer := _lexer(language.lower())) is None:
        return None
    return highlight(code, lexer, _formatter())


@cache
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(nowrap=True)


@cache
def _lexer(language: str) -> Lexer | None:
    if language not in LANGUAGES:
        return None
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
