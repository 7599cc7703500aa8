"""Mail servers and services post what came back to the real site, and nobody else can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from broadsheet.store import Store
from tests.delivery.test_bounces import HARD, returned, sent
from tests.web.server import Server, running_server

SECRET = "a-long-secret"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hooks") / "home"


@pytest.fixture(scope="module")
def site(home: Path) -> Iterator[Server]:
    with running_server(
        home, env={"BROADSHEET_BOUNCES_SECRET": SECRET, "BROADSHEET_DELIVER": "no"}
    ) as server:
        yield server


@pytest.fixture()
def store(home: Path, site: Server) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    yield opened
    opened.close()


def post(site: Server, data: object, **more: object) -> httpx.Response:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    more.setdefault("params", {"secret": SECRET})
    return httpx.post(f"{site.url}/hooks/bounces", content=body, timeout=30, **more)


def ses(address: str, mail_id: str = "", **event: object) -> dict:
    headers = [{"name": "Message-ID", "value": mail_id}]
    told = {"notificationType": "Bounce", "mail": {"messageId": "0100", "headers": headers}}
    gone = {"emailAddress": address, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 no such user"}
    return {**told, "bounce": {"bounceType": "Permanent", "bouncedRecipients": [gone]}, **event}


def test_who_does_not_know_the_secret_changes_nothing(site: Server, store: Store) -> None:
    data = returned(HARD, sent(store, "kept@example.net"))
    for more in (
        {"params": {}},
        {"params": {"secret": "wrong"}},
        {"params": {"secret": ""}},
        {"params": {}, "headers": {"Authorization": "Bearer wrong"}},
        {"params": {}, "headers": {"Authorization": "Basic !!"}},
        {"params": {}, "auth": ("any", "wrong")},
    ):
        assert post(site, data, **more).status_code == 403
    assert not store.suppressed("kept@example.net")


def test_a_site_without_a_secret_takes_nothing(tmp_path: Path) -> None:
    with running_server(tmp_path / "home") as server:
        for secret in ("", SECRET):
            assert httpx.post(f"{server.url}/hooks/bounces", params={"secret": secret}).status_code == 403


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"params": {}, "headers": {"Authorization": f"Bearer {SECRET}"}},
        {"params": {}, "auth": ("any", SECRET)},
    ],
)
def test_a_message_is_taken_in_however_the_secret_is_told(site: Server, store: Store, more: dict) -> None:
    told = post(site, returned(HARD, sent(store, f"reader{len(str(more))}@example.net")), **more)
    assert told.status_code == 200 and told.json()["hard"] == 1


SERVICES = {
    "ses": ses("ses@example.net"),
    "sns": {"Type": "Notification", "Message": json.dumps(ses("sns@example.net"))},
    "postmark": {
        "RecordType": "Bounce", "Type": "HardBounce", "Email": "postmark@example.net",
        "Details": "smtp;550 5.1.1 unknown user", "MessageID": "883953f4",
    },
    "mailgun": {
        "signature": {}, "event-data": {
            "event": "failed", "severity": "permanent", "recipient": "mailgun@example.net",
            "delivery-status": {"code": 550, "message": "5.1.1 no such user"},
            "message": {"headers": {"message-id": "other@example.org"}},
        },
    },
}  # fmt: skip
COMPLAINTS = {
    "ses": {
        "eventType": "Complaint",
        "mail": {},
        "complaint": {"complainedRecipients": [{"emailAddress": "c-ses@example.net"}]},
    },
    "postmark": {"RecordType": "SpamComplaint", "Email": "c-postmark@example.net"},
    "mailgun": {"event-data": {"event": "complained", "recipient": "c-mailgun@example.net"}},
}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_what_mail_services_post_is_understood(site: Server, store: Store, service: str) -> None:
    sent(store, f"{service}@example.net")
    # Amazon posts its JSON as plain text.
    told = post(site, SERVICES[service], headers={"Content-Type": "text/plain; charset=UTF-8"})
    assert (told.status_code, told.json()["hard"], told.json()["suppressed"]) == (200, 1, 1)
    assert store.suppressed(f"{service}@example.net").startswith("came back: ")


@pytest.mark.parametrize("service", sorted(COMPLAINTS))
def test_who_complains_at_a_mail_service_has_left(site: Server, store: Store, service: str) -> None:
    address = f"c-{service}@example.net"
    sent(store, address)
    assert post(site, COMPLAINTS[service]).json()["complaints"] == 1
    assert store.suppressed(address)
    assert [one.state for one in store.subscriptions(address=address)] == ["left"]


def test_a_passing_trouble_suppresses_nobody(site: Server, store: Store) -> None:
    mail_id = sent(store, "full@example.net")
    full = {"emailAddress": "full@example.net", "status": "5.2.2", "diagnosticCode": "smtp; 552 5.2.2 full"}
    told = post(site, ses("", mail_id, bounce={"bounceType": "Transient", "bouncedRecipients": [full]}))
    assert told.json()["soft"] == 1
    assert store.sent_as(mail_id).state == "bounced" and not store.suppressed("full@example.net")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 100_000, 400),
        ({"hello": 1}, 400),
        ({"RecordType": "Open", "Email": "x@example.net"}, 200),
        ({"RecordType": "Bounce", "Email": {"a": 1}, "Type": ["x"]}, 200),
        ({"notificationType": "Bounce", "bounce": {"bouncedRecipients": [1, None, {}]}, "mail": []}, 200),
        ({"Type": "Notification", "Message": "Successfully validated SNS topic"}, 200),
        ({"Type": "SubscriptionConfirmation", "SubscribeURL": "https://sns.example/?x", "Message": ""}, 200),
        ({"RecordType": "Bounce", "Type": "HardBounce", "Email": "a\ud800\x00@b.example"}, 200),
        (b"hello", 200),
        (b"", 200),
        (b"x" * 2_000_001, 413),
    ],
)
def test_whatever_else_is_posted_is_answered(site: Server, body: object, status: int) -> None:
    assert post(site, body).status_code == status
