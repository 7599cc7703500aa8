"""What is said of gathering: on its pages, as JSON, as metrics, and above the front page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import lxml.html
import pytest
from fastapi.testclient import TestClient

from broadsheet.model.gathering import Coverage, GatherState
from broadsheet.web.app import create_app
from broadsheet.web.coverage import STATES, TROUBLE, Account, SourceAccount, days_of, front_line, state_words
from broadsheet.web.coverage_picture import picture
from broadsheet.workspace import Workspace
from tests.web.coverage_home import announced, told
from tests.web.html import Element, select, texts
from tests.web.server import running_server

TODAY = datetime.now(UTC).date()
FEED = "feed:lab.example.org/news"


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


@pytest.fixture(scope="module", autouse=True)
def settings() -> Iterator[None]:
    """Of the sources that the settings configure only one, so that pages do not change with new ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROADSHEET_SOURCES", "daily_papers")
        # Nothing here is searched by meaning, and loading the encoder takes a while.
        patch.setenv("BROADSHEET_ENCODER", "/no/encoder")
        yield


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty home."""
    opened = Workspace.open(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A week of Daily Papers, every kind of day in it, and a feed that fails."""
    opened = Workspace.open(tmp_path_factory.mktemp("coverage") / "home")
    kept = opened.store
    announced(kept, "daily_papers", "daily_papers", ago(6), 0, 5)
    announced(kept, "daily_papers", "daily_papers", ago(5), 10, 4, absent=2)
    told(kept, "daily_papers", "daily_papers", ago(4), "holiday", "Daily Papers has nothing at week-ends")
    told(kept, "daily_papers", "daily_papers", ago(3), "failed", "https://x.example.org answered 503")
    told(kept, "daily_papers", "daily_papers", ago(2), "refused", "https://x.example.org answered 403")
    announced(kept, "daily_papers", "daily_papers", ago(1), 20, 3)
    told(kept, "daily_papers", "daily_papers", ago(0), "late", "Daily Papers has nothing for this day yet")
    kept.note_gather("daily_papers", f"{ago(0)}T06:14:00.000Z")
    announced(kept, FEED, FEED, ago(6), 30, 2)
    kept.note_gather(FEED, f"{ago(0)}T07:00:00.000Z", "https://x answered 500")
    with TestClient(create_app(opened)) as client:
        yield client
    opened.close()


def parsed(site: TestClient, path: str, status: int = 200) -> Element:
    answer = site.get(path)
    assert answer.status_code == status, answer.text
    return lxml.html.fromstring(answer.text)


# -- pages


def test_every_page_leads_to_coverage(site: TestClient) -> None:
    assert "/coverage" in [link.get("href") for link in select(parsed(site, "/about"), "footer a")]


def test_the_year_says_of_each_source_what_is_complete_missing_and_broken(site: TestClient) -> None:
    page = parsed(site, "/coverage")
    assert texts(page, ".verdict") == [
        "In the last seven days: Hugging Face Daily Papers lacks 2 papers and was not read on 2 days; "
        "feed:lab.example.org/news could not be read yet."
    ]
    assert texts(page, "section h2") == ["Hugging Face Daily Papers", "feed:lab.example.org/news"]
    [daily, feed] = texts(page, "section .about")
    assert "2 days complete, 2 papers missing on 1 day, 2 days not read; nothing was published on 1." in daily
    assert "06:14 UTC" in daily
    assert "Something broke: the last try failed; it was never read." in feed
    assert "1 day complete." in feed
    # The same days in words, which the picture only shows.
    assert [link.get("href") for link in select(page, ".troubles a")] == [
        f"/coverage/{ago(n)}" for n in (2, 3, 5)
    ]
    assert not select(page, "script[src^=http]") and "style=" not in lxml.html.tostring(page).decode()


def test_the_picture_shows_days_by_shape_and_leads_to_those_that_are_not_as_they_should_be(
    site: TestClient,
) -> None:
    page = parsed(site, "/coverage")
    [daily, _] = select(page, ".calendar svg")
    links = daily.xpath(".//*[local-name()='a']")
    assert [link.get("href") for link in links] == [f"/coverage/{ago(n)}" for n in (5, 3, 2, 0)]
    shown = {link.get("href")[-10:]: {path.get("class") for path in link.iter("path")} for link in links}
    assert shown[ago(5)] == {"place incomplete", "part"}
    assert shown[ago(3)] == {"failed", "sign"}
    assert shown[ago(2)] == {"refused", "sign"}
    assert shown[ago(0)] == {"late"}
    # Who tabs through the page or listens to it gets the words, not 371 squares.
    assert daily.get("aria-hidden") == "true"
    assert {link.get("tabindex") for link in links} == {"-1"}


def test_a_day_opens_to_what_is_missing_with_links(site: TestClient) -> None:
    page = parsed(site, f"/coverage/{ago(5)}")
    assert "2 of 4 papers missing." in texts(page, ".amiss")
    assert texts(page, ".missing a") == ["1000.10012", "1000.10013"]
    assert select(page, ".missing a")[0].get("href") == "https://arxiv.org/abs/1000.10012"
    assert f"/papers/date/{ago(5)}" in [link.get("href") for link in select(page, ".ways a")]
    assert [link.get("href") for link in select(page, "a[rel=prev], a[rel=next]")] == [
        f"/coverage/{ago(6)}",
        f"/coverage/{ago(4)}",
    ]


def test_a_quiet_day_and_a_broken_one_never_read_alike(site: TestClient) -> None:
    quiet, broken = (texts(parsed(site, f"/coverage/{ago(n)}"), ".row p")[0] for n in (4, 3))
    assert "Nothing was published. Daily Papers has nothing at week-ends." in quiet
    assert "Could not be read. https://x.example.org answered 503." in broken
    well = {state_words(state, 3, 0) for state in STATES if state not in TROUBLE}
    amiss = {state_words(state, 3, 1) for state in STATES if state in TROUBLE}
    assert len(well) == 3 and len(amiss) == 3 and not well & amiss


def test_a_source_has_a_page_of_all_its_days(site: TestClient) -> None:
    page = parsed(site, "/coverage?source=daily_papers")
    rows = texts(page, "tbody tr")
    assert len(rows) == 7
    assert rows[0].endswith("not published yet")
    assert rows[1].endswith("33all 3 papers are here")
    assert "All sources" in texts(page, "a")
    assert parsed(site, "/coverage?source=nobody", 404) is not None


def test_the_form_opens_a_day_and_what_is_none_is_refused(site: TestClient) -> None:
    answer = site.get("/coverage", params={"day": ago(3)}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, f"/coverage/{ago(3)}")
    for path in ("/coverage?day=tomorrow", "/coverage/2026-13-40", "/coverage/x"):
        assert site.get(path).status_code == 400
    assert "The account covers the last year only." in site.get("/coverage/1999-01-01").text


def test_a_home_that_gathers_nothing_says_so(workspace: Workspace) -> None:
    with TestClient(create_app(workspace)) as site:
        page = parsed(site, "/coverage")
    assert texts(page, ".verdict") == ["Nothing was announced in the last seven days."]
    assert "It was not read yet." in texts(page, ".about p")


def test_what_a_private_source_says_of_this_machine_stays_here(workspace: Workspace) -> None:
    told(workspace.store, "folder", "folder", ago(1), "failed", "/home/ada/papers is no folder")
    workspace.store.note_gather("folder", f"{ago(1)}T00:00:00.000Z", "/home/ada/papers is no folder")
    with TestClient(create_app(workspace)) as site:
        for path in ("/coverage", f"/coverage/{ago(1)}", "/coverage?source=folder", "/api/coverage"):
            answer = site.get(path)
            assert answer.status_code == 200
            assert "folder" in answer.text and "/home/ada" not in answer.text


def test_every_day_of_a_year_has_one_place_in_the_picture() -> None:
    drawn = picture({}, "2025-11-17", "2026-11-21", str)
    places = re.findall(r"M(\d+) (\d+)", drawn.shapes["unknown"])
    assert len(places) == len(set(places)) == (date(2026, 11, 21) - date(2025, 11, 17)).days + 1
    assert max(int(x) for x, _ in places) + 10 <= drawn.width
    assert max(int(y) for _, y in places) + 10 <= drawn.height


# -- JSON and metrics


def test_the_json_tells_the_same(site: TestClient) -> None:
    answer = site.get("/api/coverage", params={"first": ago(5), "last": ago(3)}).json()
    assert [(day["day"], day["state"], day["announced"], day["missing"]) for day in answer["days"]] == [
        (ago(5), "incomplete", 4, 2),
        (ago(4), "holiday", None, 0),
        (ago(3), "failed", None, 0),
    ]
    assert answer["days"][0]["missingIds"] == ["arxiv:1000.10012", "arxiv:1000.10013"]
    assert answer["days"][2]["reason"] == "https://x.example.org answered 503"
    daily = answer["sources"][0]
    assert (daily["name"], daily["lastRead"], daily["missing"]) == (
        "daily_papers",
        f"{ago(0)}T06:14:00.000Z",
        2,
    )
    assert len(site.get("/api/coverage", params={"source": "feed:lab.example.org/news"}).json()["days"]) == 1


@pytest.mark.parametrize(
    ("parameters", "status", "told_of"),
    [
        ({"first": "2026-02-30"}, 400, "2026-02-30"),
        ({"first": ago(1), "last": ago(2)}, 400, "exchange them"),
        ({"source": "nobody"}, 404, "daily_papers"),
    ],
)
def test_a_wrong_question_is_refused_with_what_is_right(
    site: TestClient, parameters: dict[str, str], status: int, told_of: str
) -> None:
    answer = site.get("/api/coverage", params=parameters)
    assert answer.status_code == status
    assert told_of in answer.json()["error"]


def _metrics(site: TestClient) -> dict[str, float]:
    answer = site.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_metrics_count_papers_sources_and_requests_but_tell_no_query_and_no_address(
    site: TestClient,
) -> None:
    site.get("/search", params={"q": "very private words"})
    site.get("/papers/1000.10001")
    site.get("/api/nowhere")
    site.request("BREW", "/papers/1000.10002")
    found = _metrics(site)
    assert found["broadsheet_papers"] == 12
    assert found['broadsheet_source_missing_papers{source="daily_papers"}'] == 2
    assert found['broadsheet_source_troubled_days{source="daily_papers"}'] == 3
    assert found['broadsheet_source_failures{source="feed:lab.example.org/news"}'] == 1
    moment = datetime.fromisoformat(f"{ago(0)}T06:14:00+00:00").timestamp()
    assert found['broadsheet_source_last_success_timestamp_seconds{source="daily_papers"}'] == moment
    assert found["broadsheet_index_behind"] == 12
    requests = {
        name: value for name, value in found.items() if name.startswith("broadsheet_http_requests_total")
    }
    assert requests['broadsheet_http_requests_total{method="GET",route="/search",status="200"}'] == 1
    assert found['broadsheet_http_request_seconds_count{route="/search"}'] == 1
    assert any('method="other"' in name for name in requests)
    body = site.get("/metrics").text
    assert "private" not in body and "1000.1000" not in body and "BREW" not in body


# -- the front page


def test_a_front_page_says_what_is_missing_on_its_day_and_nothing_where_all_is_here(
    site: TestClient,
) -> None:
    assert texts(parsed(site, f"/papers/date/{ago(5)}"), ".note") == [
        "Incomplete: 2 of the 4 papers that Hugging Face Daily Papers announced for "
        f"{_long(ago(5))} are missing here. What is missing"
    ]
    assert texts(parsed(site, f"/papers/date/{ago(6)}"), ".note.amiss") == []
    assert texts(parsed(site, "/"), ".note") == [f"The papers of {_long(ago(0))} are not published yet."]


def _long(day: str) -> str:
    found = date.fromisoformat(day)
    return f"{found.day} {found:%B %Y}"


def _account(*states: tuple[str, str, int, int], failures: int = 0) -> Account:
    """An account of one source: (day, state, announced, missing) each."""
    rows = [
        Coverage("s", "papers", day, announced, announced - missing, (), state, "", "2026-06-01T00:00:00Z")
        for day, state, announced, missing in states
    ]
    gathered = GatherState("s", {}, succeeded="2026-05-29T08:00:00.000Z", failures=failures)
    source = SourceAccount("s", "The Source", "", gathered, days_of(rows)["s"])
    return Account("2026-01-05", "2026-06-01", (source,))


FRIDAY = ("2026-05-29", "complete", 5, 0)


@pytest.mark.parametrize(
    ("since", "broken", "words"),
    [
        ([], False, None),
        ([("2026-06-01", "failed", 0, 0)], True, "could not be read for 1 June 2026"),
        ([("2026-06-01", "refused", 0, 0)], True, "refused to give the papers of 1 June 2026"),
        ([("2026-06-01", "incomplete", 9, 9)], True, "9 of the 9 papers"),
        ([("2026-06-01", "late", 0, 0)], False, "The papers of 1 June 2026 are not published yet."),
        (
            [("2026-05-30", "holiday", 0, 0), ("2026-05-31", "holiday", 0, 0)],
            False,
            "nothing was published on 30 May 2026 to 31 May 2026",
        ),
        # What broke on Monday counts more than the week-end before it.
        ([("2026-05-30", "holiday", 0, 0), ("2026-06-01", "failed", 0, 0)], True, "Something broke"),
    ],
)
def test_the_newest_front_page_says_why_nothing_came_since(
    since: list[tuple[str, str, int, int]], broken: bool, words: str | None
) -> None:
    line = front_line(_account(FRIDAY, *since), "2026-05-29", ["papers"], latest=True)
    if words is None:
        assert line is None
    else:
        assert line is not None and words in line.text
        assert line.broken is broken
    # An older front page that somebody opens is not about today, nor one of other lists.
    assert front_line(_account(FRIDAY, *since), "2026-05-29", ["papers"], latest=False) is None
    assert front_line(_account(FRIDAY, *since), "2026-05-29", ["another"], latest=True) is None


def test_a_source_that_fails_altogether_is_told_on_the_front_page() -> None:
    line = front_line(_account(FRIDAY, failures=3), "2026-05-29", ["papers"], latest=True)
    assert line is not None and line.broken
    assert line.text == "Something broke: The Source could not be read since 29 May 2026."


def test_a_page_that_was_kept_is_made_anew_when_a_gathering_failed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadsheet.web.coverage._LOOK_S", 0.0)
    announced(workspace.store, "daily_papers", "daily_papers", ago(1), 0, 3)
    workspace.store.note_gather("daily_papers", f"{ago(1)}T06:14:00.000Z")
    with TestClient(create_app(workspace)) as site:
        assert texts(parsed(site, "/"), ".note") == []
        told(workspace.store, "daily_papers", "daily_papers", ago(0), "failed", "away")
        workspace.store.note_gather("daily_papers", f"{ago(0)}T06:14:00.000Z", "away")
        [note] = texts(parsed(site, "/"), ".note.amiss")
    assert note.startswith(
        f"Something broke: Hugging Face Daily Papers could not be read since {_long(ago(1))}."
    )


def test_a_client_reads_health_and_metrics_of_the_running_server(tmp_path: Path) -> None:
    with running_server(tmp_path / "home") as server:
        assert httpx.get(server.url + "/healthz").json() == {"status": "ok"}
        assert "broadsheet_papers" in httpx.get(server.url + "/metrics").text
        assert httpx.get(server.url + "/coverage").status_code == 200
