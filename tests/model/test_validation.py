"""Records before they are stored: cleaned, within limits, or refused with the field and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, ImportReport, Link, Listing, Record, Rejection
from broadsheet.model.validation import MAX_ABSTRACT, MAX_TITLE, RecordError, checked, is_web_url


def record(**fields: Any) -> Record:
    return Record(**{"title": "A title", "source": "test", **fields})


def test_texts_are_cleaned() -> None:
    made = checked(
        record(
            title=" A\x00 \u202etitle\n",
            abstract="one\ntwo\n\nthree\x07",
            authors=[Author(" Ada\tLovelace "), Author("\x00")],
            venue="  ",
            comment="12\npages",
            categories=["cs.CL", " cs.CL ", "", "cs.AI"],
        )
    )
    assert (made.title, made.abstract) == ("A title", "one two\n\nthree")
    assert [author.name for author in made.authors] == ["Ada Lovelace"]
    assert (made.venue, made.comment, made.categories) == (None, "12 pages", ["cs.CL", "cs.AI"])


def test_dates_become_utc() -> None:
    made = checked(record(published="2024-05-24T23:00:00-04:00", updated="2024", withdrawn=""))
    assert (made.published, made.updated, made.withdrawn) == (
        "2024-05-25T03:00:00Z",
        "2024-01-01T00:00:00Z",
        "",
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"title": ""}, "title"),
        ({"title": " \x00 ", "identifiers": [Identifier("arxiv", "2401.00001")]}, "title"),
        ({"title": "x" * (MAX_TITLE + 1)}, "title"),
        ({"title": "..."}, "title"),
        ({"abstract": "x" * (MAX_ABSTRACT + 1)}, "abstract"),
        ({"authors": [Author("A")] * 10_001}, "authors"),
        ({"published": "0000-01-01"}, "published"),
        ({"updated": "never"}, "updated"),
        ({"listings": [Listing("l", "2025-13-40", 1, "s")]}, "day"),
        ({"listings": [Listing("l", "9999-01-01", 1, "s")]}, "day"),
        ({"listings": [Listing("l", "2025-01-01", 0, "s")]}, "rank"),
        ({"listings": [Listing("l", "2025-01-01", 10**30, "s")]}, "rank"),
        ({"listings": [Listing("l" * 101, "2025-01-01", 1, "s")]}, "list"),
        ({"listings": [Listing("\x00", "2025-01-01", 1, "s")]}, "list"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_field(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(RecordError, match=named):
        checked(record(**fields))


def test_a_title_of_signs_alone_needs_an_identifier() -> None:
    assert checked(record(title="...", identifiers=[Identifier("arxiv", "2407.21783")])).title == "..."


def test_what_is_wrong_and_not_essential_is_dropped() -> None:
    made = checked(
        record(
            upvotes=-1,
            github_stars=10**12,
            num_comments=3,
            links=[
                Link("code", "https://github.com/a/b"),
                Link("code", "javascript:alert(1)"),
                Link("code", "https://x\x00.org"),
                Link("spell", "https://example.org"),
            ],
        )
    )
    assert (made.upvotes, made.github_stars, made.num_comments) == (None, None, 3)
    assert [link.url for link in made.links] == ["https://github.com/a/b"]


def test_what_no_database_stores_is_taken_out_of_nested_data() -> None:
    deep: Any = "end"
    for _ in range(50):
        deep = {"a": deep}
    made = checked(
        record(organization={"name": "a\x00b\ud800"}, extra={"deep": deep, "list": ["\x00", 1, None]})
    )
    assert made.organization == {"name": "a\ufffdb\ufffd"}
    assert made.extra["list"] == ["\ufffd", 1, None]
    assert "end" not in str(made.extra["deep"])


@pytest.mark.parametrize("url", ["https://example.org", "http://a.b/c?d=e#f", "HTTPS://EXAMPLE.ORG/x(y)"])
def test_web_urls(url: str) -> None:
    assert is_web_url(url)


@pytest.mark.parametrize(
    "url", ["", "ftp://a.b", "javascript:alert(1)", "https://", "https://a b", 'https://a"b', "//a.b"]
)
def test_what_is_no_web_url(url: str) -> None:
    assert not is_web_url(url)


def test_a_report_is_plain_json() -> None:
    report = ImportReport(read=3, new=1, unchanged=1, rejected=[Rejection("file line 2", "no title")])
    assert report.as_json() == {
        "read": 3,
        "new": 1,
        "updated": 0,
        "unchanged": 1,
        "rejected": [{"where": "file line 2", "why": "no title"}],
    }


def test_without_a_title_a_record_needs_an_identifier() -> None:
    assert checked(record(title="", identifiers=[Identifier("doi", "10.1/x")])).title == ""
    with pytest.raises(RecordError, match="title"):
        checked(record(title=""))


def test_references_licence_and_counts_of_a_day_are_checked() -> None:
    made = checked(
        record(
            references=[
                "doi:10.1/x",
                "doi:10.1/x",
                "nothing",
                "doi:",
                "isbn:1",
                "arxiv:2401.00001",
                "doi:a\nb",
            ],
            licence="https://creativecommons.org/licenses/by/4.0/",
            counted="2024-5-1",
            citations=-1,
        )
    )
    assert made.references == ["doi:10.1/x", "arxiv:2401.00001"]
    assert (made.licence, made.counted) == ("https://creativecommons.org/licenses/by/4.0/", "2024-05-01")
    assert made.citations is None
    assert checked(record(licence="all rights reserved")).licence is None
    with pytest.raises(RecordError, match="counted"):
        checked(record(counted="yesterday"))
