"""From typed text to `Query`: what is pasted, what is prose, and the sum of the restrictions."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from ...model.text import clean_line
from .booleans import is_boolean, joined
from .keys import CLAUSE_KEYS, GROUPS, TEXT_KEYS
from .model import Clause, Filters, Query
from .pasted import QUOTE_MARKS, Pasted, pasted_citation, pasted_entry, pasted_ids, pasted_label
from .tokens import Token, distinct, near_miss, plain, tokens_of

# What is read at all: more than twice the longest abstract.
MAX_TYPED = 10_000
# A text with more than this besides its operators is pasted prose, in which nothing is an operator.
PROSE_WORDS = 40
# Beside so many words quotation marks are a manner of writing, and a minus is a dash.
REQUEST_WORDS = 10
PROSE_CHARACTERS = 300
MAX_RESTRICTIONS = 64
_MAX_NOTES = 8


def _prose(tokens: list[Token]) -> bool:
    """Whether what stands besides the operators is a pasted text rather than a query."""
    count = quoted = characters = 0
    for i, token in enumerate(tokens):
        text = token.words
        if token.key in CLAUSE_KEYS:
            beside = (tokens[i - 1] if i else None, tokens[i + 1] if i + 1 < len(tokens) else None)
            # A long quotation is a pasted text in quotation marks.
            if any(t and is_boolean(t, "OR") for t in beside) or (
                token.key in TEXT_KEYS and _is_long(token.meaning.text)
            ):
                text = token.meaning.text
            elif token.key in TEXT_KEYS and not token.negated:
                quoted += token.meaning.text.count(" ") + 1
        if text:
            count += text.count(" ") + 1
            characters += len(text) + 1
    # Prose may quote something, too.
    count += quoted if count > PROSE_WORDS / 2 else 0
    return count > PROSE_WORDS or characters > PROSE_CHARACTERS + 1


def _without_dashes(text: str, tokens: list[Token]) -> list[Token]:
    """``tokens`` in which a dash ("learning -based review of x") or a sign ("< -4") excludes nothing."""
    searched = [not token.key or (token.key in TEXT_KEYS and not token.negated) for token in tokens]
    total, before = sum(searched), 0
    result: list[Token] = []
    for token, is_searched in zip(tokens, searched, strict=True):
        raw = text[token.start : token.end]
        if token.key == "any" and token.negated and raw[1].isalnum():
            inside = before >= 1 and total - before >= 3 and total >= 5
            if inside or "$" in raw or (result and _is_sign(result[-1])):
                note = (
                    f"“{raw[:60]}” was searched as a word, since it stands among others; "
                    "to exclude it, write it at the end."
                )
                token = Token(token.start, token.end, plain(raw), note=note if inside else "")
        before += is_searched
        result.append(token)
    return result


def _is_sign(token: Token) -> bool:
    return not token.key and token.words in ("<", ">", "=", "~", "≈", "≤", "≥", "±")


def _is_long(text: str) -> bool:
    return text.count(" ") + 1 > PROSE_WORDS or len(text) > PROSE_CHARACTERS


def _without_operators(text: str, tokens: list[Token], notes: list[str]) -> list[Token]:
    """The tokens of a pasted ``text``: filters at its beginning and end, and one word that is all between."""
    first, last = 0, len(tokens)
    while first < last and _frames(tokens[first]):
        first += 1
    while first < last and _frames(tokens[last - 1]):
        last -= 1
    middle = tokens[first:last]
    if any(token.key not in ("", "any") and token.glued for token in middle):
        notes.append(
            "So long a text is searched as it is: in it nothing restricts. Write filters before or after it, "
            "without a space behind their colon."
        )
    inner = Token(middle[0].start, middle[-1].end, text[middle[0].start : middle[-1].end])
    return [*tokens[:first], inner, *tokens[last:]]


def _frames(token: Token) -> bool:
    return token.glued and token.key not in ("", *TEXT_KEYS)


class Reading:
    """What the tokens read so far restrict, and what they search for."""

    def __init__(self, notes: list[str]):
        self.notes = notes
        # Of the text in order: words, and the clauses among them.
        self.parts: list[str | Clause] = []
        self.required: list[Clause] = []
        self.authors: list[Clause] = []
        self.excluded: list[Clause] = []
        self.groups: dict[str, list[Any]] = {}
        self.after: list[date] = []
        self.before: list[date] = []
        self.years: list[tuple[date, date]] = []
        self.sort = "relevance"
        self.count = 0
        self.left_out = 0

    def add(self, token: Token) -> None:
        if token.note:
            self.notes.append(token.note)
        if not token.key:
            self.parts.append(token.words)
        elif token.key in CLAUSE_KEYS:
            self._add_clause(token.meaning, token.negated)
        elif token.key in GROUPS:
            self._add_group(token.key, token.meaning, token.negated)
        elif token.key == "sort":
            self.sort = token.meaning
        elif token.key == "year":
            self.years += token.meaning
        else:
            (self.after if token.key == "after" else self.before).append(token.meaning)

    def _add_clause(self, clause: Clause, negated: bool) -> None:
        clauses = self.excluded if negated else self.authors if clause.field == "author" else self.required
        # A phrase may stand in the text twice, an exclusion or a name says nothing new the second time.
        if clauses is not self.required and clause in clauses:
            return
        fitting = self._fitting([clause])
        clauses += fitting
        if clauses is self.required:
            self.parts += fitting

    def _add_group(self, key: str, values: tuple[str, ...], negated: bool) -> None:
        groups = self.groups.setdefault(GROUPS[key][negated], [])
        if negated:
            new = [value for value in values if value not in groups]
            groups += self._fitting(new)
        elif key == "venue":
            # A paper has one venue, so several can only mean any of them.
            known = groups[0] if groups else ()
            new = [value for value in values if value not in known]
            if kept := self._fitting(new):
                groups[:] = [distinct([*known, *kept])]
        elif values not in groups and (kept := self._fitting(values)):
            groups.append(tuple(kept))

    def _fitting(self, restrictions: Sequence[Any]) -> Sequence[Any]:
        """As many of ``restrictions`` as still count."""
        fitting = restrictions[: MAX_RESTRICTIONS - self.count]
        self.count += len(fitting)
        self.left_out += len(restrictions) - len(fitting)
        return fitting

    def query(self, typed: str) -> Query:
        after, before = self._dates()
        if self.left_out:
            self.notes.append(
                f"The first {MAX_RESTRICTIONS} restrictions count; {self.left_out} more were left out."
            )
        self._loosen_request()
        groups = {name: distinct(values) for name, values in self.groups.items()}
        notes = tuple(dict.fromkeys(self.notes))[:_MAX_NOTES]
        query = Query(
            typed,
            self._text(),
            (*self.required, *self.authors),
            tuple(self.excluded),
            Filters(**groups, after=after, before=before),
            self.sort,
            notes,
        )
        return named_in(query)

    def _loosen_request(self) -> None:
        """Takes phrases and exclusions among all the words of a long request for words."""
        phrases = [clause for clause in self.required if clause.field == "any"]
        excluded = [clause for clause in self.excluded if clause.field == "any"]
        besides = len(self._text().split()) - sum(len(clause.text.split()) for clause in phrases)
        if besides <= REQUEST_WORDS or not (phrases or excluded):
            return
        self._take_for_words(("any",))
        if _is_long(self._text()):
            # With them it is as long as a pasted text, in which nothing is an operator.
            self._take_for_words(TEXT_KEYS)
        self.notes.append(
            "So long a request is searched by all its words; quotation marks and minus signs in it restrict "
            "nothing. Fewer words beside them make them count."
        )

    def _take_for_words(self, fields: Collection[str]) -> None:
        self.parts += [clause for clause in self.excluded if clause.field in fields]
        self.parts = [
            plain(part.text) if isinstance(part, Clause) and part.field in fields else part
            for part in self.parts
        ]
        self.required = [clause for clause in self.required if clause.field not in fields]
        self.excluded = [clause for clause in self.excluded if clause.field not in fields]

    def _text(self) -> str:
        texts = (part.text if isinstance(part, Clause) else part for part in self.parts)
        return " ".join(text for text in texts if text)

    def _dates(self) -> tuple[date | None, date | None]:
        """The latest beginning and the earliest end; neither where they leave no day."""
        after, before = list(self.after), list(self.before)
        if self.years:
            spans = sorted(self.years)
            first, end = spans[0]
            gap = False
            for start, stop in spans[1:]:
                gap, end = gap or start > end, max(end, stop)
            after.append(first)
            before.append(end)
            if gap:
                self.notes.append(f"Years are searched as one span: {first.year} to {end.year - 1}.")
        latest, earliest = max(after, default=None), min(before, default=None)
        if latest and earliest and latest >= earliest:
            self.notes.append(
                f"No day lies both after {latest} and before {earliest}, so neither date was applied; "
                "write the earlier one with after: and the later one with before:."
            )
            return None, None
        return latest, earliest


def named_in(query: Query) -> Query:
    """``query`` with what its text names as ``pasted``, where it demands nothing else by words."""
    if query.required or query.excluded:
        return replace(query, pasted=None)
    return replace(query, text=_searched(query.text), pasted=_recognised(query.text))


def _recognised(text: str) -> Pasted | None:
    return pasted_label(text) or pasted_ids(text) or pasted_citation(text)


def _unjoined(token: Token) -> str:
    """The words of ``token``, which restricts nothing."""
    if token.key:
        return plain(token.meaning.text)
    return token.words.lower() if is_boolean(token) else token.words


def _searched(text: str) -> str:
    """What to search for where ``text`` may name a paper: the title, if it has one."""
    # A title may begin with an id, behind which is the title.
    while (pasted := _recognised(text)) and pasted.title and (title := plain(pasted.title)) != text:
        text = title
    return text


def parse(typed: str, today: date) -> Query:
    """What ``typed`` asks for; ``today`` is what "7d" and "yesterday" count from.

    Never raises. What looks like an operator and is none is searched as plain words, with a note where it
    was meant as one.
    """
    notes = []
    if len(typed) > MAX_TYPED:
        notes.append(f"The query has {len(typed):,} characters; the first {MAX_TYPED:,} were read.")
    text = _cleaned(typed[:MAX_TYPED])
    ids = pasted_ids(text)
    if ids:
        return Query(text, text.strip(QUOTE_MARKS + " "), notes=tuple(notes), pasted=ids)
    entry = pasted_entry(text)
    if entry:
        if entry.others:
            notes.append(f"The first of {entry.others + 1} entries was searched for.")
        return Query(text, _searched(plain(entry.title or text)), notes=tuple(notes), pasted=entry)
    tokens = list(tokens_of(text, today))
    operators = [(token.key, token.negated) for token in tokens if token.key]
    # The quotation marks of a citation stand around a title or two and demand nothing.
    if len(operators) <= 3 and set(operators) <= {("any", False)} and (cited := _recognised(text)):
        words = plain(cited.title) or " ".join(filter(None, map(_unjoined, tokens)))
        return Query(text, _searched(words), notes=tuple(notes), pasted=cited)
    tokens = _without_dashes(text, tokens)
    if _prose(tokens):
        tokens = _without_operators(text, tokens, notes)
    else:
        notes += [note for token in tokens if (note := near_miss(token))]
        tokens = joined(tokens, notes)
    reading = Reading(notes)
    for token in tokens:
        reading.add(token)
    return reading.query(text)


# A run of characters that are no letters may hold thousands of accents, which Unicode sorts in square time.
_MARKS = re.compile(r"[^\w\s\x00-\x7f]{31,}")


def _cleaned(typed: str) -> str:
    return clean_line(typed if typed.isascii() else _MARKS.sub(lambda run: run[0][:30], typed))
