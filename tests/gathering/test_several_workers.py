"""Several real processes: together they keep a service's pace, one of them gathers, another goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from broadsheet.gathering.leases import Lease, is_dead, worker
from broadsheet.sources.daily_papers.fetch import DAILY_PAPERS
from broadsheet.sources.http import Service
from broadsheet.store import Store
from tests.gathering.paged import NAME, Catalogue, pages
from tests.sources.playing_service import Answer, playing_service

ROOT = Path(__file__).resolve().parents[2]
SERVICE = Service("catalogue", interval=0.1, windows=((5, 1.0),))
# Gathers until there is nothing more to do: HOME URL PACE.
PROGRAM = """
import json, sys
from pathlib import Path
from broadsheet.gathering import gather
from broadsheet.sources.http import Client
from broadsheet.store import Store
from tests.gathering.paged import Paged
from tests.gathering.test_several_workers import SERVICE
home, url, pace = sys.argv[1:]
store = Store.open(f"sqlite:///{home}/broadsheet.db")
with Client(Path(home), pace=Path(pace)) as client:
    (result,) = gather(store, client, [Paged(url, SERVICE)])
print(json.dumps(result.as_json()))
"""


def start(home: Path, url: str, pace: Path) -> subprocess.Popen[bytes]:
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-c", PROGRAM, str(home), url, str(pace)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[bytes]) -> dict[str, object]:
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    return json.loads(out)


def test_two_homes_gathering_at_once_never_exceed_the_limits_of_a_service(tmp_path: Path) -> None:
    with playing_service(Catalogue(pages(7))) as service:
        both = [start(tmp_path / name, service.url, tmp_path / "pace") for name in ("first", "second")]
        assert [ended(process)["new"] for process in both] == [18, 18]
    times = [asked.at for asked in service.requests]
    assert len(times) == 14 and service.busiest == 1
    assert min(service.gaps) >= SERVICE.interval
    assert min(later - first for first, later in zip(times, times[5:], strict=False)) >= 1.0


def test_two_processes_on_one_home_ask_for_each_page_once(tmp_path: Path) -> None:
    with playing_service(Catalogue(pages(12))) as service:
        first = start(tmp_path, service.url, tmp_path / "pace")
        while not service.requests:
            time.sleep(0.01)
        second = start(tmp_path, service.url, tmp_path / "pace")
        states = {ended(process)["state"] for process in (first, second)}
    assert "done" in states and len(service.requests) == 12


def test_what_a_killed_process_held_is_taken_over_at_once(tmp_path: Path) -> None:
    with playing_service(Catalogue(pages(6))) as service:
        first = start(tmp_path, service.url, tmp_path / "pace")
        while len(service.requests) < 3:
            time.sleep(0.01)
        first.kill()
        first.communicate()
        result = ended(start(tmp_path, service.url, tmp_path / "pace"))
    tokens = [asked.query["token"][0] for asked in service.requests]
    assert result["state"] == "done"
    # At most the request that was under way is made again.
    assert len(tokens) <= 7 and sorted(set(tokens)) == [str(number) for number in range(6)]
    assert min(service.gaps) >= SERVICE.interval


def test_stopping_a_process_ends_it_soon_and_frees_the_source(tmp_path: Path) -> None:
    with playing_service(Answer(status=503, headers={"Retry-After": "200"})) as service:
        env = {**os.environ, "BROADSHEET_DAILY_PAPERS_URL": service.url}
        program = Path(sys.executable).with_name("broadsheet")
        command = [program, "gather", "daily_papers", "--home", tmp_path / "home"]
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not service.requests and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=30)
    told = json.loads(out)
    assert told["stopped"] and process.returncode == 130, errors.decode()


def test_a_worker_is_dead_only_where_that_is_sure(tmp_path: Path) -> None:
    host, machine, process, started = worker().split("/")
    assert not is_dead(worker())
    ended_process = subprocess.Popen([sys.executable, "-c", ""])
    ended_process.wait()
    assert is_dead(f"{host}/{machine}/{ended_process.pid}/{started}/1")
    assert is_dead(f"{host}/{machine}/{process}/0/1")
    for other in (
        "",
        "elsewhere",
        f"elsewhere/{machine}/1/1",
        f"{host}/another start/{process}/0",
        "a/b/c/d",
    ):
        assert not is_dead(other)


def test_two_threads_of_a_process_are_two_workers(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'broadsheet.db'}")
    first, second = Lease(store, NAME), Lease(store, NAME)
    assert first.take() and not second.take()
    assert first.ours()
    first.give()
    assert second.take() and not first.ours()
    second.give()
    assert store.gather_state(NAME).holder == ""
    store.close()


def test_programs_over_two_homes_keep_one_pace_without_being_told(tmp_path: Path) -> None:
    with playing_service(Answer(status=404)) as service:
        env = {**os.environ, "BROADSHEET_DAILY_PAPERS_URL": service.url}
        program = Path(sys.executable).with_name("broadsheet")
        both = [
            subprocess.Popen(
                [program, "gather", "daily_papers", "--home", tmp_path / name],
                env=env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name in ("first", "second")
        ]
        for process in both:
            assert process.wait(60) == 1
    assert len(service.requests) == 2
    assert service.gaps[0] >= DAILY_PAPERS.interval
