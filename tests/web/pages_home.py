"""A home for the tests of pages: papers in every shape that a page must be able to show."""

from __future__ import annotations

from pathlib import Path

from broadsheet.model.identifiers import Identifier, find_identifier
from broadsheet.model.papers import Author, Link, Listing, Record, Version
from broadsheet.store import Store

LATEST, WEDNESDAY, FRIDAY_BEFORE = "2026-05-29", "2026-05-27", "2026-05-22"
MATH, HOSTILE, OLD, DOI, BARE, CROWD, LEAD = (
    "2605.10001",
    "2605.10002",
    "hep-th/9901001",
    "10.1162/coli.2010.36.2.36203",
    "2605.10005",
    "2605.10006",
    "2605.10007",
)
ON_LATEST = 45

HOSTILE_TEXT = (
    "<script>window.hacked=1</script><img src=x onerror=window.hacked=1> $<script>window.hacked=1</script>$ "
    r"\href{javascript:window.hacked=1}{click} \textbf{<svg onload=window.hacked=1>} </title></textarea>"
)


def listing(day: str, rank: int, name: str = "daily_papers", upvotes: int | None = None) -> Listing:
    return Listing(name, day, rank, "test", upvotes, 1)


def record(id: str, title: str, abstract: str, day: str, rank: int, upvotes: int, **more: object) -> Record:
    identifier = find_identifier(id)
    assert identifier is not None
    return Record(
        title,
        "daily_papers",
        identifiers=[identifier],
        abstract=abstract,
        upvotes=upvotes,
        listings=[listing(day, rank, upvotes=upvotes)],
        **{
            "authors": [Author("Ada Lovelace"), Author("Emmy Noether")],
            "published": f"{day}T08:00:00Z",
            **more,
        },
    )


def records() -> list[Record]:
    """All papers of the home; those of the latest day are ordered by votes, then by place."""
    special = [
        record(
            LEAD,
            "Marsh birds are counted by their calls at night",
            "Wetlands are loud after dark. We leave recorders in reed beds and count rails and bitterns "
            "from what they say. A small model tells the species apart. Counts agree with those of people "
            "who stood in the water. "
            "The code is at https://github.com/example/night-calls and runs on a telephone.",
            LATEST,
            9,
            90,
            num_comments=4,
            github_stars=1,
            ai_summary="Recorders in reed beds count birds that nobody sees.",
            ai_keywords=["bioacoustics", "wetlands"],
            categories=["q-bio.PE", "cs.SD"],
            links=[
                Link("code", "https://github.com/example/night-calls", "daily_papers", "githubRepo"),
                Link("project", "https://example.github.io/night-calls", "daily_papers", "projectPage"),
                Link(
                    "model",
                    "https://huggingface.co/example/rail",
                    "daily_papers",
                    "linkedModels",
                    {"id": "example/rail"},
                ),
            ],
            versions=[Version(1, "2026-05-20T00:00:00Z"), Version(2, "2026-05-28T00:00:00Z")],
            comment="Accepted at the Symposium on Reeds, 9 pages",
        ),
        record(
            MATH,
            r"An $O(n \log n)$ bound for Poincar\'e maps",
            r"We show $\sum_{i=1}^{n} x_i^2 \leq \frac{1}{2}$ for all $x \in \mathbb{R}^n$. "
            r"It costs \$5 or $6 and 45\% less. "
            r"A \emph{lone} formula $\undefined{x}$ stays readable.",
            LATEST,
            1,
            40,
        ),
        record(
            HOSTILE,
            f"Hostile {HOSTILE_TEXT}",
            HOSTILE_TEXT,
            LATEST,
            2,
            35,
            authors=[Author("<script>window.hacked=1</script>")],
            ai_keywords=['"><script>window.hacked=1</script>'],
            ai_summary=HOSTILE_TEXT,
            comment=HOSTILE_TEXT,
            venue=HOSTILE_TEXT,
        ),
        record(
            BARE,
            "A paper of which only its summary is known",
            "",
            LATEST,
            3,
            30,
            ai_summary="One sentence stands in for the abstract.",
        ),
        record(
            CROWD,
            "Many hands at one detector",
            "Everybody signed.",
            LATEST,
            4,
            25,
            authors=[Author(f"Member Number{n}") for n in range(900)],
        ),
    ]
    plain = [
        record(
            f"2605.2{n:04}",
            f"Plain paper number {n} about gardens",
            f"Garden {n} has roses. They were counted.",
            LATEST,
            10 + n,
            20 if n == 39 else 5,
        )
        for n in range(ON_LATEST - len(special))
    ]
    older = [
        record(OLD, "Strings before the turn of the century", "Old ids have a slash.", WEDNESDAY, 1, 3),
        record(
            DOI,
            "A journal article with a DOI",
            "It has no preprint.",
            WEDNESDAY,
            2,
            2,
            venue="Computational Linguistics",
        ),
        record("2605.30001", "The paper of the Friday before", "The week ended.", FRIDAY_BEFORE, 1, 7),
    ]
    announced = [
        Record(
            f"Announced paper {n}",
            "arxiv",
            identifiers=[Identifier("arxiv", f"2605.4{n:04}")],
            abstract="Announced.",
            listings=[listing(LATEST, n + 1, "arxiv")],
        )
        for n in range(3)
    ]
    return special + plain + older + announced


def fill(home: Path) -> None:
    """Makes the home with all its papers."""
    home.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    report = store.add(records())
    store.close()
    assert not report.rejected, report.rejected
