"""The edition for e-readers: valid EPUB 3, whatever texts papers have."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.delivery.epub import epub
from tests.delivery.epub_rules import MATHML, documents, epub_errors
from tests.delivery.sheets import HOSTILE, hostile_sheet, sheet, story


def test_a_book_is_valid_and_holds_every_paper_whole_in_the_order_of_the_edition() -> None:
    text = ". ".join(f"Sentence {n} tells of reeds" for n in range(40))
    book = epub(
        sheet(story("Marsh birds", text), story(r"An $O(n \log n)$ bound", "We prove $x^2 \\geq 0$."))
    )
    assert epub_errors(book) == []
    found = documents(book)
    chapter = "".join(found["EPUB/paper-001.xhtml"].itertext())
    assert "Marsh birds" in chapter
    assert "Sentence 39 tells of reeds" in chapter
    assert len(list(found["EPUB/paper-002.xhtml"].iter(f"{{{MATHML}}}math"))) == 2
    contents = [a.text for a in found["EPUB/nav.xhtml"].iter("{http://www.w3.org/1999/xhtml}a")]
    assert contents[:2] == ["Front page", "Marsh birds"]
    assert contents[2].startswith("An O(n")


def test_the_same_edition_is_the_same_file_and_an_empty_one_is_valid() -> None:
    assert epub(sheet(story("Marsh birds"))) == epub(sheet(story("Marsh birds")))
    assert epub_errors(epub(sheet(topics=[]))) == []


def test_no_language_formula_or_attack_breaks_a_book() -> None:
    assert epub_errors(epub(hostile_sheet(name=HOSTILE[2], tagline=HOSTILE[2]))) == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_no_text_breaks_a_book(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    book = epub(
        sheet(story(text, text, byline=text, kicker=text, facts=text), name=text or "?", tagline=text)
    )
    assert [error for error in epub_errors(book) if "no title" not in error] == []
