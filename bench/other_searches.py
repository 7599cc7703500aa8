"""Other ways to search papers, each as plain as its users have it, to hold Broadsheet against."""

from __future__ import annotations

import heapq
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import tantivy
from numpy.typing import NDArray

from broadsheet.model.papers import Paper
from broadsheet.search import Engine
from broadsheet.search.evaluation.runs import found_keys

# Candidates of each side of the weighted sum, and the share of meaning in it.
CANDIDATES = 1_000
SHARE_OF_MEANING = 0.5

_WORD = re.compile(r"\w+")


class Search(Protocol):
    """A way to search; ``bytes`` is what its index takes, on disk or in memory."""

    name: str
    bytes: int

    def search(self, text: str, limit: int) -> list[int]:
        """The keys of the best ``limit`` papers, best first."""
        ...


class SqliteSearch:
    """SQLite FTS5 as its documentation has it: porter stemming, one of the words is enough, its own BM25.

    A word that is repeated in the query counts as often.
    """

    name = "SQLite FTS5"

    def __init__(self, papers: Sequence[Paper], folder: Path):
        path = folder / "fts5.db"
        self._database = sqlite3.connect(path, check_same_thread=False)
        # The texts themselves are in the store already.
        self._database.execute(
            "CREATE VIRTUAL TABLE papers USING fts5(title, abstract, content='', tokenize='porter unicode61')"
        )
        rows = ((paper.key, paper.title, paper.abstract) for paper in papers)
        self._database.executemany("INSERT INTO papers(rowid, title, abstract) VALUES (?, ?, ?)", rows)
        self._database.execute("INSERT INTO papers(papers) VALUES ('optimize')")
        self._database.commit()
        self.bytes = path.stat().st_size

    def search(self, text: str, limit: int) -> list[int]:
        query = " OR ".join(f'"{word}"' for word in _WORD.findall(text.lower()))
        if not query:
            return []
        found = self._database.execute(
            "SELECT rowid FROM papers WHERE papers MATCH ? ORDER BY rank LIMIT ?", (query, limit)
        )
        return [key for (key,) in found]


def _english() -> tantivy.TextAnalyzer:
    """What tantivy calls en_stem."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(40),
        tantivy.Filter.lowercase(),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


class TantivySearch:
    """tantivy with BM25 as the books have it: one field, English stemming, one of the words is enough.

    A word that is repeated in the query counts as often, which tantivy's own query parser leaves out;
    it makes 0.05 of nDCG@10 on long questions such as those of CACM.
    """

    name = "tantivy"

    def __init__(self, papers: Sequence[Paper], folder: Path):
        path = folder / "tantivy"
        path.mkdir()
        self._analyzer = _english()
        schema = tantivy.SchemaBuilder()
        schema.add_integer_field("key", fast=True)
        schema.add_text_field("text", tokenizer_name="en_stem")
        self._index = tantivy.Index(schema.build(), path=str(path))
        writer = self._index.writer(96_000_000, 1)
        for paper in papers:
            writer.add_document(tantivy.Document(key=paper.key, text=f"{paper.title}\n{paper.abstract}"))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        self.bytes = sum(file.stat().st_size for file in path.iterdir())

    def scored(self, text: str, limit: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Keys and BM25 of the best ``limit`` papers."""
        clauses = [
            tantivy.Query.boost_query(tantivy.Query.term_query(self._index.schema, "text", term), count)
            for term, count in Counter(self._analyzer.analyze(text)).items()
        ]
        if not clauses:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, clause) for clause in clauses])
        hits = self._searcher.search(query, limit, count=False).hits
        keys = self._searcher.fast_field_values("key", [address for _, address in hits])
        return np.array(keys, np.int64), np.array([score for score, _ in hits], np.float32)

    def search(self, text: str, limit: int) -> list[int]:
        return self.scored(text, limit)[0].tolist()


class VectorSearch:
    """All vectors compared in float32 by numpy, which is exact."""

    def __init__(
        self,
        name: str,
        keys: NDArray[np.int64],
        matrix: NDArray[np.float32],
        encode: Callable[[str], NDArray[np.float32]],
    ):
        """``matrix`` holds the unit vector of each of ``keys``, shape (len(keys), dims)."""
        self.name, self.bytes = name, matrix.nbytes
        self._keys, self._matrix, self._encode = keys, matrix, encode

    def scored(self, text: str, limit: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Keys and cosines of the nearest ``limit`` papers."""
        cosines = self._matrix @ self._encode(text)
        limit = min(limit, len(cosines))
        rows = np.argpartition(-cosines, limit - 1)[:limit]
        rows = rows[np.argsort(-cosines[rows], kind="stable")]
        return self._keys[rows], cosines[rows]

    def search(self, text: str, limit: int) -> list[int]:
        return self.scored(text, limit)[0].tolist()


def min_max(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """``scores`` from 0, the lowest of this query, to 1, the highest."""
    low, high = (float(scores.min()), float(scores.max())) if len(scores) else (0.0, 0.0)
    return (scores - low) / (high - low) if high > low else np.ones_like(scores)


class WeightedSum:
    """The plain way to join words and meaning: half and half, each scaled to its own candidates.

    What only one side found has nothing of the other.
    """

    def __init__(self, words: TantivySearch, vectors: VectorSearch):
        self.name = f"weighted sum of {words.name} and {vectors.name}"
        self.bytes = words.bytes + vectors.bytes
        self._words, self._vectors = words, vectors

    def search(self, text: str, limit: int) -> list[int]:
        sums: dict[int, float] = {}
        for side, share in ((self._words, 1 - SHARE_OF_MEANING), (self._vectors, SHARE_OF_MEANING)):
            keys, scores = side.scored(text, CANDIDATES)
            for key, score in zip(keys.tolist(), (share * min_max(scores)).tolist(), strict=True):
                sums[key] = sums.get(key, 0.0) + score
        return sorted(sums, key=lambda key: (-sums[key], key))[:limit]


class LinearScan:
    """The search of karpathy/arxiv-sanity-lite (serve.py, `search_rank`, as of 2021-12 and later).

    It looks at every paper. For each word of the query, as it stands between spaces, a paper has 20
    for having it in the title, 10 for having it in the authors' names, and 1 for each time, at most
    three, that it stands in the abstract; parts of words count. Of equal papers the higher id is first.

    The original reads every paper from a compressed database for each query. Here the texts stay in
    memory, lowercase, so this is faster than the original.
    """

    name = "arxiv-sanity-lite"

    def __init__(self, papers: Sequence[Paper]):
        self._papers = [
            (
                paper.id,
                paper.key,
                paper.title.lower(),
                " ".join(author.name for author in paper.authors).lower(),
                paper.abstract.lower(),
            )
            for paper in papers
        ]
        self.bytes = sum(len("".join(texts).encode()) for _, _, *texts in self._papers)

    def search(self, text: str, limit: int) -> list[int]:
        words = text.lower().split()
        found = []
        for name, key, title, authors, abstract in self._papers:
            score = 0
            for word in words:
                if word in title:
                    score += 20
                if word in authors:
                    score += 10
                if word in abstract:
                    score += min(3, abstract.count(word))
            if score:
                found.append((score, name, key))
        return [key for _, _, key in heapq.nlargest(limit, found)]


class BroadsheetSearch:
    """Broadsheet's own engine, whole."""

    name = "Broadsheet"

    def __init__(self, engine: Engine):
        self._engine = engine
        self.bytes = engine.index_bytes()

    def search(self, text: str, limit: int) -> list[int]:
        return found_keys(self._engine, text, limit)
