"""When a service may be asked next: kept in a folder that all processes of this machine share."""

from __future__ import annotations

import json
import logging
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import filelock
import platformdirs

log = logging.getLogger(__name__)

# Nobody means a longer pause.
LONGEST_PAUSE_SECONDS = 86_400.0
_LOCK_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Service:
    """A service, the pace that it asks for, and the patience it gets; times are in seconds.

    ``interval`` is the least time from the end of a request to the next one, ``windows`` at most how
    many requests within how many seconds, where the service says it so (``((100, 300.0),)``: a hundred
    in five minutes). ``tries`` is how often one request is tried, ``backoff`` the pause after the first
    failure (doubled after each further one), ``silence`` how long nothing may arrive, ``longest`` how
    long one answer may take altogether. Services of one name keep one pace.
    """

    name: str
    interval: float = 1.0
    tries: int = 4
    backoff: float = 4.0
    silence: float = 30.0
    longest: float = 180.0
    windows: tuple[tuple[int, float], ...] = ()


class Stopped(Exception):
    """The caller's stop event was set while waiting."""


def machine_folder(chosen: str, otherwise: Path) -> Path:
    """The folder in which the homes of this machine share their paces.

    That is ``chosen`` (a setting), else the user's state folder, else, where that cannot be made (a
    container without one), ``otherwise``.
    """
    if chosen:
        return Path(chosen).expanduser()
    folder = platformdirs.user_state_path("broadsheet") / "pace"
    try:
        if not folder.is_absolute():
            raise OSError(0, "the user has no home folder")
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
    except OSError as error:
        log.info("%s cannot be used (%s); paces are kept in %s", folder, error.strerror, otherwise)
        return otherwise
    return folder


class Pace:
    """The pace of one service, and its one connection.

    Its file tells when the last request ended, the pause that follows it, and how long before it the
    former ones were. Time is that of the monotonic clock, which nobody sets; after a restart of the
    machine that of the wall clock, where a clock that was set back lets the pause begin anew.
    """

    def __init__(self, folder: Path, service: Service):
        name = re.sub(r"[^\w.-]+", "_", service.name)[:100]
        self._folder = folder
        self._path = folder / f"{name}.json"
        self._lock = folder / f"{name}.lock"
        self._service = service

    @contextmanager
    def held(self, stop: threading.Event | None) -> Iterator[None]:
        """Holds the service's one connection against all threads and processes of this machine.

        Raises:
            OSError: if the folder cannot be written.
            Stopped: if ``stop`` was set while waiting.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self._lock)
        while True:
            with suppress(filelock.Timeout):
                lock.acquire(timeout=_LOCK_POLL_SECONDS)
                break
            if stop and stop.is_set():
                raise Stopped
        try:
            yield
        finally:
            lock.release()

    def remaining(self) -> float:
        """How many seconds the service must still be left alone. Call it while `held`."""
        try:
            state = _State.read(self._path)
        except FileNotFoundError:
            return 0.0
        if state is None or state.asking:
            # Whoever asked died of it, or the disk was full: a request may be on its way there still.
            self._write(state.ages(0.0) if state else [0.0], 2 * self._service.interval)
            state = _State.read(self._path)
            assert state is not None
        elapsed = state.elapsed()
        if elapsed < 0:
            # The clock was set back over a restart: the pause begins anew, and is counted from now on.
            self._write(state.ages(0.0), state.pause)
            elapsed = 0.0
        waits = [max(state.pause, self._service.interval) - elapsed]
        ages = state.ages(elapsed)
        waits += [seconds - ages[-count] for count, seconds in self._service.windows if len(ages) >= count]
        return max(0.0, *waits)

    def begin(self) -> None:
        """Books the request that follows; where this process dies of it, it counts from its discovery."""
        self._write([*self._ages(), 0.0], self._service.interval, asking=True)

    def end(self, pause: float) -> None:
        """Lets nobody ask for ``pause`` seconds, at least for the service's interval.

        Counted from the end: however long a request was on its way, the next one comes later.
        """
        self._write([*self._ages()[:-1], 0.0], max(pause, self._service.interval))

    def _ages(self) -> list[float]:
        try:
            state = _State.read(self._path)
        except FileNotFoundError:
            return []
        return state.ages(max(0.0, state.elapsed())) if state else []

    def _write(self, ages: list[float], pause: float, asking: bool = False) -> None:
        kept = max((count for count, _ in self._service.windows), default=1)
        state = {
            "boot": _boot(),
            "clock": time.monotonic(),
            "wall": time.time(),
            "pause": min(pause, LONGEST_PAUSE_SECONDS),
            "asking": asking,
            "ages": [round(age, 3) for age in ages[-kept:]],
        }
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(state))
        draft.replace(self._path)


@dataclass(frozen=True, slots=True)
class _State:
    """What the file of a pace holds; ``before`` are the seconds from each request to the writing."""

    boot: str
    clock: float
    wall: float
    pause: float
    asking: bool
    before: list[float]

    @classmethod
    def read(cls, path: Path) -> _State | None:
        """What stands at ``path``; None where it is damaged."""
        try:
            found = json.loads(path.read_text())
            state = cls(
                str(found["boot"]),
                float(found["clock"]),
                float(found["wall"]),
                float(found["pause"]),
                bool(found["asking"]),
                [float(age) for age in found["ages"]],
            )
        except (ValueError, KeyError, TypeError):
            return None
        sound = all(map(math.isfinite, (state.clock, state.wall, *state.before)))
        if not sound or not 0 <= state.pause <= LONGEST_PAUSE_SECONDS:
            return None
        return state

    def elapsed(self) -> float:
        """Seconds since this was written; negative where the clock was set back over a restart."""
        monotonic = time.monotonic() - self.clock
        if self.boot == _boot() and monotonic >= 0:
            return monotonic
        return time.time() - self.wall

    def ages(self, elapsed: float) -> list[float]:
        return [age + elapsed for age in self.before]


@cache
def _boot() -> str:
    """What tells this start of the machine from others; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
