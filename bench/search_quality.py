"""Measures what search finds: words alone, meaning alone and both, on every judged set.

    .venv/bin/python -m bench.search_quality [SET ...] [--among HOME]

Each set goes through the real engine in a temporary home, as `broadsheet eval` does it. With HOME
(the one that bench.import_speed leaves, all encoded) the long requests of spar_bench are also asked
among the papers there: in a copy, so that HOME stays as it is.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.common import DATA, OUT, machine, need
from broadsheet.search import Engine
from broadsheet.search.engine import SIDES
from broadsheet.search.evaluation import evaluate, measured, read_collection
from broadsheet.store import Store

SETS = ("scifact_train", "cranfield", "cacm", "spar_bench")
SHOWN = ("ndcg@10", "recall@20", "recall@100", "mrr@10", "success@5", "latency_p50_ms", "latency_p95_ms")


def show(name: str, side: str, figures: dict[str, Any]) -> None:
    print(f"{name:24} {side:8}", *(f"{figures[key]:>14.4f}" for key in SHOWN), flush=True)


def among(home: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """The figures of each side for the set in ``folder`` put among the papers of ``home``."""
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="broadsheet-among-") as temporary:
        copy = Path(temporary) / "home"
        shutil.copytree(home, copy)
        store = Store.open(f"sqlite:///{copy / 'broadsheet.db'}")
        for side in SIDES:
            engine = Engine.open(copy, store, side=side)
            found[side] = measured(read_collection(folder), store, engine, "both")
            engine.close()
        store.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET")
    parser.add_argument("--among", type=Path, metavar="HOME")
    options = parser.parse_args()
    print(f"{'set':24} {'side':8}", *(f"{key:>14}" for key in SHOWN))
    figures: dict[str, dict[str, Any]] = {}
    for name in options.sets:
        folder = need(DATA / "bench" / name)
        figures[name] = {}
        for side in ("words", "meaning", "both"):
            figures[name][side] = evaluate(folder, side=side)
            show(name, side, figures[name][side])
    if options.among:
        name = "spar_bench among many"
        figures[name] = among(options.among, need(DATA / "bench" / "spar_bench"))
        for side, found in figures[name].items():
            show(name, side, found)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "search_quality.json").write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n")
    worse = [
        f"{name}: both {sides['both']['ndcg@10']:.4f}, {side} {sides[side]['ndcg@10']:.4f}"
        for name, sides in figures.items()
        for side in ("words", "meaning")
        if sides["both"]["ndcg@10"] <= sides[side]["ndcg@10"]
    ]
    if worse:
        sys.exit("not better than one side alone: " + "; ".join(worse))


if __name__ == "__main__":
    main()
