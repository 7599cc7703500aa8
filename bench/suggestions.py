"""Measures suggestions while typing and "did you mean" on the papers of a home.

    .venv/bin/python -m bench.suggestions [--home HOME] [--titles N]

HOME (by default the one that bench.import_speed leaves) is asked as it stands. Titles are typed letter
by letter; one word of each is mistyped, alone and between its neighbours; and each is asked for as it
is, where nothing should be corrected.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import string
import time
from collections.abc import Sequence
from pathlib import Path

from bench.common import OUT, need, peak_memory_mb, save
from broadsheet.search.analysis import STOP_WORDS, plain, words_of
from broadsheet.search.spelling import did_you_mean
from broadsheet.search.suggestions import suggestions
from broadsheet.search.words import Words
from broadsheet.store import Store

# Letters of a title that are typed.
_TYPED = 40
# Titles that are typed letter by letter.
_LETTER_BY_LETTER = 60


def mistyped(word: str, chance: random.Random) -> str:
    """``word`` with one letter left out, too many, wrong, or exchanged with the next."""
    while True:
        at, letter = chance.randrange(len(word)), chance.choice(string.ascii_lowercase)
        head, tail = word[:at], word[at:]
        made = [
            head + tail[1:],
            head + letter + tail,
            head + letter + tail[1:],
            head + tail[1:2] + tail[:1] + tail[2:],
        ]
        if (wrong := chance.choice(made)) != word:
            return wrong


def same(first: str, second: str) -> bool:
    """Whether a search takes the two texts for the same words."""
    terms = [[word.term for word in words_of(plain(text))] for text in (first, second)]
    return terms[0] == terms[1]


def typing(words: Words, store: Store, titles: Sequence[str]) -> dict[str, float]:
    """How long every keystroke takes, and how soon the title that is typed is suggested."""
    taken, worked, after = [], [], dict.fromkeys((10, 20, 30), 0)
    for title in titles[:_LETTER_BY_LETTER]:
        for end in range(2, min(len(title), _TYPED)):
            start, began = time.perf_counter(), time.thread_time()
            found = suggestions(words, store, title[:end])
            worked.append(1000 * (time.thread_time() - began))
            taken.append(1000 * (time.perf_counter() - start))
            if end in after:
                after[end] += any(one.text == title for one in found)
    figures = {
        "a keystroke p50 ms": statistics.median(taken),
        "a keystroke p95 ms": statistics.quantiles(taken, n=20)[-1],
        "a keystroke p99 ms": statistics.quantiles(taken, n=100)[-1],
        # On a busy machine this says more.
        "a keystroke p50 ms of processor": statistics.median(worked),
        "a keystroke p95 ms of processor": statistics.quantiles(worked, n=20)[-1],
    }
    shares = {f"title suggested after {end} letters": found for end, found in after.items()}
    return figures | {name: found / min(len(titles), _LETTER_BY_LETTER) for name, found in shares.items()}


def correcting(words: Words, titles: Sequence[str], chance: random.Random) -> dict[str, float]:
    """How many mistyped words are put right, made others, and left; how many titles are changed."""
    figures: dict[str, float] = {}
    counts = {name: dict.fromkeys(("right", "other", "left"), 0) for name in ("alone", "between others")}
    taken = []
    for title in titles:
        run = re.findall("[a-z]+", title.lower())
        places = [n for n, word in enumerate(run) if len(word) > 3 and word not in STOP_WORDS]
        if not places:
            continue
        place = chance.choice(places)
        wrong = mistyped(run[place], chance)
        before, behind = run[max(place - 1, 0) : place], run[place + 1 : place + 2]
        for name, typed, meant in (
            ("alone", wrong, run[place]),
            ("between others", " ".join([*before, wrong, *behind]), " ".join([*before, run[place], *behind])),
        ):
            start = time.perf_counter()
            found = did_you_mean(words, typed)
            taken.append(1000 * (time.perf_counter() - start))
            counts[name]["left" if not found else "right" if same(found, meant) else "other"] += 1
    for name, count in counts.items():
        figures |= {f"mistyped words {name}, {what}": number for what, number in count.items()}
    figures["a correction p50 ms"] = statistics.median(taken)
    figures["a correction p95 ms"] = statistics.quantiles(taken, n=20)[-1]
    figures["titles changed"] = sum(bool(did_you_mean(words, title)) for title in titles)
    figures["titles in lower case changed"] = sum(bool(did_you_mean(words, t.lower())) for t in titles)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, default=OUT / "home")
    parser.add_argument("--titles", type=int, default=500)
    options = parser.parse_args()
    store = Store.open(f"sqlite:///{need(options.home / 'broadsheet.db')}")
    words = Words(need(options.home / "index" / "words"))
    keys = range(1, store.counts()["papers"] + 1)
    chosen = random.Random(11).sample(keys, min(len(keys), options.titles))
    titles = [paper.title for paper in store.papers(chosen)]
    before = peak_memory_mb()
    figures: dict[str, object] = {"papers": words.count, "titles": len(titles)}
    figures |= typing(words, store, titles)
    figures |= correcting(words, titles, random.Random(1))
    save("suggestions", figures | {"more memory MB": peak_memory_mb() - before})


if __name__ == "__main__":
    main()
