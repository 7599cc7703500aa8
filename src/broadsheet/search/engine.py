"""The search engine of one home: finds papers by id, title, words and meaning; follows the store."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from ..model.identifiers import find_identifier
from ..model.text import title_key
from ..model.validation import MAX_TITLE
from ..store import Store
from . import following
from .encoder import Encoder, EncoderError, installed_folder
from .files import DamagedIndexError
from .fusion import MEANING_WEIGHT, Fused, fused
from .vectors import Similarities, Vectors
from .words import WordMatches, Words

log = logging.getLogger(__name__)

# A query may be a pasted abstract (the longest known has 4,000 characters), not a book.
MAX_QUERY = 5_000
# Candidates of each side. Beyond the thousandth paper nobody reads on.
CANDIDATES = 300
MAX_TOTAL = 1_000

# Making an empty part takes a moment; so long a process waits for another one that does it.
_OPEN_SECONDS = 10.0

_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WORD = re.compile(r"[^\W_]")

# Below this share of papers with a vector an answer says that meaning does not know all of them.
_MOSTLY_ENCODED = 0.9

SIDES = ("both", "words", "meaning")


@dataclass(frozen=True, slots=True)
class Hit:
    """A paper found: its ``score`` (0 to 1) is the sum of the shares of ``words`` and ``meaning``.

    A share is None where that side was not asked. ``reason`` is ``id``, ``title``, ``words``,
    ``meaning`` or ``words and meaning``.
    """

    key: int
    score: float
    words: float | None
    meaning: float | None
    reason: str


@dataclass(slots=True)
class Answer:
    """One page of what a query found, of ``total`` papers that paging reaches."""

    query: str
    total: int = 0
    hits: list[Hit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the index is: ``seen`` of the ``last`` change of the store, papers found by each side.

    ``behind`` counts changes that words do not know yet, ``unencoded`` papers that words find and
    meaning does not. ``encoder`` is empty where there is none; ``message`` says what is amiss.
    """

    seen: int
    last: int
    words: int
    vectors: int
    behind: int
    unencoded: int
    encoder: str
    message: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Engine:
    """Search over the papers of one store. Safe to use from several threads and processes."""

    def __init__(self, home: Path, store: Store, encoder: Encoder | None, side: str, message: str):
        self._folder = home / "index"
        self._store = store
        self._encoder = encoder
        self._side = side
        self._messages: dict[str, str] = {"encoder": message} if message else {}
        # Who pages through results asks the same again.
        self._query_vector = lru_cache(maxsize=256)(encoder.encode_query) if encoder else None
        self._writing = threading.Lock()
        self._lock = filelock.FileLock(self._folder / "write.lock", thread_local=False)
        self._helper = ThreadPoolExecutor(4, thread_name_prefix="words")
        self._words = self._open_words()
        self._vectors = self._open_vectors()

    @classmethod
    def open(
        cls, home: Path, store: Store, encoder_folder: str = "", threads: int = 2, *, side: str = "both"
    ) -> Engine:
        """Opens the index in ``home``; builds nothing (see `follow`).

        A missing or broken encoder, or damage to the index, is told by `state`, not raised: what
        remains answers.

        Args:
            home: the data folder; the index lies in ``index`` under it.
            store: where the papers are.
            encoder_folder: folder of an encoder; empty means the installed one.
            threads: texts that are encoded at a time.
            side: ``words`` or ``meaning`` searches by that side alone, to compare.
        Raises:
            OSError: if the folder cannot be written.
        """
        if side not in SIDES:
            raise ValueError(f"{side!r} is no side of search; write one of {', '.join(SIDES)}")
        (home / "index").mkdir(parents=True, exist_ok=True)
        encoder, message = None, ""
        try:
            encoder = Encoder(Path(encoder_folder) if encoder_folder else installed_folder(), threads)
        except EncoderError as error:
            message = str(error)
        return cls(home, store, encoder, side, message)

    def close(self) -> None:
        self._helper.shutdown()
        if self._encoder:
            self._encoder.close()

    # -- the parts on disk

    def _open_part(self, name: str, kind: type[Words] | type[Vectors], opened: Callable[[], Any]) -> Any:
        """A part of the index; one that is missing is begun, one that is damaged moved aside and begun anew.

        What is there and whole is opened without waiting for whoever writes it.
        """
        with contextlib.suppress(DamagedIndexError):
            if kind.exists(self._part_folder(name)):
                return opened()
        try:
            lock = self._lock.acquire(timeout=_OPEN_SECONDS)
        except filelock.Timeout as error:
            raise OSError(
                f"the {name} part of the search index in {self._folder} cannot be opened while another "
                "process writes it; wait for that, or stop it"
            ) from error
        with lock:
            try:
                return opened()
            except DamagedIndexError as error:
                log.warning("the %s part of the search index is damaged and is built anew: %s", name, error)
                self._messages[name] = (
                    f"The {name} part of the index was damaged and is built anew ({error})."
                )
                self._move_aside(name)
                return opened()

    def _move_aside(self, name: str) -> None:
        # Only the newest damaged one is kept, for whoever wants to know what happened.
        aside = self._folder / f"damaged-{name}"
        shutil.rmtree(aside, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            self._part_folder(name).rename(aside)

    def _part_folder(self, name: str) -> Path:
        # Vectors of two encoders cannot be compared, so each has a folder of its own.
        if name == "meaning" and self._encoder:
            return self._folder / f"vectors-{self._encoder.identity[:16]}"
        return self._folder / name

    def _open_words(self) -> Words:
        folder = self._part_folder("words")
        return self._open_part("words", Words, lambda: Words(folder))

    def _open_vectors(self) -> Vectors | None:
        if self._encoder is None:
            return None
        encoder = self._encoder
        folder = self._part_folder("meaning")
        return self._open_part("meaning", Vectors, lambda: Vectors(folder, encoder.dims, encoder.identity))

    def _refresh(self) -> None:
        """Sees what another process indexed; what cannot be read now stays as it was known."""
        for part in (self._words, self._vectors):
            if part is not None:
                try:
                    part.refresh()
                except (DamagedIndexError, OSError, ValueError) as error:
                    log.warning("the search index could not be read anew: %s", error)

    # -- searching

    def search(self, query: str, limit: int = 20, offset: int = 0) -> Answer:
        """The papers that ``query`` means: by id, by title, else by words and meaning together.

        Never fails on what a person may type; what was left out of consideration stands in the notes.
        """
        started = time.perf_counter()
        answer = Answer(query=query)
        limit, offset = max(limit, 0), max(offset, 0)
        text = self._clean(query, answer)
        if _WORD.search(text):
            self._refresh()
            named = self._by_id(text, answer)
            found = None
            if named is None:
                named = self._by_title(text)
                found = self._found(text, answer).without([hit.key for hit in named])
            answer.total = min(len(named) + (len(found.keys) if found else 0), MAX_TOTAL)
            end = min(offset + limit, MAX_TOTAL)
            answer.hits = named[offset:end]
            if found and end > len(named):
                answer.hits += self._hits(found, max(offset - len(named), 0), end - len(named))
        elif query.strip():
            answer.notes.append("Nothing was searched for: the query has neither letters nor digits.")
        answer.seconds = time.perf_counter() - started
        return answer

    @staticmethod
    def _clean(query: str, answer: Answer) -> str:
        if len(query) > MAX_QUERY:
            answer.notes.append(
                f"The query has {len(query):,} characters; the first {MAX_QUERY:,} were searched for."
            )
            query = query[:MAX_QUERY]
        return _SPACE.sub(" ", _CONTROL.sub(" ", query)).strip()

    def _by_id(self, text: str, answer: Answer) -> list[Hit] | None:
        """The paper whose id or address ``text`` is; None where it is neither."""
        identifier = find_identifier(text)
        # A paper may be known by an id that only the store can tell from a word (OpenReview).
        if identifier or (len(text) <= 200 and " " not in text):
            key = self._store.resolve(text)
            if key is not None:
                return [Hit(key, 1.0, None, None, "id")]
        if identifier:
            answer.notes.append(f"No paper with the id {identifier.value} is known here.")
            return []
        return None

    def _by_title(self, text: str) -> list[Hit]:
        if len(text) > MAX_TITLE or not title_key(text):
            return []
        return [Hit(key, 1.0, None, None, "title") for key in self._store.keys_with_title(text)]

    def _hits(self, found: Fused, start: int, end: int) -> list[Hit]:
        """The places ``start`` to ``end`` of ``found``."""
        asked_words = self._side != "meaning"
        asked_meaning = self._side == "meaning" or bool(found.meaning.any())
        hits = []
        for place in range(start, min(end, len(found.keys))):
            words, meaning = float(found.words[place]), float(found.meaning[place])
            reason = "words and meaning" if words > 0 and meaning > 0 else "words" if words > 0 else "meaning"
            hits.append(
                Hit(
                    int(found.keys[place]),
                    float(found.scores[place]),
                    words if asked_words else None,
                    meaning if asked_meaning else None,
                    reason,
                )
            )
        return hits

    def _found(self, text: str, answer: Answer) -> Fused:
        """What the sides that can answer find together."""
        # The words are looked up while the query is encoded: both leave the interpreter's lock.
        pending = None if self._side == "meaning" else self._helper.submit(self._by_words, text, answer)
        similarities = None
        if self._side != "words":
            similarities = self._by_meaning(text, answer)
        matches = pending.result() if pending else WordMatches.none()
        if similarities is None:
            return fused(matches.keys, matches.scores, np.zeros(len(matches.keys), np.float32), 0.0)
        near, _ = similarities.best(CANDIDATES)
        keys = np.union1d(matches.keys, near)
        words = np.zeros(len(keys), np.float32)
        words[np.searchsorted(keys, matches.keys)] = matches.scores
        weight = 1.0 if self._side == "meaning" else MEANING_WEIGHT
        return fused(keys, words, similarities.of(keys), weight)

    def _by_words(self, text: str, answer: Answer) -> WordMatches:
        try:
            return self._words.search(text, CANDIDATES)
        except BaseException as error:  # tantivy's panics are no Exceptions
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            log.error("the words part of the search index failed: %s", error)
            self._messages["words"] = (
                f"The words part of the index cannot be read ({error}); run: broadsheet reindex"
            )
            answer.notes.append("Searched by meaning alone: the words part of the index cannot be read.")
            return WordMatches.none()

    def _by_meaning(self, text: str, answer: Answer) -> Similarities | None:
        if self._query_vector is None or self._vectors is None:
            answer.notes.append("Searched by words alone: no encoder is installed.")
            return None
        encoded, papers = self._vectors.count, self._words.count
        if encoded == 0:
            if papers:
                answer.notes.append("Searched by words alone: the papers are still being encoded.")
            return None
        if encoded < _MOSTLY_ENCODED * papers:
            answer.notes.append(
                f"{papers - encoded:,} of {papers:,} papers are searched by words alone: "
                "they are still being encoded."
            )
        try:
            return self._vectors.similarities(self._query_vector(text))
        except Exception as error:  # whatever an encoder of somebody else's does
            log.error("the encoder failed: %s", error)
            self._messages["encoder"] = f"The encoder failed ({error})."
            answer.notes.append("Searched by words alone: the encoder failed.")
            return None

    def similar(self, key: int, limit: int = 6) -> list[Hit]:
        """The papers most like the paper ``key``, itself left out; empty where it is not known.

        By meaning, from the stored vectors; by its words where it has none yet.
        """
        self._refresh()
        vector = self._vectors.vector(key) if self._vectors is not None else None
        if vector is not None and self._vectors is not None:
            keys, cosines = self._vectors.similarities(vector).best(limit + 1)
            pairs = zip(keys.tolist(), cosines.tolist(), strict=True)
            return [Hit(k, min(c, 1.0), None, c, "meaning") for k, c in pairs if k != key and c > 0][:limit]
        papers = self._store.papers([key])
        if not papers:
            return []
        text = following.encoded_text(papers[0])
        matches = self._by_words(text[:MAX_QUERY], Answer(query=""))
        found = fused(matches.keys, matches.scores, np.zeros(len(matches.keys), np.float32), 0.0)
        pairs = zip(found.keys.tolist(), found.scores.tolist(), strict=True)
        return [Hit(k, s, s, None, "words") for k, s in pairs if k != key][:limit]

    # -- keeping up

    def follow(
        self,
        store: Store | None = None,
        *,
        encode: bool = True,
        progress: Callable[..., None] | None = None,
        stop: threading.Event | None = None,
    ) -> following.Outcome:
        """Brings the index up to the store's change log: first all words, then the vectors.

        A kill at any instant loses at most the batch in hand; the next call goes on from there. Only
        one process does this at a time: where another one does, that is what the outcome says.

        Args:
            encode: False leaves the vectors for later.
            progress: called with what was done since the last call and the total, in changes.
            stop: ends it after the batch in hand when set.
        Raises:
            OSError: if the index cannot be written, with the remedy.
        """
        if not self._writing.acquire(blocking=False):
            return following.Outcome("The index is being brought up to date already.")
        try:
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout:
                return following.Outcome(
                    "Another process is bringing the index up to date; it takes in these papers."
                )
            try:
                return self._follow(store or self._store, encode, progress, stop)
            finally:
                self._lock.release()
        finally:
            self._writing.release()

    def _follow(
        self,
        store: Store,
        encode: bool,
        progress: Callable[..., None] | None,
        stop: threading.Event | None,
    ) -> following.Outcome:
        self._refresh()
        try:
            vectors = self._vectors if encode and self._encoder else None
            outcome = following.follow(store, self._words, vectors, self._encoder, progress, stop)
        except OSError as error:
            self._messages["disk"] = f"The index cannot be written: {error.strerror or error}"
            raise OSError(
                f"the search index in {self._folder} cannot be written ({error.strerror or error}); "
                "make room or mend the folder's permissions, nothing stored is lost",
            ) from error
        finally:
            with contextlib.suppress(OSError):
                self._words.end_writing()
        for name in ("words", "meaning", "disk") if outcome.complete else ("disk",):
            self._messages.pop(name, None)
        if outcome.complete and vectors is not None:
            self._drop_other_vectors()
        return outcome

    def _drop_other_vectors(self) -> None:
        """Removes the vectors of former encoders once those of this one are complete."""
        for folder in self._folder.glob("vectors-*"):
            if folder != self._part_folder("meaning") and not folder.name.endswith((".new", ".old")):
                shutil.rmtree(folder, ignore_errors=True)

    def reindex(self, progress: Callable[..., None] | None = None) -> following.Outcome:
        """Throws the index away and builds it anew from the store.

        Raises:
            OSError: if it cannot be written, or another process is writing it.
        """
        with self._writing:
            try:
                self._lock.acquire(timeout=10)
            except filelock.Timeout as error:
                raise OSError(
                    "another process is bringing the index up to date; wait for it, or stop the server first"
                ) from error
            try:
                shutil.rmtree(self._folder / "words", ignore_errors=True)
                for folder in self._folder.glob("vectors-*"):
                    shutil.rmtree(folder, ignore_errors=True)
                self._words = self._open_words()
                self._vectors = self._open_vectors()
                return self._follow(self._store, True, progress, None)
            finally:
                self._lock.release()

    def state(self) -> IndexState:
        """How far the index is, and what is amiss."""
        self._refresh()
        last, words = self._store.last_change(), self._words.count
        vectors = self._vectors.count if self._vectors is not None else 0
        return IndexState(
            seen=self._words.cursor,
            last=last,
            words=words,
            vectors=vectors,
            behind=max(last - self._words.cursor, 0),
            unencoded=max(words - vectors, 0),
            encoder=self._encoder.name if self._encoder else "",
            message=" ".join(self._messages.values()),
        )

    def index_bytes(self) -> int:
        """Bytes of the index on disk."""
        return self._words.bytes() + (self._vectors.bytes() if self._vectors is not None else 0)
