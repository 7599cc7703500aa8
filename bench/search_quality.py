"""Measures what search finds: words alone, meaning alone and both, on every judged set.

    .venv/bin/python -m bench.search_quality [SET ...] [--among HOME] [--needs FOLDER]

Each set goes through the real engine in a temporary home, as `broadsheet eval` does it, and both
together are compared with each alone, query by query. With HOME (the one that bench.import_speed
leaves, all encoded) the long requests of spar_bench are also asked among the papers there: in a copy,
so that HOME stays as it is. With FOLDER (queries.jsonl, and qrels.tsv with ids of papers) so are its
needs, of HOME itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench.common import DATA, OUT, machine, need
from broadsheet.search.evaluation import Setting, measured
from broadsheet.search.evaluation.report import HEADER, MAIN, compared, row, table

SETS = ("scifact_train", "cranfield", "cacm", "spar_bench")
SIDES = ("both", "words", "meaning")
SHOWN = ("ndcg@10", "recall@20", "recall@100", "mrr@10", "success@5", "latency_p50_ms", "latency_p95_ms")


def measure(name: str, folder: Path, home: Path | None) -> dict[str, dict[str, Any]]:
    """The figures of each side on the set in ``folder``, printed; both together compared with each alone."""
    both, *alone = measured(folder, [Setting(side) for side in SIDES], home=home)
    print(f"\n{name}: {both.figures['queries']:,} queries, {both.figures['documents']:,} documents")
    rows = [(run.setting.side, *(f"{run.figures[key]:,.4f}" for key in SHOWN)) for run in (both, *alone)]
    print("\n".join(table([("", *SHOWN), *rows])))
    against = {run.setting.side: compared(both.values[MAIN], run.values[MAIN]) for run in alone}
    print(f"{MAIN} of both against each alone")
    print("\n".join(table([HEADER, *(row(side, found) for side, found in against.items())])), flush=True)
    found = {run.setting.side: dict(run.figures) for run in (both, *alone)}
    found["both"]["against"] = {side: result.as_json() for side, result in against.items()}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET")
    parser.add_argument("--among", type=Path, metavar="HOME")
    parser.add_argument("--needs", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if options.needs and not options.among:
        parser.error("--needs are judged on the papers of a home; name it with --among")
    figures = {name: measure(name, need(DATA / "bench" / name), None) for name in options.sets}
    if options.among:
        name = "spar_bench among many"
        figures[name] = measure(name, need(DATA / "bench" / "spar_bench"), need(options.among))
    if options.needs:
        name = options.needs.resolve().name
        figures[name] = measure(name, need(options.needs), need(options.among))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "search_quality.json").write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n")
    worse = [
        f"{name}: both {sides['both'][MAIN]:.4f}, {side} {sides[side][MAIN]:.4f}"
        for name, sides in figures.items()
        for side in SIDES[1:]
        if sides["both"][MAIN] <= sides[side][MAIN]
    ]
    if worse:
        sys.exit("not better than one side alone: " + "; ".join(worse))


if __name__ == "__main__":
    main()
