"""Measures what a reader and a program wait for: the real server, asked over HTTP by another process.

    .venv/bin/python -m bench.http_speed [--home DIR] [--requests N] [--queries FILE]

The home (by default the one that bench.import_speed leaves) is served as `broadsheet serve` does.
Every latency is of a whole answer over one kept connection, one request at a time; then eight
readers ask for search pages at once, each over a connection of its own. Processor time is what the
server took of all cores together, for a request; the client, which shares them, is told beside it.
The questions are 20 words each: lines of FILE, or taken from abstracts all over the archive; no text
is asked for twice. Bytes are as sent (compressed); memory is that of the server process.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

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


class Client:
    """One kept connection to the server at ``url``, with little between it and the socket."""

    def __init__(self, url: str):
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=60)

    def get(self, path: str) -> bytes:
        """The answer's body as sent; ends the program where the server does not answer well."""
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            sys.exit(f"{path[:200]} answered {response.status}: {unpacked(body)[:300]!r}")
        return body

    def close(self) -> None:
        self._connection.close()


def unpacked(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def search_path(question: str, turn: int, address: str = "/search", results: int = 0) -> str:
    """The address of a search for ``question``, its words turned: the server remembers what it encoded.

    Of so many ``results``; 0: as many as the server gives of itself.
    """
    words = question.split()
    turn %= len(words)
    size = f"&n={results}" if results else ""
    return f"{address}?q={quote_plus(' '.join(words[turn:] + words[:turn]))}{size}"


def processor_ms(server: Server) -> float:
    """Milliseconds that the server has taken of all cores together; the system counts in steps of ten."""
    values = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return 1000 * (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_idle(server: Server) -> None:
    """Returns when what runs behind a fresh server is done, or after half a minute."""
    for _ in range(30):
        before = processor_ms(server)
        time.sleep(1)
        if processor_ms(server) - before < 20:
            return


def latencies(client: Client, path: Callable[[int], str], requests: int) -> list[float]:
    """Milliseconds of each of ``requests`` answers to what ``path`` gives for their numbers."""
    taken = []
    for number in range(requests):
        address = path(number)
        began = time.perf_counter()
        client.get(address)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def page_bytes(client: Client, path: str) -> Iterator[tuple[str, int, int]]:
    """(address, bytes as sent, bytes unpacked) of a page and of the styles and scripts that it names."""
    page = client.get(path)
    yield path, len(page), len(unpacked(page))
    for part in dict.fromkeys(_PARTS.findall(unpacked(page).decode())):
        answer = client.get(part)
        yield part, len(answer), len(unpacked(answer))


def start_seconds(home: Path) -> list[float]:
    """Seconds from starting the process to its first front page, a few times."""
    seconds = []
    for _ in range(STARTS):
        with running_server(home, first_path="/") as server:
            seconds.append(server.started_after_s)
    return seconds


def sustained(url: str, paths: Sequence[str]) -> tuple[float, list[float]]:
    """Answers a second when `READERS` ask for ``paths`` one after the other, and milliseconds of each."""
    taken: list[float] = []

    def read(reader: int) -> None:
        client = Client(url)
        own = paths[reader::READERS]
        taken.extend(latencies(client, own.__getitem__, len(own)))
        client.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(READERS) as readers:
        list(readers.map(read, range(READERS)))
    return len(paths) / (time.perf_counter() - began), taken


def quantiles(taken: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    cuts = statistics.quantiles(taken, n=20)
    return cuts[9], cuts[18]


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
    with running_server(home) as server:
        client = Client(server.url)
        wait_until_idle(server)
        figures["memory after start, MB"] = memory_mb(server)[0]

        def question(n: int) -> str:
            return questions[n % len(questions)]

        def keywords(n: int) -> str:
            words = question(n).split()
            return " ".join(words[4:8] or words)

        kinds: dict[str, Callable[[int], str]] = {
            "static file": lambda n: "/favicon.svg",
            "front page": lambda n: "/",
            "paper page": lambda n: f"/papers/{quote(ids[n % len(ids)])}",
            "search page": lambda n: search_path(question(n), 0),
            "search page, 4 keywords": lambda n: search_path(keywords(n), 0),
            "search page of 20": lambda n: search_path(question(n), 4, results=20),
            "search page of 20, 4 kw.": lambda n: search_path(keywords(n), 2, results=20),
            "API search": lambda n: search_path(question(n), 1, "/api/search"),
            "API search, 4 keywords": lambda n: search_path(keywords(n), 1, "/api/search"),
            "API search of the Hub": lambda n: search_path(question(n), 2, "/api/papers/search"),
            "API latest": lambda n: "/api/daily_papers",
            "API one paper": lambda n: f"/api/papers/{quote(ids[n % len(ids)])}",
            "API newest": lambda n: "/api/papers",
        }
        print(f"{'':24} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8} {'CPU ms':>8} {'client':>8} {'bytes':>9}")
        for kind, path in kinds.items():
            for number in range(WARM_UP):
                client.get(path(options.requests + number))
            began, own = processor_ms(server), time.process_time()
            taken = latencies(client, path, options.requests)
            cost = (processor_ms(server) - began) / options.requests
            own = 1000 * (time.process_time() - own) / options.requests
            (p50, p95), size = quantiles(taken), len(client.get(path(0)))
            figures |= {f"{kind}, p50 ms": p50, f"{kind}, p95 ms": p95}
            figures |= {f"{kind}, processor ms": cost, f"{kind}, bytes sent": size}
            print(f"{kind:24} {p50:8.1f} {p95:8.1f} {max(taken):8.1f} {cost:8.1f} {own:8.1f} {size:9,}")
        for named, turn, results in (("search pages", 3, 0), ("search pages of 20", 5, 20)):
            paths = [search_path(one, turn, results=results) for one in questions]
            named += f", {READERS} readers"
            began = processor_ms(server)
            figures[f"{named}, a second"], taken = sustained(server.url, paths)
            figures |= dict(zip((f"{named}, p50 ms", f"{named}, p95 ms"), quantiles(taken), strict=True))
            figures[f"{named}, processor ms"] = (processor_ms(server) - began) / len(taken)
        # The server has ended a connection that said nothing meanwhile.
        parts = list(page_bytes(Client(server.url), "/"))
        figures["front page with styles and scripts, bytes sent"] = sum(sent for _, sent, _ in parts)
        figures["front page with styles and scripts, bytes unpacked"] = sum(whole for *_, whole in parts)
        for address, sent, whole in parts:
            print(f"{address:40} {sent:9,} bytes sent, {whole:9,} unpacked")
        figures["memory after all requests, MB"], figures["memory at most, MB"] = memory_mb(server)
        figures["of it pages of files, MB"] = file_pages_mb(server)
    save("http_speed", figures)


if __name__ == "__main__":
    main()
