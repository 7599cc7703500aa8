"""Composes editions for 10,000 different subscriptions over 1,000 new papers, as `broadsheet digest` does.

The papers are real ones, put on one day: 60 of Daily Papers, the others of arXiv, in the lists of their
categories. The subscriptions are searches (keywords and pairs of title words of other papers, some with
filters), topics (titles of other papers), categories and the front page, all different.

    python -m bench.compose_editions [--subscriptions 10000]
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import random
import re
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

from bench.common import DATA, need, peak_memory_mb, save
from broadsheet.config import Settings
from broadsheet.editions.due import compose_due
from broadsheet.model.audiences import Audience
from broadsheet.model.identifiers import arxiv_identifier
from broadsheet.model.papers import Author, Listing, Record
from broadsheet.model.subscriptions import Subscription
from broadsheet.search import Engine
from broadsheet.store import Store

DAY = "2026-05-29"
PAPERS = 1_000
CHOSEN = 60
_SEED = 5


def told(name: str) -> list[dict[str, object]]:
    with gzip.open(need(DATA / name), "rt") as lines:
        return [json.loads(line) for line in lines]


def records(papers: list[dict[str, object]]) -> Iterator[Record]:
    places: dict[str, int] = {}
    for place, paper in enumerate(papers, 1):
        lists = ["daily_papers"] if place <= CHOSEN else []
        lists += [f"arxiv:{name}" for name in paper.get("categories") or ()]
        listings = []
        for name in lists:
            places[name] = places.get(name, 0) + 1
            listings.append(Listing(name, DAY, places[name], name))
        yield Record(
            str(paper["title"]),
            "bench",
            identifiers=[arxiv_identifier(str(paper["arxiv_id"]))],
            abstract=str(paper.get("abstract") or ""),
            authors=[Author(str(name)) for name in paper.get("authors") or ()],
            categories=list(paper.get("categories") or ()),
            ai_keywords=list(paper.get("ai_keywords") or ()),
            upvotes=paper.get("upvotes"),
            listings=listings,
        )


def audiences(papers: list[dict[str, object]], number: int) -> list[Audience]:
    chance = random.Random(_SEED)
    names = {str(name) for paper in papers for name in paper.get("categories") or ()}
    # Classes of other schemes (ACM, MSC) stand among the categories of arXiv.
    categories = sorted(name for name in names if re.fullmatch(r"[a-z][a-z-]+(\.[A-Za-z-]+)?", name))
    found = {Audience(): None} | {Audience.of("category", name): None for name in categories}
    searches, topics = [], []
    for paper in papers:
        words = [word.strip(":,.?!()\"'") for word in str(paper["title"]).split()]
        pairs = [f"{a} {b}" for a, b in pairwise(words) if len(a) > 4 and len(b) > 4]
        texts = [str(keyword) for keyword in paper.get("ai_keywords") or ()] + pairs
        searches += [text for text in texts if re.search(r"\w", text)]
        topics.append(str(paper["title"]))
    chance.shuffle(searches)
    for place, text in enumerate(searches):
        if len(found) >= number * 0.75:
            break
        more = (" category:cs.CV", " has:code", " -survey", "")[place % 8] if place % 8 < 4 else ""
        quoted = f'"{text}"' if place % 10 == 9 else text
        found[Audience.of("search", quoted.replace(":", " ") + more)] = None
    for text in topics:
        if len(found) >= number:
            break
        found[Audience.of("topic", text)] = None
    return list(found)[:number]


def build(home: Path, subscriptions: int) -> None:
    """A home with the papers, encoded, and the subscriptions."""
    chosen, announced = told("daily_papers.jsonl.gz"), told("arxiv_papers.jsonl.gz")
    for papers in (chosen, announced):
        random.Random(_SEED).shuffle(papers)
    store = Store.open(Settings(home=home).store_url)
    store.add(records(chosen[:CHOSEN] + announced[: PAPERS - CHOSEN]))
    engine = Engine.open(home, store)
    engine.follow(store)
    engine.close()
    others = chosen[CHOSEN:] + announced[PAPERS:]
    for place, audience in enumerate(audiences(others, subscriptions)):
        store.subscribe(Subscription(0, "mail", f"reader{place}@example.org", audience), confirmed=True)
    store.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--subscriptions", type=int, default=10_000)
    options = asked.parse_args()
    home = Path(tempfile.mkdtemp(prefix="broadsheet-bench-"))
    # In a process of its own, so that the memory of this one is what composing takes.
    building = multiprocessing.get_context("spawn").Process(target=build, args=(home, options.subscriptions))
    building.start()
    building.join()
    settings = Settings(home=home)
    store = Store.open(settings.store_url)
    engine = Engine.open(home, store)
    began = time.perf_counter()
    dues = store.due(day=date.fromisoformat(DAY))
    figures: dict[str, object] = {"papers": store.counts()["papers"], "subscriptions": len(dues)}
    figures["who is due: seconds"] = time.perf_counter() - began
    for name in ("first run (queries are encoded)", "later runs (queries are kept)"):
        began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        composed = compose_due(store, settings, engine, dues, exact=True, save=name.startswith("later"))
        spent = resource.getrusage(resource.RUSAGE_SELF)
        figures[f"{name}: seconds"] = time.perf_counter() - began
        figures[f"{name}: processor seconds"] = (
            spent.ru_utime + spent.ru_stime - used.ru_utime - used.ru_stime
        )
    figures["audiences"] = ", ".join(f"{number} {kind}" for kind, number in kinds(store).items())
    figures["editions"] = composed.editions
    figures["with papers"] = composed.queued
    figures["papers in them, mean"] = composed.papers / max(composed.queued, 1)
    figures["peak memory, MB"] = peak_memory_mb()
    save("compose_editions", figures)
    engine.close()
    store.close()
    shutil.rmtree(home)


def kinds(store: Store) -> Counter[str]:
    return Counter(subscription.audience.kind for subscription in store.subscriptions())


if __name__ == "__main__":
    main()
