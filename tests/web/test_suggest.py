"""Suggestions for browsers and under the search field: by keyboard, screen reader, in the dark, on phones."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from lxml import etree
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.web import pages_home as known
from tests.web.browser import opened
from tests.web.server import Server, index, running_server

SCRIPT = Path(__file__).resolve().parents[2] / "src/broadsheet/web/static/search.js"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("suggest") / "home"
    known.fill(home)
    index(home)
    with running_server(home) as started:
        yield started


def asked(server: Server, text: str) -> list[list[str]]:
    return httpx.get(f"{server.url}/suggest", params={"q": text}).json()


# -- the answer


def test_the_answer_has_the_form_that_browsers_ask_for(server: Server) -> None:
    answer = httpx.get(f"{server.url}/suggest", params={"q": "marsh b"})
    assert answer.headers["content-type"] == "application/x-suggestions+json"
    title = "Marsh birds are counted by their calls at night"
    address = f"{server.url}/search?q={title.replace(' ', '+')}"
    assert answer.json() == ["marsh b", [title], ["title"], [address]]
    assert asked(server, "bioac") == [
        "bioac",
        ["bioacoustics"],
        ["topic"],
        [f"{server.url}/search?q=bioacoustics"],
    ]
    assert asked(server, "emmy n")[1:3] == [['author:"Emmy Noether"'], ["author"]]


def test_every_suggested_address_finds_something(server: Server) -> None:
    for text in ("marsh b", "bioac", "plain pa", "poincare", "a journal art"):
        *_, addresses = asked(server, text)
        assert addresses, text
        for address in addresses:
            found = httpx.get(f"{server.url}/api/papers/search", params=parse_qs(urlsplit(address).query))
            assert found.json(), address


def test_the_answer_is_kept_for_a_minute_and_asks_nobody_else(server: Server) -> None:
    answer = httpx.get(f"{server.url}/suggest", params={"q": "marsh b"})
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert "set-cookie" not in answer.headers
    head = httpx.head(f"{server.url}/suggest", params={"q": "marsh b"})
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("text", ["", "x", "zyzzyva", "\x00", '"', "marsh " * 2_000, "<object>", "注意"])
def test_what_suggests_nothing_is_answered_so(server: Server, text: str) -> None:
    answer = httpx.get(f"{server.url}/suggest", params={"q": text})
    assert answer.status_code == 200
    assert answer.json() == [text[:200], [], [], []]
    assert httpx.get(f"{server.url}/suggest").json() == ["", [], [], []]


def test_the_description_of_the_search_names_the_suggestions(server: Server) -> None:
    description = etree.fromstring(httpx.get(f"{server.url}/opensearch.xml").content)
    urls = description.findall("{http://a9.com/-/spec/opensearch/1.1/}Url")
    (suggest,) = (url for url in urls if url.get("rel") == "suggestions")
    assert suggest.get("type") == "application/x-suggestions+json"
    template = suggest.get("template")
    assert template == f"{server.url}/suggest?q={{searchTerms}}"
    assert httpx.get(template.replace("{searchTerms}", "marsh%20b")).json()[1]


def test_scripts_may_ask_this_site_and_nobody_else(server: Server) -> None:
    policy = httpx.get(server.url).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["connect-src"] == rules["script-src"] == "'self'"
    assert rules["default-src"] == "'none'"


def test_the_script_is_small() -> None:
    assert SCRIPT.stat().st_size < 3 * 1024


# -- in a browser


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = opened(browser, server)
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/about")
    yield page
    context.close()
    assert said == []


def field_of(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search")


def options_of(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def typed(page: Page, text: str) -> None:
    field_of(page).press_sequentially(text)
    expect(options_of(page).first).to_be_visible()


def test_typing_shows_what_may_be_meant(page: Page) -> None:
    typed(page, "marsh b")
    expect(options_of(page)).to_have_text(["Marsh birds are counted by their calls at night title"])
    field_of(page).fill("emmy no")
    expect(options_of(page)).to_have_text(["Emmy Noether author"])
    field_of(page).fill("e")
    expect(options_of(page)).to_have_count(0)


def test_the_keyboard_chooses_and_what_was_typed_stands_when_none_is_chosen(page: Page) -> None:
    typed(page, "plain pa")
    count = options_of(page).count()
    assert count > 2
    chosen = page.locator("#suggestions [aria-selected=true]")
    expect(chosen).to_have_count(0)
    field_of(page).press("ArrowDown")
    expect(chosen).to_have_text(options_of(page).nth(0).text_content() or "")
    field_of(page).press("ArrowUp")
    expect(chosen).to_have_count(0)
    field_of(page).press("ArrowUp")
    expect(chosen).to_have_text(options_of(page).nth(count - 1).text_content() or "")
    field_of(page).press("ArrowDown")
    expect(chosen).to_have_count(0)
    assert field_of(page).input_value() == "plain pa"
    field_of(page).press("Enter")
    page.wait_for_url("**/search?q=plain+pa")


def test_enter_searches_for_the_chosen_one(page: Page) -> None:
    typed(page, "emmy no")
    field_of(page).press("ArrowDown")
    field_of(page).press("Enter")
    page.wait_for_url("**/search?q=author%3A%22Emmy+Noether%22")


def test_a_click_searches_for_what_was_clicked(page: Page) -> None:
    typed(page, "marsh b")
    options_of(page).first.click()
    page.wait_for_url("**/search?q=Marsh+birds+are+counted*")
    assert (
        page.locator(".result h2").first.text_content() == "Marsh birds are counted by their calls at night"
    )


def test_escape_closes_the_list_and_leaves_what_was_typed_and_so_does_leaving_the_field(page: Page) -> None:
    typed(page, "marsh b")
    field_of(page).press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    assert field_of(page).input_value() == "marsh b"
    field_of(page).press("i")
    expect(options_of(page).first).to_be_visible()
    field_of(page).press("Tab")
    expect(page.locator("#suggestions")).to_be_hidden()


def test_a_screen_reader_is_told_what_happens(page: Page) -> None:
    field = field_of(page)
    assert field.get_attribute("aria-autocomplete") == "list"
    expect(field).to_have_attribute("aria-expanded", "false")
    typed(page, "plain pa")
    expect(field).to_have_attribute("aria-expanded", "true")
    assert field.get_attribute("aria-controls") == page.get_by_role("listbox").get_attribute("id")
    expect(page.get_by_role("status")).to_contain_text(f"{options_of(page).count()} suggestions")
    field.press("ArrowDown")
    active = field.get_attribute("aria-activedescendant")
    assert active == options_of(page).first.get_attribute("id")
    expect(options_of(page).first).to_have_attribute("aria-selected", "true")
    # The focus stays in the field, so that typing goes on.
    assert page.evaluate("document.activeElement.id") == "q"
    field.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    assert field.get_attribute("aria-activedescendant") is None


def test_a_late_answer_does_not_replace_a_newer_one_and_a_fast_typist_asks_once(page: Page) -> None:
    seen: list[str] = []

    def late(route: Route) -> None:
        text = parse_qs(urlsplit(route.request.url).query)["q"][0]
        seen.append(text)
        if text == "first":
            time.sleep(0.5)
        route.fulfill(status=200, body=json.dumps([text, [text], ["title"], [""]]))

    page.route("**/suggest?*", late)
    field_of(page).fill("first")
    page.wait_for_timeout(250)
    field_of(page).fill("second")
    expect(options_of(page)).to_have_text(["second title"])
    page.wait_for_timeout(700)
    expect(options_of(page)).to_have_text(["second title"])
    seen.clear()
    field_of(page).fill("")
    field_of(page).press_sequentially("marsh birds", delay=10)
    expect(options_of(page)).to_have_text(["marsh birds title"])
    assert len(seen) < 4
    assert seen[-1] == "marsh birds"


def test_a_suggestion_is_text_whatever_it_holds(page: Page) -> None:
    typed(page, "hostile")
    assert page.evaluate("window.hacked") is None
    assert "<script>" in (options_of(page).first.text_content() or "")


def test_without_an_answer_the_field_works_as_it_is(browser: Browser, server: Server) -> None:
    context = opened(browser, server)
    page = context.new_page()
    page.route("**/suggest?*", lambda route: route.abort())
    page.goto("/about")
    with page.expect_event("requestfailed"):
        field_of(page).press_sequentially("garden")
    field_of(page).press("Enter")
    page.wait_for_url("**/search?q=garden")
    context.close()


def test_without_scripts_there_is_a_plain_field(browser: Browser, server: Server) -> None:
    context = opened(browser, server, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    field = page.get_by_role("searchbox", name="Search")
    field.fill("garden roses")
    assert page.locator("#suggestions").count() == 0
    field.press("Enter")
    page.wait_for_url("**/search?q=garden+roses")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_lies_over_the_page_and_can_be_read(browser: Browser, server: Server, scheme: str) -> None:
    context = opened(
        browser,
        server,
        viewport={"width": 390, "height": 800},
        color_scheme=scheme,
        is_mobile=True,
        has_touch=True,
    )
    page = context.new_page()
    page.goto("/")
    typed(page, "plain pa")
    field_of(page).press("ArrowDown")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for option in options_of(page).all():
        box = option.bounding_box()
        assert box and box["height"] >= 40 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    first, second = (options_of(page).nth(n) for n in (0, 1))
    colours = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    text, ground = first.evaluate(colours)
    assert text != ground
    # The chosen one is set off, and nothing of the page shines through the others.
    assert ground != page.locator("#suggestions").evaluate(colours)[1] != "rgba(0, 0, 0, 0)"
    assert second.evaluate(
        "e => { const b = e.getBoundingClientRect();"
        " return e.contains(document.elementFromPoint(b.left + 20, b.top + b.height / 2)); }"
    )
    context.close()
