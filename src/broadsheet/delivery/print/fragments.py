"""HTML fragments as trees of plain data, which the template of the sheet sets: never as markup."""

from __future__ import annotations

import html
import re
from typing import Any

from lxml import etree

from . import formulas

# A text is a list of strings and of marked pieces: {"k": kind, "c": content}.
Piece = str | dict[str, Any]

_KINDS = {"em": "em", "strong": "strong", "code": "code", "sup": "sup", "sub": "sub"}
_DEPTH = 8
# No column is as wide as such a word: it may be broken anywhere.
_LONG_WORD = re.compile(r"\S{25,}")


def element_of(fragment: str) -> etree._Element:
    """``fragment`` in one element; as plain text where it is not well-formed."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(f"<div>{fragment}</div>", parser)
    except etree.XMLSyntaxError:
        bare = etree.Element("div")
        bare.text = re.sub(
            "[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", html.unescape(fragment)
        )
        return bare


def pieces_of(fragment: str) -> list[Piece]:
    """``fragment`` as pieces: text, emphasis, code, raised and lowered text, formulas."""
    return _pieces(element_of(fragment), _DEPTH)


def length_of(fragment: str) -> int:
    """How many characters a reader sees of ``fragment``; a formula counts as its letters and signs."""
    root = element_of(fragment)
    for annotation in root.iter("annotation"):
        annotation.text = None
    return len("".join(root.itertext()))


def _pieces(element: etree._Element, depth: int) -> list[Piece]:
    found: list[Piece] = [breakable(element.text or "")]
    for child in element:
        found += _child(child, depth)
        found.append(breakable(child.tail or ""))
    return [piece for piece in found if piece]


def _child(child: etree._Element, depth: int) -> list[Piece]:
    if child.tag == "math":
        return [formulas.formula_of(child)]
    if depth == 0:
        return [breakable("".join(child.itertext()))]
    inner = _pieces(child, depth - 1)
    kind = _KINDS.get(str(child.tag))
    return [{"k": kind, "c": inner}] if kind else inner


def breakable(text: str) -> str:
    """``text`` in which a word that is wider than a column can be broken anywhere."""
    return _LONG_WORD.sub(lambda match: "\u200b".join(match[0]), text)
