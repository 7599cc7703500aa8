"""Small state files of the index, written so that a crash leaves the old or the new one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class DamagedIndexError(RuntimeError):
    """A part of the index on disk is not what was written; it must be built anew."""


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Replaces ``path`` by ``state`` as JSON, on disk before this returns."""
    partial = path.with_suffix(".part")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_state(path: Path) -> dict[str, Any] | None:
    """What `write_state` wrote to ``path``; None where there is no such file.

    Raises:
        DamagedIndexError: if it cannot be read as such.
    """
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedIndexError(f"{path} cannot be read ({error})") from error
    if not isinstance(state, dict):
        raise DamagedIndexError(f"{path} does not hold what was written")
    return state


def stamp(path: Path) -> tuple[int, int]:
    """What changes when `write_state` replaces ``path``; (0, 0) while there is none."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)
