"""Who does what only one worker may do: leases in the database that are prolonged while they are held."""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ..store import Store

log = logging.getLogger(__name__)

# So long after a worker was lost another one goes on; a worker on the same machine does so at once.
LEASE_SECONDS = 90.0


class Lease:
    """The lease ``name`` of ``store`` for one thread of this worker.

    `take` it, ask whether it is `ours` before anything is written, `give` it back.
    """

    def __init__(self, store: Store, name: str):
        self.name = name
        self._store = store
        # Two threads of one process are two workers.
        self._holder = f"{worker()}/{next(_numbers)}"
        self._lock = threading.Lock()
        self._given = threading.Event()
        self._lost = False
        self._sure_until = 0.0

    def take(self) -> bool:
        """Whether the lease is ours now; it is prolonged from then on."""
        if not self._claim():
            holder = self._store.gather_state(self.name).holder
            if not is_dead(holder):
                return False
            # It was killed and cannot give back what it held. Where another one was quicker, this
            # releases nothing.
            self._store.release(self.name, holder)
            if not self._claim():
                return False
        threading.Thread(target=self._prolong, name=f"lease-{self.name}", daemon=True).start()
        return True

    def ours(self) -> bool:
        """Whether no other worker can have it, also after this machine slept for an hour."""
        with self._lock:
            if self._lost or self._given.is_set():
                return False
            sure = 0 <= self._sure_until - time.time() <= LEASE_SECONDS / 2
            self._lost = not sure and not self._claim()
            return not self._lost

    def give(self) -> None:
        with self._lock:
            self._given.set()
            if not self._lost:
                self._store.release(self.name, self._holder)

    def _claim(self) -> bool:
        taken = self._store.claim(self.name, self._holder, LEASE_SECONDS)
        self._sure_until = time.time() + LEASE_SECONDS / 2 if taken else 0.0
        return taken

    def _prolong(self) -> None:
        while not self._given.wait(LEASE_SECONDS / 4):
            with self._lock:
                if self._given.is_set() or self._lost:
                    return
                try:
                    self._lost = not self._claim()
                except Exception as error:
                    # A database that is away or busy may come back; `ours` asks it again.
                    log.warning("the lease of %s was not prolonged: %s", self.name, error)


_numbers = itertools.count(1)


@contextmanager
def held(
    store: Store, name: str, patience: float = 0.0, stop: threading.Event | None = None
) -> Iterator[Lease | None]:
    """The lease ``name``, or None where another worker has it for longer than ``patience`` seconds."""
    lease = Lease(store, name)
    until = time.monotonic() + patience
    taken = lease.take()
    while not taken and time.monotonic() < until and not (stop and stop.wait(0.25)):
        if stop is None:
            time.sleep(0.25)
        taken = lease.take()
    if not taken:
        yield None
        return
    try:
        yield lease
    finally:
        lease.give()


@cache
def worker() -> str:
    """The name of this process among all workers: host, the machine's start, process, its start."""
    return f"{socket.gethostname()}/{_machine()}/{os.getpid()}/{_started(os.getpid()) or 0}"


def shown(name: str) -> str:
    """The worker ``name`` for people: ``process 4711 on paper.example.org``."""
    host, _, process = (name.split("/") + [""] * 3)[:3]
    return f"process {process} on {host}" if process.isdecimal() else name or "another worker"


def is_dead(name: str) -> bool:
    """Whether the worker ``name`` was a process of this machine and is no more."""
    host, machine, process, started = (name.split("/") + [""] * 4)[:4]
    if host != socket.gethostname() or machine != _machine() or not _machine() or not process.isdecimal():
        return False
    return _started(int(process)) != started


@cache
def _machine() -> str:
    """What tells this start of this machine (and container) from others; empty where nothing does."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:12]


def _started(process: int) -> str | None:
    """When ``process`` of this machine started, in ticks; None where there is none."""
    try:
        told = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything; what follows is counted from its end. Z: dead, not buried.
    fields = told.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]
