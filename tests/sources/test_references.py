"""BibTeX, RIS and CSL-JSON: each reference is read right or rejected with a reason."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from broadsheet.model.papers import Record, Rejection
from broadsheet.model.validation import checked
from broadsheet.sources.bibtex.names import names_of
from broadsheet.sources.bibtex.tex import text_of
from broadsheet.sources.files import read_file
from broadsheet.sources.references import rough_date

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sources"


def read(name: str) -> tuple[dict[str, Record], list[Rejection]]:
    items = list(read_file(FIXTURES / name))
    records = {item.title: item for item in items if isinstance(item, Record)}
    return records, [item for item in items if isinstance(item, Rejection)]


def read_text(text: str) -> list[Record | Rejection]:
    return list(read_file(io.BytesIO(text.encode()), name="file"))


def names(record: Record) -> list[str]:
    return [author.name for author in record.authors]


def keys(record: Record) -> list[str]:
    return [identifier.key for identifier in record.identifiers]


def test_bibtex_fields_become_those_of_a_paper() -> None:
    records, _ = read("references.bib")
    paper = next(iter(records.values()))
    assert paper.title == "Learning 100% of $\\mathbb{R}^n$ – with GPUs & Überzeugung"
    assert names(paper) == [
        "Pál Erdős",
        "John von Neumann",
        "Charles Louis Xavier Joseph de la Vallée Poussin",
        "The Example Collaboration",
    ]
    assert paper.published == "2016-02-12"
    assert paper.venue == "Journal of Machine Learning (Series B)"
    assert keys(paper) == ["doi:10.1000/ramsey_2016"]
    assert paper.ai_keywords == ["ramsey theory", "learning"]
    assert [(link.kind, link.url) for link in paper.links] == [
        ("abstract", "https://example.org/ramsey?a=1&b=2"),
        ("code", "https://github.com/example/ramsey_code"),
    ]
    # A percent sign at the beginning of a line of an abstract is no comment.
    assert "% of the rest" in paper.abstract
    assert paper.where.endswith("references.bib line 7 (ramsey2016)")


def test_bibtex_knows_arxiv_ids_wherever_they_stand() -> None:
    records, _ = read("references.bib")
    assert keys(records["Attention Is All You Need"]) == ["arxiv:1706.03762"]
    assert records["Attention Is All You Need"].identifiers[0].version == 5
    assert records["Attention Is All You Need"].categories == ["cs.CL"]
    assert keys(records["A Reference From a Search Engine"]) == ["arxiv:2301.00001"]
    assert records["A Reference From a Search Engine"].venue is None
    assert keys(records["Modern fields: of BibLaTeX"]) == ["arxiv:math/0611800", "acl:2020.acl-main.1"]


def test_bibtex_entries_inherit_from_their_crossref() -> None:
    paper = read("references.bib")[0]["Attention Is All You Need"]
    assert paper.venue == "Advances in Neural Information Processing Systems"
    assert paper.published == "2017"


def test_bibtex_entries_that_cannot_be_read_are_reported_with_line_and_key() -> None:
    records, rejected = read("references.bib")
    assert [rejection.where.split("references.bib ")[1] for rejection in rejected] == [
        "line 52 (untitled)",
        "line 57",
    ]
    assert "no title" in rejected[0].why
    assert "An entry whose brace" in rejected[1].why
    # What follows the broken entry is read.
    assert "Advances in Neural Information Processing Systems" in records
    assert "Commented out" not in records


def test_references_stand_in_order_on_the_day_they_were_added() -> None:
    records, _ = read("references.bib")
    assert [record.listings[0].rank for record in records.values()] == [1, 2, 3, 4, 5]
    assert {record.listings[0].list for record in records.values()} == {"added"}
    (record,) = read_file(io.BytesIO(b"@misc{a, title={T}}"), day="2024-05-06")
    assert record.listings[0].day == "2024-05-06"


def test_two_entries_of_one_key_are_two_papers() -> None:
    items = read_text("@misc{a, title={One}}\n@misc{a, title={Two}, title={Twice}}\n")
    assert [item.title for item in items] == ["One", "Two"]


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"Poincar\'{e} and Erd\H{o}s", "Poincaré and Erdős"),
        (r"{\"U}ber {NASA} and {{IBM}}", "Über NASA and IBM"),
        (r"$\alpha_{i}^2$ at 5\,\%", r"$\alpha_{i}^2$ at 5 %"),
        (r"\emph{in vivo} \textbf{x}", "in vivo x"),
        (r"\href{https://x.org}{this page}", "this page"),
        (r"\url{https://x.org/a_b}", "https://x.org/a_b"),
        (r"A \LaTeX\ macro", "A LaTeX macro"),
        (r"{\aap}", "Astronomy and Astrophysics"),
        ("``quoted''--dashed", "“quoted”–dashed"),
        ("plain", "plain"),
        ("{" * 5000 + "deep" + "}" * 5000, "deep"),
        ("unclosed {brace", "unclosed brace"),
    ],
)
def test_tex_becomes_text_and_formulas_stay(tex: str, text: str) -> None:
    assert " ".join(text_of(tex).split()) == text


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Lovelace, Ada and Charles Babbage", ["Ada Lovelace", "Charles Babbage"]),
        ("{van der Berg}, Jan", ["Jan van der Berg"]),
        ("de la Cruz, Jr, Ana", ["Ana de la Cruz Jr"]),
        ("{Barnes and Noble} and Smith, J.", ["Barnes and Noble", "J. Smith"]),
        ("Sandy Anderson AND Andy\n  Land and others", ["Sandy Anderson", "Andy Land"]),
        ("Ruby, Sam, and Thomas, Dave,", ["Sam Ruby", "Dave Thomas"]),
        (
            "Chambers, J. M., Cleveland, W. S., Kleiner, B.",
            ["J. M. Chambers", "W. S. Cleveland", "B. Kleiner"],
        ),
        ("family=Berg, given=Jan, prefix=van den", ["Jan van den Berg"]),
        ("", []),
    ],
)
def test_names_are_read_as_bibtex_writes_them(field: str, expected: list[str]) -> None:
    assert names_of(field) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2001/09/00/", "2001-09"),
        ("2012-02-30", "2012-02"),
        ("2009/2011", "2009"),
        ("2016//", "2016"),
        ("c. 1999", "1999"),
        ("YEAR/MONTH", None),
        ("-3000~", None),
        ("", None),
        ("n.d.", None),
        ("2020-11-05", "2020-11-05"),
    ],
)
def test_rough_dates_are_as_precise_as_they_can_be(text: str, expected: str | None) -> None:
    assert rough_date(text) == expected


def test_ris_references_are_read_one_by_one() -> None:
    records, rejected = read("references.ris")
    assert list(records) == ["A Paper in a Journal", "A Paper at a Conference", "The last one has no end"]
    journal, conference, _ = records.values()
    assert names(journal) == ["Ada Example", "Ben Sample Jr"]
    assert (journal.published, journal.venue, keys(journal)) == (
        "2021-03-15",
        "Journal of Examples",
        ["doi:10.1000/xyz.123"],
    )
    assert journal.ai_keywords == ["one", "two"]
    assert [(link.kind, link.url) for link in journal.links] == [
        ("abstract", "https://example.org/paper"),
        ("code", "https://github.com/example/ris"),
    ]
    assert journal.abstract.startswith("A first line of the abstract which goes on here.")
    assert keys(conference) == ["arxiv:1901.00001"]
    assert [rejection.where.split("references.ris ")[1] for rejection in rejected] == ["line 26", "line 30"]
    assert "TY" in rejected[0].why
    assert "title" in rejected[1].why


def test_csl_items_are_read_with_their_markup_taken_off() -> None:
    records, rejected = read("references.csl.json")
    first, second = records.values()
    assert first.title == "A title with markup and n < 3"
    assert first.abstract == "Abstract\n\nFirst paragraph.\n\nSecond, with a < b."
    assert names(first) == ["Ada van Example", "The Example Group"]
    assert (first.published, first.venue, keys(first)) == (
        "2020-02",
        "Journal of Examples",
        ["doi:10.1000/csl.1"],
    )
    assert keys(second) == ["arxiv:2301.00001"]
    assert second.published == "2023"
    assert [rejection.where.split(" ", 1)[1] for rejection in rejected] == ["entry 3 (untitled)"]


def test_a_csl_object_keyed_by_id_is_read() -> None:
    first = '"a": {"type": "book", "title": "One", "issued": {}}'
    second = '"b": {"type": "book", "title": "Two", "author": []}'
    items = read_text(f"{{\n {first},\n {second}\n}}")
    assert [item.title for item in items] == ["One", "Two"]


# What each recorded file holds: references that are read, and those that are rejected.
RECORDED = {
    "ads_export_entry.bib": (1, 0),
    "biblatex_apa_references.bib": (209, 74),
    "bibtex_RJC_publications.bib": (494, 0),
    "bibtex_bibdesk.bib": (3, 0),
    "bibtex_crossref.bib": (6, 0),
    "bibtex_errors.bib": (1, 7),
    "bibtex_gbk_encoding.bib": (1, 0),
    "bibtex_literal_names.bib": (1, 0),
    "bibtex_math_markup.bib": (2, 0),
    "bibtex_missing_fields.bib": (2, 1),
    "bibtex_mixed.bib": (38, 0),
    "bibtex_percent_preamble.bib": (1, 0),
    "bibtex_qiqqa_export.bib": (2, 0),
    "crossref_transform_bibtex_2.bib": (1, 0),
    "csljson_doi_content_negotiation.json": (1, 0),
    "csljson_zotero_all_types.json": (37, 0),
    "csljson_zotero_list.json": (26, 0),
    # Feeds, no papers.
    "opml_freshrss_default.xml": (0, 0),
    "opml_zotero_feeds.opml": (0, 0),
    "ris_RisImporterCorrupted.ris": (0, 1),
    "ris_RisImporterTest1.ris": (1, 0),
    "ris_RisImporterTest5a.ris": (1, 0),
    "ris_RisImporterTestDOI.ris": (1, 0),
    "zotero_api_collections.json": (0, 15),
    "zotero_api_items.json": (18, 2),
    "zotero_book_and_snapshot.rdf": (0, 1),
    "zotero_export_arxiv_eprints.bib": (3, 0),
    "zotero_export_braces_names.bib": (5, 0),
    "zotero_export_collection.bib": (36, 0),
}


def test_every_recorded_bibliography_is_read_or_rejected_with_reasons(shared: Path) -> None:
    found = {}
    for path in sorted((shared / "data" / "recorded" / "bibliography").iterdir()):
        items = list(read_file(path))
        found[path.name] = (
            sum(isinstance(item, Record) for item in items),
            sum(isinstance(item, Rejection) for item in items),
        )
        for item in items:
            if isinstance(item, Record):
                checked(item)
                assert "\\" not in item.title.replace("$\\mu$", "").replace("$\\pm$", ""), item
                assert not any("{" in author.name for author in item.authors), item
    assert found == RECORDED


def test_recorded_references_are_read_right(shared: Path) -> None:
    folder = shared / "data" / "recorded" / "bibliography"
    (ads,) = read_file(folder / "ads_export_entry.bib")
    assert (ads.venue, keys(ads)) == (
        "Astronomy and Astrophysics",
        ["arxiv:astro-ph/0405395", "doi:10.1051/0004-6361:20040307"],
    )
    (gbk,) = read_file(folder / "bibtex_gbk_encoding.bib")
    assert (names(gbk), gbk.venue) == (["凯撒"], "测试期刊")
    (literal,) = read_file(folder / "bibtex_literal_names.bib")
    assert "Council on Cardiopulmonary, Critical Care, Perioperative and Resuscitation" in names(literal)
    (crossref,) = read_file(folder / "crossref_transform_bibtex_2.bib")
    assert (crossref.published, names(crossref)[0]) == ("2024-05", "Andres M. Bran")
    chapters = list(read_file(folder / "bibtex_crossref.bib"))
    assert chapters[2].venue == "Cosmopolítica e linguagem"
