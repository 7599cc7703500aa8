"""The files of a watched folder that are whole and were not read yet.

A file that is still being written changes its size or its time of change; one is whole when it was left
alone for some seconds and is the same before and after its digest was made. Files are never touched.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

# How long nothing may have been written to a file.
SETTLE_SECONDS = 5.0
MAX_FILES = 10_000
# What browsers, editors and sync programs write beside the real file while they are at it.
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", ".swp", "~", ".lock")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file as it was found: its name, size in bytes, time of change in nanoseconds, and digest."""

    name: str
    size: int
    changed: int
    digest: str


def dropped_files(folder: Path, known: dict[str, Any], now: float) -> Iterator[Dropped]:
    """The whole files in ``folder``, the oldest first.

    ``known`` tells ``[size, changed, digest]`` by name: a file that still has that size and time is not read
    again for its digest. ``now`` is in seconds since 1970.

    Raises:
        OSError: if the folder cannot be read.
    """
    found: list[tuple[int, str, int]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith(".") or name.lower().endswith(_UNFINISHED):
                continue
            try:
                told = entry.stat()
                if not entry.is_file():
                    continue
            except OSError:
                # Gone again, or a link that leads nowhere.
                continue
            found.append((told.st_mtime_ns, name, told.st_size))
    if len(found) > MAX_FILES:
        log.warning("%s has %d files; the %d oldest are read", folder, len(found), MAX_FILES)
    for changed, name, size in sorted(found)[:MAX_FILES]:
        before = known.get(name)
        if isinstance(before, list) and before[:2] == [size, changed]:
            yield Dropped(name, size, changed, str(before[2]))
        elif not 0 <= now - changed / 1e9 < SETTLE_SECONDS and (
            digest := _digest(folder / name, size, changed)
        ):
            yield Dropped(name, size, changed, digest)


def _digest(path: Path, size: int, changed: int) -> str | None:
    """The digest of the file at ``path``; None where it cannot be read, or changes meanwhile."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        told = path.stat()
    except OSError as error:
        log.warning("%s cannot be read now: %s", path, error.strerror)
        return None
    return digest.hexdigest()[:16] if (told.st_size, told.st_mtime_ns) == (size, changed) else None
