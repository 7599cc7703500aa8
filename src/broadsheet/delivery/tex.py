r"""Titles and abstracts as HTML or plain text: ``$...$`` becomes MathML, text-mode TeX becomes Unicode.

As on arXiv only inline formulas between ``$...$`` or ``\(...\)`` are rendered. A lone dollar or per
cent sign, a path, a flag stay what they are. The stored text is never changed: this is for display.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from markupsafe import Markup
from pylatexenc import latex2text

from ..model.validation import is_web_url
from .katex import escape_per_cent, mathml

_CACHED = 4_096
# A text without any of these is shown as it is: most are.
_ANYTHING = re.compile(r"[\\$`]|--|''|https?://|[A-Za-z.]~")


def is_plain(text: str) -> bool:
    """Whether ``text`` holds no TeX and nothing else that is shown in another way."""
    # Looking for each is faster than the expression, which must try at every place.
    may_not_be = (
        ("\\" in text or "$" in text or "`" in text)
        or ("--" in text or "''" in text)
        or ("://" in text or "~" in text)
    )
    return not (may_not_be and _ANYTHING.search(text))


def html_of(text: str, links: bool = False) -> Markup:
    """``text`` as HTML: formulas as MathML, emphasis as elements; with ``links``, addresses as links.

    Everything else is escaped: nothing in ``text`` can become an element or a script.
    """
    return Markup(html.escape(text)) if is_plain(text) else _rendered(text, links)


@lru_cache(_CACHED)
def _rendered(text: str, links: bool) -> Markup:
    return Markup(_converted(text, _Html(links), mathml))


def plain_of(text: str) -> str:
    """``text`` without TeX, for titles of windows, mail, citations: formulas as Unicode text."""
    return text if is_plain(text) else _read(text)


@lru_cache(_CACHED)
def _read(text: str) -> str:
    return unicodedata.normalize("NFC", _converted(text, _Plain(), _math_text))


# Formulas stand aside as single characters while the prose around them is converted.
_FIRST_PLACEHOLDER = 0xF0000
_PLACEHOLDER = re.compile("[\U000f0000-\U000ffffd]")


def _converted(text: str, out: _Plain, formula: Callable[[str], str]) -> str:
    prose, formulas = [], []
    for is_math, part in parts(_PLACEHOLDER.sub("\ufffd", text)):
        if is_math:
            prose.append(chr(_FIRST_PLACEHOLDER + len(formulas)))
            formulas.append(part)
        else:
            prose.append(part)
    converted = _prose("".join(prose), out)
    return _PLACEHOLDER.sub(lambda m: formula(formulas[ord(m[0]) - _FIRST_PLACEHOLDER]), converted)


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """``text`` cut into (is a formula, its source without delimiters) and the prose between."""
    start = position = 0
    # Most texts have no formula, and a page has many texts.
    while ("$" in text or "\\" in text) and (match := _OPENING.search(text, position)):
        opening = match[0]
        end = _closing(text, match.end(), opening)
        if end is None:
            position = match.end()
            continue
        if match.start() > start:
            yield False, text[start : match.start()]
        content = text[match.end() : end]
        yield not _WORDS_ONLY.fullmatch(content), content
        start = position = end + len(opening)
    if start < len(text):
        yield False, text[start:]


# Each begins with the sign itself: what comes before it is looked at only there.
_OPENING = re.compile(r"\$(?<!\\\$)\$?|\\(?<!\\\\)[(\[]")
_DOLLAR = re.compile(r"\$(?<!\\\$)")
_CLOSING = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_MAX_FORMULA = 1_000
# $\textit{i.e.}$ and $\href{...}{...}$ set words: there is no formula in them.
_WORDS_ONLY = re.compile(
    r"\s*\\(?:href\s*\{[^{}]*\}|textit|textbf|texttt|textsc|textsf|emph|text)\s*\{[^{}$]*\}\s*"
)


def _closing(text: str, start: int, opening: str) -> int | None:
    """Where the formula that begins at ``start`` ends, or None where ``opening`` opens none."""
    if opening == "$":
        match = _DOLLAR.search(text, start, start + _MAX_FORMULA)
        end = match.start() if match else -1
    else:
        end = text.find(_CLOSING[opening], start, start + _MAX_FORMULA)
    if end < 0:
        return None
    content = text[start:end]
    if not content.strip() or "\n\n" in content:
        return None
    return end if opening != "$" or _is_formula(content, text[end + 1 : end + 2]) else None


_TEX_SIGN = re.compile(r"[\\^_{}]")
_AMOUNT = re.compile(r"\s*\d[\d.,]*")
_BRACED = re.compile(r"\\[A-Za-z]+\s*(?:\{[^{}]*\})?|\{[^{}]*\}")
_WORD = re.compile(r"[A-Za-z]{3,}")


def _is_formula(content: str, after: str) -> bool:
    """Whether what stands between two dollar signs is a formula, and not between two prices."""
    words = len(_WORD.findall(_BRACED.sub(" ", content)))
    open_ended = content[0] != " " and content[-1] == " "
    unbalanced = len(re.findall(r"[(\[]", content)) != len(re.findall(r"[)\]]", content))
    if _AMOUNT.match(content) and (
        words >= 2 or open_ended or unbalanced or (after.isdigit() and content[-1] in "-–(/")
    ):
        return False
    if " " not in content and "\n" not in content:
        return True
    if _TEX_SIGN.search(content):
        return words < 8
    return words == 0 or (words == 1 and not content.startswith(" ") and not open_ended)


class _Plain:
    """What becomes of the pieces of a text when plain text is made."""

    def text(self, text: str) -> str:
        return text

    def styled(self, style: str, inner: str) -> str:
        return inner

    def link(self, url: str, inner: str) -> str:
        return inner if inner == url else f"{inner} ({url})"


class _Html(_Plain):
    """The same when HTML is made: every text is escaped."""

    def __init__(self, links: bool):
        self._links = links

    def text(self, text: str) -> str:
        return html.escape(text)

    def styled(self, style: str, inner: str) -> str:
        element = _ELEMENTS.get(style)
        return f"<{element}>{inner}</{element}>" if element else inner

    def link(self, url: str, inner: str) -> str:
        if not self._links or not is_web_url(url):
            return super().link(html.escape(url), inner)
        return f'<a href="{html.escape(url)}" rel="nofollow noopener">{inner}</a>'


_ELEMENTS = {
    "emph": "em", "em": "em", "textit": "em", "it": "em", "textsl": "em", "sl": "em", "textbf": "strong",
    "bf": "strong", "texttt": "code", "tt": "code", "textsuperscript": "sup", "textsubscript": "sub",
}  # fmt: skip

# One pair of braces with up to two more within.
_ARGUMENT = r"\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
_STYLES = (
    "emph|textit|textsl|textbf|texttt|textsc|textsf|textrm|textup|text|underline|uline|mbox|"
    "textsuperscript|textsubscript"
)
_LETTERS = "ss|o|O|l|L|ae|AE|oe|OE|aa|AA|i|j|dh|DH|th|TH"
_PROSE = re.compile(
    "|".join(
        (
            r"(?P<url>https?://[^\s<>\"'`{}|\\^$]+)",
            rf"\\(?P<style>{_STYLES})(?![A-Za-z]){_ARGUMENT.replace('(', '(?P<styled>', 1)}",
            r"\{\\(?P<old>em|it|bf|tt|sc|sf|rm|sl)(?![A-Za-z])\s*(?P<olden>[^{}]*)\}",
            rf"\\url{_ARGUMENT.replace('(', '(?P<address>', 1)}",
            rf"\\href{_ARGUMENT.replace('(', '(?P<target>', 1)}{_ARGUMENT.replace('(', '(?P<label>', 1)}",
            rf"\\footnote{_ARGUMENT.replace('(', '(?P<note>', 1)}",
            rf"\\textcolor\s*\{{[^{{}}]*\}}{_ARGUMENT.replace('(', '(?P<coloured>', 1)}",
            r"(?P<dropped>\\color\s*\{[^{}]*\}|\\[-/@]|\\(?:allowbreak|large|Large|small|xspace)(?![A-Za-z])\s*)",
            r"(?P<accent>\{?\\(?:['`^\"~=.]\s?|[uvHck](?:(?=\{)|\s)|[dbrt](?=\{))"
            r"(?:\{\\?[A-Za-z]\}|\\[ij](?![A-Za-z])|[A-Za-z])\}?)",
            rf"(?P<letter>\{{?\\(?:{_LETTERS})(?![A-Za-z])(?:\{{\}}|\s)?\}}?)",
            r"\\cite[pt]?\*?\s*\{(?P<cited>[^{}]*)\}",
            r"\\(?P<escaped>[%&_#$\{\}])",
            r"(?P<space>\\[ ,;:!]|\\\\)",
            r"\\(?P<symbol>[A-Za-z]+)(?:\{\})?",
            r"``(?P<quoted>[^`]{1,400}?)''",
            r"(?<![`\w])`(?P<single>[^`'\n]{1,80})'(?![\w'])",
            r"(?P<dash>(?<=[^\s-])---?(?=[^\s-])|(?<=\s)---?(?=\s))",
            r"(?<=[A-Za-z.])(?P<tie>~)(?=[\w\\$(])",
        )
    )
)
# With what each of these begins.
_PROSE_START = re.compile(r"[\\{`~]|--|http")
# "\"uber" is an accent, but in {\"key\": 1} the backslash only protects the quotation mark.
_PROTECTED_QUOTE = re.compile(r"\\\"(?![A-Za-z{\\ ])")
# Common abbreviations of conference styles, which pylatexenc does not know.
_ABBREVIATIONS = {"eg": "e.g.", "ie": "i.e.", "etc": "etc.", "deg": "°", "textemdash": "—", "textendash": "–"}


def _prose(text: str, out: _Plain) -> str:
    """Text-mode TeX in ``text`` resolved, written by ``out``."""
    if _PROTECTED_QUOTE.search(text):
        text = text.replace('\\"', '"')
    written, start = [], 0
    for match in _prose_matches(text):
        replaced = _replaced(match, out)
        if replaced is None:
            continue
        written += [out.text(text[start : match.start()]), replaced]
        start = match.end()
    written.append(out.text(text[start:]))
    return "".join(written)


def _prose_matches(text: str) -> Iterator[re.Match[str]]:
    """All matches of `_PROSE`, looked for only where one can begin."""
    at = 0
    while begins := _PROSE_START.search(text, at):
        at = begins.start()
        if match := _PROSE.match(text, at):
            yield match
        at = match.end() if match else at + 1


def _replaced(match: re.Match[str], out: _Plain) -> str | None:
    """What stands for one piece of TeX; None leaves it as it is."""
    kind = match.lastgroup
    value = match[kind] if kind else ""
    match kind:
        case "styled":
            return out.styled(match["style"], _prose(value, out))
        case "olden":
            return out.styled(match["old"], _prose(value, out))
        case "url":
            url = _trimmed(value)
            return out.link(url, out.text(url)) + out.text(value[len(url) :])
        case "address":
            return out.link(value.strip(), out.text(value.strip()))
        case "label":
            return out.link(match["target"].strip().replace("\\", ""), _prose(value, out))
        case "note":
            return f" ({_prose(value, out)})"
        case "coloured":
            return _prose(value, out)
        case "dropped":
            return ""
        case "accent" | "letter":
            character = _unicode(value)
            return out.text(character) if character else None
        case "cited":
            return out.text(f"[{value}]")
        case "escaped":
            return out.text(value)
        case "space":
            return "\u2009" if value == "\\," else "" if value == "\\!" else " "
        case "symbol":
            character = _ABBREVIATIONS.get(value) or _symbol(value)
            return out.text(character) if character else None
        case "quoted":
            return f"“{_prose(value, out)}”"
        case "single":
            return f"‘{_prose(value, out)}’"
        case "dash":
            return "—" if len(value) == 3 else "–"
        case "tie":
            return "\u00a0"
    return None


def _trimmed(url: str) -> str:
    """``url`` without the punctuation of the sentence that it ends."""
    url = url.rstrip(".,;:!?*'")
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip(".,;:!?*'")
    return url


_to_text = latex2text.LatexNodes2Text(math_mode="text", strict_latex_spaces=True)
# In a formula "\log n" keeps its space, as it is read.
_formula_to_text = latex2text.LatexNodes2Text(math_mode="text", strict_latex_spaces="based-on-source")
_context = latex2text.get_default_latex_context_db()


@lru_cache(1_024)
def _unicode(tex: str) -> str:
    """The character that an accent command or a letter command stands for, or nothing."""
    text = unicodedata.normalize(
        "NFC", _to_text.latex_to_text(tex.strip("{}") if tex[0] == "{" else tex)
    ).strip()
    return text if len(text) == 1 else ""


@lru_cache(1_024)
def _symbol(name: str) -> str:
    """The sign that the command ``name`` stands for outside formulas, or nothing."""
    spec = _context.get_macro_spec(name)
    replacement = getattr(spec, "simplify_repl", None)
    if not isinstance(replacement, str) or not replacement or len(replacement) > 2 or "%" in replacement:
        return ""
    return replacement


@lru_cache(_CACHED)
def _math_text(tex: str) -> str:
    """A formula as readable Unicode text: ``\\alpha_i`` as ``α_i``."""
    try:
        text = _formula_to_text.latex_to_text(escape_per_cent(tex.strip()))
    except Exception:  # pylatexenc raises errors of many kinds; the source is readable too.
        text = tex.strip()
    return re.sub(r"\s+", " ", text).strip() or tex.strip()
