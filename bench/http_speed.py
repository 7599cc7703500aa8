"""Measures what a reader and a program wait for: the real server, asked over HTTP by another process.

    .venv/bin/python -m bench.http_speed [--home DIR] [--requests N] [--queries FILE]

The home (by default the one that bench.import_speed leaves) is served as `broadsheet serve` does.
Every latency is of a whole answer over one kept connection, one request at a time; then eight
readers ask at once. The questions
are 20 words each: lines of FILE, or taken from abstracts all over the archive. Bytes are as sent
(compressed); memory is that of the server process.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

import httpx

from bench.common import OUT, need, save
from broadsheet.workspace import Workspace
from tests.web.server import Server, running_server

WORDS = 20
READERS = 8
WARM_UP = 10
STARTS = 3
_PARTS = re.compile(r'<(?:link[^>]+rel="stylesheet"[^>]+href|script[^>]+src)="([^"]+)"')


def papers_of(home: Path, number: int) -> list[tuple[str, str]]:
    """(id, abstract) of papers spread over the archive, read from the store itself."""
    workspace = Workspace.open(home)
    try:
        keys = list(range(1, workspace.store.counts()["papers"] + 1))
        chosen = random.Random(7).sample(keys, min(len(keys), 2 * number))
        return [(paper.id, paper.abstract) for paper in workspace.store.papers(chosen)]
    finally:
        workspace.close()


def questions_from(abstracts: list[str], number: int) -> list[str]:
    """Runs of 20 words from the middles of ``abstracts``."""
    questions = []
    for abstract in abstracts:
        words = re.findall(r"[A-Za-z][A-Za-z-]+", abstract)
        if len(words) >= 3 * WORDS and len(questions) < number:
            questions.append(" ".join(words[WORDS : 2 * WORDS]))
    return questions


def memory_mb(server: Server) -> tuple[float, float]:
    """Memory that the server holds now, and the most it ever held, in MB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    now, peak = (int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "VmHWM"))  # type: ignore[index]
    return now / 1024, peak / 1024


def file_pages_mb(server: Server) -> float:
    """The pages of files in the server's memory, in MB: the system takes them back when it needs them."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(r"RssFile:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def latencies(ask: Callable[[int], httpx.Response], requests: int) -> tuple[list[float], int]:
    """Milliseconds of each of ``requests`` answers, and the bytes of the last one as sent."""
    taken, size = [], 0
    for number in range(-WARM_UP, requests):
        began = time.perf_counter()
        response = ask(number)
        if number >= 0:
            taken.append((time.perf_counter() - began) * 1000)
        if response.status_code != 200:
            sys.exit(f"{response.request.url} answered {response.status_code}: {response.text[:300]}")
        size = response.num_bytes_downloaded
    return taken, size


def page_bytes(client: httpx.Client, path: str) -> Iterator[tuple[str, int, int]]:
    """(address, bytes as sent, bytes unpacked) of a page and of the styles and scripts that it names."""
    page = client.get(path)
    yield path, page.num_bytes_downloaded, len(page.content)
    for part in dict.fromkeys(_PARTS.findall(page.text)):
        answer = client.get(urljoin(str(page.url), part))
        yield part, answer.num_bytes_downloaded, len(answer.content)


def start_seconds(home: Path) -> list[float]:
    """Seconds from starting the process to its first front page, a few times."""
    seconds = []
    for _ in range(STARTS):
        with running_server(home, first_path="/") as server:
            seconds.append(server.started_after_s)
    return seconds


def sustained(url: str, questions: Sequence[str]) -> float:
    """Search pages a second when `READERS` ask one after the other, each over a connection of its own."""

    def read(reader: int) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            for question in questions[reader::READERS]:
                client.get("/search", params={"q": question}).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(READERS) as readers:
        list(readers.map(read, range(READERS)))
    return len(questions) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, default=OUT / "home")
    parser.add_argument("--requests", type=int, default=300, help="requests of each kind")
    parser.add_argument("--queries", type=Path, help="questions, one a line")
    options = parser.parse_args()
    home = need(options.home)
    sample = papers_of(home, options.requests + WARM_UP)
    if options.queries:
        questions = [line.strip() for line in need(options.queries).read_text().splitlines() if line.strip()]
    else:
        questions = questions_from([abstract for _, abstract in sample], options.requests + WARM_UP)
    if not questions:
        sys.exit(
            f"no abstract in {home} is long enough for a question; import papers, or give --queries FILE"
        )
    ids = [id for id, _ in sample]
    figures: dict[str, object] = {}
    seconds = start_seconds(home)
    figures["start to first front page, seconds (median)"] = statistics.median(seconds)
    figures["start to first front page, seconds (worst)"] = max(seconds)
    with running_server(home) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        figures["memory after start, MB"] = memory_mb(server)[0]
        kinds: dict[str, Callable[[int], httpx.Response]] = {
            "front page": lambda n: client.get("/"),
            "paper page": lambda n: client.get(f"/papers/{ids[n % len(ids)]}"),
            "search page": lambda n: client.get("/search", params={"q": questions[n % len(questions)]}),
            "search page, 4 keywords": lambda n: client.get(
                "/search", params={"q": " ".join(questions[n % len(questions)].split()[4:8])}
            ),
            "API search": lambda n: client.get(
                "/api/papers/search", params={"q": questions[n % len(questions)]}
            ),
            "API latest": lambda n: client.get("/api/daily_papers"),
            "API one paper": lambda n: client.get(f"/api/papers/{ids[n % len(ids)]}"),
            "API newest": lambda n: client.get("/api/papers"),
        }
        print(f"{'':24} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8} {'bytes':>9}")
        for kind, ask in kinds.items():
            taken, size = latencies(ask, options.requests)
            cuts = statistics.quantiles(taken, n=20)
            figures |= {f"{kind}, p50 ms": cuts[9], f"{kind}, p95 ms": cuts[18], f"{kind}, bytes sent": size}
            print(f"{kind:24} {cuts[9]:8.1f} {cuts[18]:8.1f} {max(taken):8.1f} {size:9,}")
        # Other words than before: an encoded query is remembered.
        others = [" ".join(reversed(question.split())) for question in questions]
        figures[f"search pages a second, {READERS} readers"] = sustained(server.url, others)
        parts = list(page_bytes(client, "/"))
        figures["front page with styles and scripts, bytes sent"] = sum(sent for _, sent, _ in parts)
        figures["front page with styles and scripts, bytes unpacked"] = sum(whole for *_, whole in parts)
        for address, sent, whole in parts:
            print(f"{address:40} {sent:9,} bytes sent, {whole:9,} unpacked")
        figures["memory after all requests, MB"], figures["memory at most, MB"] = memory_mb(server)
        figures["of it pages of files, MB"] = file_pages_mb(server)
    save("http_speed", figures)


if __name__ == "__main__":
    main()
