"""A reader subscribes, confirms, changes and leaves at the real site, with a real mail server on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from broadsheet.delivery.asking import forget_unconfirmed
from broadsheet.delivery.signed import Signer
from broadsheet.model.subscriptions import Subscription
from broadsheet.store import Store
from tests.delivery.playing_smtp import PlayingSmtp, playing_smtp
from tests.web.server import Server, running_server

FORM = {
    "kind": "search",
    "value": "neutrino mass",
    "frequency": "weekly",
    "day": "4",
    "hour": "6",
    "zone": "UTC",
    # What people do not see, browsers send empty.
    "website": "",
}


@pytest.fixture(scope="module")
def mail() -> Iterator[PlayingSmtp]:
    with playing_smtp() as server:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("subscribers") / "home"


@pytest.fixture(scope="module")
def site(home: Path, mail: PlayingSmtp) -> Iterator[Server]:
    env = {
        "BROADSHEET_SMTP_URL": mail.url,
        "BROADSHEET_MAIL_FROM": "The Daily <papers@example.org>",
        "BROADSHEET_REFUSED_MAIL_DOMAINS": "mailinator.example, trash.example",
    }
    with running_server(home, env=env) as server:
        yield server


@pytest.fixture()
def client(site: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, timeout=30) as made:
        yield made


@pytest.fixture()
def store(home: Path, site: Server) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    yield opened
    opened.close()


def ask(client: httpx.Client, address: str, **fields: str) -> httpx.Response:
    return client.post("/subscribe", data={**FORM, "email": address, **fields})


def link(mail: PlayingSmtp, purpose: str) -> str:
    """The path of the link in the last mail."""
    text = mail.taken[-1].message.get_content()
    return re.search(rf"http://[^\s/]+(/{purpose}/\S+)", text)[1]


def subscribed(client: httpx.Client, mail: PlayingSmtp, address: str) -> str:
    """The path of the settings of a subscription that was confirmed."""
    assert ask(client, address).status_code == 200
    answer = client.post(link(mail, "confirm"))
    assert answer.status_code == 303
    return answer.headers["location"]


def test_nothing_begins_before_the_reader_confirms(
    client: httpx.Client, mail: PlayingSmtp, store: Store
) -> None:
    page = ask(client, "Ada@Example.net")
    assert "Look into your mail" in page.text
    assert mail.taken[-1].recipients == ["Ada@example.net"]
    assert "Search: neutrino mass, every week on Friday at 6:00" in " ".join(
        mail.taken[-1].message.get_content().split()
    )
    (one,) = store.subscriptions(address="ada@example.net")
    assert one.state == "pending"
    path = link(mail, "confirm")
    # Looking at the link, as programs do, confirms nothing.
    assert "Yes, send them" in client.get(path).text
    assert store.subscription(one.id).state == "pending"
    assert client.post(path).status_code == 303
    now = store.subscription(one.id)
    assert (now.state, now.frequency, now.days, now.hour) == ("active", "weekly", (4,), 6)


def test_who_subscribes_twice_is_told_by_mail_and_not_on_the_page(
    client: httpx.Client, mail: PlayingSmtp, store: Store
) -> None:
    subscribed(client, mail, "twice@example.net")
    first = ask(client, "new@example.net").text
    again = ask(client, "twice@example.net", frequency="daily").text
    assert first == again
    assert "You get them already" in " ".join(mail.taken[-1].message.get_content().split())
    assert [one.frequency for one in store.subscriptions(address="twice@example.net")] == ["weekly"]


def test_the_settings_page_changes_pauses_and_goes_on(
    client: httpx.Client, mail: PlayingSmtp, store: Store
) -> None:
    path = subscribed(client, mail, "settings@example.net")
    (one,) = store.subscriptions(address="settings@example.net")
    changed = {**FORM, "frequency": "days", "day": ["0", "2"], "hour": "18", "zone": "Europe/Berlin"}
    page = client.post(path, data={**changed, "action": "save"}, follow_redirects=True)
    assert "on Monday, Wednesday at 18:00 (Europe/Berlin)" in page.text
    client.post(path, data={"action": "pause"})
    assert store.subscription(one.id).state == "paused"
    client.post(path, data={"action": "resume"})
    assert store.subscription(one.id).state == "active"
    wrong = client.post(path, data={**changed, "zone": "Mars/Olympus", "action": "save"})
    assert wrong.status_code == 400 and "Mars/Olympus" in wrong.text
    assert store.subscription(one.id).zone == "Europe/Berlin"


def test_a_second_topic_is_added_without_another_mail(
    client: httpx.Client, mail: PlayingSmtp, store: Store
) -> None:
    path = subscribed(client, mail, "more@example.net")
    before = len(mail.taken)
    page = client.post(
        path, data={**FORM, "kind": "category", "value": "hep-ex", "action": "add"}, follow_redirects=True
    )
    assert "hep-ex" in page.text and "neutrino mass" in page.text
    assert len(mail.taken) == before
    states = {one.audience.key: one.state for one in store.subscriptions(address="more@example.net")}
    assert states == {"search:neutrino mass": "active", "category:hep-ex": "active"}


def test_leaving_acts_at_once_by_post_and_not_by_looking(
    client: httpx.Client, mail: PlayingSmtp, store: Store, home: Path
) -> None:
    from broadsheet.delivery.signed import Signer

    subscribed(client, mail, "leaving@example.net")
    (one,) = store.subscriptions(address="leaving@example.net")
    path = f"/unsubscribe/{Signer.of_home(home).token('unsubscribe', one)}"
    assert "Leave" in client.get(path).text
    assert store.subscription(one.id).state == "active"
    answer = client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200 and not answer.history
    assert store.subscription(one.id).state == "left"
    # Once more is no error: mail programs try again.
    assert client.post(path).status_code == 200


def test_deleting_forgets_the_address(client: httpx.Client, mail: PlayingSmtp, store: Store) -> None:
    path = subscribed(client, mail, "delete@example.net")
    assert "deleted" in client.post(path, data={"action": "delete"}).text
    assert store.subscriptions(address="delete@example.net") == []
    assert client.get(path).status_code == 410


def test_a_link_that_was_altered_guessed_or_meant_for_something_else_changes_nothing(
    client: httpx.Client, mail: PlayingSmtp, store: Store
) -> None:
    path = subscribed(client, mail, "links@example.net")
    (one,) = store.subscriptions(address="links@example.net")
    token = path.rsplit("/", 1)[1]
    signed, signature = token.rsplit(".", 1)
    for wrong in (
        token[:-1],
        # Not its last sign, of which two bits mean nothing.
        f"{signed}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "x" * 100,
        "WzEsIiJd.a.b",
        "a" * 5_000,
    ):
        for purpose in ("subscription", "unsubscribe", "confirm"):
            assert client.post(f"/{purpose}/{wrong}", data={"action": "leave"}).status_code == 400
    assert client.post(f"/unsubscribe/{token}").status_code == 400
    assert store.subscription(one.id).state == "active"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"email": "no address"}, "no e-mail address"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "no e-mail address"),
        ({"email": "x" * 320 + "@example.net"}, "at most"),
        ({"email": "me@deep.trash.example"}, "not accepted here"),
        ({"zone": "Nowhere"}, "no time zone"),
        ({"hour": "soon"}, "hours and days are numbers"),
        ({"kind": "search", "value": "  "}, "is empty"),
        ({"frequency": "hourly"}, "no frequency"),
    ],
)
def test_a_wrong_field_is_named_and_the_others_stay_filled_in(
    client: httpx.Client, mail: PlayingSmtp, fields: dict[str, str], told: str
) -> None:
    before = len(mail.taken)
    page = client.post("/subscribe", data={**FORM, "email": "right@example.net", **fields})
    assert page.status_code == 400 and told in page.text
    assert len(mail.taken) == before
    if "hour" not in fields:
        assert fields.get("value", "neutrino mass").strip() in page.text


def test_nobody_can_have_an_address_flooded(client: httpx.Client, mail: PlayingSmtp) -> None:
    statuses = [ask(client, "victim@example.net").status_code for _ in range(5)]
    assert statuses[:3] == [200, 200, 200] and set(statuses[3:]) == {429}


def test_a_program_that_fills_in_every_field_sends_no_mail(client: httpx.Client, mail: PlayingSmtp) -> None:
    before = len(mail.taken)
    assert ask(client, "bot@example.net", website="https://spam.example").status_code == 200
    assert len(mail.taken) == before


def test_an_address_whose_mail_came_back_is_told_why(client: httpx.Client, store: Store) -> None:
    store.suppress("bounced@example.net", "came back: 5.1.1 no such user")
    page = ask(client, "bounced@example.net")
    assert page.status_code == 400 and "no such user" in page.text


def test_a_site_without_a_mail_server_points_to_its_feeds(tmp_path: Path) -> None:
    with running_server(tmp_path / "home") as server, httpx.Client(base_url=server.url) as client:
        assert "sends no mail" in client.get("/subscribe").text
        assert client.post("/subscribe", data={**FORM, "email": "a@example.net"}).status_code == 404


def test_an_address_that_was_not_confirmed_in_a_week_is_forgotten(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'b.db'}")
    store.subscribe(Subscription(0, "mail", "silent@example.net"))
    kept = store.subscribe(Subscription(0, "mail", "reader@example.net"), confirmed=True)
    now = datetime.now(UTC)
    assert forget_unconfirmed(store, now + timedelta(days=6)) == 0
    assert forget_unconfirmed(store, now + timedelta(days=8)) == 1
    assert [one.id for one in store.subscriptions()] == [kept.id]
    store.close()


def test_a_reader_with_a_browser_subscribes_confirms_changes_and_leaves(
    site: Server, mail: PlayingSmtp, store: Store, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(site.url + "/subscribe")
    page.fill("#email", "browser@example.net")
    page.select_option("#kind", "category")
    page.fill("main input[name=value]", "cs.CV")
    page.click("main button")
    assert mail.taken[-1].recipients == ["browser@example.net"]
    page.goto(site.url + link(mail, "confirm"))
    page.click("main button")
    assert "cs.CV, every day" in page.inner_text("main")
    page.select_option("#hour", "18")
    page.click("text=Save")
    assert "Saved." in page.inner_text("main") and "18:00" in page.inner_text("main")
    (one,) = store.subscriptions(address="browser@example.net")
    page.goto(f"{site.url}/unsubscribe/{Signer.of_home(site.home).token('unsubscribe', one)}")
    assert store.subscription(one.id).state == "active"
    page.click("main button")
    page.close()
    assert store.subscription(one.id).state == "left"
