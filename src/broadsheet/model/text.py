"""Text as it is stored and compared: cleaned Unicode, title keys, agreement of two texts."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+")


def clean_line(text: str) -> str:
    """``text`` as one line of NFC Unicode without control or direction-changing characters."""
    # Nearly all text is clean already; this test costs a tenth of the cleaning.
    if text.isprintable() and "  " not in text and unicodedata.is_normalized("NFC", text):
        return text.strip(" ")
    text = _SURROGATES.sub("\ufffd", text)
    # Line ends and tabs become spaces first, so that words do not run together.
    text = _CONTROL.sub("", _SPACE.sub(" ", text))
    # Normalised last: what was taken out may have stood between a letter and its accent.
    return unicodedata.normalize("NFC", _SPACE.sub(" ", text).strip())


_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*|\n {2,}(?=\S)")


def clean_paragraphs(text: str) -> str:
    """``text`` as NFC paragraphs separated by one empty line; lines within one are joined."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if "\n" not in text:
        return clean_line(text)
    paragraphs = (clean_line(part) for part in _PARAGRAPH.split(text))
    return "\n\n".join(part for part in paragraphs if part)


_TEX_ACCENT = re.compile(r"\\(?:[`'^\"~=.]|[uvHcdbkrt](?![A-Za-z]))\s*\{?\s*(\\?[A-Za-z])\s*\}?")
# Commands that only change how the text looks.
_TEX_STYLE = re.compile(
    r"\\(?:text|math)(?:it|bf|rm|sf|tt|sc|sl|up|cal|bb|frak|scr|normal)?(?![A-Za-z])"
    r"|\\(?:emph|operatorname|boldsymbol|bm|left|right|it|bf|rm|em|sc|ensuremath|mbox)(?![A-Za-z])"
)
_TEX_COMMAND = re.compile(r"\\([A-Za-z]+)\s*")
# Letters that have no accent to take off, as TeX names them and as they are written without it.
_TEX_LETTERS = {"o": "o", "O": "O", "l": "l", "L": "L", "aa": "a", "AA": "A", "i": "i", "j": "j"}
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ı": "i",
    }
)
# What stays of a title beside letters and digits: these tell PEPSI from PEPSI++ and C from C#.
_TITLE_TOKEN = re.compile(r"[^\W_]+|[+#]+")


def title_key(title: str) -> str:
    """``title`` reduced to what makes two titles the same: letters, digits, ``+`` and ``#``.

    Case, accents, punctuation, spacing, HTML entities and TeX markup do not count, so that
    ``Poincar\\'e ResNet`` and ``Poincaré ResNet`` agree, while ``PEPSI`` and ``PEPSI++``,
    ``Part I`` and ``Part II`` stay apart.
    """
    text = html.unescape(title)
    if "\\" in text:
        text = _TEX_ACCENT.sub(lambda m: m[1].lstrip("\\"), text)
        text = _TEX_STYLE.sub("", text)
        text = _TEX_COMMAND.sub(lambda m: _TEX_LETTERS.get(m[1], m[1]), text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).translate(_LETTERS)
        text = "".join(c for c in text if not unicodedata.combining(c))
    return "".join(_TITLE_TOKEN.findall(text.casefold()))


def words(text: str) -> list[str]:
    """The words of ``text``, case folded, in order."""
    return _WORD.findall(text.casefold())


# Two tellings of one abstract (TeX or plain, v1 or v2, cut short) share most of their words; two
# different abstracts under one title hardly a quarter of them.
ABSTRACTS_AGREE = 0.5


def abstracts_agree(a: str, b: str) -> bool:
    """Whether two abstracts are tellings of the same one."""
    first, second = set(words(a)), set(words(b))
    smaller = min(len(first), len(second))
    if smaller < 8:
        return first == second and smaller > 0
    common = len(first & second)
    if common / len(first | second) >= ABSTRACTS_AGREE:
        return True
    # A shortened abstract: nearly all of its words stand in the longer one, in the same opening.
    opening = words(a)[:8] == words(b)[:8]
    return opening and common / smaller >= 0.8


def surname(name: str) -> str:
    """The family name in ``name`` ("Ada Lovelace" or "Lovelace, Ada"), folded for comparison."""
    family = name.split(",")[0] if "," in name else (name.split() or [""])[-1]
    text = unicodedata.normalize("NFKD", family).casefold()
    return "".join(c for c in text if c.isalpha())


def authors_agree(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two author lists name the same people: the first and most of the shorter list."""
    first, second = [surname(n) for n in a if surname(n)], [surname(n) for n in b if surname(n)]
    if not first or not second:
        return False
    common = len(set(first) & set(second))
    smaller = min(len(set(first)), len(set(second)))
    return common / smaller > 0.5 and (first[0] in second or second[0] in first)
