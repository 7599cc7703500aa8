"""What a query may have been meant to say: words that stand in no paper, put right by those that do."""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tantivy
from rapidfuzz import process
from rapidfuzz.distance import OSA

from .analysis import STOP_WORDS, plain, term_of
from .restrictions import all_of
from .vocabulary import LETTERS, frequent_words
from .words import Words

# A longer text was pasted, not typed; what it says is meant.
MAX_WORDS = 24

# Shorter words are names and abbreviations, each near to many others.
_MIN_LETTERS = 4
# From here on a word may be two mistakes away from another one.
_LONG = 8
# Shorter words that some paper has are taken for what they are.
_MIN_KNOWN = 6

# A word that one of so many papers has, and no less than two, is a word, whatever it is near to.
_FEW_OF, _FEW = 5_000, 2
# What is put in its place must be in as many papers, and in so many at least.
_MIN_PAPERS = 5
# So many times more papers make it far likelier, so many times more even where nothing else is known.
_MORE, _MUCH_MORE = 200, 1_000

# A mistake is as unlikely as a word that is so many times less frequent.
_MISTAKE = math.log(1_000)
# A mistake in the first letter is so many times rarer than one elsewhere.
_FIRST_LETTER = math.log(10)

# Two words within so many tell which of the likeliest candidates was meant.
_NEIGHBOURS = 4
_TELLING = 2
_CANDIDATES = 6
# So many titles would have to have a candidate before its own titles say more of it than all titles.
_DRAWN = 50
# Words that never stand together are so unlikely, not impossible.
_NEVER = 1e-3


@dataclass(slots=True)
class _Word:
    """One word of a query, at ``start`` to ``end`` of it; ``fixed`` words are left as they are."""

    start: int
    end: int
    text: str
    fixed: bool

    @property
    def folded(self) -> str:
        return self.text.casefold()


# What stands between spaces, with its operator: -"a phrase", title:word, cat:cs.CV, a-b, https://x.
_PIECE = re.compile(r'(?P<sign>[-+]?)(?P<field>[A-Za-z_]+:)?(?P<body>"[^"]*"?|[^\s"]+)')
_WORD = re.compile(r"[^\W_]+")
_TEXT_FIELDS = ("title:", "abstract:")
# Addresses, ids, formulas, files: no words.
_NO_WORDS = re.compile(r"[0-9/\\@_=<>$^{}\[\]]|\w\.\w")


def _words_of(typed: str) -> list[_Word]:
    """The words that papers are searched for, where they stand in ``typed``."""
    found = []
    for piece in _PIECE.finditer(typed):
        if piece["sign"] == "-" or (piece["field"] and piece["field"].lower() not in _TEXT_FIELDS):
            continue
        for chunk in re.finditer(r'[^\s"]+', piece["body"]):
            # A title begins with the name of the thing and a colon.
            fixed = chunk[0].endswith(":") or bool(_NO_WORDS.search(chunk[0]))
            for word in _WORD.finditer(chunk[0]):
                start = piece.start("body") + chunk.start() + word.start()
                found.append(_Word(start, start + len(word[0]), word[0], fixed))
    return found


def _common(text: str) -> bool:
    """Whether ``text`` looks like no name: capitals within a word are names (LLaVA, BERT, ConvNeXt)."""
    return text.isascii() and text.isalpha() and text[1:].islower()


def did_you_mean(words: Words, typed: str) -> str:
    """``typed`` with the words put right that (almost) no paper has; empty where nothing is better.

    A word goes for one that is a mistake away (a letter wrong, left out, too many, or two
    exchanged; from eight letters on two mistakes) and that far more papers have; words that were
    run together are parted, words that were cut apart are joined. Names with capitals or digits,
    short words, and whatever stands behind an operator stay as typed.
    """
    try:
        return _corrected(words, typed)
    except BaseException as error:  # tantivy's panics are no Exceptions
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return ""


def _corrected(words: Words, typed: str) -> str:
    found = _words_of(typed)
    if len(found) > MAX_WORDS:
        return ""
    corrected, last = "", 0
    for start, end, better in _corrections(_Index(words), typed, found):
        corrected += typed[last:start] + (better.capitalize() if typed[start].isupper() else better)
        last = end
    return corrected + typed[last:] if corrected else ""


def _corrections(index: _Index, typed: str, found: Sequence[_Word]) -> Iterator[tuple[int, int, str]]:
    """What to put in the place of ``typed[start:end]``, in order."""
    begin = 0
    for place, word in enumerate(found):
        if word.start < begin or word.fixed or not _common(word.text):
            continue
        after = found[place + 1] if place + 1 < len(found) else None
        if after and typed[word.end : after.start] == " " and (better := _joined(index, word, after)):
            begin = after.end
            yield word.start, after.end, better
        elif len(word.text) >= _MIN_LETTERS and (better := _better(index, found, place)):
            yield word.start, word.end, better


class _Index:
    """How many papers have a word, words side by side, or words anywhere."""

    def __init__(self, words: Words):
        self.words = words
        self._searcher = words.searcher
        self._schema = words.index.schema
        self.count = self._searcher.num_docs
        # A word that more papers have is a word, whatever it is near to.
        self.few = max(_FEW, self.count // _FEW_OF)

    def papers(self, word: str) -> int:
        """Papers with exactly this word in the text or in a name."""
        return max(self._searcher.doc_freq("typed", word), self._searcher.doc_freq("authors", word))

    def found_by(self, word: str) -> int:
        """Papers that a search for the word finds."""
        return self._stemmed("text", word)

    def in_titles(self, word: str) -> int:
        """Papers with the word in the title."""
        return self._stemmed("title", word)

    def _stemmed(self, field: str, word: str) -> int:
        term = term_of(plain(word))
        return self._searcher.doc_freq(field, term) if term else 0

    def log_odds(self, word: str, others: Sequence[str]) -> float:
        """Log likelihood of ``others`` in a title beside ``word`` (naive Bayes)."""
        papers, total = self.in_titles(word), 0.0
        for other in others:
            # Words of few titles are drawn to what holds for all of them.
            share = self.in_titles(other) / self.count
            found = self.together([word, other], "title")
            total += math.log((found + _DRAWN * share + _NEVER) / (papers + _DRAWN))
        return total

    def together(self, texts: Sequence[str], field: str = "text") -> int:
        """Papers that have all of ``texts``."""
        terms = {term_of(text) for text in texts}
        return self._count(all_of([tantivy.Query.term_query(self._schema, field, term) for term in terms]))

    def side_by_side(self, first: str, second: str) -> int:
        """Papers in whose titles ``second`` follows ``first``."""
        terms = [term_of(first), term_of(second)]
        return self._count(tantivy.Query.phrase_query(self._schema, "title", terms))

    def _count(self, query: tantivy.Query) -> int:
        return self._searcher.search(query, 1).count or 0


def _better(index: _Index, found: Sequence[_Word], place: int) -> str:
    """What the word at ``place`` was meant to be, or nothing."""
    word = found[place].folded
    # What the search has looked up already is asked first: most words are known.
    if index.found_by(word) > index.few:
        return ""
    known = index.papers(word)
    if known > index.few or (known and len(word) < _MIN_KNOWN):
        return ""
    others = _others(index, found, place)
    scored = [
        (math.log(count) - unlikely + index.log_odds(candidate, others), candidate)
        for candidate, unlikely, count in _near(index, word, careful=known > 0)
    ]
    _, best = max(scored, default=(0.0, ""))
    if best in STOP_WORDS or (known and best and not _far_likelier(index, best, word, others)):
        return ""
    return best or ("" if known else _parted(index, word))


def _far_likelier(index: _Index, best: str, word: str, others: Sequence[str]) -> bool:
    """Whether ``word``, which some papers have, is most probably ``best`` mistyped, there too."""
    # Who names a thing puts the name into a title; mistakes stand there much more rarely.
    in_titles = index.in_titles(best) >= _MUCH_MORE * index.in_titles(word)
    if not in_titles or index.papers(best) < _MORE * index.papers(word):
        return False
    if not others:
        return index.papers(best) >= _MUCH_MORE * index.papers(word)
    return not index.together([word, *others]) and bool(index.together([best, *others], "title"))


def _others(index: _Index, found: Sequence[_Word], place: int) -> list[str]:
    """The rarest words near to the one at ``place`` that are not in doubt themselves."""
    near = [*found[max(place - _NEIGHBOURS, 0) : place], *found[place + 1 : place + _NEIGHBOURS + 1]]
    words = {word.folded for word in near} - STOP_WORDS
    known = sorted((count, word) for word in words if (count := index.found_by(word)) > index.few)
    return [word for _, word in known[:_TELLING]]


def _near(index: _Index, word: str, careful: bool) -> list[tuple[str, float, int]]:
    """The likeliest words near to ``word``, how unlikely the mistake is, and their papers.

    ``careful`` leaves it at one mistake that is not in the first letter.
    """
    most = 2 if len(word) >= _LONG and not careful else 1
    frequent = frequent_words(index.words, word[0]) if word[0] in LETTERS else {}
    near = process.extract(word, frequent.keys(), scorer=OSA.distance, score_cutoff=most, limit=100)
    found = [(candidate, mistakes * _MISTAKE, frequent[candidate]) for candidate, mistakes, _ in near]
    if not careful:
        rest, exchanged = word[1:], word[1] + word[0] + word[2:]
        begun = {rest, exchanged, *(a + rest for a in LETTERS), *(a + word for a in LETTERS)}
        found += [(c, _MISTAKE + _FIRST_LETTER, index.papers(c)) for c in begun if c[0] != word[0]]
    found = [one for one in found if one[2] >= max(index.few, _MIN_PAPERS)]
    return heapq.nlargest(_CANDIDATES, found, key=lambda one: math.log(one[2]) - one[1])


def _parted(index: _Index, word: str) -> str:
    """``word`` as two words that papers have side by side, or nothing."""
    best, most = "", _MIN_PAPERS - 1
    for at in range(3, len(word) - 2):
        first, second = word[:at], word[at:]
        if min(index.papers(first), index.papers(second)) > most:
            count = index.side_by_side(first, second)
            if count > most:
                best, most = f"{first} {second}", count
    return best


def _joined(index: _Index, first: _Word, second: _Word) -> str:
    """The two words as one that far more papers have than have them side by side, or nothing."""
    a, b = first.folded, second.folded
    if second.fixed or not _common(second.text) or min(len(a), len(b)) < 3 or {a, b} & STOP_WORDS:
        return ""
    if index.in_titles(a + b) <= index.few or index.papers(a + b) <= index.few:
        return ""
    return a + b if index.in_titles(a + b) > _MORE * index.side_by_side(a, b) else ""
