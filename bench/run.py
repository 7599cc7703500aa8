"""Runs all measurements one after the other, so that none disturbs another: `make bench`.

Takes about two hours on two cores: encoding 128,000 abstracts, and building homes of up to a million
papers. Results: bench/out/*.json.
"""

from __future__ import annotations

import subprocess
import sys

from bench.common import DATA, OUT, ROOT, need
from bench.search_quality import SETS

PROGRAMS = (
    ["bench.search_quality"],
    ["bench.import_speed"],
    ["bench.http_speed", "--home", str(OUT / "home")],
    ["bench.search_speed", "--home", str(OUT / "home")],
    ["bench.vector_speed", str(OUT / "home")],
    ["bench.suggestions", "--home", str(OUT / "home")],
    ["bench.peers", *SETS, "--among", str(OUT / "home"), "--needs", str(ROOT / "bench" / "needs")],
    ["bench.growth", "--folder", str(OUT / "growth"), "--from", str(OUT / "home")],
    ["bench.http_speed", "--home", str(OUT / "growth" / "papers-1000000")],
    ["bench.oai_speed"],
    ["bench.merging"],
    ["bench.gather_kills", "--kills", "500"],
    ["bench.fuzzing", "--inputs", "20000"],
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
