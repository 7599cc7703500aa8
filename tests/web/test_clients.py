"""The published huggingface_hub, unmodified and in environments of its own, against the real server.

`tests/clients/install.sh` makes the environments; `make test` calls it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web import api_home as known
from tests.web.server import Server, running_server

TESTS = Path(__file__).resolve().parents[1]
VERSIONS = ("1.28.0", "2.4.0")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("clients") / "home"
    known.fill(home)
    with running_server(home) as started:
        yield started
        assert "Traceback" not in started.output()


class Client:
    """One version of the client: its library through `ask`, its command through `hf`."""

    def __init__(self, version: str, server: Server, folder: Path):
        self.version = version
        self._programs = TESTS.parent / ".venv-clients" / f"huggingface_hub-{version}" / "bin"
        if not (self._programs / "hf").exists():
            pytest.fail(f"huggingface_hub {version} is not installed; run tests/clients/install.sh")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))},
            "HF_ENDPOINT": server.url,
            "HF_HOME": str(folder),
            "HF_TOKEN": "hf_notasecretjustatest",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }

    def _run(self, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._programs / command[0]), *command[1:]],
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def ask(self, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
        """What the client returned, or how it failed, for each (method, arguments)."""
        asked = json.dumps([{"call": method, "with": arguments} for method, arguments in calls])
        done = self._run("python", str(TESTS / "clients" / "ask.py"), given=asked)
        assert done.returncode == 0, done.stderr
        return [answer.get("result", answer) for answer in json.loads(done.stdout)]

    def hf(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``hf papers`` with ``arguments``."""
        return self._run("hf", "papers", *arguments)

    def hf_json(self, *arguments: str) -> Any:
        done = self.hf(*arguments, "--format", "json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module", params=VERSIONS)
def client(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Client:
    return Client(request.param, server, tmp_path_factory.mktemp("hf_home"))


@pytest.fixture
def searchable(client: Client) -> Client:
    known.wait_until("indexing", lambda: client.ask(("list_papers", {"query": "night calls birds"}))[0])
    return client


def test_a_list_fills_every_attribute(client: Client) -> None:
    (found,) = client.ask(("list_daily_papers", {"date": known.DAY}))
    full, plain = found
    assert full["id"] == known.FULL
    assert full["title"] == "Hearing the night: counting migrating birds by their calls"
    assert full["summary"].startswith("Birds that migrate at night")
    assert full["published_at"] == {"datetime": "2026-05-27T17:02:11+00:00"}
    assert full["submitted_at"] == {"datetime": "2026-05-29T06:30:00+00:00"}
    assert (full["upvotes"], full["comments"]) == (42, 3)
    assert full["discussion_id"] == "60f1abe7544c2adfd699aa04"
    assert full["source"] == "arxiv"
    assert full["ai_summary"].startswith("Night migration is counted")
    assert full["ai_keywords"] == ["bioacoustics", "weather radar"]
    assert full["project_page"] == "https://night-flight.example/"
    assert full["github_repo"] == "https://github.com/tern-lab/night-flight"
    assert full["github_stars"] == 131
    assert full["organization"]["name"] == "tern-lab"
    assert full["organization"]["fullname"] == "Tern Laboratory"
    assert full["organization"]["avatar_url"] == "https://avatars.example/tern.png"
    assert full["submitted_by"]["username"] == "mlindqvist"
    assert full["submitted_by"]["fullname"] == "Mara Lindqvist"
    assert full["submitted_by"]["avatar_url"] == "https://avatars.example/mara.png"
    assert full["submitted_by"]["is_pro"] is True
    first, second = full["authors"]
    assert (first["name"], first["status"], first["hidden"]) == ("Mara Lindqvist", "claimed_verified", False)
    assert first["user"]["username"] == "mlindqvist"
    assert first["status_last_changed_at"] == {"datetime": "2026-05-29T16:45:04.704000+00:00"}
    assert (second["name"], second["user"], second["hidden"]) == ("Ola Brandt", None, False)

    # Of this one little is known: counts are numbers all the same, and the rest is None.
    assert plain["id"] == known.PLAIN
    assert (plain["upvotes"], plain["comments"]) == (0, 0)
    assert plain["published_at"] == {"datetime": "2026-05-28T00:00:00+00:00"}
    assert plain["submitted_at"] == {"datetime": "2026-05-29T00:00:00+00:00"}
    assert plain["github_repo"] == "https://github.com/tidebook/ledger"
    for name in ("submitted_by", "organization", "ai_summary", "ai_keywords", "github_stars", "project_page"):
        assert plain[name] is None


def test_one_paper_fills_every_attribute(client: Client) -> None:
    (full,) = client.ask(("paper_info", {"id": known.FULL}))
    assert full["id"] == known.FULL
    assert full["published_at"] == {"datetime": "2026-05-27T17:02:11+00:00"}
    assert full["submitted_at"] == {"datetime": "2026-05-29T06:30:00+00:00"}
    assert (full["upvotes"], full["comments"], full["github_stars"]) == (42, 3, 131)
    assert full["submitted_by"]["username"] == "mlindqvist"
    assert full["organization"]["avatar_url"] == "https://avatars.example/tern.png"
    assert [one["id"] for one in full["linked_models"]] == ["tern-lab/night-flight-small"]
    assert full["linked_models"][0]["last_modified"] == {"datetime": "2026-05-30T10:00:00+00:00"}
    assert [one["id"] for one in full["linked_datasets"]] == ["tern-lab/radar-nights"]
    assert [one["id"] for one in full["linked_spaces"]] == ["tern-lab/listen"]
    assert (full["num_total_models"], full["num_total_datasets"]) == (1, 1)


def test_what_is_not_known_is_none_and_never_an_error(client: Client) -> None:
    (undated,) = client.ask(("paper_info", {"id": known.UNDATED}))
    assert undated["title"] == known.UNDATED_TITLE
    assert undated["published_at"] is None
    assert undated["submitted_at"] == {"datetime": "2026-05-27T00:00:00+00:00"}
    (listed,) = client.ask(("list_daily_papers", {"date": "2026-05-27"}))
    assert listed[0]["published_at"] is None
    assert listed[0]["submitted_at"] == {"datetime": "2026-05-27T00:00:00+00:00"}


def test_every_parameter_of_a_list(client: Client) -> None:
    calls = [
        {"week": "2026-W22"},
        {"month": "2026-05", "limit": 2},
        {"month": "2026-05", "limit": 2, "p": 1},
        {"submitter": "mlindqvist"},
        {"sort": "trending", "limit": 1},
        {"sort": "publishedAt"},
        {"date": "2023-05-06"},
        {},
    ]
    answers = client.ask(*(("list_daily_papers", arguments) for arguments in calls))
    week, first, second, submitted, trending, newest, none, default = [
        [one["id"] for one in a] for a in answers
    ]
    assert first + second == week[:4]
    assert submitted == [known.FULL, known.OLD]
    assert trending == [known.FULL]
    assert newest == default
    assert none == []


@pytest.mark.parametrize(
    "id", [known.FULL, f"{known.FULL}v2", known.OLD, f"{known.OLD}v1", known.DOI, known.UNDATED]
)
def test_every_kind_of_id_is_read(client: Client, id: str) -> None:
    info, text = client.ask(("paper_info", {"id": id}), ("read_paper", {"id": id}))
    assert info["id"] == id.split("v")[0]
    assert info["title"] in text


def test_errors_reach_the_client_as_what_they_are(client: Client) -> None:
    missing, unread, date, limit = client.ask(
        ("paper_info", {"id": "2605.09999"}),
        ("read_paper", {"id": "2605.09999"}),
        ("list_daily_papers", {"date": "2025-13-40"}),
        ("list_daily_papers", {"limit": 100_000}),
    )
    assert (missing["error"], missing["status"]) == ("HfHubHTTPError", 404)
    assert (unread["error"], unread["status"]) == ("HfHubHTTPError", 404)
    assert (date["error"], date["status"]) == ("BadRequestError", 400)
    assert "2025-13-40" in date["message"]
    assert (limit["error"], limit["status"]) == ("BadRequestError", 400)
    assert "at most 100" in limit["message"]


def test_search(searchable: Client) -> None:
    by_words, by_id, by_address, newest = searchable.ask(
        ("list_papers", {"query": "migrating birds"}),
        ("list_papers", {"query": known.OLD}),
        ("list_papers", {"query": f"https://arxiv.org/abs/{known.FULL}", "limit": 1}),
        ("list_papers", {}),
    )
    assert by_words[0]["id"] == known.FULL
    assert by_words[0]["upvotes"] == 42
    assert by_id[0]["id"] == known.OLD
    assert [one["id"] for one in by_address] == [known.FULL]
    assert newest[0]["id"] == known.PLAIN


def test_hf_papers_ls(client: Client) -> None:
    table = client.hf("ls", "--date", known.DAY)
    assert table.returncode == 0, table.stderr
    assert known.FULL in table.stdout
    assert "Mara Lindqvist" in table.stdout
    rows = client.hf_json("ls", "--week", "2026-W22", "--limit", "3")
    assert [row["id"] for row in rows][:2] == [known.FULL, known.OLD]
    assert [row["upvotes"] for row in rows][:2] == [42, 5]
    assert rows[0]["published_at"].startswith("2026-05-27T17:02:11")
    assert client.hf_json("ls", "--sort", "trending")[0]["id"] == known.FULL
    assert client.hf_json("ls", "--submitter", "mlindqvist", "--limit", "1")[0]["id"] == known.FULL
    assert client.hf_json("ls", "--date", "2023-05-06") == []
    assert client.hf("ls", "--date", "today").returncode == 0


def test_hf_papers_search(searchable: Client) -> None:
    rows = searchable.hf_json("search", "microphones that count birds", "--limit", "2")
    assert rows[0]["id"] == known.FULL
    assert rows[0]["summary"].startswith("Birds that migrate")


def test_hf_papers_info_and_read(client: Client) -> None:
    info = client.hf_json("info", known.FULL)
    assert (info["id"], info["upvotes"], info["github_stars"]) == (known.FULL, 42, 131)
    read = client.hf("read", known.OLD)
    assert read.returncode == 0, read.stderr
    assert "On the boundary terms of a two-dimensional string" in read.stdout


@pytest.mark.parametrize("command", ["info", "read"])
def test_hf_papers_says_that_a_paper_is_not_found(client: Client, command: str) -> None:
    done = client.hf(command, "2605.09999")
    assert done.returncode == 1
    assert "Paper '2605.09999' not found" in done.stdout + done.stderr


def test_hf_papers_shows_what_is_wrong_with_a_date(client: Client) -> None:
    done = client.hf("ls", "--date", "2025-13-40")
    assert done.returncode == 1
    assert "2025-13-40" in done.stdout + done.stderr
