"""What facets count and orders compare of each paper, in small files beside the words index, by key."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rows import mapped, opened, ranges

# One paper: its key, the day as 20260131 (0: unknown), its votes (-1: it was removed), and where its own
# values are.
_ROW = np.dtype([("key", "<i8"), ("day", "<i4"), ("votes", "<i4"), ("start", "<u4"), ("count", "<u4")])
_VALUE = np.dtype("<u4")
_PER_YEAR = 10_000
_REMOVED = -1

# Rows are appended, and the last one of a paper holds. They are written anew when so many are of no use.
_WASTED = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of one paper: ``values`` are pairs of a facet and a value."""

    key: int
    day: int
    votes: int
    values: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Demand:
    """That a paper has a value of ``facet`` which ``fits``, or, ``excluded``, that it has none."""

    facet: str
    fits: Callable[[str], bool]
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Extent:
    """Which files hold the columns, and how much of each: rows, values of rows, bytes of names."""

    name: str = "columns-0"
    rows: int = 0
    values: int = 0
    names: int = 0

    def paths(self, folder: Path) -> tuple[Path, Path, Path]:
        return tuple(folder / f"{self.name}.{part}" for part in ("rows", "values", "names"))  # type: ignore[return-value]

    def lengths(self) -> tuple[int, int, int]:
        """Bytes of each of the files."""
        return self.rows * _ROW.itemsize, self.values * _VALUE.itemsize, self.names


class Columns:
    """The rows of ``extent``, as they were committed; mapped, so that only what is asked for is read."""

    def __init__(self, folder: Path, extent: Extent):
        """Raises `DamagedIndexError` where the files hold less than ``extent`` says."""
        self.extent = extent
        rows, values, names = extent.paths(folder)
        self._rows = mapped(rows, _ROW, (extent.rows,))
        self._values = mapped(values, _VALUE, (extent.values,))
        self._names_read = _read(names, extent.names)

    @cached_property
    def names(self) -> list[tuple[str, str]]:
        """Pairs of a facet and a value; the place of each is its number in the values of rows."""
        return [tuple(json.loads(line)) for line in self._names_read.splitlines()]

    @cached_property
    def _row_of(self) -> NDArray[np.int32]:
        """The last row of each key; -1 where there is none. The store numbers its papers one by one."""
        keys, places = self._rows["key"], np.arange(self.extent.rows, dtype=np.int32)
        table = np.full(int(keys.max(initial=0)) + 1, -1, np.int32)
        # Of a key that stands there twice the last one stays.
        table[keys] = np.where(self._rows["votes"] == _REMOVED, -1, places)
        return table

    def _of(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        """The row of each of ``keys``; -1 where there is none."""
        known = keys < len(self._row_of)
        return np.where(known, self._row_of[np.where(known, keys, 0)], -1)

    def order_of(self, keys: NDArray[np.int64], by: str) -> NDArray[np.int64]:
        """The ``day`` (20260131) or the ``votes`` of each of ``keys``; 0 where that is not known."""
        rows = self._of(keys)
        return np.where(rows >= 0, self._rows[by][rows], 0) if self.extent.rows else np.zeros(len(keys), int)

    def counts(self, keys: NDArray[np.int64]) -> dict[str, dict[str, int]]:
        """Of each facet how many of ``keys`` have which value; ``year`` among them."""
        places = self._of(keys)
        rows = self._rows[places[places >= 0]] if self.extent.rows else self._rows
        counted: dict[str, dict[str, int]] = {}
        _, own = self._own(rows)
        for value, count in zip(*np.unique(own, return_counts=True), strict=True):
            facet, name = self.names[value]
            counted.setdefault(facet, {})[name] = int(count)
        years, times = np.unique(rows["day"][rows["day"] > 0] // _PER_YEAR, return_counts=True)
        counted["year"] = {str(year): int(count) for year, count in zip(years, times, strict=True)}
        return counted

    def _own(self, rows: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """All values of ``rows``, and of each the place of its row among these."""
        lengths = rows["count"].astype(np.int64)
        places = ranges(rows["start"].astype(np.int64), lengths)
        return np.repeat(np.arange(len(rows)), lengths), self._values[places]

    def fulfilling(
        self, keys: NDArray[np.int64], demands: Sequence[Demand], days: range
    ) -> NDArray[np.bool_]:
        """Which of ``keys`` fulfil all ``demands`` and are of one of ``days`` (20260131; empty: any)."""
        places = self._of(keys)
        fulfilled = places >= 0
        if not fulfilled.any():
            return fulfilled
        rows = self._rows[np.maximum(places, 0)]
        if days:
            fulfilled &= (rows["day"] >= days.start) & (rows["day"] < days.stop)
        of, own = self._own(rows)
        different, codes = np.unique(own, return_inverse=True)
        names = [self.names[value] for value in different] if demands else []
        for demand in demands:
            fit = np.array([facet == demand.facet and demand.fits(name) for facet, name in names], np.bool_)
            having = np.zeros(len(keys), np.bool_)
            having[of[fit[codes]]] = True
            fulfilled &= having != demand.excluded
        return fulfilled


def _read(path: Path, length: int) -> bytes:
    """The first ``length`` bytes of the file ``path``; raises `DamagedIndexError` where it has fewer."""
    if not length:
        return b""
    with opened(path, length) as file:
        return file.read(length)


class ColumnsWriter:
    """Appends rows behind what ``columns`` holds; nothing holds before `commit`'s extent is kept."""

    def __init__(self, folder: Path, columns: Columns):
        self._folder = folder
        self._columns = columns
        self._codes = {name: code for code, name in enumerate(columns.names)}
        self._new: dict[int, Row] = {}

    def put(self, rows: Sequence[Row], removed: Sequence[int] = ()) -> None:
        """Takes rows, in the place of former ones of the same papers, and the keys of papers ``removed``."""
        self._new |= {key: Row(key, 0, _REMOVED, ()) for key in removed}
        self._new |= {row.key: row for row in rows}

    def commit(self, papers: int) -> Columns:
        """Writes what was put, to disk; there are about so many ``papers``. The former extent stays readable.

        Raises:
            OSError: if the disk does not take it.
        """
        extent = self._columns.extent
        if self._new:
            extent = self._appended(extent, list(self._new.values()))
        self._columns, self._new = Columns(self._folder, extent), {}
        if extent.rows - papers > max(_WASTED, papers):
            self._columns = self._rewritten()
        return self._columns

    def _appended(self, extent: Extent, new: Sequence[Row]) -> Extent:
        rows, values, names = np.zeros(len(new), _ROW), [], []
        for place, row in enumerate(new):
            for name in row.values:
                if name not in self._codes:
                    self._codes[name] = len(self._codes)
                    names.append(json.dumps(name, ensure_ascii=False).encode() + b"\n")
            start = extent.values + len(values)
            values += [self._codes[name] for name in row.values]
            rows[place] = (row.key, row.day, row.votes, start, len(row.values))
        written = (rows.tobytes(), np.array(values, _VALUE).tobytes(), b"".join(names))
        for path, length, more in zip(extent.paths(self._folder), extent.lengths(), written, strict=True):
            with path.open("r+b" if path.exists() else "w+b") as file:
                # What a killed writer left behind.
                file.truncate(length)
                file.seek(length)
                file.write(more)
                file.flush()
                os.fsync(file.fileno())
        return Extent(
            extent.name,
            extent.rows + len(rows),
            extent.values + len(values),
            extent.names + len(written[2]),
        )

    def _rewritten(self) -> Columns:
        """The same columns in other files, with the last row of each paper alone."""
        former = self._columns
        rows = former._rows[former._row_of[former._row_of >= 0]]
        kept = [
            Row(
                int(row["key"]),
                int(row["day"]),
                int(row["votes"]),
                [former.names[v] for v in former._values[row["start"] : row["start"] + row["count"]]],
            )
            for row in rows
        ]
        number = int(former.extent.name.rpartition("-")[2]) + 1
        self._codes = {}
        extent = Extent(f"columns-{number}")
        for path in extent.paths(self._folder):
            path.unlink(missing_ok=True)
        return Columns(self._folder, self._appended(extent, kept))

    def remove_former(self) -> None:
        """Removes files that no committed extent names any more."""
        kept = set(self._columns.extent.paths(self._folder))
        for path in self._folder.glob("columns-*.*"):
            if path not in kept:
                path.unlink(missing_ok=True)


def extent_of(state: Mapping[str, Any]) -> Extent | None:
    """The extent that the ``state`` of an index tells of; None where it was made without columns."""
    found = state.get("columns")
    return Extent(**found) if found is not None else None
