"""The meaning side of search: one int8 vector a paper, all compared, or by their signs first.

Of each vector the signs of its components are kept too, one bit each. Among many papers those whose
signs differ least from the query's are found first, and only their vectors are compared. Where there are
`lists` of the papers, only the signs in the nearest lists are looked at, and of papers that came
later. The files are those of `rows.Table` and that of the lists; docs/search.md has the figures.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numkong
import numpy as np
from numpy.typing import NDArray

from . import lists
from .files import stamp
from .rows import REMOVED, SEGMENT, Layout, Table, View

__all__ = ["REMOVED", "Vectors", "text_hash"]

log = logging.getLogger(__name__)

# The components of a unit vector of 384 dimensions seldom exceed 0.3; the few that do are clipped.
_SCALE = 127 / 0.3

# Up to so many papers every vector is compared; signs take half of the processor from there on.
EXACT_ROWS = 50_000
# Of more than so many papers the signs of those in the nearest lists are looked at, not of all.
LISTED_ROWS = 150_000
# Of more papers, so many are found by their signs and compared: at least, of how many one, and for each
# paper that is asked for.
_SHORTLIST = 5_000
_SHORTLIST_SHARE = 100
_SHORTLIST_EACH = 10
# The rows whose signs are looked at in lists: of how many one, at least, for each paper asked for, and
# of how many one at most (else all vectors are compared).
_SCANNED_SHARE, _SCANNED_LEAST, _SCANNED_EACH, _SCANNED_MOST = 20, 15_000, 18, 8
# Those of them that are compared: at least, and for each paper that is asked for.
_COMPARED, _COMPARED_EACH = 4_000, 6
# Papers beyond those that are asked for whose exact cosines are looked at.
_MARGIN = 50
# Lists are made anew when one row in so many stands in none.
_UNLISTED = 10
_MAKER = f"{__package__}.list_maker"
# Where that fails, as on a full disk, it is tried again after so many seconds.
_AGAIN_SECONDS = 600

# Up to so many allowed papers it is cheaper to compare them one by one than to look at all signs.
_FEW_ROWS = 50_000
# Distances from which the reach of the shortlist is estimated.
_SAMPLE = 16_384

# From so many rows on it pays to have a second thread look at half of them.
_ROWS_FOR_TWO = 20_000
_other_half = ThreadPoolExecutor(2, thread_name_prefix="vectors")

# Vectors that are copied and compared together, so that they stay in the processor's cache.
_TOGETHER = 2_048

_Part = TypeVar("_Part")
_Found = TypeVar("_Found")


def text_hash(text: str) -> int:
    """64 bits of the hash of an encoded text; never `REMOVED`."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _to_int8(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    return np.clip(np.rint(vectors * _SCALE), -127, 127).astype(np.int8)


def _signs(vectors: NDArray[np.int8]) -> NDArray[np.uint8]:
    """One bit a component: whether it is above 0."""
    return np.packbits(vectors > 0, axis=1)


def _products(query: NDArray[np.int8], matrix: NDArray[np.int8]) -> NDArray[np.float32]:
    """The products of ``query`` (1 x dims) with every row of ``matrix``, on the scale of cosines."""
    return (np.asarray(numkong.cdist(query, matrix, "dot")).ravel() * (1 / _SCALE**2)).astype(np.float32)


def _cosines(vector: NDArray[np.float32], data: NDArray[np.int8]) -> NDArray[np.float32]:
    """The cosines of the unit ``vector`` (dims,) with the vectors in ``data`` (rows, dims)."""
    # Not a matrix product, which rounds a row by where it stands among the others.
    found: NDArray[np.float32] = np.einsum("ij,j->i", data.astype(np.float32), vector / np.float32(_SCALE))
    return found


def _highest(values: NDArray[np.float32], number: int) -> NDArray[np.int64]:
    """The places of the highest ``number`` of ``values``, in no order."""
    if number >= len(values):
        return np.arange(len(values))
    return np.argpartition(-values, number)[:number] if number else np.zeros(0, np.int64)


def _best(
    keys: NDArray[np.int64], cosines: NDArray[np.float32], limit: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The highest ``limit`` cosines and their keys, highest first, ties by key."""
    rows = _highest(cosines, limit)
    keys, cosines = keys[rows], cosines[rows]
    order = np.lexsort((keys, -cosines))
    return keys[order], cosines[order]


class _Threads:
    """Lets a search that is alone use a second thread; one of several at once does with its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._searches = 0

    @contextmanager
    def search(self) -> Iterator[None]:
        with self._lock:
            self._searches += 1
        try:
            yield
        finally:
            with self._lock:
                self._searches -= 1

    def map(self, function: Callable[[_Part], _Found], parts: Sequence[_Part], rows: int) -> list[_Found]:
        """``function`` of each of ``parts``, which look at so many ``rows`` together, in order."""
        if rows < _ROWS_FOR_TWO or len(parts) < 2 or self._searches > 1:
            return [function(part) for part in parts]
        middle = len(parts) // 2
        other = _other_half.submit(lambda: [function(part) for part in parts[middle:]])
        return [function(part) for part in parts[:middle]] + other.result()


@dataclass(frozen=True, slots=True)
class _Packed:
    """The signs of the last rows of a view, a matrix for each segment, as numkong compares them fastest."""

    view: View
    # The number of the first segment.
    first: int
    blocks: list[numkong.PackedMatrix]


class Vectors(Table):
    """The vectors of one encoder in ``folder``. Any number of processes and threads read, one writes."""

    def __init__(
        self,
        folder: Path,
        dims: int,
        encoder: str = "",
        *,
        sentence_bytes: int = 0,
        exact_rows: int = EXACT_ROWS,
        listed_rows: int = LISTED_ROWS,
    ):
        """Opens the vectors, making an empty set where there is none.

        Args:
            dims: components of a vector.
            encoder: the encoder's identity, written into the state for people.
            sentence_bytes: bytes of the code of a sentence; where it is another one than before, the
                stored codes of sentences are forgotten. 0: those that the folder has, if any.
            exact_rows: up to so many papers every vector is compared.
            listed_rows: up to so many papers no lists are made.
        Raises:
            DamagedIndexError: if the files are not what was written.
            OSError: if the folder cannot be written.
        """
        self.dims, self._exact_rows, self._listed_rows = dims, exact_rows, listed_rows
        self._threads, self._packing = _Threads(), threading.Lock()
        layout = Layout(
            "vectors.i8", dims, "signs.bits", (dims + 7) // 8, _signs, "sentences.bits", sentence_bytes
        )
        super().__init__(folder, layout, encoder)
        self._packed: _Packed | None = None
        self._lists: lists.Lists | None = None
        self._lists_stamp = (0, 0)
        self._reading_lists = threading.Lock()
        self._making_lists: subprocess.Popen[bytes] | None = None
        self._lists_again = 0.0
        # The first question shall not wait for them.
        self._read_lists_file()
        self._pack_signs()

    def append(
        self,
        keys: Sequence[int],
        texts: Sequence[int],
        vectors: NDArray[np.float32],
        cursor: int,
        sentences: Sequence[NDArray[np.uint8] | NDArray[np.int8]] | None = None,
    ) -> None:
        """Adds rows for ``keys`` with their text hashes, for good; they hold the log up to ``cursor``.

        To take a paper out, give `REMOVED` as its text hash (and any vector).

        Args:
            vectors: unit vectors, float32, shape (len(keys), dims).
            sentences: the codes of each paper's sentences, shape (any number, sentence_bytes).
        Raises:
            OSError: if they cannot be written; what was committed stays as it was.
        """
        self.append_rows(keys, texts, _to_int8(vectors), cursor, sentences)

    # -- searching

    def nearest(
        self, vector: NDArray[np.float32], limit: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Keys and cosines of the ``limit`` papers nearest to ``vector``, nearest first, ties by key.

        Args:
            vector: unit, float32, shape (dims,).
            allowed: int64, sorted, each once: only these papers are looked at.
        """
        view = self._view
        rows = None
        if allowed is not None:
            rows = view.rows_of(allowed)
            rows = rows[rows >= 0]
        candidates = view.count if rows is None else len(rows)
        limit = max(min(limit, candidates), 0)
        if limit == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        query = _to_int8(vector.reshape(1, -1))
        with self._threads.search():
            near, wanted = rows, None
            if rows is None or len(rows) > _FEW_ROWS:
                wanted = self._wanted(view, rows)
                near = self._first_look(view, query, wanted, candidates, limit, rows is None)
            if near is not None and len(near) >= limit:
                products = self._products_of(view, query, near)
            else:
                near, products = np.arange(len(view.keys)), self._all_products(view, query)
                if wanted is not None:
                    products[~wanted] = -np.inf
            # The query in int8 too would exchange some that are nearly as near.
            best = _highest(products, min(limit + limit // 4 + _MARGIN, candidates))
            rows = np.sort(near[best])
            return _best(view.keys[rows], _cosines(vector, view.gathered(rows)), limit)

    @staticmethod
    def _wanted(view: View, rows: NDArray[np.int64] | None) -> NDArray[np.bool_] | None:
        """Which rows may be found: ``rows``, or all that count where that is None; None: every row."""
        if rows is None:
            return view.live if view.count < view.state.rows else None
        wanted = np.zeros(view.state.rows, bool)
        wanted[rows] = True
        return wanted

    def _first_look(
        self,
        view: View,
        query: NDArray[np.int8],
        wanted: NDArray[np.bool_] | None,
        candidates: int,
        limit: int,
        all_allowed: bool,
    ) -> NDArray[np.int64] | None:
        """The rows whose vectors are compared; None: all that are ``wanted``."""
        if view.count <= self._exact_rows:
            return None
        known = self._lists_of(view)
        if known is not None and all_allowed:
            compared = max(_COMPARED, _COMPARED_EACH * limit) * view.state.rows // candidates
            scanned = max(_SCANNED_LEAST, known.rows // _SCANNED_SHARE, _SCANNED_EACH * limit)
            if scanned <= max(_SCANNED_LEAST, known.rows // _SCANNED_MOST):
                return self._listed(view, known, query, wanted, scanned, compared)
        size = max(_SHORTLIST, candidates // _SHORTLIST_SHARE, _SHORTLIST_EACH * limit)
        # Many rows here and there take longer than all of them one after the other.
        if known is None and size <= max(_SHORTLIST, candidates // 4):
            return self._shortlist(view, query, wanted, candidates, size)
        return None

    def _listed(
        self,
        view: View,
        known: lists.Lists,
        query: NDArray[np.int8],
        wanted: NDArray[np.bool_] | None,
        scanned: int,
        compared: int,
    ) -> NDArray[np.int64]:
        """About ``compared`` rows near to ``query`` in the lists, and more of those that came later."""
        near = known.near(query, scanned, compared)
        if wanted is not None:
            near = near[wanted[near]]
        later = view.state.rows - known.rows
        if not later:
            return near
        size = max(_SHORTLIST, later // _SHORTLIST_SHARE)
        return np.concatenate([near, self._shortlist(view, query, wanted, later, size, known.rows)])

    def _shortlist(
        self,
        view: View,
        query: NDArray[np.int8],
        wanted: NDArray[np.bool_] | None,
        candidates: int,
        size: int,
        start: int = 0,
    ) -> NDArray[np.int64]:
        """About ``size`` of the ``candidates`` rows from ``start`` on that are ``wanted``.

        They are those whose signs differ least. How many signs may differ is estimated from some thousand
        rows all over the table, which costs far less than to order all of them.
        """
        code = _signs(query)
        first = start // SEGMENT
        blocks = self._signs_of(view, first)

        def distances(block: numkong.PackedMatrix) -> NDArray[np.uint32]:
            return np.asarray(numkong.hammings_packed(code, block)).ravel()

        found = self._threads.map(distances, blocks, view.state.rows - start)
        found[-1] = found[-1][: len(view.segments[-1])]
        found[0] = found[0][start - first * SEGMENT :]
        step = max((view.state.rows - start) // _SAMPLE, 1)
        starts = [start, *range((first + 1) * SEGMENT, view.state.rows, SEGMENT)]
        sample = np.concatenate([block[::step] for block in found])
        if wanted is not None:
            places = zip(starts, found, strict=True)
            sample = sample[np.concatenate([wanted[s : s + len(block)][::step] for s, block in places])]
        if not len(sample):
            return np.zeros(0, np.int64)
        place = min(size * len(sample) // candidates, len(sample) - 1)
        reach = np.partition(sample, place)[place]
        near = np.concatenate(
            [np.flatnonzero(block <= reach) + s for s, block in zip(starts, found, strict=True)]
        )
        return near if wanted is None else near[wanted[near]]

    def _pack_signs(self) -> None:
        """Makes ready what the next search looks at."""
        view = self._view
        if view.state.rows > self._exact_rows:
            known = self._lists_of(view)
            self._signs_of(view, known.rows // SEGMENT if known else 0)

    def _signs_of(self, view: View, first: int) -> list[numkong.PackedMatrix]:
        """The signs of the rows of ``view`` from segment ``first`` on."""
        packed = self._packed
        if packed is not None and packed.view is view and packed.first == first:
            return packed.blocks
        rows = view.state.rows
        with self._packing:
            packed, blocks = self._packed, []
            if packed is not None and packed.view.state.generation == view.state.generation:
                # Segments that are not full change.
                kept = min(packed.view.state.rows, rows) // SEGMENT
                if packed.first <= first <= kept:
                    blocks = packed.blocks[first - packed.first : kept - packed.first]
            for number in range(first + len(blocks), len(view.segments)):
                blocks.append(numkong.hammings_pack(lists.in_eights(view.codes(number)), dtype="uint1"))
            self._packed = _Packed(view, first, blocks)
            return blocks

    # -- lists

    @property
    def _lists_path(self) -> Path:
        return self._folder / lists.NAME

    def _lists_of(self, view: View) -> lists.Lists | None:
        """The lists of the rows of ``view``, if there are any."""
        known = self._lists
        if known is None or known.generation != view.state.generation or known.rows > view.state.rows:
            return None
        return known

    def _read_lists_file(self) -> None:
        with self._reading_lists:
            found = stamp(self._lists_path)
            if found != self._lists_stamp and self._view.state.rows > self._listed_rows:
                known = lists.read(self._lists_path, self.dims)
                self._lists, self._lists_stamp = known, found
                # The signs of rows that stand in lists need not be held twice.
                self._pack_signs()

    def refresh(self) -> None:
        super().refresh()
        few = self._view.state.rows <= self._listed_rows
        if not few and stamp(self._lists_path) != self._lists_stamp and not self._reading_lists.locked():
            # Reading them takes a moment that no search shall wait for.
            threading.Thread(target=self._read_lists_file, name="lists", daemon=True).start()

    def _unlisted(self) -> bool:
        """Whether so many rows stand in no list that it pays to make them anew."""
        view = self._view
        known = self._lists_of(view)
        unlisted = view.state.rows - (known.rows if known else 0)
        return view.state.rows > self._listed_rows and unlisted * _UNLISTED > view.state.rows

    def make_lists(self) -> None:
        """Makes the lists of all rows, if too many stand in none; takes most of a minute for a million."""
        self._read_lists_file()
        if self._unlisted():
            view = self._view
            lists.write(self._lists_path, view.state.generation, view.segments)
            self._read_lists_file()

    def begin_lists(self) -> None:
        """Has a process of its own, at the lowest priority, do what `make_lists` does, if that is needed."""
        self.refresh()
        before, now = self._making_lists, time.monotonic()
        if before is not None and (before.poll() is None or (before.returncode and now < self._lists_again)):
            return
        if not self._unlisted():
            return
        self._lists_again = now + _AGAIN_SECONDS
        command = [sys.executable, "-m", _MAKER, str(self._folder), str(self._listed_rows)]
        # Of several threads those that wait for the others would keep searches from the processor.
        one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        nothing = subprocess.DEVNULL
        try:
            self._making_lists = subprocess.Popen(
                command, stdin=nothing, stdout=nothing, stderr=nothing, env=one_thread
            )
        except OSError as error:
            log.warning("the lists of vectors are not made, searches take longer: %s", error)

    def _products_of(
        self, view: View, query: NDArray[np.int8], rows: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        # In the order of the file, because the next row is found faster than any other.
        order = np.argsort(rows)
        ascending = rows[order]
        parts = [slice(s, s + _TOGETHER) for s in range(0, len(rows), _TOGETHER)]
        products = self._threads.map(
            lambda part: _products(query, view.gathered(ascending[part])), parts, len(rows)
        )
        found = np.empty(len(rows), np.float32)
        if products:
            found[order] = np.concatenate(products)
        return found

    def _all_products(self, view: View, query: NDArray[np.int8]) -> NDArray[np.float32]:
        def products(segment: NDArray[np.int8]) -> NDArray[np.float32]:
            return _products(query, segment)

        # A single segment is worth a second thread too.
        whole = view.segments if len(view.segments) > 1 else np.array_split(view.segments[0], 2)
        return np.concatenate(self._threads.map(products, whole, view.state.rows))

    def cosines(self, vector: NDArray[np.float32], keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The cosine of ``vector`` (unit, float32, dims) with each of ``keys``; NaN where it has none."""
        view = self._view
        rows = view.rows_of(keys)
        found = np.full(len(keys), np.nan, np.float32)
        found[rows >= 0] = _cosines(vector, view.data(rows[rows >= 0]))
        return found

    def vectors_of(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Those of ``keys`` that have a vector, and their unit vectors: float32, shape (found, dims)."""
        view = self._view
        rows = view.rows_of(keys)
        vectors = view.data(rows[rows >= 0]).astype(np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return keys[rows >= 0], vectors / np.maximum(lengths, 1e-9)

    def vector(self, key: int) -> NDArray[np.float32] | None:
        """The stored vector of the paper ``key`` (unit, float32, dims), if it has one."""
        found, vectors = self.vectors_of(np.array([key], np.int64))
        return vectors[0] if len(found) else None

    def sentences(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The codes of the sentences of ``keys``, one paper after the other, and how many each has.

        The codes are uint8, shape (sentences of all, sentence_bytes); where int8 was given, their
        ``.view(np.int8)`` has it back.
        """
        view = self._view
        return view.lists(view.rows_of(keys))
