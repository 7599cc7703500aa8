"""Author names of arXiv: divided from one text, without affiliations, TeX accents as letters."""

from __future__ import annotations

import re
from functools import lru_cache

from ...model.text import clean_line
from ..bibtex.tex import text_of

# What makes a list of authors more than names divided by commas and "and".
_AWKWARD = re.compile(
    r"[()\[\];:&{}$]|ollaboration|behalf|\bet\.? al|\b(?:and|with)\s*,|, (?:for|on) ", re.IGNORECASE
)
_PLAIN_DIVIDER = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+")
_DIVIDER = re.compile(
    r"\s*[,;]\s*(?:(?:and|with|&)\s+)?|\s+(?:and|&)\s+|(?<=ollaboration)\s*:\s*|(?<=ollaborations)\s*:\s*"
)
_INNERMOST = re.compile(r"\(([^()]*)\)")
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_GROUP = r"(?:Collaborations?|Consortium)"
# "for the RBC and UKQCD Collaborations", "on behalf of the DELPHI Collaboration"
_ON_BEHALF = re.compile(
    r"[\s,;]{0,4}\b(?:(?:for|from|on behalf of|representing)\s+)+(?:the\s+)?"
    rf"([^,;:()]{{1,120}}?\s{_GROUP})\b",
    re.IGNORECASE,
)
# Within brackets: "(the MAGIC collaboration)", "(for the CDF and D0 Collaborations)"
_BRACKETED_GROUP = re.compile(
    rf"\s*(?:for\s+|on behalf of\s+)?(?:the\s+)?([^\d,;:()]{{1,120}}?\s{_GROUP})\b.*",
    re.IGNORECASE | re.DOTALL,
)
_SUFFIX = re.compile(r"(?:Jr|Sr|Jnr|Snr)\.?|I{2,3}|IV|VI{0,3}")
_ET_AL = re.compile(r"\s+et\.? al\b.*", re.IGNORECASE)
_NOT_A_NAME = re.compile(
    r"(?:et\.? al\b.*|others|\d.*additional authors.*|for|and|the|on behalf of)\W*|[\W\d_]*", re.IGNORECASE
)
_MAX_NESTED = 8
# Longer lists than any real one: 3,303 authors have 60,000 characters.
_MAX = 500_000


def names_in(text: str) -> list[str]:
    r"""The people and collaborations that ``text``, arXiv's line of authors, names, in order.

    Affiliations in brackets are left out, and so is "et al."; a collaboration in brackets stays.

    >>> names_in(r"M. R{\"u}bhausen (1), J. Gates Jr and K. Ito ((1) Hamburg), for the XY Collaboration")
    ['M. Rübhausen', 'J. Gates Jr', 'K. Ito', 'XY Collaboration']
    """
    text = " ".join(text[:_MAX].split())
    if not _AWKWARD.search(text):
        parts, groups = _PLAIN_DIVIDER.split(text), []
    else:
        text, groups = _without_brackets(text.replace(r"\&", "&"))
        text = _ON_BEHALF.sub(lambda found: groups.append(found[1]) or "", text)
        parts = _DIVIDER.split(text)
    names: list[str] = []
    for part in [*parts, *groups]:
        name = name_of(part)
        if names and _SUFFIX.fullmatch(name):
            # "John Smith, Jr."
            names[-1] = f"{names[-1]} {name}"
        elif name:
            names.append(name)
    return names


def joined_name(forenames: str, keyname: str, suffix: str) -> str:
    """A name of the format ``arXiv``, which gives it in parts; empty where it is none."""
    return name_of(" ".join(filter(None, (forenames.strip(), keyname.strip(), suffix.strip()))))


@lru_cache(8192)
def name_of(tex: str) -> str:
    """``tex`` as a name in plain letters; empty where it is none ("et al", a colon)."""
    name = tex.strip()
    if "\\" in name or "{" in name:
        name = text_of(name)
    name = _ET_AL.sub("", clean_line(name)).strip(" ,;:")
    return "" if _NOT_A_NAME.fullmatch(name) else name


def _without_brackets(text: str) -> tuple[str, list[str]]:
    """``text`` without what stands in brackets, and the collaborations that stood there."""
    groups: list[str] = []

    def left_out(found: re.Match[str]) -> str:
        group = _BRACKETED_GROUP.fullmatch(found[1])
        if group:
            groups.append(group[1])
        return " "

    text = _BRACKETS.sub(" ", text)
    for _ in range(_MAX_NESTED):
        text, times = _INNERMOST.subn(left_out, text)
        if not times:
            break
    # A bracket that is never closed opens an affiliation; one that was never opened closes nothing.
    return text.partition("(")[0].replace(")", " "), groups
