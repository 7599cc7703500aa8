"""The words side of search: a tantivy index with English stemming, kept up to a place in the change log."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tantivy
from numpy.typing import NDArray

from ..model.papers import Paper
from .analysis import FOLDED, STEMMED, STOP_WORDS, folded_without, joined, plain, query_terms, term_of
from .columns import Columns, ColumnsWriter, Extent, Row, extent_of
from .facets import Facet, aggregated, aggregations, facets_of, most_frequent
from .files import DamagedIndexError, read_state, stamp, write_state
from .query import Filters
from .restrictions import Restrictions, all_of, any_of
from .searcher import Searcher
from .terms import Terms, chosen_terms

if TYPE_CHECKING:
    from .query import Query

__all__ = ["ANALYZER", "FORMAT", "STOP_WORDS", "WordMatches", "Words", "query_terms"]

# Raise when fields or analysis change: an index of another format is built anew.
FORMAT = 2

# A match in the title counts for its text once and for being in the title so much more; measured in
# docs/search.md. A match in a name counts by how much more often the word is a name than a word.
TITLE_WEIGHT = 0.3
NAMES_WEIGHT = 1.5
# A name counts where at least so large a share of the papers with the word have it as a name.
_MOSTLY_NAME = 0.1

# A word is rare that so few papers have, and at most one of so many.
_RARE, _RARE_ONE_OF = 3, 1_000

# BM25 gives a term that stands in a paper many times 1 + k1 of its weight (k1 is 1.2 in tantivy).
_MOST_OF_A_TERM = 2.2

ANALYZER = STEMMED

# Of many keys each is asked for in turn, unless a filter leaves so few papers for one that reading all of
# them is quicker.
_MANY, _FEW = 2_000, 6
_KEYS_AT_ONCE = 256
# Queries whose terms are kept until papers are added.
_MOST_CHOSEN = 64
# So many papers with a phrase are all that anybody can page through.
_ENOUGH = 1_000
# Counts of facets that are kept until papers are added, for whoever pages or goes back.
_MOST_COUNTED = 64

_HEAP_BYTES = 96_000_000

# name -> tokenizer, what is kept of each word, whether there is a column for counting
_TEXT_FIELDS = {
    # Title, abstract, summary and keywords, with joined forms behind; the title once more.
    "text": ("stemmed", "position", False),
    "title": ("stemmed", "position", False),
    "authors": ("names", "position", False),
    # Venue and organization.
    "names": ("stemmed", "position", False),
    # The words of title and abstract with their endings, for spelling, and the keywords as they stand.
    "typed": ("folded", "basic", False),
    "topic": ("lowercase", "basic", False),
    # What facets count, as people read it.
    "category": ("raw", "basic", True),
    "venue": ("raw", "basic", True),
    "list": ("raw", "basic", True),
    "has": ("raw", "basic", True),
    # What filters look for: categories with their archives in lower case, words of venues.
    "subject": ("lowercase", "basic", False),
    "venue_words": ("folded", "position", False),
}


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("key", indexed=True, fast=True)
    # The day of publication, else of the first listing: 20260131.
    builder.add_integer_field("day", indexed=True, fast=True)
    builder.add_integer_field("year", fast=True)
    builder.add_integer_field("votes", indexed=True, fast=True)
    for name, (tokenizer, kept, counted) in _TEXT_FIELDS.items():
        builder.add_text_field(name, tokenizer_name=tokenizer, index_option=kept, fast=counted)
    return builder.build()


# Stands before each author and leaves two places empty, so that no phrase reaches from one to the next.
_NO_NAME = "nonamehere"


def _analyzers() -> dict[str, tantivy.TextAnalyzer]:
    """Those that are not built in, by the name that fields call them by."""
    whole = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw()).filter(tantivy.Filter.lowercase())
    return {
        "stemmed": STEMMED,
        "folded": FOLDED,
        "names": folded_without(_NO_NAME),
        "lowercase": whole.build(),
    }


_DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


def _day(paper: Paper) -> int | None:
    """The day of ``paper`` as 20260131; the first of the year or month where no more is known."""
    found = _DAY.match(paper.published or "") or _DAY.match(paper.first_listed or "")
    return int(found[1] + (found[2] or "01") + (found[3] or "01")) if found else None


def _fields(paper: Paper) -> dict[str, Any]:
    """What the index is told of ``paper``."""
    title, abstract = plain(paper.title), plain(paper.abstract)
    more = [plain(text) for text in (paper.ai_summary or "", *paper.ai_keywords) if text]
    text = [title, abstract, *more]
    values: dict[str, Any] = {
        "key": paper.key,
        "text": [*text, " ".join(joined(" \n ".join(text)))],
        "title": [title, " ".join(joined(title))],
        "authors": [f"{_NO_NAME} {_NO_NAME} {plain(author.name)}" for author in paper.authors[:200]],
        "names": [plain(name) for name in (paper.venue or "", _organization(paper)) if name],
        "typed": [title, abstract],
        "topic": paper.ai_keywords,
        "category": list(dict.fromkeys(paper.categories)),
        "subject": list({part for name in paper.categories for part in (name, name.partition(".")[0])}),
        "list": sorted({listing.list for listing in paper.listings}),
        "has": _kinds(paper),
        "votes": max(paper.upvotes or 0, 0),
    }
    if paper.venue:
        values |= {"venue": paper.venue, "venue_words": plain(paper.venue)}
    if day := _day(paper):
        values |= {"day": day, "year": day // 10_000}
    return values


def _row(fields: Mapping[str, Any]) -> Row:
    """What is kept of a paper's ``fields`` in columns."""
    many = [(name, value) for name in ("category", "list", "has") for value in fields[name]]
    venue = [("venue", fields["venue"])] if "venue" in fields else []
    return Row(fields["key"], fields.get("day", 0), fields["votes"], many + venue)


def _organization(paper: Paper) -> str:
    told = paper.organization or {}
    return " ".join(str(told[name]) for name in ("name", "fullname") if told.get(name))


def _kinds(paper: Paper) -> list[str]:
    """The kinds of link of ``paper``; ``abstract`` means that the abstract itself is known."""
    kinds = {link.kind for link in paper.links} - {"abstract"}
    return sorted(kinds | {"abstract"} if paper.abstract else kinds)


@dataclass(frozen=True, slots=True)
class WordMatches:
    """Papers found by words, best first: ``keys`` (int64) and ``scores`` (float32, BM25).

    ``unknown`` maps each word of the query that no paper has, as typed, to those searched for in its place.
    ``perfect`` is about the score of a paper that would hold all words of the query, each many times.
    ``rare`` (int64) are the keys of all papers that hold a word of the query which hardly any others hold.
    """

    keys: NDArray[np.int64]
    scores: NDArray[np.float32]
    unknown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    perfect: float = 0.0
    rare: NDArray[np.int64] = field(default_factory=lambda: _NOTHING[0])

    @classmethod
    def none(cls) -> WordMatches:
        return cls(*_NOTHING)


class Words:
    """The index in ``folder``. Any number of processes read it, one writes (see `Engine.follow`)."""

    def __init__(self, folder: Path):
        """Opens the index, making an empty one where there is none or one of another format.

        Raises:
            DamagedIndexError: if its files are not those that were written.
            OSError: if the folder cannot be written.
        """
        self._folder = folder
        self._state_path = folder / "state.json"
        self._writer: tantivy.IndexWriter | None = None
        # An index that was made before there were columns has none, until it is built anew.
        self._columns: Columns | None = None
        self._columns_writer: ColumnsWriter | None = None
        self._open(create=True)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether ``folder`` holds an index of this format."""
        state = read_state(folder / "state.json")
        return state is not None and state.get("format") == FORMAT

    def _open(self, create: bool) -> None:
        self._stamp = stamp(self._state_path)
        state = read_state(self._state_path)
        if state is None or state.get("format") != FORMAT:
            if not create:
                raise DamagedIndexError(f"{self._state_path} is of another format")
            shutil.rmtree(self._folder, ignore_errors=True)
            (self._folder / "tantivy").mkdir(parents=True)
            self._generation, self.cursor = uuid.uuid4().hex, 0
            self._index = tantivy.Index(_schema(), path=str(self._folder / "tantivy"))
            self._columns = Columns(self._folder, Extent())
            self._write_state()
        else:
            self._generation, self.cursor = str(state["generation"]), int(state["cursor"])
            self._check_files(state.get("files", {}), state.get("commit", ""))
            try:
                self._columns = self._columns_of(state)
            except OSError as error:
                raise DamagedIndexError(str(error)) from error
            try:
                self._index = tantivy.Index.open(str(self._folder / "tantivy"))
                self._index.searcher().search(tantivy.Query.all_query(), 1)
            except BaseException as error:  # tantivy's panics are no Exceptions
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                raise DamagedIndexError(f"the words index cannot be opened ({error})") from error
        for name, analyzer in _analyzers().items():
            self._index.register_tokenizer(name, analyzer)
        self._index.config_reader("Manual")
        self._reload()

    def _columns_of(self, state: Mapping[str, Any]) -> Columns | None:
        extent = extent_of(state)
        return Columns(self._folder, extent) if extent is not None else None

    def _reload(self) -> None:
        """Takes a new view of the committed files; making one takes longer than a search."""
        self._index.reload()
        self._searcher = Searcher(self._index.searcher())
        self._restrictions = Restrictions(self._index.schema, self._searcher)
        # A query is looked up twice: for the best papers, and for the scores of those near in meaning.
        self._chosen = lru_cache(maxsize=_MOST_CHOSEN)(self._choose)
        self._demanded = lru_cache(maxsize=_MOST_CHOSEN)(self._demand)
        self._number_fulfilling = lru_cache(maxsize=_MOST_CHOSEN)(self._count_demanded)
        self._counted: dict[Any, dict[str, dict[str, int]]] = {}

    def _commit(self) -> bytes:
        """What tantivy says of its last commit (``meta.json``); empty where it cannot be read."""
        try:
            return (self._folder / "tantivy" / "meta.json").read_bytes()
        except OSError:
            return b""

    def _commit_id(self) -> str:
        return hashlib.sha256(self._commit()).hexdigest()

    def _committed_files(self, commit: bytes) -> dict[str, int]:
        """Names and sizes of the files of a commit; a merge may remove one at this moment."""
        segments = {
            entry["segment_id"].replace("-", "") for entry in json.loads(commit or b"{}").get("segments", ())
        }
        files = {}
        for path in (self._folder / "tantivy").iterdir():
            if path.name.partition(".")[0] in segments:
                with contextlib.suppress(FileNotFoundError):
                    files[path.name] = path.stat().st_size
        return files

    def _check_files(self, files: dict[str, int], commit: str) -> None:
        # After a crash between commit and state the list is that of the former commit: no damage.
        if commit != self._commit_id():
            return
        for name, size in files.items():
            path = self._folder / "tantivy" / name
            found = path.stat().st_size if path.exists() else None
            # A writer that commits at this moment removes files that it does not need any more.
            if found != size and commit == self._commit_id():
                raise DamagedIndexError(f"{path} has {found} bytes, {size} were written")

    def _write_state(self) -> None:
        commit = self._commit()
        state = {"format": FORMAT, "generation": self._generation, "cursor": self.cursor}
        files = {"commit": hashlib.sha256(commit).hexdigest(), "files": self._committed_files(commit)}
        if self._columns is not None:
            state["columns"] = asdict(self._columns.extent)
        write_state(self._state_path, state | files)
        self._stamp = stamp(self._state_path)

    def refresh(self) -> None:
        """Sees what another process committed since."""
        if stamp(self._state_path) == self._stamp:
            return
        state = read_state(self._state_path)
        if state is None:
            return
        if state.get("generation") != self._generation:
            self._open(create=False)
            return
        found = stamp(self._state_path)
        # Where a later commit removed them the next look sees that one.
        with contextlib.suppress(DamagedIndexError, OSError):
            self._columns = self._columns_of(state)
        self._stamp, self.cursor = found, int(state["cursor"])
        self._reload()

    @property
    def searcher(self) -> Searcher:
        """The view of the committed files that searches use."""
        return self._searcher

    @property
    def index(self) -> tantivy.Index:
        return self._index

    @property
    def count(self) -> int:
        """Papers in the index."""
        return self._searcher.num_docs

    def bytes(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())

    # -- writing

    def put(self, papers: Iterable[Paper], removed: Sequence[int] = ()) -> None:
        """Adds ``papers``, replacing what was there of them, and takes out the keys ``removed``.

        Raises:
            OSError: if the disk does not take it.
        """
        documents = [_fields(paper) for paper in papers]
        with self._told_as_os_error():
            if self._writer is None:
                self._remove_uncommitted_deletions()
                # One thread: the other core reads the store.
                self._writer = self._index.writer(_HEAP_BYTES, 1)
                if self._columns is not None:
                    self._columns_writer = ColumnsWriter(self._folder, self._columns)
            for key in removed:
                self._writer.delete_documents_by_term("key", key)
            for fields in documents:
                self._writer.delete_documents_by_term("key", fields["key"])
                self._writer.add_document(tantivy.Document(**fields))
            if self._columns_writer is not None:
                self._columns_writer.put([_row(fields) for fields in documents], removed)

    def _remove_uncommitted_deletions(self) -> None:
        """Removes what a killed writer left: tantivy counts on from its last commit and would not
        overwrite a list of deletions of the same number.
        """
        segments = json.loads(self._commit() or b"{}").get("segments", ())
        committed = {
            f"{entry['segment_id'].replace('-', '')}.{entry['deletes']['opstamp']}.del"
            for entry in segments
            if entry.get("deletes")
        }
        for path in (self._folder / "tantivy").glob("*.del"):
            if path.name not in committed:
                path.unlink(missing_ok=True)

    def commit(self, cursor: int) -> None:
        """Makes what was put findable, for good; it holds the change log up to ``cursor``.

        Raises:
            OSError: if the disk does not take it.
        """
        with self._told_as_os_error():
            if self._writer is not None:
                self._writer.commit()
                if self._columns_writer is not None:
                    self._columns = self._columns_writer.commit(self.count)
        self.cursor = cursor
        self._write_state()
        if self._columns_writer is not None:
            self._columns_writer.remove_former()
        self._reload()

    @contextlib.contextmanager
    def _told_as_os_error(self) -> Iterator[None]:
        """tantivy tells of a full disk by ValueError or a panic; its writer is of no use afterwards."""
        try:
            yield
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            self._writer = None
            raise OSError(str(error)) from error

    def clear(self) -> None:
        """Empties the index; it holds nothing of the change log."""
        self.end_writing()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._open(create=True)

    def end_writing(self) -> None:
        """Lets go of the writer, so that another process may write."""
        if self._writer is not None:
            with self._told_as_os_error():
                writer, self._writer, self._columns_writer = self._writer, None, None
                writer.rollback()
                writer.wait_merging_threads()
            self._write_state()

    # -- searching

    def search(self, query: Query | str, limit: int) -> WordMatches:
        """The best ``limit`` papers for the words of ``query`` that fulfil its restrictions.

        A paper needs one of the words, not all.
        """
        terms, found = self._chosen(query if isinstance(query, str) else query.text)
        if found is None:
            return WordMatches(*_NOTHING, terms.unknown)
        restricted = None if isinstance(query, str) else self._demanded(query)[0]
        if restricted is not None:
            found = all_of([tantivy.Query.const_score_query(restricted, 0.0), found])
        best = self._best(found, limit)
        return WordMatches(*best, terms.unknown, self._perfect(terms), self._holding_rare(terms))

    def scores(self, query: Query, keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """BM25 of each of ``keys`` for the words of ``query``, float32; 0 where no word matches."""
        scores = np.zeros(len(keys), np.float32)
        _, found = self._chosen(query.text)
        if found is None or not len(keys):
            return scores
        among = tantivy.Query.const_score_query(self._restrictions.keys(keys.tolist()), 0.0)
        matched, theirs = self._best(all_of([among, found]), len(keys))
        order = np.argsort(keys)
        scores[order[np.searchsorted(keys, matched, sorter=order)]] = theirs
        return scores

    def _choose(self, text: str) -> tuple[Terms, tantivy.Query | None]:
        """The terms of ``text``, and the query that scores papers by them."""
        terms = chosen_terms(text, self._searcher, self._index.schema)
        return terms, self._scoring(terms)

    def _scoring(self, terms: Terms) -> tantivy.Query | None:
        """The query that scores papers by ``terms``; None where there are none."""
        schema = self._index.schema
        clauses = [
            # Where the words stand is not asked for: opening it for every clause takes time.
            tantivy.Query.boost_query(tantivy.Query.term_query(schema, name, term, "freq"), weight)
            for name, term, weight in self._weighted(terms)
        ]
        clauses += [tantivy.Query.phrase_query(schema, "text", phrase) for phrase in terms.phrases]
        return any_of(clauses) if clauses else None

    def _best(self, found: tantivy.Query, limit: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        hits = self._searcher.search(found, limit, count=False).hits
        keys = self._searcher.fast_field_values("key", [address for _, address in hits])
        return np.array(keys, np.int64), np.array([score for score, _ in hits], np.float32)

    def _holding_rare(self, terms: Terms) -> NDArray[np.int64]:
        """The keys of the papers that hold one of ``terms`` which hardly any others hold."""
        most = min(_RARE, self.count // _RARE_ONE_OF)
        rare = [term for term in terms.weights if self._searcher.doc_freq("text", term) <= most]
        if not most or not rare:
            return _NOTHING[0]
        clauses = [tantivy.Query.term_query(self._index.schema, "text", term) for term in rare]
        return self._best(any_of(clauses), most * len(rare))[0]

    def _perfect(self, terms: Terms) -> float:
        papers = self.count
        total = 0.0
        for term, weight in terms.weights.items():
            having = self._searcher.doc_freq("text", term)
            total += weight * math.log(1 + (papers - having + 0.5) / (having + 0.5))
        return total * _MOST_OF_A_TERM

    def _weighted(self, terms: Terms) -> Iterator[tuple[str, str, float]]:
        """Field, term and weight of all that a paper may be found by."""
        for term, weight in terms.weights.items():
            yield "text", term, weight
            yield "title", term, TITLE_WEIGHT * weight
        for term, weight in terms.in_title.items():
            yield "title", term, weight
        papers = self._searcher.doc_freq
        for word in terms.words:
            for name, term in (("authors", word), ("names", term_of(word))):
                if named := papers(name, term):
                    share = named / (named + papers("text", term_of(word)))
                    if share >= _MOSTLY_NAME:
                        yield name, term, NAMES_WEIGHT * share

    def allowed(self, query: Query, limit: int) -> NDArray[np.int64] | None:
        """Keys of all papers that fulfil the restrictions of ``query``, ascending; None over ``limit``."""
        if self._number_fulfilling(query) > limit:
            return None
        return self._keys(self._demanded(query)[0] or tantivy.Query.all_query(), limit)

    def among(self, query: Query, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of ``keys`` fulfil the restrictions of ``query``."""
        restricted, _ = self._demanded(query)
        if restricted is None or not len(keys):
            return np.ones(len(keys), np.bool_)
        by_words = bool(query.required or query.excluded)
        if len(keys) > _MANY and (by_words or self._columns is None):
            count = self._number_fulfilling(query)
            if count <= _FEW * len(keys):
                return np.isin(keys, self._keys(restricted, count))
        found = np.ones(len(keys), np.bool_)
        if self._columns is not None:
            found = self._columns.fulfilling(keys, *self._restrictions.demands(query))
            query = replace(query, filters=Filters())
            if not by_words:
                return found
        order = np.argsort(keys)
        order = order[found[order]]
        # Neighbouring keys stand side by side in the index, and the processor's cache holds only so many.
        for start in range(0, len(order), _KEYS_AT_ONCE):
            places = order[start : start + _KEYS_AT_ONCE]
            some = self._restrictions.of(query, few=self._restrictions.keys(keys[places].tolist()))
            assert some is not None
            found[places] = np.isin(keys[places], self._keys(some, len(places)))
        return found

    def listed(self, query: Query, limit: int, offset: int = 0, order: str = "date") -> NDArray[np.int64]:
        """Keys of papers that fulfil the restrictions of ``query`` and have all of its words.

        ``order`` is ``date`` (newest first) or ``votes`` (most first).
        """
        if limit <= 0:
            return _NOTHING[0]
        name = "votes" if order == "votes" else "day"
        found = self._matching(query, with_text=True)
        hits = self._searcher.search(found, limit, count=False, order_by_field=name, offset=offset).hits
        keys = self._searcher.fast_field_values("key", [address for _, address in hits])
        return np.array(keys, np.int64)

    def order(self, keys: NDArray[np.int64], by: str) -> NDArray[np.int64]:
        """The places of ``keys`` by ``date`` (newest first) or ``votes`` (most first), ties as they stand."""
        name = "votes" if by == "votes" else "day"
        if self._columns is not None:
            return np.argsort(-self._columns.order_of(keys, name).astype(np.int64), kind="stable")
        found = self._restrictions.keys(keys.tolist())
        hits = self._searcher.search(found, len(keys), count=False).hits if len(keys) else []
        addresses = [address for _, address in hits]
        values = dict(
            zip(
                self._searcher.fast_field_values("key", addresses),
                self._searcher.fast_field_values(name, addresses),
                strict=True,
            )
        )
        return np.argsort([-(values.get(key) or 0) for key in keys.tolist()], kind="stable")

    def total(self, query: Query) -> int:
        """How many papers `listed` reaches."""
        return self._count(self._matching(query, with_text=True))

    @property
    def counts_quickly(self) -> bool:
        """Whether `facets` of some hundred papers take less than a millisecond."""
        return self._columns is not None

    def facets(self, query: Query, keys: NDArray[np.int64] | None = None) -> list[Facet]:
        """What the papers ``keys`` (None: all that `listed` reaches) can be narrowed by, with counts."""
        found = cache(
            lambda: self._matching(query, True) if keys is None else self._restrictions.keys(keys.tolist())
        )
        if keys is None:
            counted = self._counted_all(query, found())
        elif self._columns is not None:
            counted = most_frequent(self._columns.counts(keys))
        else:
            counted = aggregated(self._searcher.aggregate(found(), aggregations()))
        return facets_of(
            query,
            counted,
            lambda name, value: self._count(all_of([found(), self._restrictions.value(name, value)])),
        )

    def _demand(self, query: Query) -> tuple[tantivy.Query | None, int | None]:
        """What papers must fulfil for ``query`` (None where that is nothing); how many do, if it was counted.

        A phrase of frequent words is looked for where that is quick, unless too few papers have it there.
        """
        spared = self._restrictions.of(query, sparing=True)
        if spared is None or not self._restrictions.spares(query):
            return spared, None
        count = self._count(spared)
        return (spared, count) if count >= _ENOUGH else (self._restrictions.of(query), None)

    def _count_demanded(self, query: Query) -> int:
        """How many papers fulfil the restrictions of ``query``."""
        found, count = self._demanded(query)
        if count is not None:
            return count
        return self.count if found is None else self._count(found)

    def _counted_all(self, query: Query, found: tantivy.Query) -> dict[str, dict[str, int]]:
        """What `aggregations` count of ``found``; of a million papers that takes long, so it is kept."""
        kept = self._counted
        asked = (query.text, query.required, query.excluded, query.filters)
        if asked not in kept:
            while len(kept) >= _MOST_COUNTED:
                kept.pop(next(iter(kept)), None)
            kept[asked] = aggregated(self._searcher.aggregate(found, aggregations()))
        return kept[asked]

    def _matching(self, query: Query, with_text: bool) -> tantivy.Query:
        demands = [self._restrictions.of(query)]
        if with_text and query.text:
            demands.append(self._restrictions.words(query.text))
        return all_of([demand for demand in demands if demand is not None] or [tantivy.Query.all_query()])

    def _count(self, found: tantivy.Query) -> int:
        return self._searcher.search(found, 1).count or 0

    def _keys(self, found: tantivy.Query, limit: int) -> NDArray[np.int64]:
        """The keys of the papers that ``found`` finds, ascending, at most ``limit``."""
        hits = self._searcher.search(
            found, max(limit, 1), count=False, order_by_field="key", order=tantivy.Order.Asc
        ).hits
        return np.fromiter((key for key, _ in hits), np.int64, len(hits))


_NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.float32))
