"""A table of fixed-size rows in files that only grow: any number of processes read it, one writes.

A row belongs to a key (a small number that the store counts up). Parallel files hold its parts:

- ``rows.bin``: key, hash of the text that the row was made from, checksums;
- one file of data: the same number of bytes a row;
- one file of codes, made from the data, and made again where it is missing;
- optionally, a list of items a row, of any length: ``spans.bin`` says where in the file of items.

The newest row of a key counts; a row with `REMOVED` as its text hash takes the key out. What the state
file counts is there for good; what stands behind it in the files was left by a crash and is cut off
when the next process writes.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import threading
import time
import uuid
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .files import DamagedIndexError, read_state, stamp, write_state

FORMAT = 2
# Format 1 had neither codes nor lists; it is read as it is and becomes format 2 with the next row.
_FORMATS = (1, FORMAT)
REMOVED = 0

_RECORD = np.dtype([("key", "<i8"), ("text", "<u8"), ("data_sum", "<u4"), ("sum", "<u4")])
_SPAN = np.dtype([("first", "<u8"), ("count", "<u4"), ("sum", "<u4")])
_HIGHEST_KEY = 2_000_000_000
# A torn write can only be at the end: so many rows are compared with their checksums at opening.
_CHECKED_ROWS = 2_048
# The data are mapped so many rows at a time: with a row more only the last part is mapped anew, and the
# pages of the others need not be found again.
SEGMENT = 65_536
# Rows that are copied at once.
_CHUNK = 4_096
# How often one looks, every hundredth of a second, for files that another process is just exchanging.
_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table is made of: names of files and numbers of bytes.

    ``code`` makes the codes (uint8, shape (rows, code_bytes)) of data (int8, shape (rows, data_bytes)).
    ``item_bytes`` 0 means: no lists, or those that the folder has.
    """

    data: str
    data_bytes: int
    codes: str
    code_bytes: int
    code: Callable[[NDArray[np.int8]], NDArray[np.uint8]]
    items: str
    item_bytes: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What was committed. ``dims`` are bytes of data a row, ``item_bytes`` 0 where no row has a list."""

    generation: str
    dims: int
    encoder: str
    cursor: int
    rows: int
    item_bytes: int = 0
    items: int = 0
    format: int = FORMAT

    @classmethod
    def read(cls, path: Path) -> State | None:
        """The state in ``path``; None where there is none of a format that is known here.

        Raises:
            DamagedIndexError: if it is not what was written.
        """
        found = read_state(path)
        if found is None or found.get("format") not in _FORMATS:
            return None
        try:
            state = cls(**{name: value for name, value in found.items() if name != "sum"})
        except TypeError as error:
            raise DamagedIndexError(f"{path} does not hold what was written") from error
        numbers = (state.dims, state.cursor, state.rows, state.item_bytes, state.items)
        if not all(isinstance(number, int) and number >= 0 for number in numbers) or (
            state.format == FORMAT and found.get("sum") != state._sum()
        ):
            raise DamagedIndexError(f"{path} does not hold what was written")
        return state

    def write(self, path: Path) -> None:
        """Replaces ``path`` by this state, on disk before this returns."""
        write_state(path, {**asdict(self), "sum": self._sum()})

    def _sum(self) -> int:
        return zlib.crc32(json.dumps(asdict(self), sort_keys=True).encode())


@dataclass(frozen=True, slots=True)
class View:
    """The rows at one moment; it stays as it is whatever is written afterwards."""

    state: State
    # int8, `SEGMENT` rows each but the last, shape (rows, data_bytes).
    segments: list[NDArray[np.int8]]
    keys: NDArray[np.int64]
    # Row of each key, -1 for none.
    row_of_key: NDArray[np.int32]
    # Whether a row is the newest of a key that was not removed.
    live: NDArray[np.bool_]
    count: int
    records: NDArray[np.void]
    # The file of codes; None where it was missing or wrong.
    coded: mmap.mmap | None
    spans: NDArray[np.void]
    items: Items
    layout: Layout

    def rows_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each of ``keys``; -1 for a key that has none or was removed."""
        inside = (keys >= 0) & (keys < len(self.row_of_key))
        rows = np.where(inside, self.row_of_key[np.where(inside, keys, 0)], -1).astype(np.int64)
        if len(self.live):
            rows[~self.live[rows] | (rows < 0)] = -1
        return rows

    def parts(self, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int8], NDArray[np.int64]]]:
        """The data of ``rows``, which ascend, a few thousand at a time: a segment, and rows within it."""
        return _parts(self.segments, rows)

    def gathered(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """The data of ``rows``, which ascend: int8, shape (len(rows), data_bytes)."""
        found = np.empty((len(rows), self.layout.data_bytes), np.int8)
        done = 0
        for segment, places in self.parts(rows):
            # With "clip" numpy writes to ``out`` at once; all places are inside.
            segment.take(places, 0, out=found[done : done + len(places)], mode="clip")
            done += len(places)
        return found

    def data(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """The data of ``rows``, in any order: int8, shape (len(rows), data_bytes)."""
        order = np.argsort(rows, kind="stable")
        found = np.empty((len(rows), self.layout.data_bytes), np.int8)
        found[order] = self.gathered(rows[order])
        return found

    def codes(self, number: int) -> NDArray[np.uint8]:
        """The codes of the rows of segment ``number``, in memory of their own."""
        if self.coded is None:
            return self.layout.code(self.segments[number])
        size = SEGMENT * self.layout.code_bytes
        found = self.coded[number * size : (number + 1) * size]
        # Who asks keeps what was found: memory need not hold it twice.
        self.coded.madvise(mmap.MADV_DONTNEED)
        return np.frombuffer(found, np.uint8).reshape(-1, self.layout.code_bytes)

    def lists(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The lists of ``rows``, one after the other, and how many items each has.

        The items are uint8, shape (items of all, item_bytes). Row -1 has none.
        """
        if not len(self.spans):
            nothing = np.zeros(len(rows), np.int64)
            return self.items.taken(nothing, nothing), nothing
        spans = self.spans[rows]
        counts = np.where(rows >= 0, spans["count"], 0).astype(np.int64)
        return self.items.taken(spans["first"].astype(np.int64), counts), counts


class Items:
    """The items of lists. They are read from the file at each search: mapped, all that was ever looked at
    would count as memory of the process, with the fifteen pages beside it.
    """

    def __init__(self, path: Path, count: int, width: int):
        """Opens the file of the first ``count`` items of ``width`` bytes.

        Raises:
            DamagedIndexError: if the file is shorter.
        """
        self._path, self._width = path, width
        if count * width:
            self._file = opened(path, count * width)
            # No view is closed: it goes when the last search that looks at it has ended.
            weakref.finalize(self, self._file.close)

    def taken(self, first: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The items from each of ``first`` on, so many as ``counts`` says, one after the other.

        Raises:
            DamagedIndexError: if the file ends before them.
        """
        found = np.empty((int(counts.sum()), self._width), np.uint8)
        if not found.size:
            return found
        # Lists that follow each other in the file are read at once.
        begins = np.concatenate([[True], first[1:] != first[:-1] + counts[:-1]])
        offsets = (first[begins] * self._width).tolist()
        ends = (np.append(np.cumsum(counts)[:-1][begins[1:]], len(found)) * self._width).tolist()
        buffer, start = memoryview(found).cast("B"), 0
        for offset, end in zip(offsets, ends, strict=True):
            if os.preadv(self._file.fileno(), [buffer[start:end]], offset) != end - start:
                raise DamagedIndexError(f"{self._path} is shorter than it was")
            start = end
        return found


def ranges(first: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers from each of ``first`` on, so many as ``counts`` says, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(first - (ends - counts), counts) + np.arange(total)


def _record_sums(records: NDArray[np.void]) -> NDArray[np.uint32]:
    """A checksum of each record, for all records at once."""
    with np.errstate(over="ignore"):
        mixed = records["key"].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= records["text"] * np.uint64(0xC2B2AE3D27D4EB4F)
        mixed += records["data_sum"].astype(np.uint64) * np.uint64(0x165667B19E3779F9) + np.uint64(1)
        return (mixed >> np.uint64(32)).astype(np.uint32)


def _split(items: NDArray[np.uint8], counts: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
    return np.split(items, np.cumsum(counts)[:-1]) if len(counts) else []


def _sums(parts: Sequence[NDArray[Any]] | NDArray[Any]) -> list[int]:
    return [zlib.crc32(np.ascontiguousarray(part)) for part in parts]


def _parts(
    segments: list[NDArray[np.int8]], rows: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int8], NDArray[np.int64]]]:
    bounds = np.searchsorted(rows, SEGMENT * np.arange(len(segments) + 1)).tolist()
    for number, (first, last) in enumerate(pairwise(bounds)):
        for start in range(first, last, _CHUNK):
            yield segments[number], rows[start : min(start + _CHUNK, last)] - number * SEGMENT


def mapped(path: Path, dtype: Any, shape: tuple[int, ...], offset: int = 0) -> NDArray[Any]:
    """A part of the file ``path``, from byte ``offset`` on, as an array that is read when it is looked at.

    Raises:
        DamagedIndexError: if the file is shorter.
    """
    size = offset + int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size == offset:
        # A file of nothing need not be there.
        return np.zeros(shape, dtype)
    with opened(path, size) as file:
        # A plain view: every slice of a memmap object costs half a millisecond.
        return np.asarray(np.memmap(file, dtype, "r", offset=offset, shape=shape))


def opened(path: Path, size: int) -> BinaryIO:
    """The file ``path``, to read. Its size is that of what was opened: `Table.compact` may at any moment put
    a shorter file in its place.

    Raises:
        DamagedIndexError: if it has less than ``size`` bytes, or is missing.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise DamagedIndexError(f"{path} is missing, at least {size} bytes were written") from None
    found = os.fstat(file.fileno()).st_size
    if found < size:
        file.close()
        raise DamagedIndexError(f"{path} has {found} bytes, at least {size} were written")
    return file


def _add(path: Path, content: NDArray[Any] | bytes) -> None:
    """Appends ``content`` to the file ``path``, on disk before this returns."""
    with path.open("ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _cut(path: Path, size: int) -> None:
    """Leaves only the first ``size`` bytes of the file ``path``."""
    if size:
        os.truncate(path, size)
    else:
        # Forgotten items, not a torn end: another process may still look at them.
        _replace(path, iter(()))


def _replace(path: Path, contents: Iterator[NDArray[Any] | bytes]) -> None:
    """Puts a file of ``contents`` in the place of ``path``; a crash leaves the old or the new one."""
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    _write(partial, contents)
    partial.replace(path)


def _write(path: Path, contents: Iterator[NDArray[Any] | bytes]) -> None:
    with path.open("wb") as file:
        for content in contents:
            file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK))


class Table:
    """The rows in ``folder``. Any number of processes and threads read, one writes."""

    def __init__(self, folder: Path, layout: Layout, encoder: str = ""):
        """Opens the table, making an empty one where there is none.

        Raises:
            DamagedIndexError: if the files are not what was written.
            OSError: if the folder cannot be written.
        """
        self._folder, self._layout, self._encoder = folder, layout, encoder
        self._state_path = folder / "state.json"
        self._former, self._next = (folder.with_name(folder.name + end) for end in (".old", ".new"))
        self._lock = threading.RLock()
        if self._former.exists() and not folder.exists():
            # A crash in the middle of `compact`: the former files are whole.
            self._former.rename(folder)
        state = State.read(self._state_path)
        if state is None or state.dims != layout.data_bytes:
            self._begin()
        self._view: View
        self._stamp = (0, 0)
        self._see(None)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether ``folder`` holds a table of a format that is known here."""
        return State.read(folder / "state.json") is not None

    def _begin(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        for name in (self._layout.data, self._layout.codes, "rows.bin"):
            (self._folder / name).touch()
        if self._layout.item_bytes:
            (self._folder / self._layout.items).touch()
            (self._folder / "spans.bin").touch()
        empty = State(uuid.uuid4().hex, self._layout.data_bytes, self._encoder, 0, 0, self._layout.item_bytes)
        empty.write(self._state_path)

    # -- reading

    def _see(self, before: View | None) -> None:
        """Looks at what is committed now; ``before`` is what was known of it already."""
        for _ in range(_ATTEMPTS):
            mark = stamp(self._state_path)
            state = State.read(self._state_path)
            if state is None:
                # `compact` is just putting new files in place of the former.
                time.sleep(0.01)
                continue
            if state.dims != self._layout.data_bytes:
                break
            known = before
            if before and (before.state.generation != state.generation or before.state.rows > state.rows):
                known = None
            try:
                view = self._read(state, known)
            except (DamagedIndexError, OSError):
                # Whoever put other files in this place meanwhile is no damage.
                if self._generation() == state.generation:
                    self._stamp = mark
                    raise
                continue
            if self._generation() == state.generation:
                self._view, self._stamp = view, mark
                return
        raise DamagedIndexError(f"{self._state_path} is missing or of another format")

    def _generation(self) -> str:
        state = State.read(self._state_path)
        return state.generation if state else ""

    def _read(self, state: State, before: View | None) -> View:
        rows, start = state.rows, before.state.rows if before else 0
        layout, folder = self._layout, self._folder
        segments = self._read_data(state, before)
        records = mapped(folder / "rows.bin", _RECORD, (rows,))
        # Read, not mapped: memory need not hold the records, only what is made of them here.
        fresh = np.zeros(0, _RECORD)
        if rows > start:
            with opened(folder / "rows.bin", rows * _RECORD.itemsize) as file:
                fresh = np.fromfile(file, _RECORD, rows - start, offset=start * _RECORD.itemsize)
        if (_record_sums(fresh) != fresh["sum"]).any():
            raise DamagedIndexError(f"{folder / 'rows.bin'} holds records that were not written so")
        fresh_keys = fresh["key"].astype(np.int64)
        highest = int(fresh_keys.max(initial=0))
        if fresh_keys.min(initial=0) < 0 or highest > _HIGHEST_KEY:
            raise DamagedIndexError(f"{folder / 'rows.bin'} holds impossible keys")
        checked = max(start, rows - _CHECKED_ROWS)
        newest = [segment.take(places, 0) for segment, places in _parts(segments, np.arange(checked, rows))]
        data = np.concatenate([np.zeros((0, layout.data_bytes), np.int8), *newest])
        if _sums(data) != fresh["data_sum"][checked - start :].tolist():
            raise DamagedIndexError(f"{folder / layout.data}: a row is not what was written")
        spans, items = self._read_lists(state, checked)
        coded = self._read_codes(state, before, data)

        known = before.row_of_key if before else np.zeros(0, np.int32)
        row_of_key = np.full(max(len(known), 1024, highest + 1 + highest // 8), -1, np.int32)
        row_of_key[: len(known)] = known
        live = np.concatenate([before.live if before else np.zeros(0, bool), fresh["text"] != REMOVED])
        former = row_of_key[fresh_keys]
        live[former[former >= 0]] = False
        # Of several rows of one key the last assignment stays, which is the newest row.
        numbers = np.arange(start, rows, dtype=np.int32)
        row_of_key[fresh_keys] = numbers
        live[start:] &= row_of_key[fresh_keys] == numbers
        keys = np.concatenate([before.keys, fresh_keys]) if before else fresh_keys
        return View(
            state, segments, keys, row_of_key, live, int(np.count_nonzero(live)), records,
            coded, spans, items, layout,
        )  # fmt: skip

    def _read_data(self, state: State, before: View | None) -> list[NDArray[np.int8]]:
        path, width = self._folder / self._layout.data, self._layout.data_bytes
        segments = before.segments[: before.state.rows // SEGMENT] if before else []
        for start in range(len(segments) * SEGMENT, state.rows, SEGMENT):
            shape = min(SEGMENT, state.rows - start), width
            segments.append(mapped(path, np.int8, shape, start * width))
        return segments

    def _read_codes(self, state: State, before: View | None, newest: NDArray[np.int8]) -> mmap.mmap | None:
        """The file of codes, if it holds those of all rows; ``newest`` are the data of the last ones.

        If it does not, that is no damage: see `_prepare`.
        """
        path, size = self._folder / self._layout.codes, state.rows * self._layout.code_bytes
        if state.format < FORMAT or not size or (before and before.state.rows and before.coded is None):
            return None
        try:
            with opened(path, size) as file:
                coded = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)
        except DamagedIndexError:
            return None
        codes = self._layout.code(newest).tobytes()
        return coded if coded[size - len(codes) :] == codes else None

    def _read_lists(self, state: State, checked: int) -> tuple[NDArray[np.void], Items]:
        wanted, width = self._layout.item_bytes, state.item_bytes
        if not width or (wanted and wanted != width):
            return np.zeros(0, _SPAN), Items(self._folder, 0, wanted)
        spans = mapped(self._folder / "spans.bin", _SPAN, (state.rows,))
        items = Items(self._folder / self._layout.items, state.items, width)
        newest = spans[checked:]
        first, counts = newest["first"].astype(np.int64), newest["count"].astype(np.int64)
        if (
            (first < 0).any()
            or (first + counts).max(initial=0) > state.items
            or newest["sum"].tolist() != _sums(_split(items.taken(first, counts), counts))
        ):
            raise DamagedIndexError(f"{self._folder / self._layout.items}: a list is not what was written")
        return spans, items

    def refresh(self) -> None:
        """Sees what another process appended since; never waits for another thread that does so."""
        if stamp(self._state_path) == self._stamp or not self._lock.acquire(blocking=False):
            return
        try:
            self._refresh()
        finally:
            self._lock.release()

    def _refresh(self) -> None:
        # While `compact` puts new files in place there is no state for a moment.
        if stamp(self._state_path) not in ((0, 0), self._stamp):
            self._see(self._view)

    @property
    def cursor(self) -> int:
        """The change of the store up to which the rows hold everything."""
        return self._view.state.cursor

    @property
    def count(self) -> int:
        """Keys that have a row."""
        return self._view.count

    def bytes(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self._folder.iterdir() if path.is_file())

    def texts_of(self, keys: Sequence[int]) -> list[int]:
        """The text hash that the row of each of ``keys`` was made from; `REMOVED` where there is none."""
        view = self._view
        rows = view.rows_of(np.array(keys, np.int64))
        found = np.full(len(rows), REMOVED, np.uint64)
        found[rows >= 0] = view.records["text"][rows[rows >= 0]]
        return [int(text) for text in found]

    def all_keys(self) -> NDArray[np.int64]:
        """All keys that have a row."""
        view = self._view
        return view.keys[view.live]

    def wasted(self) -> int:
        """Rows that are of no use any more."""
        return len(self._view.keys) - self._view.count

    # -- writing

    def _prepare(self) -> State:
        """Makes the files ready for the next row and returns their state; see the top of the module."""
        self._refresh()
        view = self._view
        state, layout, folder = view.state, self._layout, self._folder
        for leftover in (self._former, self._next):
            if leftover.exists():
                shutil.rmtree(leftover, ignore_errors=True)
        if state.rows and view.coded is None:
            _replace(folder / layout.codes, map(layout.code, view.segments))
        item_bytes = layout.item_bytes or state.item_bytes
        if item_bytes != state.item_bytes:
            # Rows without lists, or with lists of another width, begin with empty ones.
            _replace(folder / "spans.bin", (np.zeros(p.stop - p.start, _SPAN) for p in _chunks(state.rows)))
            state = replace(state, item_bytes=item_bytes, items=0)
        state = replace(state, format=FORMAT)
        if state != view.state or (state.rows and view.coded is None):
            state.write(self._state_path)
            self._see(None)
        for path, size in self._sizes(state):
            if path.exists() and path.stat().st_size > size:
                _cut(path, size)
        return state

    def _sizes(self, state: State) -> Iterator[tuple[Path, int]]:
        layout, folder = self._layout, self._folder
        yield folder / layout.data, state.rows * layout.data_bytes
        yield folder / layout.codes, state.rows * layout.code_bytes
        if state.item_bytes:
            yield folder / layout.items, state.items * state.item_bytes
            yield folder / "spans.bin", state.rows * _SPAN.itemsize
        yield folder / "rows.bin", state.rows * _RECORD.itemsize

    def append_rows(
        self,
        keys: Sequence[int],
        texts: Sequence[int],
        data: NDArray[np.int8],
        cursor: int,
        lists: Sequence[NDArray[Any]] | None = None,
    ) -> None:
        """Adds a row for each of ``keys``, for good; the rows hold the store's log up to ``cursor``.

        Args:
            texts: hash of the text of each; `REMOVED` takes the key out, whatever its data.
            data: int8, shape (len(keys), data_bytes).
            lists: of each key, bytes of shape (any number, item_bytes); None: empty ones.
        Raises:
            OSError: if it cannot be written; what was committed stays as it was.
        """
        with self._lock:
            state = self._prepare()
            if len(keys):
                contents = self._contents(state, keys, texts, data, lists)
                for (path, _), content in zip(self._sizes(state), contents, strict=True):
                    _add(path, content)
                items = sum(map(len, lists)) if lists is not None else 0
                state = replace(state, rows=state.rows + len(keys), items=state.items + items)
            replace(state, cursor=cursor).write(self._state_path)
            self._see(self._view)

    def _contents(
        self,
        state: State,
        keys: Sequence[int],
        texts: Sequence[int],
        data: NDArray[np.int8],
        lists: Sequence[NDArray[Any]] | None,
    ) -> list[NDArray[Any] | bytes]:
        """What is added to each file of `_sizes`."""
        if len({len(keys), len(texts), len(data)} | ({len(lists)} if lists is not None else set())) > 1:
            raise ValueError("keys, texts, data and lists are not of one length")
        records = np.zeros(len(keys), _RECORD)
        records["key"], records["text"] = keys, texts
        records["data_sum"] = _sums(data)
        records["sum"] = _record_sums(records)
        contents: list[NDArray[Any] | bytes] = [np.ascontiguousarray(data), self._layout.code(data)]
        if state.item_bytes:
            blocks = [self._block(state, block) for block in lists] if lists is not None else []
            spans = np.zeros(len(keys), _SPAN)
            if blocks:
                spans["count"] = [len(block) for block in blocks]
                spans["sum"] = _sums(blocks)
            spans["first"] = state.items + np.cumsum(spans["count"]) - spans["count"]
            contents += [b"".join(block.tobytes() for block in blocks), spans]
        elif lists is not None and any(map(len, lists)):
            raise ValueError("this table was opened without a width of lists")
        return [*contents, records]

    @staticmethod
    def _block(state: State, block: NDArray[Any]) -> NDArray[np.uint8]:
        found = np.asarray(block)
        if found.dtype.itemsize != 1 or found.shape != (len(found), state.item_bytes):
            raise ValueError(
                f"a list of {found.dtype} of shape {found.shape} was given, {state.item_bytes} bytes an item "
                "were agreed on"
            )
        return np.ascontiguousarray(found).view(np.uint8)

    def rewind(self) -> None:
        """Has the change log read from its beginning once more; unchanged texts keep their rows."""
        with self._lock:
            self._refresh()
            replace(self._view.state, cursor=0).write(self._state_path)
            self._see(self._view)

    def compact(self) -> None:
        """Writes the files anew without the rows that are of no use; searches go on meanwhile."""
        with self._lock:
            self._prepare()
            view, folder = self._view, self._next
            self._write_compacted(view, folder).write(folder / "state.json")
            self._folder.rename(self._former)
            folder.rename(self._folder)
            self._see(None)
        shutil.rmtree(self._former, ignore_errors=True)

    def _write_compacted(self, view: View, folder: Path) -> State:
        """Writes the live rows of ``view`` to ``folder`` and returns their state, which is not written yet.

        The checksums are taken over, not made anew, so that damage does not become right.
        """
        folder.mkdir(parents=True)
        layout, state = self._layout, view.state
        keep = np.flatnonzero(view.live)
        parts = list(_chunks(len(keep)))
        _write(folder / layout.data, (segment.take(rows, 0) for segment, rows in view.parts(keep)))
        _write(
            folder / layout.codes, (layout.code(segment.take(rows, 0)) for segment, rows in view.parts(keep))
        )
        _write(folder / "rows.bin", (view.records[keep[part]] for part in parts))
        items = 0
        if state.item_bytes:
            spans = view.spans[keep]
            items = int(spans["count"].sum())
            lists = (view.lists(keep[part])[0] for part in parts)
            _write(folder / layout.items, lists)
            spans["first"] = np.cumsum(spans["count"]) - spans["count"]
            _write(folder / "spans.bin", iter([spans]))
        return replace(state, generation=uuid.uuid4().hex, rows=len(keep), items=items)
