"""Pairs of a short text and the paper that it speaks of, from the papers of a home; none of a judged set."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.common import DATA, need
from bench.growing import keys_of
from bench.ideas.sets import NEEDS
from broadsheet.model.papers import Paper
from broadsheet.model.text import title_key
from broadsheet.search.encoder import Encoder, installed_folder
from broadsheet.search.evaluation.collection import read_collection, read_needs
from broadsheet.search.evaluation.runs import opened
from broadsheet.search.evaluation.settings import Setting
from broadsheet.search.sentences import sentence_spans
from broadsheet.store import Store

# Papers of which the title and a sentence are taken; summaries and keywords of all that have them.
_TITLES = 8_000
_LEAST = 60
_SEED = 5
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """Vectors of short texts (n, dims), what each is, and the row of its paper in ``papers`` (m, dims)."""

    texts: NDArray[np.float32]
    rows: NDArray[np.int64]
    kinds: NDArray[np.str_]
    papers: NDArray[np.float32]
    keys: NDArray[np.int64]

    def __post_init__(self) -> None:
        assert len(self.texts) == len(self.rows) == len(self.kinds)


def judged_keys(store: Store) -> set[int]:
    """Keys of the papers of ``store`` that a judged set asks for or has among its documents."""
    keys = set(read_needs(NEEDS, store).document_of)
    documents = read_collection(need(DATA / "bench" / "spar_bench")).documents
    return keys.union(*(store.keys_with_title(title_key(title)) for title, _ in documents.values()))


def papers_without_judged(store: Store) -> Iterator[Paper]:
    """The papers of ``store`` with an abstract that no judged set knows."""
    judged = judged_keys(store)
    keys = [key for key in keys_of(store) if key not in judged]
    for start in range(0, len(keys), _AT_ONCE):
        yield from (paper for paper in store.papers(keys[start : start + _AT_ONCE]) if paper.abstract)


def _short_texts(papers: list[Paper]) -> Iterator[tuple[str, str, int]]:
    """Kind, text and key."""
    chance = random.Random(_SEED)
    for paper in chance.sample(papers, min(_TITLES, len(papers))):
        yield "title", paper.title, paper.key
        spans = sentence_spans("", paper.abstract)
        long = [paper.abstract[a:b] for a, b in spans if b - a >= _LEAST]
        if long:
            yield "sentence", " ".join(chance.choice(long).split()), paper.key
    for paper in papers:
        if paper.ai_summary:
            yield "summary", paper.ai_summary, paper.key
        if paper.ai_keywords:
            yield "keywords", ", ".join(paper.ai_keywords), paper.key


def pairs(home: Path, work: Path) -> Pairs:
    """The pairs of the papers in ``home``; texts are encoded once and kept in ``work``."""
    store = Store.open(f"sqlite:///{need(home) / 'broadsheet.db'}")
    with opened(home, store, Setting(), needed=True) as engine:
        assert engine.meaning is not None
        keys = np.sort(engine.meaning.vectors.all_keys())
        keys, vectors = engine.meaning.vectors.vectors_of(keys)
    path = work / "pairs.npz"
    if not path.exists():
        kinds, texts, theirs = zip(*_short_texts(list(papers_without_judged(store))), strict=True)
        encoder = Encoder(installed_folder())
        with ThreadPoolExecutor(2) as threads:
            encoded = np.array(list(threads.map(encoder.encode_query, texts)), np.float32)
        np.savez(path, texts=encoded, kinds=np.array(kinds), keys=np.array(theirs, np.int64))
    store.close()
    kept = np.load(path)
    places = np.minimum(np.searchsorted(keys, kept["keys"]), len(keys) - 1)
    there = keys[places] == kept["keys"]
    return Pairs(kept["texts"][there], places[there], kept["kinds"][there], vectors, keys)
