"""A comparison of two settings as data for programs and as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .comparison import RESAMPLES, Change, Paired, largest_changes, paired
from .measures import MEASURES
from .runs import Compared
from .settings import Setting

# The measure that the text shows of every set and query.
_MAIN = "ndcg@10"

ByQuery = Mapping[str, float]


def _aligned(setting: ByQuery, against: ByQuery) -> tuple[list[float], list[float]]:
    return list(setting.values()), [against[query] for query in setting]


def paired_measure(sets: Iterable[Compared], measure: str) -> Paired:
    """`comparison.paired` of ``measure`` over the queries of ``sets``."""
    return paired([_aligned(one.setting[measure], one.against[measure]) for one in sets])


def as_json(setting: Setting, against: Setting, sets: Sequence[Compared]) -> dict[str, Any]:
    """Everything that was found, for programs; with ``all_sets`` where there are several sets."""
    value: dict[str, Any] = {
        "setting": str(setting),
        "against": str(against),
        "confidence": 0.95,
        "resamples": RESAMPLES,
        "sets": [_set_as_json(one) for one in sets],
    }
    if len(sets) > 1:
        value["all_sets"] = {name: paired_measure(sets, name).as_json() for name in MEASURES}
    return value


def _set_as_json(one: Compared) -> dict[str, Any]:
    measures = {}
    for name in MEASURES:
        gains, losses = largest_changes(one.setting[name], one.against[name])
        measures[name] = {
            **paired_measure([one], name).as_json(),
            "largest_gains": [change.as_json() for change in gains],
            "largest_losses": [change.as_json() for change in losses],
        }
    costs = {
        name: {"setting": value, "against": one.against_costs[name]}
        for name, value in one.setting_costs.items()
    }
    queries = len(one.setting[_MAIN])
    return {"set": one.name, "documents": one.documents, "queries": queries, "measures": measures, **costs}


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


def as_text(setting: Setting, against: Setting, sets: Sequence[Compared]) -> str:
    """The comparison for a terminal: each set, then all of them where there are several."""
    lines = [f"setting: {setting}", f"against: {against}"]
    for one in sets:
        lines += ["", f"{one.name}: {len(one.setting[_MAIN]):,} queries, {one.documents:,} documents"]
        lines += table([HEADER, *(row(name, paired_measure([one], name)) for name in MEASURES)])
        costs = [
            (name, f"{value:,.1f}", f"{one.against_costs[name]:,.1f}")
            for name, value in one.setting_costs.items()
        ]
        lines += ["", *table([("", "setting", "against"), *costs])]
        gains, losses = largest_changes(one.setting[_MAIN], one.against[_MAIN])
        lines += _changes("largest gains", gains) + _changes("largest losses", losses)
    if len(sets) > 1:
        rows = [row(one.name, paired_measure([one], _MAIN)) for one in sets]
        lines += ["", f"{_MAIN} of all sets"]
        lines += table([HEADER, *rows, row("each set alike", paired_measure(sets, _MAIN))])
    return "\n".join(lines)


def _changes(title: str, changes: Sequence[Change]) -> list[str]:
    if not changes:
        return []
    rows = [(f"  {change.query}", f"{change.setting:.4f}", f"{change.against:.4f}") for change in changes]
    return ["", f"{title}, {_MAIN}", *table([("  query", "setting", "against"), *rows])]
