"""A watched folder: whole files are read once, whatever their names; what is rejected is told."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from broadsheet.config import load_settings
from broadsheet.sources.folder import Folder
from broadsheet.sources.folder.source import sources
from broadsheet.sources.http import Stopped
from broadsheet.sources.opml import subscriptions
from tests.sources.enriching import FIXTURES, NOW, QUICK, gather, home
from tests.sources.playing_service import Answer, Asked, playing_service

BIBTEX = (
    "@article{{k{0}, title = {{Engine number {0}}}, author = {{Ada Lovelace}}, doi = {{10.5555/e.{0}}}}}\n"
)


def _drop(folder: Path, name: str, text: str | bytes, seconds_ago: float = 60) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    at = NOW.timestamp() - seconds_ago
    os.utime(path, (at, at))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "dropped"
    path.mkdir()
    return path


def test_files_of_every_format_are_read_once(tmp_path: Path, folder: Path) -> None:
    for name in ("references.bib", "references.ris", "references.csl.json", "papers.jsonl"):
        _drop(folder, name, (FIXTURES / name).read_bytes())
    with home(tmp_path) as (store, client):
        source = Folder(folder, tmp_path)
        first = gather(source, store, client)
        assert {told.where.split()[0] for told in first.records} == {
            "references.bib",
            "references.ris",
            "references.csl.json",
            "papers.jsonl",
        }
        there = {path.name for path in folder.iterdir()}
        assert first.rejections and {told.where.split()[0] for told in first.rejections} <= there
        assert all(told.listings[0].list for told in first.records)
        assert not gather(source, store, client, days=1).pages
        assert {path.name for path in folder.iterdir()} == there


def test_a_file_that_is_being_written_waits(tmp_path: Path, folder: Path) -> None:
    with home(tmp_path) as (store, client):
        source = Folder(folder, tmp_path)
        growing = _drop(folder, "growing.bib", BIBTEX.format(1), seconds_ago=1)
        for name in (".hidden.bib", "mine.bib.part", "mine.bib.crdownload", "mine.bib~", "x.tmp"):
            _drop(folder, name, BIBTEX.format(2))
        assert not gather(source, store, client).pages
        growing.write_text(BIBTEX.format(1) + BIBTEX.format(3))
        os.utime(growing, (NOW.timestamp() + 60, NOW.timestamp() + 60))
        assert len(gather(source, store, client, days=1).records) == 2


def test_a_file_is_known_by_its_content(tmp_path: Path, folder: Path) -> None:
    with home(tmp_path) as (store, client):
        source = Folder(folder, tmp_path)
        path = _drop(folder, "one.bib", BIBTEX.format(1))
        assert len(gather(source, store, client).records) == 1
        path.rename(folder / "renamed.bib")
        _drop(folder, "copy.bib", BIBTEX.format(1))
        assert not gather(source, store, client).items
        _drop(folder, "copy.bib", BIBTEX.format(1) + BIBTEX.format(2), seconds_ago=30)
        assert len(gather(source, store, client).records) == 2
        assert store.counts()["papers"] == 2


def test_a_large_file_goes_on_where_it_was(tmp_path: Path, folder: Path) -> None:
    _drop(folder, "many.bib", "".join(BIBTEX.format(n) for n in range(2300)))
    with home(tmp_path) as (store, client):
        source = Folder(folder, tmp_path)
        assert len(gather(source, store, client, kill_after=1).records) == 1000
        second = gather(source, store, client)
        assert [len(page.items) for page in second.pages] == [1000, 300, 0]
        assert store.counts()["papers"] == 2300
        numbers = {told.rank for told in store.paper("10.5555/e.2299").listings}
        assert numbers == {2300}


def test_what_cannot_be_read_is_told_with_the_name_of_its_file(tmp_path: Path, folder: Path) -> None:
    _drop(folder, "scan.pdf", b"%PDF-1.7")
    _drop(folder, "empty.txt", b"")
    (folder / "inner").mkdir()
    (folder / "broken").symlink_to(folder / "nowhere")
    with home(tmp_path) as (store, client):
        gathered = gather(Folder(folder, tmp_path), store, client)
        assert sorted(told.where for told in gathered.rejections) == ["empty.txt", "scan.pdf"]
        assert not gather(Folder(folder, tmp_path), store, client).pages


def test_a_folder_that_is_not_there_is_a_problem_and_not_nothing_new(tmp_path: Path) -> None:
    with home(tmp_path) as (store, client):
        gathered = gather(Folder(tmp_path / "nowhere", tmp_path), store, client)
        assert str(gathered.problem).startswith(f"folder: file://{tmp_path}/nowhere cannot be read")
        assert "BROADSHEET_FOLDER_PATH" in str(gathered.problem)


ENTRY = (
    "<entry><id>http://arxiv.org/abs/2407.21783v1</id><title>A paper</title><summary>Words.</summary>"
    "<published>2024-07-31T00:00:00Z</published><updated>2024-07-31T00:00:00Z</updated></entry>"
)


def test_ids_are_fetched_and_lists_of_feeds_subscribed_to(tmp_path: Path, folder: Path) -> None:
    def arxiv(asked: Asked) -> Answer:
        body = f'<feed xmlns="http://www.w3.org/2005/Atom">{ENTRY}</feed>'
        return Answer(body=body.encode(), headers={"Content-Type": "application/atom+xml"})

    _drop(folder, "ids.txt", "2407.21783\n2407.99999\n")
    _drop(folder, "feeds.opml", (FIXTURES / "opml" / "feeds.opml").read_text().encode("latin-1"))
    with playing_service(arxiv) as service, home(tmp_path) as (store, client):
        source = Folder(folder, tmp_path, arxiv_url=service.url, arxiv=QUICK)
        gathered = gather(source, store, client)
        assert [told.title for told in gathered.records] == ["A paper"]
        assert len(gathered.rejections) == 1
        # What arXiv did not give is a gap that is filled later.
        assert store.missing("folder") == [("added", "2026-06-12", ["arxiv:2407.99999"])]
        assert len(subscriptions(tmp_path)) == 3


def test_it_ends_when_it_is_told_to(tmp_path: Path, folder: Path) -> None:
    _drop(folder, "one.bib", BIBTEX.format(1))
    stop = threading.Event()
    stop.set()
    with home(tmp_path) as (store, client), pytest.raises(Stopped):
        gather(Folder(folder, tmp_path), store, client, stop=stop)


def test_it_is_configured_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sources(load_settings(tmp_path)) == []
    monkeypatch.setenv("BROADSHEET_FOLDER_PATH", str(tmp_path))
    assert [source.name for source in sources(load_settings(tmp_path))] == ["folder"]
    assert all(isinstance(source, Folder) for source in sources(load_settings(tmp_path)))
