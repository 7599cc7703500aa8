"""Builds a home of any size for measurements: real papers first, then copies with other words and vectors.

A copy has a fourth of the words of its original's title and abstract exchanged for words of other
abstracts, and its vector with noise (cosine 0.86 with the original's); the codes of its sentences are the
original's. Nothing is encoded: the vectors of the real papers come from another home. Copies have ids of
the years 2050 and later, and stand in a list of their own. They serve to measure speed and size, and
for nothing else.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.common import DATA, need
from broadsheet.model.identifiers import arxiv_identifier
from broadsheet.model.papers import Listing, Paper, Record
from broadsheet.search import Engine
from broadsheet.search.encoder import Encoder
from broadsheet.search.following import encoded_text
from broadsheet.search.vectors import Vectors, text_hash
from broadsheet.sources.files import read_file
from broadsheet.store import Store

FILES = ("daily_papers.jsonl.gz", "arxiv_papers.jsonl.gz")
EXCHANGED = 0.25
# The length of the noise beside a vector of length 1.
NOISE = 0.6

_SEED = 3
_RECORDS = 1_000
_VECTORS = 10_000
_IDS_A_MONTH = 90_000


class Progress:
    """Tells every few seconds how far a stage is."""

    def __init__(self, stage: str, total: int):
        self._stage, self._total = stage, total
        self._began = self._told = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told > 10 or done >= self._total:
            self._told = now
            print(f"  {self._stage}: {done:,} of {self._total:,}, {now - self._began:,.0f} s", flush=True)


@dataclass(frozen=True, slots=True)
class Built:
    """A home of ``papers`` papers, of which ``real`` are real; ``unlike`` of those have a made-up vector."""

    home: Path
    papers: int
    real: int
    unlike: int


def copy_id(number: int) -> str:
    """The arXiv id of copy ``number``: of a month that no paper has yet."""
    month, place = divmod(number, _IDS_A_MONTH)
    return f"{50 + month // 12}{month % 12 + 1:02}.{10_000 + place:05}"


def copy_number(paper: Paper) -> int | None:
    """The number of the copy that ``paper`` is; None for a real one."""
    value = paper.identifier("arxiv") or ""
    if not value[:4].isdigit() or int(value[:2]) < 50 or "/" in value:
        return None
    return ((int(value[:2]) - 50) * 12 + int(value[2:4]) - 1) * _IDS_A_MONTH + int(value[5:]) - 10_000


def exchanged(text: str, pool: Sequence[str], random: np.random.Generator) -> str:
    """``text`` with a share of its words, at least one, exchanged for words of ``pool``."""
    words = text.split()
    if not words:
        return text
    places = random.choice(len(words), max(1, round(EXCHANGED * len(words))), replace=False)
    for place, other in zip(
        places.tolist(), random.integers(0, len(pool), len(places)).tolist(), strict=True
    ):
        words[place] = pool[other]
    return " ".join(words)


def noisy(vector: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """A unit vector near to the unit vector ``vector``."""
    noise = random.standard_normal(len(vector)).astype(np.float32)
    mixed = vector + noise * (NOISE / float(np.linalg.norm(noise)))
    return mixed / np.linalg.norm(mixed)


def copy_of(paper: Paper, number: int, pool: Sequence[str]) -> Record:
    """Copy ``number``, made of ``paper``."""
    random = np.random.default_rng((_SEED, number))
    identifier = arxiv_identifier(copy_id(number))
    assert identifier is not None
    day = paper.first_listed or (paper.published or "")[:10]
    return Record(
        title=exchanged(paper.title, pool, random),
        source="growth",
        where=f"copy {number}",
        identifiers=[identifier],
        abstract=exchanged(paper.abstract, pool, random) or None,
        authors=paper.authors,
        published=paper.published,
        categories=paper.categories,
        venue=paper.venue,
        links=paper.links,
        listings=[Listing("copies", day, number % 1_000 + 1, "growth")] if day else [],
        upvotes=paper.upvotes,
        github_stars=paper.github_stars,
        ai_keywords=paper.ai_keywords,
    )


def _add(store: Store, records: Iterable[Record], size: int) -> None:
    """Adds ``records`` until ``store`` has ``size`` papers."""
    records = iter(records)
    count = store.counts()["papers"]
    told = Progress("storing papers", size)
    while batch := list(islice(records, min(size - count, _RECORDS))):
        count += store.add(batch).new
        told(count)


def _real_records() -> Iterator[Record]:
    for name in FILES:
        for item in read_file(str(need(DATA / name))):
            if isinstance(item, Record):
                yield item


def _pool(papers: Sequence[Paper]) -> list[str]:
    return [word for paper in papers[:2_000] for word in paper.abstract.split()]


def meaning_of(engine: Engine) -> tuple[Encoder, Vectors]:
    """The installed encoder and its vectors, as ``engine`` has them open."""
    if engine.meaning is None:
        raise SystemExit(engine.state().message)
    return engine.meaning.encoder, engine.meaning.vectors


def keys_of(store: Store) -> list[int]:
    """The keys of all papers, as they were added."""
    keys: dict[int, None] = {}
    cursor = 0
    while changes := store.changes(cursor, 10_000):
        cursor = changes[-1].seq
        keys |= dict.fromkeys(change.key for change in changes if change.kind != "removed")
    return list(keys)


def copies(store: Store, originals: Sequence[int], first: int, count: int) -> Iterator[Record]:
    """The copies ``first`` to ``first + count`` of the papers ``originals``, over and over in their order."""
    pool = _pool(store.papers(originals[:2_000]))
    for start in range(first, first + count, _RECORDS):
        numbers = range(start, min(start + _RECORDS, first + count))
        papers = store.papers([originals[number % len(originals)] for number in numbers])
        for number, paper in zip(numbers, papers, strict=True):
            yield copy_of(paper, number, pool)


def _fill(store: Store, home: Path, size: int, most_real: int) -> int:
    """Brings ``store`` to ``size`` papers; the number of real ones among them, at most ``most_real``."""
    note = home / "growth.json"
    if not note.exists():
        _add(store, _real_records(), min(size, most_real))
        note.write_text(json.dumps({"real": store.counts()["papers"]}))
    real = int(json.loads(note.read_text())["real"])
    done = store.counts()["papers"]
    if done < size:
        _add(store, copies(store, keys_of(store)[:real], done - real, size - done), size)
    return real


@dataclass(slots=True)
class _Known:
    """What the source home knows of the real papers: vectors, and the codes of their sentences.

    Of ``unlike`` papers it knows nothing: they have a made-up vector and sentences of another paper.
    """

    vectors: NDArray[np.float32]
    sentences: list[NDArray[np.uint8]]
    unlike: int = 0


def _known(source: Path, store: Store, keys: Sequence[int]) -> _Known:
    """What the home ``source`` knows of the papers ``keys`` of ``store``, in their order."""
    other = Store.open(f"sqlite:///{need(source / 'broadsheet.db')}")
    engine = Engine.open(source, other)
    _, vectors = meaning_of(engine)
    if not vectors.count:
        raise SystemExit(f"no paper of {source} is encoded; name a home with --from whose papers are")
    key_of_id: dict[str, int] = {}
    every = keys_of(other)
    for start in range(0, len(every), _RECORDS):
        key_of_id |= {paper.id: paper.key for paper in other.papers(every[start : start + _RECORDS])}
    encoded = vectors.all_keys().tolist()
    having = set(encoded)
    random = np.random.default_rng(_SEED)
    found = _Known(np.zeros((len(keys), vectors.dims), np.float32), [])
    taken: list[int] = []
    for start in range(0, len(keys), _RECORDS):
        for row, paper in enumerate(store.papers(keys[start : start + _RECORDS]), start):
            key = key_of_id.get(paper.id, -1)
            like = key in having
            if not like:
                found.unlike += 1
                key = encoded[random.integers(len(encoded))]
            vector = vectors.vector(key)
            assert vector is not None
            found.vectors[row] = vector if like else noisy(vector, random)
            taken.append(key)
    codes, counts = vectors.sentences(np.array(taken, np.int64))
    found.sentences = np.split(codes, np.cumsum(counts)[:-1])
    engine.close()
    other.close()
    return found


def _write_vectors(store: Store, engine: Engine, home: Path, source: Path, real: int, size: int) -> None:
    """Appends the vectors that are missing; exact.f16 keeps them as they were before they were compressed."""
    _, vectors = meaning_of(engine)
    if vectors.count >= size:
        return
    originals = keys_of(store)[:real]
    known = _known(source, store, originals)
    row_of = {key: row for row, key in enumerate(originals)}
    told = Progress(f"writing {size:,} vectors", size)
    exact, keys_path = home / "exact.f16", home / "exact.i64"
    for path, width in ((exact, 2 * vectors.dims), (keys_path, 8)):
        path.touch()
        with path.open("r+b") as file:
            file.truncate(vectors.count * width)
    while changes := store.changes(vectors.cursor, _VECTORS):
        papers = store.papers([change.key for change in changes])
        numbers = [copy_number(paper) for paper in papers]
        rows = [
            row_of[paper.key] if number is None else number % real
            for paper, number in zip(papers, numbers, strict=True)
        ]
        matrix = known.vectors[rows]
        for row, number in enumerate(numbers):
            if number is not None:
                matrix[row] = noisy(matrix[row], np.random.default_rng((_SEED, 1, number)))
        keys = [paper.key for paper in papers]
        with exact.open("ab") as file, keys_path.open("ab") as other:
            file.write(matrix.astype(np.float16).tobytes())
            other.write(np.array(keys, np.int64).tobytes())
        hashes = [text_hash(encoded_text(paper)) for paper in papers]
        vectors.append(keys, hashes, matrix, changes[-1].seq, [known.sentences[row] for row in rows])
        told(vectors.count)
    (home / "growth.json").write_text(json.dumps({"real": real, "unlike": known.unlike}))


def build(folder: Path, size: int, source: Path, most_real: int = sys.maxsize) -> Built:
    """The home of ``size`` papers under ``folder``, made where it is not there; a killed run goes on.

    Args:
        source: a home with the real papers encoded; their vectors are taken from there.
        most_real: after so many real papers come copies.
    """
    home = folder / f"papers-{size}"
    home.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    engine = Engine.open(home, store)
    try:
        real = _fill(store, home, size, most_real)
        told = Progress(f"indexing the words of {size:,} papers", size)
        done = 0

        def advance(more: int, _total: int) -> None:
            nonlocal done
            done += more
            told(min(done, size))

        engine.follow(store, encode=False, progress=advance)
        _write_vectors(store, engine, home, source, real, size)
        state = engine.state()
        assert state.words == size and not state.unencoded, state
    finally:
        engine.close()
        store.close()
    note = json.loads((home / "growth.json").read_text())
    return Built(home, size, real, int(note.get("unlike", 0)))


def copied(home: Path, to: Path) -> Path:
    """A copy of ``home`` at ``to``, without what only measurements need."""
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(home, to, ignore=shutil.ignore_patterns("exact.*")))
