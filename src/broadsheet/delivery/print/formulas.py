"""Formulas, given as MathML, as trees of plain data that the template sets with typst's mathematics."""

from __future__ import annotations

import unicodedata
from typing import Any

from lxml import etree

# A formula that is deeper or has more parts than any in an abstract is shown as its source.
_DEPTH = 24
_PARTS = 400

_VARIANTS = {
    "normal": "up", "bold": "bold", "italic": "it", "bold-italic": "bold", "double-struck": "bb",
    "script": "cal", "fraktur": "frak", "sans-serif": "sans", "monospace": "mono",
}  # fmt: skip
# What stands over or under a letter and stretches with it, and what is only an accent.
_LINES = {"‾": "overline", "¯": "overline", "_": "underline", "⏞": "overbrace", "⏟": "underbrace"}
_ACCENTS = {
    "^": "\u0302", "ˆ": "\u0302", "~": "\u0303", "˜": "\u0303", "ˉ": "\u0304", "¯": "\u0304", "˙": "\u0307",
    "¨": "\u0308", "ˇ": "\u030c", "´": "\u0301", "ˊ": "\u0301", "`": "\u0300", "ˋ": "\u0300", "˘": "\u0306",
    "→": "\u20d7", "⃗": "\u20d7",
}  # fmt: skip
_INVISIBLE = {"\u2061", "\u2062", "\u2063", "\u2064"}

Node = dict[str, Any]


class _TooLarge(Exception):
    """A formula with more parts than are set."""


def formula_of(math: etree._Element) -> Node:
    """The formula in a ``<math>`` element: ``{"k": "math", "c": tree}``, or its source as code."""
    try:
        tree = _Reading().node(math, _DEPTH)
    except _TooLarge:
        source = math.findtext(".//annotation") or "".join(math.itertext())
        return {"k": "code", "c": [source[:200]]}
    return {"k": "math", "c": tree}


class _Reading:
    """One formula being read."""

    def __init__(self) -> None:
        self._parts = 0

    def node(self, element: etree._Element, depth: int) -> Node:
        self._parts += 1
        if depth == 0 or self._parts > _PARTS:
            raise _TooLarge
        tag = str(element.tag)
        read = getattr(self, f"_{tag}", None)
        if tag in _LEAVES:
            return _leaf(element, tag)
        return read(element, depth - 1) if read else self._row(list(element), depth - 1)

    def _row(self, children: list[etree._Element], depth: int) -> Node:
        children = [child for child in children if child.tag not in ("annotation", "mphantom")]
        if len(children) == 1:
            return self.node(children[0], depth)
        return {"k": "row", "c": [self.node(child, depth) for child in children]}

    def _mrow(self, element: etree._Element, depth: int) -> Node:
        children = list(element)
        if len(children) > 2 and all(
            one.tag == "mo" and one.get("fence") for one in (children[0], children[-1])
        ):
            return {"k": "lr", "c": [self.node(child, depth) for child in children]}
        return self._row(children, depth)

    def _all(self, element: etree._Element, depth: int, number: int) -> list[Node]:
        found = [self.node(child, depth) for child in element]
        return found + [{"k": "row", "c": []}] * (number - len(found))

    def _mfrac(self, element: etree._Element, depth: int) -> Node:
        if element.get("linethickness", "").startswith("0"):
            over, under = self._all(element, depth, 2)[:2]
            return {"k": "mat", "c": [[over], [under]]}
        return {"k": "frac", "c": self._all(element, depth, 2)[:2]}

    def _msqrt(self, element: etree._Element, depth: int) -> Node:
        return {"k": "sqrt", "c": [self._row(list(element), depth)]}

    def _mroot(self, element: etree._Element, depth: int) -> Node:
        return {"k": "root", "c": self._all(element, depth, 2)[:2]}

    def _attached(self, element: etree._Element, depth: int, low: int, high: int) -> Node:
        parts = self._all(element, depth, 3)
        beyond = element.tag in ("munder", "mover", "munderover")
        node: Node = {"k": "attach", "c": [parts[0]], "limits": beyond}
        if low:
            node["b"] = parts[low]
        if high:
            node["t"] = parts[high]
        return node

    def _msub(self, element: etree._Element, depth: int) -> Node:
        return self._attached(element, depth, 1, 0)

    def _msup(self, element: etree._Element, depth: int) -> Node:
        return self._attached(element, depth, 0, 1)

    def _msubsup(self, element: etree._Element, depth: int) -> Node:
        return self._attached(element, depth, 1, 2)

    _munderover = _msubsup

    def _munder(self, element: etree._Element, depth: int) -> Node:
        return self._marked(element, depth) or self._msub(element, depth)

    def _mover(self, element: etree._Element, depth: int) -> Node:
        return self._marked(element, depth) or self._msup(element, depth)

    def _marked(self, element: etree._Element, depth: int) -> Node | None:
        """A base with a line or an accent, where that is what stands over or under it."""
        if len(element) != 2 or element[1].tag != "mo":
            return None
        mark = (element[1].text or "").strip()
        base = self.node(element[0], depth)
        if mark in _LINES and (element[1].get("stretchy") == "true" or element.tag == "munder"):
            return {"k": _LINES[mark], "c": [base]}
        if mark in _ACCENTS and element.tag == "mover":
            return {"k": "accent", "c": [base], "a": _ACCENTS[mark]}
        return None

    def _mtable(self, element: etree._Element, depth: int) -> Node:
        rows = [[self.node(cell, depth) for cell in row] for row in element if row.tag == "mtr"]
        width = max(map(len, rows), default=0)
        empty: Node = {"k": "row", "c": []}
        return {"k": "mat", "c": [row + [empty] * (width - len(row)) for row in rows]}


_LEAVES = frozenset({"mi", "mo", "mn", "mtext", "ms", "mspace", "mglyph", "none"})


def _leaf(element: etree._Element, tag: str) -> Node:
    text = unicodedata.normalize("NFC", "".join(element.itertext()))
    if tag == "mspace":
        return {"k": "space"} if (element.get("width") or "").strip() not in ("", "0em", "0") else _text("")
    if tag in ("mtext", "ms", "mn"):
        return _text(text)
    text = "".join(character for character in text.strip() if character not in _INVISIBLE)
    if len(text) != 1:
        return {"k": "op", "t": text} if tag == "mi" else _text(text)
    variant = _VARIANTS.get(element.get("mathvariant", ""))
    if tag == "mi" and not text.isalpha():
        # A sign that is used as a letter has no space around it: the bars of a norm.
        variant = "plain"
    return {"k": "sym", "t": text, **({"v": variant} if variant else {})}


def _text(text: str) -> Node:
    return {"k": "text", "t": text}
