"""Puts KaTeX where `delivery.katex` finds it: ``python -m broadsheet.delivery.katex_install``."""

from __future__ import annotations

import sys
from pathlib import Path

from ..assets import SHARE, AssetError, pinned_files

# sphinxcontrib-katex (MIT) carries KaTeX's own minified build (MIT).
PINNED = Path(__file__).with_name("katex.lock")
MEMBERS = {"sphinxcontrib/katex.min.js": "e8d885505949f3a5f4abdd5dd0d53696bd1371ad26ffbf4f310dcd77c8cdae89"}
FOLDER = SHARE / "katex"


def install(folder: Path = FOLDER) -> Path:
    """The path of katex.min.js in ``folder``, downloaded if it is not there. Raises `AssetError`."""
    return pinned_files(_requirement(), MEMBERS, folder)[0]


def _requirement() -> str:
    lines = PINNED.read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line and not line.startswith("#"))


def main() -> int:
    try:
        print(f"KaTeX: {install()}")
    except AssetError as error:
        print(f"KaTeX was not installed, formulas will be shown as their source: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
