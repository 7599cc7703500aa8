"""Answers of OAI-PMH into records: all formats, damaged answers, bombs, and every recording."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Record, Rejection, Version, Withdrawal
from broadsheet.model.validation import checked
from broadsheet.sources.arxiv.oai import MAX_RECORD, Damage, NoOaiAnswer, OaiAnswer
from broadsheet.sources.files import read_file

FIXTURES = Path(__file__).parents[1] / "fixtures" / "arxiv"
RAW = (FIXTURES / "oai_raw.xml").read_bytes()
# What each recording holds: papers, and why others were refused.
RECORDED = {
    "arXiv.xsd": (0, ["XML schema"]),
    "arXivRaw.xsd": (0, ["XML schema"]),
    "arXivRaw_getrecord_tex_author.xml": (1, []),
    "arXivRaw_listrecords_1000rec_token.xml": (1000, []),
    "arXivRaw_listrecords_last.xml": (6, []),
    "arXiv_getrecord_collaboration_authors.xml": (1, []),
    "arXiv_listrecords_hepex.xml": (3, []),
    "arXiv_listrecords_hepth.xml": (3, []),
    "error_BadArgument.xml": (0, ["badArgument"]),
    "error_BadResumptionToken.xml": (0, ["badResumptionToken"]),
    "error_IdDoesNotExist.xml": (0, ["idDoesNotExist"]),
    "error_NoRecordsMatch.xml": (0, ["noRecordsMatch"]),
    "error_cannotDisseminateFormat.xml": (0, ["cannotDisseminateFormat"]),
    "live2026_arXivRaw_record_1706.03762.xml": (1, []),
    "live2026_arXivRaw_record_2508.11450.xml": (1, []),
    "live2026_arXivRaw_record_2609.12825.xml": (1, []),
    "live2026_arXivRaw_record_2609.12871.xml": (1, []),
    "live2026_arXivRaw_record_2609.28194.xml": (1, []),
    "oai_dc_listrecords_2023.xml": (3, []),
    "oai_dc_record_oldid_astroph.xml": (1, []),
    "oai_dc_record_oldid_hepth.xml": (1, []),
    "oai_dc_record_oldid_math.xml": (1, []),
    "oai_dc_record_tex.xml": (1, []),
}


def read(data: bytes) -> list[Record | Rejection | Withdrawal]:
    return list(read_file(io.BytesIO(data), name="papers.xml"))


def names(record: Record) -> list[str]:
    return [author.name for author in record.authors]


def test_all_of_a_record_of_arxivraw_is_read() -> None:
    paper, *_ = read(RAW)
    assert paper.where == "papers.xml record 1 (oai:arXiv.org:1810.09584)"
    assert (paper.source, paper.title) == ("arxiv", "Martingale theory for housekeeping heat")
    assert paper.identifiers == [
        Identifier("arxiv", "1810.09584", 2),
        Identifier("doi", "10.1209/0295-5075/124/60006"),
        Identifier("doi", "10.1234/second.one"),
    ]
    assert names(paper) == ["Raphael Chetrite", "Shamik Gupta", "Izaak Neri", "Édgar Roldán"]
    assert paper.versions == [Version(1, "2018-10-22T22:41:50Z"), Version(2, "2019-01-13T11:17:09Z")]
    assert (paper.published, paper.updated) == ("2018-10-22T22:41:50Z", "2019-01-13T11:17:09Z")
    # cs.NA is another name of math.NA.
    assert paper.categories == ["math.NA", "cond-mat.stat-mech"]
    assert paper.abstract == (
        "Made-up prose about heat: it is kept in a house, where $Q < 1$ holds for every room that has a door."
    )
    assert paper.venue == "EPL 124,60006 (2018)"
    assert paper.licence == "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"
    assert ("code", "https://github.com/ada-lab/heat") in [(link.kind, link.url) for link in paper.links]
    assert paper.withdrawn is None and paper.listings == []


def test_a_withdrawn_version_and_a_deleted_record_are_told() -> None:
    _, withdrawn, deleted = read(RAW)
    assert withdrawn.withdrawn == "2008-10-20T15:55:51Z"
    assert withdrawn.versions == [Version(1, "2008-01-27T09:30:54Z"), Version(3, "2008-10-20T15:55:51Z")]
    assert names(withdrawn) == ["Tie Shen", "XY and Z Collaborations"]
    assert isinstance(deleted, Withdrawal)
    assert (deleted.identifier, deleted.day) == (Identifier("arxiv", "hep-th/9901001"), "2026-11-17")


def test_the_format_arxiv_has_its_names_put_together() -> None:
    (paper,) = read((FIXTURES / "oai_arxiv.xml").read_bytes())
    assert names(paper) == ["Keck Array", "BICEP2 Collaborations", "P. Ade", "R. W. IV", "Édgar Roldán"]
    assert (paper.published, paper.updated) == ("2016-03-18T00:00:00Z", "2016-04-02T00:00:00Z")
    assert paper.abstract == "A made-up abstract of modes.\n\nIt has a second paragraph."


def test_a_single_record_of_dublin_core_is_read() -> None:
    (paper,) = read((FIXTURES / "oai_dc.xml").read_bytes())
    assert paper.identifiers == [
        Identifier("arxiv", "hep-th/0408048"),
        Identifier("doi", "10.1142/9789812702340_0078"),
    ]
    assert names(paper) == ["Lee Smolin", "Kurt Gödel"]
    assert paper.abstract == "Prose of our own about loops that are tied twice."
    assert (paper.comment, paper.venue) == ("50 pages, none of them real", "Invented Journal 5 (2005) 1-50")
    assert (paper.published, paper.updated) == ("2004-08-05T00:00:00Z", "2005-06-28T00:00:00Z")


def test_the_token_and_the_servers_clock_are_read() -> None:
    answer = OaiAnswer([RAW])
    assert len(list(answer.records())) == 3
    assert answer.token == "verb%3DListRecords%26from%3D2026-11-17%26skip%3D3"
    assert (answer.response_date, answer.whole) == ("2026-11-18T03:41:07Z", True)
    last = OaiAnswer([RAW.replace(b">verb%3DListRecords%26from%3D2026-11-17%26skip%3D3<", b"><")])
    assert len(list(last.records())) == 3 and last.token == ""


def test_an_answer_without_papers_says_so() -> None:
    (rejection,) = read((FIXTURES / "oai_identify.xml").read_bytes())
    assert "answers Identify" in rejection.why and "verb=ListRecords" in rejection.why


@pytest.mark.parametrize(
    "damage", [b"<open>", b"</record>", b"&nbsp;", b"&#11;", b"\xff\xfe", b"<<", b"<a b=c/>"]
)
def test_a_damaged_record_does_not_cost_the_others(damage: bytes) -> None:
    where = RAW.index(b"Plotting")
    first, rejection, deleted = read(RAW[:where] + damage + RAW[where:])
    assert isinstance(first, Record) and isinstance(deleted, Withdrawal)
    assert rejection.where == "papers.xml record 2 (oai:arXiv.org:0801.4122)"
    assert "damaged" in rejection.why


def test_damage_between_small_pieces_is_found_too() -> None:
    where = RAW.index(b"Plotting")
    data = RAW[:where] + b"<open>" + RAW[where:]
    for size in (1, 100, 1000):
        answer = OaiAnswer(data[at : at + size] for at in range(0, len(data), size))
        found = list(answer.records())
        assert [told.place for told in found] == [1, 2, 3]
        assert [isinstance(told, Damage) for told in found] == [False, True, False]
        assert answer.token == "verb%3DListRecords%26from%3D2026-11-17%26skip%3D3"


def test_where_all_records_are_damaged_the_rest_is_left_unread() -> None:
    found = list(OaiAnswer([b"<OAI-PMH><ListRecords>" + b"<record><open></record>" * 5_000]).records())
    assert len(found) == 101 and "left unread" in found[-1].why


def test_a_cut_answer_is_told_with_the_record_it_ends_in() -> None:
    answer = OaiAnswer([RAW[: RAW.index(b"Plotting")]])
    first, damage = answer.records()
    assert first.id == "1810.09584" and (damage.place, damage.identifier) == (2, "oai:arXiv.org:0801.4122")
    assert not answer.whole and answer.token is None


def test_forbidden_control_characters_are_left_out() -> None:
    paper, *_ = read(RAW.replace(b"housekeeping heat", b"house\x0bkeeping\x01 heat"))
    assert paper.title == "Martingale theory for housekeeping heat"


def test_impossible_and_unpadded_dates_are_told_and_the_paper_kept() -> None:
    data = RAW.replace(b"Mon, 22 Oct 2018 22:41:50 GMT", b"Mon, 31 Feb 2018 22:41:50 GMT")
    paper, rejection, *_ = read(data.replace(b"Sun, 13 Jan 2019 11:17:09 GMT", b"2019-1-3"))
    assert paper.versions == [Version(1, None), Version(2, "2019-01-03T00:00:00Z")]
    assert checked(paper).title
    assert rejection.where == paper.where and "31 Feb" in rejection.why and "kept" in rejection.why


def test_entities_are_neither_resolved_nor_multiplied(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    bomb = "".join(f'<!ENTITY b{i} "{f"&b{i - 1};" * 10}">' for i in range(1, 12))
    kind = f'<!DOCTYPE OAI-PMH [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY b0 "haha">{bomb}]>'
    data = RAW.replace(b"<OAI-PMH", kind.encode() + b"<OAI-PMH", 1)
    for where in (b"Martingale", b"Plotting"):
        for item in read(data.replace(where, b"&x; &b11;")):
            assert "the secret" not in str(item) and "haha" not in str(item)
    assert all(
        isinstance(item, Rejection) for item in read(data.replace(b" xmlns=", b' x="&b11;" xmlns=', 1))
    )


def test_a_record_larger_than_any_ends_the_reading() -> None:
    head = RAW[: RAW.index(b"<record>", RAW.index(b"<record>") + 1)]
    junk = (b"<x>" + b"y" * 900 + b"</x>" for _ in range(MAX_RECORD // 500))
    answer = OaiAnswer(chunk for chunks in ([head], junk) for chunk in chunks)
    first, damage = answer.records()
    assert first.place == 1 and "left unread" in damage.why


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><body>Sorry</body></html>",
        b'{"error": 1}',
        b"<feed xmlns='http://www.w3.org/2005/Atom'/>",
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(NoOaiAnswer, match="no OAI-PMH answer"):
        list(OaiAnswer([data]).records())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_encodings_are_read(encoding: str) -> None:
    assert len(read(RAW.decode().encode(encoding))) == 3


def test_a_record_of_another_archive_is_refused() -> None:
    data = RAW.replace(b"oai:arXiv.org:1810.09584", b"oai:example.org:7").replace(b"<id>1810.09584</id>", b"")
    rejection, *others = read(data)
    assert "none of arXiv" in rejection.why and len(others) == 2


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_answers_are_read_right_or_refused_with_a_reason(shared: Path, name: str) -> None:
    items = list(read_file(shared / "data/recorded/arxiv_oai" / name))
    papers, reasons = RECORDED[name]
    assert Counter(map(type, items)) == Counter({Record: papers, Rejection: len(reasons)}) - Counter()
    for item, reason in zip((i for i in items if isinstance(i, Rejection)), reasons, strict=True):
        assert reason in item.why
    for paper in (item for item in items if isinstance(item, Record)):
        assert checked(paper).title and paper.abstract and paper.published
        assert paper.identifiers[0].scheme == "arxiv" and names(paper)
        assert paper.categories or "oai_dc" in name
        for author in names(paper):
            assert "\\" not in author and "(" not in author and 2 < len(author) < 60
        assert [version.number for version in paper.versions] == sorted({v.number for v in paper.versions})
        assert all(version.date for version in paper.versions)


def test_every_recorded_answer_is_known_here(shared: Path) -> None:
    folder = shared / "data/recorded/arxiv_oai"
    assert {path.name for path in folder.iterdir()} == set(RECORDED)


def test_the_recorded_page_of_1000_has_its_versions_names_and_withdrawals(shared: Path) -> None:
    papers = list(read_file(shared / "data/recorded/arxiv_oai/arXivRaw_listrecords_1000rec_token.xml"))
    assert sum(len(paper.versions) > 1 for paper in papers) == 360
    assert max(len(paper.versions) for paper in papers) == 8
    assert [paper.identifiers[0].value for paper in papers if paper.withdrawn].count("0801.4122") == 1
    assert sum(name.endswith("Collaboration") for paper in papers for name in names(paper)) == 11


def test_recorded_two_dois_in_one_field_are_two(shared: Path) -> None:
    paper, *_ = read_file(shared / "data/recorded/arxiv_oai/arXivRaw_listrecords_last.xml")
    dois = [identifier.value for identifier in paper.identifiers if identifier.scheme == "doi"]
    assert dois == ["10.1103/physrevc.76.024606", "10.1103/physrevc.76.039902"]
