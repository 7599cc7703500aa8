"""The browser that tests and screenshots use."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, BrowserContext

from tests.web.server import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def opened(browser: Browser, server: Server, **how: object) -> BrowserContext:
    """A window on ``server``, whose pages are named by their paths; ``how`` is what `new_context` takes."""
    return browser.new_context(base_url=server.url, **{"viewport": {"width": 1280, "height": 900}, **how})
