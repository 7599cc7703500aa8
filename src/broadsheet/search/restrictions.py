"""What a query demands of papers, as queries that tantivy answers from its index."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache, lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import tantivy
from tantivy import Occur
from tantivy import Query as Found

from .analysis import BETWEEN_SIGNS, STOP_WORDS, Word, plain, term_of, words_of
from .columns import Demand
from .searcher import Searcher
from .terms import MAX_TEXT, parted

if TYPE_CHECKING:
    from .query import Clause, Filters, Query

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
# Where all words of a phrase are in more papers than this, reading where they stand takes too long.
_FREQUENT = 125_000


def day_number(day: date) -> int:
    """``day`` as it stands in the index: 20260131."""
    return day.year * 10_000 + day.month * 100 + day.day


def any_of(queries: Sequence[Found]) -> Found:
    """What fulfils at least one of ``queries``."""
    return queries[0] if len(queries) == 1 else Found.boolean_query([(Occur.Should, one) for one in queries])


def all_of(queries: Sequence[Found], but: Sequence[Found] = ()) -> Found:
    """What fulfils all of ``queries`` and none of ``but``."""
    if len(queries) == 1 and not but:
        return queries[0]
    must = [(Occur.Must, one) for one in queries or [Found.all_query()]]
    return Found.boolean_query(must + [(Occur.MustNot, one) for one in but])


def none_of(queries: Sequence[Found]) -> Found:
    """What fulfils none of ``queries``."""
    return all_of([], queries)


def _wanted(filters: Filters) -> dict[str, tuple[Sequence[Sequence[str]], Sequence[str]]]:
    """Of each facet the groups of values of which a paper must have one each, and those it must not have."""
    return {
        "category": (filters.categories, filters.not_categories),
        "list": (filters.lists, filters.not_lists),
        "venue": (filters.venues, filters.not_venues),
        "has": (filters.has, filters.not_has),
    }


def _fits_one(facet: str, asked: Sequence[str], own: str) -> bool:
    """Whether ``own``, a value of a paper, is what is ``asked`` for; as `Restrictions.value` finds it."""
    if facet == "venue":
        words = _venue_words(own)
        return any(bool(wanted := _venue_words(one)) and wanted <= words for one in asked)
    folded = [one.casefold() for one in asked]
    if facet == "category":
        own = own.lower()
        return own in folded or own.partition(".")[0] in folded
    return own in folded


@lru_cache(maxsize=16_384)
def _venue_words(name: str) -> frozenset[str]:
    return frozenset(word.folded for word in words_of(plain(name)))


class Restrictions:
    """Makes queries of clauses and filters for one view of one index."""

    def __init__(self, schema: tantivy.Schema, searcher: Searcher):
        self._schema = schema
        self._searcher = searcher
        self._day_of_newest = cache(self._read_day_of_newest)

    def of(self, query: Query, few: Found | None = None, sparing: bool = False) -> Found | None:
        """What papers must fulfil for ``query`` beside sharing words with it; None where that is nothing.

        ``few`` finds the few papers that are asked about. ``sparing`` looks for a phrase of frequent words in
        titles, and in the texts of the newest papers only.
        """
        must, must_not = self._filters(query, few is not None)
        for clause in query.required:
            for ways in self._clause_ways(clause, sparing):
                # A union reads on where papers are looked up, an exclusion does not.
                if few and len(ways) > 1:
                    must_not.append(none_of(ways))
                else:
                    must.append(any_of(ways) if ways else Found.empty_query())
        for clause in query.excluded:
            runs = self._clause_ways(clause)
            must_not += runs[0] if len(runs) == 1 else [self._all_runs(runs)]
        if not must and not must_not:
            return None
        if few:
            must = [few, *must]
        return all_of(must, must_not)

    def spares(self, query: Query) -> bool:
        """Whether ``query`` demands a phrase that ``sparing`` would not look for everywhere."""
        phrases = [clause for clause in query.required if "text" in _FIELDS.get(clause.field, _FIELDS["any"])]
        return any(
            self._rarest([word.term for word in words_of(plain(clause.text[:MAX_TEXT]))]) > _FREQUENT
            for clause in phrases
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

    @staticmethod
    def demands(query: Query) -> tuple[list[Demand], range]:
        """What the filters of ``query`` demand of columns: of values, and the days (none: any)."""
        wanted = _wanted(query.filters)
        demands = [
            Demand(name, partial(_fits_one, name, tuple(group)))
            for name, (groups, _) in wanted.items()
            for group in groups
            if group
        ]
        demands += [
            Demand(name, partial(_fits_one, name, (value,)), excluded=True)
            for name, (_, values) in wanted.items()
            for value in values
        ]
        after, before = query.filters.after, query.filters.before
        if not after and not before:
            return demands, range(0)
        return demands, range(day_number(after) if after else 1, day_number(before) if before else 10**8)

    def _filters(self, query: Query, of_few: bool) -> tuple[list[Found], list[Found]]:
        filters = query.filters
        wanted = _wanted(filters)
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
        return self._all_runs(self._ways_of_runs(telling, "any")) if telling else None

    def clause(self, clause: Clause) -> Found:
        """The papers that fulfil one clause; none where it holds no word."""
        return self._all_runs(self._clause_ways(clause))

    def _clause_ways(self, clause: Clause, sparing: bool = False) -> list[list[Found]]:
        """What papers must fulfil for one clause: of each list one."""
        text = plain(clause.text[:MAX_TEXT])
        words = words_of(text)
        whole = clause.phrase or clause.field == "author"
        runs = [words] if whole else _runs(words, text, signs=True)
        return self._ways_of_runs(runs, clause.field, sparing)

    def _ways_of_runs(
        self, runs: Sequence[Sequence[Word]], where: str, sparing: bool = False
    ) -> list[list[Found]]:
        """The ways in which each of ``runs`` may stand side by side; one empty list where there are none."""
        different = {tuple(word.text for word in run): run for run in runs}.values()
        return [self._ways(run, where, sparing) for run in different] or [[]]

    def _all_runs(self, ways: Sequence[Sequence[Found]]) -> Found:
        """The papers that have one of each of ``ways``; none where one of them is empty."""
        return all_of([any_of(some) for some in ways]) if all(ways) else Found.empty_query()

    def _ways(self, words: Sequence[Word], where: str, sparing: bool) -> list[Found]:
        """The ways in which ``words`` may stand side by side; empty where no paper has all of them."""
        found = []
        for field, stemmed in _FIELDS.get(where, _FIELDS["any"]).items():
            terms = [word.term if stemmed else word.folded for word in words]
            frequent = sparing and field == "text" and self._rarest(terms) > _FREQUENT
            found += self._where_few(terms) if frequent else self._side_by_side(field, terms)
            if len(words) <= _MAX_JOINED:
                found += self._otherwise_written(field, words, stemmed)
        if where == "author":
            found += self._name_otherwise([word.folded for word in words])
        return found

    def _rarest(self, terms: Sequence[str]) -> int:
        """In how many texts the rarest of two or more ``terms`` is; 0 for less."""
        return min((self._searcher.doc_freq("text", term) for term in terms), default=0) * (len(terms) > 1)

    def _where_few(self, terms: Sequence[str]) -> list[Found]:
        """``terms`` one after the other in titles, and in the texts of as many new papers as can be read."""
        halvings = math.ceil(math.log2(self._rarest(terms) / _FREQUENT))
        newest = self._days(self._day_of_newest(halvings), None)
        texts = Found.phrase_query(self._schema, "text", list(terms))
        return [all_of([newest, texts]), *self._side_by_side("title", terms)]

    def _read_day_of_newest(self, halvings: int) -> int:
        """The day since which a half of the papers, a fourth, an eighth, ... were published."""
        place = self._searcher.num_docs >> halvings
        hits = self._searcher.search(
            Found.all_query(), 1, count=False, order_by_field="day", offset=place
        ).hits
        return int(hits[0][0] or 0) if hits else 0

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
