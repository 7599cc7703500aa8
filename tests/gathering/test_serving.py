"""The real program gathers: by itself beside the site, which never waits for it, and by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from broadsheet.store import Store
from tests.conftest import free_port
from tests.sources.playing_service import Answer, Asked, playing_service
from tests.web.server import running_server

ITEM = {
    "paper": {
        "id": "2606.00001",
        "title": "A paper of the day",
        "summary": "We gather one paper, and look whether it comes.",
        "authors": [{"name": "Ada Dove"}],
        "upvotes": 3,
    },
    "title": "A paper of the day",
}


def daily_papers(asked: Asked) -> Answer:
    """One paper on each day; it is the same on all."""
    item = ITEM | {"submittedOnDailyAt": f"{asked.query['date'][0]}T05:00:00.000Z"}
    item["paper"] = ITEM["paper"] | {"submittedOnDailyAt": item["submittedOnDailyAt"]}
    return Answer(body=json.dumps([item]).encode(), headers={"Content-Type": "application/json"})


def test_the_site_answers_while_the_services_do_not(tmp_path: Path) -> None:
    go_on = threading.Event()

    def hanging(asked: Asked) -> Answer:
        go_on.wait(60)
        return daily_papers(asked)

    with playing_service(hanging) as service:
        env = {
            "BROADSHEET_GATHER": "true",
            "BROADSHEET_DAILY_PAPERS_URL": service.url,
            "BROADSHEET_SOURCES": "daily_papers",
        }
        with running_server(tmp_path / "home", env=env) as server:
            while not service.requests:
                time.sleep(0.02)
            assert httpx.get(server.url + "/").status_code == 200
            go_on.set()
            while httpx.get(server.url + "/papers/2606.00001").status_code != 200:
                time.sleep(0.1)


def test_no_network_is_told_in_a_line_and_the_site_is_there(tmp_path: Path) -> None:
    env = {
        "BROADSHEET_GATHER": "true",
        "BROADSHEET_DAILY_PAPERS_URL": f"http://127.0.0.1:{free_port()}/api/daily_papers",
        "BROADSHEET_SOURCES": "daily_papers",
    }
    with running_server(tmp_path / "home", env=env) as server:
        while "tries again at" not in server.output():
            time.sleep(0.05)
        assert "cannot be reached; check the network and try again later" in server.output()
        assert "Traceback" not in server.output()
        assert httpx.get(server.url + "/").status_code == 200


def test_gathering_by_hand_reports_and_stores(tmp_path: Path) -> None:
    def recent(asked: Asked) -> Answer:
        return daily_papers(asked) if len(service.requests) < 3 else Answer(status=404)

    with playing_service(recent) as service:
        env = {"BROADSHEET_DAILY_PAPERS_URL": service.url}
        done = gather("daily_papers", home=tmp_path, env=env)
        told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["read"], told["new"], told["sources"][0]["state"]) == (2, 1, "failed")
    assert "404 Not Found" in told["sources"][0]["problem"]
    store = Store.open(f"sqlite:///{tmp_path / 'broadsheet.db'}")
    assert store.paper("2606.00001").title == "A paper of the day"
    store.close()


def test_a_name_that_is_no_source_is_told_with_those_there_are(tmp_path: Path) -> None:
    done = gather("arxive", home=tmp_path)
    assert done.returncode == 1 and b"Traceback" not in done.stderr
    assert b"there is no source 'arxive'; configured are arxiv, daily_papers" in done.stderr
    assert b"--since needs names" in gather("--since", "2020-01-01", home=tmp_path).stderr
    done = gather("daily_papers", "--since", "2020-13-01", home=tmp_path)
    assert done.returncode == 1 and b"2020-13-01" in done.stderr and b"Traceback" not in done.stderr


def gather(
    *arguments: str, home: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    command = [Path(sys.executable).with_name("broadsheet"), "gather", *arguments, "--home", home]
    return subprocess.run(command, env=os.environ | (env or {}), capture_output=True, timeout=60, check=False)
