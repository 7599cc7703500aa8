"""What a pasted text names: the ids and the title in an address, a BibTeX or RIS entry, a citation.

The readers in `sources` want whole files. What arrives here has gone through the one line of a search
field: line ends are gone, the end may be missing, and only what identifies the paper is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from ...model.identifiers import Identifier, arxiv_identifier, doi_identifier, find_identifier, url_identifier
from ...model.text import words as words_of

QUOTE_MARKS = '"“”„‟«»＂'
QUOTE = re.compile(f"[{QUOTE_MARKS}]")

# Several ids at once are a list of papers; more than these are somebody's data.
_MAX_IDS = 20


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a pasted text names.

    ``kind`` is ``id`` (nothing but ids or addresses), ``bibtex``, ``ris``, ``citation`` or ``title`` (a text
    that begins with "Title:"). Every paper that one of ``identifiers`` names is meant; ``title`` is empty
    where none was recognised. At least one of them is there. ``others`` counts the entries after the
    first, which are not read.
    """

    kind: str
    identifiers: tuple[Identifier, ...] = ()
    title: str = ""
    others: int = 0


# Reading one query asks these of the same text several times.
_SAME_TEXTS = 16


@lru_cache(_SAME_TEXTS)
def pasted_ids(text: str) -> Pasted | None:
    """The papers that ``text`` names where it is nothing but ids and addresses."""
    text = text.strip(QUOTE_MARKS + " ")
    whole = _identifier(text)
    if whole:
        return Pasted("id", (whole,))
    parts = text.replace(",", " ").replace(";", " ").split(maxsplit=_MAX_IDS)
    if not 2 <= len(parts) <= _MAX_IDS:
        return None
    # The last part has what was not split off, which is then no id.
    found = []
    for part in parts:
        found.append(_identifier(part))
        if found[-1] is None:
            return None
    return Pasted("id", _different(found))


def _identifier(text: str) -> Identifier | None:
    # "title:attention" asks for a word of the title.
    return None if text[:6].lower() == "title:" else find_identifier(text)


def _different(found: Iterable[Identifier | None]) -> tuple[Identifier, ...]:
    return tuple({identifier.key: identifier for identifier in found if identifier}.values())


def pasted_entry(text: str) -> Pasted | None:
    """The paper of the first BibTeX or RIS entry in ``text``, if that has an id or a title."""
    return _bibtex(text) or _ris(text)


# -- BibTeX

_BIBTEX = re.compile(r"@[A-Za-z]{3,30} ?[{(]")
_BIBTEX_FIELD = re.compile(r"(?<![\w-])([A-Za-z][\w-]{0,30}) ?= ?")
_BRACE_OR_ESCAPE = re.compile(r"\\.|[{}]")
_CLOSING_QUOTE = re.compile(r'\\.|"')
_BARE = re.compile(r"[^\s,{}\"]*")


def _bibtex(text: str) -> Pasted | None:
    entry = _BIBTEX.search(text)
    if not entry:
        return None
    following = [other.start() for other in _BIBTEX.finditer(text, entry.end())]
    fields: dict[str, str] = {}
    for name, value in _bibtex_fields(text[entry.end() : following[0] if following else len(text)]):
        fields.setdefault(name.lower(), value)
    title = ": ".join(part for name in ("title", "subtitle") if (part := _without_tex(fields.get(name, ""))))
    archive = (fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv").strip().lower()
    found = [_doi(fields.get("doi", ""))]
    found += [arxiv_identifier(fields.get("eprint", ""))] if archive == "arxiv" else []
    found += [arxiv_identifier(fields.get(name, "")) for name in ("arxiv", "arxivid")]
    found += [url_identifier(_first_word(fields.get("url", "")))]
    # "arXiv preprint arXiv:1706.03762" and, of DBLP, "CoRR" with the volume "abs/1706.03762".
    for name in ("journal", "volume", "note", "howpublished"):
        found += [mark.identifier for mark in _marks(fields.get(name, "")[:300])]
    identifiers = _different(found)
    return Pasted("bibtex", identifiers, title, len(following)) if identifiers or title else None


def _bibtex_fields(entry: str) -> Iterator[tuple[str, str]]:
    at = 0
    while field := _BIBTEX_FIELD.search(entry, at):
        value, at = _bibtex_value(entry, field.end())
        yield field[1], value


def _bibtex_value(entry: str, at: int) -> tuple[str, int]:
    """The value that begins at ``at``, without its braces or quotes, and where reading goes on."""
    opening = entry[at : at + 1]
    if opening == "{":
        depth = 0
        for mark in _BRACE_OR_ESCAPE.finditer(entry, at):
            depth += {"{": 1, "}": -1}.get(mark[0], 0)
            if depth == 0 and mark[0] == "}":
                return entry[at + 1 : mark.start()], mark.end()
        return entry[at + 1 :], len(entry)
    if opening == '"':
        for mark in _CLOSING_QUOTE.finditer(entry, at + 1):
            if mark[0] == '"':
                return entry[at + 1 : mark.start()], mark.end()
        return entry[at + 1 :], len(entry)
    bare = _BARE.match(entry, at)
    return (bare[0], bare.end()) if bare else ("", at)


_TEX_ACCENT = re.compile(r"\\(?:[`'^\"~=.]|[uvHcdbkr](?=[ {])) ?\{? ?\\?([A-Za-z]) ?\}?")
_TEX_LETTER = re.compile(r"\\(ae|AE|oe|OE|aa|AA|ss|o|O|l|L|i|j)(?![A-Za-z])")
_TEX_STYLE = re.compile(r"\\(?:emph|mathrm|(?:text|math)(?:it|bf|rm|sf|tt|sc|sl|up))(?![A-Za-z])")


def _without_tex(value: str) -> str:
    """``value`` without braces, accents and styles; search folds accents anyway. Formulas stay."""
    value = _TEX_ACCENT.sub(r"\1", value)
    value = _TEX_STYLE.sub("", _TEX_LETTER.sub(r"\1", value))
    value = re.sub(r"\\([&%#_$ ])", r"\1", value)
    return QUOTE.sub("", " ".join(value.translate({ord("{"): None, ord("}"): None, ord("~"): " "}).split()))


def _first_word(value: str) -> str:
    value = re.sub(r"\\(?:url|href)\b|[{}]", "", value).replace("\\", "")
    return value.split(maxsplit=1)[0] if value.strip() else ""


def _doi(value: str) -> Identifier | None:
    value = _first_word(value)
    return doi_identifier(value) or url_identifier(value)


# -- RIS

_RIS = re.compile(r"(?<![^ ])TY {1,2}- [A-Z]")
_RIS_TAG = re.compile(
    r"(?<![^ ])(TY|TI|T1|T2|T3|AU|A1|A2|A3|AB|N1|N2|PY|Y1|DA|JO|JF|JA|J1|J2|BT|VL|IS|SP|EP|SN|PB|CY|KW|UR|L1|"
    r"L2|LK|M1|M3|DO|ID|ER|DB|DP|AN|LA|ST|AD|C1|C2|CN|CP|ED|ET|RN|SE|TT|U1|U2|Y2) {1,2}-(?= |$)"
)


def _ris(text: str) -> Pasted | None:
    start = _RIS.search(text)
    if not start:
        return None
    fields: dict[str, str] = {}
    tags = list(_RIS_TAG.finditer(text, start.start()))
    for tag, following in zip(tags, [*tags[1:], None], strict=True):
        if tag[1] == "ER":
            break
        value = text[tag.end() : following.start() if following else len(text)].strip()
        fields.setdefault(tag[1], value)
    title = QUOTE.sub("", fields.get("TI") or fields.get("T1") or "").strip()
    found = [_doi(fields.get("DO", "")), *(url_identifier(fields.get(tag, "")) for tag in ("UR", "L1", "LK"))]
    for tag in ("JO", "JF", "T2", "M1", "N1", "ID", "AN"):
        found += [mark.identifier for mark in _marks(fields.get(tag, "")[:300])]
    identifiers = _different(found)
    others = sum(tag[1] == "TY" for tag in tags[1:])
    return Pasted("ris", identifiers, title, others) if identifiers or title else None


# -- citations


@dataclass(frozen=True, slots=True)
class _Mark:
    """An id that says of itself what it is, at ``start`` to ``end`` of a text."""

    identifier: Identifier
    start: int
    end: int


_MARK = re.compile(
    r"""(?ix)
    https?://[^\s<>"“”„«»]{4,500}
  | (?<![\w.])(?:(?:www|export)\.)?(?:arxiv|doi|openreview|aclanthology)\.(?:org|net)/[^\s<>"“”„«»]{4,500}
  | (?<!\w)(?:arxiv ?: ?|abs/|\[)
    (?P<arxiv>\d{4}\.\d{4,5}(?:v\d{1,3})?|[a-z-]{2,12}(?:\.[a-z-]{2,12})?/\d{7}(?:v\d{1,3})?)(?!\w)
  | (?<![\w/.])10\.\d{4,9}/[^\s<>"“”„«»]{1,500}
    """
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_SEPARATOR = re.compile(r"[.,;:](?= |$)|(?<=\d\))")
_NAMES = re.compile(r"\bet al\b|\b[A-Z]\.(?=[ ,]|[A-Z]\.)")
_QUOTED_TITLE = re.compile(f"[{QUOTE_MARKS}]([^{QUOTE_MARKS}]{{12,300}})[{QUOTE_MARKS}]")
# Whoever writes these beside an id looks for other papers.
_ASKS = re.compile(r"(?i)\b(?:like|similar|related|cit(?:e|es|ed|ing)|extend(?:s|ing)?|than|vs|versus)\b")
_MAX_TITLE_WORDS = 40
_MAX_CITATION_WORDS = 150
# Every sixth word of a citation or more ends with a separator, of an abstract hardly every tenth.
_CITATION_DENSITY = 1 / 6


def _marks(text: str) -> Iterator[_Mark]:
    for found in _MARK.finditer(text):
        identifier = find_identifier(found["arxiv"] or found[0].rstrip(".,;:)]}'"))
        if identifier:
            yield _Mark(identifier, found.start(), found.end())


@lru_cache(_SAME_TEXTS)
def pasted_citation(text: str) -> Pasted | None:
    """The paper that ``text`` cites, where it is clearly a citation, or an address with a title beside it.

    "Papers like arXiv:2407.21783" is neither: who writes this looks for other papers.
    """
    # Quotation marks stand around titles, inside or outside of what separates parts.
    bare = " ".join(QUOTE.sub(" ", text).split())
    words = bare.count(" ") + 1
    if not 2 <= words <= _MAX_CITATION_WORDS:
        return None
    marks = list(_marks(bare))
    identifiers = _different(mark.identifier for mark in marks)
    if len(identifiers) > 3:
        # A list of references, not one.
        return None
    separators = len(_SEPARATOR.findall(bare))
    cites = words >= 5 and separators / words >= _CITATION_DENSITY
    cites = cites and bool(_NAMES.search(bare) or (identifiers and _YEAR.search(bare)))
    if cites:
        quoted = _QUOTED_TITLE.search(text)
        title = quoted[1].strip(" .,") if quoted and quoted[1].count(" ") >= 2 else ""
        return Pasted("citation", identifiers, title) if identifiers or title else None
    # A browser's title, "[2407.21783] The Llama 3 Herd of Models", or a title and an address as shared.
    title = " ".join(_outside(bare, marks).strip("[]()|-–—:,. ").split())
    is_beside = len(marks) == 1 and (marks[0].start <= 1 or marks[0].end >= len(bare) - 1)
    is_beside = is_beside and words <= _MAX_TITLE_WORDS
    if not is_beside or bare != text or not words_of(title) or _ASKS.search(title):
        return None
    return Pasted("citation", identifiers, title)


def _outside(text: str, marks: list[_Mark]) -> str:
    starts, ends = [0, *(mark.end for mark in marks)], [*(mark.start for mark in marks), len(text)]
    return " ".join(text[start:end] for start, end in zip(starts, ends, strict=True))


# -- pages copied as text

_TITLE_LABEL = re.compile(r"(?:\[?arXiv ?: ?(?P<arxiv>[\w./-]+)(?: ?\[[\w.-]+\]|\])? )?(?:Title: )+(?=\S)")
_NEXT_LABEL = re.compile(
    r" (?:Authors?|Abstract|Date|Comments?|Categories|Subjects|Journal[ -]ref|DOI|Venue|Year|Published|"
    r"Keywords|URL|Link|PDF|arXiv): ?"
)


def pasted_label(text: str) -> Pasted | None:
    """The title after "Title:" with a capital, as in a page or an announcement copied as text."""
    label = _TITLE_LABEL.match(text)
    if not label:
        return None
    end = _NEXT_LABEL.search(text, label.end())
    title = text[label.end() : end.start() if end else len(text)].strip()
    identifier = arxiv_identifier(label["arxiv"] or "")
    return Pasted("title", _different([identifier]), title) if title else None
