"""Draws measured figures as plain SVG, legible on light and dark ground."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

# After Okabe and Ito, told apart by people who do not see all colours: on light ground and on dark.
_COLOURS = (
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#ff9a4d"),
    ("#007a5a", "#2fcfa0"),
    ("#a8467f", "#e39bc5"),
    ("#7a6a00", "#e8d44d"),
    ("#555555", "#bbbbbb"),
)
_WIDTH, _HEIGHT = 600, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 200, 40, 46
_LINE = 15


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: named lines of (x, y) points, both above 0, on logarithmic axes."""

    title: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _decades(values: Sequence[float]) -> list[float]:
    """Powers of ten that hold all ``values``."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def _apart(places: list[float]) -> list[float]:
    """``places``, ascending, moved so that labels there do not touch."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + _LINE) if moved else place)
    return moved


def _panel(panel: Panel, top: int) -> list[str]:
    points = [point for line in panel.lines.values() for point in line]
    xs, ys = _decades([x for x, _ in points]), _decades([y for _, y in points])

    def across(x: float) -> float:
        share = math.log10(x / xs[0]) / math.log10(xs[-1] / xs[0])
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def down(y: float) -> float:
        share = math.log10(y / ys[0]) / math.log10(ys[-1] / ys[0])
        return top + _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f'<text class="title" x="8" y="{top + 20}">{escape(panel.title)}</text>']
    parts += [
        f'<path class="grid" d="M{across(xs[0]):.1f} {down(y):.1f}H{across(xs[-1]):.1f}"/>'
        f'<text class="end" x="{_LEFT - 8}" y="{down(y) + 4:.1f}">{_short(y)}</text>'
        for y in ys
    ]
    parts += [
        f'<path class="grid" d="M{across(x):.1f} {down(ys[0]):.1f}V{down(ys[-1]):.1f}"/>'
        f'<text class="middle" x="{across(x):.1f}" y="{down(ys[0]) + 18:.1f}">{_short(x)}</text>'
        for x in xs
    ]
    middle = (across(xs[0]) + across(xs[-1])) / 2
    parts.append(f'<text class="middle" x="{middle:.1f}" y="{down(ys[0]) + 36:.1f}">papers</text>')
    ends = {name: down(line[-1][1]) for name, line in panel.lines.items()}
    order = sorted(ends, key=lambda name: ends[name])
    labels = dict(zip(order, _apart([ends[name] for name in order]), strict=True))
    for number, (name, line) in enumerate(panel.lines.items()):
        colour = f"c{number % len(_COLOURS)}"
        path = "L".join(f"{across(x):.1f} {down(y):.1f}" for x, y in line)
        parts.append(f'<path class="line {colour}" d="M{path}"/>')
        parts += [
            f'<circle class="dot {colour}" cx="{across(x):.1f}" cy="{down(y):.1f}" r="3"/>' for x, y in line
        ]
        last = line[-1][1]
        label = f"{name} {last:,.0f}" if last >= 100 else f"{name} {last:.2g}"
        x = across(line[-1][0]) + 9
        parts.append(
            f'<text class="label {colour}" x="{x:.1f}" y="{labels[name] + 4:.1f}">{escape(label)}</text>'
        )
    return parts


def write_charts(path: Path, description: str, panels: Sequence[Panel]) -> None:
    """Writes ``panels``, one below the other, as SVG; ``description`` is for those who cannot see it."""
    rules = [
        "text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:14px}",
        ".end{text-anchor:end}.middle{text-anchor:middle}.grid{stroke:#8886;fill:none}",
        ".line{fill:none;stroke-width:2}",
        *(
            f".c{n}{{stroke:{light}}}.label.c{n},.dot.c{n}{{fill:{light};stroke:none}}"
            for n, (light, _) in enumerate(_COLOURS)
        ),
        "@media(prefers-color-scheme:dark){text{fill:#ddd}",
        *(
            f".c{n}{{stroke:{dark}}}.label.c{n},.dot.c{n}{{fill:{dark};stroke:none}}"
            for n, (_, dark) in enumerate(_COLOURS)
        ),
        "}",
    ]
    height = _HEIGHT * len(panels)
    parts = [part for number, panel in enumerate(panels) for part in _panel(panel, number * _HEIGHT)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img">\n'
        f"<title>{escape(description)}</title>\n<style>{''.join(rules)}</style>\n"
        + "\n".join(parts)
        + "\n</svg>\n",
        encoding="utf-8",
    )
