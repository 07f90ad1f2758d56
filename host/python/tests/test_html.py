"""What a notebook shows: nothing of a row or a recipe becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

import djhost
from djhost import _html

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</table></div></style><script>alert(1)</script>",
    "<!--",
    "]]>",
    "javascript:alert(1)",
    "&lt;script&gt;",
    "<style>*{display:none}</style>",
    "\x00<scr\x00ipt>",
]

#: All that this package writes.
TAGS = {"style", "div", "table", "thead", "tbody", "tr", "th", "td", "b", "i", "span", "code", "pre", "details", "summary", "p", "ins", "del", "iframe"}
ATTRIBUTES = {"class", "style", "srcdoc", "sandbox", "title"}


class Elements(HTMLParser):
    """The elements and the text of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def parsed(text: str) -> Elements:
    elements = Elements()
    elements.feed(text)
    elements.close()
    assert elements.open == [] and elements.tags <= TAGS and elements.attributes <= ATTRIBUTES, (elements.tags, elements.attributes)
    return elements


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_others_becomes_markup(text: str) -> None:
    rows = [{text: text, "text": [text, {text: text}]}]
    shown = parsed(_html.page(_html.title(text, text), _html.rows_table(rows)))
    assert shown.text.count(text) >= 3
    op = djhost.ops.Op(text, {text: text})
    recipe = djhost.Recipe([op], {text: text})
    for value in (op, recipe):
        assert text in parsed(value._repr_html_()).text
    parsed(_html.page(_html.funnel(10, [{"name": text, "rows_in": 10, "rows_out": 5}])))


def test_long_values_are_cut_and_missing_ones_are_blank() -> None:
    shown = parsed(_html.rows_table([{"a": "x" * 5000}, {"b": None}]))
    assert "(5,000 characters)" in shown.text and len(shown.text) < 1000
    assert "null" in shown.text


def test_operators_are_shown() -> None:
    for description in djhost.ops.list():
        assert description.summary in parsed(djhost.ops.show(description.name)._repr_html_()).text
    assert "clean_links_mapper" in parsed(djhost.ops.list()._repr_html_()).text


def test_a_funnel_has_the_counts_of_rows() -> None:
    ops = [{"name": "a", "rows_in": 12000, "rows_out": 9000}, {"name": "b", "rows_in": 9000, "rows_out": 18000}]
    text = parsed(_html.funnel(12000, ops)).text
    for part in ("12,000", "9,000", "-3,000", "18,000", "+9,000"):
        assert part in text
