"""Serving a workspace: the site, the starter edition on a first start, and what runs behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import uvicorn

from .jobs import Jobs
from .starter import starter_records
from .web.app import create_app
from .workspace import Workspace


class _Server(uvicorn.Server):
    """Uvicorn that says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]):
        super().__init__(config)
        self._announce_start = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce_start()


def serve_workspace(workspace: Workspace, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serves until stopped (Ctrl-C or SIGTERM).

    Raises:
        OSError: if the port cannot be had, with the remedy.
    """
    bound = _bind(host, port)
    if workspace.store.latest_day() is None and workspace.store.last_change() == 0:
        report = workspace.store.add(starter_records())
        announce(f"An empty home: {report.new} papers of the starter edition were added.")
    jobs = Jobs(workspace)
    app = create_app(workspace)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{bound.getsockname()[1]}/"

    def started() -> None:
        announce(f"Broadsheet is on {address}   (Ctrl-C stops it)")
        jobs.start()
        # No reader should wait for the first account of a year.
        threading.Thread(target=app.state.accounts.current, name="coverage", daemon=True).start()

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        # An address that is far too long reaches the site, which says what is wrong with it.
        h11_max_incomplete_event_size=512 * 1024,
    )
    try:
        _Server(config, started).run(sockets=[bound])
    finally:
        jobs.stop()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small parts at once (TCP_NODELAY); without, every answer
    # of two parts waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Listening now keeps a second server from binding the same port while this one starts.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise OSError(
            f"cannot serve on {host} port {port}: {error.strerror}; choose another with --port (make: PORT=)"
        ) from error
    return listener
