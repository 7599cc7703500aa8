"""Audiences: for whom an edition is composed."""

from __future__ import annotations

import re
from dataclasses import dataclass

# `search` is a query in the query language, `topic` a sentence that is searched by meaning first.
AUDIENCE_KINDS = ("everybody", "category", "search", "topic")

# As long as what a person may type into the search box and still read again in a list.
MAX_VALUE = 1_000
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CATEGORY = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[.-][A-Za-z0-9]+)*")


class AudienceError(ValueError):
    """An audience that cannot be; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom an edition is for: ``kind``, and the category, query or sentence as ``value``.

    Two audiences with the same `key` get the same edition. Kinds that are not among `AUDIENCE_KINDS`
    (readers, groups) need a composer of their own and nothing else.
    """

    kind: str = "everybody"
    value: str = ""

    @property
    def key(self) -> str:
        """``everybody``, or ``kind:value``."""
        return f"{self.kind}:{self.value}" if self.value else self.kind

    @property
    def title(self) -> str:
        """The audience as a person calls its edition."""
        match self.kind:
            case "everybody":
                return "The front page"
            case "category":
                return self.value
            case "search":
                return f"Search: {self.value}"
            case "topic":
                return f"Topic: {self.value}"
        return self.key

    @classmethod
    def of(cls, kind: str, value: str = "") -> Audience:
        """The audience of ``kind``, its value cleaned.

        Raises:
            AudienceError: if there is no such kind, or ``value`` cannot be one of that kind.
        """
        value = _SPACE.sub(" ", _CONTROL.sub(" ", value)).strip()
        if kind not in AUDIENCE_KINDS:
            raise AudienceError(
                f"{kind[:40]!r} is no kind of edition; write one of {', '.join(AUDIENCE_KINDS)}"
            )
        if kind == "everybody":
            return cls()
        if not re.search(r"\w", value):
            raise AudienceError(f"the {kind} is empty; write what the edition is to be about")
        if len(value) > MAX_VALUE:
            raise AudienceError(
                f"the {kind} has {len(value):,} characters; at most {MAX_VALUE:,} can be followed"
            )
        if kind == "category" and not _CATEGORY.fullmatch(value):
            raise AudienceError(f"{value[:60]!r} is no category; write it as cs.CV or hep-th")
        return cls(kind, value)

    @classmethod
    def parse(cls, key: str) -> Audience:
        """The audience whose `key` is ``key``. Raises `AudienceError`."""
        kind, _, value = key.partition(":")
        return cls.of(kind, value)
