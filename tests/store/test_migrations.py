"""A database of an earlier release, with data in it, is upgraded without loss."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import broadsheet.store
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Record
from broadsheet.store import Store
from broadsheet.store.connection import WriteTransaction, connect

MIGRATIONS = Path(broadsheet.store.__file__).parent / "migrations"
PAPERS = 12_000  # more than two batches of the migration


def old_hash(title: str) -> str:
    """How titles were compared at 0001, for titles of plain words and of one Greek letter."""
    return hashlib.sha256("".join(c for c in title.casefold() if c.isalnum()).encode()).hexdigest()[:16]


@pytest.fixture
def old_database(database_url: str) -> str:
    """A database at 0001: one paper with all that there was then, one of each kind of title, and many."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = connect(database_url)
    with WriteTransaction(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    whole = {
        "key": 1, "id": "2401.00001", "title": "Pigeons of a town",
        "title_hash": old_hash("Pigeons of a town"),
        "abstract": "Grey ones come home.", "published": "2024-01-01T00:00:00Z", "updated": None,
        "first_listed": "2024-01-02", "newest": "2024-01-01T00:00:00Z",
        "venue": "Roofs", "comment": "12 pages", "upvotes": 7, "num_comments": 1, "github_stars": 3,
        "submitter": "ada", "submitter_account": json.dumps({"user": "ada"}), "ai_summary": "They come home.",
        "ai_keywords": json.dumps(["doves"]), "organization": json.dumps({"name": "lab"}), "withdrawn": None,
        "extra": json.dumps({"thumbnail": "t.png"}),
        "provenance": json.dumps({"title": "arxiv", "abstract": "arxiv", "ai_summary": "daily_papers",
                                  "authors": "arxiv", "published": "arxiv"}),
    }  # fmt: skip
    greek = dict.fromkeys(whole) | {
        "key": 2, "id": "2401.00002",
        "title": "β-VAE for pigeons", "title_hash": old_hash("β-VAE for pigeons"),
        "abstract": "", "newest": "2024-01-01",
    }  # fmt: skip
    many = [
        greek | {"key": key, "id": f"2402.{key:05}", "title": title, "title_hash": old_hash(title)}
        for key in range(3, PAPERS + 1)
        if (title := f"Paper {key}")
    ]  # fmt: skip
    rows = {
        "papers": [whole, greek, *many],
        "identifiers": [
            {"identifier": "arxiv:2401.00001", "paper": 1, "source": "daily_papers"},
            {"identifier": "doi:10.1000/old", "paper": 1, "source": "arxiv"},
            {"identifier": "arxiv:2401.00002", "paper": 2, "source": "arxiv"},
        ],
        "authors": [{"paper": 1, "position": 0, "name": "Ada Dove", "account": json.dumps({"user": "ada"})}],
        "categories": [{"paper": 1, "position": 0, "name": "q-bio.PE"}],
        "versions": [{"paper": 1, "number": 1, "date": "2024-01-01T00:00:00Z"}],
        "links": [
            {"paper": 1, "position": 0, "kind": "code", "url": "https://example.org/c",
             "source": "daily_papers", "provenance": "githubRepo", "data": json.dumps({"stars": 3})}
        ],
        "listings": [
            {"paper": 1, "telling": "daily_papers|daily_papers|2024-01-02", "list": "daily_papers",
             "day": "2024-01-02", "rank": 4, "source": "daily_papers", "upvotes": 7, "num_comments": 1,
             "submitter": "ada", "submitter_account": None}
        ],
        "counts": [
            {"paper": 1, "source": "daily_papers", "day": "2024-01-02", "upvotes": 7, "num_comments": 1,
             "github_stars": 3}
        ],
        "changes": [{"paper": key, "seq": key, "kind": "changed", "at": "x"} for key in (1, 2)],
        "meta": [{"name": "next_key", "value": str(PAPERS + 1)}, {"name": "next_change", "value": "3"}],
    }  # fmt: skip
    with WriteTransaction(engine) as connection:
        for table, told in rows.items():
            columns = ", ".join(f'"{name}"' for name in told[0])
            marks = ", ".join(
                f"CAST(:{name} AS JSON)" if _json(connection, table, name) else f":{name}" for name in told[0]
            )
            connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), told)
    engine.dispose()
    return database_url


def _json(connection: sa.Connection, table: str, name: str) -> bool:
    names = {"submitter_account", "ai_keywords", "organization", "extra", "account", "data"}
    names |= {"provenance"} if table == "papers" else set()
    return connection.dialect.name == "postgresql" and name in names


def test_what_was_stored_is_all_there_and_titles_are_compared_as_they_are_now(old_database: str) -> None:
    store = Store.open(old_database)
    counts = store.counts()
    assert (counts["papers"], counts["listings"], counts["links"]) == (PAPERS, 1, 1)
    paper = store.paper("10.1000/old")
    assert (paper.id, paper.title, paper.abstract) == (
        "2401.00001",
        "Pigeons of a town",
        "Grey ones come home.",
    )
    assert paper.authors == [Author("Ada Dove", {"user": "ada"})]
    assert (paper.venue, paper.comment, paper.categories) == ("Roofs", "12 pages", ["q-bio.PE"])
    assert (paper.upvotes, paper.num_comments, paper.github_stars, paper.citations) == (7, 1, 3, None)
    assert (paper.ai_keywords, paper.organization) == (["doves"], {"name": "lab"})
    assert paper.extra == {"thumbnail": "t.png"}
    assert [(link.kind, link.data) for link in paper.links] == [("code", {"stars": 3})]
    assert [(entry.day, entry.rank, entry.submitter) for entry in paper.listings] == [
        ("2024-01-02", 4, "ada")
    ]
    assert [version.number for version in paper.versions] == [1]
    assert [change.key for change in store.changes(0, 10)] == [1, 2]
    assert store.keys_with_title(r"$\beta$-VAE for Pigeons") == [2]
    assert store.keys_with_title(f"paper {PAPERS}") == [PAPERS]
    store.close()


def test_an_upgraded_store_takes_in_what_its_sources_tell_next(old_database: str) -> None:
    store = Store.open(old_database)
    arxiv = Identifier("arxiv", "2401.00001")
    told = Record("Pigeons of a town", "arxiv", identifiers=[arxiv], abstract="Grey ones come home, mostly.")
    assert store.add([told]).updated == 1
    other = Record("Pigeons of a Town", "acl", identifiers=[arxiv, Identifier("acl", "2024.acl-main.9")])
    assert store.add([other]).updated == 1
    new = Record("Gulls", "arxiv", identifiers=[Identifier("arxiv", "2403.00001")])
    assert store.add([new]).new == 1
    paper = store.paper("2024.acl-main.9")
    assert (paper.key, paper.abstract, paper.ai_summary) == (
        1,
        "Grey ones come home, mostly.",
        "They come home.",
    )
    assert store.paper("2403.00001").key == PAPERS + 1
    # What each source told before the upgrade is told apart by what is noted of each field.
    kept, taken = store.split("2401.00001", source="acl")
    assert (kept, taken) == ("2401.00001", "2024.acl-main.9")
    assert store.paper(kept).ai_summary == "They come home."
    store.close()


def test_an_upgrade_that_was_killed_is_done_again(old_database: str) -> None:
    engine = connect(old_database)
    with pytest.raises(ZeroDivisionError), WriteTransaction(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        raise ZeroDivisionError
    engine.dispose()
    store = Store.open(old_database)
    assert store.counts()["papers"] == PAPERS
    assert store.gather_states() == []
    store.close()
