"""`broadsheet subscribe` and `broadsheet digest` against a mail server: what is due goes out once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broadsheet.cli import app
from broadsheet.config import Settings
from broadsheet.delivery.digest import Delivery
from broadsheet.jobs import Jobs
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Listing, Record
from broadsheet.model.subscriptions import Subscription
from broadsheet.store import Store
from broadsheet.workspace import Workspace
from tests.delivery.playing_smtp import PlayingSmtp, playing_smtp
from tests.delivery.recording import Recording

DAY = "2026-05-29"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BROADSHEET_HOME", str(tmp_path))
    monkeypatch.setenv("BROADSHEET_ENCODER", str(tmp_path / "none"))
    monkeypatch.setenv("BROADSHEET_BASE_URL", "https://papers.example.org")
    monkeypatch.delenv("BROADSHEET_SMTP_URL", raising=False)
    listed(tmp_path, 1, DAY)
    listed(tmp_path, 2, DAY)
    yield tmp_path


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayingSmtp]:
    with playing_smtp() as playing:
        monkeypatch.setenv("BROADSHEET_SMTP_URL", playing.url)
        yield playing


def listed(home: Path, number: int, day: str) -> None:
    store = Store.open(Settings(home=home).store_url)
    title = f"Paper number {number} about {'birds' if number % 2 else 'robots'}"
    identifiers = [Identifier("arxiv", f"2605.{number:05}")]
    listing = Listing("daily_papers", day, number, "test")
    store.add([Record(title, "test", identifiers=identifiers, listings=[listing])])
    store.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def told(*arguments: str) -> object:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output + done.stderr
    return json.loads(done.stdout)


def test_what_is_due_for_a_day_is_sent_once(server: PlayingSmtp) -> None:
    subscribed = told("subscribe", "ada@example.org", "--daily", "--search", "birds", "--confirmed")
    assert (subscribed["state"], subscribed["audience"]) == ("active", "search:birds")
    told("subscribe", "bob@example.org", "--daily", "--confirmed")
    first = told("digest", "--now", "--day", DAY)
    assert (first["day"], first["composed"], first["queued"], first["sent"]) == (DAY, 2, 2, 2)
    again = told("digest", "--now", "--day", DAY)
    assert (again["due"], again["sent"], len(server.taken)) == (0, 0, 2)
    by_reader = {mail.recipients[0]: mail.message.get_body(("plain",)).get_content() for mail in server.taken}
    assert "Paper number 1" in by_reader["ada@example.org"]
    assert "Paper number 2" not in by_reader["ada@example.org"]
    assert "Paper number 2" in by_reader["bob@example.org"]


def test_an_empty_edition_is_not_sent_and_why_is_told(server: PlayingSmtp) -> None:
    told("subscribe", "ada@example.org", "--search", "volcanoes", "--confirmed")
    report = told("digest", "--now", "--day", DAY)
    assert (report["queued"], report["sent"], report["not_sent"]) == (0, 0, {"nothing new": 1})
    assert server.taken == []


def test_a_dry_run_shows_what_an_address_would_get_and_sends_nothing(server: PlayingSmtp) -> None:
    told("subscribe", "ada@example.org", "--confirmed")
    [shown] = told("digest", "--dry-run", "--for", "Ada@example.org", "--day", DAY)
    assert [paper["id"] for paper in shown["papers"]] == ["2605.00001", "2605.00002"]
    assert all(paper["reasons"] for paper in shown["papers"])
    assert told("digest", "--dry-run", "--day", DAY)["queued"] == 1
    assert told("digest", "--now", "--day", DAY)["sent"] == 1
    [shown] = told("digest", "--dry-run", "--for", "ada@example.org", "--day", DAY)
    assert (shown["papers"], shown["not_sent"]) == ([], "nothing new")
    assert len(server.taken) == 1


def test_what_the_server_defers_comes_with_a_later_digest(
    server: PlayingSmtp, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("defer", "gone", "ada"):
        told("subscribe", f"{name}@example.org", "--confirmed")
    report = told("digest", "--now", "--day", DAY)
    assert (report["sent"], report["retry"], report["failed"], report["waiting"]) == (1, 1, 1, 1)
    assert report["suppressed"] == 1
    assert any("451" in reason for reason in report["problems"])
    assert "gone@example.org" not in json.dumps(report)


def test_a_server_that_is_away_is_an_error_and_what_waits_is_sent_later(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with playing_smtp() as server:
        url = server.url
    monkeypatch.setenv("BROADSHEET_SMTP_URL", url)
    told("subscribe", "ada@example.org", "--confirmed")
    done = run("digest", "--now", "--day", DAY, "--json")
    assert done.exit_code == 1
    assert "cannot be used" in done.stderr
    assert json.loads(done.stdout)["waiting"] == 1
    store = Store.open(Settings(home=home).store_url)
    [waiting] = store.outbox()
    assert (waiting.state, waiting.attempts) == ("retry", 0)
    store.take(1, time.time() + 3600, "x")
    store.mark_retry(waiting.id, 0.0, "", counted=False)
    store.close()
    with playing_smtp() as server:
        monkeypatch.setenv("BROADSHEET_SMTP_URL", server.url)
        assert told("digest", "--now", "--day", DAY)["sent"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["subscribe", "nobody"], "no e-mail address"),
        (["subscribe", "ada@example.org\r\nBcc: eve@example.org"], "control character"),
        (["subscribe", f"{'a' * 320}@example.org"], "at most 254"),
        (["subscribe", "ada@mailinator.com"], "not accepted"),
        (["subscribe", "ada@example.org", "--zone", "Mars/Olympus"], "no time zone"),
        (["subscribe", "ada@example.org", "--hour", "24"], "no hour"),
        (["subscribe", "ada@example.org", "--on", "someday"], "no weekday"),
        (["subscribe", "ada@example.org", "--daily", "--weekly"], "choose one"),
        (["subscribe", "ada@example.org", "--search", "a", "--topic", "b"], "choose one"),
        (["subscribe", "ada@example.org", "--search", " "], "empty"),
        (["subscribe", "ada@example.org", "--channel", "pigeon"], "no channel"),
        (["digest", "--day", "yesterday-ish"], "YYYY-MM-DD"),
        (["digest", "--for", "ada@example.org"], "--dry-run"),
        (["digest", "--dry-run", "--for", "eve@example.org"], "no subscription"),
    ],
)
def test_what_cannot_be_is_one_line_with_the_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.setenv("BROADSHEET_REFUSED_MAIL_DOMAINS", "mailinator.com")
    done = run(*arguments)
    assert done.exit_code == 1
    assert message in (done.stderr + str(done.exception))
    store = Store.open(Settings(home=home).store_url)
    assert store.subscriptions() == []
    store.close()


def test_without_a_mail_server_a_digest_says_what_to_set_and_composes_nothing(home: Path) -> None:
    told("subscribe", "ada@example.org", "--confirmed")
    done = run("digest", "--now", "--day", DAY)
    assert done.exit_code == 1
    assert "BROADSHEET_SMTP_URL" in done.stderr
    store = Store.open(Settings(home=home).store_url)
    assert store.outbox() == []
    store.close()


def test_without_confirmed_the_address_is_asked_and_gets_nothing_before(server: PlayingSmtp) -> None:
    subscribed = told("subscribe", "ada@example.org", "--weekly", "--on", "fri", "--category", "cs.CV")
    assert (subscribed["state"], subscribed["days"]) == ("pending", [4])
    assert "/confirm/" in server.taken[0].message.get_body(("plain",)).get_content()
    assert told("digest", "--now", "--day", DAY)["due"] == 0


# -- hours and clocks ---------------------------------------------------------------------------


def delivered(home: Path, *moments: datetime) -> list[tuple[str, list[str]]]:
    """What a recording channel is given when the clock shows ``moments`` one after the other."""
    settings = Settings(home=home)
    store = Store.open(settings.store_url)
    channel = Recording()
    for moment in moments:
        delivery = Delivery(store, settings, None, "one", channels=[channel])
        delivery.deliver(moment)
    store.close()
    return [(item.slot, [paper.id for paper in item.papers]) for item in channel.items]


def test_an_edition_goes_out_at_its_local_hour_and_a_clock_that_jumps_repeats_and_skips_none(
    home: Path,
) -> None:
    store = Store.open(Settings(home=home).store_url)
    store.subscribe(Subscription(0, "mail", "ada@example.org", hour=7, zone="Europe/Berlin"), confirmed=True)
    store.close()
    # Nothing before one subscribed is due, so this happens in the days to come.
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    names = [(day + timedelta(days=ahead)).date().isoformat() for ahead in range(4)]
    for number, name in enumerate(names, 11):
        listed(home, number, name)
    found = delivered(
        home,
        day + timedelta(hours=4),  # six o'clock at most: not yet
        day + timedelta(hours=7),
        day + timedelta(hours=8),
        day + timedelta(hours=1),  # the clock is put back
        day + timedelta(hours=7),
        day + timedelta(days=2, hours=7),  # and put forward by two days
        day + timedelta(days=1, hours=7),  # and back again
        day + timedelta(days=2, hours=8),
        day + timedelta(days=3, hours=7),
    )
    assert [slot for slot, _ in found if slot in names] == [names[0], names[2], names[3]]
    papers = [paper for _, papers in found for paper in papers]
    assert sorted(papers) == [f"2605.{number:05}" for number in range(11, 15)]


def test_after_days_without_a_server_one_edition_holds_what_came_meanwhile(home: Path) -> None:
    store = Store.open(Settings(home=home).store_url)
    store.subscribe(Subscription(0, "mail", "ada@example.org", hour=0), confirmed=True)
    store.close()
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    for ahead in range(5):
        listed(home, 21 + ahead, (day + timedelta(days=ahead)).date().isoformat())
    found = delivered(home, day, day + timedelta(days=4))
    assert [papers for _, papers in found] == [["2605.00021"], [f"2605.{n:05}" for n in range(22, 26)]]


def test_a_serving_process_sends_what_is_due_by_itself(
    home: Path, server: PlayingSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.now(UTC).date()
    listed(home, 31, today.isoformat())
    store = Store.open(Settings(home=home).store_url)
    reader = store.subscribe(Subscription(0, "mail", "ada@example.org", hour=0), confirmed=True)
    store.close()
    # It was confirmed before today began.
    monkeypatch.setattr("broadsheet.store.subscriptions._slot", lambda *_: (today, ""))
    monkeypatch.setenv("BROADSHEET_GATHER", "false")
    monkeypatch.setenv("BROADSHEET_FETCH_ABSTRACTS", "false")
    workspace = Workspace.open(home)
    jobs = [Jobs(workspace), Jobs(workspace)]
    for one in jobs:
        one.start()
    waiting = threading.Event()
    for _ in range(200):
        if any(item.state == "sent" for item in workspace.store.outbox(subscription=reader.id)):
            break
        waiting.wait(0.05)
    for one in jobs:
        one.stop()
    workspace.close()
    assert [mail.recipients for mail in server.taken] == [["ada@example.org"]]
