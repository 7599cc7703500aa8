"""The vectors of what audiences ask for, kept in the home: each is encoded once by each encoder."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..search.encoder import Encoder

log = logging.getLogger(__name__)

# What was encoded before a kill is not encoded again.
_SAVE_EVERY = 2_000
# Beyond so many the ones that were not asked for this time are forgotten.
_MOST_KEPT = 100_000


class QueryVectors:
    """Vectors of queries in ``folder``, of one encoder; those of others are removed when these are saved."""

    def __init__(self, folder: Path, encoder: Encoder, threads: int = 2):
        self._encoder = encoder
        self._threads = threads
        self._path = folder / f"queries-{encoder.identity[:16]}.npz"
        self._known: dict[bytes, NDArray[np.float16]] = self._read()

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The unit vectors of the queries ``texts``: float32, shape (len(texts), dims)."""
        names = [_name(text) for text in texts]
        unknown = {name: text for name, text in zip(names, texts, strict=True) if name not in self._known}
        if unknown:
            self._encode(unknown, set(names))
        if not names:
            return np.zeros((0, self._encoder.dims), np.float32)
        return np.stack([self._known[name] for name in names]).astype(np.float32)

    def _encode(self, unknown: dict[bytes, str], asked: set[bytes]) -> None:
        waiting = list(unknown.items())
        with ThreadPoolExecutor(self._threads, thread_name_prefix="queries") as threads:
            for start in range(0, len(waiting), _SAVE_EVERY):
                part = waiting[start : start + _SAVE_EVERY]
                vectors = threads.map(self._encoder.encode_query, (text for _, text in part))
                for (name, _), vector in zip(part, vectors, strict=True):
                    self._known[name] = vector.astype(np.float16)
                if len(self._known) > _MOST_KEPT:
                    self._known = {name: kept for name, kept in self._known.items() if name in asked}
                self._save()

    def _read(self) -> dict[bytes, NDArray[np.float16]]:
        try:
            with np.load(self._path) as kept:
                names, vectors = kept["names"], kept["vectors"]
            if vectors.shape[1:] != (self._encoder.dims,) or len(names) != len(vectors):
                raise ValueError(f"shape {vectors.shape}")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            log.warning("%s cannot be read and is made anew: %s", self._path, error)
            return {}
        return dict(zip((name.tobytes() for name in names), vectors, strict=True))

    def _save(self) -> None:
        names = np.frombuffer(b"".join(self._known), np.uint8).reshape(-1, _NAME_BYTES)
        draft = self._path.with_name(f"{self._path.stem}.{os.getpid()}.part.npz")
        try:
            np.savez(draft, names=names, vectors=np.stack(list(self._known.values())))
            draft.replace(self._path)
            for other in self._path.parent.glob("queries-*.npz"):
                if other != self._path and ".part" not in other.name:
                    other.unlink(missing_ok=True)
        except OSError as error:
            # They are encoded again next time.
            log.warning("the vectors of queries cannot be kept: %s", error)
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


_NAME_BYTES = 16


def _name(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=_NAME_BYTES).digest()
