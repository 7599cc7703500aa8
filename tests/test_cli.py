"""The command line as a person and as a script meet it: the real program, as a process of its own."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.sources.playing_service import Answer, playing_service
from tests.web.server import running_server

PROGRAM = Path(sys.executable).with_name("broadsheet")
FIXTURES = Path(__file__).parent / "fixtures"

ID = "1706.03762"
PAPERS = [
    {
        "arxiv_id": "2605.00001",
        "title": "Grey doves return to their roofs",
        "abstract": "We count which birds of a town come home in winter and model the wind.",
        "authors": ["Ada Dove"],
        "day": "2026-05-28",
        "list": "daily_papers",
        "upvotes": 12,
    },
    {
        "arxiv_id": "2605.00002",
        "title": "Even lattices of rank eight",
        "abstract": "Theta series count short vectors, which proves that only one such lattice exists.",
        "day": "2026-05-29",
        "list": "daily_papers",
        "upvotes": 3,
    },
]


def run(
    *arguments: object, home: Path | None = None, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
    where = ["--home", str(home)] if home else []
    command = [str(PROGRAM), *map(str, arguments), *where]
    return subprocess.run(
        command, input=stdin, capture_output=True, env=clean | (env or {}), timeout=120, check=False
    )


def printed(done: subprocess.CompletedProcess[bytes]) -> object:
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    file = tmp_path / "papers.jsonl"
    file.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS))
    return file


@pytest.fixture
def home(tmp_path: Path, papers: Path) -> Path:
    folder = tmp_path / "home"
    printed(run("add", papers, home=folder))
    return folder


def test_adding_reports_what_became_of_each_record_and_the_second_time_nothing_changes(
    tmp_path: Path, papers: Path
) -> None:
    home = tmp_path / "home"
    first = printed(run("add", papers, "--json", home=home))
    assert first == {"read": 2, "new": 2, "updated": 0, "unchanged": 0, "rejected": []}
    zipped = tmp_path / "papers.gz"
    zipped.write_bytes(gzip.compress(papers.read_bytes()))
    again = printed(run("add", zipped, home=home))
    assert again == {"read": 2, "new": 0, "updated": 0, "unchanged": 2, "rejected": []}
    piped = printed(run("add", "-", home=home, stdin=papers.read_bytes()))
    assert piped["unchanged"] == 2


def test_a_bad_line_is_reported_with_its_place_and_the_rest_is_stored(tmp_path: Path, papers: Path) -> None:
    papers.write_text("{broken\n" + papers.read_text())
    done = run("add", papers, home=tmp_path / "home")
    report = printed(done)
    assert (done.returncode, report["new"]) == (0, 2)
    [rejection] = report["rejected"]
    assert rejection["where"].endswith("papers.jsonl line 1")


@pytest.mark.parametrize("name", ["missing.jsonl", "2407.999999", "a\nb", "x" * 5000])
def test_what_is_neither_file_nor_id_is_rejected_with_both_remedies(tmp_path: Path, name: str) -> None:
    done = run("add", name, home=tmp_path / "home")
    report = printed(done)
    assert done.returncode == 1
    [rejection] = report["rejected"]
    assert "id or address" in rejection["why"]


def test_an_id_is_fetched_from_arxiv_once(tmp_path: Path) -> None:
    answer = (FIXTURES / "arxiv" / "query_two_papers.xml").read_bytes()
    with playing_service(Answer(body=answer, headers={"Content-Type": "application/atom+xml"})) as arxiv:
        env = {"BROADSHEET_ARXIV_URL": arxiv.url}
        home = tmp_path / "home"
        report = printed(run("add", ID, home=home, env=env))
        assert (report["new"], report["rejected"]) == (1, [])
        assert arxiv.requests[0].ids == [ID]
        again = printed(run("add", f"https://arxiv.org/abs/{ID}v1", home=home, env=env))
        assert (again["read"], again["unchanged"]) == (1, 1)
        assert len(arxiv.requests) == 1


def test_an_id_is_rejected_with_the_reason_when_arxiv_is_away(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        env = {"BROADSHEET_ARXIV_URL": f"http://127.0.0.1:{closed.getsockname()[1]}/api/query"}
        done = run("add", "2605.00009", home=tmp_path / "home", env=env)
    [rejection] = printed(done)["rejected"]
    assert "2605.00009" in rejection["where"] or "2605.00009" in rejection["why"]


def test_search_prints_the_papers_best_first(home: Path) -> None:
    found = printed(run("search", "which birds come home", "--limit", "1", home=home))
    assert [(hit["id"], hit["title"]) for hit in found] == [
        ("2605.00001", "Grey doves return to their roofs")
    ]
    assert 0 < found[0]["score"] <= 1
    assert printed(run("search", "arXiv:2605.00002v3", home=home))[0]["reason"] == "id"
    assert printed(run("search", "EVEN LATTICES of rank eight", home=home))[0]["reason"] == "title"


@pytest.mark.parametrize(
    "query", ["", "((((", '"unbalanced', "x" * 100_000, "emoji 🕊", "a\tb\x7f", "-", "*:*"]
)
def test_no_query_fails(home: Path, query: str) -> None:
    assert isinstance(printed(run("search", "--home", home, "--", query)), list)


def test_reindexing_finds_the_same(home: Path) -> None:
    before = printed(run("search", "theta series", home=home))
    state = printed(run("reindex", home=home))
    assert state["words"] == 2
    assert printed(run("search", "theta series", home=home)) == before


def test_the_doctor_says_what_is_well_and_what_is_amiss(tmp_path: Path, home: Path) -> None:
    done = run("doctor", home=home)
    findings = {finding["part"]: finding for finding in printed(done)}
    assert findings["papers"]["ok"] and "2 papers on 2 days" in findings["papers"]["message"]
    assert findings["index"]["ok"], findings["index"]
    assert done.returncode == 0, findings
    empty = run("doctor", home=tmp_path / "other")
    assert empty.returncode == 1
    assert any(not finding["ok"] and finding["remedy"] for finding in printed(empty))


def test_mistakes_of_a_person_are_one_line_not_a_traceback(tmp_path: Path, papers: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    used = str(taken.getsockname()[1])
    file = tmp_path / "a file"
    file.write_text("")
    attempts = [
        (run("add", papers, "--day", "2025-13-40", home=tmp_path / "h"), "2025-13-40"),
        (run("serve", "--port", used, home=tmp_path / "h"), "--port"),
        (run("serve", "--port", "99999", home=tmp_path / "h"), "port"),
        (run("serve", "--papers", tmp_path / "none", home=tmp_path / "h2"), "no paper could be read"),
        (run("doctor", home=file / "below"), "a file"),
        (run("eval", tmp_path), "corpus.jsonl"),
        (run("doctor", home=tmp_path / "h", env={"BROADSHEET_DATABASE_URL": "nonsense"}), "nonsense"),
    ]
    taken.close()
    for done, expected in attempts:
        message = done.stderr.decode()
        assert done.returncode not in (0, -9), message
        assert "Traceback" not in message, message
        assert expected in " ".join(message.split()), message


def test_a_first_start_serves_the_starter_edition_and_a_later_one_adds_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_server(home) as server:
        page = httpx.get(server.url + "/")
        assert page.status_code == 200
        assert "29 May 2026" in page.text
        assert "starter edition" in server.output()
        assert len(httpx.get(server.url + "/api/daily_papers", params={"date": "2026-05-29"}).json()) > 20
    with running_server(home) as server:
        assert "starter edition" not in server.output()


def test_papers_can_be_served_instead_of_the_starter_edition(tmp_path: Path, papers: Path) -> None:
    with running_server(tmp_path / "home", arguments=("--papers", str(papers))) as server:
        page = httpx.get(server.url + "/").text
    assert "Even lattices of rank eight" in page
    assert "AgentDoG" not in page


def test_what_is_added_beside_a_running_server_is_found_there(tmp_path: Path, papers: Path) -> None:
    home = tmp_path / "home"
    with running_server(home) as server:
        printed(run("add", papers, home=home))
        for _ in range(100):
            found = httpx.get(server.url + "/api/papers/search", params={"q": "theta series lattice"}).json()
            if found and found[0]["paper"]["id"] == "2605.00002":
                break
            time.sleep(0.1)
        assert found[0]["paper"]["id"] == "2605.00002"
        assert httpx.get(server.url + "/papers/2605.00001").status_code == 200


def test_fetched_abstracts_replace_the_summaries_of_the_starter_edition(tmp_path: Path) -> None:
    def answer(asked):
        entries = "".join(
            f"<entry><id>http://arxiv.org/abs/{name}v1</id><title>Title of {name}</title>"
            f"<summary>The abstract of {name} as arXiv has it.</summary>"
            "<published>2026-05-20T00:00:00Z</published><updated>2026-05-20T00:00:00Z</updated>"
            "<author><name>Ada Dove</name></author></entry>"
            for name in asked.ids
        )
        feed = f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'
        return Answer(body=feed.encode(), headers={"Content-Type": "application/atom+xml"})

    with playing_service(answer) as arxiv:
        env = {"BROADSHEET_ARXIV_URL": arxiv.url, "BROADSHEET_FETCH_ABSTRACTS": "true"}
        with running_server(tmp_path / "home", env=env) as server:
            for _ in range(200):
                paper = httpx.get(server.url + "/api/papers/2605.29801").json()
                if "as arXiv has it" in paper["summary"]:
                    break
                time.sleep(0.1)
            assert paper["summary"] == "The abstract of 2605.29801 as arXiv has it."
            assert "as arXiv has it" in httpx.get(server.url + "/papers/2605.29801").text
    assert len(arxiv.requests) == 2
