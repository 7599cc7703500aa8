"""Answers kept so that a service need not send again what has not changed (ETag, Last-Modified)."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# What is beyond this, and what nobody asked for in so long, is forgotten; the oldest first.
MAX_BYTES = 300_000_000
MAX_AGE_SECONDS = 90 * 86_400.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it came: its content and by what the service tells whether it changed."""

    content: bytes
    content_type: str
    etag: str | None
    last_modified: str | None


class KeptAnswers:
    """Answers by address, one file each in ``folder``. What is lost or damaged is only asked for again."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._grew = False

    def find(self, address: str) -> Kept | None:
        path = self._path(address)
        try:
            head, _, packed = path.read_bytes().partition(b"\n")
            told = json.loads(head)
            if told["address"] != address:
                return None
            kept = Kept(zlib.decompress(packed), told["type"], told["etag"], told["last_modified"])
        except (OSError, ValueError, KeyError, TypeError, zlib.error):
            return None
        with suppress(OSError):
            os.utime(path)
        return kept

    def put(
        self, address: str, content: bytes, content_type: str, etag: str | None, last_modified: str | None
    ) -> None:
        """Keeps ``content``, unless the service gave nothing by which to ask whether it changed."""
        path = self._path(address)
        try:
            if not etag and not last_modified:
                path.unlink(missing_ok=True)
                return
            head = {"address": address, "type": content_type, "etag": etag, "last_modified": last_modified}
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}.new")
            draft.write_bytes(json.dumps(head).encode() + b"\n" + zlib.compress(content, 6))
            draft.replace(path)
            self._grew = True
        except OSError:
            # A full disk: then it is asked for in full the next time.
            return

    def tidy(self) -> None:
        """Forgets the oldest, where something was added and it is too much."""
        if not self._grew:
            return
        self._grew = False
        found = []
        with suppress(OSError):
            for entry in os.scandir(self._folder):
                with suppress(OSError):
                    told = entry.stat()
                    found.append((told.st_mtime, told.st_size, entry.path))
        found.sort(reverse=True)
        newest = found[0][0] if found else 0.0
        total = 0
        for at, size, path in found:
            total += size
            if total > MAX_BYTES or at < newest - MAX_AGE_SECONDS:
                with suppress(OSError):
                    Path(path).unlink()

    def _path(self, address: str) -> Path:
        return self._folder / hashlib.sha256(address.encode()).hexdigest()[:40]
