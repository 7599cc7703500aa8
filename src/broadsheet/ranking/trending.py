"""Trending: which papers readers turn to now, from votes, comments, stars gained, listings and age.

``score = points / (age in days + HEAD_START_DAYS) ** GRAVITY``; the points are the sum of the terms below.
The constants were tried on two years of Daily Papers (bench/trending_history.py; docs/trending.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

UPVOTE_WEIGHT = 1.0
# A comment costs more than a click. The first is nearly always the submitter's own and tells nothing: with it
# counted, the order of papers agrees less with the stars of their repositories.
COMMENT_WEIGHT = 2.0
OWN_COMMENTS = 1
# The square root, so that a repository that was famous before does not carry every paper that uses it. At 2
# stars count about half as much as votes: a tenth of the papers with stars has more than 41 votes, a tenth
# more than 10.4 as the root of its stars.
STAR_WEIGHT = 2.0
STAR_DAYS = 7
# Who is chosen for a second front page was found worth reading by a second person.
LIST_WEIGHT = 3.0
# Days added to the age, so that the first hours do not decide everything.
HEAD_START_DAYS = 2.0
# How fast attention fades: at 1.5 a paper needs eight times the points to hold its place at four
# times the (started) age, as on the news sites that use this form.
GRAVITY = 1.5
# Older papers than this do not trend; they have the archive.
WINDOW_DAYS = 30


@dataclass(frozen=True, slots=True)
class Term:
    """One part of the points of a paper: ``points``, and the arithmetic that gave them."""

    name: str
    arithmetic: str
    points: float


@dataclass(frozen=True, slots=True)
class Trend:
    """A trending score with its terms."""

    score: float
    points: float
    age_days: int
    terms: tuple[Term, ...]

    def explanation(self) -> str:
        """The arithmetic as one sentence."""
        total = " + ".join(term.arithmetic for term in self.terms)
        return f"{total} = {_number(self.points)} points; {self.fading()}"

    def fading(self) -> str:
        """How age makes the score of the points."""
        return (
            f"{self.age_days} {'day' if self.age_days == 1 else 'days'} old: "
            f"{_number(self.points)} / ({self.age_days} + {HEAD_START_DAYS:g})^{GRAVITY:g} = {self.score:.1f}"
        )


def trend(
    upvotes: int, num_comments: int, age_days: int, stars_gained: int = 0, further_lists: int = 0
) -> Trend:
    """The trending score of a paper first listed ``age_days`` ago (0: today).

    Args:
        upvotes, num_comments: as sources report them now.
        stars_gained: stars of its repository in the last `STAR_DAYS` days.
        further_lists: front-page lists that it stood in within `WINDOW_DAYS`, besides the first.
    """
    others = max(num_comments - OWN_COMMENTS, 0)
    gained, age = max(stars_gained, 0), max(age_days, 0)
    terms = [Term("upvotes", f"{upvotes} upvote{_s(upvotes)}", UPVOTE_WEIGHT * upvotes)]
    if others:
        told = f"{COMMENT_WEIGHT:g} x {others} comment{_s(others)} after the first"
        terms.append(Term("comments", told, COMMENT_WEIGHT * others))
    if gained:
        told = f"{STAR_WEIGHT:g} x root of {gained} star{_s(gained)} gained"
        terms.append(Term("stars", told, STAR_WEIGHT * math.sqrt(gained)))
    if further_lists > 0:
        told = f"{LIST_WEIGHT:g} x {further_lists} further list{_s(further_lists)}"
        terms.append(Term("lists", told, LIST_WEIGHT * further_lists))
    points = sum(term.points for term in terms)
    return Trend(points / (age + HEAD_START_DAYS) ** GRAVITY, points, age, tuple(terms))


@dataclass(frozen=True, slots=True)
class Constant:
    """One constant of the arithmetic, for the page that tells it."""

    name: str
    value: float
    reason: str


def constants() -> list[Constant]:
    """Every constant of `trend`, as it is used, with its reason."""
    return [
        Constant("points of an upvote", UPVOTE_WEIGHT, "the measure of the others"),
        Constant(
            "points of a comment",
            COMMENT_WEIGHT,
            "a comment costs more than a click; the first one is the submitter's own and does not count",
        ),
        Constant(
            f"points of the square root of the stars gained in {STAR_DAYS} days",
            STAR_WEIGHT,
            "about half as much as votes; by the root, a repository that was famous before carries nobody",
        ),
        Constant(
            "points of each further front-page list",
            LIST_WEIGHT,
            "somebody else found it worth reading, too",
        ),
        Constant("days added to the age", HEAD_START_DAYS, "the first hours do not decide everything"),
        Constant("power of the age", GRAVITY, "how fast attention fades"),
        Constant("days after which a paper does not trend", WINDOW_DAYS, "older ones have the archive"),
    ]


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
