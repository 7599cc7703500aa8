"""The search engine of one home: opens the index, keeps up with the store, answers queries."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from ..store import Store
from . import following, likeness, vocabulary
from .answering import MAX_TOTAL, PATIENCE, Answering
from .answers import Answer, Hit, IndexState
from .encoder import Encoder, EncoderError, installed_folder
from .files import DamagedIndexError
from .meaning import Meaning, kept_encoder_folder, vectors_folder
from .query import MAX_TYPED, Query, parse
from .rows import State
from .tuning import Tuning
from .vectors import Vectors
from .words import Words

__all__ = ["MAX_QUERY", "MAX_TOTAL", "SIDES", "Answer", "Engine", "Hit", "IndexState", "Tuning"]

log = logging.getLogger(__name__)

# A query may be a pasted abstract (the longest known has 4,000 characters), not a book.
MAX_QUERY = MAX_TYPED

# Making an empty part takes a moment; so long a process waits for another one that does it.
_OPEN_SECONDS = 10.0

_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WORD = re.compile(r"[^\W_]")

SIDES = ("both", "words", "meaning")


class Engine:
    """Search over the papers of one store. Safe to use from several threads and processes."""

    def __init__(
        self,
        home: Path,
        store: Store,
        encoder: Encoder | None,
        side: str,
        message: str,
        tuning: Tuning | None = None,
        threads: int = 2,
        patience: float = PATIENCE,
    ):
        self._folder = home / "index"
        self._store = store
        self._side = side
        self._tuning = tuning or Tuning()
        self._patience = patience
        self._messages: dict[str, str] = {"encoder": message} if message else {}
        self._writing = threading.Lock()
        self._lock = filelock.FileLock(self._folder / "write.lock", thread_local=False)
        self._words: Words = self._open_part(
            "words", "words", Words.exists, lambda: Words(self._folder / "words")
        )
        former = self._former(encoder, threads)
        # New papers are encoded by the newest encoder; the former one answers until its vectors are complete.
        self._newest = self._open_meaning(encoder) if encoder else former
        self._meaning = former or self._newest

    @classmethod
    def open(
        cls,
        home: Path,
        store: Store,
        encoder_folder: str = "",
        threads: int = 2,
        *,
        side: str = "both",
        tuning: Tuning | None = None,
        patience: float = PATIENCE,
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
            tuning: other settings of ranking than the default ones, to compare.
            patience: seconds that an answer waits for the encoder; then words answer alone.
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
        return cls(home, store, encoder, side, message, tuning, threads, patience)

    def close(self) -> None:
        for meaning in {id(one): one for one in (self._meaning, self._newest) if one}.values():
            meaning.close()

    @property
    def words(self) -> Words:
        """The words part of the index, for suggestions."""
        return self._words

    @property
    def meaning(self) -> Meaning | None:
        """The encoder that new papers are encoded by, and its vectors; None where there is no encoder."""
        return self._newest

    # -- the parts on disk

    def _open_part(
        self, name: str, folder: str, exists: Callable[[Path], bool], opened: Callable[[], Any]
    ) -> Any:
        """A part of the index; one that is missing is begun, one that is damaged moved aside and begun anew.

        What is there and whole is opened without waiting for whoever writes it.
        """
        with contextlib.suppress(DamagedIndexError):
            if exists(self._folder / folder):
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
                self._move_aside(name, folder)
                return opened()

    def _move_aside(self, name: str, folder: str) -> None:
        # Only the newest damaged one is kept, for whoever wants to know what happened.
        aside = self._folder / f"damaged-{name}"
        shutil.rmtree(aside, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            (self._folder / folder).rename(aside)

    def _open_meaning(self, encoder: Encoder) -> Meaning:
        name = vectors_folder(self._folder, encoder.identity).name
        return self._open_part("meaning", name, Vectors.exists, lambda: Meaning.open(self._folder, encoder))

    def _former(self, encoder: Encoder | None, threads: int) -> Meaning | None:
        """What another encoder than ``encoder`` made, while ``encoder`` has made less, or is not there."""
        made = self._made(vectors_folder(self._folder, encoder.identity)) if encoder else -1
        for folder in self._folder.glob("vectors-*"):
            kept = kept_encoder_folder(self._folder, folder.name.removeprefix("vectors-"))
            if not kept.is_dir() or self._made(folder) <= made:
                continue
            try:
                former = Encoder(kept, threads)
            except EncoderError as error:
                log.warning("the former encoder cannot be used: %s", error)
                continue
            if not encoder or former.identity != encoder.identity:
                with contextlib.suppress(DamagedIndexError):
                    return Meaning.open(self._folder, former)
            former.close()
        return None

    @staticmethod
    def _made(folder: Path) -> int:
        """How many rows of vectors ``folder`` holds."""
        try:
            state = State.read(folder / "state.json")
        except (DamagedIndexError, OSError):
            return 0
        return state.rows if state else 0

    def _refresh(self) -> None:
        """Sees what another process indexed; what cannot be read now stays as it was known."""
        parts = [self._words, *(one.vectors for one in {self._meaning, self._newest} if one)]
        for part in parts:
            try:
                part.refresh()
            except (DamagedIndexError, OSError, ValueError) as error:
                log.warning("the search index could not be read anew: %s", error)
        self._swap_when_complete()

    def _swap_when_complete(self) -> None:
        """Has the newest encoder's vectors answer as soon as they are as many as the former one's."""
        former, newest = self._meaning, self._newest
        if newest and former is not newest and (not former or newest.vectors.count >= former.vectors.count):
            self._meaning = newest

    # -- searching

    def search(
        self,
        query: str | Query,
        limit: int = 20,
        offset: int = 0,
        *,
        extras: bool = False,
        meanwhile: Callable[[Query], None] | None = None,
    ) -> Answer:
        """The papers that ``query`` means: by id, by title, else by words and meaning together.

        Never fails on what a person may type; what was left out of consideration stands in the notes.

        Args:
            query: as typed (see docs/query_language.md), or parsed already.
            extras: fill ``facets`` and ``did_you_mean`` too.
            meanwhile: called with the parsed query while the encoder works, so that nobody waits for what
                it does; not called where nothing is searched for.
        """
        started = time.perf_counter()
        answer = Answer(query=query if isinstance(query, str) else query.typed)
        limit, offset = max(limit, 0), max(offset, 0)
        if isinstance(query, str):
            answer.parsed = parse(self._clean(query, answer), datetime.now(UTC).date())
        else:
            answer.parsed = query
        if _WORD.search(answer.parsed.typed) or answer.parsed.restricted:
            self._refresh()
            self._answering().answer(answer, limit, offset, extras, meanwhile)
        elif answer.query.strip():
            answer.notes.append("Nothing was searched for: the query has neither letters nor digits.")
        answer.seconds = time.perf_counter() - started
        return answer

    def _answering(self) -> Answering:
        return Answering(
            self._store,
            self._words,
            self._meaning,
            self._tuning,
            self._side,
            self._messages.__setitem__,
            self._patience,
        )

    @staticmethod
    def _clean(query: str, answer: Answer) -> str:
        if len(query) > MAX_QUERY:
            answer.notes.append(
                f"The query has {len(query):,} characters; the first {MAX_QUERY:,} were searched for."
            )
            query = query[:MAX_QUERY]
        return _SPACE.sub(" ", _CONTROL.sub(" ", query)).strip()

    def similar(self, key: int, limit: int = 6) -> list[Hit]:
        """The papers most like the paper ``key``, itself left out; empty where it is not known.

        By meaning, from the stored vectors; by its words where it has none yet.
        """
        return self.similar_to([key], limit)

    def similar_to(self, keys: Sequence[int], limit: int = 6) -> list[Hit]:
        """Papers like all of ``keys`` together, themselves left out, none of which repeats another."""
        self._refresh()
        if self._meaning is not None:
            wanted = np.array(sorted(set(keys)), np.int64)
            found = likeness.nearest_to(self._meaning.vectors, wanted, limit)
            if found is not None:
                return [Hit(key, cosine, None, cosine, "meaning") for key, cosine in found]
        papers = self._store.papers(list(keys))
        if not papers:
            return []
        text = "\n".join(following.encoded_text(paper) for paper in papers)[:MAX_QUERY]
        query = Query(typed=text, text=text)
        answer = Answer(query=text, parsed=query)
        replace(self._answering(), meaning=None, side="words").answer(answer, limit + len(keys), 0, False)
        return [hit for hit in answer.hits if hit.key not in set(keys)][:limit]

    def warm(self) -> None:
        """Reads what first searches and keystrokes would wait for: files of the index, frequent words."""
        self.search("papers", extras=True)
        vocabulary.warm(self._words)

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
            meaning = self._newest if encode else None
            outcome = following.follow(store, self._words, meaning, progress, stop)
        except OSError as error:
            self._messages["disk"] = f"The index cannot be written: {error.strerror or error}"
            raise OSError(
                f"the search index in {self._folder} cannot be written ({error.strerror or error}); "
                "make room or mend the folder's permissions, nothing stored is lost",
            ) from error
        finally:
            with contextlib.suppress(OSError):
                self._words.end_writing()
        for name in [*self._messages] if outcome.complete else ["disk"]:
            if name != "encoder":
                self._messages.pop(name, None)
        if outcome.complete and meaning is not None:
            self._meaning = meaning
            self._drop_former(meaning)
        return outcome

    def _drop_former(self, kept: Meaning) -> None:
        """Removes the vectors of other encoders once those of ``kept`` are complete."""
        mine = kept.encoder.identity[:16]
        for folder in (*self._folder.glob("vectors-*"), *self._folder.glob("encoder-*")):
            if mine not in folder.name:
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
                for folder in self._folder.glob("vectors-*"):
                    shutil.rmtree(folder, ignore_errors=True)
                self._words.clear()
                if self._newest:
                    self._newest = self._meaning = self._open_meaning(self._newest.encoder)
                return self._follow(self._store, True, progress, None)
            finally:
                self._lock.release()

    def state(self) -> IndexState:
        """How far the index is, and what is amiss."""
        self._refresh()
        last, words = self._store.last_change(), self._words.count
        vectors = self._newest.vectors.count if self._newest else 0
        return IndexState(
            seen=self._words.cursor,
            last=last,
            words=words,
            vectors=vectors,
            behind=max(last - self._words.cursor, 0),
            unencoded=max(words - vectors, 0),
            encoder=self._newest.encoder.name if self._newest else "",
            message=" ".join(self._messages.values()),
        )

    def index_bytes(self) -> int:
        """Bytes of the index on disk."""
        return self._words.bytes() + (self._newest.vectors.bytes() if self._newest else 0)
