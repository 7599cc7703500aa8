"""Kills gathering at random instants, and compares what is stored with what an undisturbed run stores.

    python -m bench.gather_kills --kills 1000

Two services on loopback stumble at every fifth request: errors, pauses, slowness, broken connections, web
pages with status 200, answers cut short, expired tokens. One plays arXiv, with OAI-PMH, the feeds of the
day and papers that only the API knows; the other gives pages of papers. Two workers gather both into one
home; each is killed (SIGKILL) after a random time or soon after a request, and started again, until the home
has everything. Then the next home begins, until there were enough kills. Measured from the services' logs:
whether any request came sooner than the pace allows.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from broadsheet.gathering import gather
from broadsheet.sources.arxiv.source import ArxivSource
from broadsheet.sources.http import Client, Service
from broadsheet.store import Store
from tests.gathering.paged import FAULTS, NAME, Catalogue, Fault, Paged, Stumbling, pages
from tests.sources.playing_arxiv import CAPTCHA, Archive, Paper
from tests.sources.playing_service import Playing, playing_service

from .common import save

NAMES = ("arxiv", NAME)
# At most so often, and so many in so many seconds.
INTERVAL = 0.1
WINDOW = (12, 2.0)
OFTEN = 20
# The first requests come after a tenth of a second; a page takes about as long as the interval.
SHORTEST_LIFE, LONGEST_LIFE = 0.2, 2.4
WORKERS = 2
# Most of them end so soon after a request was made: while it is answered, read or stored.
AFTER_REQUEST = 0.2
# How long a service thinks at most.
SLOWNESS = 0.1


def service(name: str) -> Service:
    return Service(name, INTERVAL, tries=3, backoff=0.05, silence=5.0, windows=(WINDOW,))


@dataclass
class Figures:
    """What was measured.

    ``in_a_request`` counts the kills while a service was answering, ``too_soon`` the requests that came
    before the pace allowed them.
    """

    kills: int = 0
    in_a_request: int = 0
    homes: int = 0
    lives: int = 0
    requests: int = 0
    too_soon: int = 0
    least_gap_s: float = 1e9
    fullest_window: int = 0
    different: list[str] = field(default_factory=list)
    seconds: float = 0.0


def live(home: str, urls: list[str]) -> None:
    """One worker's life: gathers until both sources are complete, or until it is killed."""
    store = Store.open(f"sqlite:///{home}/broadsheet.db")
    arxiv, catalogue = urls
    sources = [
        ArxivSource(
            ["cs.LG", "stat.ML"],
            first_days=0,
            oai_url=f"{arxiv}/oai",
            feed_url=f"{arxiv}/rss",
            api_url=f"{arxiv}/api/query",
            service=service("arxiv"),
        ),
        Paged(catalogue, service(NAME)),
    ]
    with Client(Path(home)) as client:
        while not complete(store):
            gather(store, client, sources)
            # As the schedule does: a source that failed is not tried again at once.
            time.sleep(0.05)


def complete(store: Store) -> bool:
    return all(state.succeeded and not state.problem for state in store.gather_states(NAMES))


def contents(home: Path) -> dict[str, Any]:
    """All that is stored in ``home``, without the numbers and times that each home has of its own."""
    store = Store.open(f"sqlite:///{home}/broadsheet.db")
    try:
        papers = [asdict(store.paper(name)) for name in sorted(paper.id for paper in store.recent(1_000_000))]
        for paper in papers:
            del paper["key"]
        coverage = [asdict(day) | {"tried": ""} for day in store.coverage("1900-01-01", "2100-01-01")]
        return {
            "counts": store.counts(),
            "papers": papers,
            "coverage": coverage,
            "events": sorted((event.kind, str(event.data)) for event in store.events(0, 1_000_000)),
        }
    finally:
        store.close()


def archive_of(number_of_pages: int) -> Archive:
    """An arXiv of two sets, together ``number_of_pages`` pages; today's feeds name papers that OAI-PMH has
    not yet.
    """
    now = datetime.now(UTC)
    papers = []
    for number in range(1, 3 * number_of_pages // 2 + 1):
        moment = now - timedelta(days=20, minutes=-20 * number)
        dates = [moment.strftime("%Y-%m-%dT%H:%M:%SZ")] * (2 if number % 9 == 0 else 1)
        categories = ("cs.LG", "stat.ML", "cs.LG stat.ML")[number % 3]
        paper = Paper(f"2610.{number:05}", f"Invented paper {number}", dates, categories=categories)
        if number % 11 == 0:
            paper.comment = "This paper has been withdrawn by the authors"
        papers.append(paper)
    withheld = {paper.id for paper in papers[-4:]}
    feeds = {}
    for category in ("cs.LG", "stat.ML"):
        told = [("new", paper.id, 1) for paper in papers[-8:] if category in paper.categories]
        feeds[category] = (f"{now:%Y-%m-%d}", told)
    return Archive(papers, now=f"{now:%Y-%m-%dT%H:%M:%SZ}", feeds=feeds, withheld=withheld)


def arxiv_faults(archive: Archive) -> list[Fault]:
    """What happens to arXiv: as to others, and the tokens of OAI-PMH expire."""
    expired = archive.oai_error("badResumptionToken", "The token has expired.")
    return [*FAULTS[:-1], lambda answer: CAPTCHA, lambda answer: expired]


def measure(kills: int, folder: Path, number_of_pages: int = 90, seed: int = 1) -> Figures:
    """Kills workers ``kills`` times; the homes are made in ``folder``."""
    began = time.monotonic()
    context = multiprocessing.get_context("forkserver")
    # What a life needs is loaded once: a kill should meet gathering, not the loading of modules.
    context.set_forkserver_preload([__name__])
    chance, figures = random.Random(seed), Figures()
    archive = archive_of(number_of_pages)
    services = [
        Stumbling(archive.answer, faults=arxiv_faults(archive)),
        Stumbling(Catalogue(pages(number_of_pages // 2, 5, year=25))),
    ]
    with playing_service(services[0]) as one, playing_service(services[1]) as two:
        urls = [one.url, two.url]
        undisturbed = folder / "undisturbed"
        undisturbed.mkdir()
        worker = context.Process(target=live, args=(str(undisturbed), urls))
        worker.start()
        worker.join()
        expected = contents(undisturbed)
        for stumbling in services:
            stumbling.often, stumbling.slowness = OFTEN, SLOWNESS
        check(figures, one, two)
        while figures.kills < kills:
            home = folder / f"home-{figures.homes + 1}"
            home.mkdir()
            disturb(home, [one, two], kills, chance, figures, context)
            figures.homes += 1
            found = contents(home)
            figures.different += [
                f"{home.name}: {name}" for name in expected if found[name] != expected[name]
            ]
            check(figures, one, two)
            if sys.stderr.isatty():
                print(f"{figures.kills} kills, {figures.homes} homes", file=sys.stderr)
    figures.seconds = time.monotonic() - began
    return figures


def disturb(
    home: Path, services: list[Playing], kills: int, chance: random.Random, figures: Figures, context: Any
) -> None:
    """Lets workers live and die until ``home`` is complete, or there were enough kills and it is."""
    store = Store.open(f"sqlite:///{home}/broadsheet.db")
    urls = [playing.url for playing in services]
    lives: dict[int, Life] = {}
    asked = 0
    try:
        while not complete(store) or lives:
            for number in range(WORKERS):
                if number not in lives and not complete(store):
                    process = context.Process(target=live, args=(str(home), urls), daemon=True)
                    process.start()
                    figures.lives += 1
                    # When there were enough kills, the last ones live to the end.
                    long = chance.uniform(SHORTEST_LIFE, LONGEST_LIFE)
                    ends = time.monotonic() + long if figures.kills < kills else float("inf")
                    lives[number] = Life(process, ends, chance.random() < 0.8 and figures.kills < kills)
            now = time.monotonic()
            requests = sum(len(playing.requests) for playing in services)
            for number, life in list(lives.items()):
                if life.after_request and requests > asked:
                    life.after_request, life.ends = False, now + chance.uniform(0, AFTER_REQUEST)
                if not life.process.is_alive():
                    del lives[number]
                elif now >= life.ends:
                    figures.in_a_request += any(playing.busy for playing in services)
                    life.process.kill()
                    life.process.join()
                    figures.kills += 1
                    del lives[number]
            asked = requests
            time.sleep(0.002)
    finally:
        store.close()


@dataclass
class Life:
    """A worker, when it is killed, and whether that is soon after the next request instead."""

    process: Any
    ends: float
    after_request: bool


def check(figures: Figures, *services: Playing) -> None:
    """Reads the services' logs: how close together their requests came; and begins new ones."""
    count, seconds = WINDOW
    for playing in services:
        times = [asked.at for asked in playing.requests]
        figures.requests += len(times)
        figures.least_gap_s = min([figures.least_gap_s, *playing.gaps])
        figures.too_soon += sum(gap < INTERVAL for gap in playing.gaps)
        for place, at in enumerate(times):
            within = sum(at <= other < at + seconds for other in times[place : place + count + 5])
            figures.fullest_window = max(figures.fullest_window, within)
            figures.too_soon += within > count
        playing.requests.clear()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000, help="how often a worker is killed (1,000)")
    parser.add_argument("--pages", type=int, default=90, help="pages of arXiv (90)")
    parser.add_argument("--seed", type=int, default=1, help="of the random times and faults")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="broadsheet-kills-") as folder:
        figures = measure(arguments.kills, Path(folder), arguments.pages, arguments.seed)
    save("gather_kills", asdict(figures) | {"different": ", ".join(figures.different) or "nothing"})
    if figures.too_soon or figures.different:
        sys.exit(1)


if __name__ == "__main__":
    main()
