"""An encoder and the vectors that it made: one way to search by meaning."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .encoder import FILES, Encoder
from .sentences import code_bytes
from .vectors import Vectors

# Who pages through results asks the same again.
_REMEMBERED = 256
# Queries that are encoded at a time.
_THREADS = 4


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
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.encoder.close()

    def ask(self, text: str) -> Future[NDArray[np.float32]]:
        """Begins to encode the query ``text``; `vector_of` waits for it."""
        with self._lock:
            if text in self._known:
                self._known.move_to_end(text)
                done: Future[NDArray[np.float32]] = Future()
                done.set_result(self._known[text])
                return done
            self._overdue = {asked for asked in self._overdue if not asked.done()}
            if len(self._overdue) >= _THREADS:
                # All threads hang: nobody else shall wait for them.
                hopeless: Future[NDArray[np.float32]] = Future()
                hopeless.set_exception(SlowEncoderError())
                return hopeless
        return self._threads.submit(self._encoded, text)

    def vector_of(self, asked: Future[NDArray[np.float32]], patience: float) -> NDArray[np.float32]:
        """The unit vector of a query that was asked for, float32, shape (dims,).

        Raises:
            SlowEncoderError: if it is not there after ``patience`` seconds.
            Exception: whatever an encoder of somebody else's raises.
        """
        try:
            return asked.result(timeout=patience)
        except FutureTimeout:
            with self._lock:
                self._overdue.add(asked)
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
