"""Feeds broken inputs of every kind to all parsers: unhandled errors, hangs, and the most memory.

    flock LOCK nice -n 19 .venv/bin/python -m bench.fuzzing [--inputs 100000] [--first 0] [--minutes 8]
    .venv/bin/python -m bench.fuzzing --only NUMBER [--write FILE]

Nine of ten inputs are recordings (of all services, in ../shared) that were changed at random, each made
from its number; the others are nonsense in the shape of each format, made by hypothesis. A worker process
reads them; what it reads when it dies, hangs or grows is known by its number. It ends after the minutes and
says with which number to go on; figures add up in bench/out/fuzzing.json until --first 0.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from bench.common import DATA, OUT, machine, need, peak_memory_mb
from tests.fuzz.inputs import NONSENSE, changed, seeds
from tests.fuzz.targets import read

HANG_SECONDS = 10
# A worker that the alarm does not wake is killed after so long.
_DEAD_SECONDS = 40
# More than the goal, so that what takes it is seen, and the machine lives.
_MEMORY_LIMIT = 3_000_000_000
_NONSENSE_EACH = 1_000
_REPORT = OUT / "fuzzing.json"


class Hang(BaseException):
    """An input that takes longer than `HANG_SECONDS`; not to be caught by a parser."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    recordings = seeds(need(DATA / "recorded"))
    if options.only is not None:
        data = changed(options.only, recordings)
        if options.write:
            options.write.write_bytes(data)
        print(len(data), data[:200])
        print(read(data), "records")
        return
    report = _begin(options.first)
    deadline = time.monotonic() + options.minutes * 60
    number = options.first
    while number < options.inputs and time.monotonic() < deadline:
        number = _work(recordings, number, options.inputs, deadline, report)
    OUT.mkdir(parents=True, exist_ok=True)
    _REPORT.write_text(json.dumps(report, indent=2) + "\n")
    _show(report)
    if number < options.inputs:
        print(f"go on with --first {number}")
    sys.exit(bool(report["errors"] or report["hangs"] or report["deaths"]))


def _begin(first: int) -> dict[str, Any]:
    if first and _REPORT.exists():
        return json.loads(_REPORT.read_text())
    return {
        "machine": machine(), "inputs": 0, "records": 0, "seconds": 0.0, "peak memory MB": 0.0,
        "slowest seconds": 0.0, "slowest input": 0, "errors": {}, "hangs": [], "deaths": [],
    }  # fmt: skip


def _work(recordings: list[bytes], first: int, last: int, deadline: float, report: dict[str, Any]) -> int:
    """Lets a worker read from input ``first`` on; the number to go on with."""
    context = multiprocessing.get_context("fork")
    at, since = context.Value("q", first), context.Value("d", time.monotonic())
    told, telling = context.Pipe(duplex=False)
    worker = context.Process(target=_worker, args=(recordings, first, last, deadline, at, since, telling))
    worker.start()
    telling.close()
    gained: dict[str, Any] | None = None
    while worker.is_alive():
        if told.poll(0.5):
            try:
                gained = told.recv()
            except EOFError:
                break
        if time.monotonic() - since.value > _DEAD_SECONDS:
            worker.kill()
    worker.join()
    if gained is None and told.poll(0):
        try:
            gained = told.recv()
        except EOFError:
            gained = None
    if gained is None:
        report["deaths"].append({"input": at.value, "exit": worker.exitcode})
        return at.value + 1
    _gain(report, gained)
    return at.value


def _gain(report: dict[str, Any], gained: dict[str, Any]) -> None:
    report["inputs"] += gained["inputs"]
    report["records"] += gained["records"]
    report["seconds"] += gained["seconds"]
    report["peak memory MB"] = max(report["peak memory MB"], gained["memory"])
    report["hangs"] += gained["hangs"]
    if gained["slowest"][0] > report["slowest seconds"]:
        report["slowest seconds"], report["slowest input"] = gained["slowest"]
    for where, (times, example) in gained["errors"].items():
        known = report["errors"].setdefault(where, {"times": 0, "input": example})
        known["times"] += times


def _worker(
    recordings: list[bytes], first: int, last: int, deadline: float, at: Any, since: Any, telling: Any
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))
    signal.signal(signal.SIGALRM, _alarm)
    errors: Counter[str] = Counter()
    examples: dict[str, int] = {}
    hangs: list[dict[str, Any]] = []
    inputs, records, slowest, began = 0, 0, (0.0, 0), time.monotonic()

    def one(number: int, data: bytes) -> None:
        nonlocal inputs, records, slowest
        inputs += 1
        start = time.monotonic()
        since.value = start
        signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
        try:
            records += read(data)
        except Hang as hang:
            hangs.append({"input": number, "where": _place(hang)})
        except BaseException as error:
            errors[_place(error)] += 1
            if _place(error) not in examples:
                examples[_place(error)] = number
                _keep(number, data)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        slowest = max(slowest, (time.monotonic() - start, number))

    number = first
    while number < last and time.monotonic() < deadline:
        at.value = number
        if number % 10 == 9:
            # Whole runs of hypothesis at once; the numbers of the others in between are left out.
            if number % (10 * _NONSENSE_EACH) == 9:
                _nonsense(number, one)
        else:
            one(number, changed(number, recordings))
        number += 1
    at.value = number
    counted = {where: (times, examples[where]) for where, times in errors.items()}
    telling.send(
        {
            "inputs": inputs,
            "records": records,
            "seconds": time.monotonic() - began,
            "memory": peak_memory_mb(),
            "hangs": hangs,
            "slowest": slowest,
            "errors": counted,
        }
    )


def _nonsense(number: int, one: Any) -> None:
    @seed(number)
    @settings(
        max_examples=_NONSENSE_EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(NONSENSE)
    def run(data: bytes) -> None:
        one(number, data)

    run()


def _alarm(*_: object) -> None:
    raise Hang


def _place(error: BaseException) -> str:
    """What went wrong and where: the type, and the last places in this program."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "broadsheet" in f.filename]
    places = " < ".join(
        f"{Path(f.filename).parent.name}/{Path(f.filename).name}:{f.lineno}" for f in frames[:-4:-1]
    )
    return f"{type(error).__name__}: {str(error)[:100]} at {places}"


def _keep(number: int, data: bytes) -> None:
    folder = OUT / "fuzzing"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.bin").write_bytes(data)


def _show(report: dict[str, Any]) -> None:
    rate = report["inputs"] / max(report["seconds"], 1e-9)
    print(f"{report['inputs']:,} inputs, {report['records']:,} records, {rate:,.0f} inputs a second")
    print(f"peak memory {report['peak memory MB']:,.0f} MB")
    print(f"slowest {report['slowest seconds']:.2f} s (input {report['slowest input']})")
    for where, told in sorted(report["errors"].items(), key=lambda item: -item[1]["times"]):
        print(f"  {told['times']:>6}x {where} (input {told['input']})")
    for told in report["hangs"]:
        print(f"  HANG input {told['input']}: {told['where']}")
    for told in report["deaths"]:
        print(f"  DEATH input {told['input']}: exit {told['exit']}")


if __name__ == "__main__":
    main()
