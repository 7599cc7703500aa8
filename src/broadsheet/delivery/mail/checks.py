"""Whether mail can go out and will be believed: the mail server, and the sender's records in the DNS.

Sources: RFC 7208 (SPF), RFC 7489 (DMARC), RFC 6376 (DKIM); Gmail and Yahoo ask senders for all three.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import aiosmtplib
import dkim
import dns.exception
import dns.resolver

from ...config import Settings
from .configured import sender_of
from .message import Sender, SenderError
from .smtp import Server, ServerError, without_addresses

_TIMEOUT_SECONDS = 10.0
_DNS_SECONDS = 4.0
# Names that stand for no domain of the world.
_HERE = re.compile(r"localhost|[^.]+|.*\.(local|localhost|invalid|test|internal)")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: whether it is well, what was found, what to do about it."""

    part: str
    ok: bool
    message: str
    remedy: str = ""


def mail_checks(settings: Settings) -> list[Check]:
    """What stands in the way of mail. Nothing raises; where the DNS is away, that is told and no fault."""
    if not settings.smtp_url.strip():
        remedy = "to send any: BROADSHEET_SMTP_URL=smtp://user:password@host:587"
        return [Check("mail", True, "no mail server is set: nothing goes by mail", remedy)]
    checks = [asyncio.run(_server(settings.smtp_url))]
    try:
        sender = sender_of(settings)
    except SenderError as error:
        return [*checks, Check("mail sender", False, str(error), "correct the setting")]
    if _HERE.fullmatch(sender.domain):
        told = f"{sender.domain} is no domain that others know"
        return [*checks, Check("mail sender", False, told, "set BROADSHEET_MAIL_FROM to an address of yours")]
    records = _Records(settings.dns_server)
    try:
        return [*checks, *_spf(records, sender), *_dmarc(records, sender), *_dkim(records, sender)]
    except _NoAnswer as error:
        told = f"SPF, DMARC and DKIM of {sender.domain} are not known: {error}"
        return [*checks, Check("mail records", True, told, "look again when the DNS answers")]


# -- the mail server


async def _server(url: str) -> Check:
    part = "mail server"
    try:
        server = Server.of(url)
    except ServerError as error:
        return Check(part, False, str(error), "correct the setting")
    client = server.client(_TIMEOUT_SECONDS)
    where = f"{server.host}:{server.port}"
    try:
        await client.connect()
        if not client.last_ehlo_response:
            await client.ehlo()
        safe = client.get_transport_info("sslcontext") is not None
        await client.quit()
    except aiosmtplib.SMTPAuthenticationError as error:
        told = f"{where} refuses the user name or password ({error.code})"
        return Check(part, False, told, "correct BROADSHEET_SMTP_URL; what is waiting is sent then")
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
        told = f"{where} cannot be used: {without_addresses(str(error))[:200] or type(error).__name__}"
        return Check(part, False, told, "check the address and the network; what waits is sent later")
    finally:
        client.close()
    login = f"; logged in as {server.user}" if server.user else ""
    if safe:
        return Check(part, True, f"{where} answers, with TLS{login}")
    here = server.host in ("localhost", "127.0.0.1", "::1")
    remedy = "" if here else "choose a port with STARTTLS (587) or TLS (smtps://, 465), if there is one"
    return Check(part, True, f"{where} answers, without TLS{login}", remedy)


# -- the records of the sender


class _NoAnswer(Exception):
    """The DNS did not answer, which says nothing of the record."""


class _Records:
    """TXT records by name."""

    def __init__(self, server: str):
        self._resolver: dns.resolver.Resolver | None = None
        try:
            self._resolver = dns.resolver.Resolver(configure=not server)
            if server:
                host, _, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "")
                self._resolver.nameservers = [host.strip("[]")]
                self._resolver.port = int(port or 53)
            self._resolver.lifetime = _DNS_SECONDS
        except (dns.exception.DNSException, ValueError, OSError):
            # Whoever asks is told that there is no answer.
            self._resolver = None

    def texts(self, name: str) -> list[str]:
        """The TXT records of ``name``; none where it does not exist. Raises `_NoAnswer`."""
        if self._resolver is None:
            raise _NoAnswer("no DNS server is known (BROADSHEET_DNS_SERVER)")
        try:
            answer = self._resolver.resolve(name, "TXT", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise _NoAnswer(f"the DNS does not answer ({type(error).__name__})") from error
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def _spf(records: _Records, sender: Sender) -> Iterator[Check]:
    """Who may send for the domain that undelivered mail goes back to."""
    part, domain = "mail SPF", (sender.bounces or sender.address).rpartition("@")[2].lower()
    found = [text for text in records.texts(domain) if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    if not found:
        remedy = f'add a TXT record to {domain} that names your mail server: "v=spf1 include:... ~all"'
        yield Check(part, False, f"{domain} has no SPF record: mailboxes distrust what comes from it", remedy)
    elif len(found) > 1:
        yield Check(
            part, False, f"{domain} has {len(found)} SPF records, which voids all", "leave one of them"
        )
    elif re.search(r"\s\+?all\b", found[0], re.IGNORECASE):
        yield Check(
            part, False, f"{domain}: {found[0][:200]} lets everybody send", "end it with ~all or -all"
        )
    else:
        yield Check(
            part, True, f"{domain}: {found[0][:200]}", "it has to name the mail server that is set here"
        )


def _dmarc(records: _Records, sender: Sender) -> Iterator[Check]:
    """What mailboxes shall do with mail that only pretends to come from the domain."""
    part, labels = "mail DMARC", sender.domain.split(".")
    # A subdomain goes by the record of the domain above it.
    for above in range(max(len(labels) - 1, 1)):
        name = "_dmarc." + ".".join(labels[above:])
        found = [text for text in records.texts(name) if re.match(r"v=DMARC1\b", text, re.IGNORECASE)]
        if len(found) == 1:
            policy = re.search(r";\s*p\s*=\s*(none|quarantine|reject)\b", found[0], re.IGNORECASE)
            if policy:
                yield Check(part, True, f"{name}: {found[0][:200]}")
            else:
                yield Check(part, False, f"{name}: {found[0][:200]} has no policy", "add p=none at least")
            break
        if found:
            yield Check(part, False, f"{name} has {len(found)} records, which voids all", "leave one of them")
            break
    else:
        remedy = f'add a TXT record to _dmarc.{sender.domain}: "v=DMARC1; p=none"'
        yield Check(
            part, False, f"{sender.domain} has no DMARC record, which Gmail and Yahoo ask for", remedy
        )
    bounces = sender.bounces.rpartition("@")[2].lower()
    if bounces and bounces.split(".")[-2:] != labels[-2:]:
        told = (
            f"undelivered mail goes back to {bounces}, which does not fit {sender.domain}: SPF does not count"
        )
        yield Check(part, bool(sender.key), told, "DKIM has to hold; or take an address of the same domain")


def _dkim(records: _Records, sender: Sender) -> Iterator[Check]:
    """Whether what is signed here can be verified by the key in the DNS."""
    part = "mail DKIM"
    if not sender.key:
        told = "mails are not signed here (BROADSHEET_DKIM_KEY): the mail server has to sign them"
        yield Check(part, True, told, "send one to yourself and look for dkim=pass in its headers")
        return
    name = f"{sender.selector}._domainkey.{sender.domain}"
    found = records.texts(name)
    record = next((text for text in found if re.search(r"(^|;)\s*p\s*=", text)), "")
    if not record:
        told, remedy = f"{name} has no key", f'add a TXT record to {name}: "v=DKIM1; k=rsa; p=..."'
        yield Check(part, False, told, f"{remedy} (docs/mail.md tells how to make it)")
        return
    tried = b"From: x@" + sender.domain.encode() + b"\r\nSubject: a trial\r\n\r\nA trial.\r\n"
    try:
        signature = dkim.sign(tried, sender.selector.encode(), sender.domain.encode(), sender.key)
        held = dkim.verify(signature + tried, dnsfunc=lambda _, timeout=5: record.encode())
    except (dkim.DKIMException, ValueError) as error:
        yield Check(part, False, f"the key cannot sign: {error}", "make another one (docs/mail.md tells how)")
        return
    told = f"{name} holds the key that signs here" if held else f"{name} holds another key than signs here"
    yield Check(part, held, told, "" if held else "put the public half of BROADSHEET_DKIM_KEY there")
