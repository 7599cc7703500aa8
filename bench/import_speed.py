"""Imports the real 128,000 papers as `broadsheet add` does and measures each stage.

    .venv/bin/python -m bench.import_speed [--home DIR] [--encode SECONDS]

Stages: reading and storing the records; indexing their words; encoding (all of them, or for
SECONDS); the same files once more. The home is kept for bench.http_speed.
"""

from __future__ import annotations

import argparse
import shutil
import threading
import time
from pathlib import Path

from bench.common import DATA, OUT, need, peak_memory_mb, save
from broadsheet.importing import add_inputs
from broadsheet.workspace import Workspace

FILES = ("daily_papers.jsonl.gz", "arxiv_papers.jsonl.gz")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, default=OUT / "home")
    parser.add_argument("--encode", type=float, help="encode for so many seconds only")
    options = parser.parse_args()
    inputs = [str(need(DATA / name)) for name in FILES]
    shutil.rmtree(options.home, ignore_errors=True)
    workspace = Workspace.open(options.home)
    figures: dict[str, object] = {}

    start = time.perf_counter()
    report = add_inputs(workspace, inputs, None)
    seconds = time.perf_counter() - start
    figures |= {"records": report.read, "new papers": report.new, "records per second": report.read / seconds}

    start = time.perf_counter()
    workspace.engine.follow(workspace.store, encode=False)
    seconds = time.perf_counter() - start
    figures |= {"words seconds": seconds, "words papers per second": workspace.engine.state().words / seconds}
    figures["peak memory MB before encoding"] = peak_memory_mb()

    start = time.perf_counter()
    stop = threading.Event()
    if options.encode:
        threading.Timer(options.encode, stop.set).start()
    workspace.engine.follow(workspace.store, stop=stop)
    seconds = time.perf_counter() - start
    figures |= {"vectors": workspace.engine.state().vectors}
    figures["abstracts encoded per second"] = workspace.engine.state().vectors / seconds
    figures["encoding seconds"] = seconds
    figures["peak memory MB"] = peak_memory_mb()

    start = time.perf_counter()
    again = add_inputs(workspace, inputs, None)
    figures["records per second, second time"] = again.read / (time.perf_counter() - start)
    figures["changed the second time"] = again.new + again.updated
    figures["database MB"] = sum(f.stat().st_size for f in options.home.glob("broadsheet.db*")) / 1e6
    figures["index MB"] = (
        sum(f.stat().st_size for f in (options.home / "index").rglob("*") if f.is_file()) / 1e6
    )
    workspace.close()
    save("import_speed", figures)


if __name__ == "__main__":
    main()
