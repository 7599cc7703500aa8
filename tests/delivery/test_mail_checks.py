"""What the doctor says of mail, with a mail server and a DNS server of our own on loopback."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import dns.rcode
import pytest

from broadsheet.config import Settings
from broadsheet.delivery.mail import checks
from broadsheet.delivery.mail.checks import Check, mail_checks
from tests.delivery.playing_dns import playing_dns
from tests.delivery.playing_smtp import playing_smtp

SPF, DMARC = "v=spf1 ip4:192.0.2.0/24 ~all", "v=DMARC1; p=none; rua=mailto:d@example.org"
FINE = {"example.org": ["other=1", SPF], "_dmarc.example.org": [DMARC]}


def checked(records: Mapping[str, Sequence[str]], rcode: int = 0, **settings: object) -> dict[str, Check]:
    given = {"mail_from": "The Daily <papers@example.org>", **settings}
    with playing_smtp() as server, playing_dns(records, rcode) as resolver:
        told = mail_checks(Settings(smtp_url=server.url, dns_server=resolver, **given))
    return {one.part: one for one in told}


def test_a_sender_with_all_records_is_well() -> None:
    told = checked(FINE)
    assert all(one.ok for one in told.values())
    assert "answers, without TLS" in told["mail server"].message
    assert SPF in told["mail SPF"].message and DMARC in told["mail DMARC"].message
    assert "has to sign" in told["mail DKIM"].message


@pytest.mark.parametrize(
    ("records", "part", "message", "remedy"),
    [
        ({**FINE, "example.org": ["other"]}, "mail SPF", "no SPF record", "v=spf1 include"),
        ({**FINE, "example.org": [SPF, "v=spf1 -all"]}, "mail SPF", "2 SPF records", "leave one"),
        ({**FINE, "example.org": ["v=spf1 +all"]}, "mail SPF", "everybody", "~all or -all"),
        ({"example.org": [SPF]}, "mail DMARC", "no DMARC record", "_dmarc.example.org"),
        ({**FINE, "_dmarc.example.org": ["v=DMARC1; rua=x"]}, "mail DMARC", "no policy", "p=none"),
    ],
)
def test_what_is_missing_is_told_with_the_record_to_add(
    records: dict[str, list[str]], part: str, message: str, remedy: str
) -> None:
    found = checked(records)[part]
    assert not found.ok and message in found.message and remedy in found.remedy


def test_a_subdomain_goes_by_the_policy_of_the_domain_above_it() -> None:
    records = {"news.example.org": [SPF], "_dmarc.example.org": [DMARC]}
    assert all(one.ok for one in checked(records, mail_from="papers@news.example.org").values())


def test_the_key_in_the_dns_has_to_be_the_one_that_signs(tmp_path: Path) -> None:
    keys = [made(tmp_path / f"{n}.pem") for n in range(2)]
    settings = {"dkim_key": str(tmp_path / "0.pem"), "dkim_selector": "daily"}
    name = "daily._domainkey.example.org"
    for record, ok, message in (
        ([f"v=DKIM1; k=rsa; p={keys[0]}"], True, "holds the key"),
        ([f"v=DKIM1; k=rsa; p={keys[1]}"], False, "another key"),
        (["v=DKIM1; p=nonsense"], False, ""),
        ([], False, "has no key"),
    ):
        found = checked({**FINE, name: record}, **settings)["mail DKIM"]
        assert found.ok == ok and message in found.message


def made(path: Path) -> str:
    """The public half of a new key at ``path``."""
    quiet = {"check": True, "capture_output": True}
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", str(path), "2048"], **quiet)
    told = subprocess.run(["openssl", "rsa", "-in", str(path), "-pubout", "-outform", "DER"], **quiet)
    return base64.b64encode(told.stdout).decode()


def test_a_dns_that_does_not_answer_is_no_fault_of_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    told = checked({}, dns.rcode.SERVFAIL)
    assert told["mail records"].ok and "not known" in told["mail records"].message
    monkeypatch.setattr(checks, "_DNS_SECONDS", 0.3)
    with playing_dns({}) as gone:
        pass
    away = Settings(smtp_url="smtp://127.0.0.1:1", mail_from="papers@example.org", dns_server=gone)
    assert [(one.part, one.ok) for one in mail_checks(away)] == [
        ("mail server", False),
        ("mail records", True),
    ]


def test_a_mail_server_that_is_away_or_wrong_is_told_with_the_remedy() -> None:
    with playing_smtp() as server:
        url = server.url
    for wrong, told in ((url, "cannot be used"), ("http://x", "smtp://user:password@host:587")):
        found = mail_checks(Settings(smtp_url=wrong))[0]
        assert not found.ok and told in found.message and found.remedy


def test_a_sender_at_this_machine_is_told() -> None:
    found = checked(FINE, mail_from="")["mail sender"]
    assert not found.ok and "BROADSHEET_MAIL_FROM" in found.remedy


def test_a_site_that_sends_no_mail_is_well() -> None:
    assert [one.ok for one in mail_checks(Settings(smtp_url=""))] == [True]
