"""A home for the tests of searching: papers of several years and venues, a copy, a formula."""

from __future__ import annotations

from pathlib import Path

from broadsheet.model.identifiers import find_identifier
from broadsheet.model.papers import Author, Link, Listing, Record
from broadsheet.store import Store
from broadsheet.workspace import Workspace

STORKS, COPY, FORMULA, LETTERS, BREAD, OLD = (
    "2605.40001",
    "2605.40002",
    "2605.40003",
    "2405.40004",
    "2605.40005",
    "hep-th/9901001",
)
# It stands far behind what an excerpt from the beginning shows.
ANSWER = "Their wings tire sooner above cold water."
STORKS_TEXT = (
    "Storks travel far every autumn and gather in flocks of several hundred. We followed them in a hot-air "
    "balloon during three seasons and photographed each flock from above. The photographs were sorted by a "
    "small network that was trained on drawings. Every flock was counted twice, by the network and by two "
    "patient students, who hardly ever disagreed. Flocks rested at lakes and in freshly cut meadows. "
    f"{ANSWER} All photographs and drawings of the three seasons are free to use."
)


def record(id: str, title: str, abstract: str, published: str, **more: object) -> Record:
    identifier = find_identifier(id)
    assert identifier is not None
    told = {"authors": [Author("Ada Lovelace"), Author("Emmy Noether")], **more}
    return Record(
        title, "daily_papers", identifiers=[identifier], abstract=abstract, published=published, **told
    )


def records() -> list[Record]:
    return [
        record(
            STORKS,
            "Counting storks from balloons",
            STORKS_TEXT,
            "2026-05-20T08:00:00Z",
            categories=["cs.CV", "q-bio.PE"],
            upvotes=3,
            links=[Link("code", "https://github.com/example/storks", "daily_papers", "githubRepo")],
            listings=[Listing("daily_papers", "2026-05-21", 1, "test", 3, 0)],
        ),
        record(
            COPY,
            "Counting storks from balloons, revised",
            STORKS_TEXT,
            "2026-05-22T08:00:00Z",
            categories=["cs.CV"],
        ),
        record(
            FORMULA,
            r"Storks glide at $\mathcal{O}(n)$ cost",
            r"A gliding stork & its flock spend $\alpha_i < \beta$ of the energy; storks save $n \log n$.",
            "2025-03-02T08:00:00Z",
            categories=["physics.bio-ph"],
            venue="Journal of Bird Flight",
            authors=[Author("Iñaki Etxeberria"), Author("Emmy Noether")],
            upvotes=40,
        ),
        record(
            LETTERS,
            "LLaVA-NeXT reads the rings of storks",
            "Rings carry letters. A vision-language model reads the letters on rings of storks.",
            "2024-05-02T08:00:00Z",
            categories=["cs.CV", "cs.CL"],
            venue="Proceedings of Ringing",
        ),
        record(
            BREAD,
            "Attention is all bread needs",
            "Sourdough rises slowly. A camera watches the dough and says when it is ready for the oven.",
            "2026-01-02T08:00:00Z",
            categories=["cs.CV"],
        ),
        record(
            OLD,
            "On a sign in the boundary term",
            "A sign is corrected.",
            "1999-01-04T10:20:30Z",
            categories=["hep-th"],
        ),
        # So many papers have this word that it is known how it is written.
        *(
            record(
                f"2005.6000{i}",
                f"Lanterns for {place}",
                f"We hang lanterns in {place} and ask who finds the way home by them.",
                "2020-05-02T08:00:00Z",
                categories=["cs.NI"],
            )
            for i, place in enumerate(("harbours", "villages", "tunnels", "ships", "theatres", "gardens"))
        ),
    ]


def opened(home: Path, items: list[Record] | None = None) -> Workspace:
    """The home with `records` (or ``items``), all of them indexed."""
    home.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    report = store.add(records() if items is None else items)
    assert not report.rejected, report.rejected
    store.close()
    workspace = Workspace.open(home)
    workspace.engine.follow(workspace.store)
    return workspace
