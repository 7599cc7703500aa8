"""Which terms of a query choose papers by words, and how much each weighs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from string import ascii_lowercase

import tantivy
from rapidfuzz import process
from rapidfuzz.distance import OSA

from .analysis import STOP_WORDS, Word, joined, parts_of, plain, term_of, words_of
from .searcher import Searcher

# Of a long text its rarest terms find it, the others cost time; measured in docs/search.md.
MAX_TERMS = 20

# What a search may read, in entries of the index (a millisecond reads some hundred thousand): a term that
# is too frequent for that chooses papers by their titles alone. Below 150,000 papers none is.
_MOST_READ, _MOST_READ_A_TERM = 250_000, 10_000
_IN_TITLE = 0.7

# A word that is said twice weighs twice: requests repeat what they are about. On cacm this gives 0.02
# nDCG@10, on the other sets nothing.
MOST_OFTEN = 3

# Nobody asks for more at once: a pasted abstract has 100 different words and 4,000 letters.
MAX_TEXT = 8_000
_MAX_WORDS = 400

# What a joined form counts beside its parts: little where those are words (``cross-modal``), all where one
# of them is none (``U-Net``, ``GPT 4``, two Chinese signs); such a part counts less then.
_JOINED = 0.2
_PART_OF_NAME = 0.3
_SHORT = 2
# Words with a space between are one name where so many papers, for one with the rarer word, join them.
_ONE_NAME = 0.02
# Words that more papers join than have the rarer one apart (``data set``).
_USUALLY_JOINED = 0.5

# What stands for a word that no paper has: so many words near to it.
_MOST_UNKNOWN = 3
_MOST_NEAR = 3
_NEAR = 0.5
_MUCH_RARER = 0.01
_SHORTEST_MISTYPED = 4
# From so many letters on a word may have two mistakes.
_LONG = 8

# Words are parted into words that people know, not into letters.
_SHORTEST_PART, _LONGEST_PARTED = 3, 30


@dataclass(slots=True)
class Terms:
    """The terms of a query and their weights.

    ``weights`` are those in text and title, ``in_title`` those of terms that are looked for in titles only;
    ``words`` are the folded words, for names; ``phrases`` terms that must stand side by side. ``unknown``
    maps each typed word that no paper has to the words searched for in its place.
    """

    weights: dict[str, float] = field(default_factory=dict)
    in_title: dict[str, float] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    phrases: list[list[str]] = field(default_factory=list)
    unknown: dict[str, tuple[str, ...]] = field(default_factory=dict)


def chosen_terms(text: str, searcher: Searcher, schema: tantivy.Schema) -> Terms:
    """The terms that ``text`` is searched by; stop words only where there is nothing else."""
    text = plain(text[:MAX_TEXT])
    words = words_of(text)[:_MAX_WORDS]
    telling = [word for word in words if word.folded not in STOP_WORDS] or words
    papers = partial(searcher.doc_freq, "text")
    terms = Terms(words=list(dict.fromkeys(word.folded for word in telling)))
    said = Counter(word.term for word in telling)
    weights = {term: float(min(times, MOST_OFTEN)) for term, times in said.items()}
    forms = _joined_forms(text, words, papers, weights)
    known = sorted((term for term in weights if papers(term)), key=papers)
    terms.weights = {term: weights[term] for term in known[:MAX_TERMS]}
    rarest = sorted((form for form in forms if form not in weights), key=papers)
    terms.weights |= {form: forms[form] for form in rarest[:MAX_TERMS]}
    _limit_reading(terms, papers, searcher)
    _replace_unknown(terms, [word for word in telling if not papers(word.term)], searcher, schema)
    return terms


def _limit_reading(terms: Terms, papers: Callable[[str], int], searcher: Searcher) -> None:
    """Leaves the most frequent terms to titles where reading all would take too long; never the rarest."""
    left = _MOST_READ + _MOST_READ_A_TERM * len(terms.weights)
    for place, term in enumerate(sorted(terms.weights, key=papers)):
        left -= searcher.doc_freq("title", term)
        if place and papers(term) > left:
            terms.in_title[term] = _IN_TITLE * terms.weights.pop(term)
        else:
            left -= papers(term)


def _joined_forms(
    text: str, words: Sequence[Word], papers: Callable[[str], int], weights: dict[str, float]
) -> dict[str, float]:
    """The joined forms that papers have, with their weights; lowers those of parts that are no words."""
    forms = {term: _JOINED for term in map(term_of, joined(text)) if papers(term)}
    for left, right in pairwise(words):
        gap = text[left.end : right.start]
        if not _joinable(left, right, gap):
            continue
        form = term_of(left.text + right.text)
        together, apart = papers(form), min(papers(left.term), papers(right.term))
        if not together:
            continue
        is_name = _is_no_word(left.text) or _is_no_word(right.text)
        if is_name and (gap != " " or together >= _ONE_NAME * apart):
            forms[form] = 1.0
            for part in (left, right):
                if len(part.text) <= _SHORT or part.text.isdigit():
                    weights[part.term] = _PART_OF_NAME
        else:
            usual = gap == " " and together >= apart
            forms[form] = max(forms.get(form, 0), _USUALLY_JOINED if usual else _JOINED)
    return forms


def _joinable(left: Word, right: Word, gap: str) -> bool:
    if len(gap) > 2 or (gap.strip() and gap not in "-_/‐‑"):
        return False
    if left.text.isdigit() and right.text.isdigit():
        return False
    return left.folded not in STOP_WORDS and right.folded not in STOP_WORDS


def _is_no_word(text: str) -> bool:
    return len(text) <= _SHORT or any(sign.isdigit() for sign in text)


# -- words that no paper has


def _replace_unknown(terms: Terms, words: Iterable[Word], searcher: Searcher, schema: tantivy.Schema) -> None:
    for word in {word.folded: word for word in words}.values():
        if searcher.doc_freq("authors", word.folded) or searcher.doc_freq("names", word.term):
            continue
        instead: list[str] = []
        if len(terms.unknown) < _MOST_UNKNOWN:
            parts = parted(word, searcher, "text")
            if parts and searcher.search(tantivy.Query.phrase_query(schema, "text", parts), 1).count:
                terms.phrases.append(parts)
                instead = [" ".join(parts)]
            else:
                instead = near_words(word.folded, searcher)
                terms.weights |= {term: _NEAR for term in map(term_of, instead) if term not in terms.weights}
        terms.unknown[word.text] = tuple(instead)


def near_words(word: str, searcher: Searcher) -> list[str]:
    """The words of papers that are one mistake away from the folded ``word``, or two where it is long.

    A mistake is a letter wrong, left out, too many, or two exchanged, behind the first letter. At most
    three words, those that most papers have.
    """
    if len(word) < _SHORTEST_MISTYPED or not word.isalpha():
        return []
    # Few words have the first three letters in common; of one mistake before those not many come.
    found = dict(searcher.terms_with_prefix("typed", word[:3]))
    found |= {other: count for other in _mistaken_early(word) if (count := searcher.doc_freq("typed", other))}
    most = 2 if len(word) >= _LONG else 1
    near = process.extract(word, found.keys(), scorer=OSA.distance, score_cutoff=most, limit=None)
    least = min((distance for _, distance, _ in near), default=0)
    nearest = sorted((-found[other], other) for other, distance, _ in near if distance == least)
    # Mistakes stand in papers too.
    return [other for count, other in nearest[:_MOST_NEAR] if count <= _MUCH_RARER * nearest[0][0]]


def _mistaken_early(word: str) -> set[str]:
    """What ``word`` was meant to be if its second or third letter is the mistake."""
    found = set()
    for at in (1, 2):
        before, after = word[:at], word[at + 1 :]
        found |= {before + letter + after for letter in ascii_lowercase}
        found |= {before + letter + word[at] + after for letter in ascii_lowercase}
        found |= {before + after, before + word[at + 1] + word[at] + word[at + 2 :]}
    return found


def parted(word: Word, searcher: Searcher, name: str, stemmed: bool = True) -> list[str]:
    """The two or more terms of the field ``name`` that ``word`` may be written as, or none.

    By its looks (``GPT4``: gpt 4), else where both parts are words of at least as many papers as it is
    (``llavanext``: llava next).
    """

    def term(part: str) -> str:
        return term_of(part) if stemmed else part.lower()

    parts = [term(part) for part in parts_of(word.text)]
    if len(parts) > 1 and all(searcher.doc_freq(name, part) for part in parts):
        return parts
    folded, best = word.folded, []
    most = max(searcher.doc_freq(name, word.term if stemmed else folded) - 1, 0)
    for at in range(_SHORTEST_PART, min(len(folded), _LONGEST_PARTED) - _SHORTEST_PART + 1):
        parts = [term(folded[:at]), term(folded[at:])]
        least = min(searcher.doc_freq(name, part) for part in parts)
        if least > most:
            best, most = parts, least
    return best
