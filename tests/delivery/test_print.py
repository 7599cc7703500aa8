"""The printed sheet: set by the real typst from whatever texts papers have."""

from __future__ import annotations

import re
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.delivery import tex
from broadsheet.delivery.print import MOST_STORIES, PAPERS, fragments, sheet_images, sheet_pdf
from tests.delivery.sheets import FORMULAS, HOSTILE, hostile_sheet, sheet, story


def opened(pdf: bytes) -> bytes:
    """``pdf`` with its compressed streams read."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
    read = []
    for stream in streams:
        try:
            read.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return pdf + b"\n".join(read)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", opened(pdf)))


@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_a_sheet_is_a_pdf_of_that_size_with_links_to_its_papers(paper: str, size: tuple[int, int]) -> None:
    pdf = sheet_pdf(
        sheet(story("Marsh birds"), story("Other birds", url="https://papers.example.org/papers/x")), paper
    )
    assert pdf.startswith(b"%PDF-")
    box = re.search(rb"/MediaBox\s*\[([^\]]*)\]", opened(pdf))
    assert box is not None
    assert tuple(round(float(number)) for number in box[1].split()[2:]) == size
    links = set(re.findall(rb"/URI\s*\(([^)]*)\)", opened(pdf)))
    assert {
        b"https://papers.example.org/papers/2605.10001",
        b"https://papers.example.org/papers/x",
        b"https://papers.example.org/papers/date/2026-05-29",
    } <= links
    assert pages(pdf) == 1
    assert set(PAPERS) == {"a4", "letter"}


def test_no_text_is_read_as_markup_and_no_language_or_formula_breaks_a_sheet() -> None:
    told = hostile_sheet(name=HOSTILE[0], tagline=HOSTILE[1], date=HOSTILE[2], number=HOSTILE[3])
    assert pages(sheet_pdf(told)) >= 2


def test_texts_that_are_far_too_long_are_cut_and_the_number_of_stories_is_bounded() -> None:
    long = "W" * 5_000
    one = story(long, f"{long}. {'word ' * 5_000}", byline=long, kicker=long, facts=long, standfirst=long)
    assert pages(sheet_pdf(sheet(*[one] * 3, name=long, tagline=long, date=long, number=long))) <= 6
    many = [story(f"Paper number {n} of very many that were listed") for n in range(4 * MOST_STORIES)]
    assert pages(sheet_pdf(sheet(*many))) == pages(sheet_pdf(sheet(*many[:MOST_STORIES])))


def test_an_edition_of_one_paper_or_none_is_one_page() -> None:
    assert pages(sheet_pdf(sheet(topics=[]))) == 1
    assert pages(sheet_pdf(sheet(story("Alone", "")))) == 1


def test_abstracts_are_cut_by_rank_and_what_is_cut_ends_with_a_sentence() -> None:
    text = " ".join(
        f"Sentence number {n} tells of reeds and of the birds that live in them." for n in range(60)
    )
    shown = [len(sheet_images(sheet(*[story("A title", text)] * n), dots_per_inch=20)) for n in (1, 12, 30)]
    # Whole, these abstracts would fill more than three times as many pages.
    assert shown[0] == 1
    assert shown[2] <= 6


def test_formulas_are_set_as_mathematics_and_only_absurd_ones_as_their_source() -> None:
    kinds = []
    for text in FORMULAS:
        [*pieces] = fragments.pieces_of(str(tex.html_of(text)))
        kinds.append(next((piece["k"] for piece in pieces if not isinstance(piece, str)), "text"))
    assert kinds[:12] == ["math"] * 12
    [fraction] = [piece for piece in fragments.pieces_of(str(tex.html_of(r"$\frac{a}{2}$"))) if piece]
    assert fraction == {
        "k": "math",
        "c": {"k": "frac", "c": [{"k": "sym", "t": "a"}, {"k": "text", "t": "2"}]},
    }
    [deep] = fragments.pieces_of(str(tex.html_of(FORMULAS[-2])))
    assert deep["k"] == "code"


def test_a_fragment_that_is_no_xml_is_text() -> None:
    assert fragments.pieces_of("a < b & <p>c") == ["a < b & <p>c"]
    assert fragments.pieces_of("&lt;em&gt; <em>b</em>") == ["<em> ", {"k": "em", "c": ["b"]}]


@settings(max_examples=8, deadline=None)
@given(st.text(max_size=80))
def test_no_text_breaks_a_sheet(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    told = sheet(
        story(text, text, byline=text, kicker=text, facts=text),
        name=text or "?",
        tagline=text,
        topics=[(text, 2), ("a", 1)],
    )
    assert sheet_pdf(told).startswith(b"%PDF-")
