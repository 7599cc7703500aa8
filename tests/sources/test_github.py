"""GitHub: stars are counted day by day within its limit; renamed and lost repositories are told."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from broadsheet.model.papers import Rejection
from broadsheet.sources.files import read_file
from broadsheet.sources.github import GitHub
from broadsheet.sources.github.parse import name_in, repository
from tests.sources.enriching import NOW, OUT_OF_ORDER, QUICK, add, as_json, fixture, gather, home
from tests.sources.playing_service import Answer, Asked, playing_service


def test_recorded_repositories_are_read(shared: Path) -> None:
    found = {}
    for path in sorted((shared / "data" / "recorded" / "github").iterdir()):
        told = repository(json.loads(path.read_bytes()))
        found[path.name] = (told.name, told.stars)
        (item,) = read_file(path)
        assert isinstance(item, Rejection) and "broadsheet gather github" in item.why
    assert found == {
        "repo_PyGithub.json": ("PyGithub/PyGithub", 7122),
        "repo_hello-world.json": ("octokit-fixture-org/hello-world", 0),
        "repo_recorded_2026.json": ("cosmtrek/mindwalk", 498),
    }


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/ada/engine", "ada/engine"),
        ("http://www.github.com/ada/engine.git", "ada/engine"),
        ("https://github.com/ada/engine/tree/main/src?x=1#y", "ada/engine"),
        ("https://github.com/ada", None),
        ("https://github.com/orgs/ada", None),
        ("https://gist.github.com/ada/1", None),
        ("https://example.org/github.com/ada/engine", None),
        ("https://github.com/ada/..", None),
    ],
)
def test_the_name_of_a_repository_is_found_in_its_links(url: str, name: str | None) -> None:
    assert name_in(url) == name


class _GitHub:
    """Plays the service with a limit of requests, one renamed, one deleted and one blocked repository."""

    def __init__(self, remaining: int = 1000, stars: int = 734):
        self.remaining, self.stars = remaining, stars

    def __call__(self, asked: Asked) -> Answer:
        headers = {"X-RateLimit-Remaining": str(self.remaining)}
        if asked.path == "/rate_limit":
            return as_json({"resources": {"core": {"limit": 60, "remaining": self.remaining, "reset": 1}}})
        if self.remaining <= 0:
            return Answer(403, b'{"message": "API rate limit exceeded for 127.0.0.1"}', headers)
        self.remaining -= 1
        name = asked.path.removeprefix("/repos/")
        if name == "ada/old":
            return Answer(301, b"{}", {"Location": "/repositories/7"})
        if name == "ada/blocked":
            return Answer(451, b'{"message": "Repository access blocked"}')
        if name == "ada/gone":
            return Answer(404, b'{"message": "Not Found"}')
        if asked.path == "/repositories/7":
            name = "ada/new"
        told = {"full_name": name, "html_url": f"https://github.com/{name}", "stargazers_count": self.stars}
        return as_json({**fixture("github/repo.json"), **told})


def test_stars_are_counted_over_time(tmp_path: Path) -> None:
    played = _GitHub()
    with playing_service(played) as service, home(tmp_path) as (store, client):
        add(store, ("2407.20001", "One"), ("2407.20002", "Two"), links=["https://github.com/ada/engine.git"])
        add(store, ("2407.20003", "Elsewhere"), links=["https://gitlab.com/ada/engine"])
        source = GitHub(service.url, service=QUICK)
        first = gather(source, store, client)
        assert [(item.counted, item.github_stars) for item in first.records] == [
            (NOW.date().isoformat(), 734)
        ] * 2
        # One repository is asked for once, and elsewhere nothing is asked for.
        assert [request.path for request in service.requests] == ["/rate_limit", "/repos/ada/engine"]
        gather(source, store, client, days=1)
        assert len(service.requests) == 2
        played.stars = 800
        gather(source, store, client, days=31)
        paper = store.paper("2407.20001")
        assert paper and paper.github_stars == 800
        assert not [link for link in paper.links if link.source == "github"]


def test_a_renamed_repository_gets_its_new_link_and_a_lost_one_is_told(tmp_path: Path) -> None:
    with playing_service(_GitHub()) as service, home(tmp_path) as (store, client):
        add(store, ("2407.20001", "Renamed"), links=["https://github.com/ada/old"])
        add(store, ("2407.20002", "Deleted"), links=["https://github.com/ada/gone"], days_old=1)
        add(store, ("2407.20003", "Blocked"), links=["https://github.com/ada/blocked"], days_old=2)
        gathered = gather(GitHub(service.url, service=QUICK), store, client)
        assert gathered.problem is None
        paper = store.paper("2407.20001")
        assert paper and paper.github_stars == 734
        assert [link.url for link in paper.links] == [
            "https://github.com/ada/old",
            "https://github.com/ada/new",
        ]
        assert [item.where for item in gathered.rejections] == ["github ada/gone", "github ada/blocked"]
        assert "2407.20002" in gathered.rejections[0].why


@pytest.mark.parametrize("remaining", [0, 25])
def test_a_used_up_limit_ends_the_run_which_goes_on_an_hour_later(tmp_path: Path, remaining: int) -> None:
    played = _GitHub(remaining)
    with playing_service(played) as service, home(tmp_path) as (store, client):
        for number in range(30):
            link = f"https://github.com/ada/r{number}"
            add(store, (f"2407.2{number:04}", f"Engine {number}"), links=[link], days_old=number)
        source = GitHub(service.url, service=QUICK)
        first = gather(source, store, client)
        assert first.problem is None
        assert len(first.records) == (20 if remaining else 0)
        # Some requests are left to others.
        assert played.remaining >= min(remaining, 5)
        played.remaining = 1000
        second = gather(source, store, client, days=1 / 24)
        assert len(first.records) + len(second.records) == 30


def test_a_limit_that_others_used_up_is_no_failure(tmp_path: Path) -> None:
    told = as_json({"resources": {"core": {"remaining": 1000}}})
    refused = Answer(403, b'{"message": "You have exceeded a secondary rate limit."}')
    with playing_service(told, refused) as service, home(tmp_path) as (store, client):
        add(store, ("2407.20001", "One"), links=["https://github.com/ada/engine"])
        gathered = gather(GitHub(service.url, service=QUICK), store, client)
        assert gathered.problem is None and not gathered.pages


def test_a_token_is_sent_in_its_header_only_and_a_wrong_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "broadsheet")
    with home(tmp_path) as (store, client):
        add(store, ("2407.20001", "One"), links=["https://github.com/ada/engine"])
        with playing_service(Answer(401, b'{"message": "Bad credentials"}')) as service:
            gathered = gather(GitHub(service.url, token="s3cr3t", service=QUICK), store, client)
            assert service.requests[0].headers["authorization"] == "Bearer s3cr3t"
            assert "s3cr3t" not in service.requests[0].path + str(service.requests[0].query)
        assert "BROADSHEET_GITHUB_TOKEN" in str(gathered.problem)
        assert "s3cr3t" not in str(gathered.problem) + caplog.text


@pytest.mark.parametrize("failure", set(OUT_OF_ORDER) - {"refused"})
def test_a_failure_is_told_and_nothing_is_lost(tmp_path: Path, failure: str) -> None:
    with home(tmp_path) as (store, client):
        add(store, ("2407.20001", "One"), links=["https://github.com/ada/engine"])
        with playing_service(_GitHub(), OUT_OF_ORDER[failure]) as service:
            gathered = gather(GitHub(service.url, service=QUICK), store, client)
        assert gathered.problem and not gathered.pages
        (client.pace_folder / "played.json").unlink()
        with playing_service(_GitHub()) as service:
            assert len(gather(GitHub(service.url, service=QUICK), store, client).records) == 1
