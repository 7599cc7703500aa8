"""Answers one query: by id, by title, else by words and meaning together, within its restrictions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..model.identifiers import Identifier
from ..model.text import title_key
from ..model.validation import MAX_TITLE
from ..store import Store
from .answers import Answer, Hit
from .duplicates import near_duplicates
from .facets import Facet
from .fusion import Fused, fused, trust
from .meaning import Asked, Meaning, Nearest, SlowEncoderError
from .query import Query
from .sentences import best_cosines
from .spelling import did_you_mean
from .tuning import Tuning
from .words import WordMatches, Words

log = logging.getLogger(__name__)

# Beyond the thousandth paper nobody reads on.
MAX_TOTAL = 1_000

# So many papers that fulfil the restrictions are listed and compared one by one; where they are more, the
# nearest of all papers are looked through, at first and at most so many.
_LISTED = 20_000
_DEEP, _DEEPEST = 4_000, 64_000
# Of the nearest papers so many get their score by words, where they are not among the best by words.
_SCORED = 10
# Near duplicates are looked for among the best.
_FOLDED = 60
# Facets count the papers of a few filters all, of words and meaning the best.
_COUNTED = 300
# In another order than by relevance only papers count that score so much of what the best one does.
_RELEVANT = 0.5
# So many seconds an answer waits for the encoder.
PATIENCE = 0.5

# What tantivy does for an answer while the interpreter does something else for it.
_beside = ThreadPoolExecutor(4, thread_name_prefix="words")
# Below this share of papers with a vector an answer says that meaning does not know all of them.
_MOSTLY_ENCODED = 0.9


@dataclass(frozen=True, slots=True)
class _Found:
    """Candidates in order, and of each the place of its best sentence (-1 where that is not known).

    ``vector`` is that of the query, if it has one.
    """

    fused: Fused
    sentences: NDArray[np.int32]
    vector: NDArray[np.float32] | None = None

    def taken(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> _Found:
        return replace(self, fused=self.fused.taken(places), sentences=self.sentences[places])

    def without(self, keys: list[int]) -> _Found:
        return self.taken(~np.isin(self.fused.keys, keys)) if keys else self


@dataclass(frozen=True, slots=True)
class Answering:
    """The parts that answer queries, as they are at one moment.

    ``meaning`` is None where there is no encoder. ``side`` is ``both``, or ``words`` or ``meaning``
    alone. ``report`` is told what is amiss with a part: its name and a message for operators.
    ``patience`` is how many seconds an answer waits for the encoder.
    """

    store: Store
    words: Words
    meaning: Meaning | None
    tuning: Tuning
    side: str
    report: Callable[[str, str], None]
    patience: float = PATIENCE

    def answer(
        self,
        answer: Answer,
        limit: int,
        offset: int,
        extras: bool,
        meanwhile: Callable[[Query], None] | None = None,
    ) -> None:
        """Fills ``answer``, whose query is parsed; ``extras`` are facets and a better spelling.

        ``meanwhile`` is called with the query as soon as the encoder works without the interpreter's lock.
        """
        query = answer.parsed
        answer.notes += query.notes
        # While the query is encoded, the store and the words are asked: both leave the interpreter's lock.
        asked = self._asked(query)
        if meanwhile:
            meanwhile(query)
        named, only = self._named(query, answer)
        found = None
        if query.restricted and not query.text:
            self._list(query, answer, limit, offset)
        elif not only:
            found = self._found(query, answer, asked, extras)
            if not len(found.fused.keys) and (looser := _without_phrases(query)):
                answer.notes.append("No paper has that phrase; its words were searched for.")
                answer.parsed = query = looser
                found = self._found(query, answer, self._asked(query), False)
            found = found.without([hit.key for hit in named])
            found = self._ordered(query, found)
            folded = self._folded(query, found)
            found = found.taken(~np.isin(found.fused.keys, [key for keys in folded.values() for key in keys]))
            if extras:
                self._count_facets(answer, found)
            answer.total = min(len(named) + len(found.fused.keys), MAX_TOTAL)
            end = min(offset + limit, MAX_TOTAL)
            answer.hits = named[offset:end]
            if end > len(named):
                hits = self._hits(found, max(offset - len(named), 0), end - len(named))
                answer.hits += [replace(hit, folded=folded.get(hit.key, ())) for hit in hits]
        else:
            answer.total, answer.hits = len(named), named[offset : offset + limit]
        if extras and not only and found is None:
            self._count_facets(answer, None)

    # -- by name

    def _named(self, query: Query, answer: Answer) -> tuple[list[Hit], bool]:
        """The papers whose id or title was typed, and whether nothing else was asked for."""
        pasted = query.pasted
        identifiers = pasted.identifiers if pasted else ()
        keys = [key for key in map(self._key, identifiers) if key is not None]
        hits = [Hit(key, 1.0, None, None, "id") for key in dict.fromkeys(keys)]
        if not identifiers and not query.restricted and len(query.typed) <= 200 and " " not in query.typed:
            # A paper may be known by an id that only the store can tell from a word (OpenReview).
            key = self.store.resolve(query.typed)
            if key is not None:
                return [Hit(key, 1.0, None, None, "id")], True
        if hits:
            return hits, True
        if identifiers:
            names = ", ".join(identifier.value for identifier in identifiers[:3])
            answer.notes.append(f"No paper with the id {names} is known here.")
            if not pasted or pasted.kind == "id":
                return [], True
        return self._by_title(pasted.title if pasted and pasted.title else "", query), False

    def _key(self, identifier: Identifier) -> int | None:
        return self.store.resolve(identifier.key)

    def _by_title(self, pasted: str, query: Query) -> list[Hit]:
        """The papers of that title: as typed, whatever was read into it, else as it is searched for."""
        keys = self._titled(pasted) or self._titled(query.typed)
        if not keys and query.text != query.typed:
            found = np.array(self._titled(query.text), np.int64)
            keys = found[self.words.among(query, found)].tolist() if len(found) else []
        return [Hit(key, 1.0, None, None, "title") for key in keys]

    def _titled(self, title: str) -> list[int]:
        known = len(title) <= MAX_TITLE and title_key(title)
        return self.store.keys_with_title(title) if known else []

    # -- by filters alone

    def _list(self, query: Query, answer: Answer, limit: int, offset: int) -> None:
        order = "votes" if query.sort == "votes" else "date"
        answer.total = min(self.words.total(query), MAX_TOTAL)
        limit = max(min(limit, MAX_TOTAL - offset), 0)
        keys = self.words.listed(query, limit, offset, order)
        answer.hits = [Hit(int(key), 1.0, None, None, "filters") for key in keys]

    # -- by words and meaning

    def _asked(self, query: Query) -> Asked | None:
        """Begins to encode the words of ``query`` and to look for the papers nearest to them."""
        only_named = query.pasted is not None and query.pasted.kind == "id"
        if not self.meaning or not self.meaning.vectors.count or self.side == "words":
            return None
        if not query.text or only_named:
            return None
        return self.meaning.ask_nearest(query.text, 0 if query.restricted else self.tuning.candidates)

    def _found(self, query: Query, answer: Answer, asked: Asked | None, spelling: bool) -> _Found:
        """What the sides that can answer find together; ``asked`` is what `_asked` began.

        With ``spelling`` a better one is looked for, while what was asked is not there yet.
        """
        self._note_unencoded(answer)
        matches = WordMatches.none() if self.side == "meaning" else self._by_words(query, answer)
        if spelling:
            answer.did_you_mean = did_you_mean(self.words, answer.query)
        if self.meaning and asked:
            until = time.monotonic() + self.patience
            try:
                vector = self.meaning.wait_for(asked.vector, self.patience)
                # While the nearest are being looked for.
                theirs = self.meaning.vectors.cosines(vector, matches.keys)
                near, nearness = self.meaning.wait_for(asked.nearest, max(until - time.monotonic(), 0))
            except SlowEncoderError:
                answer.notes.append("Searched by words alone: the encoder did not answer in time.")
            except Exception as error:  # whatever an encoder of somebody else's does
                log.error("the encoder failed: %s", error)
                self.report("encoder", f"The encoder failed ({error}).")
                answer.notes.append("Searched by words alone: the encoder failed.")
            else:
                if query.restricted:
                    near, nearness = self._nearest(query, self.meaning, vector)
                return self._joined(query, self.meaning, matches, theirs, vector, near, nearness)
        nothing = np.full(len(matches.keys), np.nan, np.float32)
        found = fused(matches.keys, matches.scores, nothing, 0.0, tuning=self.tuning)
        return _Found(found, np.full(len(found.keys), -1, np.int32))

    def _joined(
        self,
        query: Query,
        meaning: Meaning,
        matches: WordMatches,
        theirs: NDArray[np.float32],
        vector: NDArray[np.float32],
        near: NDArray[np.int64],
        nearness: NDArray[np.float32],
    ) -> _Found:
        """The papers found by words, whose cosines with ``vector`` are ``theirs``, and those ``near`` to it.

        The best of them count once more, with what their nearest sentences add to their meaning.
        """
        tuning = self.tuning
        keys = np.union1d(matches.keys, near)
        words, cosines = np.zeros(len(keys), np.float32), np.full(len(keys), np.nan, np.float32)
        matched = np.searchsorted(keys, matches.keys)
        words[matched], cosines[matched] = matches.scores, theirs
        cosines[np.searchsorted(keys, near)] = nearness
        near_alone = near[:_SCORED] if self.side == "both" else near[:0]
        near_alone = np.setdiff1d(near_alone, matches.keys, assume_unique=True)
        scores = _beside.submit(self._scores, query, near_alone)
        weight = 1.0 if self.side == "meaning" else tuning.meaning_weight
        # Those that are scored meanwhile are not among the best by words, on whom trust depends.
        rare = np.isin(keys, matches.rare)
        trusted = trust(words, cosines, rare, matches.perfect, self.words.count, tuning)
        first = fused(keys, words, cosines, weight, trusted, tuning)
        chosen = np.searchsorted(keys, np.union1d(first.keys[: tuning.rescored], near_alone))
        best = np.full(len(keys), -1, np.int32)
        codes, counts = meaning.vectors.sentences(keys[chosen])
        spoken, best[chosen] = best_cosines(vector, codes, counts)
        known = ~np.isnan(spoken)
        share = tuning.sentence_share
        places = chosen[known]
        cosines[places] = (1 - share) * cosines[places] + share * spoken[known]
        words[np.searchsorted(keys, near_alone)] = scores.result()
        second = fused(keys, words, cosines, weight, trusted, tuning)
        return _Found(second, best[np.searchsorted(keys, second.keys)], vector)

    def _note_unencoded(self, answer: Answer) -> None:
        """Notes the papers that meaning does not know yet."""
        if self.side == "words" or self.meaning is None:
            return
        encoded, papers = self.meaning.vectors.count, self.words.count
        if encoded == 0 and papers:
            answer.notes.append("Searched by words alone: the papers are still being encoded.")
        elif encoded < _MOSTLY_ENCODED * papers:
            answer.notes.append(
                f"{papers - encoded:,} of {papers:,} papers are searched by words alone: "
                "they are still being encoded."
            )

    def _by_words(self, query: Query, answer: Answer) -> WordMatches:
        if self.side != "words" and self.meaning is None:
            answer.notes.append("Searched by words alone: no encoder is installed.")
        try:
            return self.words.search(query, self.tuning.candidates)
        except BaseException as error:  # tantivy's panics are no Exceptions
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            log.error("the words part of the search index failed: %s", error)
            self.report(
                "words", f"The words part of the index cannot be read ({error}); run: broadsheet reindex"
            )
            answer.notes.append("Searched by meaning alone: the words part of the index cannot be read.")
            return WordMatches.none()

    def _scores(self, query: Query, keys: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            return self.words.scores(query, keys)
        except BaseException as error:  # as above, where it was reported
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            return np.zeros(len(keys), np.float32)

    def _nearest(self, query: Query, meaning: Meaning, vector: NDArray[np.float32]) -> Nearest:
        """The papers nearest to ``vector`` that fulfil the restrictions."""
        wanted = self.tuning.candidates
        allowed = self.words.allowed(query, _LISTED)
        if allowed is not None:
            return meaning.vectors.nearest(vector, wanted, allowed)
        depth = _DEEP
        while True:
            near, nearness = meaning.vectors.nearest(vector, depth)
            fulfilling = np.flatnonzero(self.words.among(query, near))[:wanted]
            if len(fulfilling) == wanted or depth >= _DEEPEST or len(near) < depth:
                return near[fulfilling], nearness[fulfilling]
            depth *= 4

    # -- what the reader sees of it

    def _ordered(self, query: Query, found: _Found) -> _Found:
        """``found`` in the order that the query asks for."""
        if query.sort == "relevance" or not len(found.fused.keys):
            return found
        relevant = found.taken(found.fused.scores >= _RELEVANT * found.fused.scores[0])
        return relevant.taken(self.words.order(relevant.fused.keys, query.sort))

    def _folded(self, query: Query, found: _Found) -> dict[int, tuple[int, ...]]:
        """Maps the key of a paper to those of papers that say nearly the same and come after it."""
        if not self.tuning.fold or self.meaning is None or query.sort != "relevance":
            return {}
        keys, vectors = self.meaning.vectors.vectors_of(found.fused.keys[:_FOLDED])

        def titles(places: object) -> list[str]:
            asked = [int(keys[place]) for place in places]  # type: ignore[attr-defined]
            known = self.store.titles(asked)
            return [known.get(key, "") for key in asked]

        folded: dict[int, tuple[int, ...]] = {}
        for later, first in sorted(near_duplicates(vectors, titles).items()):
            folded[int(keys[first])] = (*folded.get(int(keys[first]), ()), int(keys[later]))
        return folded

    def _hits(self, found: _Found, start: int, end: int) -> list[Hit]:
        """The places ``start`` to ``end`` of ``found``."""
        asked_words = self.side != "meaning"
        asked_meaning = self.side == "meaning" or bool(found.fused.meaning.any())
        page = self._with_sentences(found.taken(np.arange(start, min(end, len(found.fused.keys)))))
        columns = (page.fused.keys, page.fused.scores, page.fused.words, page.fused.meaning, page.sentences)
        return [
            Hit(
                key,
                score,
                words if asked_words else None,
                meaning if asked_meaning else None,
                _reason(words, meaning),
                sentence if sentence >= 0 else None,
            )
            for key, score, words, meaning, sentence in zip(*(c.tolist() for c in columns), strict=True)
        ]

    def _with_sentences(self, page: _Found) -> _Found:
        """``page`` with the best sentences of papers that were no candidates for the first places."""
        missing = np.flatnonzero(page.sentences < 0)
        if self.meaning is None or page.vector is None or not len(missing):
            return page
        sentences = page.sentences.copy()
        codes = self.meaning.vectors.sentences(page.fused.keys[missing])
        sentences[missing] = best_cosines(page.vector, *codes)[1]
        return replace(page, sentences=sentences)

    def _count_facets(self, answer: Answer, found: _Found | None) -> None:
        query, keys = answer.parsed, found.fused.keys[:_COUNTED] if found else None
        if keys is not None and self.words.counts_quickly:
            answer.counted = self._facets(query, keys)
        else:
            # tantivy leaves the interpreter's lock, so that the page is made meanwhile.
            answer.counted = _beside.submit(self._facets, query, keys)

    def _facets(self, query: Query, keys: NDArray[np.int64] | None) -> list[Facet]:
        try:
            return self.words.facets(query, keys)
        except BaseException as error:  # tantivy's panics are no Exceptions
            log.error("facets failed: %s", error)
            return []


def _without_phrases(query: Query) -> Query | None:
    """``query`` with its phrases as mere words; None where there are none."""
    required = tuple(clause for clause in query.required if clause.field != "any")
    return replace(query, required=required) if required != query.required else None


def _reason(words: float, meaning: float) -> str:
    return "words and meaning" if words > 0 and meaning > 0 else "words" if words > 0 else "meaning"
