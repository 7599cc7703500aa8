"""Setting the printed sheet and the book of an edition of real papers: time, memory, size.

    python -m bench.print_speed [--papers 30] [--times 20] [--data ../shared/data/daily_papers.jsonl.gz]

Takes the last day of the data with so many papers, sets its sheet on both sizes of paper and binds its book,
again and again, each time with other papers in front. Reports the median and the slowest, the memory of this
process at the end of the first and of the last time, and that of the process in which typst runs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from broadsheet.delivery import tex
from broadsheet.delivery.epub import epub
from broadsheet.delivery.print import PAPERS, Sheet, Story, sheet_pdf
from broadsheet.web.pages.print import _sentences

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "daily_papers.jsonl.gz"


def stories(path: Path, number: int) -> list[Story]:
    """The last ``number`` papers of ``path`` as stories."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        papers = [json.loads(line) for line in lines][-number:]
    return [
        Story(
            paper["arxiv_id"],
            f"https://papers.example.org/papers/{paper['arxiv_id']}",
            str(tex.html_of(paper["title"])),
            ", ".join(paper["authors"][:4]),
            "",
            str(tex.html_of(paper.get("ai_summary") or "")),
            list(_sentences(" ".join(paper["abstract"].split()))),
            f"{paper['upvotes']} upvotes",
        )
        for paper in papers
    ]


def measured(make: Callable[[Sheet], bytes], sheet: Sheet, times: int) -> dict[str, float]:
    """Median and slowest time of ``make`` in milliseconds, size and memory of what it made."""
    taken, sizes, memory, presses = [], [], [], []
    for turn in range(times):
        turned = replace(sheet, stories=sheet.stories[turn:] + sheet.stories[:turn])
        began = time.perf_counter()
        sizes.append(len(make(turned)))
        taken.append((time.perf_counter() - began) * 1000)
        memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        presses.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    return {
        "median_ms": round(statistics.median(taken), 1),
        "slowest_ms": round(max(taken), 1),
        "kilobytes": round(statistics.median(sizes) / 1000, 1),
        "peak_mb_first": round(memory[0], 1),
        "peak_mb_last": round(memory[-1], 1),
        "peak_mb_of_typst": round(presses[-1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--papers", type=int, default=30)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--data", type=Path, default=DATA)
    given = parser.parse_args()
    sheet = Sheet(
        "bench", "Broadsheet", "The daily paper", "Friday, 29 May 2026", "2026-05-29",
        "https://papers.example.org/", stories(given.data, given.papers), "No. 520", given.papers,
        [("language", 9), ("vision", 7), ("agents", 5)],
    )  # fmt: skip
    report = {
        f"pdf {paper}": measured(lambda one, paper=paper: sheet_pdf(one, paper), sheet, given.times)
        for paper in PAPERS
    }
    report["epub"] = measured(epub, sheet, given.times)
    print(json.dumps({"papers": given.papers, "times": given.times, **report}, indent=2))


if __name__ == "__main__":
    main()
