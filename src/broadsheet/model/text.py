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
_TEX_LETTERS = {
    "o": "o", "O": "O", "l": "l", "L": "L", "aa": "a", "AA": "A", "i": "i", "j": "j", "ell": "l",
    "dj": "d", "DJ": "D", "dh": "d", "DH": "D", "th": "th", "TH": "TH", "imath": "i", "jmath": "j",
}  # fmt: skip
_LETTERS = str.maketrans(
    {
        "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ı": "i", "ȷ": "j",
        "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH",
    }
)  # fmt: skip
# Greek letters (and the sign that is read aloud) by the names that TeX gives them; its variants
# (\varepsilon) are the same letters.
_GREEK = str.maketrans(
    {
        "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
        "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi",
        "ο": "o", "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon",
        "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "×": "times",
    }
)  # fmt: skip
_TEX_VARIANT = re.compile(r"\\var(?=(?:epsilon|theta|kappa|pi|rho|sigma|phi)(?![A-Za-z]))")
# Signs that are no letters: in Unicode they do not count, so neither do their names in TeX.
_TEX_SIGN = re.compile(
    r"\\(?:to|rightarrow|longrightarrow|leftarrow|leftrightarrow|Rightarrow|Leftrightarrow|mapsto"
    r"|infty|sim|simeq|approx|cong|equiv|cdot|cdots|ldots|dots|circ|bullet|star|ast|dagger|prime|pm|mp"
    r"|le|leq|ge|geq|ne|neq|ll|gg|lesssim|gtrsim|in|notin|subset|subseteq|cap|cup|wedge|vee|oplus"
    r"|otimes|sqrt|partial|nabla|langle|rangle|lvert|rvert|lVert|rVert|vert|Vert|mid|perp|parallel"
    r"|quad|qquad|textendash|textemdash|textquoteright|textquoteleft)(?![A-Za-z])"
)
_MARKUP = re.compile(r"</?(?:i|b|u|em|strong|sub|sup|sc|scp|tt|italic|bold|span|mml:\w+)(?:\s[^<>]*)?>", re.I)
_AND = re.compile(r"\\?&")
# What stays of a title beside letters and digits: these tell PEPSI from PEPSI++ and C from C#.
_TITLE_TOKEN = re.compile(r"[^\W_]+|[+#]+")


def title_key(title: str) -> str:
    """``title`` reduced to what makes two titles the same: letters, digits, ``+`` and ``#``.

    Case, accents, punctuation, spacing, HTML entities, markup and TeX do not count, ``&`` is "and" and
    a Greek letter is its name, so that ``Poincar\\'e ResNet`` and ``Poincaré ResNet``, ``$\\beta$-VAE``
    and ``β-VAE`` agree, while ``PEPSI`` and ``PEPSI++``, ``Part I`` and ``Part II`` stay apart.
    """
    text = html.unescape(title) if "&" in title else title
    if "<" in text:
        text = _MARKUP.sub("", text)
    if "&" in text:
        text = _AND.sub(" and ", text)
    if "\\" in text:
        text = _TEX_ACCENT.sub(lambda m: m[1].lstrip("\\"), text)
        text = _TEX_STYLE.sub("", text)
        text = _TEX_SIGN.sub(" ", _TEX_VARIANT.sub(r"\\", text))
        text = _TEX_COMMAND.sub(lambda m: _TEX_LETTERS.get(m[1], m[1]), text)
    if not text.isascii():
        text = _without_accents(text).casefold().translate(_GREEK)
    return "".join(_TITLE_TOKEN.findall(text.casefold()))


def _without_accents(text: str) -> str:
    text = unicodedata.normalize("NFKD", text).translate(_LETTERS)
    return "".join(c for c in text if not unicodedata.combining(c))


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


_SUFFIX = re.compile(r"(?i),?\s+(?:jr|sr|ii|iii|iv)\.?$|,\s*(?:jr|sr|ii|iii|iv)\.?(?=,)")
_DIGRAPH = re.compile(r"(?<=[aou])e")


def surname(name: str) -> str:
    """The last word of the family name in ``name``, folded for comparison.

    It is the same for "Laurens van der Maaten" and "van der Maaten, L.", "Müller" and "Mueller".
    """
    name = _SUFFIX.sub("", name.strip())
    family = name.split(",")[0] if "," in name else name
    text = _without_accents((family.split() or [""])[-1]).casefold()
    return _DIGRAPH.sub("", "".join(c for c in text if c.isalpha()))


# What stands in a list of authors for those who are left out.
_OTHERS = {"others", "al", "etal"}


def authors_agree(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two author lists name the same people: the first and most of the shorter list.

    Two names agree in the family name or, as where it comes first, in all words in any order.
    """
    shorter, longer = sorted((_folded(a), _folded(b)), key=len)
    if not shorter:
        return False
    first = _common(shorter[:1], longer) or _common(longer[:1], shorter)
    return bool(first) and len(_common(shorter, longer)) / len(shorter) > 0.5


def _folded(names: Sequence[str]) -> list[tuple[str, str]]:
    """(family name, all words sorted) of each of ``names``; of one family name once."""
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(surname(name), " ".join(sorted(words(_without_accents(name)))))
    return [(family, whole) for family, whole in folded.items() if family and family not in _OTHERS]


def _common(names: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of ``names`` that are among ``others`` too."""
    families, wholes = {family for family, _ in others}, {whole for _, whole in others}
    return [name for name in names if name[0] in families or name[1] in wholes]
