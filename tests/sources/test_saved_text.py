"""Daily Papers pages saved as plain text: every layout gives the papers of the page in its order."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadsheet.model.papers import Record, Rejection
from broadsheet.model.text import abstracts_agree, title_key
from broadsheet.sources.daily_papers.saved_text import day_of, parse
from broadsheet.sources.files import read_file

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sources"
HEADER = (
    "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nDaily Papers\n\n"
    "byAK and the research community\n\nAug 4\n\n"
)
PAPERS = [
    (
        "Poincaré ResNet",
        "Residual networks bend. We let them live on a curved space from the first layer, and say why.",
    ),
    (
        "PEPSI",
        "Short. Two decoders share one encoder, and the holes in our pictures close in a single round.",
    ),
    (
        "PEPSI++: Fast and Lightweight",
        "Fewer weights. Our network needs a tenth of the parameters, and loses nothing.",
    ),
    (
        "A Title in Which Nothing Ends",
        "Numbers such as 3.5times or $n \\le 3$ stay. We show that they do, with results on all sets.",
    ),
]


def page(text: str) -> list[Record | Rejection]:
    return list(read_file(io.BytesIO(text.encode()), name="page"))


def titles(items: list[Record | Rejection]) -> list[str]:
    return [item.title for item in items if isinstance(item, Record)]


def blocks(papers: list[tuple[str, str]]) -> str:
    return "\n\n".join(f"{title}\n\n{abstract}" for title, abstract in papers)


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("page_titled.txt", 4, "Poincaré ResNet"),
        ("page_untitled.txt", 5, "Masked Autoencoders Are Scalable Vision Learners"),
        ("page_tight.txt", 6, "Poincaré ResNet"),
    ],
)
def test_each_layout_gives_its_papers_in_order(name: str, count: int, first: str) -> None:
    records = list(read_file(FIXTURES / name))
    assert all(isinstance(record, Record) for record in records)
    assert titles(records)[0] == first
    assert [record.listings[0].rank for record in records] == list(range(1, count + 1))
    assert {record.listings[0].list for record in records} == {"saved_page"}
    assert len({record.listings[0].source for record in records}) == 1
    assert records[0].listings[0].source.startswith("saved_page:")


def test_the_seeds_give_their_listings_and_493_papers(shared: Path) -> None:
    records: list[Record] = []
    counts = []
    for path in sorted((shared / "seeds").glob("*.txt")):
        found = list(read_file(path))
        assert not [item for item in found if isinstance(item, Rejection)]
        counts.append(len(found))
        records += found
    assert counts == [62, 96, 222, 75, 81]
    # Two papers share the title "Dilated convolution with learnable spacings": an article and a thesis.
    papers: dict[str, list[str]] = {}
    for record in records:
        known = papers.setdefault(title_key(record.title), [])
        if not any(abstracts_agree(record.abstract, other) for other in known):
            known.append(record.abstract)
    assert len(papers) == 492
    assert sum(map(len, papers.values())) == 493


def test_windows_line_ends_change_nothing() -> None:
    text = HEADER + blocks(PAPERS)
    assert titles(page(text.replace("\n", "\r\n"))) == titles(page(text)) == [title for title, _ in PAPERS]


def test_an_abstract_of_several_paragraphs_stays_one_abstract() -> None:
    abstract = (
        "We begin here, with a first paragraph that says much about our work.\n\n"
        "And we go on with results in a second one. It ends here."
    )
    papers = [PAPERS[0], ("A Paper of Two Paragraphs", abstract), PAPERS[1]]
    records = page(HEADER + blocks(papers))
    assert titles(records) == [title for title, _ in papers]
    assert records[1].abstract.count("\n\n") == 1


def test_the_sites_own_lines_are_no_papers() -> None:
    between = "\n\n".join(
        f"{n}\n\n{t}\n\n· {n} authors\n\nSubmitted by Cleo\n\n{a}\n\n12" for n, (t, a) in enumerate(PAPERS)
    )
    records = page(
        HEADER + between + "\n\nPrevious\n\n1\n\n2\n\nNext\n\nCompany\nTOS\nPrivacy\nAbout\n© Hugging Face\n"
    )
    assert titles(records) == [title for title, _ in PAPERS]
    assert len(records) == len(PAPERS)


def test_a_title_glued_to_subscribe_is_freed() -> None:
    top = "Get trending papers in your email inbox!\nSubscribe"
    for title in ("CrossFormer: A Title", "dLLM and Others", "olmOCR 2 for Documents", "3D Everything"):
        text = top + "\n".join([title, PAPERS[0][1], *PAPERS[1]])
        assert titles(page(text))[0] == title


def test_a_page_wrapped_at_a_fixed_width_is_unwrapped() -> None:
    import textwrap

    papers = [
        (
            "A Title That Is Long Enough to Be Broken by Any Mail Program: Self-Made and Data-Driven",
            PAPERS[0][1] * 3,
        ),
        *PAPERS[1:],
    ]
    text = HEADER + "\n\n".join(textwrap.fill(t, 72) + "\n\n" + textwrap.fill(a, 72) for t, a in papers)
    assert titles(page(text)) == [title for title, _ in papers]


def test_a_title_without_abstract_is_reported_with_its_line() -> None:
    text = HEADER + "Left Alone Among the Others\n\n" + blocks(PAPERS)
    items = page(text)
    assert titles(items) == [title for title, _ in PAPERS]
    rejected = [item for item in items if isinstance(item, Rejection)]
    assert [item.where for item in rejected] == ["page line 13"]
    assert "Left Alone Among the Others" in rejected[0].why


def test_a_page_without_header_is_known_by_its_papers() -> None:
    long = [(title, abstract * 7) for title, abstract in PAPERS]
    assert titles(page(blocks(long))) == [title for title, _ in PAPERS]


@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\n\nplease find the minutes below.\n\nYours,\nAda\n",
        "import re\n\n\ndef f(x):\n    return x\n" * 30,
        "Install\n\n"
        + "This program is installed with one command and then started. " * 20
        + "\n\nUse\n\n"
        + "It is used so. " * 60,
        "title,abstract\nA paper,Some words\n",
    ],
)
def test_other_text_is_rejected_with_what_is_read(text: str) -> None:
    (item,) = page(text)
    assert isinstance(item, Rejection)
    assert "BibTeX" in item.why


def test_an_empty_page_is_reported() -> None:
    (item,) = page(HEADER)
    assert isinstance(item, Rejection)
    assert "no papers" in item.why


@pytest.fixture
def dated() -> Iterator[object]:
    return lambda line: parse(f"byAK and the research community\n\n{line}\n\n" + blocks(PAPERS))


def test_the_day_is_the_last_such_day_that_has_come(dated) -> None:
    assert day_of(dated("Aug 4"), "2026-08-04") == "2026-08-04"
    assert day_of(dated("Aug 4"), "2026-08-03") == "2025-08-04"
    assert day_of(dated("Feb 29"), "2027-01-01") == "2024-02-29"
    assert day_of(dated("Aug 4, 2024"), "2026-08-04") == "2024-08-04"
    assert day_of(parse(blocks(PAPERS)), "2026-08-04") is None


def test_a_given_day_counts_more_than_the_header() -> None:
    items = list(read_file(io.BytesIO((HEADER + blocks(PAPERS)).encode()), day="2024-01-02"))
    assert {item.listings[0].day for item in items} == {"2024-01-02"}


def test_links_printed_in_abstracts_are_links_of_the_paper() -> None:
    records = list(read_file(FIXTURES / "page_titled.txt"))
    assert [(link.kind, link.url, link.provenance) for link in records[1].links] == [
        ("code", "https://github.com/facebookresearch/mae", "abstract")
    ]
    assert records[2].links[0].url == "https://example-lab.github.io/pepsi/"
