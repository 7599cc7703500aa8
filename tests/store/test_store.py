"""What the store keeps, how it merges what several sources tell, and what it answers."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Link, Listing, Record, Rejection, Version
from broadsheet.store import Store, StoreError
from broadsheet.store.connection import connect
from broadsheet.store.schema import metadata


def paper(number: int, **fields: object) -> Record:
    defaults = {
        "title": f"Paper number {number}",
        "source": "daily_papers",
        "where": f"line {number}",
        "identifiers": [Identifier("arxiv", f"2605.{number:05}")],
    }
    return Record(**(defaults | fields))


def listing(day: str, rank: int, list_name: str = "daily_papers", **fields: object) -> Listing:
    return Listing(list_name, day, rank, list_name, **fields)


def test_all_that_a_record_tells_comes_back(store: Store) -> None:
    told = paper(
        1,
        abstract="First paragraph.\n\nSecond $\\epsilon$ paragraph.",
        authors=[Author("Ada Dove", {"user": {"user": "ada"}}), Author("Bo Roof")],
        published="2026-05-28T12:30:00+02:00",
        categories=["cs.CV", "cs.LG"],
        venue="Journal of Roofs",
        comment="12 pages",
        versions=[Version(1, "2026-05-28T10:30:00Z"), Version(2)],
        links=[Link("code", "https://github.com/a/b", provenance="githubRepo", data={"stars": 3})],
        listings=[listing("2026-05-29", 4, upvotes=7, num_comments=1, submitter="akhaliq")],
        upvotes=9,
        github_stars=3,
        ai_keywords=["pigeons"],
        organization={"name": "roof-lab"},
        extra={"thumbnail": "https://example.org/t.png"},
    )
    assert store.add([told]).new == 1
    found = store.paper("2605.00001v2")
    assert found.abstract == "First paragraph.\n\nSecond $\\epsilon$ paragraph."
    assert found.authors == [Author("Ada Dove", {"user": {"user": "ada"}}), Author("Bo Roof", None)]
    assert found.published == "2026-05-28T10:30:00Z"
    assert found.categories == ["cs.CV", "cs.LG"]
    assert found.versions == [Version(1, "2026-05-28T10:30:00Z"), Version(2, None)]
    assert found.links == [Link("code", "https://github.com/a/b", "daily_papers", "githubRepo", {"stars": 3})]
    assert found.listings == [listing("2026-05-29", 4, upvotes=7, num_comments=1, submitter="akhaliq")]
    assert (found.upvotes, found.num_comments, found.github_stars) == (9, 1, 3)
    assert found.extra == {"thumbnail": "https://example.org/t.png"}
    assert found.provenance["title"] == "daily_papers"
    assert found.first_listed == "2026-05-29"


def test_a_brief_reading_leaves_out_categories_and_identifiers_and_nothing_else(store: Store) -> None:
    authors = [Author(f"Author {n}") for n in range(12)]
    links = [Link("code", f"https://github.com/a/{n}", provenance="githubRepo") for n in range(11)]
    told = paper(1, authors=authors, links=links, categories=["cs.LG", "cs.AI"], ai_keywords=["a", "b"])
    store.add([told, paper(2)])
    (whole, _), (brief, _) = store.papers([1, 2]), store.papers([1, 2], brief=True)
    assert [author.name for author in whole.authors] == [author.name for author in authors]
    assert [link.url for link in whole.links] == [link.url for link in links]
    assert whole.categories == ["cs.LG", "cs.AI"]
    assert (brief.categories, brief.identifiers) == ([], [])
    assert replace(whole, categories=[], identifiers=[]) == brief


@pytest.mark.parametrize("brief", [False, True])
def test_papers_are_looked_up_and_not_looked_for_through_the_whole_table(tmp_path: Path, brief: bool) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'broadsheet.db'}")
    asked = []
    sqlite = store._engine.raw_connection()
    sqlite.set_trace_callback(asked.append)
    sqlite.close()
    store.papers([1, 2, 3], brief=brief)
    store.titles([1, 2, 3])
    store.close()
    assert len(asked) == 2
    with sqlite3.connect(tmp_path / "broadsheet.db") as reader:
        plans = [step[3] for query in asked for step in reader.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert "SEARCH papers USING INTEGER PRIMARY KEY (rowid=?)" in plans
    assert not [step for step in plans if re.match("SCAN (?!anon_|json_each)", step)]


def test_the_same_records_again_change_nothing(store: Store) -> None:
    records = [paper(n, abstract=f"About {n}.", listings=[listing("2026-05-29", n)]) for n in range(1, 40)]
    assert store.add(records).new == 39
    seq = store.last_change()
    report = store.add(
        [paper(n, abstract=f"About {n}.", listings=[listing("2026-05-29", n)]) for n in range(1, 40)]
    )
    assert (report.new, report.updated, report.unchanged) == (0, 0, 39)
    assert store.last_change() == seq


def test_a_file_that_tells_of_a_paper_twice_in_two_ways_is_idempotent(store: Store) -> None:
    def twice() -> list[Record]:
        return [paper(1, title="Paper number 1"), paper(1, title="Paper number one")]

    store.add(twice())
    seq = store.last_change()
    assert store.add(twice()).unchanged == 2
    assert store.last_change() == seq


def test_a_document_without_a_day_stays_on_the_day_it_was_first_read(store: Store) -> None:
    def told(day: str) -> Record:
        return paper(1, upvotes=3, listings=[Listing("added", day, 1, "added:0123456789abcdef")])

    store.add([told("2026-05-28")])
    assert store.add([told("2026-05-29")]).unchanged == 1
    assert [entry.day for entry in store.paper("2605.00001").listings] == ["2026-05-28"]


def test_the_more_trusted_source_decides_each_field(store: Store) -> None:
    store.add([paper(1, source="arxiv", title="The true title", abstract="From arXiv.")])
    store.add([paper(1, source="bibtex", title="The True Title!", venue="Some Journal")])
    store.add([paper(1, source="starter", ai_summary="One sentence.", abstract="Not this.")])
    found = store.paper("2605.00001")
    assert (found.title, found.abstract) == ("The true title", "From arXiv.")
    assert (found.venue, found.ai_summary) == ("Some Journal", "One sentence.")


def test_a_source_may_correct_itself(store: Store) -> None:
    store.add([paper(1, source="arxiv", abstract="First version.")])
    assert store.add([paper(1, source="arxiv", abstract="Second version.")]).updated == 1
    assert store.paper("2605.00001").abstract == "Second version."


def test_votes_are_those_of_the_latest_day_that_counted(store: Store) -> None:
    store.add([paper(1, listings=[listing("2026-05-28", 1, upvotes=5)])])
    store.add([paper(1, listings=[listing("2026-05-29", 2, upvotes=30)])])
    store.add([paper(1, listings=[listing("2026-05-27", 2, upvotes=50)])])
    assert store.paper("2605.00001").upvotes == 30
    assert [entry.upvotes for entry in store.paper("2605.00001").listings] == [50, 5, 30]


def test_a_day_is_ordered_by_upvotes_then_place(store: Store) -> None:
    day = "2026-05-29"
    store.add(
        [
            paper(1, listings=[listing(day, 3, upvotes=5)]),
            paper(2, listings=[listing(day, 2)]),
            paper(3, listings=[listing(day, 1)]),
            paper(4, listings=[listing(day, 4, upvotes=80)]),
            paper(5, listings=[listing("2026-05-28", 1, upvotes=900)]),
        ]
    )
    total, rows = store.listed(day, day)
    assert total == 4
    assert [found.id for found, _ in rows] == ["2605.00004", "2605.00001", "2605.00003", "2605.00002"]
    total, rows = store.listed(day, day, limit=2, offset=1)
    assert (total, [found.id for found, _ in rows]) == (4, ["2605.00001", "2605.00003"])
    _, rows = store.listed(latest_first=True)
    assert [found.id for found, _ in rows][-1] == "2605.00005"


def test_days_and_lists_are_found_in_either_direction(store: Store) -> None:
    store.add(
        [
            paper(1, listings=[listing("2026-05-22", 1)]),
            paper(2, listings=[listing("2026-05-25", 1, "arxiv")]),
            paper(3, listings=[listing("2026-05-29", 1)]),
        ]
    )
    assert store.latest_day() == "2026-05-29"
    assert store.day_before("2026-05-29") == "2026-05-25"
    assert store.day_before("2026-05-29", ["daily_papers"]) == "2026-05-22"
    assert store.day_after("2026-05-22") == "2026-05-25"
    assert store.day_after("2026-05-29") is None
    assert store.lists_between("2026-05-20", "2026-05-31") == {"arxiv": 1, "daily_papers": 2}


def test_a_bad_record_is_reported_and_the_rest_goes_on(store: Store) -> None:
    report = store.add(
        [
            paper(1, title="   "),
            paper(2, title="x" * 10_000),
            paper(3, published="0000-01-01"),
            paper(4, listings=[listing("9999-12-31", 1)]),
            Rejection("line 5", "broken JSON"),
            paper(6, title="Good\x00 one\x1b[31m"),
        ]
    )
    assert (report.read, report.new, len(report.rejected)) == (6, 1, 5)
    assert [r.where for r in report.rejected] == ["line 1", "line 2", "line 3", "line 4", "line 5"]
    assert "10,000 characters" in report.rejected[1].why
    assert "published" in report.rejected[2].why
    assert "9999" in report.rejected[3].why
    assert store.paper("2605.00006").title == "Good one[31m"
    assert store.counts()["papers"] == 1


def test_a_link_that_is_no_web_address_is_not_kept(store: Store) -> None:
    bad = [
        Link("project", url)
        for url in ("javascript:alert(1)", "data:text/html,x", "ftp://x/y", "https://a b")
    ]
    store.add([paper(1, links=[*bad, Link("project", "https://example.org/p")])])
    assert [link.url for link in store.paper("2605.00001").links] == ["https://example.org/p"]


def test_the_change_log_names_each_changed_paper_once_in_order(store: Store) -> None:
    store.add([paper(1), paper(2), paper(3)])
    start = store.last_change()
    store.add([paper(2, abstract="New.")])
    [change] = store.changes(start, 10)
    assert change.kind == "changed"
    assert store.papers([change.key])[0].id == "2605.00002"
    everything = store.changes(0, 10)
    assert [c.seq for c in everything] == sorted(c.seq for c in everything)
    assert len(everything) == 3


def test_importers_at_the_same_time_make_each_paper_once(database_url: str) -> None:
    Store.open(database_url).close()
    reports = []

    def run() -> None:
        own = Store.open(database_url)
        reports.append(own.add([paper(n, abstract=f"About {n}.") for n in range(1, 2500)]))
        own.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.new for report in reports) == 2499
    store = Store.open(database_url)
    assert store.counts()["papers"] == 2499
    assert len({change.seq for change in store.changes(0, 10_000)}) == 2499
    store.close()


def test_the_migrations_make_exactly_the_tables_of_the_schema(database_url: str) -> None:
    Store.open(database_url).close()
    engine = connect(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_database_of_something_else_is_refused(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE customers (name TEXT)"))
    engine.dispose()
    with pytest.raises(StoreError, match="holds other tables"):
        Store.open(database_url)


def test_a_database_of_a_newer_broadsheet_is_refused(database_url: str) -> None:
    Store.open(database_url).close()
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="newer Broadsheet"):
        Store.open(database_url)


@pytest.mark.parametrize("url", ["nonsense", "mysql://localhost/x", "sqlite:////no/such/folder/x.db"])
def test_a_database_that_cannot_be_opened_says_why(url: str) -> None:
    with pytest.raises(StoreError):
        Store.open(url)


KILLED = """
import os, sys
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Record
from broadsheet.store import Store

def records():
    for n in range(1, 5001):
        if n == int(sys.argv[2]):
            os.kill(os.getpid(), 9)
        ids = [Identifier("arxiv", f"2605.{n:05}")]
        yield Record(title=f"Paper number {n}", source="arxiv", identifiers=ids)

Store.open(sys.argv[1]).add(records())
"""


def test_the_next_import_completes_a_killed_one(database_url: str, tmp_path: Path) -> None:
    program = tmp_path / "killed.py"
    program.write_text(KILLED)
    for at in (1500, 3200, 9999):
        done = subprocess.run([sys.executable, program, database_url, str(at)], check=False)
        assert done.returncode == (0 if at == 9999 else -9)
        store = Store.open(database_url)
        assert store.counts()["papers"] == min(at // 1000 * 1000, 5000)
        assert store.counts()["identifiers"] == store.counts()["papers"] == len(store.changes(0, 10_000))
        store.close()
