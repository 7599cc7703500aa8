"""AND, OR and NOT between the words of a query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...model.text import words
from .keys import BEFORE_EMPHASIS, BOOLEANS, CLAUSE_KEYS, GROUPS, SMALL_WORDS, TEXT_KEYS
from .model import Clause
from .tokens import Token, clause_of, distinct, plain, unquoted


def is_boolean(token: Token, *names: str) -> bool:
    """Whether ``token`` is one of ``names``, which are AND, OR and NOT where none is given."""
    return not token.key and token.words in (names or BOOLEANS)


def joined(tokens: list[Token], notes: list[str]) -> list[Token]:
    """``tokens`` without AND, OR and NOT: done where they are understood, else small words."""
    if not any(is_boolean(token) for token in tokens):
        return tokens
    others = [token.words for token in tokens if not token.key and not is_boolean(token)]
    if len(others) > 3 and " ".join(others).isupper():
        # "ATTENTION IS NOT ALL YOU NEED" is only loud.
        return [_lowered(token) if is_boolean(token) else token for token in tokens]
    tokens = _with_not(tokens)
    count = len(tokens)
    for i, token in enumerate(tokens):
        joins = 0 < i < count - 1 and not is_boolean(tokens[i - 1]) and not is_boolean(tokens[i + 1])
        if is_boolean(token) and not joins:
            tokens[i] = _lowered(token)
    if any(is_boolean(token, "OR") for token in tokens):
        if any(is_boolean(token, "AND") for token in tokens):
            notes.append(
                "AND and OR in one query are not understood together, and brackets join nothing: "
                "papers with more of the words stand higher."
            )
        return _with_or(_without("AND", tokens), notes)
    return _with_and(tokens)


def _lowered(token: Token) -> Token:
    return replace(token, words=token.words.lower())


def _without(name: str, tokens: list[Token]) -> list[Token]:
    """``tokens`` with ``name`` as a small word between words, and left out beside anything else."""
    result = []
    for i, token in enumerate(tokens):
        if not is_boolean(token, name):
            result.append(token)
        elif _is_text(tokens[i - 1]) and _is_text(tokens[i + 1]):
            # "Rare OR events" may be a title.
            result.append(_lowered(token))
    return result


def _is_text(token: Token) -> bool:
    return not token.key or (token.key in TEXT_KEYS and not token.negated)


def _with_not(tokens: list[Token]) -> list[Token]:
    """``tokens`` with each NOT made a minus of what follows it."""
    result: list[Token] = []
    for token in tokens:
        if result and is_boolean(result[-1], "NOT"):
            emphasised = len(result) > 1 and result[-2].words.lower() in BEFORE_EMPHASIS
            negated = None if emphasised else _negated(token)
            if negated:
                result[-1] = negated
                continue
            result[-1] = _lowered(result[-1])
        result.append(token)
    return result


def _negated(token: Token) -> Token | None:
    """``token`` as what must not be, or None where that says nothing."""
    if token.key:
        possible = token.key in (*CLAUSE_KEYS, *GROUPS) and not token.negated
        return replace(token, negated=True) if possible else None
    if is_boolean(token) or token.words.lower() in SMALL_WORDS:
        return None
    clause = clause_of("any", token.words)
    return replace(token, words="", key="any", meaning=clause, negated=True) if clause else None


def _with_or(tokens: list[Token], notes: list[str]) -> list[Token]:
    """``tokens`` with filters of one key joined to one, and phrases beside OR as plain words."""
    loose = set()
    for i, token in enumerate(tokens):
        if is_boolean(token, "OR"):
            loose |= {j for j in (i - 1, i + 1) if tokens[j].key in CLAUSE_KEYS and not tokens[j].negated}
    for i in loose:
        # Whoever joins phrases by OR gets what words without it mean anyway.
        tokens[i] = replace(tokens[i], words=plain(tokens[i].meaning.text), key="", meaning=None)
    merged: list[Token] = []
    for token in tokens:
        if len(merged) > 1 and is_boolean(merged[-1], "OR") and _same_filter(merged[-2], token):
            merged.pop()
            merged[-1] = replace(merged[-1], meaning=distinct(merged[-1].meaning + token.meaning))
        else:
            merged.append(token)
    sides = [side for i, token in enumerate(merged) if is_boolean(token, "OR") for side in (i - 1, i + 1)]
    if any(merged[side].key not in ("", *CLAUSE_KEYS) for side in sides):
        notes.append(
            "OR joins words, and values of one filter (cat:cs.CV OR cat:cs.LG); filters of different kinds "
            "must all hold."
        )
    if loose:
        notes.append(
            "Phrases, titles and authors that OR joins were searched as plain words: "
            "papers with more of them stand higher, and none is required."
        )
    return _without("OR", merged)


def _same_filter(first: Token, second: Token) -> bool:
    return first.key == second.key and first.key in (*GROUPS, "year") and first.negated == second.negated


def _with_and(tokens: list[Token]) -> list[Token]:
    """``tokens`` with the words around AND required, each for itself."""
    ands = [i for i, token in enumerate(tokens) if is_boolean(token, "AND")]
    required = set()
    for i in ands:
        if _is_text(tokens[i - 1]) and _is_text(tokens[i + 1]):
            required |= {*_words_from(tokens, i, -1), *_words_from(tokens, i, 1)}
    for i in required:
        text = unquoted(tokens[i].words)
        if words(text) and text.lower() not in SMALL_WORDS:
            tokens[i] = replace(tokens[i], words="", key="any", meaning=Clause("any", text, True))
    return _without("AND", tokens)


def _words_from(tokens: list[Token], i: int, step: int) -> Iterator[int]:
    """The places of the plain words that follow the place ``i`` in one direction."""
    i += step
    while 0 <= i < len(tokens) and not tokens[i].key and not is_boolean(tokens[i]):
        yield i
        i += step
