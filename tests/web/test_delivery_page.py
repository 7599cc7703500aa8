"""The page of deliveries, the preview of a mail and the figures, as an operator meets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import lxml.html
import pytest
from playwright.sync_api import Browser

from broadsheet.model.audiences import Audience
from broadsheet.model.editions import ComposedEdition, ComposedEntry
from broadsheet.model.subscriptions import NewItem, Subscription
from broadsheet.starter import starter_records
from broadsheet.store import Store
from tests.web.server import Server, running_server

KEY = "an-operators-key"
QUERY = "a very private query"
ENDS = ("sent", "sent", "bounced", "failed", "retry", "skipped", "queued")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("delivery") / "home"
    home.mkdir()
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    store.add(starter_records())
    for number, end in enumerate(ENDS):
        delivered(store, number, end)
    store.suppress("gone@example.net", "came back: 5.1.1")
    store.close()
    env = {"BROADSHEET_OPERATOR_KEY": KEY, "BROADSHEET_DELIVER": "no", "BROADSHEET_SITE_NAME": "The Daily"}
    with running_server(home, env=env) as server:
        yield server


def delivered(store: Store, number: int, end: str) -> None:
    """One edition of 2026-05-29 whose row of the outbox has ended as ``end``."""
    wanted = Subscription(0, "mail", f"reader{number}@example.net", Audience("search", QUERY))
    one = store.subscribe(wanted, confirmed=True)
    day = "2026-05-29"
    edition = ComposedEdition(0, one.audience, "day", day, day, "", (ComposedEntry(1, 1),), (1,))
    skipped = "nothing new" if end == "skipped" else ""
    store.save_edition(edition, [NewItem(one.id, day, ((1, 0),), skipped)], now=0.0)
    if end in ("skipped", "queued"):
        return
    (row,) = store.take(1, 1.0, "me")
    match end:
        case "sent":
            store.mark_sent(row.id, f"<{number}@x>")
        case "retry":
            store.mark_retry(row.id, 4e9, "the mail server answered 451 later")
        case _:
            store.mark_failed(row.id, f"the reason of {end}", end)


def get(site: Server, path: str, **more: object) -> httpx.Response:
    return httpx.get(site.url + path, timeout=60, **more)


def test_the_page_counts_by_day_and_says_why(site: Server) -> None:
    page = lxml.html.fromstring(get(site, "/delivery").text)
    titles = [cell.text_content() for cell in page.xpath("(//table)[1]//thead//th")]
    (row,) = page.xpath("(//table)[1]/tbody/tr")
    cells = [cell.text_content().strip() for cell in row]
    assert dict(zip(titles[1:], cells[1:], strict=True)) == {
        "Composed": "7", "Waiting": "1", "Sent": "2", "To retry": "1", "Failed": "1", "Bounced": "1",
        "Suppressed": "–", "Not sent": "1",
    }  # fmt: skip
    text = " ".join(page.text_content().split())
    for told in ("the reason of bounced", "451 later", "nothing new", "2 editions wait to be sent"):
        assert told in text


def test_no_address_and_no_query_is_shown(site: Server) -> None:
    for path in ("/delivery", "/delivery.json", "/metrics"):
        text = get(site, path).text
        assert QUERY not in text and "example.net" not in text


def test_the_same_for_programs(site: Server) -> None:
    told = get(site, "/delivery.json").json()
    (day,) = told["days"]
    assert (day["day"], day["composed"], day["sent"], day["bounced"]) == ("2026-05-29", 7, 2, 1)
    assert told["suppressed"] == 1 and told["subscriptions"] == {"active": 7}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Host": "rebound.example"},
        {"X-Real-IP": "203.0.113.9"},
        {"Cookie": "broadsheet_operator=guessed", "Via": "1.1 proxy"},
    ],
)
def test_visitors_from_elsewhere_see_none_of_it(site: Server, headers: dict[str, str]) -> None:
    for path in ("/delivery", "/delivery.json", "/delivery/preview", "/delivery?key=wrong"):
        answer = get(site, path, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers and "Composed" not in answer.text


def test_the_key_is_given_once_and_then_kept_in_a_cookie(site: Server) -> None:
    away = {"X-Forwarded-For": "203.0.113.10"}
    first = get(site, f"/delivery?key={KEY}", headers=away)
    assert first.status_code == 200
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and KEY not in cookie
    assert first.headers["referrer-policy"] == "no-referrer" and first.headers["cache-control"] == "no-store"
    kept = cookie.partition(";")[0]
    for path in ("/delivery", "/delivery/preview"):
        assert get(site, path, headers={**away, "Cookie": kept}).status_code == 200


def test_a_site_without_a_key_has_no_key_that_opens_it(tmp_path: Path) -> None:
    with running_server(tmp_path / "home") as server:
        for path in ("/delivery?key=", "/delivery?key=x"):
            assert get(server, path, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
        assert "nothing was composed yet" in get(server, "/delivery").text.lower()


def test_the_preview_shows_both_parts_in_a_frame_that_can_run_nothing(site: Server) -> None:
    answer = get(site, "/delivery/preview", params={"kind": "everybody", "period": "week"})
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "'unsafe-inline'" not in policy.partition("script-src")[2]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    page = lxml.html.fromstring(answer.text)
    (frame,) = page.xpath("//iframe")
    assert "allow-scripts" not in frame.get("sandbox") and "allow-same-origin" not in frame.get("sandbox")
    mail = lxml.html.fromstring(frame.get("srcdoc"))
    title = mail.xpath("//h2")[0].text_content().strip()
    assert title in " ".join(page.xpath("//pre")[0].text_content().split())
    # Elsewhere no style may stand in a page.
    assert "unsafe-inline" not in get(site, "/delivery").headers["content-security-policy"]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"kind": "category", "value": "not a category!"}, "no category"),
        ({"kind": "search", "value": ""}, "is empty"),
        ({"kind": "category", "value": "math.AG"}, "Nothing new"),
        ({"kind": "everybody", "day": "1999-01-01"}, "Nothing new"),
    ],
)
def test_a_preview_of_nothing_says_so(site: Server, parameters: dict[str, str], told: str) -> None:
    answer = get(site, "/delivery/preview", params=parameters)
    assert answer.status_code == 200 and told in answer.text and "<iframe" not in answer.text


def test_a_day_that_is_none_is_answered_with_the_form_that_is_meant(site: Server) -> None:
    for path in ("/delivery?day=tomorrow", "/delivery/preview?day=2026-13-01"):
        assert get(site, path).status_code == 400


def test_the_figures_of_delivery(site: Server) -> None:
    told = get(site, "/metrics").text
    for line in (
        'broadsheet_outbox{channel="mail",state="sent"} 2.0',
        'broadsheet_outbox{channel="mail",state="bounced"} 1.0',
        "broadsheet_suppressed_addresses 1.0",
        'broadsheet_subscriptions{state="active"} 7.0',
    ):
        assert line in told
    assert re.search(r"^broadsheet_last_sent_timestamp_seconds 1\.\d+e\+09$", told, re.MULTILINE)


def test_a_browser_shows_the_mail_with_its_styles(site: Server, browser: Browser) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    page.goto(site.url + "/delivery/preview?period=week")
    masthead = page.frame_locator("iframe").locator(".masthead")
    assert masthead.inner_text() == "The Daily"
    assert masthead.evaluate("e => getComputedStyle(e).textAlign") == "center"
    page.close()
    assert not [line for line in said if "Content Security Policy" in line]
