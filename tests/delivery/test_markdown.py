"""A paper as Markdown."""

from __future__ import annotations

from broadsheet.delivery.markdown import paper_markdown
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Link, Listing, Paper


def paper(**more: object) -> Paper:
    fields: dict[str, object] = {
        "key": 1,
        "id": "2405.15738",
        "title": "Reeds at night",
        "abstract": "First paragraph with $x^2$.\n\nSecond paragraph.",
        "authors": [Author("Ada Lovelace"), Author("Emmy Noether")],
        "published": "2024-05-24T17:34:15Z",
        "categories": ["cs.CV"],
        "upvotes": 7,
        "identifiers": [Identifier("arxiv", "2405.15738"), Identifier("doi", "10.1/x")],
        "links": [Link("code", "https://github.com/example/reeds")],
        "listings": [
            Listing("daily_papers", "2024-05-27", 3, "a"),
            Listing("daily_papers", "2024-05-27", 3, "b"),
        ],
    }
    return Paper(**{**fields, **more})  # type: ignore[arg-type]


def test_the_markdown_of_a_paper_has_all_that_is_known() -> None:
    text = paper_markdown(paper(ai_summary="One sentence."), "https://papers.example.org")
    lines = text.splitlines()
    assert lines[0] == "# Reeds at night"
    for line in (
        "**Authors:** Ada Lovelace, Emmy Noether",
        "- Published: 2024-05-24",
        "- arXiv: 2405.15738",
        "- DOI: 10.1/x",
        "- Upvotes: 7",
        "- This page: <https://papers.example.org/papers/2405.15738>",
        "- PDF: <https://arxiv.org/pdf/2405.15738>",
        "- Code: <https://github.com/example/reeds>",
        "## Summary",
        "## Abstract",
        "First paragraph with $x^2$.",
        "Second paragraph.",
        "@misc{lovelace2024reeds,",
    ):
        assert line in lines, line
    assert lines.count("- 2024-05-27: daily_papers, place 3") == 1
    assert text.endswith("```\n")


def test_no_text_becomes_markup() -> None:
    text = paper_markdown(
        paper(
            title="<b>Bold</b>",
            abstract="# No heading\n\n- no item\n\n1. no number\n\n<script>x</script> ![no](http://a.b/c) "
            "3 < 4",
        )
    )
    prose = text.split("## BibTeX")[0]
    assert "<b>" not in prose and "<script" not in prose
    assert r"\# No heading" in prose and r"\- no item" in prose and r"1\. no number" in prose
    assert "![no](" not in prose
    assert "3 < 4" in prose


def test_a_fence_in_a_title_does_not_end_the_citation() -> None:
    text = paper_markdown(paper(title="```\n# Escaped"))
    assert text.rstrip().endswith("````")


def test_a_paper_without_anything_is_markdown_too() -> None:
    assert paper_markdown(Paper(1, "title-0123456789abcdef", "Alone")).startswith("# Alone\n")
