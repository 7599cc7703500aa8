"""What a query demands of papers, as queries that tantivy answers from its index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import tantivy
from tantivy import Occur
from tantivy import Query as Found

from .analysis import BETWEEN_SIGNS, STOP_WORDS, Word, plain, term_of, words_of
from .searcher import Searcher
from .terms import MAX_TEXT, parted

if TYPE_CHECKING:
    from .query import Clause, Query

# Where a clause looks, and whether words stand there with their endings cut.
_FIELDS = {
    "any": {"text": True, "names": True, "authors": False},
    "title": {"title": True},
    # A paper has its title and abstract in one field, which finds better than two.
    "abstract": {"text": True},
    "author": {"authors": False},
    "venue": {"venue_words": False},
}
# A longer phrase is looked for as it stands, without joined forms.
_MAX_JOINED = 6


def day_number(day: date) -> int:
    """``day`` as it stands in the index: 20260131."""
    return day.year * 10_000 + day.month * 100 + day.day


def any_of(queries: Sequence[Found]) -> Found:
    """What fulfils at least one of ``queries``."""
    return queries[0] if len(queries) == 1 else Found.boolean_query([(Occur.Should, one) for one in queries])


def all_of(queries: Sequence[Found]) -> Found:
    """What fulfils all of ``queries``."""
    return queries[0] if len(queries) == 1 else Found.boolean_query([(Occur.Must, one) for one in queries])


class Restrictions:
    """Makes queries of clauses and filters for one view of one index."""

    def __init__(self, schema: tantivy.Schema, searcher: Searcher):
        self._schema = schema
        self._searcher = searcher

    def of(self, query: Query, of_few: bool = False) -> Found | None:
        """What papers must fulfil for ``query`` beside sharing words with it; None where that is nothing.

        ``of_few`` says that few papers will be asked about.
        """
        must, must_not = self._filters(query, of_few)
        must += [self.clause(clause) for clause in query.required]
        must_not += [self.clause(clause) for clause in query.excluded]
        if not must and not must_not:
            return None
        if not must:
            must = [Found.all_query()]
        if not must_not:
            return all_of(must)
        return Found.boolean_query(
            [(Occur.Must, one) for one in must] + [(Occur.MustNot, one) for one in must_not]
        )

    def keys(self, keys: Iterable[int]) -> Found:
        """The papers with ``keys``; a thousand take some milliseconds."""
        # Looking up each key is three times quicker than tantivy's query for a set of terms.
        found = [self._term("key", key) for key in sorted(keys)]
        return Found.const_score_query(any_of(found), 0.0) if found else Found.empty_query()

    def value(self, name: str, value: str) -> Found:
        """The papers of one value of a filter or facet."""
        if name == "venue":
            words = [self._term("venue_words", word.folded) for word in words_of(plain(value))]
            return all_of(words) if words else Found.empty_query()
        if name == "year":
            year = int(value) * 10_000
            return self._days(year, year + 10_000)
        if name == "category":
            return self._term("subject", value.casefold())
        return self._term(name, value.casefold())

    def _filters(self, query: Query, of_few: bool) -> tuple[list[Found], list[Found]]:
        filters = query.filters
        wanted = {
            "category": (filters.categories, filters.not_categories),
            "list": (filters.lists, filters.not_lists),
            "venue": (filters.venues, filters.not_venues),
            "has": (filters.has, filters.not_has),
        }
        must = [
            any_of([self.value(name, value) for value in group])
            for name, (groups, _) in wanted.items()
            for group in groups
            if group
        ]
        must_not = [self.value(name, value) for name, (_, values) in wanted.items() for value in values]
        if filters.after or filters.before:
            after = day_number(filters.after) if filters.after else None
            before = day_number(filters.before) if filters.before else None
            must.append(self._days(after, before, of_few))
        return must, must_not

    def _days(self, first: int | None, end: int | None, of_few: bool = False) -> Found:
        # The index lists the papers of these days, the column tells the day of each paper asked about.
        kind, open_end = tantivy.FieldType.Integer, end is None
        return Found.range_query(
            self._schema, "day", kind, first, end, include_upper=open_end, use_inverted_index=not of_few
        )

    def _term(self, field: str, term: str | int) -> Found:
        return Found.term_query(self._schema, field, term, "basic")

    # -- by words

    def words(self, text: str) -> Found | None:
        """The papers with all words of ``text`` that are no stop words; None where there are none."""
        text = plain(text[:MAX_TEXT])
        runs = _runs(words_of(text), text)
        telling = [run for run in runs if len(run) > 1 or run[0].folded not in STOP_WORDS] or runs
        return self._all_runs(telling, "any") if telling else None

    def clause(self, clause: Clause) -> Found:
        """The papers that fulfil one clause; none where it holds no word."""
        text = plain(clause.text[:MAX_TEXT])
        words = words_of(text)
        whole = clause.phrase or clause.field == "author"
        return self._all_runs([words] if whole else _runs(words, text, signs=True), clause.field)

    def _all_runs(self, runs: Sequence[Sequence[Word]], where: str) -> Found:
        """The papers that have all of ``runs``, each side by side; none where there are none."""
        found = []
        for run in {tuple(word.text for word in run): run for run in runs}.values():
            ways = self._ways(run, where)
            if not ways:
                return Found.empty_query()
            found.append(any_of(ways))
        return all_of(found) if found else Found.empty_query()

    def _ways(self, words: Sequence[Word], where: str) -> list[Found]:
        """The ways in which ``words`` may stand side by side; empty where no paper has all of them."""
        found = []
        for field, stemmed in _FIELDS.get(where, _FIELDS["any"]).items():
            found += self._side_by_side(field, [word.term if stemmed else word.folded for word in words])
            if len(words) <= _MAX_JOINED:
                found += self._otherwise_written(field, words, stemmed)
        if where == "author":
            found += self._name_otherwise([word.folded for word in words])
        return found

    def _side_by_side(self, field: str, terms: Sequence[str]) -> list[Found]:
        """The query for ``terms`` one after the other; empty where there are none, or one in no paper."""
        if not terms or not all(term and self._searcher.doc_freq(field, term) for term in terms):
            return []
        if len(terms) == 1:
            return [self._term(field, terms[0])]
        return [Found.phrase_query(self._schema, field, list(terms))]

    def _otherwise_written(self, field: str, words: Sequence[Word], stemmed: bool) -> list[Found]:
        """``words`` with two of them joined (``U Net``: unet) or one parted (``GPT4``: gpt 4)."""
        terms = [word.term if stemmed else word.folded for word in words]
        found = []
        for at, (left, right) in enumerate(pairwise(words)):
            joined = left.folded + right.folded
            joined = term_of(joined) if stemmed else joined
            found += self._side_by_side(field, [*terms[:at], joined, *terms[at + 2 :]])
        for at, word in enumerate(words):
            if parts := parted(word, self._searcher, field, stemmed):
                found += self._side_by_side(field, [*terms[:at], *parts, *terms[at + 1 :]])
        return found

    def _name_otherwise(self, names: list[str]) -> list[Found]:
        """A name with the family name first, or with another name in between."""
        if len(names) < 2 or not all(self._searcher.doc_freq("authors", name) for name in names):
            return []
        turned = [*names[1:], names[0]], [names[-1], *names[:-1]]
        between = [*enumerate(names[:-1]), (len(names), names[-1])]
        return [
            *(Found.phrase_query(self._schema, "authors", order) for order in turned),
            Found.phrase_query(self._schema, "authors", between),
        ]


def _runs(words: Sequence[Word], text: str, signs: bool = False) -> list[list[Word]]:
    """``words`` as ``text`` writes them: each alone, but ``U-Net`` together.

    ``signs`` keeps neighbouring signs of a script without spaces together too.
    """
    runs: list[list[Word]] = []
    for word in words:
        gap = text[runs[-1][-1].end : word.start] if runs else " "
        if not any(sign.isspace() for sign in gap) or (
            signs and gap == BETWEEN_SIGNS and not word.text.isascii()
        ):
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs
