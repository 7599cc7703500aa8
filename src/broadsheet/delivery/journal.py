"""What was sent a moment ago: a file that is written at once, until the database has it too.

A transaction of the database takes milliseconds, in which a killed sender forgets that a mail was taken;
a line in a file takes some microseconds, and survives the process.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

_SUFFIX = ".sent"


class Journal:
    """The lines of one worker in ``folder``: the id of a row of the outbox, and its message id."""

    def __init__(self, folder: Path, worker: str):
        folder.mkdir(parents=True, exist_ok=True)
        self._path = _path(folder, worker)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._head = f"{worker}\n".encode()
        self.clear()

    def sent(self, number: int, message_id: str) -> None:
        """Notes that the row ``number`` was taken."""
        os.write(self._file, f"{number} {message_id}\n".encode())

    def clear(self) -> None:
        """Forgets the lines, because the database has all of them."""
        os.ftruncate(self._file, 0)
        # The first line names the worker.
        os.write(self._file, self._head)

    def close(self, keep: bool = False) -> None:
        """Ends it; with ``keep`` its lines stay for the next worker."""
        os.close(self._file)
        if not keep:
            self._path.unlink(missing_ok=True)


def left_behind(folder: Path, is_gone: Callable[[str], bool]) -> Iterator[tuple[Path, list[tuple[int, str]]]]:
    """The files of workers that are no more, each with the rows that were sent."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        lines = path.read_text("utf-8", "replace").splitlines(keepends=True)
        worker = lines[0].strip() if lines else ""
        if lines and not is_gone(worker):
            continue
        # A line that a kill cut short has no end.
        whole = [line.split() for line in lines[1:] if line.endswith("\n")]
        sent = [(int(parts[0]), "".join(parts[1:2])) for parts in whole if parts and parts[0].isdecimal()]
        yield path, sent


def _path(folder: Path, worker: str) -> Path:
    return folder / f"{hashlib.sha256(worker.encode()).hexdigest()[:24]}{_SUFFIX}"
