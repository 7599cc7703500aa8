"""What an editor types: merge, split and conflicts, as the real program."""

from __future__ import annotations

import json
from pathlib import Path

from tests.test_cli import printed, run

PAPERS = [
    {"title": "Pigeons of a town and their wings", "arxiv_id": "2401.00001", "authors": ["Ada Dove"]},
    {"title": "Pigeons of a town and their wings", "doi": "10.1000/x", "authors": ["Cy Gull"]},
]


def test_an_editor_merges_splits_and_sees_conflicts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    lines = "\n".join(map(json.dumps, PAPERS)).encode()
    assert printed(run("add", "-", "--later", home=home, stdin=lines))["new"] == 2
    [conflict] = printed(run("conflicts", "--json", home=home))
    assert {conflict["one"][0], conflict["other"][0]} == {"2401.00001", "10.1000/x"}
    merged = printed(
        run("merge", "2401.00001", "https://doi.org/10.1000/X", "--reason", "one work", home=home)
    )
    assert merged == {"merge": 1, "id": "2401.00001"}
    [listed] = printed(run("merge", "--list", home=home))
    assert (listed["paper"], listed["dropped"], listed["reason"]) == ("2401.00001", "10.1000/x", "one work")
    assert printed(run("split", "10.1000/x", home=home)) == {"papers": ["2401.00001", "10.1000/x"]}
    wrong = run("split", "2401.00001", home=home)
    assert wrong.returncode == 1
    assert b"nothing was merged" in wrong.stderr
