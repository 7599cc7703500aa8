"""An encoder and the vectors that it made: one way to search by meaning."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .encoder import FILES, Encoder
from .sentences import code_bytes
from .vectors import Vectors

# Who pages through results asks the same again.
_REMEMBERED = 256
# Queries that are encoded at a time.
_THREADS = 4


T = TypeVar("T")
# Keys of papers and their cosines with a query, nearest first.
Nearest = tuple[NDArray[np.int64], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is being found out of a query: its unit vector (float32, shape (dims,)) and the nearest papers."""

    vector: Future[NDArray[np.float32]]
    nearest: Future[Nearest]


class SlowEncoderError(RuntimeError):
    """The encoder did not answer in time."""


def vectors_folder(index: Path, identity: str) -> Path:
    """Where in ``index`` the vectors of an encoder lie: those of two encoders cannot be compared."""
    return index / f"vectors-{identity[:16]}"


def kept_encoder_folder(index: Path, identity: str) -> Path:
    """Where in ``index`` an encoder is kept, so that its vectors can be used after another was installed."""
    return index / f"encoder-{identity[:16]}"


class Meaning:
    """Search by meaning with one encoder. Any number of threads ask."""

    def __init__(self, index: Path, encoder: Encoder, vectors: Vectors):
        self._index = index
        self.encoder = encoder
        self.vectors = vectors
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="query")
        # They wait for those that encode, so they are threads of their own.
        self._others = ThreadPoolExecutor(_THREADS, thread_name_prefix="nearest")
        self._encoding: set[Future[NDArray[np.float32]]] = set()
        self._overdue: set[Future[NDArray[np.float32]]] = set()

    @classmethod
    def open(cls, index: Path, encoder: Encoder) -> Meaning:
        """Opens the vectors of ``encoder`` in ``index``, making an empty set where there is none.

        Raises:
            DamagedIndexError: if they are not what was written.
            OSError: if the folder cannot be written.
        """
        folder = vectors_folder(index, encoder.identity)
        codes = code_bytes(encoder.dims) if encoder.gives_parts else 0
        return cls(index, encoder, Vectors(folder, encoder.dims, encoder.identity, sentence_bytes=codes))

    def close(self) -> None:
        for threads in (self._threads, self._others):
            threads.shutdown(wait=False, cancel_futures=True)
        self.encoder.close()

    def ask(self, text: str) -> Future[NDArray[np.float32]]:
        """Begins to encode the query ``text``, to a unit vector, float32, shape (dims,)."""
        with self._lock:
            if text in self._known:
                self._known.move_to_end(text)
                done: Future[NDArray[np.float32]] = Future()
                done.set_result(self._known[text])
                return done
            self._encoding = {asked for asked in self._encoding if not asked.done()}
            self._overdue &= self._encoding
            if len(self._overdue) >= _THREADS:
                # All threads hang: nobody else shall wait for them.
                hopeless: Future[NDArray[np.float32]] = Future()
                hopeless.set_exception(SlowEncoderError())
                return hopeless
            asked = self._threads.submit(self._encoded, text)
            self._encoding.add(asked)
            return asked

    def ask_nearest(self, text: str, limit: int) -> Asked:
        """Begins to encode the query ``text`` and to look for the ``limit`` papers nearest to it."""
        asked = self.ask(text)
        return Asked(asked, self._others.submit(lambda: self.vectors.nearest(asked.result(), limit)))

    def wait_for(self, asked: Future[T], patience: float) -> T:
        """What was asked for.

        Raises:
            SlowEncoderError: if it is not there after ``patience`` seconds.
            Exception: whatever an encoder of somebody else's raises.
        """
        try:
            return asked.result(timeout=patience)
        except FutureTimeout:
            with self._lock:
                self._overdue |= self._encoding
            raise SlowEncoderError from None

    def _encoded(self, text: str) -> NDArray[np.float32]:
        vector = self.encoder.encode_query(text)
        with self._lock:
            self._known[text] = vector
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return vector

    def keep_encoder(self) -> None:
        """Keeps the encoder beside its vectors: as a link where the file system allows it, else as a copy."""
        folder = kept_encoder_folder(self._index, self.encoder.identity)
        if folder.exists() or self.encoder.folder == folder:
            return
        made = folder.with_name(folder.name + ".part")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        for name in FILES:
            source = self.encoder.folder / name
            if source.exists():
                _link_or_copy(source, made / name)
        made.rename(folder)

    def forget(self) -> None:
        """Removes the vectors and the kept encoder from the disk."""
        for folder in (vectors_folder, kept_encoder_folder):
            shutil.rmtree(folder(self._index, self.encoder.identity), ignore_errors=True)


def _link_or_copy(source: Path, target: Path) -> None:
    with contextlib.suppress(OSError):
        os.link(source.resolve(), target)
        return
    shutil.copyfile(source, target)
