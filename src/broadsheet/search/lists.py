"""Inverted lists: rows of vectors near to each other stand together, so that a search looks at few of them.

The rows are in lists of about `PER_LIST`. A search looks at the vector in the middle of each list, in `_AXES`
principal components, and then at the signs of the rows of the nearest lists. All of it is derived from the
rows: the file may be deleted at any time and is made anew. It holds the first ``rows`` rows of one
generation of a table; rows that came later stand in no list.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import BinaryIO, TypeVar

import numkong
import numpy as np
from numpy.typing import NDArray

from .rows import ranges

_Number = TypeVar("_Number", np.int8, np.uint8)

NAME = "lists.bin"
# More lists find more with fewer rows looked at, and take longer to make and to choose from.
PER_LIST = 16
# So many rows show where the groups are.
_SAMPLE = 65_536
_GROUP_ROUNDS, _LIST_ROUNDS = 5, 4
# A row is put into the nearest list of so many of the groups nearest to it.
_GROUPS_TRIED = 3
# Principal components of the middles; a multiple of 16 is compared fastest.
_AXES = 128
# Lists from which the reach of a search is estimated.
_ESTIMATED = 4_096
# Components of a query count that are at least so large, as a share of their mean size.
_LARGE = 0.75
# Rows that are looked at together, so that they stay in the processor's cache.
_CHUNK = 4_096
_READ = 1 << 22

_HEADER = np.dtype(
    [
        ("magic", "S8"), ("generation", "S32"), ("rows", "<i8"), ("dims", "<i8"), ("axes", "<i8"),
        ("lists", "<i8"), ("sum", "<u4"), ("header_sum", "<u4"),
    ]
)  # fmt: skip
_MAGIC = b"lists1"


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of the first ``rows`` rows of the table with this ``generation``."""

    generation: str
    rows: int
    # float32, shape (dims, axes), and the middles of the lists in these axes.
    axes: NDArray[np.float32]
    middles: numkong.PackedMatrix
    # The rows of list l are ``order[starts[l]:starts[l + 1]]``, their signs stand at the same places.
    starts: NDArray[np.int64]
    order: NDArray[np.int32]
    signs: NDArray[np.uint64]

    def near(self, query: NDArray[np.int8], scanned: int, size: int) -> NDArray[np.int64]:
        """About ``size`` rows near to ``query`` (1 x dims), of about ``scanned`` in the nearest lists."""
        places = self._places(query, scanned)
        different = differences(self.signs, places, query)
        if size < len(different):
            reach = np.searchsorted(np.cumsum(np.bincount(different)), size)
            places = places[different <= reach]
        return self.order[places].astype(np.int64)

    def _places(self, query: NDArray[np.int8], scanned: int) -> NDArray[np.int64]:
        """Where the rows of the nearest lists stand in the order."""
        lists = len(self.starts) - 1
        products = np.asarray(numkong.dots_packed(_scaled(query @ self.axes), self.middles))[0, :lists]
        wanted = -(-scanned * lists // max(self.rows, 1))
        if wanted < lists:
            # The reach is estimated from some thousand lists: ordering all of them takes longer.
            sample = products[:: max(lists // _ESTIMATED, 1)]
            place = min(wanted * len(sample) // lists, len(sample) - 1)
            chosen = np.flatnonzero(products >= -np.partition(-sample, place)[place])
        else:
            chosen = np.arange(lists)
        return ranges(self.starts[chosen], self.starts[chosen + 1] - self.starts[chosen])


def differences(
    signs: NDArray[np.uint64], places: NDArray[np.int64], query: NDArray[np.int8]
) -> NDArray[np.uint16]:
    """How many signs of the rows at ``places`` are not those of ``query``, where its components are large.

    The small components say little of what is near: leaving them out finds as much as twice as many rows do.
    """
    sizes = np.abs(query[0].astype(np.int16))
    # Repeated, because numpy goes through whole blocks far faster than row by row.
    repeated = min(_CHUNK, len(places)), 1
    code = np.tile(as_words(query > 0), repeated)
    counted = np.tile(as_words((sizes >= _LARGE * sizes.mean()).reshape(1, -1)), repeated)
    found = np.empty(len(places), np.uint16)
    for start in range(0, len(places), _CHUNK):
        part = signs.take(places[start : start + _CHUNK], 0)
        part ^= code[: len(part)]
        part &= counted[: len(part)]
        bits = np.bitwise_count(part)
        total = found[start : start + _CHUNK]
        total[:] = bits[:, 0]
        for word in range(1, bits.shape[1]):
            total += bits[:, word]
    return found


def in_eights(matrix: NDArray[_Number]) -> NDArray[_Number]:
    """``matrix`` and rows of zeros: numkong takes five times as long where 8 do not divide their number."""
    return np.pad(matrix, ((0, -len(matrix) % 8), (0, 0)))


def as_words(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """``bits`` (n, dims) in words of 64: uint64, shape (n, words)."""
    packed = np.packbits(bits, axis=1)
    padded = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint64)


def _scaled(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """``vectors`` in int8, the largest component of all 127."""
    return np.rint(vectors * (127 / max(float(np.abs(vectors).max(initial=0)), 1e-9))).astype(np.int8)


# -- the file


def read(path: Path, dims: int) -> Lists | None:
    """The lists of vectors of ``dims`` in the file ``path``; None where there are none, or damaged ones."""
    try:
        # One look at one file: another process may put other lists in its place at any moment.
        with path.open("rb") as file:
            header = np.fromfile(file, _HEADER, 1)
            if (
                len(header) != 1
                or bytes(header["magic"][0]) != _MAGIC
                or header["header_sum"][0] != _sum(header)
            ):
                return None
            if header["dims"][0] != dims:
                return None
            shapes = _shapes(header)
            sizes = [int(np.prod(shape)) * np.dtype(kind).itemsize for kind, shape in shapes]
            size = os.fstat(file.fileno()).st_size
            if size != _HEADER.itemsize + sum(sizes) or _contents_sum(file) != header["sum"][0]:
                return None
            file.seek(_HEADER.itemsize)
            axes, middles, starts, order, signs = (
                np.fromfile(file, kind, int(np.prod(shape))).reshape(shape) for kind, shape in shapes
            )
    except (OSError, ValueError):
        return None
    return Lists(
        header["generation"][0].decode(),
        len(order),
        axes,
        numkong.dots_pack(in_eights(middles)),
        starts,
        order,
        signs,
    )


def _shapes(header: NDArray[np.void]) -> list[tuple[type, tuple[int, ...]]]:
    """Of what kind and shape the parts of the file are."""
    rows, dims, axes, lists = (int(header[name][0]) for name in ("rows", "dims", "axes", "lists"))
    return [
        (np.float32, (dims, axes)),
        (np.int8, (lists, axes)),
        (np.int64, (lists + 1,)),
        (np.int32, (rows,)),
        (np.uint64, (rows, -(-dims // 64))),
    ]


def _sum(header: NDArray[np.void]) -> int:
    return zlib.crc32(header.tobytes()[: -_HEADER["header_sum"].itemsize])


def _contents_sum(file: BinaryIO) -> int:
    file.seek(_HEADER.itemsize)
    found = 0
    while block := file.read(_READ):
        found = zlib.crc32(block, found)
    return found


def write(path: Path, generation: str, segments: list[NDArray[np.int8]]) -> None:
    """Makes the lists of the vectors in ``segments`` (int8, shape (rows, dims) each), in the file ``path``.

    The same vectors have the same lists, where numpy computes with as many threads. A kill leaves what was
    there before.
    """
    axes, middles, list_of_row = _made(segments)
    order = np.argsort(list_of_row, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(list_of_row, minlength=len(middles)))])
    signs = np.concatenate([as_words(part > 0) for _, part in _parts(segments)])[order]
    header = np.zeros(1, _HEADER)
    header["magic"], header["generation"], header["rows"] = _MAGIC, generation.encode(), len(order)
    header["dims"], header["axes"], header["lists"] = *axes.shape, len(middles)
    contents = [
        np.ascontiguousarray(part, kind).tobytes()
        for part, (kind, _) in zip((axes, middles, starts, order, signs), _shapes(header), strict=True)
    ]
    total = 0
    for content in contents:
        total = zlib.crc32(content, total)
    header["sum"] = total
    header["header_sum"] = _sum(header)
    partial = path.with_suffix(".part")
    try:
        with partial.open("wb") as file:
            file.write(header.tobytes())
            for content in contents:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


# -- which row stands in which list


def _made(
    segments: list[NDArray[np.int8]],
) -> tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.int32]]:
    """The principal axes (dims, axes), the middles of the lists in them, and the list of each row."""
    chance = np.random.default_rng(0)
    rows = sum(map(len, segments))
    sample = np.sort(chance.permutation(rows)[:_SAMPLE])
    some = _take(segments, sample)
    axes = np.linalg.eigh(some.T @ some)[1][:, ::-1][:, :_AXES].astype(np.float32)
    groups = _middles(some, max(isqrt(rows // PER_LIST), 1), _GROUP_ROUNDS, chance)
    tried = min(_GROUPS_TRIED, len(groups))
    nearest = np.empty((rows, tried), np.int32)
    for start, part in _parts(segments):
        products = part.astype(np.float32) @ groups.T
        best = np.argpartition(-products, tried - 1, axis=1)[:, :tried]
        ordered = np.argsort(-np.take_along_axis(products, best, 1), axis=1)
        nearest[start : start + len(part)] = np.take_along_axis(best, ordered, 1)
    members, lists = _members(nearest[:, 0], len(groups)), []
    for rows_of_group in members:
        count = -(-len(rows_of_group) // PER_LIST)
        lists.append(_middles(_take(segments, rows_of_group), count, _LIST_ROUNDS, chance))
    first_list = np.concatenate([[0], np.cumsum([len(middles) for middles in lists])]).astype(np.int64)
    list_of_row, best_of_row = np.zeros(rows, np.int32), np.full(rows, -np.inf, np.float32)
    for group, middles in enumerate(lists):
        with_group = np.flatnonzero((nearest == group).any(axis=1)) if len(middles) else np.zeros(0, np.int64)
        for start in range(0, len(with_group), _CHUNK):
            some = with_group[start : start + _CHUNK]
            products = _take(segments, some, unit=False) @ middles.T
            best, cosines = products.argmax(axis=1), products.max(axis=1)
            better = cosines > best_of_row[some]
            list_of_row[some[better]] = best[better] + first_list[group]
            best_of_row[some[better]] = cosines[better]
    return axes, _scaled(np.concatenate(lists) @ axes), list_of_row


def _middles(
    vectors: NDArray[np.float32], count: int, rounds: int, chance: np.random.Generator
) -> NDArray[np.float32]:
    """At most ``count`` unit vectors in the midst of ``vectors``, by spherical k-means."""
    middles = vectors[chance.permutation(len(vectors))[:count]]
    for _ in range(rounds if len(middles) > 1 else 0):
        nearest = np.concatenate(
            [(vectors[s : s + _CHUNK] @ middles.T).argmax(axis=1) for s in range(0, len(vectors), _CHUNK)]
        )
        members = np.bincount(nearest, minlength=len(middles))
        first = (np.cumsum(members) - members)[members > 0]
        sums = np.add.reduceat(vectors[np.argsort(nearest, kind="stable")], first, axis=0)
        middles[members > 0] = _unit(sums)
    return middles


def _members(group_of_row: NDArray[np.int32], groups: int) -> list[NDArray[np.int64]]:
    """The rows of each group, ascending."""
    order = np.argsort(group_of_row, kind="stable")
    return np.split(order, np.searchsorted(group_of_row[order], np.arange(1, groups)))


def _parts(segments: list[NDArray[np.int8]]) -> Iterator[tuple[int, NDArray[np.int8]]]:
    """All rows, some thousand at a time, with the number of the first."""
    first = 0
    for segment in segments:
        for start in range(0, len(segment), _CHUNK):
            yield first + start, segment[start : start + _CHUNK]
        first += len(segment)


def _take(
    segments: list[NDArray[np.int8]], rows: NDArray[np.int64], unit: bool = True
) -> NDArray[np.float32]:
    """The vectors of ``rows``, which ascend."""
    bounds = np.cumsum([0, *map(len, segments)])
    places = np.searchsorted(rows, bounds)
    found = np.concatenate(
        [
            segment.take(rows[places[i] : places[i + 1]] - bounds[i], 0).astype(np.float32)
            for i, segment in enumerate(segments)
        ]
    )
    return _unit(found) if unit else found


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
