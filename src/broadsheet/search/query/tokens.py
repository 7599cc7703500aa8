"""A typed text cut into words, phrases and operators, each with its meaning."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ...model.text import words
from .dates import span_of, years_of
from .keys import ARCHIVES, BOOLEANS, CLAUSE_KEYS, ELSEWHERE, EXAMPLES, GROUPS, HAS, KEYS, ORDERS
from .model import Clause
from .pasted import QUOTE_MARKS


@dataclass(frozen=True, slots=True)
class Token:
    """A word, phrase or operator at ``start`` to ``end`` of the text.

    ``key`` is empty for plain words (``words`` holds them), ``any`` for a phrase or an excluded word, else a
    key of the language with its ``meaning``: a `Clause`, values, a date, a span of dates or an order.
    """

    start: int
    end: int
    words: str = ""
    key: str = ""
    meaning: Any = None
    negated: bool = False
    # Whether the value follows its colon at once.
    glued: bool = True
    note: str = ""


# TeX closes a quotation with two apostrophes, whatever opened it.
_QUOTE = re.compile(f"[{QUOTE_MARKS}]|''")
_HEAD = re.compile(r"[(\[{]*(?P<minus>-?)(?:(?P<key>[A-Za-z]{2,12}):)?")
_TO_SPACE = re.compile(r"[^ ]*")
# Most words can be nothing else.
_ONLY_A_WORD = re.compile(r"\w[\w-]*(?= |$)")
_TO_COMMA = re.compile(r"[^ ,]*")
_CLOSING = re.compile(r"[)\]}.,;:!?]*")
_PROBABLY_KEY = re.compile(r"-?([a-z]{4,12}):(?=[\w\"“])")
_OPENS_BEFORE = " ([{:-"
_CLOSES_AFTER = " )]}.,;:!?" + QUOTE_MARKS


def tokens_of(text: str, today: date) -> Iterator[Token]:
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        # After a phrase a word may follow without a space; operators begin after a space only.
        apart = at == 0 or text[at - 1] == " "
        if apart and (word := _ONLY_A_WORD.match(text, at)):
            yield Token(at, word.end(), word[0])
            at = word.end()
            continue
        token = _token(text, at, today) if apart or text[at] in QUOTE_MARKS else None
        if token is None:
            end = _TO_SPACE.match(text, at).end()
            token = Token(at, end, plain(text[at:end]))
        yield token
        at = token.end


def _token(text: str, at: int, today: date) -> Token:
    head = _HEAD.match(text, at)
    key = KEYS.get((head["key"] or "").lower())
    if key:
        return _keyed(text, head, key, today)
    begin = head.end("minus")
    after = text[begin : begin + 1]
    # A minus behind a bracket is a sign, not an exclusion.
    minus = bool(head["minus"]) and head.start("minus") == at
    is_quoted = after != "" and after in QUOTE_MARKS and (minus or not head["minus"])
    if is_quoted and (phrase := _quoted(text, begin)):
        content, end = phrase
        if not words(content):
            return Token(at, end, "" if minus else plain(content))
        return Token(at, end, key="any", meaning=Clause("any", content, True), negated=minus)
    end = _TO_SPACE.match(text, at).end()
    raw = text[at:end]
    if is_quoted:
        note = ""
        if words(raw):
            note = (
                f"{_shown(raw)} opens a quotation that is never closed, so plain words were searched for; "
                "close it to search for the phrase."
            )
        return Token(at, end, plain(raw), note=note)
    if minus and after.isalnum():
        clause = clause_of("any", raw[1:])
        return Token(at, end, key="any", meaning=clause, negated=True) if clause else Token(at, end, raw)
    if raw.rstrip(")]}.,;:!?").endswith(tuple(QUOTE_MARKS)):
        return Token(at, end, plain(raw))
    return Token(at, end, raw)


def _quoted(text: str, at: int) -> tuple[str, int] | None:
    """What stands between the quotation mark at ``at`` and its closing one, and where reading goes on.

    None where it is not closed: at the end, or where the next mark opens another quotation. A mark between
    two letters is neither.
    """
    for mark in _QUOTE.finditer(text, at + 1):
        i = mark.start()
        before, after = text[i - 1], text[mark.end() : mark.end() + 1] or " "
        if before in _OPENS_BEFORE and after not in _CLOSES_AFTER:
            return None
        if after in _CLOSES_AFTER or not (after.isalnum() or len(mark[0]) > 1):
            return unquoted(text[at + 1 : i]), _CLOSING.match(text, mark.end()).end()
    return None


def unquoted(text: str) -> str:
    return " ".join(_QUOTE.sub(" ", text).split())


def clause_of(key: str, value: str) -> Clause | None:
    """The clause of a value without quotation marks; None where it has no word."""
    text = unquoted(value.lstrip("([{")).rstrip(")]}.,;:!? ").strip()
    found = words(text)
    # "state-of-the-art" is a phrase of four words.
    return Clause(key, text, len(found) > 1 or " " in text or not text[0].isalnum()) if found else None


def plain(text: str) -> str:
    """``text`` in such a writing that no part of it is an operator."""
    found = []
    for word in unquoted(text).split():
        word = word.lstrip("-") or word
        if KEYS.get((_HEAD.match(word)["key"] or "").lower()):
            word = word.replace(":", " ")
        found += [part.lstrip("-") or part for part in word.split()]
    return " ".join(word.lower() if word in BOOLEANS else word for word in found)


def _shown(text: str) -> str:
    return f"“{text if len(text) <= 60 else text[:59] + '…'}”"


def near_miss(token: Token) -> str:
    """A note where ``token`` looks like an operator that is written in another way; else nothing."""
    raw = token.words
    found = _PROBABLY_KEY.match(raw) if ":" in raw else None
    if token.key or not found or "//" in raw:
        return ""
    name = ELSEWHERE.get(found[1])
    if not name:
        near = difflib.get_close_matches(found[1], KEYS, 1, 0.8)
        name = f"{near[0]}:" if near else ""
    return f"{_shown(raw)} was searched as plain words; did you mean {name}?" if name else ""


# -- keys and their values


def _keyed(text: str, head: re.Match[str], key: str, today: date) -> Token:
    """The operator whose key ends at the end of ``head``, or plain words where it is none."""
    at, begin, negated = head.start(), head.end(), bool(head["minus"])
    spaced = text[begin : begin + 1] == " "
    empty = Token(at, begin, plain(text[at:begin]))
    if spaced or begin == len(text):
        # "SORT: Simple Online Tracking" and "List: a theory" are titles; operators are written small.
        if head["key"] != head["key"].lower() and not negated:
            return replace(empty, words=text[at:begin])
        if negated or head.start("key") != at:
            return empty
        begin += 1
    if begin >= len(text) or (spaced and not _begins_value(text, begin)):
        return replace(empty, note=_misread(text[at : head.end()], "nothing follows the colon", key))
    read = _values(text, begin, key)
    if read is None:
        end = _TO_SPACE.match(text, begin).end()
        note = "" if spaced else _misread(text[at:end], "its quotation is not closed", key)
        return empty if spaced else Token(at, end, plain(text[at:end]), note=note)
    values, end = read
    meaning, why = _meaning(key, values, negated, today)
    if meaning is None or (spaced and not _certain(key, values)):
        if spaced:
            # Words after a colon, as in running text.
            return empty
        return Token(at, end, plain(text[at:end]), note=_misread(text[at:end], why, key))
    if key == "until":
        key = "before"
    return Token(at, end, key=key, meaning=meaning, negated=negated, glued=not spaced)


def _begins_value(text: str, at: int) -> bool:
    """Whether the word at ``at`` can be the value of a key before it, and is no operator of its own."""
    if text[at] == "-" or KEYS.get((_HEAD.match(text, at)["key"] or "").lower()):
        return False
    return _TO_SPACE.match(text, at)[0] not in BOOLEANS


def _misread(shown: str, why: str, key: str) -> str:
    return f"{_shown(shown)} was searched as plain words: {why}; write {EXAMPLES[key]}."


def _values(text: str, at: int, key: str) -> tuple[list[tuple[str, bool]], int] | None:
    """The values that begin at ``at``, each with whether it was quoted, and where they end.

    A comma parts values, except those that are words of a text. None where a quotation is not closed.
    """
    values = []
    while True:
        if text[at : at + 1] and text[at] in QUOTE_MARKS:
            phrase = _quoted(text, at)
            if phrase is None:
                return None
            values.append((phrase[0], True))
            closing, at = text[at : phrase[1]], phrase[1]
            if key in CLAUSE_KEYS or not closing.endswith(",") or text[at : at + 1] in ("", " "):
                return values, at
            continue
        found = (_TO_SPACE if key in CLAUSE_KEYS else _TO_COMMA).match(text, at)
        value = found[0].lstrip("([{").rstrip(")]}.;")
        values.append((unquoted(value), False))
        at = found.end()
        if text[at : at + 1] != ",":
            return values, at
        at += 2 if key == "cat" and _begins_category(text, at + 1) else 1


def _begins_category(text: str, at: int) -> bool:
    """Whether behind the space at ``at`` a category stands that is written in full, and no word of a text."""
    archive, _, subject = _TO_COMMA.match(text, at + 1)[0].partition(".")
    return text[at : at + 1] == " " and archive.lower() in ARCHIVES and subject[:1].isalpha()


def _certain(key: str, values: list[tuple[str, bool]]) -> bool:
    """Whether ``key``, with a space before its ``values``, cannot be a word of running text."""
    if key == "cat":
        return all("." in value.strip(".") or value.lower() in ARCHIVES for value, _ in values)
    return True


def _meaning(key: str, values: list[tuple[str, bool]], negated: bool, today: date) -> tuple[Any, str]:
    """The meaning of ``values`` under ``key``, or None and why they have none."""
    if key in CLAUSE_KEYS:
        return _clause_meaning(key, *values[0])
    found = [value for value, _ in values if words(value)]
    if not found:
        return None, "nothing follows the colon"
    if key in GROUPS:
        return _group_meaning(key, found)
    if negated:
        return None, f"{key}: cannot be excluded"
    if key == "sort":
        return ORDERS.get(found[0].lower()), "there is no such order"
    if key == "year":
        spans = [years_of(value, today) for value in found]
        return (None, "that is no year") if None in spans else (tuple(spans), "")
    span = span_of(found[0], today)
    if span is None:
        return None, "that is no day of the calendar, or too far away" if re.match(
            r"\d", found[0]
        ) else "that is no date"
    return span[1] if key == "until" else span[0], ""


def _clause_meaning(key: str, value: str, quoted: bool) -> tuple[Clause | None, str]:
    if key == "author":
        # Names of the arXiv API: au:del_maestro.
        value = unquoted(value.replace("_", " "))
        family, comma, given = value.partition(",")
        if comma and words(given):
            if not quoted:
                return None, "author: takes one name"
            value = f"{given.strip()} {family.strip()}"
    clause = Clause(key, value, True) if quoted and words(value) else clause_of(key, value)
    return clause, "nothing follows the colon"


def _group_meaning(key: str, values: list[str]) -> tuple[tuple[str, ...] | None, str]:
    if key == "has":
        kinds = [HAS.get(value.lower()) for value in values]
        return (None, "there is no such thing to have") if None in kinds else (distinct(kinds), "")
    return distinct(category(value) if key == "cat" else value for value in values), ""


def distinct(values: Any) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


def category(value: str) -> str:
    """``value`` in arXiv's own writing (``cs.CV``, ``cond-mat.mes-hall``) where it is one of arXiv's."""
    archive, dot, subject = value.partition(".")
    if archive.lower() not in ARCHIVES:
        return value
    subject = subject.strip("*. ")
    subject = subject.upper() if len(subject) == 2 else subject.lower()
    return f"{archive.lower()}{dot}{subject}".rstrip(".")
