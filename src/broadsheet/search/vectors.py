"""The meaning side of search: one int8 vector a paper in an append-only, memory-mapped file.

Two files grow together: ``vectors.i8`` (rows of ``dims`` int8) and ``rows.bin`` (one record a row:
paper key, hash of the encoded text, checksums). The newest row of a paper counts; a row with
`REMOVED` as its text hash takes the paper out. A row without its whole record, as a crash may leave
behind, is cut off when the next process writes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import uuid
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numkong
import numpy as np
from numpy.typing import NDArray

from .files import DamagedIndexError, read_state, stamp, write_state

FORMAT = 1
REMOVED = 0

# The components of a unit vector of 384 dimensions seldom exceed 0.3; the few that do are clipped.
_SCALE = 127 / 0.3
_RECORD = np.dtype([("key", "<i8"), ("text", "<u8"), ("vector_sum", "<u4"), ("sum", "<u4")])
# A torn write can only be at the end: so many rows are compared with their checksums at opening.
_CHECKED_ROWS = 2_048

# From so many rows on it pays to have a second thread look at half of them.
_ROWS_FOR_TWO = 20_000
_other_half = ThreadPoolExecutor(2, thread_name_prefix="vectors")


def text_hash(text: str) -> int:
    """64 bits of the hash of an encoded text; never `REMOVED`."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _to_int8(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    return np.clip(np.rint(vectors * _SCALE), -127, 127).astype(np.int8)


def _products(query: NDArray[np.int8], matrix: NDArray[np.int8]) -> NDArray[np.float32]:
    """The products of ``query`` (1 x dims) with every row of ``matrix``, on the scale of cosines."""

    def part(rows: NDArray[np.int8]) -> NDArray[np.float32]:
        return (np.asarray(numkong.cdist(query, rows, "dot")).ravel() * (1 / _SCALE**2)).astype(np.float32)

    if len(matrix) < _ROWS_FOR_TWO:
        return part(matrix)
    middle = len(matrix) // 2
    other = _other_half.submit(part, matrix[middle:])
    return np.concatenate([part(matrix[:middle]), other.result()])


def _record_sums(records: NDArray[np.void]) -> NDArray[np.uint32]:
    """A checksum of each record, for all records at once."""
    with np.errstate(over="ignore"):
        mixed = records["key"].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= records["text"] * np.uint64(0xC2B2AE3D27D4EB4F)
        mixed += records["vector_sum"].astype(np.uint64) * np.uint64(0x165667B19E3779F9) + np.uint64(1)
        return (mixed >> np.uint64(32)).astype(np.uint32)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What a search sees: the rows at one moment."""

    matrix: NDArray[np.int8]
    keys: NDArray[np.int64]
    texts: NDArray[np.uint64]
    # Row of each paper key, -1 for none; keys are small numbers that the store counts up.
    row_of_key: NDArray[np.int32]
    # Whether a row is the newest of a paper that was not removed.
    live: NDArray[np.bool_]
    count: int


class Vectors:
    """The vectors of one encoder in ``folder``. Any number of processes read, one writes."""

    def __init__(self, folder: Path, dims: int, encoder: str = ""):
        """Opens the vectors, making an empty set where there is none.

        Raises:
            DamagedIndexError: if the files are not what was written.
            OSError: if the folder cannot be written.
        """
        self._folder, self.dims, self._encoder = folder, dims, encoder
        self._state_path = folder / "state.json"
        self._matrix_path, self._rows_path = folder / "vectors.i8", folder / "rows.bin"
        self._lock = threading.Lock()
        self._prepared = False
        self._open(create=True)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether ``folder`` holds vectors of this format."""
        state = read_state(folder / "state.json")
        return state is not None and state.get("format") == FORMAT

    def _open(self, create: bool) -> None:
        old = self._folder.with_name(self._folder.name + ".old")
        if old.exists() and not self._folder.exists():
            # A crash in the middle of `compact`: the former files are whole.
            old.rename(self._folder)
        self._stamp = stamp(self._state_path)
        state = read_state(self._state_path)
        if state is None or state.get("format") != FORMAT or state.get("dims") != self.dims:
            if not create:
                raise DamagedIndexError(f"{self._state_path} is of another format")
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            self._matrix_path.touch()
            self._rows_path.touch()
            self._generation, self.cursor, self._written = uuid.uuid4().hex, 0, 0
            self._write_state()
        else:
            self._generation = str(state["generation"])
            self.cursor, self._written = int(state["cursor"]), int(state["rows"])
        self._snapshot = self._read(None)

    def _write_state(self) -> None:
        state = {
            "format": FORMAT,
            "generation": self._generation,
            "dims": self.dims,
            "encoder": self._encoder,
        }
        write_state(self._state_path, {**state, "cursor": self.cursor, "rows": self._written})
        self._stamp = stamp(self._state_path)

    def _read(self, before: _Snapshot | None) -> _Snapshot:
        """The rows that were committed; ``before`` is what was known of them already."""
        rows = self._written
        sizes = {self._matrix_path: rows * self.dims, self._rows_path: rows * _RECORD.itemsize}
        for path, size in sizes.items():
            found = path.stat().st_size if path.exists() else 0
            if found < size:
                raise DamagedIndexError(f"{path} has {found} bytes, at least {size} were written")
        if rows == 0:
            empty = np.zeros(0, np.int64)
            return _Snapshot(
                np.zeros((0, self.dims), np.int8), empty, empty.astype(np.uint64),
                np.full(1024, -1, np.int32), np.zeros(0, bool), 0,
            )  # fmt: skip
        # A plain view: every slice of a memmap object costs half a millisecond.
        matrix = np.asarray(np.memmap(self._matrix_path, np.int8, "r", shape=(rows, self.dims)))
        records = np.fromfile(self._rows_path, _RECORD, count=rows)
        start = 0 if before is None else len(before.keys)
        fresh = records[start:]
        if (_record_sums(fresh) != fresh["sum"]).any():
            raise DamagedIndexError(f"{self._rows_path} holds records that were not written so")
        for row in range(max(start, rows - _CHECKED_ROWS), rows):
            if zlib.crc32(matrix[row].tobytes()) != records["vector_sum"][row]:
                raise DamagedIndexError(f"{self._matrix_path}: vector {row} is not what was written")
        keys = np.ascontiguousarray(records["key"])
        texts = np.ascontiguousarray(records["text"])
        highest = int(keys.max())
        if keys.min() < 0 or highest > 2_000_000_000:
            raise DamagedIndexError(f"{self._rows_path} holds impossible keys")
        known = np.full(1024, -1, np.int32) if before is None else before.row_of_key
        row_of_key = np.full(max(len(known), highest + 1 + highest // 8), -1, np.int32)
        row_of_key[: len(known)] = known
        # Of several rows of one key the last assignment stays, which is the newest row.
        row_of_key[keys[start:]] = np.arange(start, rows, dtype=np.int32)
        live = (row_of_key[keys] == np.arange(rows)) & (texts != REMOVED)
        return _Snapshot(matrix, keys, texts, row_of_key, live, int(live.sum()))

    def refresh(self) -> None:
        """Sees what another process appended since."""
        if stamp(self._state_path) == self._stamp:
            return
        with self._lock:
            state = read_state(self._state_path)
            if state is None:
                return
            if state.get("generation") != self._generation:
                self._open(create=False)
                return
            self._stamp = stamp(self._state_path)
            self.cursor, self._written = int(state["cursor"]), int(state["rows"])
            self._snapshot = self._read(self._snapshot)

    @property
    def count(self) -> int:
        """Papers with a vector."""
        return self._snapshot.count

    def bytes(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self._folder.iterdir() if path.is_file())

    # -- writing

    def texts_of(self, keys: Sequence[int]) -> list[int]:
        """The text hash that each of ``keys`` was encoded from; `REMOVED` where there is no vector."""
        snapshot = self._snapshot
        return [
            int(snapshot.texts[row]) if (row := self._row(snapshot, key)) >= 0 else REMOVED for key in keys
        ]

    @staticmethod
    def _row(snapshot: _Snapshot, key: int) -> int:
        return int(snapshot.row_of_key[key]) if 0 <= key < len(snapshot.row_of_key) else -1

    def _prepare(self) -> None:
        """Cuts off what a crash left behind the committed rows."""
        if not self._prepared:
            os.truncate(self._matrix_path, self._written * self.dims)
            os.truncate(self._rows_path, self._written * _RECORD.itemsize)
            self._prepared = True

    def append(
        self, keys: Sequence[int], texts: Sequence[int], vectors: NDArray[np.float32], cursor: int
    ) -> None:
        """Adds rows for ``keys`` with their text hashes, for good; they hold the log up to ``cursor``.

        To take a paper out, give `REMOVED` as its text hash (and any vector).
        """
        self._prepare()
        if keys:
            rows = _to_int8(vectors)
            records = np.zeros(len(keys), _RECORD)
            records["key"], records["text"] = keys, texts
            records["vector_sum"] = [zlib.crc32(row.tobytes()) for row in rows]
            records["sum"] = _record_sums(records)
            try:
                for path, data in ((self._matrix_path, rows), (self._rows_path, records)):
                    with path.open("ab") as file:
                        file.write(data.tobytes())
                        file.flush()
                        os.fsync(file.fileno())
            except OSError:
                # A full disk may leave part of a row behind.
                self._prepared = False
                raise
            self._written += len(keys)
        self.cursor = cursor
        with self._lock:
            self._write_state()
            if keys:
                self._snapshot = self._read(self._snapshot)

    def rewind(self) -> None:
        """Has the change log read from its beginning once more; unchanged texts keep their vectors."""
        self.cursor = 0
        self._write_state()

    def all_keys(self) -> NDArray[np.int64]:
        """The keys of all papers with a vector."""
        snapshot = self._snapshot
        return snapshot.keys[snapshot.live]

    def wasted(self) -> int:
        """Rows that no search uses."""
        return len(self._snapshot.keys) - self._snapshot.count

    def compact(self) -> None:
        """Writes the files anew without the rows that no search uses."""
        snapshot = self._snapshot
        keep = snapshot.live
        folder = self._folder.with_name(self._folder.name + ".new")
        shutil.rmtree(folder, ignore_errors=True)
        fresh = Vectors(folder, self.dims, self._encoder)
        records = np.zeros(int(keep.sum()), _RECORD)
        rows = np.ascontiguousarray(snapshot.matrix[keep])
        records["key"], records["text"] = snapshot.keys[keep], snapshot.texts[keep]
        records["vector_sum"] = [zlib.crc32(row.tobytes()) for row in rows]
        records["sum"] = _record_sums(records)
        (folder / "vectors.i8").write_bytes(rows.tobytes())
        (folder / "rows.bin").write_bytes(records.tobytes())
        fresh._written, fresh.cursor = len(records), self.cursor
        fresh._write_state()
        with self._lock:
            old = self._folder.with_name(self._folder.name + ".old")
            shutil.rmtree(old, ignore_errors=True)
            self._folder.rename(old)
            folder.rename(self._folder)
            self._prepared = False
            self._open(create=False)
        shutil.rmtree(old, ignore_errors=True)

    # -- searching

    def similarities(self, vector: NDArray[np.float32]) -> Similarities:
        """The cosine of ``vector`` (unit, float32, dims) with every paper."""
        snapshot = self._snapshot
        if not len(snapshot.keys):
            return Similarities(snapshot, np.zeros(0, np.float32))
        query = _to_int8(vector.reshape(1, -1))
        products = _products(query, snapshot.matrix)
        if snapshot.count < len(products):
            products[~snapshot.live] = -np.inf
        return Similarities(snapshot, products)

    def vector(self, key: int) -> NDArray[np.float32] | None:
        """The stored vector of the paper ``key`` (unit, float32, dims), if it has one."""
        snapshot = self._snapshot
        row = self._row(snapshot, key)
        if row < 0 or not snapshot.live[row]:
            return None
        vector = snapshot.matrix[row].astype(np.float32)
        return vector / max(float(np.linalg.norm(vector)), 1e-9)


@dataclass(frozen=True, slots=True)
class Similarities:
    """The cosine of one vector with every row of a snapshot."""

    _snapshot: _Snapshot
    _cosines: NDArray[np.float32]

    def best(self, limit: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Keys and cosines of the nearest ``limit`` papers, nearest first, ties by key."""
        limit = min(limit, self._snapshot.count)
        if limit <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        rows = np.argpartition(-self._cosines, limit - 1)[:limit]
        rows = rows[np.lexsort((self._snapshot.keys[rows], -self._cosines[rows]))]
        return self._snapshot.keys[rows], self._cosines[rows]

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The cosine of each of ``keys``; NaN for a paper without vector."""
        row_of_key = self._snapshot.row_of_key
        inside = (keys >= 0) & (keys < len(row_of_key))
        rows = np.where(inside, row_of_key[np.where(inside, keys, 0)], -1)
        known = (rows >= 0) & (rows < len(self._cosines))
        found = np.full(len(keys), np.nan, np.float32)
        found[known] = self._cosines[rows[known]]
        found[np.isneginf(found)] = np.nan
        return found
