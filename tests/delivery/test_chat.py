"""Editions go to chat rooms by real HTTP on loopback, as Mattermost and Matrix take them."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import orjson
import pytest

from broadsheet.delivery.channels import Outgoing, Refused, Retry, Sent
from broadsheet.delivery.chat import ROOMS, ChatChannel, checked_room
from broadsheet.delivery.chat.text import bare, escaped, markdown
from broadsheet.model.audiences import Audience
from broadsheet.model.subscriptions import Subscription, SubscriptionError
from tests.delivery.test_mail import SITE, item, paper
from tests.sources.playing_service import Answer, Asked, playing_service

HOSTILE = "**[Click](https://evil.example)** @everyone @channel <!here> <@U1> `x` ~~y~~ # z\n> q | || s"


def outgoing(channel: str, address: str, titles: int = 3, title: str = "") -> Outgoing:
    papers = [paper(key, title) for key in range(1, titles + 1)]
    return replace(item(papers=papers), subscription=Subscription(4, channel, address))


def told(one: Outgoing) -> Sent | Retry | Refused:
    return asyncio.run(ChatChannel(one.subscription.channel, "The Daily").send(one))


def test_an_edition_reaches_a_mattermost_room() -> None:
    with playing_service(Answer(200, b"ok")) as service:
        address = service.url.replace("http://", "mmost://") + "/abcdefghijklmnopqrstuvwx"
        assert told(outgoing("mattermost", address, title=HOSTILE)) == Sent()
    (asked,) = service.requests
    text = orjson.loads(asked.body)["text"]
    assert b"pprise" not in asked.body
    assert asked.path == "/hooks/abcdefghijklmnopqrstuvwx"
    assert text.startswith("**The Daily**: The front page, 29 May 2026")
    assert f"({SITE}/papers/2605.00001)" in text
    assert not re.search(r"@(everyone|channel)|(?<!\\)\[Click|(?<!\\)<!", text)


def test_an_edition_reaches_a_matrix_room_as_html_that_holds_nothing_of_a_titles_own() -> None:
    def matrix(asked: Asked) -> Answer:
        if "/join/" in asked.path:
            return Answer(200, b'{"room_id": "!room:playing"}')
        return Answer(200, b'{"event_id": "$1", "user_id": "@bot:playing", "room_id": "!room:playing"}')

    with playing_service(matrix) as service:
        address = service.url.replace("http://", "matrix://token0123456789@") + "/!room:playing"
        assert told(outgoing("matrix", address, title=HOSTILE + "<img src=x onerror=alert(1)>")) == Sent()
    sent = [orjson.loads(asked.body) for asked in service.requests if "/send/" in asked.path]
    html = sent[0]["formatted_body"]
    assert f'href="{SITE}/papers/2605.00001"' in html
    assert not re.search(r"<img|evil\.example\"|@everyone", html)


@pytest.mark.parametrize("status", [403, 500])
def test_a_room_that_does_not_take_it_is_tried_again(status: int) -> None:
    with playing_service(Answer(status)) as service:
        address = service.url.replace("http://", "mmost://") + "/abcdefghijklmnopqrstuvwx"
        assert told(outgoing("mattermost", address)) == Retry("mattermost did not take it")
    assert told(outgoing("mattermost", address)) == Retry("mattermost did not take it")


@pytest.mark.parametrize("most", [800, 2_000, 3_000])
@pytest.mark.parametrize("make", [escaped, bare])
def test_a_message_is_as_long_as_the_service_takes_and_says_how_many_more_there_are(most: int, make) -> None:
    for count in (1, 5, 60):
        one = outgoing("discord", "", count, "Long title_" * 30)
        one = replace(one, edition=replace(one.edition, audience=Audience("search", "words " * 160)))
        text = markdown(one, "The Daily", most, make)
        assert len(text) <= most
        shown = len(re.findall(r"^\d+\. ", text, re.MULTILINE))
        assert (f"and {count - shown} more" in text) == (count > shown)


def test_no_service_splits_what_it_is_sent() -> None:
    """An edition is one message: what the library is given fits each service, headings and all."""
    from broadsheet.delivery.chat.rooms import _room

    for name, address in ADDRESSES.items():
        assert _room(name, address).body_maxlen >= 2_000


ADDRESSES = {
    "slack": "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "discord": "https://discord.com/api/webhooks/123456789012345678/" + "a" * 68,
    "mattermost": "mmosts://chat.example.org/abcdefghijklmnopqrstuvwx",
    "matrix": "matrixs://token@matrix.example.org/#room",
    "telegram": "tgram://123456789:abcdefghijklmnopqrstuvwxyzABCDEFGHI/12315544/",
}


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_an_address_of_a_room_is_taken_and_one_of_another_service_is_refused_with_an_example(
    name: str,
) -> None:
    assert checked_room(name, f" {ADDRESSES[name]} ") == ADDRESSES[name]
    others = [ADDRESSES[other] for other in ADDRESSES if other != name]
    for wrong in (*others, "", "no address", "https://example.org/secret-token", "mailto://a:b@example.org"):
        with pytest.raises(SubscriptionError) as told:
            checked_room(name, wrong)
        assert ROOMS[name][1] in str(told.value)
        assert "secret-token" not in str(told.value)


def test_a_room_whose_address_is_wrong_since_is_refused() -> None:
    assert isinstance(told(outgoing("slack", "https://example.org")), Refused)
