"""Whether two tellings are of one work: rules on titles, authors, abstracts and identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..model.identifiers import Identifier
from ..model.papers import Record
from ..model.text import abstracts_agree, authors_agree, title_key, words
from .merging import State, title_hash, trust

# Titles that many works have: of those only the abstract can tell that two are one.
_GENERIC = re.compile(
    r"(?:(?:an?|the|some)?(?:introduction|editorial|preface|foreword|erratum|corrigendum|addendum|errata"
    r"|retraction|correction|discussion|rejoinder|comment|reply|response|bookreview|letter|lettertotheeditor"
    r"|guesteditorial|inthisissue|news|conclusion|conclusions|overview|abstract|abstracts|tableofcontents"
    r"|proceedings|index|obituary|acknowledgements?|research|research(?:paper|article)|untitled|notitle))"
)
# A work about another work has the other's title in its own.
_ABOUT = re.compile(
    r"(?i)\W*(?:erratum|errata|corrigend(?:um|a)|addend(?:um|a)|(?:author|publisher)?'?s?\s*correction"
    r"|comments?\s+on|(?:a\s+)?(?:reply|response|rejoinder)\s+to|discussion\s+of|(?:a\s+)?(?:review|note)\s+on)\b"
)
# Two abstracts that share fewer of their words are of different works, whoever wrote them; a text of
# fewer words is a remark, not an abstract.
_ABSTRACTS_DIFFER = 0.2
_ABSTRACT_WORDS = 20
# Two titles that share fewer of their words have nothing to do with each other.
_TITLES_DIFFER = 0.3


def conflicting(state: State, identifiers: Iterable[Identifier]) -> bool:
    """Whether ``identifiers`` name another paper: one scheme, two values."""
    for identifier in identifiers:
        known = state.values(identifier.scheme)
        if known and identifier.value not in known:
            return True
    return False


def same_work(state: State, record: Record) -> bool:
    """Whether a paper and a record of the same title are one work.

    Their abstracts or their authors must agree. A record that has neither says nothing but its
    title: it is the same as a paper that has no other identity than its title.
    """
    return not conflicting(state, record.identifiers) and _agree(state, record)


def _agree(state: State, record: Record) -> bool:
    abstract, names = state.fields.get("abstract"), _names(state.fields.get("authors"))
    if record.abstract and abstract:
        if abstracts_agree(record.abstract, abstract):
            return True
        if _abstracts_differ(record.abstract, abstract):
            return False
    if record.authors and names:
        if _GENERIC.fullmatch(title_key(record.title)) and not _told_again(state, record):
            return False
        return authors_agree(_names(record.authors), names)
    if record.abstract or record.authors:
        return False
    return not record.identifiers and all(key.startswith("title:") for key in state.identifiers)


def _told_again(state: State, record: Record) -> bool:
    """Whether a record of a title that many works have is what its source told before."""
    same_day = record.published == state.fields.get("published")
    return same_day and record.source == state.provenance.get("title")


def bridged(one: State, other: State, record: Record) -> bool:
    """Whether a record that names two papers may bring them together.

    Their titles must be equal, or authors and abstracts agree, and no scheme may give them two
    values; the record, or the one paper, must agree with the other.
    """
    if conflicting(one, map(Identifier.from_key, _named(other))):
        return False
    if title_hash(one.fields["title"]) != title_hash(other.fields["title"]):
        return _one_retitled(one, other)
    return _agree(other, record) or _agree(other, as_record(one))


def _one_retitled(one: State, other: State) -> bool:
    """Whether two papers are one whose title was changed between preprint and publication."""
    first, second = one.fields["title"], other.fields["title"]
    if _about(first) != _about(second) or _numbers(first) != _numbers(second):
        return False
    names = _names(one.fields.get("authors")), _names(other.fields.get("authors"))
    abstracts = one.fields.get("abstract"), other.fields.get("abstract")
    return bool(all(names) and all(abstracts) and authors_agree(*names) and abstracts_agree(*abstracts))


def foreign(state: State, record: Record) -> str:
    """Why a record that names the paper is of another work all the same; empty where it may be it.

    Only what people typed or exported is doubted: services know their own identifiers.
    """
    title = state.fields.get("title")
    if not record.title or not title or trust(record.source) > 1:
        return ""
    if title_hash(record.title) == title_hash(title):
        return ""
    if _about(record.title) != _about(title):
        return "one is about the other, as an erratum, comment or reply is"
    if record.source == state.provenance.get("title"):
        return ""  # it corrects itself
    names = _names(state.fields.get("authors"))
    if record.authors and names and not authors_agree(_names(record.authors), names):
        apart = _in_common(record.title, title) < _TITLES_DIFFER
        if apart and not _same_abstract(state, record):
            return "neither title nor authors agree"
    return ""


def telling_title(title: str) -> bool:
    """Whether a title says enough for two papers that have it to be looked at by an editor."""
    key = title_key(title)
    return len(key) >= 20 and not _GENERIC.fullmatch(key)


def as_record(state: State) -> Record:
    """The paper in ``state`` as a record without identifiers, to compare it with another paper."""
    return Record(
        title=state.fields["title"],
        source="",
        abstract=state.fields.get("abstract"),
        authors=state.fields.get("authors") or [],
    )


def _same_abstract(state: State, record: Record) -> bool:
    abstract = state.fields.get("abstract")
    return bool(record.abstract and abstract and abstracts_agree(record.abstract, abstract))


def _abstracts_differ(one: str, other: str) -> bool:
    return (
        min(len(set(words(one))), len(set(words(other)))) >= _ABSTRACT_WORDS
        and _in_common(one, other) < _ABSTRACTS_DIFFER
    )


def _named(state: State) -> list[str]:
    return [key for key in state.identifiers if not key.startswith("title:")]


def _names(authors: Any) -> list[str]:
    return [author.name for author in authors or ()]


def _in_common(one: str, other: str) -> float:
    """The share of their words, counted once each, that two texts have in common."""
    first, second = set(words(one)), set(words(other))
    return len(first & second) / max(len(first | second), 1)


def _about(title: str) -> str:
    """The word by which a title says that the work is about another one; empty where it does not."""
    found = _ABOUT.match(title)
    return title_key(found[0])[:5] if found else ""


_NUMBER = re.compile(r"\d+|\b(?:i{1,3}|iv|vi{0,3}|ix|xi{0,2})\b")


def _numbers(title: str) -> set[str]:
    """What tells parts, editions and years apart: digits and small Roman numerals."""
    return set(_NUMBER.findall(title.casefold()))
