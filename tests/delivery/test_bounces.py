"""Notifications in the shapes of the usual mail servers are understood, and hostile ones do no harm."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadsheet.delivery.mail.bounces import bounces
from broadsheet.delivery.mail.returned import Returned, from_maildir, from_mbox, take_in
from broadsheet.model.editions import ComposedEdition, ComposedEntry
from broadsheet.model.subscriptions import NewItem, Subscription
from broadsheet.store import Store
from tests.test_cli import printed, run

READER, MAIL_ID = "ada@example.net", "<7.0123456789abcdef@example.org>"
RETURNED = f"From: papers@example.org\nTo: {READER}\nSubject: The Daily\nMessage-ID: {MAIL_ID}\n"


def report(
    status: str, kind: str = "delivery-status", to: str = "bounces+7@example.org", last: str = ""
) -> bytes:
    """A multipart/report with ``status`` as its second part."""
    last = last or f"Content-Type: text/rfc822-headers\n\n{RETURNED}"
    text = f"""\
        From: MAILER-DAEMON@mx.example.net
        To: {to}
        Subject: Undelivered
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type={kind};
        \tboundary="7A/b.1"

        This is a MIME-encapsulated message.

        --7A/b.1
        Content-Type: text/plain

        Your message could not be handed over.

        --7A/b.1
        Content-Type: message/{kind}

        """
    return (textwrap.dedent(text) + f"{status}\n\n--7A/b.1\n{last}\n--7A/b.1--\n").encode()


POSTFIX = """\
Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4B1
Arrival-Date: Sat, 21 Nov 2026 07:00:00 +0000 (UTC)

Final-Recipient: rfc822; ada@example.net
Original-Recipient: rfc822;ada@example.net
Action: failed
Status: {status}
Remote-MTA: dns; mx2.example.net
Diagnostic-Code: smtp; {said}"""
EXIM = """\
Reporting-MTA: dns; mail.example.net

Action: failed
Final-Recipient: rfc822;ada@example.net
Status: 5.0.0
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.net>: Recipient address rejected: User unknown"""
EXCHANGE = """\
Reporting-MTA: dns;AM0PR01.example.net
Received-From-MTA: dns;papers.example.org
Arrival-Date: Sat, 21 Nov 2026 07:00:00 +0000

Final-Recipient: rfc822;ada@example.net
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: Ada"""
GMAIL = """\
Reporting-MTA: dns; googlemail.com
Arrival-Date: Fri, 20 Nov 2026 23:00:00 -0800 (PST)
X-Original-Message-ID: <other@example.org>

Final-Recipient: rfc822; ada@example.net
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.net. (192.0.2.1, the server for the domain.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the address. For more, see 550 5.1.1  https://support.example - gsmtp
Last-Attempt-Date: Fri, 20 Nov 2026 23:00:01 -0800 (PST)"""
OLD_EXIM = f"""\
From: Mail Delivery System <Mailer-Daemon@mail.example.net>
To: bounces+7@example.org
X-Failed-Recipients: ada@example.net
Auto-Submitted: auto-replied
Subject: Mail delivery failed

This message was created automatically.

  ada@example.net
    SMTP error from remote mail server after RCPT TO:<ada@example.net>:
    host mx.example.net [192.0.2.1]: 550 5.1.1 <ada@example.net>: no such user

------ This is a copy of the message, including all the headers. ------

{RETURNED}
""".encode()
ARF = """\
Feedback-Type: abuse
User-Agent: Feedback/1.0
Version: 1
Original-Mail-From: bounces+7@example.org
Original-Rcpt-To: ada@example.net
Source-IP: 192.0.2.9"""


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (report(POSTFIX.format(status="5.1.1", said="550 5.1.1 <ada@example.net>: unknown")), "hard"),
        (report(POSTFIX.format(status="5.2.2", said="552 5.2.2 mailbox full")), "soft"),
        (report(POSTFIX.format(status="5.7.1", said="550 5.7.1 looks like spam")), "soft"),
        (report(POSTFIX.format(status="4.4.1", said="connect to mx.example.net: timed out")), "soft"),
        (report(POSTFIX.format(status="5.4.4", said="Host or domain name not found")), "hard"),
        (report(POSTFIX.format(status="5.0.0", said="550 user unknown")), "hard"),
        (report(EXIM), "hard"),
        (report(EXCHANGE, last=f"Content-Type: message/rfc822\n\n{RETURNED}\nThe mail.\n"), "hard"),
        (report(GMAIL), "hard"),
        (OLD_EXIM, "hard"),
        (report(ARF, "feedback-report"), "complaint"),
    ],
)
def test_what_mail_servers_send_back_is_understood(data: bytes, kind: str) -> None:
    for ends in (data, data.replace(b"\n", b"\r\n")):
        (told,) = bounces(ends)
        assert (told.kind, told.address, told.item, told.message_id) == (kind, READER, 7, MAIL_ID)
        assert READER not in told.reason and 10 < len(told.reason) <= 300 and told.reason.isprintable()


def test_a_notification_inside_of_what_a_relay_put_around_it_is_read() -> None:
    inner = report(EXIM).partition(b"MIME-Version: 1.0\n")[2]
    data = b'To: bounces+7@example.org\nContent-Type: multipart/mixed; boundary="out"\n\n--out\n' + inner
    (told,) = bounces(data + b"\n--out\nContent-Type: text/plain\n\nA footer.\n--out--\n")
    assert (told.kind, told.address, told.message_id) == ("hard", READER, MAIL_ID)


def test_an_address_beyond_ascii_is_read_as_it_is() -> None:
    status = POSTFIX.format(status="5.1.1", said="no").replace("rfc822; ada@", r"utf-8; gr\x{FC}\x{DF}e@")
    (told,) = bounces(report(status))
    assert told.address == "grüße@example.net"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff" * 500,
        b"From: ada@example.net\nTo: bounces+7@example.org\nSubject: Re: The Daily\n\nThank you! 550 5.1.1",
        b"From: ada@example.net\nAuto-Submitted: auto-replied\nSubject: Out of office\n\nUntil Monday.",
        report(POSTFIX.format(status="4.4.1", said="later").replace("failed", "delayed")),
        report(POSTFIX.format(status="2.0.0", said="fine").replace("failed", "delivered")),
        report(ARF.replace("abuse", "not-spam"), "feedback-report"),
    ],
)
def test_what_is_no_bounce_tells_nothing(data: bytes) -> None:
    assert bounces(data) == []


def nested(depth: int, kind: str) -> bytes:
    return b"".join(
        b"Content-Type: %s; report-type=delivery-status; boundary=b%d\n\n--b%d\n" % (kind.encode(), n, n)
        for n in range(depth)
    )


def test_hostile_notifications_neither_raise_nor_keep_their_reader_busy() -> None:
    for data in (
        nested(5_000, "multipart/report") + b"\n" * 300_000,
        nested(39, "multipart/mixed") + b"\n" * 300_000,
        b"Content-Type: message/rfc822\n\n" * 20_000,
        b"To: " + b"(" * 200_000 + b"\n\n",
        b"Content-Type: multipart/report; " + b"a*0=b; " * 30_000 + b"\n\n",
        b"X-Failed-Recipients: " + b"a@b.example," * 30_000 + b"\n\n" + b"550 " * 50_000,
        report("Action: failed\nStatus: 5.1.1\n\n" * 3_000),
        report("Action: failed\nDiagnostic-Code: smtp; " + "user " * 40_000),
        report("Action: failed\nFinal-Recipient: utf-8; " + r"\x{FFFFF}" * 50),
    ):
        assert len(bounces(data)) <= 100


def test_damaged_notifications_never_raise() -> None:
    chance = random.Random(20261121)
    samples = [report(GMAIL), report(EXCHANGE), report(ARF, "feedback-report"), OLD_EXIM]
    for _ in range(600):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 12)):
            place = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randint(1, 80)]
                case 2:
                    data[place:place] = data[place // 2 : place // 2 + chance.randint(1, 200)]
                case 3:
                    data[place:place] = chance.choice([b"\n\n", b"\r", b"\x00", b"--7A/b.1\n", b"=?utf-8?q?"])
            if not data:
                break
        for told in bounces(bytes(data)):
            assert told.reason.isprintable() and len(told.reason) <= 300


# -- what they change


@pytest.fixture()
def opened(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path / 'b.db'}")
    yield store
    store.close()


def sent(store: Store, address: str = READER, day: str = "2026-11-21") -> str:
    """Sends one edition to ``address``; the id of the mail."""
    one = store.subscribe(Subscription(0, "mail", address), confirmed=True)
    edition = ComposedEdition(0, one.audience, "day", day, day, "", (ComposedEntry(1, 1),), (1,))
    store.save_edition(edition, [NewItem(one.id, day, ((1, 0),))], now=0.0)
    (row,) = store.take(10, 1.0, "me")
    store.mark_sent(row.id, f"<{row.id}.x@example.org>")
    return f"<{row.id}.x@example.org>"


def returned(
    status: str, mail_id: str, kind: str = "delivery-status", to: str = "bounces@example.org"
) -> bytes:
    return report(status, kind, to).replace(MAIL_ID.encode(), mail_id.encode())


HARD = POSTFIX.format(status="5.1.1", said="550 no such user")
SOFT = POSTFIX.format(status="4.2.2", said="452 mailbox full")


def test_an_address_that_is_gone_gets_nothing_more(opened: Store) -> None:
    data = returned(HARD, sent(opened))
    assert take_in(opened, [data]) == Returned(read=1, hard=1, suppressed=1)
    assert "no such user" in opened.suppressed(READER)
    assert [row.state for row in opened.outbox()] == ["bounced"]
    # Told once more, it changes nothing.
    assert take_in(opened, [data]) == Returned(read=1, hard=1)
    assert opened.outbox()[0].attempts == 2


def test_passing_troubles_are_counted_and_five_in_a_row_end_it(opened: Store) -> None:
    for day in range(1, 5):
        assert take_in(opened, [returned(SOFT, sent(opened, day=f"2026-11-{day:02}"))]).soft == 1
    assert not opened.suppressed(READER)
    assert take_in(opened, [returned(SOFT, sent(opened, day="2026-11-05"))]).hard == 1
    assert opened.suppressed(READER)


def test_a_reader_who_complains_has_left(opened: Store) -> None:
    report_ = take_in(opened, [returned(ARF.replace(READER, "redacted"), sent(opened), "feedback-report")])
    assert report_ == Returned(read=1, complaints=1, suppressed=1)
    assert [one.state for one in opened.subscriptions()] == ["left"]
    assert "complained" in opened.suppressed(READER)


def test_a_notification_that_proves_nothing_is_believed_only_from_those_who_are_trusted(
    opened: Store,
) -> None:
    sent(opened)
    forged = returned(HARD, "<guessed@example.org>")
    assert take_in(opened, [forged, b"spam"]) == Returned(read=2, unknown=1, other=1)
    assert not opened.suppressed(READER) and opened.outbox()[0].state == "sent"
    # The number of another mail in the envelope disproves it.
    assert take_in(opened, [returned(HARD, "<x@y>", to="bounces+999@example.org")]).unknown == 1
    assert take_in(opened, [forged], trusted=True).hard == 1
    assert opened.suppressed(READER)


def test_a_mail_that_was_forwarded_comes_back_for_whom_it_was_sent_to(opened: Store) -> None:
    take_in(opened, [returned(HARD.replace("ada@example.net", "lovelace@elsewhere.example"), sent(opened))])
    assert opened.suppressed(READER) and not opened.suppressed("lovelace@elsewhere.example")


def test_the_mails_of_a_maildir_are_read_once(opened: Store, tmp_path: Path) -> None:
    box = tmp_path / "box"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new" / "1.a").write_bytes(returned(HARD, sent(opened)))
    (box / "cur" / "2.b:2,F").write_bytes(b"From: somebody\n\nHello")
    (box / "cur" / "3.c:2,S").write_bytes(b"From: somebody\n\nRead before")
    assert take_in(opened, from_maildir(box)) == Returned(read=2, hard=1, other=1, suppressed=1)
    assert sorted(path.name for path in (box / "cur").iterdir()) == ["1.a:2,S", "2.b:2,FS", "3.c:2,S"]
    assert list(from_maildir(box)) == []


def test_an_mbox_file_is_taken_apart() -> None:
    one, two = report(EXIM), report(GMAIL)
    mails = list(from_mbox(b"From x Sat Nov 21\n" + one + b"\nFrom y Sat Nov 21\n" + two))
    assert [bounces(mail)[0].kind for mail in mails] == ["hard", "hard"]
    assert list(from_mbox(one)) == [one]


def test_the_command_reads_files_maildirs_and_standard_input(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    data = returned(HARD, sent(store))
    (tmp_path / "mail.eml").write_bytes(data)
    assert printed(run("bounces", tmp_path / "mail.eml", home=home))["suppressed"] == 1
    assert printed(run("bounces", "--lift", READER, home=home)) == {"lifted": READER}
    assert not store.suppressed(READER)
    assert printed(run("bounces", "-", home=home, stdin=data))["hard"] == 1
    store.close()
    nothing = run("bounces", home=home)
    assert nothing.returncode == 1 and b"BROADSHEET_BOUNCES_URL" in nothing.stderr
