"""Takes the screenshots of the docs: ``python -m tests.web.screenshots docs/images``."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from tests.web.browser import ARGUMENTS, CHROMIUM
from tests.web.server import Server, running_server

WIDE, PHONE = (1440, 1000), (390, 844)
# The paper, and the question that it is an answer to.
PAPER, QUESTION = "2605.29801", "can a small model warn when a computer-using agent is about to do harm?"

# file name -> (path, size, dark, whole page)
SHOTS = {
    "front-wide": ("/", WIDE, False, False),
    "front-dark": ("/papers/week/2026-W22", WIDE, True, False),
    "front-phone": ("/", PHONE, False, False),
    "paper-wide": (f"/papers/{PAPER}", WIDE, False, False),
    "paper-phone-dark": (f"/papers/{PAPER}", PHONE, True, False),
    "search-wide": (f"/search?q={QUESTION}", WIDE, False, False),
}


def wait_until_indexed(server: Server) -> None:
    """Returns once every paper is found by its meaning, or after a minute (there may be no encoder)."""
    for _ in range(120):
        index = httpx.get(f"{server.url}/readyz", timeout=30).json()["index"]
        if index["words"] and not index["behind"] and not index["unencoded"]:
            return
        time.sleep(0.5)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        running_server(Path(home) / "home") as server,
        sync_playwright() as playwright,
    ):
        wait_until_indexed(server)
        # The first question loads the encoder; the time on the picture is that of all others.
        httpx.get(f"{server.url}/search", params={"q": "warm"}, timeout=60)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, (path, (width, height), dark, whole) in SHOTS.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                device_scale_factor=2 if width < 500 else 1,
            )
            page = context.new_page()
            page.goto(server.url + path)
            page.screenshot(path=folder / f"{name}.png", full_page=whole)
            context.close()
            print(folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
