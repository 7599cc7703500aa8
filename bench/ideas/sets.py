"""The judged sets as homes that are kept, and what the engine finds in them with other vectors of queries."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.common import DATA, OUT, ROOT, need
from bench.search_quality import SETS
from broadsheet.model.papers import Paper
from broadsheet.search import Engine
from broadsheet.search.encoder import Encoder
from broadsheet.search.evaluation import Judged, Setting, by_query
from broadsheet.search.evaluation.collection import read_collection, read_needs, stored
from broadsheet.search.evaluation.comparison import paired
from broadsheet.search.evaluation.measures import ndcg
from broadsheet.search.evaluation.report import MAIN, table
from broadsheet.search.evaluation.runs import found_keys, opened, ranked
from broadsheet.search.tuning import Tuning
from broadsheet.store import Store

WORK = OUT / "ideas"
NEEDS = ROOT / "bench" / "needs"
AMONG = "spar_bench among"
# Papers that are put into order anew where encoding all of them would take hours.
SHORTLIST = 30

# Meaning alone, the sum with words always trusted, and the engine as it is.
SETTINGS = {
    "meaning": Setting(side="meaning"),
    "sum": Setting(tuning=Tuning(full_coverage_power=0.0)),
    "engine": Setting(),
}

Encode = Callable[[str], NDArray[np.float32]]
# set -> setting -> query -> nDCG@10
Values = dict[str, dict[str, dict[str, float]]]


def options(text: str | None) -> argparse.ArgumentParser:
    """What all programs are told."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--among", type=Path, required=True, metavar="HOME", help="real papers, all encoded")
    parser.add_argument("--work", type=Path, default=WORK, help="where homes and vectors are kept")
    return parser


def _kept_home(name: str, work: Path, among: Path | None) -> Judged:
    """The set ``name`` stored and encoded in a folder of ``work``; in a copy of ``among`` if given."""
    collection = read_collection(need(DATA / "bench" / name))
    home = work / (name if among is None else f"{name}-among")
    if among and not home.exists():
        shutil.copytree(among, home, ignore=shutil.ignore_patterns("vector_speed-*"))
    home.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    known = home / "documents.json"
    if not known.exists():
        known.write_text(json.dumps(stored(collection, store)))
    document_of = {int(key): name for key, name in json.loads(known.read_text()).items()}
    with opened(home, store, Setting()) as engine:
        engine.follow(store)
    return Judged(home, store, collection.queries, collection.judgements, document_of)


@contextmanager
def kept(name: str, work: Path, among: Path) -> Iterator[Judged]:
    """The judged set ``name``: one of `SETS`, `AMONG`, or ``needs``, which are asked of ``among`` itself."""
    if name == "needs":
        store = Store.open(f"sqlite:///{need(among) / 'broadsheet.db'}")
        needs = read_needs(NEEDS, store)
        judged = Judged(among, store, needs.queries, needs.judgements, needs.document_of, encode=False)
    elif name == AMONG:
        judged = _kept_home("spar_bench", work, need(among))
    else:
        judged = _kept_home(name, work, None)
    try:
        yield judged
    finally:
        judged.store.close()


ALL = (*SETS, AMONG, "needs")


def ndcg_of(
    judged: Judged,
    encode: Callable[[Engine], Encode] | None = None,
    settings: Mapping[str, Setting] = SETTINGS,
) -> dict[str, dict[str, float]]:
    """Setting -> query -> nDCG@10; ``encode`` makes what encodes queries in place of the engine's encoder."""
    found = {}
    for name, setting in settings.items():
        with opened(judged.home, judged.store, setting, needed=True) as engine:
            assert engine.meaning is not None
            if encode:
                engine.meaning.encoder.encode_query = encode(engine)  # type: ignore[method-assign]
            rankings, _ = ranked(
                lambda text, engine=engine: found_keys(engine, text, 30), judged.queries, judged.document_of
            )
        found[name] = by_query(rankings, judged.judgements)[MAIN]
    return found


def shortlisted(judged: Judged, encoder: Encoder) -> tuple[dict[str, list[int]], list[Paper]]:
    """Query -> keys of the `SHORTLIST` papers nearest to it, nearest first, and all of these papers.

    Queries that none of their papers answers there are left out: they are 0 in every order.
    """
    near: dict[str, list[int]] = {}
    with opened(judged.home, judged.store, Setting(side="meaning"), needed=True) as engine:
        assert engine.meaning is not None
        for query, text in judged.queries.items():
            keys = engine.meaning.vectors.nearest(encoder.encode_query(text), SHORTLIST)[0].tolist()
            if any(judged.document_of.get(key) in judged.judgements[query] for key in keys):
                near[query] = keys
    return near, papers_of(judged, sorted({key for keys in near.values() for key in keys}))


def papers_of(judged: Judged, keys: Sequence[int]) -> list[Paper]:
    """The papers with ``keys``, in that order."""
    return [paper for i in range(0, len(keys), 500) for paper in judged.store.papers(keys[i : i + 500])]


def order_anew(judged: Judged, query: str, keys: Sequence[int], scores: NDArray[np.float32]) -> float:
    """nDCG@10 of ``keys`` by their ``scores``."""
    order = [judged.document_of.get(keys[i], "") for i in np.argsort(-scores, kind="stable").tolist()]
    return ndcg(order, judged.judgements[query])


def parts(name: str, values: Mapping[str, float]) -> dict[str, NDArray[np.float64]]:
    """The values of a set; of the needs those of all of arXiv (a) and of machine learning (b) apart."""
    if name != "needs":
        return {name: np.array(list(values.values()))}
    return {
        f"needs {kind}": np.array([value for query, value in values.items() if query.startswith(kind)])
        for kind in "ab"
    }


def report(base: Values, tried: Mapping[str, Values], settings: Sequence[str] = tuple(SETTINGS)) -> str:
    """A table: each setting of ``base``, and the difference that each of ``tried`` makes."""
    lines = []
    for setting in settings:
        columns = [part for name in base for part in parts(name, base[name][setting])]
        first = {part: values for name in base for part, values in parts(name, base[name][setting]).items()}
        rows = [(setting, *columns), ("as it is", *(f"{first[part].mean():.3f}" for part in columns))]
        for idea, of in tried.items():
            theirs = {part: values for name in of for part, values in parts(name, of[name][setting]).items()}
            cells = []
            for part in columns:
                if part not in theirs:
                    cells.append("")
                    continue
                one = paired([(theirs[part], first[part])])
                cells.append(f"{one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f})")
            rows.append((idea, *cells))
        lines += [*table(rows), ""]
    return "\n".join(lines)
