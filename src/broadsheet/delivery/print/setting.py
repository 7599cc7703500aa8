"""A sheet as PDF: its texts as data, cut to several lengths, of which `press` sets the one that fits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .fragments import Piece, breakable, length_of, pieces_of
from .sheet import MOST_STORIES, MOST_TITLE, Sheet, Story

# Sizes of paper, and typst's name of each.
PAPERS = {"a4": "a4", "letter": "us-letter"}
_COLUMNS = 3
# So few papers have wide columns and whole abstracts; what they are about needs no figure.
_FEW, _COLUMNS_OF_FEW, _LENGTH_OF_FEW = 8, 2, 1_400
# How many characters of text a story has by its rank, before the last page is looked at.
_LENGTHS = ((1, 1_600), (5, 620), (13, 400))
_LENGTH = 280
# Texts shorter or longer than that are tried, the nearest first, until the last page is full.
_SCALES = (1.0, 0.9, 1.15, 0.8, 1.3, 0.7, 1.5, 1.8)
_PATIENCE_S = 30
# On a machine of many cores typst would take address space for a thread on each, and more than it may.
_SMALL = {"RAYON_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2"}
_PRESS, _TEMPLATE = Path(__file__).with_name("press.py"), Path(__file__).with_name("sheet.typ")

# Typst uses all processors it can have; two sheets at once only take each other's memory.
_one_at_a_time = threading.Lock()


class PrintError(RuntimeError):
    """A sheet that typst could not set; the message says why."""


def sheet_pdf(sheet: Sheet, paper: str = "a4") -> bytes:
    """``sheet`` as the PDF of a newspaper on ``paper`` (one of `PAPERS`).

    Raises:
        PrintError: if it cannot be set, or not within the memory and time of `press`.
    """
    with _printed(sheet, paper) as folder:
        return (folder / "sheet.pdf").read_bytes()


def sheet_images(sheet: Sheet, paper: str = "a4", dots_per_inch: float = 80.0) -> list[bytes]:
    """The pages of ``sheet``, as `sheet_pdf` sets them, as PNG images. Raises the same."""
    with _printed(sheet, paper, str(dots_per_inch)) as folder:
        pages = sorted(folder.glob("page-*.png"), key=lambda page: int(page.stem.partition("-")[2]))
        return [page.read_bytes() for page in pages]


@contextmanager
def _printed(sheet: Sheet, paper: str, *more: str) -> Iterator[Path]:
    """A folder with what `press` made of ``sheet``."""
    told = _Told(sheet, paper)
    lengths = json.dumps([told.data(scale) for scale in _SCALES])
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="broadsheet-print-") as name:
        folder = Path(name)
        (folder / "lengths.json").write_text(lengths, encoding="utf-8")
        (folder / "sheet.typ").write_bytes(_TEMPLATE.read_bytes())
        command = [sys.executable, "-I", str(_PRESS), name, *more]
        try:
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                timeout=_PATIENCE_S,
                cwd=name,
                env=os.environ | _SMALL,
            )
        except subprocess.CalledProcessError as error:
            why = error.stderr.decode(errors="replace").strip().splitlines()[-1:] or [
                f"ended with {error.returncode}"
            ]
            raise PrintError(f"the sheet could not be set: {why[0][:300]}") from error
        except subprocess.TimeoutExpired as error:
            raise PrintError(f"the sheet could not be set within {_PATIENCE_S} seconds") from error
        yield folder


class _Told:
    """A sheet as the data of the template, its texts cut to a length."""

    def __init__(self, sheet: Sheet, paper: str):
        self._sheet = sheet
        self._paper = PAPERS[paper]
        stories = sheet.stories[:MOST_STORIES]
        self._few = len(stories) <= _FEW
        self._stories = [_Prepared(story, place, self._few) for place, story in enumerate(stories)]

    def data(self, scale: float) -> dict[str, Any]:
        """The data with texts of ``scale`` times their usual length."""
        sheet, left = self._sheet, self._sheet.total - len(self._stories)
        more = f"{left:,} more papers stand in this edition. " if left > 0 else ""
        return {
            "paper": self._paper,
            "columns": _COLUMNS_OF_FEW if self._few else _COLUMNS,
            "name": breakable(sheet.name[:80]),
            "tagline": breakable(sheet.tagline[:120]),
            "date": sheet.date[:120],
            "number": sheet.number[:40],
            "url": sheet.url,
            "topics": [
                [breakable(name[:28]), number] for name, number in sheet.topics[: 0 if self._few else 8]
            ],
            "stories": [story.data(scale) for story in self._stories],
            "closing": f"{more}Read on at {breakable(sheet.url)}",
        }


class _Prepared:
    """A story whose sentences are read once, however often they are cut."""

    def __init__(self, story: Story, place: int, few: bool):
        usual = next((length for before, length in _LENGTHS if place < before), _LENGTH)
        self._length = max(usual, _LENGTH_OF_FEW if few else 0)
        self._sentences = [(pieces_of(one), length_of(one)) for one in story.sentences]
        title = story.title if length_of(story.title) <= MOST_TITLE else None
        self._data = {
            "url": story.url,
            "title": pieces_of(title) if title is not None else [_shortened(story.title)],
            "long": length_of(story.title) > 90,
            "byline": breakable(story.byline[:300]),
            "kicker": breakable(story.kicker[:60]),
            "standfirst": pieces_of(story.standfirst) if place == 0 else [],
            "facts": breakable(story.facts[:120]),
        }

    def data(self, scale: float) -> dict[str, Any]:
        # The lead keeps its text: it spans the page, and what is under it is cut.
        return {**self._data, "text": _cut(self._sentences, int(self._length * scale))}


def _shortened(fragment: str) -> str:
    text = "".join(piece for piece in pieces_of(fragment) if isinstance(piece, str))
    return text[:MOST_TITLE].rsplit(" ", 1)[0] + " …"


def _cut(sentences: Sequence[tuple[list[Piece], int]], length: int) -> list[Piece]:
    """The first of ``sentences`` that have about ``length`` characters; of a long first one its beginning."""
    found: list[Piece] = []
    taken = 0
    for pieces, size in sentences:
        if taken and taken + size > length * 1.15:
            break
        if size > max(length * 1.5, 400):
            return [*found, *_beginning(pieces, length - taken), " …"]
        found += [*pieces, " "]
        taken += size
        if taken >= length:
            break
    return found


def _beginning(pieces: list[Piece], length: int) -> list[Piece]:
    """The first of ``pieces`` that have about ``length`` characters."""
    found: list[Piece] = []
    for piece in pieces:
        if length <= 0:
            break
        if isinstance(piece, str) and len(piece) > length:
            piece = piece[:length].rsplit(" ", 1)[0].rstrip(" ,;:-–(")
        found.append(piece)
        length -= len(piece) if isinstance(piece, str) else 20
    return found
