"""Starts the real server as a process of its own on a free loopback port, over a given home folder.

    with running_server(home) as server:
        httpx.get(server.url + "/api/daily_papers")

The tests of pages, of the API and of the published clients share it, and so do the benches.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broadsheet.workspace import Workspace

# Generous: a loaded machine must not fail a test that is not about time.
START_LIMIT_S = 60.0
STOP_LIMIT_S = 15.0


@dataclass
class Server:
    """A running server: its address (no slash at the end), process id, home and output so far."""

    url: str
    pid: int
    home: Path
    log: Path
    # From the start of the process to its first answer.
    started_after_s: float

    def output(self) -> str:
        """What the server has written to stdout and stderr."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def index(home: Path) -> None:
    """Indexes what ``home`` holds, so that answers do not change while the server encodes the rest."""
    workspace = Workspace.open(home)
    try:
        workspace.engine.follow(workspace.store)
    finally:
        workspace.close()


@contextmanager
def running_server(
    home: Path,
    *,
    env: Mapping[str, str] | None = None,
    first_path: str = "/healthz",
    arguments: tuple[str, ...] = (),
) -> Iterator[Server]:
    """Runs ``broadsheet serve`` over ``home`` until the block ends.

    The process takes its settings from ``env`` (added to this process's environment, less what
    stands there for Broadsheet) and never reaches out: fetching is off unless ``env`` says
    otherwise. It is ready when ``first_path`` gives any HTTP answer.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
    environment |= {"BROADSHEET_FETCH_ABSTRACTS": "false", "BROADSHEET_GATHER": "false"}
    environment |= {"BROADSHEET_PACE_FOLDER": str(home / "http"), "PYTHONUNBUFFERED": "1", **(env or {})}
    program = Path(sys.executable).with_name("broadsheet")
    home.mkdir(parents=True, exist_ok=True)
    log = home.parent / f"{home.name}.server-{port}.log"
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            [
                str(program),
                "serve",
                "--home",
                str(home),
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                *arguments,
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while not _answers(url + first_path):
            if process.poll() is not None:
                raise RuntimeError(
                    f"the server ended with {process.returncode}:\n{log.read_text(errors='replace')}"
                )
            if time.perf_counter() - began > START_LIMIT_S:
                raise RuntimeError(f"no answer in {START_LIMIT_S:.0f} s:\n{log.read_text(errors='replace')}")
            time.sleep(0.02)
        yield Server(url, process.pid, home, log, time.perf_counter() - began)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def filled_server(home: Path, fill: Callable[[Path], object]) -> Iterator[Server]:
    """Serves ``home`` once ``fill`` has put papers into it and they are indexed; no request may fail."""
    fill(home)
    index(home)
    with running_server(home) as started:
        yield started
        assert "Traceback" not in started.output()
