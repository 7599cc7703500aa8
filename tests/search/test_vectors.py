"""Vectors on disk and in search: what was appended is found, through kills, damage and other processes.

As a program it writes vectors without end, for tests that kill it:

    python -m tests.search.test_vectors FOLDER BATCHES_BETWEEN_COMPACTING
"""

from __future__ import annotations

import itertools
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from broadsheet.search.files import DamagedIndexError
from broadsheet.search.rows import SEGMENT, mapped
from broadsheet.search.vectors import REMOVED, Vectors

DIMS = 16
SENTENCE = 4


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def some(count: int, seed: int, dims: int = DIMS) -> np.ndarray:
    """``count`` random unit vectors."""
    return unit(np.random.default_rng(seed).standard_normal((count, dims)))


def stored(vectors: np.ndarray) -> np.ndarray:
    """What int8 leaves of ``vectors``: components of more than 0.3 are cut."""
    return unit(np.rint(np.clip(vectors / 0.3, -1, 1) * 127).astype(np.float32))


@dataclass
class Model:
    """What the vectors should hold, as plain dictionaries."""

    texts: dict[int, int] = field(default_factory=dict)
    vectors: dict[int, np.ndarray] = field(default_factory=dict)
    sentences: dict[int, np.ndarray] = field(default_factory=dict)

    def append(
        self, keys: list[int], texts: list[int], vectors: np.ndarray, blocks: list[np.ndarray]
    ) -> None:
        for key, text, vector, block in zip(keys, texts, vectors, blocks, strict=True):
            for kept in (self.texts, self.vectors, self.sentences):
                kept.pop(key, None)  # type: ignore[attr-defined]
            if text != REMOVED:
                self.texts[key], self.vectors[key], self.sentences[key] = text, vector, block


@dataclass
class Batch:
    keys: list[int]
    texts: list[int]
    vectors: np.ndarray
    sentences: list[np.ndarray]


def batch(number: int, size: int = 40, highest: int = 300) -> Batch:
    """The batch that the program writes as its ``number``-th: new papers, new versions, removals."""
    chance = np.random.default_rng(number)
    keys = chance.integers(1, highest, size).tolist()
    texts = [REMOVED if gone else number * 1_000 + i for i, gone in enumerate(chance.random(size) < 0.2)]
    blocks = [chance.integers(0, 256, (n, SENTENCE), np.uint8) for n in chance.integers(0, 4, size)]
    return Batch(keys, texts, some(size, number), blocks)


def opened(folder: Path, **options: int) -> Vectors:
    """The vectors in ``folder``, searched by signs and lists first however few they are."""
    usual = {"sentence_bytes": SENTENCE, "exact_rows": 0, "listed_rows": 0}
    return Vectors(folder, DIMS, "an encoder", **{**usual, **options})


def compared(folder: Path) -> Vectors:
    """The vectors in ``folder``, all of which every search compares."""
    return Vectors(folder, 64, exact_rows=10**6)


def write(vectors: Vectors, number: int, model: Model | None = None) -> None:
    made = batch(number)
    vectors.append(made.keys, made.texts, made.vectors, number, made.sentences)
    if model:
        model.append(made.keys, made.texts, made.vectors, made.sentences)


def sentences_of(vectors: Vectors, keys: np.ndarray) -> list[np.ndarray]:
    """The codes of the sentences of each of ``keys``."""
    codes, counts = vectors.sentences(keys)
    assert len(codes) == counts.sum() and len(counts) == len(keys)
    return np.split(codes, np.cumsum(counts)[:-1])


def check(vectors: Vectors, model: Model) -> None:
    """All that can be asked gives what ``model`` holds."""
    keys = sorted(model.texts)
    asked = np.arange(-1, max(keys, default=0) + 3)
    assert vectors.count == len(keys)
    assert sorted(vectors.all_keys().tolist()) == keys
    assert vectors.texts_of(asked.tolist()) == [model.texts.get(key, REMOVED) for key in asked.tolist()]
    found, matrix = vectors.vectors_of(asked)
    assert found.tolist() == keys
    expected = stored(np.array([model.vectors[key] for key in keys]).reshape(-1, DIMS))
    assert np.allclose(matrix, expected, atol=1e-5)
    for key, block in zip(asked.tolist(), sentences_of(vectors, asked), strict=True):
        assert np.array_equal(block, model.sentences.get(key, np.zeros((0, SENTENCE), np.uint8)))
    query = some(1, 12345)[0]
    cosines = vectors.cosines(query, asked)
    assert np.array_equal(np.isnan(cosines), [key not in model.texts for key in asked.tolist()])
    known = dict(zip(asked.tolist(), cosines.tolist(), strict=True))
    best = sorted((known[key] for key in keys), reverse=True)
    for limit in (0, 1, 7, len(keys) + 5):
        near, scores = vectors.nearest(query, limit)
        assert scores.tolist() == best[:limit]
        assert [known[key] for key in near.tolist()] == scores.tolist()
        assert len(set(near.tolist())) == len(near)
    allowed = np.array([*keys[::3], 10_000_000], np.int64)
    near, scores = vectors.nearest(query, len(asked), allowed)
    assert sorted(near.tolist()) == keys[::3]
    assert scores.tolist() == sorted((known[key] for key in keys[::3]), reverse=True)


class Changing(RuleBasedStateMachine):
    """Whatever is done in whatever order, writer and reader hold what a dictionary holds."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.home = Path(tempfile.mkdtemp())
        self.folder = self.home / "vectors"
        self.writer, self.model, self.cursor = opened(self.folder), Model(), 0
        self.reader = opened(self.folder)

    @rule(
        changes=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3), st.integers(0, 2)), max_size=8),
        seed=st.integers(0, 1_000),
    )
    def append(self, changes: list[tuple[int, int, int]], seed: int) -> None:
        self.cursor += 1
        keys, texts = [key for key, _, _ in changes], [text for _, text, _ in changes]
        vectors = some(len(changes), seed).reshape(-1, DIMS)
        chance = np.random.default_rng(seed)
        blocks = [chance.integers(0, 256, (count, SENTENCE), np.uint8) for _, _, count in changes]
        self.writer.append(keys, texts, vectors, self.cursor, blocks)
        self.model.append(keys, texts, vectors, blocks)

    @rule()
    def compact(self) -> None:
        self.writer.compact()
        assert self.writer.wasted() == 0

    @rule()
    def make_lists(self) -> None:
        self.writer.refresh()
        self.writer.make_lists()

    @rule()
    def open_again(self) -> None:
        self.writer = opened(self.folder)

    @rule()
    def another_writes(self) -> None:
        self.writer, self.reader = self.reader, self.writer

    @rule(name=st.sampled_from(["vectors.i8", "rows.bin", "signs.bits", "sentences.bits", "spans.bin"]))
    def crash_behind_the_rows(self, name: str) -> None:
        with (self.folder / name).open("ab") as file:
            file.write(b"half a row")

    @rule()
    def lose_the_signs(self) -> None:
        (self.folder / "signs.bits").unlink(missing_ok=True)

    @rule()
    def lose_the_lists(self) -> None:
        (self.folder / "lists.bin").unlink(missing_ok=True)

    @invariant()
    def both_see_it(self) -> None:
        for one in (self.writer, self.reader):
            one.refresh()
            check(one, self.model)
            assert one.cursor == self.cursor

    def teardown(self) -> None:
        shutil.rmtree(self.home)


Changing.TestCase.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
test_any_changes_in_any_order = Changing.TestCase


def models() -> Iterator[Model]:
    """What is held after each batch of the program; the first is empty."""
    model = Model()
    yield model
    number = 0
    while True:
        number += 1
        made = batch(number)
        model.append(made.keys, made.texts, made.vectors, made.sentences)
        yield model


def main(folder: str, compacted: str) -> None:
    """Writes until it is killed, and compacts after every so many batches."""
    vectors = opened(Path(folder))
    print("opened", flush=True)
    while True:
        write(vectors, vectors.cursor + 1)
        if vectors.cursor % int(compacted) == 0:
            vectors.compact()
        print(vectors.cursor, flush=True)


def test_a_writer_killed_at_any_instant_leaves_whole_batches(tmp_path: Path) -> None:
    chance = random.Random(3)
    folder = tmp_path / "vectors"
    command = [sys.executable, "-m", "tests.search.test_vectors", str(folder), "5"]
    expected, model, at = models(), Model(), -1
    reader: Vectors | None = None
    for _ in range(15):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        told = 0
        for _ in range(chance.randint(1, 12)):
            line = process.stdout.readline()
            told = int(line) if line.strip().isdigit() else told
            if reader:
                reader.refresh()
                assert reader.cursor >= told
        threading.Event().wait(chance.uniform(0, 0.05))
        process.kill()
        process.wait()
        process.stdout.close()
        after = opened(folder)
        assert after.cursor >= told
        while at < after.cursor:
            model, at = next(expected), at + 1
        check(after, model)
        reader = reader or after
        reader.refresh()
        check(reader, model)
    assert at > 30


def test_whoever_looks_while_another_process_compacts_sees_a_whole_state(tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    command = [sys.executable, "-m", "tests.search.test_vectors", str(folder), "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        reader = opened(folder)
        while reader.cursor < 80:
            assert process.poll() is None
            reader.refresh()
        process.kill()
    check(reader, next(itertools.islice(models(), reader.cursor, None)))


def test_a_file_that_is_replaced_by_a_shorter_one_is_whole_or_damaged_and_nothing_else(
    tmp_path: Path,
) -> None:
    path, ended = tmp_path / "file", threading.Event()

    def replace_it() -> None:
        for turn in itertools.count():
            (tmp_path / "next").write_bytes(bytes(5000 if turn % 2 else 10))
            (tmp_path / "next").replace(path)
            if ended.is_set():
                return

    path.touch()
    thread = threading.Thread(target=replace_it)
    thread.start()
    found = []
    try:
        for _ in range(3000):
            try:
                found.append(mapped(path, np.int8, (500, 10)).any())
            except DamagedIndexError:
                found.append(None)
    finally:
        ended.set()
        thread.join()
    assert set(found) == {False, None}


@pytest.mark.parametrize("killed_at", ["first rename", "second rename"])
def test_a_kill_between_the_renames_of_compacting_loses_nothing(tmp_path: Path, killed_at: str) -> None:
    folder, model = tmp_path / "vectors", Model()
    vectors = opened(folder)
    for number in (1, 2, 3):
        write(vectors, number, model)
    # What stands on disk at that moment: the former files aside, the new ones not in their place yet.
    shutil.copytree(folder, tmp_path / "vectors.old")
    vectors.compact()
    shutil.copytree(folder, tmp_path / "vectors.new", dirs_exist_ok=True)
    if not (tmp_path / "vectors.old").exists():
        shutil.copytree(folder, tmp_path / "vectors.old")
    if killed_at == "first rename":
        shutil.rmtree(folder)
    after = opened(folder)
    check(after, model)
    write(after, 4, model)
    check(after, model)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors"]


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 3)


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [cut, scribble, Path.unlink])
@pytest.mark.parametrize("name", ["vectors.i8", "rows.bin", "sentences.bits", "spans.bin"])
def test_damage_is_noticed(tmp_path: Path, damage: Callable[[Path], None], name: str) -> None:
    vectors = opened(tmp_path / "vectors")
    write(vectors, 1)
    damage(tmp_path / "vectors" / name)
    with pytest.raises(DamagedIndexError, match=name.split(".")[0]):
        opened(tmp_path / "vectors")


def test_a_state_with_any_wrong_byte_is_noticed_or_means_to_begin_anew(tmp_path: Path) -> None:
    vectors = opened(tmp_path / "vectors")
    write(vectors, 1)
    path = tmp_path / "vectors" / "state.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        for wrong in (0x01, 0x04, 0x55):
            shutil.copytree(tmp_path / "vectors", tmp_path / "copy")
            changed = bytearray(whole)
            changed[place] ^= wrong
            (tmp_path / "copy" / "state.json").write_bytes(changed)
            try:
                found = opened(tmp_path / "copy")
            except DamagedIndexError:
                pass
            else:
                assert (found.count, found.cursor) in ((0, 0), (vectors.count, 1))
                assert found.count == 0 or json.loads(changed) == json.loads(whole)
            shutil.rmtree(tmp_path / "copy")


@pytest.mark.parametrize("damage", [cut, scribble, Path.unlink])
def test_damaged_signs_are_made_again_from_the_vectors(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder, model = tmp_path / "vectors", Model()
    write(opened(folder), 1, model)
    whole = (folder / "signs.bits").read_bytes()
    damage(folder / "signs.bits")
    vectors = opened(folder)
    check(vectors, model)
    write(vectors, 2, model)
    check(vectors, model)
    check(opened(folder), model)
    assert (folder / "signs.bits").read_bytes()[: len(whole)] == whole
    assert (folder / "signs.bits").stat().st_size == len(whole) + 40 * DIMS // 8


# What the former version wrote: papers 1 and 2, 1 anew, 3 removed.
FORMER_VECTORS = bytes.fromhex(
    "7fab2a0015d65581d655816a0040eb2a2a2a2a2a2a2a2a2ad655816a0040eb2a7fab2a0015d65581"
)
FORMER_ROWS = bytes.fromhex(
    "01000000000000000b0000000000000019097940b90a3166"
    "0200000000000000160000000000000042a078c4446caee2"
    "03000000000000002100000000000000425f9a051001606f"
    "01000000000000000c0000000000000042a078c475b5d119"
    "0300000000000000000000000000000019097940cb723d7d"
)
FORMER_STATE = {"format": 1, "generation": "4aafbe", "dims": 8, "encoder": "old", "cursor": 7, "rows": 5}


@pytest.mark.parametrize("sentence_bytes", [0, 6])
def test_vectors_of_the_former_format_are_kept(tmp_path: Path, sentence_bytes: int) -> None:
    (tmp_path / "vectors.i8").write_bytes(FORMER_VECTORS)
    (tmp_path / "rows.bin").write_bytes(FORMER_ROWS + b"torn")
    (tmp_path / "state.json").write_text(json.dumps(FORMER_STATE))
    assert Vectors.exists(tmp_path)
    for _ in range(2):
        vectors = Vectors(tmp_path, 8, "old", sentence_bytes=sentence_bytes, exact_rows=0)
        assert (vectors.count, vectors.cursor, vectors.wasted()) == (2, 7, 3)
        assert vectors.texts_of([1, 2, 3]) == [12, 22, REMOVED]
        expected = unit(np.frombuffer(FORMER_VECTORS, np.int8).reshape(-1, 8)[[3, 1]].astype(np.float32))
        assert np.allclose(vectors.vectors_of(np.array([1, 2, 3]))[1], expected)
        assert vectors.nearest(expected[0], 5)[0].tolist() == [1, 2]
        assert vectors.sentences(np.array([1, 2]))[1].tolist() == [0, 0]
    block = np.arange(12, dtype=np.uint8).reshape(2, 6)
    vectors.append([4], [44], some(1, 1, 8), 8, [block] if sentence_bytes else None)
    again = Vectors(tmp_path, 8, "old")
    assert again.texts_of([1, 2, 3, 4]) == [12, 22, REMOVED, 44]
    assert again.sentences(np.arange(1, 5))[1].tolist() == ([0, 0, 0, 2] if sentence_bytes else [0] * 4)
    signs = np.packbits(np.frombuffer(FORMER_VECTORS, np.int8).reshape(-1, 8) > 0, axis=1)
    assert (tmp_path / "signs.bits").read_bytes()[:5] == signs.tobytes()
    assert json.loads((tmp_path / "state.json").read_text())["format"] == 2


def test_sentences_of_another_width_are_forgotten_and_the_vectors_stay(tmp_path: Path) -> None:
    folder, model = tmp_path / "vectors", Model()
    former = opened(folder)
    write(former, 1, model)
    wider = opened(folder, sentence_bytes=6)
    assert wider.count == len(model.texts)
    assert not wider.sentences(wider.all_keys())[1].any()
    blocks = [np.full((2, 6), -3, np.int8)]
    wider.append([500], [1], some(1, 5), 2, blocks)
    assert np.array_equal(wider.sentences(np.array([500]))[0].view(np.int8), blocks[0])
    assert np.count_nonzero(wider.sentences(wider.all_keys())[1]) == 1
    # Who had them open still has them.
    for key, block in zip(
        model.sentences, sentences_of(former, np.array(list(model.sentences))), strict=True
    ):
        assert np.array_equal(block, model.sentences[key])
    wider.compact()
    again = opened(folder, sentence_bytes=0)
    assert np.array_equal(again.sentences(np.array([500]))[0].view(np.int8), blocks[0])
    with pytest.raises(ValueError, match="6 bytes an item were agreed on"):
        again.append([501], [1], some(1, 5), 3, [np.zeros((1, 4), np.uint8)])
    assert again.cursor == 2


def clustered(count: int, dims: int = 64) -> np.ndarray:
    """Vectors that lie in clusters, as those of papers do."""
    chance = np.random.default_rng(8)
    centres = chance.standard_normal((200, dims))
    return unit(centres[chance.integers(0, 200, count)] + 0.7 * chance.standard_normal((count, dims)))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """70,000 vectors, every seventh of them removed, and then every fifth of the others changed."""
    folder = tmp_path_factory.mktemp("many") / "vectors"
    vectors = Vectors(folder, 64)
    made = clustered(84_000)
    keys = list(range(1, 70_001))
    vectors.append(keys, [7] * 70_000, made[:70_000], 1)
    vectors.append(keys[::7], [REMOVED] * 10_000, made[:10_000], 2)
    changed = [key for key in keys[::5] if (key - 1) % 7]
    vectors.append(changed, [8] * len(changed), made[70_000 : 70_000 + len(changed)], 3)
    return folder


def test_signs_find_what_comparing_every_vector_finds(many: Path) -> None:
    exact, by_signs = compared(many), Vectors(many, 64, exact_rows=10_000)
    view = by_signs._view
    shares = []
    for query in clustered(20_000)[-60:]:
        expected, cosines = exact.nearest(query, 20)
        found, scores = by_signs.nearest(query, 20)
        shares.append(len(set(found.tolist()) & set(expected.tolist())) / 20)
        assert np.array_equal(scores, by_signs.cosines(query, found))
        assert scores[0] == cosines[0]
        code = np.clip(np.rint(query[None] * 127 / 0.3), -127, 127).astype(np.int8)
        assert 4_000 < len(by_signs._shortlist(view, code, view.live, view.count, 5_000)) < 9_000
    assert np.mean(shares) >= 0.99


@pytest.mark.parametrize("share", [1, 2, 500, 100_000])
def test_only_allowed_papers_are_found_and_none_of_them_is_missed(many: Path, share: int) -> None:
    exact, by_signs = compared(many), Vectors(many, 64, exact_rows=10_000)
    allowed = np.arange(3, 70_001, share)
    for query in clustered(20_000)[-10:]:
        found, _ = by_signs.nearest(query, 20, allowed)
        expected, _ = exact.nearest(query, 70_000)
        expected = expected[np.isin(expected, allowed)][:20]
        assert set(found.tolist()) <= set(allowed.tolist())
        assert len(found) == len(expected)
        assert len(set(found.tolist()) & set(expected.tolist())) >= 0.95 * len(expected)
        if len(allowed) < 50_000:
            assert found.tolist() == expected.tolist()


def test_the_shortlist_is_no_shorter_where_all_that_is_near_was_removed(tmp_path: Path) -> None:
    vectors = Vectors(tmp_path / "vectors", 64, exact_rows=1_000)
    towards = np.zeros(64)
    towards[::2] = 1
    near, far = unit(some(20_000, 1, 64) + towards), unit(some(20_000, 2, 64) - towards)
    vectors.append(range(1, 40_001), [1] * 40_000, np.concatenate([near, far]), 1)
    vectors.append(range(1, 20_001), [REMOVED] * 20_000, near, 2)
    view = vectors._view
    query = np.clip(np.rint(near[:1] * 127 / 0.3), -127, 127).astype(np.int8)
    assert 4_000 < len(vectors._shortlist(view, query, view.live, view.count, 5_000)) < 9_000


def test_what_no_estimate_of_distances_saw_is_found_all_the_same(tmp_path: Path) -> None:
    # Distances are estimated from every fifth of these 84,000 rows, and just those papers are gone.
    vectors, exact = Vectors(tmp_path / "vectors", 64, exact_rows=1_000), compared(tmp_path / "vectors")
    made = clustered(70_000)
    vectors.append(range(1, 70_001), [1] * 70_000, made, 1)
    gone = [row + 1 for row in range(70_000) if row % SEGMENT % 5 == 0]
    vectors.append(gone, [REMOVED] * len(gone), np.zeros((len(gone), 64), np.float32), 2)
    exact.refresh()
    for query in made[:3]:
        assert vectors.nearest(query, 20)[0].tolist() == exact.nearest(query, 20)[0].tolist()


@pytest.fixture(scope="module")
def listed(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vectors of ``many`` with lists of all rows."""
    folder = tmp_path_factory.mktemp("listed") / "vectors"
    shutil.copytree(many, folder)
    with_lists(folder).make_lists()
    return folder


def with_lists(folder: Path) -> Vectors:
    """The vectors in ``folder``, searched by their lists where it has those."""
    return Vectors(folder, 64, exact_rows=10_000, listed_rows=10_000)


def uses_lists(vectors: Vectors) -> bool:
    return vectors._lists_of(vectors._view) is not None


def test_lists_find_what_comparing_every_vector_finds(listed: Path) -> None:
    exact, by_lists = compared(listed), with_lists(listed)
    assert uses_lists(by_lists) and not uses_lists(exact)
    shares = []
    for query in clustered(20_000)[-60:]:
        expected, _ = exact.nearest(query, 20)
        found, cosines = by_lists.nearest(query, 20)
        shares.append(len(set(found.tolist()) & set(expected.tolist())) / 20)
        assert np.array_equal(cosines, by_lists.cosines(query, found))
    assert np.mean(shares) >= 0.99


@pytest.mark.parametrize("limit", [1, 300, 1_500, 40_000, 70_000])
def test_lists_give_as_many_papers_as_are_asked_for(listed: Path, limit: int) -> None:
    vectors = with_lists(listed)
    found, _ = vectors.nearest(clustered(20_000)[-1], limit)
    assert len(set(found.tolist())) == len(found) == min(limit, vectors.count)
    assert set(found.tolist()) <= set(vectors.all_keys().tolist())


def test_what_changed_after_the_lists_were_made_is_seen_at_once(listed: Path, tmp_path: Path) -> None:
    shutil.copytree(listed, tmp_path / "vectors")
    writer, reader = with_lists(tmp_path / "vectors"), with_lists(tmp_path / "vectors")
    old, new = clustered(20_000)[-2:]
    nearest = int(writer.nearest(old, 1)[0][0])
    writer.append([nearest, 90_000], [9, 9], np.stack([-old, old]), 4)
    for vectors in (writer, reader):
        vectors.refresh()
        found = vectors.nearest(old, 300)[0].tolist()
        assert found[0] == 90_000 and nearest not in found
        assert vectors.nearest(-old, 1)[0].tolist() == [nearest]
    writer.append([90_000, 90_001], [REMOVED, 9], np.stack([old, new]), 5)
    for vectors in (writer, reader):
        vectors.refresh()
        assert uses_lists(vectors)
        assert 90_000 not in vectors.nearest(old, 300)[0]
        assert vectors.nearest(new, 1)[0].tolist() == [90_001]


def test_lists_are_made_anew_when_one_row_in_ten_stands_in_none(listed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    shutil.copytree(listed, folder)
    vectors = with_lists(folder)
    before = (folder / "lists.bin").read_bytes()
    vectors.append(range(90_001, 96_001), [1] * 6_000, clustered(6_000), 4)
    vectors.make_lists()
    assert (folder / "lists.bin").read_bytes() == before
    vectors.append(range(96_001, 105_001), [1] * 9_000, clustered(9_000), 5)
    vectors.make_lists()
    assert vectors._lists and vectors._lists.rows == vectors._view.state.rows
    # After compacting they are those of other rows.
    vectors.append(range(1, 105_001), [REMOVED] * 105_000, np.zeros((105_000, 64), np.float32), 6)
    vectors.append(range(1, 30_001), [1] * 30_000, clustered(30_000), 7)
    vectors.compact()
    assert not uses_lists(vectors) and not uses_lists(with_lists(folder))
    assert vectors.nearest(clustered(30_000)[7], 1)[0].tolist() == [8]


def test_the_same_vectors_have_the_same_lists(listed: Path, tmp_path: Path) -> None:
    shutil.copytree(listed, tmp_path / "vectors")
    (tmp_path / "vectors" / "lists.bin").unlink()
    with_lists(tmp_path / "vectors").make_lists()
    assert (tmp_path / "vectors" / "lists.bin").read_bytes() == (listed / "lists.bin").read_bytes()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def append_a_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def cut_in_the_header(path: Path) -> None:
    os.truncate(path, 20)


@pytest.mark.parametrize("damage", [cut, scribble, empty, append_a_byte, cut_in_the_header, Path.unlink])
def test_damaged_lists_are_not_used_and_made_anew(
    listed: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "vectors"
    shutil.copytree(listed, folder)
    damage(folder / "lists.bin")
    vectors, whole = with_lists(folder), with_lists(listed)
    assert not uses_lists(vectors)
    query = clustered(20_000)[-1]
    assert vectors.nearest(query, 20)[0].tolist() == whole.nearest(query, 20)[0].tolist()
    vectors.make_lists()
    assert uses_lists(vectors) and uses_lists(with_lists(folder))


def test_lists_of_another_table_are_not_used(listed: Path, tmp_path: Path) -> None:
    vectors = with_lists(tmp_path / "vectors")
    vectors.append(range(1, 84_001), [1] * 84_000, clustered(84_000), 1)
    shutil.copy(listed / "lists.bin", tmp_path / "vectors" / "lists.bin")
    assert not uses_lists(with_lists(tmp_path / "vectors"))
    narrow = Vectors(tmp_path / "narrow", 16, listed_rows=10)
    narrow.append(range(1, 2_001), [1] * 2_000, some(2_000, 1), 1)
    shutil.copy(listed / "lists.bin", tmp_path / "narrow" / "lists.bin")
    assert not uses_lists(Vectors(tmp_path / "narrow", 16, listed_rows=10))


def test_another_process_makes_lists_a_kill_loses_nothing_and_an_open_reader_takes_them(
    listed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadsheet.search.vectors._AGAIN_SECONDS", 0)
    folder = tmp_path / "vectors"
    shutil.copytree(listed, folder)
    (folder / "lists.bin").unlink()
    writer = with_lists(folder)
    for seconds in (0.3, 0.8, 1.5):
        writer.begin_lists()
        assert writer._making_lists
        threading.Event().wait(seconds)
        writer._making_lists.kill()
        writer._making_lists.wait()
    # The last of them may have been done before it was killed.
    (folder / "lists.bin").unlink(missing_ok=True)
    (folder / "lists.part").write_bytes(b"left by a kill")
    writer, reader = with_lists(folder), with_lists(folder)
    writer.begin_lists()
    writer.begin_lists()
    assert writer._making_lists
    assert writer._making_lists.wait(60) == 0
    query = clustered(20_000)[-1]
    for _ in range(500):
        reader.refresh()
        assert len(reader.nearest(query, 20)[0]) == 20
        if uses_lists(reader):
            break
        threading.Event().wait(0.02)
    assert uses_lists(reader)
    assert not (folder / "lists.part").exists()


def test_lists_that_cannot_be_made_are_not_tried_again_at_once(listed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    shutil.copytree(listed, folder)
    (folder / "lists.bin").unlink()
    (folder / "lists.part").mkdir()
    vectors = with_lists(folder)
    vectors.begin_lists()
    failed = vectors._making_lists
    assert failed and failed.wait(60) > 0
    vectors.begin_lists()
    assert vectors._making_lists is failed
    assert len(vectors.nearest(clustered(20_000)[-1], 20)[0]) == 20


def test_few_papers_need_no_lists(tmp_path: Path) -> None:
    vectors = opened(tmp_path / "vectors", listed_rows=100)
    write(vectors, 1)
    vectors.begin_lists()
    vectors.make_lists()
    assert vectors._making_lists is None
    assert not (tmp_path / "vectors" / "lists.bin").exists()


def test_after_compacting_the_signs_are_those_of_the_new_rows(many: Path, tmp_path: Path) -> None:
    shutil.copytree(many, tmp_path / "vectors")
    vectors = Vectors(tmp_path / "vectors", 64, exact_rows=10_000)
    queries = clustered(20_000)[-20:]
    before = [vectors.nearest(query, 20)[0].tolist() for query in queries]
    vectors.compact()
    # Enough for a whole segment, so that what was packed of the former rows could be taken for it.
    added = clustered(95_000)[84_000:]
    vectors.append(range(100_001, 111_001), [1] * 11_000, added, 4)
    old = vectors.all_keys()
    old = np.sort(old[old < 100_000])
    for query, expected in zip(queries, before, strict=True):
        found = vectors.nearest(query, 20, old)[0].tolist()
        assert len(set(found) & set(expected)) >= 19


def test_equal_vectors_are_all_found(tmp_path: Path) -> None:
    vectors = opened(tmp_path / "vectors", exact_rows=10)
    vectors.append(list(range(1, 20_001)), [1] * 20_000, np.repeat(some(1, 4), 20_000, axis=0), 1)
    assert len(vectors.nearest(some(1, 4)[0], 15_000)[0]) == 15_000
    assert vectors.nearest(some(1, 9)[0], 20_000)[0].tolist() == list(range(1, 20_001))


def test_what_a_search_sees_stays_whole_while_others_write(tmp_path: Path) -> None:
    vectors = Vectors(tmp_path / "vectors", 64, exact_rows=500)
    # As they are stored, so that what is found can be computed again.
    made = np.clip(some(4_000, 2, 64), -0.3, 0.3)
    vectors.append(list(range(1, 1_001)), [1] * 1_000, made[:1_000], 1)
    done, failures, asked = threading.Event(), [], []

    def search(number: int) -> None:
        while not done.is_set():
            try:
                key = 1 + (number * 37 + len(asked)) % 1_000
                vectors.refresh()
                keys, cosines = vectors.nearest(made[key - 1], 10)
                assert keys[0] == key
                assert (np.diff(cosines) <= 0).all()
                # Papers that were found may be removed before one asks for them again.
                assert np.allclose(made[keys - 1] @ made[key - 1], cosines, atol=0.02)
                asked.append(key)
            except BaseException as error:
                failures.append(error)
                raise

    threads = [threading.Thread(target=search, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for number in range(30):
        chosen = list(range(1_001 + 100 * number, 1_101 + 100 * number))
        vectors.append(chosen, [1] * 100, made[1_000 + 100 * number : 1_100 + 100 * number], number + 2)
        if number % 6 == 5:
            vectors.append(chosen[:50], [REMOVED] * 50, made[:50], number + 2)
            vectors.compact()
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(asked) > 50
    assert vectors.count == 1_000 + 30 * 100 - 5 * 50


def test_a_process_that_wrote_before_takes_in_what_another_wrote_and_left_torn(tmp_path: Path) -> None:
    folder, model = tmp_path / "vectors", Model()
    first, second = opened(folder), opened(folder)
    write(first, 1, model)
    write(second, 2, model)
    with (folder / "vectors.i8").open("ab") as file:
        file.write(b"torn")
    write(first, 3, model)
    second.compact()
    write(first, 4, model)
    for vectors in (first, second, opened(folder)):
        vectors.refresh()
        check(vectors, model)


def test_a_full_disk_leaves_what_was_committed(tmp_path: Path) -> None:
    folder, model = tmp_path / "vectors", Model()
    vectors = opened(folder)
    write(vectors, 1, model)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for limit in (650, 700, 1_000, 1_300, 1_500):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
            with pytest.raises(OSError):
                write(vectors, 2)
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            check(vectors, model)
            check(opened(folder), model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    write(vectors, 2, model)
    check(vectors, model)
    check(opened(folder), model)


def test_rewinding_reads_the_log_again_and_keeps_the_vectors(tmp_path: Path) -> None:
    folder, model = tmp_path / "vectors", Model()
    vectors = opened(folder)
    write(vectors, 1, model)
    vectors.rewind()
    assert vectors.cursor == opened(folder).cursor == 0
    check(opened(folder), model)


if __name__ == "__main__":
    main(*sys.argv[1:])
