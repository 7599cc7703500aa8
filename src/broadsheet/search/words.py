"""The words side of search: a tantivy index with English stemming, kept up to a place in the change log."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray

from ..model.papers import Paper
from .files import DamagedIndexError, read_state, stamp, write_state

# Raise when fields or analysis change: an index of another format is built anew.
FORMAT = 1

# A match in the title counts for its text once and for being in the title a quarter more; measured
# in docs/search.md. Names (authors, venue, categories, ids) count where nothing else says more.
TITLE_WEIGHT = 0.25
NAMES_WEIGHT = 0.6

# A pasted abstract has 100 different words; its rarest ones find it, the others cost time.
MAX_TERMS = 40

# Words that a question is made of. They stay in the index, for phrases, but do not choose papers.
_QUESTION_WORDS = """
a about all also am an and any are as at be been being but by can could did do does for from had has
have how i if in into is it its may me might my no not of on or our should some such than that the
their then there these they this those to us was we were what when where which who whom whose why will
with would you your
"""
STOP_WORDS = frozenset(_QUESTION_WORDS.split())

_HEAP_BYTES = 96_000_000


def _analyzer() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(80),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


ANALYZER = _analyzer()
_STOP_TERMS = frozenset(term for word in STOP_WORDS for term in ANALYZER.analyze(word))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("key", indexed=True, fast=True)
    for field in ("text", "title", "names"):
        builder.add_text_field(field, tokenizer_name="broadsheet")
    return builder.build()


def query_terms(query: str) -> list[str]:
    """The terms that ``query`` searches for, in order, each once; stop words only where nothing else is."""
    terms = list(dict.fromkeys(ANALYZER.analyze(query)))
    return [term for term in terms if term not in _STOP_TERMS] or terms


def _names(paper: Paper) -> str:
    parts = [author.name for author in paper.authors[:200]]
    parts += [paper.venue or "", *paper.categories, *paper.ai_keywords]
    parts += [identifier.value for identifier in paper.identifiers if identifier.scheme != "title"]
    return " \n ".join(parts)


# TeX accents and braces would cut words apart: Poincar\'e, K\"{a}hler.
_TEX_ACCENT = re.compile(r"\\[`'^\"~=.]\s*\{?\s*\\?([A-Za-z])\s*\}?")


def _plain(text: str) -> str:
    return _TEX_ACCENT.sub(r"\1", text) if "\\" in text else text


@dataclass(frozen=True, slots=True)
class WordMatches:
    """Papers found by words, best first: ``keys`` (int64) and ``scores`` (float32, BM25)."""

    keys: NDArray[np.int64]
    scores: NDArray[np.float32]

    @classmethod
    def none(cls) -> WordMatches:
        return cls(np.zeros(0, np.int64), np.zeros(0, np.float32))


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
            self._write_state()
        else:
            self._generation, self.cursor = str(state["generation"]), int(state["cursor"])
            self._check_files(state.get("files", {}), state.get("commit", ""))
            try:
                self._index = tantivy.Index.open(str(self._folder / "tantivy"))
                self._index.searcher().search(tantivy.Query.all_query(), 1)
            except BaseException as error:  # tantivy's panics are no Exceptions
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                raise DamagedIndexError(f"the words index cannot be opened ({error})") from error
        self._index.register_tokenizer("broadsheet", ANALYZER)
        self._index.config_reader("Manual")
        self._reload()

    def _reload(self) -> None:
        """Takes a new view of the committed files; making one takes longer than a search."""
        self._index.reload()
        self._searcher = self._index.searcher()

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
        self._stamp, self.cursor = stamp(self._state_path), int(state["cursor"])
        self._reload()

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
        with self._told_as_os_error():
            if self._writer is None:
                self._remove_uncommitted_deletions()
                # One thread: the other core reads the store.
                self._writer = self._index.writer(_HEAP_BYTES, 1)
            for key in removed:
                self._writer.delete_documents_by_term("key", key)
            for paper in papers:
                self._writer.delete_documents_by_term("key", paper.key)
                title = _plain(paper.title)
                text = f"{title}\n{_plain(paper.abstract)}\n{paper.ai_summary or ''}"
                self._writer.add_document(
                    tantivy.Document(key=paper.key, text=text, title=title, names=_names(paper))
                )

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
        self.cursor = cursor
        self._write_state()
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
                writer, self._writer = self._writer, None
                writer.rollback()
                writer.wait_merging_threads()
            self._write_state()

    # -- searching

    def search(self, query: str, limit: int) -> WordMatches:
        """The best ``limit`` papers for the words of ``query``; a paper needs one of them, not all."""
        searcher = self._searcher
        terms = query_terms(query)
        if len(terms) > MAX_TERMS:
            frequency = {term: searcher.doc_freq("text", term) for term in terms[:2_000]}
            # Words that nobody wrote find nothing, very frequent ones tell nothing.
            known = [term for term, count in frequency.items() if count]
            terms = sorted(known, key=lambda term: frequency[term])[:MAX_TERMS]
        schema, term_query = self._index.schema, tantivy.Query.term_query
        clauses = []
        for term in terms:
            clauses.append(term_query(schema, "text", term))
            clauses.append(tantivy.Query.boost_query(term_query(schema, "title", term), TITLE_WEIGHT))
            clauses.append(tantivy.Query.boost_query(term_query(schema, "names", term), NAMES_WEIGHT))
        if not clauses:
            return WordMatches.none()
        found = searcher.search(
            tantivy.Query.boolean_query([(tantivy.Occur.Should, clause) for clause in clauses]),
            limit,
            count=False,
        ).hits
        keys = searcher.fast_field_values("key", [address for _, address in found])
        return WordMatches(np.array(keys, np.int64), np.array([score for score, _ in found], np.float32))
