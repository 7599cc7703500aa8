"""The polite client against a real server on loopback: pace, patience, limits, refused addresses."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from broadsheet import __version__
from broadsheet.config import Settings, load_settings
from broadsheet.sources.http import (
    Client,
    RefusedAddress,
    Service,
    ServiceError,
    Stopped,
    UnexpectedPage,
    Unreachable,
    _PublicOnly,
    is_public,
    page_for_people,
    shown,
)
from broadsheet.sources.kept import KeptAnswers
from broadsheet.sources.pace import _boot
from tests.conftest import free_port
from tests.sources.playing_service import Answer, Asked, playing_service

QUICK = Service("quick", interval=0.0, tries=3, backoff=0.01, silence=5.0)
# The wall clock, by which the pace is kept, and the monotonic one may differ by so much.
MEASURE = 0.01


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path, contact="ada@example.org") as opened:
        yield opened


def test_an_answer_comes_whole_and_the_request_says_who_asks(client: Client) -> None:
    packed = gzip.compress(b"news")
    headers = {
        "Content-Encoding": "gzip",
        "Content-Type": "text/plain",
        "ETag": '"a"',
        "Last-Modified": "now",
    }
    with playing_service(Answer(body=packed, headers=headers)) as service:
        answer = client.get(service.url + "/paper", QUICK, params={"q": "ä b"})
    assert (answer.status, answer.content, answer.content_type) == (200, b"news", "text/plain")
    assert (answer.etag, answer.last_modified) == ('"a"', "now")
    (asked,) = service.requests
    assert (asked.path, asked.query) == ("/paper", {"q": ["ä b"]})
    assert asked.headers["user-agent"] == f"Broadsheet/{__version__} (+ada@example.org)"


def test_a_contact_cannot_smuggle_headers(tmp_path: Path) -> None:
    with playing_service(Answer()) as service, Client(tmp_path, contact="a\r\nX-Evil: 1 (ü)") as client:
        client.get(service.url, QUICK)
    headers = service.requests[0].headers
    assert headers["user-agent"] == f"Broadsheet/{__version__} (+a X-Evil: 1)"
    assert "x-evil" not in headers


def test_not_modified_is_an_answer_to_a_conditional_request_only(client: Client) -> None:
    with playing_service(Answer(status=304)) as service:
        answer = client.get(service.url, QUICK, etag='"a"', last_modified="Fri, 29 May 2026 00:00:00 GMT")
        with pytest.raises(ServiceError, match="304"):
            client.get(service.url, QUICK)
    assert (answer.status, answer.content) == (304, b"")
    assert service.requests[0].headers["if-none-match"] == '"a"'
    assert service.requests[0].headers["if-modified-since"] == "Fri, 29 May 2026 00:00:00 GMT"


def test_a_kept_answer_is_not_sent_again_while_it_is_the_same(tmp_path: Path) -> None:
    def feed(asked: Asked) -> Answer:
        same = asked.headers.get("if-none-match") == '"a"'
        return Answer(304, b"") if same else Answer(body=b"news", headers={"ETag": '"a"'})

    with playing_service(feed) as service:
        for unchanged in (False, True, True):
            with Client(tmp_path) as client:
                answer = client.get(service.url, QUICK, params={"page": "1"}, keep=True)
            assert (answer.status, answer.content, answer.unchanged) == (200, b"news", unchanged)
        with Client(tmp_path) as client:
            other = client.get(service.url, QUICK, params={"page": "2"}, keep=True)
            for damaged in sorted((tmp_path / "http" / "kept").iterdir()):
                damaged.write_bytes(damaged.read_bytes()[:-3])
            again = client.get(service.url, QUICK, params={"page": "1"}, keep=True)
    assert not other.unchanged and not again.unchanged and again.content == b"news"
    assert [asked.headers.get("if-none-match") for asked in service.requests] == [
        None, '"a"', '"a"', None, None,
    ]  # fmt: skip


def test_an_answer_without_validators_is_asked_for_in_full(client: Client) -> None:
    with playing_service(Answer(body=b"1"), Answer(body=b"2")) as service:
        assert [client.get(service.url, QUICK, keep=True).content for _ in range(2)] == [b"1", b"2"]
    assert "if-none-match" not in service.requests[1].headers


def test_kept_answers_do_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadsheet.sources.kept.MAX_BYTES", 1000)
    kept = KeptAnswers(tmp_path)
    for number in range(10):
        kept.put(f"http://a/{number}", os.urandom(300), "text/plain", '"a"', None)
        os.utime(kept._path(f"http://a/{number}"), (number, number))
    kept.tidy()
    assert [number for number in range(10) if kept.find(f"http://a/{number}")] == [8, 9]


def test_a_question_may_be_posted_and_is_put_again_after_an_error(client: Client) -> None:
    with playing_service(Answer(status=503), Answer(body=b"[1]")) as service:
        answer = client.post(
            service.url, QUICK, json={"ids": ["ARXIV:1706.03762"]}, params={"fields": "title"}
        )
    assert answer.content == b"[1]" and len(service.requests) == 2
    asked = service.requests[1]
    assert (asked.method, json.loads(asked.body)) == ("POST", {"ids": ["ARXIV:1706.03762"]})
    assert (asked.headers["content-type"], asked.query) == ("application/json", {"fields": ["title"]})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_posted_question_is_not_sent_on_to_another_host(tmp_path: Path, status: int) -> None:
    with playing_service(Answer()) as other, Client(tmp_path, allow_private=True) as client:
        away = Answer(status=status, headers={"Location": other.url})
        with playing_service(away) as service, pytest.raises(ServiceError):
            client.post(service.url, QUICK, json=[])
    assert other.requests == []


def test_a_key_is_neither_logged_nor_sent_on_to_another_host(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with playing_service(Answer(status=500), Answer()) as other:
        here = Answer(status=302, headers={"Location": "/there"})
        away = Answer(status=302, headers={"Location": other.url})
        with playing_service(here, away) as service, Client(tmp_path, allow_private=True) as client:
            client.get(service.url, QUICK, headers={"x-api-key": "secret-key"})
    assert [asked.headers.get("x-api-key") for asked in service.requests] == ["secret-key"] * 2
    assert len(other.requests) == 2 and all("x-api-key" not in asked.headers for asked in other.requests)
    assert "secret-key" not in caplog.text


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (b"<!DOCTYPE html><title>Down for maintenance</title>", "an HTML page"),
        (b'<?xml version="1.0"?>\n<!-- x --><html xmlns="a">', "an HTML page"),
        (b"<html><script src='/cdn-cgi/challenge-platform/x.js'>", "a page that asks for a captcha"),
    ],
)
def test_a_page_for_people_is_no_answer_where_data_are_asked_for(
    client: Client, page: bytes, name: str
) -> None:
    with playing_service(Answer(body=page), Answer(body=b"<feed/>"), Answer(body=page)) as service:
        assert client.get(service.url, QUICK, data=True).content == b"<feed/>"
        with pytest.raises(UnexpectedPage, match=f"sent {name} instead of data \\(3 times\\)"):
            client.get(service.url, QUICK, data=True)
        assert client.get(service.url, QUICK).content == page


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"<?xml version='1.0'?><rss><channel><title>captcha &lt;html&gt;", "text/html; charset=utf-8"),
        (b'[{"title": "<html>"}]', "text/html"),
        (b"<feed xmlns='a'><title type='xhtml'><div><html/></div>", "application/atom+xml"),
        (b"", ""),
    ],
)
def test_data_are_not_taken_for_a_page(content: bytes, content_type: str) -> None:
    assert page_for_people(content, content_type) == ""


def test_requests_keep_their_interval(client: Client) -> None:
    slow = Service("slow", interval=0.3)
    with playing_service(Answer()) as service:
        for _ in range(3):
            client.get(service.url, slow)
    assert min(service.gaps) >= 0.3 - MEASURE


def test_the_interval_holds_across_processes_and_restarts(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from broadsheet.sources.http import Client, Service\n"
        "with Client(Path(sys.argv[1])) as client: client.get(sys.argv[2], Service('slow', interval=0.4))"
    )
    with playing_service(Answer(hold=0.1)) as service:
        both = [
            subprocess.Popen([sys.executable, "-c", program, tmp_path, service.url], stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        for process in both:
            assert process.communicate()[1] == b"" and process.returncode == 0
        with Client(tmp_path) as client:
            client.get(service.url, Service("slow", interval=0.4))
    assert len(service.requests) == 3
    assert min(service.gaps) >= 0.4 - MEASURE
    assert service.busiest == 1


def test_a_service_has_one_connection_at_a_time_and_services_do_not_wait_for_each_other(
    tmp_path: Path,
) -> None:
    meeting = threading.Barrier(2, timeout=30)

    def both_are_here(_: object) -> Answer:
        meeting.wait()
        return Answer()

    def ask(url: str, name: str) -> None:
        with Client(tmp_path) as client:
            client.get(url, Service(name, interval=0.0))

    def together(url: str, *names: str) -> None:
        threads = [threading.Thread(target=ask, args=(url, name)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with playing_service(Answer(hold=0.1)) as service:
        together(service.url, "one", "one", "one")
    assert (len(service.requests), service.busiest) == (3, 1)
    with playing_service(both_are_here) as service:
        together(service.url, "one", "two")
    assert service.busiest == 2


def pace_file(folder: Path, name: str, **changed: object) -> Path:
    """The file of a pace as a request made just now leaves it, but for what was ``changed``."""
    told = {"boot": _boot(), "clock": time.monotonic(), "wall": time.time()}
    path = folder / "http" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**told, "pause": 0.2, "asking": False, "ages": [0.0], **changed}))
    return path


def waited(client: Client, service: Service) -> float:
    """The seconds from now until a request to ``service`` arrives."""
    with playing_service(Answer()) as playing:
        started = time.monotonic()
        client.get(playing.url, service)
    return playing.requests[0].at - started


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_wall_clock_that_was_set_does_not_change_the_pause(
    client: Client, tmp_path: Path, hours: int
) -> None:
    pace_file(tmp_path, "quick", wall=time.time() + 3600 * hours)
    assert waited(client, QUICK) >= 0.2 - MEASURE


def test_a_pause_goes_on_after_a_restart_of_the_machine(client: Client, tmp_path: Path) -> None:
    pace_file(tmp_path, "long", boot="the former start", clock=1e9, wall=time.time() - 100, pause=1000.0)
    with playing_service(Answer()) as service, pytest.raises(ServiceError, match=r"lasts (899|900) seconds"):
        client.get(service.url, Service("long", interval=0.0))


def test_a_clock_set_back_over_a_restart_delays_by_the_pause_and_not_by_the_difference(
    client: Client, tmp_path: Path
) -> None:
    state = pace_file(tmp_path, "quick", boot="the former start", clock=1e9, wall=time.time() + 10_000)
    assert waited(client, QUICK) >= 0.2 - MEASURE
    assert json.loads(state.read_text())["wall"] <= time.time()


def test_a_request_whose_process_was_killed_counts_from_its_discovery(client: Client, tmp_path: Path) -> None:
    pace_file(tmp_path, "slow", asking=True, clock=time.monotonic() - 100)
    assert waited(client, Service("slow", interval=0.2)) >= 0.2 - MEASURE


@pytest.mark.parametrize(
    "damaged",
    ["", "{", "[]", '{"boot": ""}', '{"boot":"","clock":NaN,"wall":0,"pause":1,"asking":0,"ages":[]}'],
)
def test_a_damaged_pace_file_counts_as_a_request_just_made(
    client: Client, tmp_path: Path, damaged: str
) -> None:
    pace_file(tmp_path, "slow").write_text(damaged)
    assert waited(client, Service("slow", interval=0.2)) >= 0.2 - MEASURE


def test_no_more_requests_than_allowed_fall_into_any_window(client: Client) -> None:
    few = Service("few", interval=0.0, windows=((3, 0.6), (4, 0.9)))
    with playing_service(Answer()) as service:
        for _ in range(8):
            client.get(service.url, few)
    times = [asked.at for asked in service.requests]
    assert min(later - first for first, later in zip(times, times[3:], strict=False)) >= 0.6 - MEASURE
    assert min(later - first for first, later in zip(times, times[4:], strict=False)) >= 0.9 - MEASURE


def test_homes_that_share_a_pace_folder_share_the_pace(tmp_path: Path) -> None:
    one = Service("shared", interval=0.3)
    with playing_service(Answer()) as service:
        for home in ("first", "second"):
            with Client(tmp_path / home, pace=tmp_path / "pace") as client:
                client.get(service.url, one)
    assert service.gaps[0] >= 0.3 - MEASURE


def test_homes_of_one_user_share_the_pace_unless_a_setting_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("BROADSHEET_PACE_FOLDER", raising=False)
    folders = []
    for home in ("first", "second"):
        with Client.of(load_settings(tmp_path / home)) as client:
            folders.append(client.pace_folder)
    assert folders[0] == folders[1] and folders[0].is_relative_to(tmp_path)
    with Client.of(Settings(home=tmp_path, pace_folder=str(tmp_path / "own"))) as client:
        assert client.pace_folder == tmp_path / "own"
    # A container may have no such folder at all.
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    with Client.of(Settings(home=tmp_path / "third")) as client:
        assert client.pace_folder == tmp_path / "third" / "http"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_overloaded_service_is_asked_again(client: Client, status: int) -> None:
    with playing_service(Answer(status=status), Answer(status=status), Answer(body=b"at last")) as service:
        assert client.get(service.url, QUICK).content == b"at last"
    assert len(service.requests) == 3


def test_the_pauses_between_tries_grow(client: Client) -> None:
    with playing_service(Answer(status=503)) as service, pytest.raises(ServiceError) as caught:
        client.get(service.url, Service("growing", interval=0.0, tries=3, backoff=0.2))
    first, second = service.gaps
    assert first >= 0.75 * 0.2 - MEASURE
    assert second >= 0.75 * 0.4 - MEASURE
    assert caught.value.status == 503
    assert "503 Service Unavailable (3 times); try again later" in str(caught.value)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_pause_that_a_service_asks_for_is_kept_by_all(tmp_path: Path, form: str) -> None:
    def busy(_: object) -> Answer:
        # Dates count whole seconds: the next but one is at least one second away.
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        return Answer(status=429, headers={"Retry-After": "1" if form == "seconds" else date})

    once = Service("once", interval=0.0, tries=1, backoff=0.0)
    with playing_service(busy, Answer()) as service:
        with Client(tmp_path) as client, pytest.raises(ServiceError, match="429 Too Many Requests"):
            client.get(service.url, once)
        with Client(tmp_path) as another:
            another.get(service.url, once)
    assert service.gaps[0] >= 0.9


def test_a_very_long_pause_is_told_and_nobody_asks_meanwhile(client: Client) -> None:
    with playing_service(Answer(status=503, headers={"Retry-After": "7200"}), Answer()) as service:
        with pytest.raises(ServiceError, match="asks for a pause of 7,200 seconds"):
            client.get(service.url, QUICK)
        with pytest.raises(ServiceError, match="was not asked: it wanted a pause"):
            client.get(service.url, QUICK)
    assert len(service.requests) == 1


def test_a_service_that_says_it_was_asked_enough_is_left_alone(client: Client) -> None:
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1)}
    once = Service("counted", interval=0.0, tries=2, backoff=0.0)
    with playing_service(
        Answer(headers=reset), Answer(status=403, headers={"Retry-After": "1"}), Answer(body=b"again")
    ) as service:
        assert client.get(service.url, once).content == b"hello"
        assert client.get(service.url, once).content == b"again"
    assert min(service.gaps) >= 1.0 - MEASURE


def test_a_pause_until_a_moment_is_measured_by_the_clock_of_the_service(client: Client) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    headers = {
        "Date": format_datetime(yesterday, usegmt=True),
        "Retry-After": format_datetime(yesterday + timedelta(hours=2), usegmt=True),
    }
    with (
        playing_service(Answer(status=503, headers=headers)) as service,
        pytest.raises(ServiceError, match="asks for a pause of 7,200 seconds") as caught,
    ):
        client.get(service.url, QUICK)
    assert caught.value.again == 7200.0


def test_silence_and_broken_connections_are_tried_again(client: Client) -> None:
    impatient = Service("impatient", interval=0.0, tries=3, backoff=0.01, silence=0.3)
    with playing_service(Answer(hold=1.5), Answer(cut=True), Answer(body=b"whole")) as service:
        assert client.get(service.url, impatient).content == b"whole"
    assert len(service.requests) == 3


def test_after_the_last_try_the_error_says_what_happened(client: Client) -> None:
    with playing_service(Answer(cut=True)) as service, pytest.raises(ServiceError) as caught:
        client.get(service.url + "/paper?token=secret", QUICK)
    assert str(caught.value) == (
        f"quick: {service.url}/paper broke the connection off (3 times); try again later"
    )
    assert (caught.value.service, caught.value.url, caught.value.status) == (
        "quick",
        service.url + "/paper",
        None,
    )


@pytest.mark.parametrize(("status", "remedy"), [(404, "check the address"), (403, "BROADSHEET_CONTACT")])
def test_other_statuses_are_errors_at_once_unless_they_are_accepted(
    client: Client, status: int, remedy: str
) -> None:
    with playing_service(Answer(status=status, body=b"why")) as service:
        with pytest.raises(ServiceError, match=remedy) as caught:
            client.get(service.url, QUICK)
        assert caught.value.status == status
        assert client.get(service.url, QUICK, accept=(200, status)).content == b"why"
    assert len(service.requests) == 2


def test_nobody_there_is_told_at_once(client: Client) -> None:
    # A second try would come after more than an hour.
    away = Service("away", interval=0.0, tries=2, backoff=5_000.0)
    with pytest.raises(Unreachable, match="cannot be reached; check the network"):
        client.get(f"http://127.0.0.1:{free_port()}/", away)
    with pytest.raises(Unreachable):
        client.get("http://no-such-host.invalid/", away)


def test_an_answer_that_is_too_long_is_not_read_to_its_end(client: Client) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    with playing_service(
        Answer(body=b"x" * 2001), Answer(body=bomb, headers={"Content-Encoding": "gzip"})
    ) as service:
        with pytest.raises(ServiceError, match="more than 2,000 bytes"):
            client.get(service.url, QUICK, max_bytes=2000)
        with pytest.raises(ServiceError, match="more than 2,000 bytes"):
            client.get(service.url, QUICK, max_bytes=2000)
    assert len(service.requests) == 2


def test_an_answer_that_takes_too_long_altogether_is_given_up(client: Client) -> None:
    hurried = Service("hurried", interval=0.0, tries=2, backoff=0.01, longest=0.0)
    with playing_service(Answer()) as service, pytest.raises(ServiceError, match=r"in time \(2 times\)"):
        client.get(service.url, hurried)


def test_redirects_of_a_service_to_itself_are_followed_and_bounded(client: Client) -> None:
    with playing_service(
        Answer(status=302, headers={"Location": "/there?b=2"}), Answer(body=b"there")
    ) as service:
        answer = client.get(service.url + "/here?a=1", QUICK)
    assert answer.content == b"there"
    assert [(asked.path, asked.query) for asked in service.requests] == [
        ("/here", {"a": ["1"]}),
        ("/there", {"b": ["2"]}),
    ]
    with (
        playing_service(Answer(status=301, headers={"Location": "/again"})) as service,
        pytest.raises(ServiceError, match="redirects more than 5 times"),
    ):
        client.get(service.url, QUICK)
    assert len(service.requests) == 6


@pytest.mark.parametrize("elsewhere", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://["])
def test_a_redirect_to_no_web_address_is_refused(client: Client, elsewhere: str) -> None:
    with (
        playing_service(Answer(status=302, headers={"Location": elsewhere})) as service,
        pytest.raises(ServiceError),
    ):
        client.get(service.url, QUICK)
    assert len(service.requests) == 1


def test_a_service_cannot_send_us_into_the_private_network(client: Client, tmp_path: Path) -> None:
    with playing_service(Answer()) as inner:
        away = Answer(status=302, headers={"Location": inner.url + "/admin"})
        with playing_service(away) as service:
            with pytest.raises(RefusedAddress, match=r"leads into a private network \(127.0.0.1\)"):
                client.get(service.url, QUICK)
            assert inner.requests == []
            with Client(tmp_path, allow_private=True) as free:
                assert free.get(service.url, QUICK).content == b"hello"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"],
)
def test_an_address_given_by_a_person_never_leads_into_the_private_network(client: Client, host: str) -> None:
    with playing_service(Answer()) as service:
        port = service.url.rpartition(":")[2]
        # Where the system knows no such form of address, there is no connection either.
        with pytest.raises((RefusedAddress, Unreachable)):
            client.get_page(f"http://{host}:{port}/")
    assert service.requests == []


def test_the_operator_may_allow_private_addresses(tmp_path: Path) -> None:
    with playing_service(Answer()) as service, Client(tmp_path, allow_private=True) as client:
        assert client.get_page(service.url).content == b"hello"


@pytest.mark.parametrize("url", ["ftp://example.org/", "/etc/passwd", "", "http://", "javascript:alert(1)"])
def test_what_is_no_web_address_is_refused(client: Client, url: str) -> None:
    with pytest.raises(RefusedAddress, match="no web address"):
        client.get_page(url)


def test_a_checked_name_is_connected_to_by_the_address_that_was_checked() -> None:
    checked = []

    def public(address: str) -> bool:
        checked.append(address)
        return True

    with playing_service(Answer(body=b"by name")) as service:
        name = service.url.replace("127.0.0.1", "localhost")
        # Where localhost is ::1 as well, that is tried and found closed.
        answer = _PublicOnly(public).handle_request(httpx.Request("GET", name))
        assert answer.read() == b"by name"
    assert "127.0.0.1" in checked
    assert service.requests[0].headers["host"] == name.removeprefix("http://")


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a00:1",
    ],
)
def test_private_addresses_are_known_in_every_form(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::6810:84e5", "::ffff:93.184.215.14"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_neither_logs_nor_messages_hold_what_was_asked(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with playing_service(Answer(status=503)) as service, pytest.raises(ServiceError) as caught:
        client.get(service.url + "/find", QUICK, params={"q": "my own question"})
    assert "try 2" in caplog.text and "question" not in caplog.text
    assert "question" not in str(caught.value) and "question" not in caught.value.url
    assert shown("https://ada:secret@example.org:8443/a?key=1#b") == "https://example.org:8443/a"


def test_stopping_ends_the_wait_for_a_turn(client: Client) -> None:
    stop = threading.Event()
    patient = Service("patient", interval=200.0)
    with playing_service(Answer()) as service:
        client.get(service.url, patient, stop=stop)
        waiting = threading.Timer(0.2, stop.set)
        waiting.start()
        with pytest.raises(Stopped):
            client.get(service.url, patient, stop=stop)
    assert len(service.requests) == 1


def test_stopping_ends_the_wait_for_another_process(client: Client, tmp_path: Path) -> None:
    stop = threading.Event()
    with playing_service(Answer(hold=1.5), Answer()) as service:
        other = threading.Thread(target=client.get, args=(service.url, QUICK))
        other.start()
        while not service.requests:
            time.sleep(0.01)
        stop.set()
        with Client(tmp_path) as second, pytest.raises(Stopped):
            second.get(service.url, QUICK, stop=stop)
        other.join()
    assert len(service.requests) == 1


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "http").write_text("a file where the folder should be")
    with (
        playing_service(Answer()) as service,
        Client(tmp_path) as client,
        pytest.raises(ServiceError, match="make the home folder and that folder writable"),
    ):
        client.get(service.url, QUICK)
    assert service.requests == []
