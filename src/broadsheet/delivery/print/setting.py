"""A sheet as PDF: typst sets it, and texts are cut so that its last page is full."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import typst

from .fragments import Piece, breakable, length_of, pieces_of
from .sheet import MOST_STORIES, MOST_TITLE, Sheet, Story

# Sizes of paper: typst's name of each, and how many columns go on it.
PAPERS = {"a4": ("a4", 3), "letter": ("us-letter", 3)}
# How many characters of text a story has by its rank, before the last page is looked at.
_LENGTHS = ((1, 1_600), (5, 620), (13, 400))
_LENGTH = 280
# Texts shorter or longer than that are tried, the nearest first, until so little (in columns) stays white.
_SCALES = (1.0, 0.9, 1.15, 0.8, 1.3, 0.7, 1.5, 1.8)
_FULL = 0.7
# A sheet is there soon, however well its last page is filled.
_PATIENCE_S = 0.7
_TEMPLATE = Path(__file__).with_name("sheet.typ")

# Typst uses all processors it can have; two sheets at once only take each other's memory.
_one_at_a_time = threading.Lock()


class PrintError(RuntimeError):
    """A sheet that typst could not set; the message says why."""


def sheet_pdf(sheet: Sheet, paper: str = "a4") -> bytes:
    """``sheet`` as the PDF of a newspaper on ``paper`` (one of `PAPERS`).

    Raises:
        PrintError: if it cannot be set.
    """
    told = _Told(sheet, paper)
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="broadsheet-print-") as folder:
        press = _Press(Path(folder))
        return _fullest(told, press)


def sheet_images(sheet: Sheet, paper: str = "a4", dots_per_inch: float = 80.0) -> list[bytes]:
    """The pages of ``sheet`` as PNG images, as `sheet_pdf` sets them before it fills the last."""
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="broadsheet-print-") as folder:
        press = _Press(Path(folder))
        press.set(_Told(sheet, paper).data(1.0))
        return press.images(dots_per_inch)


def _fullest(told: _Told, press: _Press) -> bytes:
    """The PDF with texts so long that least of the paper stays white, as far as that is found in time."""
    began, white = time.monotonic(), {}
    for scale in _SCALES:
        former, white[scale] = white.get(1.0), press.set(told.data(scale))
        # Nothing more to cut or to tell: other lengths give the same sheet.
        if white[scale] <= _FULL or white[scale] == former or time.monotonic() - began > _PATIENCE_S:
            break
    best = min(white, key=lambda one: white[one])
    if best != scale:
        press.set(told.data(best))
    return press.pdf()


def _white(places: Sequence[dict[str, Any]], columns: int) -> float:
    """How much of the paper is left white, in columns, by where stories begin and end.

    The white at the foot of a column after which the next one begins with another story, and on the last
    page what is left of it.
    """
    white = 0.0

    def column(place: dict[str, Any]) -> int:
        return int(place["page"]) * columns + min(int(place["x"] / place["width"] * columns), columns - 1)

    def under(place: dict[str, Any]) -> float:
        return max(place["bottom"] - place["y"], 0.0) / (place["bottom"] - place["top"])

    for former, place in pairwise(places):
        if place["what"] == "begin" and column(place) > column(former):
            white += under(former)
    last = places[-1]
    return white + under(last) + columns - 1 - column(last) % columns


class _Press:
    """Typst in a folder of its own, without access to anything outside of it."""

    def __init__(self, folder: Path):
        self._data = folder / "sheet.json"
        self._data.write_text("{}")
        self._template = folder / "sheet.typ"
        self._template.write_bytes(_TEMPLATE.read_bytes())
        self._folder = folder

    def _compiler(self) -> typst.Compiler:
        return typst.Compiler(str(self._template), root=str(self._folder))

    def set(self, data: dict[str, Any]) -> float:
        """Sets ``data``; how many columns of paper stay white."""
        self._data.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        try:
            places = json.loads(self._compiler().query("<at>", field="value"))
        except RuntimeError as error:
            raise PrintError(f"the sheet could not be set: {error}") from error
        return _white(places, data["columns"])

    def pdf(self) -> bytes:
        return self._compiled("pdf")

    def images(self, dots_per_inch: float) -> list[bytes]:
        pages = self._compiled("png", ppi=dots_per_inch)
        return pages if isinstance(pages, list) else [pages]

    def _compiled(self, form: str, **how: Any) -> Any:
        try:
            return self._compiler().compile(format=form, **how)
        except RuntimeError as error:
            raise PrintError(f"the sheet could not be set: {error}") from error


class _Told:
    """A sheet as the data of the template, its texts cut to a length."""

    def __init__(self, sheet: Sheet, paper: str):
        self._sheet = sheet
        self._paper, self._columns = PAPERS[paper]
        stories = sheet.stories[:MOST_STORIES]
        self._stories = [_Prepared(story, place) for place, story in enumerate(stories)]

    def data(self, scale: float) -> dict[str, Any]:
        """The data with texts of ``scale`` times their usual length."""
        sheet, left = self._sheet, self._sheet.total - len(self._stories)
        more = f"{left:,} more papers stand in this edition. " if left > 0 else ""
        return {
            "paper": self._paper,
            "columns": self._columns,
            "name": breakable(sheet.name[:80]),
            "tagline": breakable(sheet.tagline[:120]),
            "date": sheet.date[:120],
            "number": sheet.number[:40],
            "url": sheet.url,
            "topics": [[breakable(name[:28]), number] for name, number in sheet.topics[:8]],
            "stories": [story.data(scale) for story in self._stories],
            "closing": f"{more}Read on at {breakable(sheet.url)}",
        }


class _Prepared:
    """A story whose sentences are read once, however often they are cut."""

    def __init__(self, story: Story, place: int):
        self._length = next((length for before, length in _LENGTHS if place < before), _LENGTH)
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
