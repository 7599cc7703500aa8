"""Author names as BibTeX writes them, as they are read: "First von Last Jr"."""

from __future__ import annotations

import re

from .tex import text_of

_TOKEN = re.compile(r"\\.|[{},]|\s+", re.DOTALL)


def names_of(value: str) -> list[str]:
    """The names in ``value``, the TeX of an ``author`` field, in order.

    ``{A Group}`` is one name as it stands; "von Last, Jr, First" is turned around; "and others"
    is left out. Lists divided by commas instead of ``and`` ("Chambers, J. M., Kleiner, B.") are
    told by their number of commas.
    """
    names = []
    for name in _split(value, is_and=True):
        parts = [part.strip() for part in _split(name, is_and=False)]
        while parts and not parts[-1]:
            parts.pop()
        if not parts or parts == ["others"]:
            continue
        if _is_extended(parts):
            names.append(_extended(parts))
        elif len(parts) > 3:
            pairs = len(parts) % 2 == 0 and all(len(given) <= 12 for given in parts[1::2])
            names += [f"{b} {a}" for a, b in zip(parts[::2], parts[1::2], strict=True)] if pairs else parts
        elif len(parts) == 3:
            names.append(f"{parts[2]} {parts[0]} {parts[1]}")
        elif len(parts) == 2:
            names.append(f"{parts[1]} {parts[0]}")
        else:
            names.append(parts[0])
    texts = (" ".join(text_of(name).split()) for name in names)
    return [text for text in texts if text]


def _split(value: str, is_and: bool) -> list[str]:
    """``value`` divided at every "and" (or else comma) that stands outside braces."""
    parts, depth, start = [], 0, 0
    for mark in _TOKEN.finditer(value):
        token = mark[0]
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
        elif depth <= 0 and token == "," and not is_and:
            parts.append(value[start : mark.start()])
            start = mark.end()
        elif depth <= 0 and is_and and token.isspace():
            following = re.compile(r"and(?=\s|$)", re.IGNORECASE).match(value, mark.end())
            if following and mark.start() >= start:
                parts.append(value[start : mark.start()])
                start = following.end()
    parts.append(value[start:])
    return parts


def _is_extended(parts: list[str]) -> bool:
    return all(re.match(r"(?:family|given|prefix|suffix|useprefix|id|[\w-]+-i)\s*=", part) for part in parts)


def _extended(parts: list[str]) -> str:
    """BibLaTeX's ``family=Last, given=First, prefix=von`` as a name."""
    named = dict(part.split("=", 1) for part in parts)
    named = {key.strip(): value.strip().strip('"') for key, value in named.items()}
    return " ".join(filter(None, (named.get(key, "") for key in ("given", "prefix", "family", "suffix"))))
