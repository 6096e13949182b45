"""What messages look like: GitHub's Markdown with line breaks as typed, and nothing that could do anything."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import limits
from chat.messages import highlighting, markdown
from chat.messages.markdown import html_of

EXAMPLES = {
    "**bold**, _leaning_ and ~~gone~~": "<p><strong>bold</strong>, <em>leaning</em> and <s>gone</s></p>",
    "call `f(x)`": "<p>call <code>f(x)</code></p>",
    "one *two*\nthree": "<p>one <em>two</em><br>\nthree</p>",
    "> said\n> before": "<blockquote>\n<p>said<br>\nbefore</p>\n</blockquote>",
    "- a\n- b": "<ul>\n<li>a</li>\n<li>b</li>\n</ul>",
    "3. c\n4. d": '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>',
    "# Title": "<p><strong>Title</strong></p>",
    ":tada: is `:tada:`": "<p>🎉 is <code>:tada:</code></p>",
    "\\*as it is\\*": "<p>*as it is*</p>",
    "```\n<b>\n```": "<pre><code>&lt;b&gt;\n</code></pre>",
}


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_looks_as_github_writes_it(text):
    assert html_of(text) == EXAMPLES[text]


def test_code_has_colours_where_its_language_is_known():
    assert '<span class="k">def</span>' in html_of("```python\ndef f(): pass\n```")
    assert "<span" not in html_of("```klingon\ndef f(): pass\n```")


def test_a_table_says_how_its_columns_are_aligned():
    table = html_of("|a|b|\n|:-:|--:|\n|1|2|")
    assert '<th data-align="center">a</th>' in table
    assert '<td data-align="right">2</td>' in table


def test_a_link_leads_out_and_tells_nobody_where_it_was():
    assert html_of("[here](https://example.org/a?b=c&d)") == (
        '<p><a href="https://example.org/a?b=c&amp;d" target="_blank" rel="noopener noreferrer nofollow">here</a></p>'
    )


def test_a_picture_from_elsewhere_is_a_link():
    assert html_of("![a cat](https://example.org/cat.png)") == (
        '<p><a href="https://example.org/cat.png" target="_blank" rel="noopener noreferrer nofollow">a cat</a></p>'
    )


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "one\ntwo\n\nthree",
        "5 > 3 & 4 < 6",
        "2 * 3 * 4",
        "snake_case and a_b_c",
        "see https://example.org/a_b_c and www.example.org",
        "    indented\n  as typed",
        "at 10:30:00",
        "C:\\dir",
        "~ about",
        "[x] done",
        "#channel and a # alone",
        "-5 degrees",
        "",
    ],
)
def test_what_is_plain_has_no_html(text):
    assert html_of(text) == ""


BOMBS = {
    "brackets": "[" * 8_000,
    "pictures": "![[](" * 1_600,
    "links": "[a](" * 2_000,
    "stars": "*a **a " * 1_140,
    "quotes": "> " * 4_000,
    "items": "\n- " * 2_666,
    "columns": "|" + "a|" * 1_000 + "\n|" + "-|" * 1_000,
    "addresses": "<http://a>" * 800,
    "backslashes": "\\" * 8_000,
    "ticks": "`a` " * 2_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_keep_the_parser_busy_is_shown_as_it_was_typed(name):
    assert html_of(BOMBS[name]) == ""


def test_code_is_not_taken_for_a_bomb():
    assert html_of("```\n" + "a[b[c]] * *p | q\n" * 400 + "```").startswith("<pre>")


def test_what_is_nested_deeply_ends_somewhere():
    assert html_of("> " * 500 + "deep").count("<blockquote>") <= markdown.NESTING_LIMIT


def test_code_that_is_very_long_has_one_colour():
    assert highlighting.html_of("x = 1\n" * 1_000, "python") is None


class Seen(HTMLParser):
    """The tags and attributes of some HTML, and its words."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words = set(), [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += [(tag, *attribute) for attribute in attributes]

    def handle_data(self, data):
        self.words += data


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](data:text/html,<script>)",
    "[a](vbscript:x)",
    "<javascript:alert(1)>",
    '[a](https://e.org "onmouseover=alert(1)")',
    "![a](javascript:alert(1))",
    "```python onload=alert(1)\nx\n```",
    '```"><script>\nx\n```',
    "&lt;script&gt; **x**",
    "[a](https://e.org/\"onclick='x')",
    "**<b onclick=x>**",
]
PIECES = [
    *EXAMPLES,
    *HOSTILE,
    "*",
    "_",
    "`",
    "```",
    "~~~",
    "[",
    "](",
    ")",
    "<",
    ">",
    "|",
    "\n",
    " ",
    "a",
    "é",
    "中",
    "‮",
    "&",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_hostile_comes_through(text):
    only_looks(html_of(text))


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_whatever_is_written_can_only_look(text):
    only_looks(html_of(text[: limits.TEXT_LIMIT_CHARACTERS]))


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=80))
def test_words_without_signs_stay_the_words(text):
    """What is shown without its white space is what was written without its own."""
    if not markdown.SIGNS.search(text):
        assert html_of(text) == ""


def only_looks(html):
    seen = Seen(html)
    assert seen.tags <= markdown.TAGS
    for tag, name, value in seen.attributes:
        assert name in markdown.ATTRIBUTES[tag] | ({"rel"} if tag == "a" else set())
        if name == "href":
            assert re.match(r"(https?|mailto):", value) or not re.match(r"[^/?#]*:", value)
        if name == "class":
            assert markdown.CLASS.fullmatch(value)
