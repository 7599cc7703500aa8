"""From text to the terms of the words index, the same for papers and queries.

A text is made `plain` (TeX, Greek letters, accents of other scripts), then cut at everything that is
no letter or digit, by tantivy. A name that is written in several ways (``U-Net``, ``UNet``; ``GPT-4``,
``GPT4``, ``GPT 4``) also stands in the index as one word: `joined` gives those.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import tantivy

# Words that a question is made of. They stay in the index, for phrases, but do not choose papers.
_QUESTION_WORDS = """
a about all also am an and any are as at be been being but by can could did do does for from had has
have how i if in into is it its may me might my no not of on or our should some such than that the
their then there these they this those to us was we were what when where which who whom whose why will
with would you your
"""
STOP_WORDS = frozenset(_QUESTION_WORDS.split())


def _analyzer(*filters: tantivy.Filter) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (tantivy.Filter.remove_long(80), *filters):
        builder = builder.filter(step)
    return builder.build()


_FOLDING = (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold())
# Both expect `plain` text: words in lower case without accents, and those with English endings cut.
FOLDED = _analyzer(*_FOLDING)
STEMMED = _analyzer(*_FOLDING, tantivy.Filter.stemmer("english"))
_CUT = _analyzer()


def folded_without(word: str) -> tantivy.TextAnalyzer:
    """`FOLDED`, but ``word`` leaves only its place."""
    return _analyzer(*_FOLDING, tantivy.Filter.custom_stopword([word]))


# -- plain text

_POSSESSIVE = re.compile(r"['’]s\b")
_SPECIAL = re.compile(r"(?<![^\W_])([A-Za-z])(?:(\+\+)(?!\+)|#(?![^\W_]))")
_DOT_NET = re.compile(r"\.NET(?![^\W_])")

_TEX_ACCENT = re.compile(r"\{?\\(?:[`'^\"~=.]|[uvHcdbkrt](?![A-Za-z]))\s*\{?\s*\\?([A-Za-z])(?:\s*\}\}?)?")
_TEX_LETTERS = {name: name for name in ("l", "L", "o", "O", "i", "j", "ss", "ae", "AE", "oe", "OE")}
_TEX_LETTERS |= {"aa": "a", "AA": "A", "ell": "l"}
_TEX_LETTER = re.compile(rf"\{{?\\({'|'.join(_TEX_LETTERS)})(?![A-Za-z])(?:\{{\}}| |\}})?")
_TEX_VARIANT = re.compile(r"\\var(?=(?:epsilon|theta|phi|rho|sigma|pi|kappa)(?![A-Za-z]))")
# Commands that say how a thing looks or stand for a sign, not for a word.
_TEX_COMMAND = re.compile(
    r"\\(?:(?:text|math)[a-z]*|emph|operatorname|boldsymbol|bm|bf|it|rm|em|sc|tt|sf|cal|ensuremath|[mh]box"
    r"|left|right|[Bb]igg?[lr]?|[dt]?frac|sqrt|hat|bar|tilde|vec|d?dot|overline|underline|wide(?:hat|tilde)"
    r"|cite[a-z]*|ref|label|url|href|footnote|begin|end|q?quad|[cl]?dots?|leq?|geq?|neq?|in|to|times|sim"
    r"|approx|pm|mp|(?:long)?(?:left|right)arrow)(?![A-Za-z])\*? ?\{?"
)
_TEX_FORMULA = re.compile(r"\$([^$]{1,300})\$")
_TEX_MARKS = str.maketrans("", "", "{}^_")

# All signs but Latin letters, digits and typographic marks: those need more than the analyzers do.
_UNUSUAL = re.compile(
    "[^\x00-\xa9\xab\xac\xae-\xb1\xb4\xb6-\xb8\xbb\xbf-\u017e\u0180-\u01c3\u01cd-\u01f0\u2010-\u2027"
    "\u2030-\u205e\u20a0-\u20bf\u2190-\u22ff]"
)
_INVISIBLE = re.compile("[\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_GREEK = {
    chr(code): unicodedata.name(chr(code)).rsplit(" ", 1)[-1].lower().replace("lamda", "lambda")
    for code in range(0x391, 0x3CA)
    if unicodedata.category(chr(code)).startswith("L")
}
_GREEK_WORD = re.compile(r"[\u0391-\u03c9]+")

# Scripts that are written without spaces (Thai to Khmer, Chinese, Japanese) or whose words grow
# endings that a search leaves out (Korean): each sign is a word, and each two neighbours are one.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# What `plain` puts between two of them.
BETWEEN_SIGNS = "  "
_UNSPACED_SIGN = re.compile(f"[{_UNSPACED}]")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}](?:  [{_UNSPACED}])+")


def plain(text: str) -> str:
    """``text`` as the analyzers expect it: words that mean the same are written the same.

    TeX is taken off (``$\\mathcal{O}(n)$``: O(n), ``Poincar\\'e``: Poincare), Greek letters are spelled
    (``ε``: epsilon) unless they make a Greek word, ``C++`` is cplusplus, signs of scripts without
    spaces stand apart by two spaces.
    """
    if "'" in text or "’" in text:
        text = _POSSESSIVE.sub("", text)
    if "++" in text or "#" in text:
        text = _SPECIAL.sub(lambda found: found[1] + ("plusplus" if found[2] else "sharp"), text)
    if ".NET" in text:
        text = _DOT_NET.sub(" dotnet", text)
    if "\\" in text:
        text = _TEX_ACCENT.sub(r"\1", text)
        text = _TEX_LETTER.sub(lambda found: _TEX_LETTERS[found[1]], text)
        text = _TEX_VARIANT.sub(r"\\", text)
        text = _TEX_COMMAND.sub("", text)
    if "$" in text:
        text = _TEX_FORMULA.sub(lambda found: found[1].translate(_TEX_MARKS), text)
    return text if text.isascii() or not _UNUSUAL.search(text) else _usual(text)


def _usual(text: str) -> str:
    """``text`` with compatibility forms, accents, Greek letters and unspaced scripts made usual."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKD", text))
    # Class 8 tells Japanese sounds apart, class 0 are vowels of Indian scripts: those are no accents.
    kept = "".join(sign for sign in text if unicodedata.combining(sign) in (0, 8))
    text = _GREEK_WORD.sub(lambda found: _spelled(found[0]), unicodedata.normalize("NFC", kept))
    return _UNSPACED_SIGN.sub(r" \g<0> ", text)


def _spelled(greek: str) -> str:
    if len(greek) > 2:
        return greek.lower().replace("ς", "σ")
    return "".join(_GREEK.get(letter, letter) for letter in greek)


# -- joined forms

_MAX_CHUNK = 64
_PUNCTUATION = ".,;:!?()[]\"'"
_JOINTS = "-_/‐‑"
# Where a joined form may be found: behind a joint, at a capital behind a small letter, at a digit behind
# a letter. Most of a text is none of these, so it is looked for in one go, not word by word.
_NOTABLE = re.compile(rf"[{_JOINTS}A-Z0-9](?<=[^\W_][{_JOINTS}]|[a-z][A-Z]|[A-Za-z][0-9])")
_RUN = re.compile(rf"[^\W_]+(?:[{_JOINTS}.][^\W_]+)*")
_JOINT = re.compile(rf"[{_JOINTS}]")
_VERSION = re.compile(r"([^\W\d_]*\d+)\.(\d+(?:\.\d+)*[A-Za-z]?)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBERED = re.compile(r"([^\W\d_]{3,})\d+")
_BEFORE_NUMBER = re.compile(r" (?=\d|D\b)")
_LAST_WORD = re.compile(r"(?<![^\s(\[{])[A-Za-z0-9]+$")
_FIRST_NUMBER = re.compile(r"(\d+(?:\.\d+)?|D)(?![^\W_])")


def joined(text: str) -> list[str]:
    """The forms in which names of the plain ``text`` may be written elsewhere, as one word each.

    ``U-Net``: UNet; ``GPT 4``: GPT4; ``Llama-3.1``: Llama3, Llama31; the words in ``GraphRAG`` and the name
    in ``GPT4``; neighbours in scripts without spaces.
    """
    found: list[str] = []
    end = 0
    for notable in _NOTABLE.finditer(text):
        if notable.start() < end:
            continue
        start = text.rfind(" ", end, notable.start()) + 1 or end
        end = text.find(" ", notable.end())
        end = len(text) if end < 0 else end
        if end - start <= _MAX_CHUNK:
            found += _joined_in(text[start:end].strip(_PUNCTUATION))
    for space in _BEFORE_NUMBER.finditer(text):
        found += _joined_number(text, space.start())
    if not text.isascii():
        for run in _UNSPACED_RUN.findall(text):
            signs = run.split("  ")
            found += map("".join, pairwise(signs))
    return found


@lru_cache(maxsize=65_536)
def _joined_in(chunk: str) -> tuple[str, ...]:
    found: list[str] = []
    for run in _RUN.findall(chunk):
        pieces = _JOINT.split(run)
        for left, right in pairwise(pieces):
            found += _joined_pair(left, right)
        for piece in pieces:
            if version := _VERSION.fullmatch(piece):
                found += _joined_pair(version[1], "." + version[2])
            for part in piece.split("."):
                found += _parts(part)
    return tuple(found)


def _joined_pair(left: str, right: str) -> Iterator[str]:
    """``left`` and ``right`` as one word, unless both are numbers or one is a stop word.

    A version is written with all of its numbers and with the first alone.
    """
    if left[0].isdigit() and right.replace(".", "").isdigit():
        return
    if left.lower() in STOP_WORDS or right.lower() in STOP_WORDS:
        return
    left = left.replace(".", "")
    whole, first = right.replace(".", ""), right.partition(".")[0]
    yield left + whole
    if first != whole and first.isdigit():
        yield left + first


def _parts(piece: str) -> list[str]:
    """The name in ``GPT4``, the words in ``GraphRAG``; none shorter than three letters."""
    if numbered := _NUMBERED.fullmatch(piece):
        return [numbered[1], *_parts(numbered[1])]
    parts = _HUMP.split(piece)
    return parts if len(parts) > 1 and min(map(len, parts)) > 2 else []


_SEAM = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-z])(?=[A-Z])")


def parts_of(word: str) -> list[str]:
    """``word`` parted between letters and digits and before capitals: ``GPT4`` gives GPT and 4."""
    return _SEAM.split(word)


def _joined_number(text: str, space: int) -> Iterator[str]:
    """What a name and a number around the ``space`` make: ``GPT 4``, ``Llama 3.1``, ``3 D``."""
    before = _LAST_WORD.search(text, max(space - 20, 0), space)
    after = _FIRST_NUMBER.match(text, space + 1)
    if before and after and before[0][0].isupper() != (after[0] == "D"):
        yield from _joined_pair(before[0], after[0])


# -- words


class Word(NamedTuple):
    """A word of a plain text, at ``start`` to ``end`` of it: as it stands there, folded, and its term."""

    text: str
    start: int
    end: int
    folded: str
    term: str


@lru_cache(maxsize=32_768)
def _folded_and_term(word: str) -> tuple[str, str]:
    return next(iter(FOLDED.analyze(word)), ""), next(iter(STEMMED.analyze(word)), "")


def term_of(word: str) -> str:
    """The term of the text fields that one plain ``word`` stands for; empty where it is no word."""
    return _folded_and_term(word)[1]


def words_of(text: str) -> list[Word]:
    """The words of the plain ``text``, as the index cuts it."""
    return [
        Word(token.text, token.char_offset_from, token.char_offset_to, *_folded_and_term(token.text))
        for token in _CUT.pre_tokenize(text).tokens
    ]


# -- which words of a text a query means


def query_terms(query: str) -> frozenset[str]:
    """All terms that papers may be found by for ``query``; stop words only where nothing else is."""
    return terms_and_small_words(query)[0]


def terms_and_small_words(query: str) -> tuple[frozenset[str], frozenset[str]]:
    """The `query_terms` of ``query``, and the terms of its other words: those that a question is made of."""
    text = plain(query)
    words = words_of(text)
    telling = [word for word in words if word.folded not in STOP_WORDS] or words
    pairs = [(a, b) for a, b in pairwise(telling) if text[a.end : b.start] in _GAPS]
    # One Chinese sign stands in many words that were not meant.
    signs = {sign for a, b in pairs for sign in (a, b) if text[a.end : b.start] == BETWEEN_SIGNS}
    forms = joined(text) + [a.text + b.text for a, b in pairs]
    terms = frozenset(word.term for word in telling if word not in signs) | {term_of(form) for form in forms}
    return terms, frozenset(word.term for word in words if word.folded in STOP_WORDS) - terms


_GAPS = frozenset({" ", BETWEEN_SIGNS, *_JOINTS})
# Letters and digits, with the marks that belong to them.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff"
_WRITTEN = re.compile(rf"[^\W_]+(?:[{_MARKS}][^\W_]*)*")


def spans(text: str) -> list[tuple[int, int, frozenset[str]]]:
    """The words of ``text`` as (start, end, the terms that find it), in order.

    ``text`` is as people read it, not plain.
    """
    found: list[tuple[int, int, frozenset[str]]] = []
    for written in _WRITTEN.finditer(text):
        start, end = written.span()
        word = written[0]
        if not word.isascii() and _UNSPACED_SIGN.search(word):
            found += _signs(word, start)
            continue
        if found:
            left, right, terms = found[-1]
            gap = text[right:start]
            if gap in _JOINTS or (gap == " " and word[0].isdecimal()):
                own = _terms_of(word)
                # What one of the two is by itself says nothing of the other.
                both = _terms_of(text[left:right] + word) - own - _terms_of(text[left:right])
                found[-1] = (left, right, terms | both)
                found.append((start, end, own | both))
                continue
        found.append((start, end, _terms_of(word)))
    return found


def _signs(run: str, at: int) -> Iterator[tuple[int, int, frozenset[str]]]:
    for place, sign in enumerate(run):
        around = (run[max(place - 1, 0) : place + 1], sign, run[place : place + 2])
        yield at + place, at + place + 1, frozenset(plain(one).replace(" ", "") for one in around)


@lru_cache(maxsize=8_192)
def _terms_of(written: str) -> frozenset[str]:
    if written.isascii() and written.isalpha() and (written[1:].islower() or written.isupper()):
        # Nothing to make plain, and no name of several parts.
        return frozenset(STEMMED.analyze(written))
    text = plain(written)
    return frozenset(STEMMED.analyze(text)) | {term_of(form) for form in joined(text)}


# -- the same, only where it can be

# The stemmer changes no more than the last letter of what it leaves, one of these, but for "dying": "die".
_MAY_DIFFER = frozenset("eily")
_MOST_HEADS = 200
_ANY_JOINT = re.compile(r"[-_/]| (?=\d)")
_TO_NUMBER = re.compile(r" (?=\d)")


def heads_of(terms: Iterable[str]) -> tuple[str, ...] | None:
    """Pieces of words: an ASCII text with one of ``terms`` has one of them, in lower case and joints aside.

    None where the terms are too many to look for each.
    """
    heads = {term[:-1] if len(term) > 2 and term[-1] in _MAY_DIFFER else term for term in terms}
    heads |= {term[0] + "ying" for term in terms if len(term) == 3 and term.endswith("ie")}
    least: list[str] = []
    for head in sorted(filter(str.isascii, heads)):
        # What begins with another one is found with it.
        if not (least and head.startswith(least[-1])):
            least.append(head)
    return tuple(least) if len(least) <= _MOST_HEADS else None


def found_in(text: str, terms: frozenset[str], heads: Sequence[str] | None) -> list[tuple[int, int]]:
    """Where words of ``text`` begin and end that one of ``terms`` finds; ``heads`` are their `heads_of`."""
    if heads is None or not text.isascii():
        return [(start, end) for start, end, own in spans(text) if not terms.isdisjoint(own)]
    found: list[tuple[int, int]] = []
    for start, end in _chunks_with(text, heads):
        for first, last, own in _spans_of_chunk(text[start:end]):
            if not terms.isdisjoint(own):
                found.append((start + first, start + last))
    return found


def _chunks_with(text: str, heads: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where parts of ``text`` begin and end that hold all words with one of ``heads``: in order."""
    lower = text.lower()
    unjoined = lower.replace("-", "").replace("_", "").replace("/", "")
    is_numbered = _TO_NUMBER.search(text) is not None
    if is_numbered:
        unjoined = _TO_NUMBER.sub("", unjoined)
    present = [head for head in heads if head in unjoined]
    is_joined, crosses = len(unjoined) < len(lower), False
    places: list[int] = []
    for head in present:
        at, counted, end = lower.find(head), 0, 0
        while at >= 0:
            # A word begins here, or one within a name: "GraphRAG".
            if at == 0 or not text[at - 1].isalnum() or text[at].isupper():
                places.append(at)
            if at >= end:
                counted, end = counted + 1, at + len(head)
            at = lower.find(head, at + 1)
        crosses = crosses or (is_joined and unjoined.count(head) > counted)
    # Some stand across a joint.
    if crosses:
        places += [joint.start() for joint in _ANY_JOINT.finditer(text)]
    places.sort()
    end = -1
    for at in places:
        if at < end:
            continue
        start, end = text.rfind(" ", 0, at) + 1, text.find(" ", at + 1)
        if is_numbered:
            start, end = _with_numbers(text, start, end)
        if end < 0:
            end = len(text)
        yield start, end


def _with_numbers(text: str, start: int, end: int) -> tuple[int, int]:
    """What stands between the spaces at ``start`` and ``end``, with numbers behind and what is before one."""
    while start > 0 and text[start : start + 1].isdecimal():
        start = text.rfind(" ", 0, start - 1) + 1
    while end > 0 and text[end + 1 : end + 2].isdecimal():
        end = text.find(" ", end + 1)
    return start, end


@lru_cache(maxsize=16_384)
def _spans_of_chunk(chunk: str) -> tuple[tuple[int, int, frozenset[str]], ...]:
    return tuple(spans(chunk))
