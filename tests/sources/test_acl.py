"""The ACL Anthology: collections into records, and gathered from a playing copy of its repository."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broadsheet.config import Settings
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Record, Rejection, Version
from broadsheet.model.validation import checked
from broadsheet.sources.acl.parse import AnthologyError, papers
from broadsheet.sources.acl.source import AclAnthology, sources
from broadsheet.sources.files import read_file
from broadsheet.sources.http import Client
from tests.sources.played_source import FAILURES, FIXTURES, NOW, QUICK, gather, store_all, stored
from tests.sources.playing_service import Answer, Asked, Playing, playing_service

COLLECTION = (FIXTURES / "acl_collection.xml").read_bytes()
JOURNAL = (FIXTURES / "acl_journal.xml").read_bytes()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as opened:
        yield opened


def read(data: bytes) -> list[Record | Rejection]:
    return list(read_file(io.BytesIO(data), name="acl.xml"))


# -- papers into records


def test_all_of_a_paper_is_read() -> None:
    paper = read(COLLECTION)[0]
    assert paper.title == "BERT counts to $n^2$ in linear time"
    assert paper.where == "acl.xml 2026.example-long paper 1" and paper.source == "acl"
    assert paper.identifiers == [
        Identifier("acl", "2026.example-long.1"),
        Identifier("doi", "10.18653/v1/2026.example-long.1"),
    ]
    assert paper.abstract == "We count with $k < n$ small steps. Code: https://github.com/example/counting."
    assert [author.name for author in paper.authors] == ["Cleo Instance", "Dora", "Placeholder"]
    assert paper.published == "2026-07"
    assert paper.venue == "Proceedings of the 3rd Example Conference (Volume 1: Long Papers)"
    assert paper.comment == "Best Paper Award"
    assert paper.versions == [Version(1), Version(2, "2026-09-01T00:00:00Z")]
    assert paper.extra == {"bibkey": "instance-etal-2026-bert", "pages": "1–12"}
    assert [(link.kind, link.url, link.provenance) for link in paper.links] == [
        ("abstract", "https://aclanthology.org/2026.example-long.1", "id"),
        ("pdf", "https://aclanthology.org/2026.example-long.1.pdf", "url"),
        ("code", "https://github.com/example/counting-code", "pwccode"),
        ("other", "https://example.org/dataset/numbers", "pwcdataset"),
        ("video", "https://vimeo.com/123456", "video"),
        ("doi", "https://doi.org/10.18653/v1/2026.example-long.1", "doi"),
        ("code", "https://github.com/example/counting", "abstract"),
    ]
    (listing,) = paper.listings
    assert (listing.list, listing.day, listing.rank) == ("2026.example-long", "2026-07-25", 1)


def test_front_and_back_matter_are_no_papers_and_a_missing_title_is_reported() -> None:
    items = read(COLLECTION)
    assert [getattr(item, "title", "") or item.where for item in items] == [
        "BERT counts to $n^2$ in linear time",
        "A paper that was taken back",
        "acl.xml 2026.example-long paper 3",
        "Plain words first and then the same marked words with case",
    ]
    assert "no title" in items[2].why


def test_a_retraction_is_a_withdrawal_with_its_day() -> None:
    assert read(COLLECTION)[1].withdrawn == "2026-10-02"


def test_editors_stand_in_for_authors_and_an_id_is_put_together_where_none_is_told() -> None:
    tutorial = read(COLLECTION)[3]
    assert [author.name for author in tutorial.authors] == ["Gil Editor"]
    assert tutorial.identifiers == [Identifier("acl", "2026.example-tutorials.1")]
    assert [link.kind for link in tutorial.links] == ["abstract"]
    assert tutorial.published == "2026"


def test_an_article_of_a_journal_has_an_old_id_and_the_journal_as_venue() -> None:
    (article,) = read(JOURNAL)
    assert article.identifiers == [
        Identifier("acl", "J09-2004"),
        Identifier("doi", "10.1234/coli.2009.35.2.4"),
    ]
    assert (article.venue, article.published) == ("Invented Linguistics 35(2)", "2009-06")
    # Nobody knows when it came to the Anthology.
    assert article.listings[0].list == "added"


@pytest.mark.parametrize(
    ("collection", "volume", "number", "built"),
    [
        ("P19", "1", "23", "P19-1023"),
        ("W05", "1", "7", "W05-0107"),
        ("W05", "12", "7", "W05-1207"),
        ("D19", "1", "7", "D19-1007"),
        ("D19", "50", "7", "D19-5007"),
        ("C69", "1", "2", "C69-0102"),
        ("2020.lrec", "1", "7", "2020.lrec-1.7"),
    ],
)
def test_ids_are_put_together_as_the_anthology_does(
    collection: str, volume: str, number: str, built: str
) -> None:
    text = (
        f'<collection id="{collection}"><volume id="{volume}">'
        f'<paper id="{number}"><title>A</title></paper></volume></collection>'
    )
    assert next(papers(text.encode())).id == built


@pytest.mark.parametrize(
    "data", [b"", b"<html><body>Sorry</body></html>", b"<collection/>", b"\xff\xfe\x00", b'{"a": 1}']
)
def test_what_is_no_collection_is_refused(data: bytes) -> None:
    with pytest.raises(AnthologyError, match="no collection of the ACL Anthology"):
        list(papers(data))


def test_the_papers_before_a_damage_are_read() -> None:
    items = read(COLLECTION[: COLLECTION.index(b"A paper that was taken back")])
    assert [type(item) for item in items] == [Record, Rejection]
    assert "damaged after 2026.example-long, paper 1" in items[1].why


def test_entities_are_neither_resolved_nor_multiplied(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    bomb = "".join(f'<!ENTITY b{i} "{f"&b{i - 1};" * 10}">' for i in range(1, 12))
    head = (
        f'<!DOCTYPE collection [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY b0 "ha">{bomb}]><collection '
    )
    data = COLLECTION.replace(b"<collection ", head.encode(), 1).replace(
        b"taken back", b"taken &x; &b11; back"
    )
    for item in read(data):
        assert "the secret" not in str(item) and "haha" not in str(item)


RECORDED = {"2020.jeptalnrecital.xml": 1, "2021.metanlp.xml": 1, "C65.xml": 24}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_collections_are_read_whole(shared: Path, name: str) -> None:
    items = list(read_file(shared / "data/recorded/acl_anthology" / name))
    assert len(items) == RECORDED[name]
    for item in items:
        assert isinstance(item, Record)
        checked(item)
        assert item.authors and item.venue and item.identifiers[0].scheme == "acl" and item.published


def test_every_recorded_collection_is_known_here(shared: Path) -> None:
    assert {path.name for path in (shared / "data/recorded/acl_anthology").iterdir()} == set(RECORDED)


def test_recorded_papers_keep_their_names(shared: Path) -> None:
    folder = shared / "data/recorded/acl_anthology"
    (french,) = read_file(folder / "2020.jeptalnrecital.xml")
    # The copy writes the title plain and then once more with its marks.
    assert french.title == "Comparing PTB and UD information for PDTB discourseconnective identification"
    assert french.identifiers[0].value == "2020.jeptalnrecital-recital.10"
    (speech,) = read_file(folder / "2021.metanlp.xml")
    assert speech.title == "Multi-accent Speech Separation with One Shot Learning"
    assert [a.name for a in speech.authors] == ["Kuan Po Huang", "Yuan-Kuei Wu", "Hung-yi Lee"]
    assert "<a" not in speech.abstract and "speech processing" in speech.abstract
    old = next(iter(read_file(folder / "C65.xml")))
    assert (old.identifiers[0].value, old.venue, old.published[:4]) == ("C65-1001", "COLING 1965", "1965")


# -- gathering


def repository(files: dict[str, bytes], etags: bool = True) -> Callable[[Asked], Answer]:
    """The folder of XML files; each answer says its ETag and may be "not modified"."""

    def answer(asked: Asked) -> Answer:
        body = files.get(asked.path.rpartition("/")[2].removesuffix(".xml"))
        if body is None:
            return Answer(status=404, body=b"404: Not Found")
        etag = f'"{hash(body)}"'
        if etags and asked.headers.get("if-none-match") == etag:
            return Answer(status=304, body=b"")
        return Answer(body=body, headers={"ETag": etag} if etags else {})

    return answer


def source(service: Playing, *wanted: str) -> AclAnthology:
    return AclAnthology(wanted, service.url + "/data/xml", service=QUICK)


def asked_files(service: Playing) -> list[str]:
    return [asked.path.rpartition("/")[2] for asked in service.requests]


def test_a_venue_is_this_year_and_the_last_and_volumes_are_announced_whole(
    client: Client, tmp_path: Path
) -> None:
    with stored(tmp_path) as store, playing_service(repository({"2026.example": COLLECTION})) as service:
        found = gather(source(service, "example"), client)
        store_all(store, "acl", found)
        covered = store.coverage("2026-07-25", "2026-07-25")
    assert asked_files(service) == ["2025.example.xml", "2026.example.xml"]
    assert [(told.list, len(told.identifiers), told.count) for told in found.announced] == [
        ("2026.example-long", 2, 3),
        ("2026.example-tutorials", 1, 1),
    ]
    assert [(c.list, c.state) for c in covered] == [
        ("2026.example-long", "incomplete"),
        ("2026.example-tutorials", "complete"),
    ]
    assert covered[0].reason == "1 of 3 entries could not be read"


def test_a_collection_is_read_again_only_when_it_has_changed(client: Client) -> None:
    files = {"J09": JOURNAL}
    with playing_service(repository(files)) as service:
        first = gather(source(service, "J09"), client)
        same = gather(source(service, "J09"), client, first.cursor)
        files["J09"] = JOURNAL.replace(b"An old article", b"A corrected article")
        changed = gather(source(service, "J09"), client, first.cursor)
    assert [len(run.records) for run in (first, same, changed)] == [1, 0, 1]
    assert "if-none-match" in service.requests[1].headers
    assert changed.records[0].title.startswith("A corrected")


def test_a_mirror_without_etags_is_compared_by_its_content(client: Client) -> None:
    with playing_service(repository({"J09": JOURNAL}, etags=False)) as service:
        first = gather(source(service, "J09"), client)
        same = gather(source(service, "J09"), client, first.cursor)
    assert [len(run.records) for run in (first, same)] == [1, 0]


def test_a_killed_run_goes_on_with_the_next_volume_of_an_unchanged_file(client: Client) -> None:
    files = {"2026.example": COLLECTION, "J09": JOURNAL}
    with playing_service(repository(files)) as service:
        killed = gather(source(service, "2026.example", "J09"), client, until=1)
        rest = gather(source(service, "2026.example", "J09"), client, killed.cursor)
        files["2026.example"] = COLLECTION.replace(b"counts to", b"counts up to")
        anew = gather(source(service, "2026.example"), client, killed.cursor)
    assert [item.identifiers[0].value for item in killed.records] == [
        "2026.example-long.1",
        "2026.example-long.2",
    ]
    assert [item.identifiers[0].value for item in rest.records] == ["2026.example-tutorials.1", "J09-2004"]
    # The file is another one now, so its first volume may be, too.
    assert len(anew.records) == 3


def test_a_file_that_goes_back_to_what_it_was_is_read_once_more(client: Client) -> None:
    files = {"2026.example": COLLECTION}
    with playing_service(repository(files)) as service:
        first = gather(source(service, "2026.example"), client)
        files["2026.example"] = COLLECTION.replace(b"counts to", b"counts up to")
        killed = gather(source(service, "2026.example"), client, first.cursor, until=1)
        files["2026.example"] = COLLECTION
        back = gather(source(service, "2026.example"), client, killed.cursor)
    assert "counts up to" in killed.records[0].title
    assert "counts to" in back.records[0].title


def test_a_named_collection_that_is_not_there_is_told_and_a_venues_is_waited_for(client: Client) -> None:
    with playing_service(repository({"J09": JOURNAL})) as service:
        found = gather(source(service, "2031.nowhere", "naacl", "J09"), client)
    (told,) = [told for told in found.announced if told.state]
    assert (told.list, told.state) == ("2031.nowhere", "refused") and "no collection" in told.reason
    assert len(found.records) == 1 and found.problem is None


def test_a_backfill_asks_for_old_years_under_their_old_names(client: Client) -> None:
    with playing_service(repository({})) as service:
        gather(source(service, "acl", "P19"), client, since="2018-05-01")
    assert asked_files(service) == ["P18.xml", "P19.xml", *(f"{year}.acl.xml" for year in range(2020, 2027))]


def test_a_damaged_file_keeps_what_was_read_and_the_other_files_are_read(client: Client) -> None:
    files = {"2026.example": COLLECTION[: COLLECTION.index(b"<event")], "J09": JOURNAL}
    with playing_service(repository(files)) as service:
        found = gather(source(service, "2026.example", "J09"), client)
        files["2026.example"] = COLLECTION
        mended = gather(source(service, "2026.example", "J09"), client, found.cursor)
    # The volume that may not be whole is not stored.
    assert len(found.records) == 3 and "damaged" in str(found.problem)
    assert [(told.list, told.state) for told in found.announced if told.state] == [("2026.example", "failed")]
    assert len(mended.records) == 3 and mended.problem is None


@pytest.mark.parametrize("what", FAILURES)
def test_a_service_that_fails_is_told_and_nothing_is_taken_for_read(client: Client, what: str) -> None:
    with playing_service(FAILURES[what]) as service:
        failed = gather(source(service, "J09"), client)
    assert failed.problem
    assert [(told.list, told.state, told.reason) for told in failed.announced] == [
        ("J09", "failed", str(failed.problem))
    ]
    with playing_service(repository({"J09": JOURNAL})) as service:
        mended = gather(source(service, "J09"), client, failed.cursor)
    assert len(mended.records) == 1
    # Nothing is missing of the day on which it failed.
    assert [(told.list, told.state, told.count) for told in mended.announced] == [("J09", "", 0)]
    assert mended.cursor["failed"] == {}


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'EMNLP 2026' is neither a venue"):
        sources(Settings(home=tmp_path, acl_collections="acl, EMNLP 2026"))
    assert sources(Settings(home=tmp_path)) == []
    (anthology,) = sources(Settings(home=tmp_path, acl_collections="acl, P19 ,2021.metanlp"))
    assert anthology.due(NOW, NOW) > NOW


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc only")
def test_big_collections_are_read_in_bounded_memory() -> None:
    program = """
import re
from pathlib import Path
from broadsheet.sources.acl.parse import papers
from broadsheet.sources.pubmed.parse import articles

def chunks(head, record, tail):
    yield head.encode()
    for number in range(3000):
        yield record.format(number, "word " * 2000).encode()
    yield tail.encode()

text = "<paper id='{}'><title>Paper</title><abstract>{}</abstract></paper>"
acl = "<collection id='2026.big'><volume id='1'>", text, "</volume></collection>"
text = "<PubmedArticle><MedlineCitation><PMID>{}</PMID><X>{}</X></MedlineCitation></PubmedArticle>"
pubmed = "<PubmedArticleSet>", text, "</PubmedArticleSet>"
def peak():
    # Of this program alone: what getrusage tells counts the one that started it.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

before = peak()
assert sum(1 for _ in papers(chunks(*acl))) == 3000
after = peak()
assert sum(1 for _ in articles(chunks(*pubmed))) == 3000
print((after - before) // 1024, (peak() - after) // 1024)
"""
    grown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    # Each has 30 MB.
    assert all(int(megabytes) < 10 for megabytes in grown.split()), grown


def test_a_record_without_end_is_given_up() -> None:
    def chunks() -> Iterator[bytes]:
        yield b'<collection id="2026.big"><volume id="1"><paper id="1">'
        while True:
            yield b"<author><last>Another</last></author>" * 5000

    with pytest.raises(AnthologyError, match="no end of a record in 20 MB"):
        list(papers(chunks()))
