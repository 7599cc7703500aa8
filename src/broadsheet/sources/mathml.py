"""MathML as TeX, which is how formulas stand in titles and abstracts here.

Source: W3C MathML 3, presentation markup. Content markup, which is rare, becomes its plain text.
"""

from __future__ import annotations

from lxml import etree

from .xml_events import local_name

_MAX_DEPTH = 60
# Characters that TeX reads as commands.
_ESCAPED = {c: f"\\{c}" for c in "#$%&_{}"} | {"\\": r"\backslash ", "~": r"\sim ", "^": r"\hat{}"}
# What a shape with a fixed number of parts is in TeX.
_SHAPES = {
    "msup": "{0}^{{{1}}}",
    "msub": "{0}_{{{1}}}",
    "msubsup": "{0}_{{{1}}}^{{{2}}}",
    "munderover": "{0}_{{{1}}}^{{{2}}}",
    "mfrac": r"\frac{{{0}}}{{{1}}}",
    "mroot": r"\sqrt[{1}]{{{0}}}",
}
_CONTENT = {"matrix", "matrixrow", "vector", "apply", "set", "list", "interval"}
_SYMBOLS = {
    "infinity": r"\infty", "pi": r"\pi", "in": r"\in", "complexes": r"\mathbb{C}", "reals": r"\mathbb{R}",
    "integers": r"\mathbb{Z}", "plus": "+", "minus": "-", "times": r"\times", "eq": "=", "lt": "<", "gt": ">",
}  # fmt: skip
_PARTS = {"msup": 2, "msub": 2, "msubsup": 3, "munderover": 3, "mfrac": 2, "mroot": 2}
_ACCENTS = {
    "→": r"\vec", "⃗": r"\vec", "^": r"\hat", "ˆ": r"\hat", "¯": r"\bar", "‾": r"\overline",
    "˜": r"\tilde", "~": r"\tilde", "˙": r"\dot", "¨": r"\ddot", "_": r"\underline",
}  # fmt: skip


def tex_of(math: etree._Element) -> str:
    """``math``, an element ``<math>``, as TeX without dollars; empty where it holds nothing.

    >>> tex_of(etree.fromstring("<math><msup><mi>x</mi><mn>2</mn></msup></math>"))
    'x^{2}'
    """
    return " ".join(_tex(math, 0).split())


def _tex(element: etree._Element, depth: int) -> str:
    if not isinstance(element.tag, str):
        return ""
    if depth > _MAX_DEPTH:
        return _escaped("".join(element.itertext()))
    name = local_name(element)
    parts = [child for child in element if isinstance(child.tag, str)]
    if name in ("annotation", "annotation-xml", "mphantom", "maligngroup", "malignmark"):
        return ""
    if name == "semantics":
        return _annotation(element) or (_tex(parts[0], depth + 1) if parts else "")
    if name == "cn":
        # The parts of a complex number or a fraction.
        return " ".join(" ".join(element.itertext()).split())
    if name in ("mi", "mn", "mo"):
        return _token(element, name)
    if name in ("mtext", "ms"):
        text = " ".join("".join(element.itertext()).split())
        return rf"\text{{{_escaped(text)}}}" if text else " "
    if name == "mspace":
        return " "
    inner = [_tex(part, depth + 1) for part in parts]
    if name in _SHAPES and len(inner) >= _PARTS[name]:
        return _SHAPES[name].format(*inner)
    if name == "msqrt":
        return rf"\sqrt{{{_joined(inner)}}}"
    if name in ("mover", "munder") and len(inner) >= 2:
        return _accented(name, inner[0], inner[1])
    if name == "mfenced":
        return _fenced(element, inner)
    if name == "mtable":
        rows = r" \\ ".join(inner)
        return rf"\begin{{matrix}}{rows}\end{{matrix}}"
    if name in ("mtr", "mlabeledtr"):
        return " & ".join(inner)
    if parts:
        # Numbers of content markup would run together.
        return " ".join(inner) if name in _CONTENT else _joined(inner)
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    text = " ".join((element.text or "").split())
    return _escaped(text) if text else ""


def _token(element: etree._Element, name: str) -> str:
    text = " ".join("".join(element.itertext()).split())
    if name == "mi" and len(text) > 1 and text.isalpha() and text.isascii():
        return rf"\mathrm{{{text}}}"
    return _escaped(text)


def _annotation(element: etree._Element) -> str:
    """The TeX that the writer of a formula left beside it."""
    for child in element:
        if isinstance(child.tag, str) and child.get("encoding", "").lower() in ("application/x-tex", "tex"):
            return (child.text or "").strip().strip("$")
    return ""


def _accented(name: str, base: str, mark: str) -> str:
    accent = _ACCENTS.get(mark.replace("\\sim", "~").replace(r"\hat{}", "^").replace(r"\_", "_").strip())
    if accent and (name == "mover" or accent == r"\underline"):
        return f"{accent}{{{base}}}"
    return f"{base}^{{{mark}}}" if name == "mover" else f"{base}_{{{mark}}}"


def _fenced(element: etree._Element, inner: list[str]) -> str:
    opening, closing = element.get("open", "("), element.get("close", ")")
    marks = "".join(element.get("separators", ",").split())
    parts = []
    for number, part in enumerate(inner):
        mark = marks[min(number, len(marks)) - 1] if number and marks else ""
        parts += [_escaped(mark), part]
    return f"{_escaped(opening)}{_joined(parts)}{_escaped(closing)}"


def _joined(parts: list[str]) -> str:
    """``parts`` one after the other; a command keeps its distance from a letter."""
    text = ""
    for part in parts:
        glued = part[:1].isalpha() and text[-1:].isalpha() and "\\" in text[-20:].split(" ")[-1]
        text += f" {part}" if glued else part
    return text


def _escaped(text: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in text)
