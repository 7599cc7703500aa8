"""Trending: which papers readers turn to now, computed from reported votes, comments and age."""

from __future__ import annotations

from dataclasses import dataclass

# A comment costs more than a click, and a discussion is a sign that a paper is being read.
COMMENT_WEIGHT = 2.0
# Days added to the age, so that the first hours do not decide everything.
HEAD_START_DAYS = 2.0
# How fast attention fades: at 1.5 a paper needs eight times the points to hold its place at four
# times the (started) age, as on the news sites that use this form.
GRAVITY = 1.5
# Older papers than this do not trend; they have the archive.
WINDOW_DAYS = 30


@dataclass(frozen=True, slots=True)
class Trend:
    """A trending score with its terms: ``score = points / (age_days + HEAD_START_DAYS) ** GRAVITY``."""

    score: float
    points: float
    upvotes: int
    num_comments: int
    age_days: int

    def explanation(self) -> str:
        """The arithmetic as one sentence."""
        return (
            f"{self.upvotes} upvotes + {COMMENT_WEIGHT:g} x {self.num_comments} comments "
            f"= {self.points:g} points; {self.age_days} days old: "
            f"{self.points:g} / ({self.age_days} + {HEAD_START_DAYS:g})^{GRAVITY:g} = {self.score:.1f}"
        )


def trend(upvotes: int, num_comments: int, age_days: int) -> Trend:
    """The trending score of a paper listed ``age_days`` ago (0: today)."""
    points = upvotes + COMMENT_WEIGHT * num_comments
    score = points / (max(age_days, 0) + HEAD_START_DAYS) ** GRAVITY
    return Trend(score, points, upvotes, num_comments, max(age_days, 0))
