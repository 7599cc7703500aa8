"""Inputs that are broken, odd or hostile: a clear word for each, never an exception, nothing half read."""

from __future__ import annotations

import gzip
import io
import os
import random
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.model.dates import DateError
from broadsheet.model.papers import Record, Rejection
from broadsheet.model.validation import RecordError, checked
from broadsheet.sources.encodings import UnknownEncoding, decoded
from broadsheet.sources.files import InputError, Item, read_file

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sources"
ALL = sorted(path for path in FIXTURES.rglob("*") if path.is_file())


def read(data: bytes, **options: Any) -> list[Item]:
    return list(read_file(io.BytesIO(data), name="input", **options))


def the_rejection(data: bytes) -> Rejection:
    (item,) = read(data)
    assert isinstance(item, Rejection), item
    assert item.where.startswith("input")
    return item


def lines(count: int) -> bytes:
    rng = random.Random(7)
    words = [f"word{n}" for n in range(500)]
    return b"".join(
        f'{{"title": "Paper {n}", "abstract": "{" ".join(rng.choices(words, k=80))}"}}\n'.encode()
        for n in range(count)
    )


def same(items: list[Any]) -> list[Any]:
    """``items`` without what differs between two names of one content."""
    return [replace(item, where=item.where.split("/")[-1].partition(" ")[2]) for item in items]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_gzip_of_every_format_reads_the_same(path: Path) -> None:
    plain = same(list(read_file(path)))
    assert same(read(gzip.compress(path.read_bytes()))) == plain
    members = gzip.compress(path.read_bytes()[:100]) + gzip.compress(path.read_bytes()[100:])
    assert same(read(members)) == plain


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_a_stream_that_cannot_be_read_twice_reads_the_same(path: Path) -> None:
    reader, writer = os.pipe()

    def send() -> None:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(path.read_bytes())

    sender = threading.Thread(target=send)
    sender.start()
    with os.fdopen(reader, "rb") as stream:
        items = same(list(read_file(stream, name="input")))
    sender.join()
    assert items == same(list(read_file(path)))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    "name", ["papers.jsonl", "page_titled.txt", "references.bib", "references.ris", "daily_papers_day.html"]
)
def test_wide_encodings_are_told_by_their_bytes(name: str, encoding: str) -> None:
    plain = list(read_file(FIXTURES / name))
    wide = read((FIXTURES / name).read_text("utf-8").encode(encoding))
    assert [getattr(item, "title", None) for item in wide] == [getattr(item, "title", None) for item in plain]


def test_latin_and_declared_encodings_are_decoded() -> None:
    bib = "@article{a,\n author = {Müller, Jörg and García, José},\n title = {Über naïve Räume}\n}\n"
    (latin,) = read(bib.encode("latin-1"))
    assert (latin.title, latin.authors[0].name) == ("Über naïve Räume", "Jörg Müller")
    declared = "% Encoding: KOI8-R\n@article{a,\n title = {Пример заголовка}\n}\n"
    (russian,) = read(declared.encode("koi8-r"))
    assert russian.title == "Пример заголовка"


def test_gbk_is_decoded_where_it_can_be_nothing_else() -> None:
    (chinese,) = read("@article{a,\n title = {深度学习的方法},\n author = {王小明}\n}\n".encode("gbk"))
    assert chinese.title == "深度学习的方法"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("深層学習の方法です", "shift_jis"), ("딥 러닝 방법론", "euc-kr"), ("Пример заголовка", "cp1251")],
)
def test_an_encoding_that_is_not_sure_is_rejected_with_the_remedy(text: str, encoding: str) -> None:
    rejection = the_rejection(f"@article{{a,\n title = {{{text}}}\n}}\n".encode(encoding))
    assert "iconv" in rejection.why
    with pytest.raises(UnknownEncoding, match="line 2"):
        decoded(f"one\n{text}".encode(encoding))


def test_one_line_in_another_encoding_costs_only_itself() -> None:
    items = read(
        b'{"title": "One"}\n{"title": "\xff\xfe\x80\x81"}\n{"title": "M\xfcller"}\n{"title": "Last"}\n'
    )
    assert [type(item) for item in items] == [Record, Rejection, Record, Record]
    assert items[1].where == "input line 2"
    assert items[2].title == "Müller"


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_the_records_before_the_cut_of_a_truncated_gzip_are_kept(part: float) -> None:
    packed = gzip.compress(lines(2_000))
    items = read(packed[: int(len(packed) * part)])
    *records, last = items
    assert len(records) > 2_000 * part * 0.8
    assert all(isinstance(record, Record) for record in records)
    assert isinstance(last, Rejection)
    assert "gzip" in last.why


def test_the_last_paper_of_a_page_that_was_cut_off_is_left_out() -> None:
    packed = gzip.compress((FIXTURES / "page_tight.txt").read_bytes())
    *records, last = read(packed[:-60])
    assert 1 <= len(records) < 6
    assert isinstance(last, Rejection)
    full = {record.title: record.abstract for record in read_file(FIXTURES / "page_tight.txt")}
    assert all(full[record.title] == record.abstract for record in records)


def test_damaged_gzip_is_reported() -> None:
    packed = bytearray(gzip.compress(lines(2_000)))
    packed[len(packed) // 2] ^= 0xFF
    *_, last = read(bytes(packed))
    assert isinstance(last, Rejection)
    assert "damaged" in last.why or "gzip" in last.why


def test_gzip_followed_by_zeros_is_whole() -> None:
    assert len(read(gzip.compress(lines(3)) + b"\0" * 512)) == 3


@pytest.mark.parametrize("data", [b"", b"\n \r\n\t", b"\xef\xbb\xbf", gzip.compress(b"")])
def test_an_empty_input_is_said_to_be_empty(data: bytes) -> None:
    assert "empty" in the_rejection(data).why


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"BZh91AY", "bzip2"),
        (b"SQLite format 3\0", "SQLite"),
        (gzip.compress(gzip.compress(b"x")), "twice"),
        (bytes(range(256)) * 20, "binary"),
    ],
)
def test_what_is_no_text_is_named(data: bytes, word: str) -> None:
    assert word in the_rejection(data).why


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b'<rdf:RDF xmlns:rdf="x"></rdf:RDF>', "Zotero"),
        (b'<?xml version="1.0"?><modsCollection/>', "MODS"),
        (b'<?xml version="1.0"?><something/>', "something"),
    ],
)
def test_xml_that_is_not_read_is_named_with_the_remedy(data: bytes, word: str) -> None:
    rejection = the_rejection(data)
    assert word in rejection.why
    assert "BibTeX" in rejection.why


ATOM = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>
"""


def test_an_atom_answer_of_arxiv_and_a_feed_are_told_apart() -> None:
    entry = "<entry><id>{}</id><title>A title</title><summary>Words.</summary></entry>"
    (paper,) = read(ATOM.format(entry.format("http://arxiv.org/abs/2407.21783v2")).encode())
    assert [identifier.value for identifier in paper.identifiers] == ["2407.21783"]
    assert paper.listings[0].list == "added"
    items = read(ATOM.format(entry.format("https://example.org/1") * 50).encode())
    assert [item.source for item in items] == ["feed"] * 50


def test_a_missing_file_a_directory_and_a_forbidden_file_are_errors_that_name_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*nothing\.txt"):
        read_file(tmp_path / "nothing.txt")
    with pytest.raises(InputError, match="is a directory"):
        read_file(tmp_path)
    with pytest.raises(InputError, match="save the page"):
        read_file("https://example.org/paper")
    with pytest.raises(InputError):
        read_file("x" * 5000)
    with pytest.raises(InputError):
        read_file("a\0b")


def test_a_wrong_day_is_an_error_before_anything_is_read() -> None:
    with pytest.raises(DateError):
        read_file(io.BytesIO(b""), day="2025-13-40")


def test_the_name_of_a_file_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "papers.bib"
    path.write_bytes((FIXTURES / "papers.jsonl").read_bytes())
    assert all(isinstance(item, Record) for item in read_file(path))


def test_a_title_of_10000_characters_is_refused_and_control_characters_are_taken_out() -> None:
    (long,) = read(b'{"title": "' + b"x" * 10_000 + b'"}\n')
    with pytest.raises(RecordError, match="10,000 characters"):
        checked(long)
    (odd,) = read(b'{"title": "A\\u0000B\\u202eC\\u0007", "abstract": "x\\u0001y"}\n')
    assert (checked(odd).title, odd.abstract) == ("ABC", "xy")


@pytest.mark.parametrize("year", ["0000", "9999", "0001", "12345"])
def test_impossible_years_are_refused(year: str) -> None:
    (item,) = read(f'{{"title": "T", "published": "{year}-01-01"}}\n'.encode())
    with pytest.raises(RecordError, match="published"):
        checked(item)


def test_deep_nesting_is_no_danger() -> None:
    for data in (
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"title": "x", "authors": ' + b"[" * 50_000 + b"\n",
        b"{" * 50_000,
    ):
        assert all(isinstance(item, Rejection) for item in read(data))
    for data in (
        b"@a{b, title = " + b"{" * 20_000,
        b"<div>" * 20_000,
        b"@misc{a, title={" + b"\\emph{" * 5_000 + b"}}",
    ):
        read(data)


def mutations() -> st.SearchStrategy[bytes]:
    """The fixtures with pieces cut out, repeated, exchanged or put in."""
    sources = [path.read_bytes() for path in ALL]
    noise = st.sampled_from(
        [
            b"{",
            b"}",
            b'"',
            b"\n",
            b"@",
            b"<",
            b"\0",
            b"\xff",
            b"\\",
            b"[",
            b",",
            b"TY  - ",
            b"ER  - \n",
            b"http://[",
            b"\xe2\x82",
        ]
    )

    def mutated(source: bytes, edits: list[tuple[float, float, bytes]], packed: bool, cut: float) -> bytes:
        for at, length, piece in edits:
            start = int(at * len(source))
            source = source[:start] + piece + source[start + int(length * 400) :]
        data = gzip.compress(source, 1) if packed else source
        return data[: int(len(data) * cut)]

    edit = st.tuples(st.floats(0, 1), st.floats(0, 1), st.one_of(noise, st.binary(max_size=20)))
    return st.builds(
        mutated,
        st.sampled_from(sources),
        st.lists(edit, max_size=6),
        st.booleans(),
        st.one_of(st.just(1.0), st.floats(0, 1)),
    )


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        mutations(),
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")),
    )
)
def test_no_input_raises_and_what_comes_out_can_be_stored_or_refused(data: bytes) -> None:
    for item in read(data):
        assert isinstance(item, Item)
        if isinstance(item, Record):
            try:
                checked(item)
            except RecordError as error:
                assert str(error)
        elif isinstance(item, Rejection):
            assert item.where.startswith("input")
            assert item.why
