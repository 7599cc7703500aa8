"""Text from TeX as it stands in bibliographies: accents and braces resolved, formulas left as TeX."""

from __future__ import annotations

import re
from functools import lru_cache

# Longer fields are refused by the model anyway.
_MAX = 60_000
_PLAIN = re.compile(r"[^\\{}~$%`']*\Z")
_PERCENT = re.compile(r"(?<!\\)%")
_BRACES = re.compile(r"[{}]")
# Macros that the library drops or does not know.
_REWRITTEN = (
    (re.compile(r"\\href\s*\{[^{}]*\}\s*\{"), "{"),
    (re.compile(r"\\(?:[mh]box|url)\s*\{"), "{"),
    (re.compile(r"\\((?:La|Bib|pdf|Xe)?TeX)(?![A-Za-z])(?:\s*\{\})?"), r"{\1}"),
)


def text_of(tex: str) -> str:
    r"""``tex`` as Unicode text; what stands between dollar signs stays as it is.

    >>> text_of(r"The {B}{\"o}hm--Jacopini theorem for $n \le 3$")
    'The Böhm–Jacopini theorem for $n \\le 3$'
    """
    if _PLAIN.match(tex):
        return tex.replace("--", "–") if "--" in tex else tex
    if "\\" not in tex and "$" not in tex and "`" not in tex:
        return _BRACES.sub("", tex).replace("~", " ").replace("---", "—").replace("--", "–")
    if len(tex) > _MAX:
        return tex
    for macro, text in _REWRITTEN:
        tex = macro.sub(text, tex)
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
