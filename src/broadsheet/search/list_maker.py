"""Makes the lists of a folder of vectors where too many rows stand in none, as writers have it done.

python -m broadsheet.search.list_maker FOLDER [UP TO SO MANY PAPERS NONE ARE MADE]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import filelock

from .rows import State
from .vectors import LISTED_ROWS, Vectors


def main() -> None:
    folder = Path(sys.argv[1])
    os.nice(19)
    state = State.read(folder / "state.json")
    if state is None:
        raise SystemExit(f"{folder} holds no vectors")
    # A kill frees the lock.
    with filelock.FileLock(folder / "lists.lock", timeout=0):
        listed_rows = int(sys.argv[2]) if len(sys.argv) > 2 else LISTED_ROWS
        Vectors(folder, state.dims, listed_rows=listed_rows).make_lists()


if __name__ == "__main__":
    main()
