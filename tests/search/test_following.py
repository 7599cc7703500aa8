"""The index keeps up with the store through kills, damage, full disks and other encoders."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from broadsheet.search import Engine
from broadsheet.search.encoder.install import install
from broadsheet.store import Store
from tests.search import tiny
from tests.search.conftest import made_up

Opener = Callable[..., Engine]
QUERIES = ["graph network", "quantum light star", "robot", "protein drug market price", "slow proof 17"]


def answers(engine: Engine) -> list[list[tuple[int, float]]]:
    return [[(hit.key, round(hit.score, 5)) for hit in engine.search(query, 50).hits] for query in QUERIES]


def vectors_of(engine: Engine, store: Store) -> np.ndarray:
    assert engine.meaning is not None
    found = [engine.meaning.vectors.vector(key) for key in range(1, store.counts()["papers"] + 1)]
    assert all(vector is not None for vector in found)
    return np.array(found)


def test_a_killed_process_is_completed_by_the_next(tmp_path: Path, tiny_encoder: Path) -> None:
    chance = random.Random(5)
    home, calm = tmp_path / "killed", tmp_path / "calm"
    home.mkdir()
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    store.add(made_up(3_000))
    shutil.copytree(home, calm)
    kills = 0
    command = [sys.executable, "-m", "tests.search.tiny", str(tiny_encoder), str(home)]
    for attempt in range(12):
        if attempt in (4, 8):
            # New papers and new versions of known ones, while the index is still behind.
            store.add(made_up(100, seed=attempt) + made_up(350, seed=attempt, first=1_000 * attempt))
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout
        # From the very first moment on (0) to the fifth batch, and some milliseconds into the next.
        for _ in range(attempt % 6):
            process.stdout.readline()
        try:
            process.wait(timeout=chance.uniform(0.0, 0.06))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        process.wait()
        process.stdout.close()
    assert kills >= 4
    last = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert last.endswith("complete\n")
    undisturbed = Store.open(f"sqlite:///{calm / 'broadsheet.db'}")
    for attempt in (4, 8):
        undisturbed.add(made_up(100, seed=attempt) + made_up(350, seed=attempt, first=1_000 * attempt))
    undisturbed.close()
    engine = Engine.open(home, store, str(tiny_encoder), 1)
    other_store = Store.open(f"sqlite:///{calm / 'broadsheet.db'}")
    other = Engine.open(calm, other_store, str(tiny_encoder), 1)
    assert engine.state().message == ""
    assert other.follow().complete
    assert engine.state().words == engine.state().vectors == 3_700
    assert engine.state().behind == 0
    # The two stores number papers alike, so that keys can be compared.
    assert np.array_equal(vectors_of(engine, store), vectors_of(other, other_store))
    # The scores are not quite the same: words count papers that were replaced until files are merged.
    for query in QUERIES:
        found, expected = (
            {hit.key: hit.score for hit in one.search(query, 50).hits} for one in (engine, other)
        )
        common = set(found) & set(expected)
        assert len(common) >= 40
        assert all(abs(found[key] - expected[key]) < 0.05 for key in common)
    for part in (engine, other):
        part.close()
    store.close()
    other_store.close()


def test_words_come_first_and_a_stop_leaves_nothing_half(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    papers_store.add(made_up(600))
    engine = open_engine(tiny_encoder)
    stop, seen = threading.Event(), []

    def progress(done: int, total: int) -> None:
        state = engine.state()
        seen.append((state.words, state.vectors, total))
        if state.vectors:
            stop.set()

    outcome = engine.follow(progress=progress, stop=stop)
    assert not outcome.complete
    assert (600, 256, 1_200) in seen
    assert engine.state().vectors == 256
    assert engine.follow().vectors == 344


def test_progress_adds_up_to_its_total(papers_store: Store, open_engine: Opener, tiny_encoder: Path) -> None:
    papers_store.add(made_up(300))
    steps: list[tuple[int, int]] = []
    open_engine(tiny_encoder).follow(progress=lambda done, total: steps.append((done, total)))
    assert sum(done for done, _ in steps) == 600
    assert {total for _, total in steps} == {600}


def test_bytes_behind_the_committed_vectors_are_cut_off(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path, tmp_path: Path
) -> None:
    papers_store.add(made_up(20))
    open_engine(tiny_encoder).follow()
    folder = next((tmp_path / "index").glob("vectors-*"))
    for name in ("vectors.i8", "rows.bin"):
        with (folder / name).open("ab") as file:
            file.write(b"half a row")
    papers_store.add(made_up(5, seed=9, first=500))
    engine = open_engine(tiny_encoder)
    assert engine.follow().vectors == 5
    assert engine.state().vectors == 25
    assert engine.state().message == ""
    assert (folder / "vectors.i8").stat().st_size == 25 * 64


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 7)


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)


def largest(folder: Path) -> Path:
    return max((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize("damage", [cut, scribble, Path.unlink])
@pytest.mark.parametrize("name", ["vectors.i8", "rows.bin", "state.json"])
def test_damaged_vectors_are_noticed_and_made_anew(
    papers_store: Store,
    open_engine: Opener,
    tiny_encoder: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    name: str,
) -> None:
    papers_store.add(made_up(60))
    first = open_engine(tiny_encoder)
    first.follow()
    expected = answers(first)
    damage(next((tmp_path / "index").glob("vectors-*")) / name)
    engine = open_engine(tiny_encoder)
    if name != "state.json" or damage is not Path.unlink:
        assert "damaged and is built anew" in engine.state().message
    assert engine.search("graph network").hits
    assert engine.follow().vectors == 60
    assert engine.state().message == ""
    assert answers(engine) == expected


@pytest.mark.parametrize("damage", [cut, Path.unlink])
def test_a_damaged_words_index_is_noticed_and_made_anew(
    papers_store: Store,
    open_engine: Opener,
    tiny_encoder: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
) -> None:
    papers_store.add(made_up(60))
    first = open_engine(tiny_encoder)
    first.follow()
    expected = answers(first)
    damage(largest(tmp_path / "index" / "words" / "tantivy"))
    engine = open_engine(tiny_encoder)
    assert "words part of the index was damaged" in engine.state().message
    # Meaning still answers meanwhile.
    assert engine.search("graph network").hits
    assert engine.follow().words == 60
    assert engine.state().message == ""
    assert answers(engine) == expected


def test_another_encoder_means_encoding_again_and_the_old_vectors_go(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path, tmp_path: Path
) -> None:
    papers_store.add(made_up(30))
    open_engine(tiny_encoder).follow()
    install(tiny.files(seed=2), tmp_path / "other")
    engine = open_engine(tmp_path / "other")
    assert engine.state().vectors == 0
    assert engine.state().words == 30
    assert engine.search("graph").hits
    assert engine.follow().vectors == 30
    assert len(list((tmp_path / "index").glob("vectors-*"))) == 1


def test_a_store_that_went_back_is_indexed_as_it_is(
    tmp_path: Path, open_engine: Opener, papers_store: Store, tiny_encoder: Path
) -> None:
    papers_store.add(made_up(50))
    engine = open_engine(tiny_encoder)
    engine.follow()
    restored = Store.open(f"sqlite:///{tmp_path / 'older.db'}")
    restored.add([*made_up(19), *made_up(1, seed=77, first=900)])
    other = Engine.open(tmp_path, restored, str(tiny_encoder), 1)
    outcome = other.follow()
    assert (outcome.words, outcome.vectors) == (20, 1)
    state = other.state()
    assert (state.words, state.vectors, state.behind) == (20, 20, 0)
    other.close()
    restored.close()


def test_reindex_builds_everything_anew(papers_store: Store, open_engine: Opener, tiny_encoder: Path) -> None:
    papers_store.add(made_up(40))
    engine = open_engine(tiny_encoder)
    engine.follow()
    expected = answers(engine)
    outcome = engine.reindex()
    assert (outcome.words, outcome.vectors, outcome.complete) == (40, 40, True)
    assert answers(engine) == expected


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path, tiny_encoder: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    store.add(made_up(2_000))
    # A limit on the size of files is what a process without a disk of its own can have.
    program = (
        "import resource, signal, sys; from tests.search import tiny;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY));"
        "tiny.main(*sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, str(tiny_encoder), str(home)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode != 0
    assert "cannot be written" in found.stderr
    assert "nothing stored is lost" in found.stderr
    engine = Engine.open(home, store, str(tiny_encoder), 1)
    assert engine.follow().complete
    assert (engine.state().words, engine.state().vectors) == (2_000, 2_000)
    assert engine.state().message == ""
    engine.close()
    store.close()
