"""Brings the index up to the store's change log: words first, then vectors, batch by batch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..model.papers import Paper
from ..store import Store
from .meaning import Meaning
from .sentences import code_bytes, coded, sentence_spans
from .vectors import REMOVED, Vectors, text_hash
from .words import Words

# Changes read from the store at once, and papers made findable by words at once.
WORDS_BATCH = 2_000
WORDS_COMMIT = 10_000
# Papers whose vectors are kept together: some seconds of work, which is what a kill may cost.
VECTORS_BATCH = 256
# Rewriting the vectors pays when so many rows are of no use any more.
_WASTED_ROWS = 20_000


@dataclass(slots=True)
class Outcome:
    """What `follow` did: papers indexed by words, encoded, removed; ``message`` for people.

    ``complete`` says whether words (and vectors, where they were asked for) are up to date.
    """

    message: str = ""
    words: int = 0
    vectors: int = 0
    removed: int = 0
    complete: bool = False


def abstract_of(paper: Paper) -> str:
    """What is read of ``paper`` behind its title."""
    return paper.abstract or paper.ai_summary or ""


def encoded_text(paper: Paper) -> str:
    """The text of ``paper`` that its vector is made from."""
    return f"{paper.title}\n{abstract_of(paper)}".rstrip()


def follow(
    store: Store,
    words: Words,
    meaning: Meaning | None,
    progress: Callable[..., None] | None,
    stop: threading.Event | None,
) -> Outcome:
    """Works through the changes that ``words`` and ``meaning`` do not hold yet; see `Engine.follow`."""
    outcome = Outcome()
    vectors = meaning.vectors if meaning else None
    _forget_other_store(store, words, vectors)
    last = store.last_change()
    total = last - words.cursor + (last - vectors.cursor if vectors is not None else 0)

    def advance(done: int) -> None:
        if progress and done:
            progress(done, max(total, 1))

    advance(0)
    while not (stop and stop.is_set()):
        # New papers that come while others are encoded are found by words at once.
        _words_pass(store, words, outcome, advance, stop)
        if meaning is None:
            outcome.complete = not (stop and stop.is_set())
            break
        if not _vectors_batch(store, meaning, outcome, advance):
            outcome.complete = True
            break
    if vectors is not None and vectors.wasted() > max(_WASTED_ROWS, vectors.count):
        vectors.compact()
    if vectors is not None and outcome.complete:
        vectors.begin_lists()
    return outcome


def _forget_other_store(store: Store, words: Words, vectors: Vectors | None) -> None:
    """Starts over where the store is older than the index, as after a restored backup."""
    last = store.last_change()
    if words.cursor > last:
        words.clear()
    if vectors is not None and vectors.cursor > last:
        vectors.rewind()
        known = vectors.all_keys().tolist()
        for start in range(0, len(known), WORDS_BATCH):
            keys = known[start : start + WORDS_BATCH]
            gone = sorted(set(keys) - {paper.key for paper in store.papers(keys)})
            vectors.append(gone, [REMOVED] * len(gone), np.zeros((len(gone), vectors.dims), np.float32), 0)


def _words_pass(
    store: Store, words: Words, outcome: Outcome, advance: Callable[[int], None], stop: threading.Event | None
) -> None:
    cursor, uncommitted = words.cursor, 0
    while not (stop and stop.is_set()):
        changes = store.changes(cursor, WORDS_BATCH)
        if not changes:
            break
        kept = [change.key for change in changes if change.kind != "removed"]
        papers = store.papers(kept, listings=True)
        removed = list({change.key for change in changes} - {paper.key for paper in papers})
        words.put(papers, removed)
        outcome.words += len(papers)
        outcome.removed += len(removed)
        uncommitted += len(changes)
        advance(changes[-1].seq - cursor)
        cursor = changes[-1].seq
        if uncommitted >= WORDS_COMMIT:
            words.commit(cursor)
            uncommitted = 0
    if uncommitted:
        words.commit(cursor)


def _vectors_batch(store: Store, meaning: Meaning, outcome: Outcome, advance: Callable[[int], None]) -> bool:
    """Encodes one batch; False where there was nothing to do."""
    vectors, encoder = meaning.vectors, meaning.encoder
    changes = store.changes(vectors.cursor, VECTORS_BATCH)
    if not changes:
        return False
    meaning.keep_encoder()
    papers = {
        paper.key: paper
        for paper in store.papers([change.key for change in changes if change.kind != "removed"])
    }
    known = dict(zip([c.key for c in changes], vectors.texts_of([c.key for c in changes]), strict=True))
    # A vote changes a paper, but not what it says: only another text is encoded again.
    texts = {key: encoded_text(paper) for key, paper in papers.items()}
    hashes = {key: text_hash(text) for key, text in texts.items()}
    fresh = [key for key in texts if hashes[key] != known[key]]
    gone = [key for key, text in known.items() if key not in papers and text != REMOVED]
    spans = [sentence_spans(papers[key].title, abstract_of(papers[key])) for key in fresh]
    encoded, parts = encoder.encode_with_parts([texts[key] for key in fresh], spans)
    rows = np.concatenate([encoded, np.zeros((len(gone), vectors.dims), np.float32)])
    codes = [coded(vectors_of_parts) for vectors_of_parts in parts]
    codes += [np.zeros((0, code_bytes(vectors.dims)), np.uint8)] * len(gone)
    before = vectors.cursor
    vectors.append(
        fresh + gone,
        [hashes[key] for key in fresh] + [REMOVED] * len(gone),
        rows,
        changes[-1].seq,
        codes if encoder.gives_parts else None,
    )
    outcome.vectors += len(fresh)
    advance(changes[-1].seq - before)
    return True
