"""Sentences: where those of a paper begin and end, and their vectors in two bits a dimension.

The vector of a sentence is the mean of its tokens' vectors from the one reading of the whole text, so it
costs nothing more to make. It ranks the best candidates of a search once more and says which sentence
answers the query; for both, two bits a dimension do as well as floats (docs/search.md).
"""

from __future__ import annotations

import re

import numkong
import numpy as np
from numpy.typing import NDArray

# A paper has at most so many sentences, its title the first of them: beyond, the shortest are joined.
MOST = 12
# Shorter pieces are joined with what follows: "We agree." says nothing by itself.
_LEAST = 40
# No encoder reads on here: 256 tokens seldom have 2,000 characters.
_READ = 3_000

# A sentence ends before white space, with what closes it; where words have no spaces between, at once.
# Most texts have full stops alone, which are found several times as fast.
_CLOSING = r"""["')\]\u201d\u2019]*"""
_END_STOP = re.compile(rf"(\.{_CLOSING})\s+(?=\S)")
_END = re.compile(rf"([.!?]{_CLOSING})\s+(?=\S)")
_END_ANYWHERE = re.compile(rf"([.!?]{_CLOSING}(?=\s+\S)|[\u3002\uff01\uff1f])\s*")
# After these, and after a single letter, a full stop does not end a sentence.
_ABBREVIATIONS = (
    *("e.g", "i.e", "et al", "cf", "vs", "viz", "resp", "approx", "etc", "Fig", "Figs", "Eq", "Eqs", "Sec"),
    *("Ref", "Refs", "Tab", "No", "Dr", "Prof", "Mr", "Ms", "St"),
)
_ABBREVIATION = re.compile(rf"(?:\b(?:{'|'.join(map(re.escape, _ABBREVIATIONS))})|(?:^|[\s(])[A-Za-z])\.$")
# Most sentences end otherwise, which two characters tell.
_ABBREVIATION_ENDS = frozenset(one[-2:] for one in _ABBREVIATIONS)

# The best four levels for normally distributed components (Max, 1960), in standard deviations.
_THRESHOLD, _INNER, _OUTER = 0.9816, 0.4528, 1.5104
# Such levels keep so much of a vector's length along itself; dividing by it gives cosines again.
_KEPT = 0.8825
_LEVELS = np.array([-_OUTER, -_INNER, _INNER, _OUTER], np.float32)
_INT8 = np.rint(_LEVELS * 127 / _OUTER).astype(np.int8)
# The eight components in each possible pair of bytes, as one number of eight bytes.
_PAIRS = np.arange(65_536, dtype="<u2").view(np.uint8).reshape(-1, 2)
_UNPACKED = np.stack([_INT8[(_PAIRS[:, i // 4] >> 2 * (i % 4)) & 3] for i in range(8)], axis=1)
_UNPACKED = np.ascontiguousarray(_UNPACKED).view(np.uint64).ravel()


def sentence_spans(title: str, abstract: str) -> tuple[tuple[int, int], ...]:
    """Where the sentences of ``title``, a line break and ``abstract`` begin and end, in characters.

    The title is the first. The same text has the same sentences for ever: stored vectors go by their order.
    """
    shift = len(title) + 1
    more = ((shift + first, shift + last) for first, last in abstract_spans(title, abstract))
    return ((0, len(title)), *more) if title else tuple(more)


def abstract_spans(title: str, abstract: str) -> list[tuple[int, int]]:
    """Those of `sentence_spans` that are of ``abstract``, and where they stand in it."""
    return _spans(abstract[:_READ], MOST - bool(title))


def _spans(text: str, most: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    first = 0
    for end in _ends_in(text).finditer(text):
        last = end.end(1)
        if last - first >= _LEAST and not _is_abbreviated(text, last):
            spans.append((first, last))
            first = end.end()
    rest = len(text.rstrip())
    if rest > first:
        if spans and rest - first < _LEAST:
            spans[-1] = (spans[-1][0], rest)
        else:
            spans.append((first, rest))
    while len(spans) > most:
        shortest = min(range(len(spans) - 1), key=lambda i: spans[i + 1][1] - spans[i][0])
        spans[shortest : shortest + 2] = [(spans[shortest][0], spans[shortest + 1][1])]
    return spans


def _ends_in(text: str) -> re.Pattern[str]:
    if not text.isascii():
        return _END_ANYWHERE
    return _END if "!" in text or "?" in text else _END_STOP


def _is_abbreviated(text: str, end: int) -> bool:
    """Whether ``text`` up to ``end`` ends with an abbreviation."""
    before = text[end - 3 : end - 1]
    if before in _ABBREVIATION_ENDS or not before[:1].isalnum():
        return _ABBREVIATION.search(text, max(end - 8, 0), end) is not None
    return False


def code_bytes(dims: int) -> int:
    """Bytes of the code of one sentence."""
    return -(-dims // 4)


def coded(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The codes of unit ``vectors`` (n, dims): uint8, (n, `code_bytes`)."""
    count, dims = vectors.shape
    scaled = np.zeros((count, 4 * code_bytes(dims)), np.float32)
    scaled[:, :dims] = vectors * np.sqrt(dims)
    levels = (scaled > -_THRESHOLD).astype(np.uint8) + (scaled > 0) + (scaled > _THRESHOLD)
    quads = levels.reshape(count, code_bytes(dims), 4).astype(np.uint8)
    return quads[:, :, 0] | quads[:, :, 1] << 2 | quads[:, :, 2] << 4 | quads[:, :, 3] << 6


def cosines(query: NDArray[np.float32], codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """About the cosines of the unit vector ``query`` (dims,) with the sentences of ``codes`` (n, bytes)."""
    if not len(codes):
        return np.zeros(0, np.float32)
    if codes.shape[1] % 2:
        codes = np.pad(codes, ((0, 0), (0, 1)))
    width = 4 * codes.shape[1]
    components = _UNPACKED.take(codes.view("<u2")).view(np.int8).reshape(len(codes), width)
    largest = max(float(np.abs(query).max()), 1e-9)
    wanted = np.zeros((1, width), np.int8)
    wanted[0, : len(query)] = np.rint(query * (127 / largest))
    products = np.asarray(numkong.cdist(wanted, components, "dot"), np.float32).ravel()
    return products * np.float32(largest / 127 * _OUTER / 127 / len(query) ** 0.5 / _KEPT)


def best_cosines(
    query: NDArray[np.float32], codes: NDArray[np.uint8], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """For each paper the cosine of its best sentence and which one it is; NaN and -1 where it has none.

    Args:
        codes: of the sentences of all papers, one paper after the other.
        counts: how many of them each paper has.
    """
    best, place = np.full(len(counts), np.nan, np.float32), np.full(len(counts), -1, np.int32)
    known = np.flatnonzero(counts)
    if len(known):
        found = cosines(query, codes)
        lengths = counts[known]
        starts = np.cumsum(lengths) - lengths
        highest = np.maximum.reduceat(found, starts)
        # Of each paper the first sentence that is as near as its nearest.
        at_best = np.flatnonzero(found == np.repeat(highest, lengths))
        first = at_best[np.searchsorted(at_best, starts)]
        best[known], place[known] = highest, first - starts
    return best, place
