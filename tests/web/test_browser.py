"""The site in a real browser: without scripts, on a narrow screen, in the dark, by keyboard, under attack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.web import pages_home as known
from tests.web.browser import opened
from tests.web.server import Server, running_server

EVERY_KIND_OF_PAGE = [
    "/",
    f"/papers/date/{known.LATEST}?p=1",
    "/papers/week/2026-W22",
    "/papers/trending",
    "/search",
    "/search?q=garden+roses",
    f"/papers/{known.LEAD}",
    f"/papers/{known.MATH}",
    f"/papers/{known.HOSTILE}",
    f"/papers/{known.CROWD}",
    "/about",
    "/no/such/page",
    "/papers/date/2025-13-40",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("browser") / "home"
    known.fill(home)
    with running_server(home) as started:
        yield started


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = opened(browser, server)
    yield context.new_page()
    context.close()


def test_no_page_of_the_site_has_an_error_in_the_console(page: Page) -> None:
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # That the page itself is an error is said in the console too.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            said.append(f"{page.url}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    for path in EVERY_KIND_OF_PAGE:
        page.goto(path)
    assert said == []


def test_nothing_that_a_paper_holds_is_executed(page: Page) -> None:
    for path in (
        "/",
        f"/papers/{known.HOSTILE}",
        "/search?q=hostile",
        f"/papers/hostile{known.HOSTILE_TEXT[:60]}",
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("width", [360, 390])
def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, server: Server, width: int) -> None:
    context = opened(
        browser, server, viewport={"width": width, "height": 800}, is_mobile=True, has_touch=True
    )
    page = context.new_page()
    for path in EVERY_KIND_OF_PAGE:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("document.body.scrollWidth") <= width, path
    context.close()


def test_text_and_targets_are_large_enough_on_a_phone(browser: Browser, server: Server) -> None:
    context = opened(browser, server, viewport={"width": 390, "height": 800}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto("/")
    sizes = page.eval_on_selector_all(
        "article .text", "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert sizes and min(sizes) >= 16
    targets = ".tabs a, .turn a, .find input, .find button, .pager a, article h2 a"
    heights = page.eval_on_selector_all(targets, "all => all.map(e => e.getBoundingClientRect().height)")
    # WCAG 2.2, 2.5.8: 24 CSS pixels at least.
    assert min(heights) >= 24
    assert (
        min(
            page.eval_on_selector_all(
                ".tabs a, .find button", "all => all.map(e => e.getBoundingClientRect().height)"
            )
        )
        >= 44
    )
    context.close()


_TEXT_COLOURS = """
() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const background = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const luminance = colour => {
    const [r, g, b] = colour.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    const a = luminance(rgb(getComputedStyle(element).color).slice(0, 3)), b = luminance(background(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([ratio, element.tagName + "." + element.className]);
  }
  return found;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_that_wcag_asks_for(browser: Browser, server: Server, scheme: str) -> None:
    context = opened(browser, server, color_scheme=scheme)
    page = context.new_page()
    backgrounds = set()
    for path in EVERY_KIND_OF_PAGE:
        page.goto(path)
        backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        found = page.evaluate(_TEXT_COLOURS)
        assert found
        ratio, where = min(found)
        assert ratio >= 4.5, (path, where, ratio)
    (background,) = backgrounds
    brightness = sum(map(int, re.findall(r"\d+", background)))
    assert brightness < 150 if scheme == "dark" else brightness > 650
    context.close()


def test_the_site_is_complete_without_scripts(browser: Browser, server: Server) -> None:
    context = opened(browser, server, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    assert page.locator("article.lead h2").is_visible()
    assert not page.locator("#keys").is_visible()
    page.get_by_role("link", name="Week").click()
    assert page.get_by_role("link", name="Week").get_attribute("aria-current") == "page"
    page.get_by_role("searchbox", name="Search").fill(known.LEAD)
    page.get_by_role("button", name="Find").click()
    assert "/search?q=" in page.url
    page.goto(f"/papers/{known.LEAD}")
    page.get_by_text("Show BibTeX").click()
    assert page.locator("#bibtex").is_visible()
    assert not page.get_by_role("button", name="Copy").is_visible()
    context.close()


def test_the_keys_go_through_the_papers_and_can_be_turned_off(page: Page) -> None:
    page.goto("/")
    focused = "document.activeElement.textContent"
    page.keyboard.press("j")
    first = page.evaluate(focused)
    assert first.startswith("Marsh birds")
    page.keyboard.press("j")
    assert page.evaluate(focused).startswith("An ")
    page.keyboard.press("k")
    assert page.evaluate(focused) == first
    page.keyboard.press("o")
    page.wait_for_url(f"**/papers/{known.LEAD}")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("jko/")
    assert page.input_value("#q") == "jko/"
    page.goto("/")
    page.get_by_role("button", name="Turn keys off").click()
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    assert page.get_by_role("button", name="Turn keys on").is_visible()


def test_the_first_stop_of_the_keyboard_skips_to_the_papers_and_focus_is_seen(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["height"] > 20
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_screen_readers_find_landmarks_and_headings_in_order(page: Page) -> None:
    for path in EVERY_KIND_OF_PAGE:
        page.goto(path)
        for role in ("banner", "main", "contentinfo", "search"):
            assert page.get_by_role(role).count() == 1, (path, role)
        levels = page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(e => Number(e.tagName[1]))")
        assert levels.count(1) == 1, path
        assert levels[0] == 1, path
        assert all(after - before <= 1 for before, after in pairwise(levels)), (
            path,
            levels,
        )
        labels = page.eval_on_selector_all("nav", "all => all.map(e => e.getAttribute('aria-label'))")
        assert all(labels) and len(set(labels)) == len(labels), path
        assert page.evaluate("document.documentElement.lang") == "en"


def test_formulas_are_drawn(page: Page) -> None:
    page.goto(f"/papers/{known.MATH}")
    formula = page.locator(".body math").first
    box = formula.bounding_box()
    assert box["width"] > 60 and box["height"] > 18
    assert formula.evaluate("e => e.namespaceURI") == "http://www.w3.org/1998/Math/MathML"
    # The annotation holds the source but is not shown.
    assert page.locator(".body math annotation").first.evaluate("e => getComputedStyle(e).display") == "none"
    fraction = page.locator(".body math mfrac").first.bounding_box()
    assert fraction["height"] > fraction["width"]


def test_the_citation_can_be_copied(browser: Browser, server: Server) -> None:
    context = opened(browser, server, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"/papers/{known.LEAD}")
    page.get_by_text("Show BibTeX").click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied").first.wait_for()
    assert (
        page.evaluate("navigator.clipboard.readText()")
        == httpx.get(f"{server.url}/papers/{known.LEAD}.bib").text
    )
    context.close()


def test_a_front_page_prints_as_a_newspaper_without_controls(page: Page) -> None:
    page.goto("/")
    page.emulate_media(media="print")
    for control in (".find", ".tabs", ".pager", ".skip"):
        assert not page.locator(control).first.is_visible()
    assert page.locator(".nameplate").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf(format="A4")) > 10_000


def test_a_wide_page_has_columns_and_a_narrow_one_has_one(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    for width, columns in ((1440, 4), (390, 1)):
        context = opened(browser, server, viewport={"width": width, "height": 900})
        page = context.new_page()
        page.goto("/")
        lefts = page.eval_on_selector_all(
            ".briefs article", "all => all.map(e => Math.round(e.getBoundingClientRect().left))"
        )
        assert len(set(lefts)) == columns
        context.close()
