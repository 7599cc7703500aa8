"""Mails are read by the mail library as a mail program would, and sent to a real server on loopback."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import dkim
import lxml.html
import pytest

from broadsheet.delivery.channels import Links, Outgoing, Refused, Retry, Sent
from broadsheet.delivery.mail.message import Sender, SenderError, message, message_id
from broadsheet.delivery.mail.render import SHOWN, Renderer, Site
from broadsheet.delivery.mail.smtp import MailChannel, Server, ServerError
from broadsheet.model.audiences import Audience
from broadsheet.model.editions import ComposedEdition, ComposedEntry
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Link, Paper
from broadsheet.model.subscriptions import Subscription
from tests.delivery.mail_rules import broken
from tests.delivery.playing_smtp import playing_smtp

SITE = "https://papers.example.org"
SENDER = Sender.of("The Daily <papers@example.org>", bounces="bounces+@example.org")


def paper(key: int, title: str = "", abstract: str = "") -> Paper:
    return Paper(
        key,
        f"2605.{key:05}",
        title or f"Paper {key} on $\\beta$-decay",
        abstract or "We weigh neutrinos. " + "The balance is described in much detail. " * 20,
        [Author("Ada Lovelace"), Author("Émilie du Châtelet")],
        identifiers=[Identifier("arxiv", f"2605.{key:05}")],
        links=[Link("code", "https://github.com/ada/engine")],
    )


def item(
    address: str = "reader@example.net",
    papers: Iterable[Paper] | None = None,
    number: int = 7,
    audience: Audience | None = None,
    incomplete: str = "",
) -> Outgoing:
    chosen = list(papers) if papers is not None else [paper(1), paper(2, "Second <title> & more")]
    entries = tuple(
        ComposedEntry(p.key, place, reasons=(f"Place {place}.",)) for place, p in enumerate(chosen, 1)
    )
    edition = ComposedEdition(
        3, audience or Audience(), "day", "2026-05-29", "2026-05-29", "", entries, incomplete=incomplete
    )
    links = Links(SITE, f"{SITE}/subscription/abc", f"{SITE}/unsubscribe/abc")
    return Outgoing(number, Subscription(number, "mail", address), edition, chosen, links)


def renderer() -> Renderer:
    return Renderer(Site("The Daily", postal_address="1 Paper Street"))


def written(one: Outgoing, sender: Sender = SENDER) -> bytes:
    return message(one, renderer().rendered(one), sender)


def test_a_mail_has_a_text_part_and_an_html_part_with_the_same_papers() -> None:
    from email import message_from_bytes, policy

    mail = message_from_bytes(written(item()), policy=policy.default)
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert mail.get_content_type() == "multipart/alternative"
    assert not mail.defects
    for title in ("Paper 1 on β-decay", "Second <title> & more"):
        assert title in text
        assert title in lxml.html.fromstring(html).text_content()
    assert f"{SITE}/papers/2605.00001" in text
    assert max(map(len, text.splitlines())) <= 76
    # Styles stand at the elements, for programs that drop the head.
    assert 'style="' in html
    assert "prefers-color-scheme: dark" in html


def test_the_headers_let_a_reader_leave_by_one_click() -> None:
    from email import message_from_bytes, policy

    mail = message_from_bytes(written(item()), policy=policy.default)
    assert mail["List-Unsubscribe"] == f"<{SITE}/unsubscribe/abc>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"].endswith("<everybody.example.org>")
    assert mail["From"] == "The Daily <papers@example.org>"
    assert mail["To"] == "reader@example.net"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "The Daily: Paper 1 on β-decay and 1 more"


def test_headers_that_programs_act_on_stand_there_as_they_are_however_long() -> None:
    from email import message_from_bytes, policy

    one = item(audience=Audience("search", "ünï large models, and " * 20))
    long = f"{SITE}/unsubscribe/" + "WzEyMzQ1NiwiMjAyNi0xMS0yMVQx" * 6
    one = dataclasses.replace(one, links=Links(SITE, f"{SITE}/s/x", long))
    data = written(one, Sender.of('"Zeitung, die: \\"Ünï\\"" <papers@bücher.example>'))
    assert f"\r\nList-Unsubscribe: <{long}>\r\n".encode() in data
    mail = message_from_bytes(data, policy=policy.default)
    assert mail["From"].addresses[0].addr_spec == "papers@xn--bcher-kva.example"
    assert mail["From"].addresses[0].display_name == 'Zeitung, die: "Ünï"'
    assert mail["Subject"] == renderer().rendered(one).subject
    assert re.search(r" <search-[0-9a-f]{10}\.xn--bcher-kva\.example>$", mail["List-Id"])
    assert not mail.defects and not any(header.defects for header in mail.values())


def test_every_line_of_a_message_keeps_to_the_limits_of_the_standard() -> None:
    long = item(audience=Audience("search", "ünï " * 200), papers=[paper(1, "Wörter " * 300, "x" * 5_000)])
    data = written(long)
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", data)
    assert data.isascii()


def test_the_same_edition_is_the_same_message_at_every_try() -> None:
    without_date = [re.sub(rb"Date: [^\r]+", b"", written(item())) for _ in range(2)]
    assert without_date[0] == without_date[1]


def test_of_a_long_edition_the_first_papers_are_shown_and_the_mail_is_not_cut_off_by_mailboxes() -> None:
    from email import message_from_bytes, policy

    mail = message_from_bytes(
        written(item(papers=[paper(key) for key in range(1, 101)])), policy=policy.default
    )
    html = mail.get_body(("html",)).get_content()
    assert len(html.encode()) < 102_000
    assert html.count("Read on") == SHOWN
    assert f"And {100 - SHOWN} more" in html


def test_sources_that_had_not_told_everything_are_named_in_both_parts() -> None:
    from email import message_from_bytes, policy

    mail = message_from_bytes(
        written(item(incomplete="arXiv could not be read today.")), policy=policy.default
    )
    for kind in ("plain", "html"):
        assert "arXiv could not be read today." in mail.get_body((kind,)).get_content()


def test_nothing_in_a_paper_becomes_an_element_or_a_header() -> None:
    from email import message_from_bytes, policy

    hostile = paper(
        1, "<img src=x onerror=alert(1)>\r\nBcc: all@example.net", "<script>alert(1)</script> text"
    )
    data = written(item(papers=[hostile]))
    mail = message_from_bytes(data, policy=policy.default)
    html = lxml.html.fromstring(mail.get_body(("html",)).get_content())
    assert mail["Bcc"] is None
    assert not html.xpath("//script|//img|//*[@onerror]")


def test_readers_of_one_edition_get_their_own_links() -> None:
    made = renderer()
    one, other = item(), item("second@example.net", number=8)
    other = Outgoing(
        8, other.subscription, other.edition, other.papers, Links(SITE, f"{SITE}/s/other", f"{SITE}/u/other")
    )
    first, second = made.rendered(one), made.rendered(other)
    assert "/unsubscribe/abc" in first.html and "/unsubscribe/abc" not in second.html
    assert "/u/other" in second.text and "/u/other" in second.html
    assert ".invalid" not in second.html + second.text


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dkim") / "key.pem"
    subprocess.run(
        ["openssl", "genrsa", "-traditional", "-out", str(path), "2048"], check=True, capture_output=True
    )
    return path


def test_a_signature_covers_the_headers_of_leaving_and_holds(key: Path) -> None:
    der = subprocess.run(
        ["openssl", "rsa", "-in", str(key), "-pubout", "-outform", "DER"], check=True, capture_output=True
    ).stdout
    import base64

    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)
    sender = Sender.of("papers@example.org", key=str(key), selector="daily")
    data = written(item(), sender)
    asked = []

    def dns(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record

    assert dkim.verify(data, dnsfunc=dns)
    assert asked == [b"daily._domainkey.example.org."]
    signed = re.search(rb"h=([^;]+);", data)[1].lower()
    assert b"list-unsubscribe-post" in signed and b"list-unsubscribe" in signed
    assert not dkim.verify(data.replace(b"/unsubscribe/abc", b"/unsubscribe/abd"), dnsfunc=dns)


def send(channel: MailChannel, *items: Outgoing) -> list[object]:
    async def all_of_them() -> list[object]:
        try:
            return list(await asyncio.gather(*(channel.send(one) for one in items)))
        finally:
            await channel.close()

    return asyncio.run(all_of_them())


def channel(url: str, connections: int = 2) -> MailChannel:
    return MailChannel(Server.of(url), SENDER, renderer(), connections)


def test_mails_go_to_the_server_over_few_connections_each_with_an_envelope_sender_of_its_own() -> None:
    with playing_smtp() as server:
        items = [item(f"reader{n}@example.net", number=n) for n in range(1, 31)]
        answers = send(channel(server.url), *items)
    assert answers == [Sent(message_id(one, SENDER)) for one in items]
    assert sorted(taken.recipients[0] for taken in server.taken) == sorted(
        one.subscription.address for one in items
    )
    assert {taken.sender for taken in server.taken} == {f"bounces+{n}@example.org" for n in range(1, 31)}
    assert server.connections == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("defer", Retry("the mail server answered 451 4.3.0 try later")),
        ("full", Retry("the mail server answered 452 4.2.2 mailbox full")),
        ("gone", Refused("the mail server answered 550 5.1.1 no such user …", suppress=True)),
        ("policy", Refused("the mail server answered 550 5.7.1 refused by policy", suppress=False)),
    ],
)
def test_what_the_server_answers_decides_whether_it_is_tried_again(name: str, expected: object) -> None:
    with playing_smtp() as server:
        assert send(channel(server.url), item(f"{name}@example.net"), item("fine@example.net", number=9)) == [
            expected,
            Sent(message_id(item("fine@example.net", number=9), SENDER)),
        ]


def test_a_sender_that_the_server_does_not_take_keeps_all_mails_waiting() -> None:
    with playing_smtp(sender="550 5.7.1 papers@example.org is not yours") as server:
        (answer,) = send(channel(server.url), item())
    assert answer == Retry("the mail server does not take the sender: 550 5.7.1 … is not yours", away=True)


def test_a_connection_that_breaks_is_tried_again_with_the_same_message_id() -> None:
    with playing_smtp() as server:
        (answer,) = send(channel(server.url), item("break@example.net"))
    assert isinstance(answer, Retry) and not answer.away
    assert server.taken[0].message["Message-ID"] == message_id(item("break@example.net"), SENDER)


def test_a_server_that_is_away_keeps_all_mails_waiting() -> None:
    with playing_smtp() as server:
        url = server.url
    (answer,) = send(channel(url), item())
    assert isinstance(answer, Retry) and answer.away
    assert "127.0.0.1" in answer.reason


def test_a_password_is_not_sent_over_a_wire_without_encryption_unless_that_is_said() -> None:
    with playing_smtp(extensions=("8BITMIME", "AUTH PLAIN LOGIN")) as server:
        url = server.url.replace("smtp://", "smtp://ada:secret@")
        (answer,) = send(channel(url), item())
        assert isinstance(answer, Retry) and answer.away
        assert server.logins == []
        assert "secret" not in answer.reason
        assert isinstance(send(channel(url + "?tls=no"), item())[0], Sent)
        assert len(server.logins) == 1


def test_an_address_beyond_ascii_needs_a_server_that_takes_it() -> None:
    name, domain = item("grüße@example.net"), item("reader@bücher.example", number=8)
    with playing_smtp() as server:
        assert all(isinstance(answer, Sent) for answer in send(channel(server.url), name, domain))
    assert {taken.recipients[0] for taken in server.taken} == {
        "grüße@example.net",
        "reader@xn--bcher-kva.example",
    }
    assert any("SMTPUTF8" in taken.options for taken in server.taken)
    with playing_smtp(extensions=()) as server:
        assert isinstance(send(channel(server.url), name)[0], Refused)


@pytest.mark.parametrize(
    "url", ["", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://h:x", "smtp://[::"]
)
def test_an_address_of_no_mail_server_says_how_to_write_one(url: str) -> None:
    with pytest.raises(ServerError, match="smtp://user:password@host:587"):
        Server.of(url)


@pytest.mark.parametrize("sender", ["", "papers", "a@b\r\nBcc: c@d", "<>", "two@x.org, three@y.org extra"])
def test_a_sender_that_is_none_says_how_to_write_one(sender: str) -> None:
    with pytest.raises(SenderError, match="BROADSHEET_MAIL_FROM"):
        Sender.of(sender)


def test_a_key_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    for path in (tmp_path / "key.pem", tmp_path / "none.pem"):
        with pytest.raises(SenderError, match="BROADSHEET_DKIM_KEY"):
            Sender.of("papers@example.org", key=str(path))


def test_mails_of_real_papers_keep_every_rule(shared: Path) -> None:
    from bench.mail_speed import outgoing, real_papers

    papers = real_papers(shared / "data" / "daily_papers.jsonl.gz", 1_500)
    made = Renderer(Site("Die Tägliche", postal_address="1 Paper Street"))
    sender = Sender.of("Die Tägliche <papers@example.org>", bounces="bounces+@example.org")
    items = outgoing(papers, 200, 40)
    assert {rule for one in items for rule in broken(message(one, made.rendered(one), sender))} == set()


def test_a_mail_that_breaks_a_rule_is_told() -> None:
    data = written(item())
    assert broken(data) == []
    for old, new in (
        (f"<{SITE}/unsubscribe/abc>".encode(), b"=?utf-8?q?=3Chttps=3A//papers.example/abc=3E?="),
        (b"\r\nDate: ", b"\r\nDated: "),
        (b"\r\nSubject:", b"\nSubject:"),
        (b"Content-Type: text/html", b"Content-Type: text/plain"),
        (b"=\r\n", b""),
    ):
        assert old in data and broken(data.replace(old, new))
