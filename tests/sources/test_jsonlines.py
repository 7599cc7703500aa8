"""JSON lines: fields are checked one by one, and a bad line costs only itself."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from broadsheet.model import dates
from broadsheet.model.papers import Record, Rejection
from broadsheet.model.validation import checked
from broadsheet.sources.content import MAX_LINE
from broadsheet.sources.files import read_file

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sources"


def read(data: bytes | str, **options: Any) -> list[Record | Rejection]:
    return list(
        read_file(io.BytesIO(data.encode() if isinstance(data, str) else data), name="lines", **options)
    )


def line(**fields: Any) -> str:
    return json.dumps({"title": "A title", **fields}) + "\n"


def test_every_field_of_the_form_is_taken() -> None:
    record = list(read_file(FIXTURES / "papers.jsonl"))[1]
    assert [i.key for i in record.identifiers] == [
        "arxiv:hep-th/9901001", "doi:10.1000/abc.1", "acl:P19-1001", "openreview:rJXMpikCZ",
    ]  # fmt: skip
    assert [author.name for author in record.authors] == ["Ada Example", "Ben Sample"]
    assert (record.published, record.categories, record.venue) == ("1999", ["hep-th"], "Journal of Examples")
    assert (record.upvotes, record.num_comments, record.github_stars, record.submitter) == (12, 3, 5, "cleo")
    assert (record.ai_summary, record.ai_keywords) == ("Everything at once.", ["every", "field"])
    assert record.organization == {"name": "example"}
    assert [(link.kind, link.provenance) for link in record.links] == [
        ("code", "github_repo"), ("project", "project_page"), ("pdf", "url"),
    ]  # fmt: skip
    listing = record.listings[0]
    assert (listing.list, listing.day, listing.rank, listing.source) == (
        "daily_papers",
        "2026-05-29",
        7,
        "daily_papers",
    )
    assert (listing.upvotes, listing.num_comments, listing.submitter) == (12, 3, "cleo")


def test_the_source_is_that_of_the_list() -> None:
    assert [r.source for r in read_file(FIXTURES / "papers.jsonl")] == [
        "arxiv", "daily_papers", "jsonlines", "daily_papers", "daily_papers", "jsonlines",
    ]  # fmt: skip


def test_a_place_that_is_not_told_is_counted_within_day_and_list() -> None:
    text = (
        line(day="2026-05-29", list="a") * 2
        + line(day="2026-05-28", list="a")
        + line(day="2026-05-29", list="b")
    )
    assert [record.listings[0].rank for record in read(text)] == [1, 2, 1, 1]


def test_a_day_without_list_is_one_of_added_papers() -> None:
    (record,) = read(line(day="2026-05-29"))
    assert (record.listings[0].list, record.listings[0].source) == ("added", "added")


def test_without_day_and_list_a_paper_stands_on_the_day_it_was_added() -> None:
    first, second = read(line() + line(title="Another"))
    assert (first.listings[0].list, first.listings[0].day) == ("added", dates.today())
    assert [first.listings[0].rank, second.listings[0].rank] == [1, 2]
    assert first.listings[0].source == second.listings[0].source
    assert first.listings[0].source.startswith("added:")
    assert read(line(), day="2020-02-02")[0].listings[0].day == "2020-02-02"
    assert read(line(list="lab"), day="2020-02-02")[0].listings[0].day == "2020-02-02"


def test_a_url_is_an_identifier_where_it_is_one_and_else_a_link() -> None:
    (arxiv,) = read(line(url="https://arxiv.org/abs/2407.21783v3"))
    assert [i.key for i in arxiv.identifiers] == ["arxiv:2407.21783"]
    assert arxiv.links == []
    (page,) = read(line(url="https://example.org/paper"))
    assert [(link.kind, link.url) for link in page.links] == [("abstract", "https://example.org/paper")]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"title": None}, '"title"'),
        ({"title": ""}, '"title"'),
        ({"title": 5}, '"title"'),
        ({"abstract": ["a"]}, '"abstract"'),
        ({"authors": "Ada Example, Ben Sample"}, '"authors"'),
        ({"authors": [1]}, '"authors"'),
        ({"categories": {"a": 1}}, '"categories"'),
        ({"upvotes": "12"}, '"upvotes"'),
        ({"upvotes": 1.5}, '"upvotes"'),
        ({"upvotes": True}, '"upvotes"'),
        ({"rank": 0}, '"rank"'),
        ({"day": "2025-13-40"}, '"day"'),
        ({"day": "0000-01-01"}, '"day"'),
        ({"day": "9999-01-01"}, '"day"'),
        ({"arxiv_id": "24O7.21783"}, '"arxiv_id"'),
        ({"doi": "not a doi"}, '"doi"'),
        ({"acl_id": "x"}, '"acl_id"'),
        ({"openreview_id": "x"}, '"openreview_id"'),
    ],
)
def test_a_wrong_field_is_named_with_its_line_and_the_next_line_is_read(
    fields: dict[str, Any], named: str
) -> None:
    good, bad, last = read(line() + line(**fields) + line(title="The last"))
    assert isinstance(bad, Rejection)
    assert bad.where == "lines line 2"
    assert bad.why.startswith(named)
    assert isinstance(good, Record)
    assert last.title == "The last"


def test_ids_may_stand_in_any_written_form_of_their_field() -> None:
    (record,) = read(line(arxiv_id="https://arxiv.org/abs/2407.21783v2", doi="https://doi.org/10.1000/X"))
    assert [i.key for i in record.identifiers] == ["arxiv:2407.21783", "doi:10.1000/x"]


def test_a_broken_line_is_reported_and_the_next_lines_go_on() -> None:
    items = read(line() + '{"title": "broken\n' + line(title="After"))
    assert [type(item) for item in items] == [Record, Rejection, Record]
    assert items[1].where == "lines line 2"
    assert "JSON" in items[1].why


def test_a_broken_first_line_does_not_hide_the_format() -> None:
    items = read('{"title": "broken\n' + line(title="After") * 3)
    assert [type(item) for item in items] == [Rejection, Record, Record, Record]


def test_what_is_no_object_is_reported() -> None:
    items = read(line() + "[1, 2]\n" + '"text"\n' + "12\n" + "null\n")
    assert [type(item) for item in items] == [Record] + [Rejection] * 4


def test_a_line_of_200_mb_is_rejected_without_being_read_into_memory() -> None:
    import tracemalloc

    class Long(io.RawIOBase):
        """A stream that cannot be read twice: a good line, one of 200 MB, a good line."""

        def __init__(self) -> None:
            self.pieces = iter(
                [line().encode(), b'{"title": "', *[b"x" * 1_000_000] * 200, b'"}\n', line().encode()]
            )
            self.rest = b""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            self.rest = self.rest or next(self.pieces, b"")
            count = min(len(buffer), len(self.rest))
            buffer[:count], self.rest = self.rest[:count], self.rest[count:]
            return count

    tracemalloc.start()
    try:
        items = list(read_file(io.BufferedReader(Long()), name="long"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [type(item) for item in items] == [Record, Rejection, Record]
    assert items[1].where == "long line 2"
    assert str(MAX_LINE // 1_000_000) in items[1].why
    assert peak < 100_000_000


def test_a_large_file_without_days_is_read_whole() -> None:
    text = "".join(line(title=f"Paper {n}", abstract="words " * 20) for n in range(20_000))
    records = read(text)
    assert [record.listings[0].rank for record in records] == list(range(1, 20_001))
    assert len({record.listings[0].source for record in records}) == 1


def test_nan_control_characters_and_lone_surrogates_are_borne() -> None:
    text = '{"title": "A\tB\\ud800", "upvotes": NaN, "abstract": "x\x01y"}\n'
    record = checked(read(text)[0])
    assert record.title == "A B\ufffd"
    assert record.upvotes is None
    assert record.abstract == "xy"


def test_html_in_an_abstract_stays_text() -> None:
    record = checked(list(read_file(FIXTURES / "papers.jsonl"))[-1])
    assert record.title == "<script>alert(1)</script> in a title"
    assert "<script>alert(2)</script>" in record.abstract


def test_windows_line_ends_blank_lines_and_a_byte_order_mark_are_borne() -> None:
    assert len(read(b"\xef\xbb\xbf" + (line() + "\n" + line()).replace("\n", "\r\n").encode())) == 2


def test_an_array_and_a_pretty_printed_object_of_the_form_are_read() -> None:
    papers = [{"title": "One"}, {"title": "Two", "abstract": "Words."}]
    assert [r.title for r in read(json.dumps(papers))] == ["One", "Two"]
    assert [r.title for r in read(json.dumps(papers, indent=2))] == ["One", "Two"]
    assert [r.title for r in read(json.dumps(papers[1], indent=2))] == ["Two"]


def test_the_good_entries_of_a_broken_array_are_kept() -> None:
    items = read('[{"title": "One"}, {"title": "Two"}, {"title": ]')
    assert [type(item) for item in items] == [Record, Record, Rejection]
    assert "2 entries" in items[2].why
    items = read('[{"title": "One"}, {"title": "Two"}')
    assert [type(item) for item in items] == [Record, Record, Rejection]


def test_objects_that_are_no_papers_are_told_of_once() -> None:
    items = read(json.dumps([{"key": "A", "library": {}, "data": {"title": "x"}}] * 50))
    assert len(items) <= 4
    assert all(isinstance(item, Rejection) for item in items)
    assert "Zotero" in items[0].why
    assert "CSL-JSON" in items[-1].why


def test_the_real_papers_are_read_whole(shared: Path) -> None:
    records = list(read_file(shared / "data" / "daily_papers.jsonl.gz"))
    assert len(records) == 8498
    assert all(isinstance(record, Record) for record in records)
    assert records[0].listings[0].rank == 1
