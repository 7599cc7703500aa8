"""Typst in a process of its own: sets a sheet in several lengths and keeps the one that fills its paper best.

    python press.py FOLDER [DOTS_PER_INCH]

FOLDER holds ``sheet.typ``, the template, and ``lengths.json``, the data of the sheet with texts of several
lengths, the best first. Written are ``sheet.pdf`` and, where a resolution is given, ``page-1.png`` and so on.
Whatever typst needs is bounded and goes with the process. It imports nothing of Broadsheet, to start at once.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import typst

MEMORY_BYTES = 2 << 30
CPU_SECONDS = 20
# So little paper left white, in columns, is good enough; nor is anything better looked for after this time.
_FULL = 0.7
_PATIENCE_S = 0.5


class _Press:
    """The template in ``folder``, which typst cannot look out of."""

    def __init__(self, folder: Path):
        self._data, self._template, self._root = folder / "sheet.json", str(folder / "sheet.typ"), str(folder)

    def _compiler(self) -> typst.Compiler:
        return typst.Compiler(self._template, root=self._root)

    def set(self, data: dict[str, Any]) -> float:
        """Sets ``data``; how many columns of paper stay white."""
        self._data.write_text(json.dumps(data), encoding="utf-8")
        return white(json.loads(self._compiler().query("<at>", field="value")), data["columns"])

    def compiled(self, form: str, **how: Any) -> list[bytes]:
        """What was set last, as ``pdf`` or as one ``png`` a page."""
        made = self._compiler().compile(format=form, **how)
        return made if isinstance(made, list) else [made]


def white(places: Sequence[dict[str, Any]], columns: int) -> float:
    """How much of the paper is left white, in columns, by where stories begin and end.

    The white at the foot of a column after which the next one begins with another story, and on the last
    page what is left of it.
    """
    left = 0.0

    def column(place: dict[str, Any]) -> int:
        return int(place["page"]) * columns + min(int(place["x"] / place["width"] * columns), columns - 1)

    def under(place: dict[str, Any]) -> float:
        return max(place["bottom"] - place["y"], 0.0) / (place["bottom"] - place["top"])

    for former, place in pairwise(places):
        if place["what"] == "begin" and column(place) > column(former):
            left += under(former)
    last = places[-1]
    return left + under(last) + columns - 1 - column(last) % columns


def set_best(folder: Path) -> _Press:
    """The press after it set the length that leaves least of the paper white, as far as time allows."""
    press, began, left = _Press(folder), time.monotonic(), []
    lengths = json.loads((folder / "lengths.json").read_text(encoding="utf-8"))
    for data in lengths:
        left.append(press.set(data))
        # Where the second is as the first, there is nothing more to cut or to tell.
        taken = time.monotonic() - began
        if left[-1] <= _FULL or left[1:2] == left[:1] or taken + taken / len(left) > _PATIENCE_S:
            break
    best = left.index(min(left))
    if best != len(left) - 1:
        press.set(lengths[best])
    return press


def main() -> None:
    folder = Path(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    press = set_best(folder)
    (folder / "sheet.pdf").write_bytes(press.compiled("pdf")[0])
    if len(sys.argv) > 2:
        for number, page in enumerate(press.compiled("png", ppi=float(sys.argv[2])), start=1):
            (folder / f"page-{number}.png").write_bytes(page)


if __name__ == "__main__":
    main()
