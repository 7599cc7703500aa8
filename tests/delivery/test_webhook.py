"""Editions are posted to a real HTTP server on loopback, which checks the signature as its owner would."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from broadsheet.delivery.channels import Outgoing, Refused, Retry, Sent
from broadsheet.delivery.chat import WebhookChannel, checked_webhook, secret_of, webhook
from broadsheet.model.subscriptions import Subscription, SubscriptionError
from broadsheet.sources.http import Client
from broadsheet.store import Store
from tests.delivery.test_mail import item, paper
from tests.sources.playing_service import Answer, Asked, playing_service
from tests.test_cli import printed, run

HOME_SECRET = b"k" * 32


@pytest.fixture()
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as made:
        yield made


def outgoing(url: str) -> Outgoing:
    subscription = Subscription(12, "webhook", f"{url}/hook", created="2026-11-21T10:00:00.000Z")
    return replace(
        item(papers=[paper(1, "Größe “<b>” 漢字 \u2028 \U0001f600")], number=99), subscription=subscription
    )


def posted(client: Client, one: Outgoing) -> Sent | Retry | Refused:
    return asyncio.run(WebhookChannel(client, HOME_SECRET).send(one))


def signed_by_us(asked: Asked, secret: str) -> bool:
    told = asked.headers["x-broadsheet-timestamp"].encode() + b"." + asked.body
    expected = "sha256=" + hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()
    return hmac.compare_digest(asked.headers["x-broadsheet-signature"], expected)


def test_the_bytes_that_arrive_are_those_that_were_signed(client: Client) -> None:
    with playing_service(Answer(204)) as hook:
        one = outgoing(hook.url)
        assert posted(client, one) == Sent()
    (asked,) = hook.requests
    secret = secret_of(HOME_SECRET, one.subscription)
    assert signed_by_us(asked, secret)
    assert not signed_by_us(replace(asked, body=asked.body.replace(b"Gr", b"gr")), secret)
    assert not signed_by_us(asked, secret_of(HOME_SECRET, replace(one.subscription, id=13)))
    told = orjson.loads(asked.body)
    assert asked.headers["content-type"] == "application/json"
    assert told["papers"][0]["title"] == one.papers[0].title
    assert told["delivery"] == 99 and told["papers"][0]["reasons"] == ["Place 1."]


def test_a_hook_that_fails_is_tried_again_under_the_same_delivery_number(client: Client) -> None:
    with playing_service(Answer(500), Answer(429), Answer(200)) as hook:
        answers = [posted(client, outgoing(hook.url)) for _ in range(3)]
    assert [type(answer) for answer in answers] == [Retry, Retry, Sent]
    assert "500" in answers[0].reason and not answers[0].away
    assert {asked.headers["x-broadsheet-delivery"] for asked in hook.requests} == {"99"}


@pytest.mark.parametrize("status", [404, 410])
def test_a_hook_that_is_gone_is_not_asked_again(client: Client, status: int) -> None:
    with playing_service(Answer(status)) as hook:
        assert posted(client, outgoing(hook.url)) == Refused(f"the webhook answered {status}: it is gone")


def test_a_hook_that_hangs_or_is_away_is_tried_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(webhook._PATIENCE, "silence", 0.2)
    with playing_service(Answer(hold=1.0)) as hook:
        assert posted(client, outgoing(hook.url)) == Retry("the webhook did not take it (no answer)")
    assert posted(client, outgoing(hook.url)) == Retry("the webhook did not take it (no answer)")


def test_a_hook_cannot_send_the_edition_on_to_another_host(client: Client) -> None:
    with (
        playing_service(Answer(200)) as other,
        playing_service(Answer(307, headers={"Location": f"{other.url}/else"})) as hook,
    ):
        assert isinstance(posted(client, outgoing(hook.url)), Retry)
    assert not other.requests


@pytest.mark.parametrize("address", ["", "ftp://x.example", "https://", "hooks.example.org/x", "http://[::"])
def test_an_address_of_no_webhook_says_how_to_write_one(address: str) -> None:
    with pytest.raises(SubscriptionError, match="https://"):
        checked_webhook(address)


def test_the_secret_that_signs_is_told_when_a_webhook_is_subscribed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    told = [
        printed(run("subscribe", "https://example.org/hook", "--channel", "webhook", home=home))
        for _ in range(2)
    ]
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    (one,) = store.subscriptions()
    store.close()
    assert one.state == "active"
    secret = secret_of((home / "secret.key").read_bytes(), one)
    assert all(secret in each["note"] for each in told)
