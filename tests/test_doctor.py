"""What the doctor says of each source, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadsheet.doctor import Finding, examine
from broadsheet.workspace import Workspace
from tests.web.coverage_home import announced, told

NOW = datetime.now(UTC)
TODAY = NOW.date().isoformat()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("BROADSHEET_SOURCES", "daily_papers")
    monkeypatch.setenv("BROADSHEET_ENCODER", "/no/encoder")
    opened = Workspace.open(tmp_path / "home")
    yield opened
    opened.close()


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def source(workspace: Workspace) -> Finding:
    [found] = [finding for finding in examine(workspace) if finding.part == "source daily_papers"]
    return found


def test_a_source_that_was_not_gathered_yet_is_no_fault(workspace: Workspace) -> None:
    found = source(workspace)
    assert found.ok
    assert "broadsheet gather daily_papers" in found.remedy


def test_a_source_that_was_read_with_all_it_announced_is_well(workspace: Workspace) -> None:
    announced(workspace.store, "daily_papers", "daily_papers", TODAY, 0, 3)
    told(workspace.store, "daily_papers", "daily_papers", "2026-01-03", "holiday", "nothing")
    workspace.store.note_gather("daily_papers", _stamp(NOW))
    found = source(workspace)
    assert found.ok
    assert "all of the last 30 days is here" in found.message


def test_a_source_that_fails_is_amiss_with_the_reason_and_the_last_success(workspace: Workspace) -> None:
    workspace.store.note_gather("daily_papers", _stamp(NOW - timedelta(hours=5)))
    for _ in range(2):
        workspace.store.note_gather("daily_papers", _stamp(NOW), "huggingface.co answered 503")
    found = source(workspace)
    assert not found.ok
    assert "the last 2 tries failed: huggingface.co answered 503; last read" in found.message
    assert "broadsheet gather daily_papers" in found.remedy


def test_a_source_that_nobody_reads_any_more_is_amiss(workspace: Workspace) -> None:
    workspace.store.note_gather("daily_papers", _stamp(NOW - timedelta(days=3)))
    found = source(workspace)
    assert not found.ok
    assert "should have been read at" in found.message
    assert "broadsheet serve" in found.remedy


def test_missing_papers_and_days_that_were_not_read_are_counted(workspace: Workspace) -> None:
    announced(workspace.store, "daily_papers", "daily_papers", TODAY, 0, 5, absent=2)
    yesterday = (NOW - timedelta(days=1)).date().isoformat()
    told(workspace.store, "daily_papers", "daily_papers", yesterday, "failed", "away")
    # What is older stands on the coverage page.
    announced(workspace.store, "daily_papers", "daily_papers", "2026-01-05", 10, 5, absent=5)
    workspace.store.note_gather("daily_papers", _stamp(NOW))
    found = source(workspace)
    assert not found.ok
    assert "2 announced papers missing, 1 day not read" in found.message
    assert "/coverage?source=daily_papers" in found.remedy


def test_a_wrong_setting_of_sources_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADSHEET_SOURCES", "daily_papers,nonsense")
    monkeypatch.setenv("BROADSHEET_ENCODER", "/no/encoder")
    workspace = Workspace.open(tmp_path / "home")
    [found] = [finding for finding in examine(workspace) if finding.part == "sources"]
    workspace.close()
    assert not found.ok
    assert "nonsense" in found.message
