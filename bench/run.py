"""Runs all measurements one after the other, so that none disturbs another: `make bench`.

Takes about half an hour on two cores, most of it encoding 128,000 abstracts. Results: bench/out/*.json.
"""

from __future__ import annotations

import subprocess
import sys

from bench.common import DATA, OUT, need

PROGRAMS = (
    ["bench.search_quality"],
    ["bench.import_speed"],
    ["bench.http_speed", "--home", str(OUT / "home")],
    ["bench.search_speed", "--home", str(OUT / "home")],
)


def main() -> None:
    need(DATA)
    failed = []
    for program in PROGRAMS:
        print(f"== {program[0]}", flush=True)
        if subprocess.run([sys.executable, "-m", *program], check=False).returncode:
            failed.append(program[0])
    if failed:
        sys.exit(f"missed a figure or failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
