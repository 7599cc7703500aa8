"""What the programs of bench/ share: the real data, where results go, how memory is read."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / "bench" / "out"


def need(path: Path) -> Path:
    """``path``, or a clear end of the program where the real data is not there."""
    if not path.exists():
        sys.exit(f"skipped: {path} is not there; this program measures on the real data")
    return path


def peak_memory_mb() -> float:
    """The most memory this process ever held, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    import os

    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version()}


def save(name: str, figures: dict[str, Any]) -> None:
    """Writes ``figures`` to bench/out/NAME.json and prints them."""
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n")
    width = max(map(len, figures), default=0)
    for key, value in figures.items():
        shown = (
            f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
        )
        print(f"  {key:<{width}}  {shown}")
