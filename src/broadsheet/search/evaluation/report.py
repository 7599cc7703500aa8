"""A comparison of two settings as data for programs and as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .comparison import CONFIDENCE, RESAMPLES, Change, Paired, largest_changes, paired
from .measures import MEASURES
from .runs import Run

# The measure that the text shows of every set and query.
MAIN = "ndcg@10"
_COSTS = ("latency_p50_ms", "latency_p95_ms", "index_bytes")

# A setting and the one it is held against, on one set.
Pair = tuple[Run, Run]
ByQuery = Mapping[str, float]


def compared(first: ByQuery, second: ByQuery) -> Paired:
    """`comparison.paired` of one measure on one set, the values being given by query."""
    return paired([_aligned(first, second)])


def _aligned(first: ByQuery, second: ByQuery) -> tuple[list[float], list[float]]:
    return list(first.values()), [second[query] for query in first]


def _over(pairs: Iterable[Pair], measure: str) -> Paired:
    return paired([_aligned(run.values[measure], other.values[measure]) for run, other in pairs])


def as_json(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Everything that was found of one setting and another, set by set, for programs.

    ``all_sets`` is there where there are several sets.
    """
    value: dict[str, Any] = {
        "setting": str(pairs[0][0].setting),
        "against": str(pairs[0][1].setting),
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "sets": [_set_as_json(pair) for pair in pairs],
    }
    if len(pairs) > 1:
        value["all_sets"] = {name: _over(pairs, name).as_json() for name in MEASURES}
    return value


def _set_as_json(pair: Pair) -> dict[str, Any]:
    run, other = pair
    measures = {}
    for name in MEASURES:
        gains, losses = largest_changes(run.values[name], other.values[name])
        measures[name] = {
            **_over([pair], name).as_json(),
            "largest_gains": [change.as_json() for change in gains],
            "largest_losses": [change.as_json() for change in losses],
        }
    return {
        "set": run.name,
        "documents": run.figures["documents"],
        "queries": run.figures["queries"],
        "measures": measures,
        **{name: {"setting": run.figures[name], "against": other.figures[name]} for name in _COSTS},
    }


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """``rows`` as lines of columns, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([f"{first:<{widths[0]}}", *cells]).rstrip()


def figures_as_text(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """What `evaluate` found of each set, one column a set; the sets are named where there are several."""
    names = dict.fromkeys(name for one in figures.values() for name in one)
    header = [("", *figures)] if len(figures) > 1 else []
    rows = [(name, *(_shown(one.get(name, "")) for one in figures.values())) for name in names]
    return "\n".join(table([*header, *rows]))


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


HEADER = ("", "setting", "against", "difference", "95 % interval", "p", "better", "same", "worse")


def row(name: str, found: Paired) -> tuple[str, ...]:
    """One line of the table under `HEADER`."""
    return (
        name, f"{found.setting:.4f}", f"{found.against:.4f}", f"{found.difference:+.4f}",
        f"{found.low:+.4f} to {found.high:+.4f}", f"{found.p:.4f}",
        f"{found.wins}", f"{found.ties}", f"{found.losses}",
    )  # fmt: skip


def as_text(pairs: Sequence[Pair]) -> str:
    """The comparison for a terminal: each set, then all of them where there are several."""
    lines = [f"setting: {pairs[0][0].setting}", f"against: {pairs[0][1].setting}"]
    for run, other in pairs:
        figures = run.figures
        lines += ["", f"{run.name}: {figures['queries']:,} queries, {figures['documents']:,} documents"]
        lines += table([HEADER, *(row(name, _over([(run, other)], name)) for name in MEASURES)])
        costs = [(name, f"{figures[name]:,.1f}", f"{other.figures[name]:,.1f}") for name in _COSTS]
        lines += ["", *table([("", "setting", "against"), *costs])]
        gains, losses = largest_changes(run.values[MAIN], other.values[MAIN])
        lines += _changes("largest gains", gains) + _changes("largest losses", losses)
    if len(pairs) > 1:
        rows = [row(pair[0].name, _over([pair], MAIN)) for pair in pairs]
        lines += ["", f"{MAIN} of all sets"]
        lines += table([HEADER, *rows, row("each set alike", _over(pairs, MAIN))])
    return "\n".join(lines)


def _changes(title: str, changes: Sequence[Change]) -> list[str]:
    if not changes:
        return []
    rows = [(f"  {change.query}", f"{change.setting:.4f}", f"{change.against:.4f}") for change in changes]
    return ["", f"{title}, {MAIN}", *table([("  query", "setting", "against"), *rows])]
