"""A service of our own on loopback that answers as it is told: errors, pauses, slowness, broken connections.

with playing_service(Answer(status=503), Answer(body=b"<feed/>")) as service:
    client.get(service.url, ...)
assert len(service.requests) == 2
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``hold`` is how long nothing is sent, ``cut`` breaks off in the middle of the body."""

    status: int = 200
    body: bytes = b"hello"
    headers: dict[str, str] = field(default_factory=dict)
    hold: float = 0.0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; ``at`` is monotonic, in seconds."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    at: float
    method: str = "GET"
    body: bytes = b""

    @property
    def ids(self) -> list[str]:
        """What arXiv's API was asked for."""
        return self.query["id_list"][0].split(",")


@dataclass(slots=True)
class Playing:
    """A playing service: its address, what it was asked, the most requests that it had at one time."""

    url: str = ""
    requests: list[Asked] = field(default_factory=list)
    busiest: int = 0
    busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def gaps(self) -> list[float]:
        """The seconds between the arrivals of one request and the next."""
        times = [request.at for request in self.requests]
        return [later - earlier for earlier, later in itertools.pairwise(times)]


@contextmanager
def playing_service(*answers: Answer | Callable[[Asked], Answer]) -> Iterator[Playing]:
    """Gives the ``answers`` in order, the last one again and again; an answer may depend on the request."""
    playing = Playing()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            at = time.monotonic()
            body = self.rfile.read(int(headers.get("content-length") or 0))
            asked = Asked(parts.path, parse_qs(parts.query), headers, at, self.command, body)
            with playing.lock:
                answer = answers[min(len(playing.requests), len(answers) - 1)]
                playing.requests.append(asked)
                playing.busy += 1
                playing.busiest = max(playing.busiest, playing.busy)
            try:
                self._play(answer if isinstance(answer, Answer) else answer(asked))
            except ConnectionError:
                pass  # The client had enough.
            finally:
                with playing.lock:
                    playing.busy -= 1

        do_POST = do_PUT = do_GET

        def _play(self, answer: Answer) -> None:
            time.sleep(answer.hold)
            # The other one would add a date of its own.
            send = self.send_response_only if "Date" in answer.headers else self.send_response
            send(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if answer.cut:
                self.wfile.write(answer.body[: len(answer.body) // 2])
                self.close_connection = True
            elif answer.status != 304:
                self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Nothing: the tests look at `Playing.requests`."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # Without this, closing waits for connections that clients keep open.
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            # A client that was killed is nothing to tell of.
            if not isinstance(sys.exc_info()[1], ConnectionError):
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    playing.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield playing
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
