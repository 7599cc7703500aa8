"""Markup becomes text: paragraphs stay, formulas stay TeX, and what is no markup is left as it is."""

from __future__ import annotations

import pytest

from broadsheet.sources.markup import line_of, links_of, text_of


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("if a<b and b > c then p < 0.05", "if a<b and b > c then p < 0.05"),
        ("Looms &amp; numbers", "Looms & numbers"),
        ("<p>One</p><p>Two<br>still two</p><ul><li>a</li><li>b</li></ul>", "One\n\nTwo still two\n\na\n\nb"),
        ("<div>Shown<script>alert(1)</script><style>p {}</style></div>", "Shown"),
        ("<jats:title>ABSTRACT</jats:title><jats:p>Words.</jats:p>", "Words."),
        ("<jats:p>of<jats:italic>Drosophila</jats:italic>flies</jats:p>", "of Drosophila flies"),
        ("H<sub>2</sub>O and x<jats:sup>2</jats:sup>", "H2O and x2"),
        ("<i>N</i>-acetyl", "N-acetyl"),
        (
            "<jats:p><jats:inline-formula><jats:alternatives><jats:tex-math>$x$</jats:tex-math>"
            "<mml:math><mml:mi>x</mml:mi></mml:math></jats:alternatives></jats:inline-formula> up</jats:p>",
            "$x$ up",
        ),
        ("<mml:math><mml:mi>α</mml:mi></mml:math> decay", "α decay"),
        ("<div>" * 1000 + "deep", "deep"),
        (None, ""),
    ],
)
def test_markup_becomes_text(markup: str | None, text: str) -> None:
    assert text_of(markup) == text


def test_a_title_is_one_line() -> None:
    assert line_of("<p>On <b>looms</b></p>\n<p>and numbers</p>") == "On looms and numbers"


def test_links_come_with_their_words() -> None:
    markup = '<a href=" https://arxiv.org/abs/1 ">the <b>paper</b></a> and <A HREF="/x">more</A><a>none</a>'
    assert links_of(markup) == [("https://arxiv.org/abs/1", "the paper"), ("/x", "more"), ("", "none")]
