"""The mailbox of bounces is read from a real IMAP server on loopback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from broadsheet.delivery.mail.inbox import Inbox, InboxError
from broadsheet.delivery.mail.returned import Returned, take_in
from broadsheet.store import Store
from tests.delivery.playing_imap import playing_imap
from tests.delivery.test_bounces import HARD, READER, opened, returned, sent
from tests.web.server import running_server

__all__ = ["opened"]


def test_unread_mails_are_read_once_and_marked(opened: Store) -> None:
    data = returned(HARD, sent(opened))
    with playing_imap([b"From: x\r\n\r\nhello", data, b"Subject: long\r\n\r\n" + b"x" * 400_000]) as mailbox:
        report = take_in(opened, Inbox.of(mailbox.url).unread())
        assert report == Returned(read=3, hard=1, other=2, suppressed=1)
        assert mailbox.seen == {1, 2, 3}
        assert take_in(opened, Inbox.of(mailbox.url).unread()) == Returned()
    assert opened.suppressed(READER)


def test_what_breaks_off_is_read_again_the_next_time(opened: Store) -> None:
    mails = [returned(HARD, sent(opened)), b"From: x\r\n\r\n" + b"second " * 100]
    with playing_imap(mails) as mailbox:
        mailbox.cut = 2
        with pytest.raises(InboxError, match=r"127\.0\.0\.1"):
            take_in(opened, Inbox.of(mailbox.url).unread())
        assert mailbox.seen == {1}
        assert opened.suppressed(READER)
        mailbox.cut = 0
        assert take_in(opened, Inbox.of(mailbox.url).unread()) == Returned(read=1, other=1)


def test_a_mailbox_that_cannot_be_read_says_why_without_the_password() -> None:
    with playing_imap([]) as mailbox:
        for url, why in (
            (mailbox.url.replace("secret", "s3cr3t"), "wrong user name or password"),
            (mailbox.url.replace("/INBOX", "/Other"), "no folder Other"),
            # Without TLS no password is sent.
            (mailbox.url.replace("?tls=no", ""), "cannot be read"),
        ):
            with pytest.raises(InboxError, match=why) as told:
                list(Inbox.of(url).unread())
            assert "s3cr3t" not in str(told.value)
        assert mailbox.logins == 2
    with pytest.raises(InboxError, match="cannot be reached"):
        list(Inbox.of(mailbox.url).unread())


@pytest.mark.parametrize("url", ["", "imaps://host", "https://a:b@host", "imaps://a:b@host:x", "imap://[::"])
def test_an_address_of_no_mailbox_says_how_to_write_one(url: str) -> None:
    with pytest.raises(InboxError, match="imaps://user:password@host/INBOX"):
        Inbox.of(url)


def test_an_address_of_a_mailbox_is_taken_apart() -> None:
    assert Inbox.of("imaps://a%40b.org:p%2Fw@mail.example.org/Lists/Bounces") == Inbox(
        "mail.example.org", 993, "a@b.org", "p/w", "Lists/Bounces"
    )


def test_a_running_server_reads_the_mailbox_by_itself(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    data = returned(HARD, sent(store))
    with playing_imap([data]) as mailbox, running_server(home, env={"BROADSHEET_BOUNCES_URL": mailbox.url}):
        until = time.monotonic() + 60
        while not mailbox.seen and time.monotonic() < until:
            time.sleep(0.05)
    assert mailbox.seen == {1} and store.suppressed(READER)
    store.close()
