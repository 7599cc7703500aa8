"""Text from TeX as it stands in bibliographies: accents and braces resolved, formulas left as TeX."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Longer fields are refused by the model anyway.
_MAX = 60_000
_PLAIN = re.compile(r"[^\\{}~$%`'-]*\Z")
_MATH = re.compile(r"((?<!\\)\$[^$]*\$)")
_PERCENT = re.compile(r"(?<!\\)%")
_BRACES = re.compile(r"[{}]")

# What most fields hold is resolved here; the library, which knows all of TeX, takes a hundred times as long.
_ESCAPE = re.compile(r"\\([&%#_])")
_ACCENT = re.compile(
    r"\\(?:([`'^\"~=.])|([uvHcdbkr])(?=[\s{]))\s*"
    r"(?:\{\s*(?:\\([ij])|([A-Za-z]))\s*\}|(?:\\([ij])(?![A-Za-z])|([A-Za-z])))"
)
_COMBINING = dict(
    zip(
        "`'^~\"=.uvHcdbkr",
        "\u0300\u0301\u0302\u0303\u0308\u0304\u0307\u0306\u030c\u030b\u0327\u0323\u0331\u0328\u030a",
        strict=True,
    )
)
_LETTER = re.compile(r"\\(ae|AE|oe|OE|aa|AA|ss|o|O|l|L|i|j)(?![A-Za-z])\s*(?:\{\})?")
_LETTERS = {
    "ae": "æ",
    "AE": "Æ",
    "oe": "œ",
    "OE": "Œ",
    "aa": "å",
    "AA": "Å",
    "ss": "ß",
    "o": "ø",
    "O": "Ø",
    "l": "ł",
    "L": "Ł",
    "i": "ı",
    "j": "ȷ",
}
_PUNCTUATION = (("``", "“"), ("''", "”"), ("---", "—"), ("--", "–"), ("~", " "))

# Macros that the library drops or does not know.
_REWRITTEN = (
    (re.compile(r"\\href\s*\{[^{}]*\}\s*\{"), "{"),
    (re.compile(r"\\(?:[mh]box|url)\s*\{"), "{"),
    (re.compile(r"\\((?:La|Bib|pdf|Xe)?TeX)(?![A-Za-z])(?:\s*\{\})?"), r"{\1}"),
)


@lru_cache(4096)
def text_of(tex: str) -> str:
    r"""``tex`` as Unicode text; what stands between dollar signs stays as it is.

    >>> text_of(r"The {B}{\"o}hm--Jacopini theorem for $n \le 3$")
    'The Böhm–Jacopini theorem for $n \\le 3$'
    """
    if _PLAIN.match(tex) or len(tex) > _MAX:
        return tex
    for macro, text in _REWRITTEN:
        tex = macro.sub(text, tex)
    if "$" not in tex:
        return _prose(tex)
    # A formula within braces is one all the same, so formulas are taken out first.
    return "".join(part if part.startswith("$") else _prose(part) for part in _MATH.split(tex))


def _prose(tex: str) -> str:
    """``tex``, which has no formulas, as text."""
    text = _ESCAPE.sub(r"\1", tex)
    if "\\" in text:
        text = unicodedata.normalize(
            "NFC", _LETTER.sub(lambda found: _LETTERS[found[1]], _ACCENT.sub(_accented, text))
        )
    if "\\" in text:
        return _by_library(tex)
    text = _BRACES.sub("", text)
    for mark, sign in _PUNCTUATION:
        text = text.replace(mark, sign)
    return text


def _accented(found: re.Match[str]) -> str:
    return (found[3] or found[4] or found[5] or found[6]) + _COMBINING[found[1] or found[2]]


def _by_library(tex: str) -> str:
    try:
        # A percent sign in a bibliography is one, not the beginning of a comment.
        return _converter().latex_to_text(_PERCENT.sub(r"\\%", tex)).replace("\u00a0", " ")
    except Exception:
        # Deep nesting and other nonsense: the library has no common class for what it raises.
        return _BRACES.sub("", tex)


@lru_cache(1)
def _converter():
    from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

    context = get_default_latex_context_db()
    context.add_context_category(
        "bibliographies",
        prepend=True,
        macros=[
            # Journal names of NASA ADS come as macros; unknown ones are shown by their name.
            *(MacroTextSpec(name, simplify_repl=journal) for name, journal in ADS_JOURNALS.items()),
        ],
    )
    return LatexNodes2Text(
        latex_context=context, math_mode="verbatim", keep_comments=True, strict_latex_spaces=False
    )


# AAS journal macros (aastex), those that ADS exports.
ADS_JOURNALS = {
    "aj": "Astronomical Journal",
    "actaa": "Acta Astronomica",
    "araa": "Annual Review of Astronomy and Astrophysics",
    "apj": "Astrophysical Journal",
    "apjl": "Astrophysical Journal Letters",
    "apjs": "Astrophysical Journal Supplement Series",
    "ao": "Applied Optics",
    "apss": "Astrophysics and Space Science",
    "aap": "Astronomy and Astrophysics",
    "aapr": "Astronomy and Astrophysics Review",
    "aaps": "Astronomy and Astrophysics Supplement Series",
    "baas": "Bulletin of the American Astronomical Society",
    "icarus": "Icarus",
    "jcap": "Journal of Cosmology and Astroparticle Physics",
    "memras": "Memoirs of the Royal Astronomical Society",
    "mnras": "Monthly Notices of the Royal Astronomical Society",
    "na": "New Astronomy",
    "nar": "New Astronomy Reviews",
    "nat": "Nature",
    "pra": "Physical Review A",
    "prb": "Physical Review B",
    "prc": "Physical Review C",
    "prd": "Physical Review D",
    "pre": "Physical Review E",
    "prl": "Physical Review Letters",
    "pasp": "Publications of the Astronomical Society of the Pacific",
    "pasj": "Publications of the Astronomical Society of Japan",
    "physrep": "Physics Reports",
    "planss": "Planetary and Space Science",
    "procspie": "Proceedings of SPIE",
    "solphys": "Solar Physics",
    "ssr": "Space Science Reviews",
    "grl": "Geophysical Research Letters",
    "jgr": "Journal of Geophysical Research",
    "gca": "Geochimica et Cosmochimica Acta",
}
