"""The JSON API over HTTP: a real server process over a home whose papers are known."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from tests.web import api_home as known
from tests.web.server import Server, filled_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with filled_server(tmp_path_factory.mktemp("api") / "home", known.fill) as started:
        yield started


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def searchable(api: httpx.Client) -> httpx.Client:
    """The API once all papers can be found."""
    known.wait_until(
        "indexing", lambda: len(api.get("/api/papers/search", params={"q": "night calls birds"}).json()) > 0
    )
    return api


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["paper"]["id"] for item in response.json()]


def pages(api: httpx.Client, url: str) -> Iterator[httpx.Response]:
    """The answers from ``url`` on, following the Link header."""
    for _ in range(20):
        response = api.get(url)
        yield response
        if "next" not in response.links:
            return
        url = urljoin(str(response.url), response.links["next"]["url"])
    raise AssertionError("the Link headers never end")


def test_a_day_is_ordered_by_votes(api: httpx.Client) -> None:
    assert ids(api.get("/api/daily_papers", params={"date": known.DAY})) == [known.FULL, known.PLAIN]


def test_weeks_and_months_hold_their_days(api: httpx.Client) -> None:
    of_week = ids(api.get("/api/daily_papers?week=2026-W22"))
    assert of_week == ids(api.get("/api/daily_papers?month=2026-05"))
    assert set(of_week) >= {known.FULL, known.PLAIN, known.OLD, known.UNDATED}
    assert of_week[:2] == [known.FULL, known.OLD]


def test_without_a_period_the_latest_day_comes_first(api: httpx.Client) -> None:
    found = ids(api.get("/api/daily_papers"))
    assert found[:3] == [known.FULL, known.PLAIN, known.OLD]
    assert known.UNDATED in found[3:]


@pytest.mark.parametrize("query", ["date=2023-05-06", "week=2023-W20", "month=2023-05", "submitter=nobody"])
def test_nothing_listed_is_an_empty_list_and_no_error(api: httpx.Client, query: str) -> None:
    assert ids(api.get(f"/api/daily_papers?{query}")) == []


def test_one_submitter(api: httpx.Client) -> None:
    assert ids(api.get("/api/daily_papers?submitter=mlindqvist")) == [known.FULL, known.OLD]
    assert ids(api.get(f"/api/daily_papers?submitter=mlindqvist&date={known.DAY}")) == [known.FULL]


def test_trending_leads_with_what_is_voted_for_now(api: httpx.Client) -> None:
    found = ids(api.get("/api/daily_papers?sort=trending"))
    assert found[:2] == [known.FULL, known.OLD]


def test_link_headers_lead_through_all_pages_with_the_same_parameters(api: httpx.Client) -> None:
    whole = ids(api.get("/api/daily_papers?week=2026-W22&sort=publishedAt&limit=100"))
    first = api.get("/api/daily_papers?week=2026-W22&sort=publishedAt&limit=2")
    assert (
        first.headers["Link"] == '</api/daily_papers?p=1&limit=2&week=2026-W22&sort=publishedAt>; rel="next"'
    )
    walked = [one for page in pages(api, str(first.url)) for one in ids(page)]
    assert walked == whole
    assert "Link" not in api.get("/api/daily_papers?week=2026-W22&limit=100").headers


def test_all_papers_come_newest_first_through_cursors(api: httpx.Client) -> None:
    walked = [one for page in pages(api, "/api/papers?limit=2") for one in ids(page)]
    assert walked == ids(api.get("/api/papers"))
    assert walked == [known.PLAIN, known.FULL, known.UNDATED, known.DOI, known.OLD]


def test_every_field_stands_where_the_client_looks(api: httpx.Client) -> None:
    item = api.get("/api/daily_papers", params={"date": known.DAY}).json()[0]
    paper = item["paper"]
    for name in ("title", "summary", "upvotes", "discussionId", "ai_summary", "ai_keywords", "projectPage"):
        assert item[name] == paper[name]
    for name in ("githubRepo", "githubStars", "organization", "mediaUrls"):
        assert item[name] == paper[name]
    assert item["upvotes"] == 42
    assert item["githubStars"] == 131
    assert item["githubRepo"] == "https://github.com/tern-lab/night-flight"
    assert item["projectPage"] == "https://night-flight.example/"
    assert item["thumbnail"] == "https://thumbnails.example/2605.01001.png"
    assert item["numComments"] == 3
    assert item["isAuthorParticipating"] is True
    assert item["submittedBy"]["user"] == item["submittedBy"]["name"] == "mlindqvist"
    assert item["organization"]["avatarUrl"] == item["organization"]["avatar"] == known.ORGANIZATION["avatar"]
    assert item["publishedAt"] == paper["submittedOnDailyAt"] == "2026-05-29T06:30:00.000Z"
    assert paper["publishedAt"] == "2026-05-27T17:02:11.000Z"
    assert paper["ai_summary_model"] == "example/summariser"
    assert paper["githubRepoAddedBy"] == "user"
    assert paper["authors"][0]["user"]["fullname"] == "Mara Lindqvist"


def test_one_paper_has_all_that_is_linked_with_it(api: httpx.Client) -> None:
    paper = api.get(f"/api/papers/{known.FULL}").json()
    assert "paper" not in paper
    assert paper["id"] == known.FULL
    assert paper["linkedModels"] == [known.MODEL]
    assert paper["linkedDatasets"] == [known.DATASET]
    assert paper["linkedSpaces"] == [known.SPACE]
    assert (paper["numTotalModels"], paper["numTotalDatasets"], paper["numTotalSpaces"]) == (1, 1, 1)
    assert paper["numComments"] == 3
    assert paper["versions"] == [
        {"number": 1, "date": "2026-05-27T17:02:11.000Z"},
        {"number": 2, "date": "2026-06-01T09:00:00.000Z"},
    ]
    assert paper["categories"] == ["cs.SD", "q-bio.PE"]
    assert [told["day"] for told in paper["listings"]] == [known.DAY]
    repos = api.get(f"/api/arxiv/{known.FULL}/repos").json()
    assert repos == {"models": [known.MODEL], "datasets": [known.DATASET], "spaces": [known.SPACE]}


@pytest.mark.parametrize(
    ("written", "id"),
    [
        (known.FULL, known.FULL),
        (f"{known.FULL}v2", known.FULL),
        (f"arXiv:{known.FULL}", known.FULL),
        (f"https://arxiv.org/abs/{known.FULL}v1", known.FULL),
        (f"https%3A%2F%2Farxiv.org%2Fpdf%2F{known.FULL}", known.FULL),
        (known.OLD, known.OLD),
        (f"{known.OLD}v3", known.OLD),
        ("hep-th%2F9901001", known.OLD),
        (known.DOI, known.DOI),
        (f"doi:{known.DOI}", known.DOI),
        (known.DOI.upper(), known.DOI),
        (known.UNDATED, known.UNDATED),
    ],
)
def test_every_written_form_of_an_id_leads_to_the_paper(api: httpx.Client, written: str, id: str) -> None:
    response = api.get(f"/api/papers/{written}")
    assert response.status_code == 200, response.text
    assert response.json()["id"] == id


@pytest.mark.parametrize(
    "id", ["2605.09999", "hep-th/0000000", "nonsense", "10.1/none", "%00", "é" * 50, "x" * 5000]
)
@pytest.mark.parametrize("address", ["/api/papers/{}", "/api/arxiv/{}/repos"])
def test_an_unknown_paper_is_not_found_in_the_form_of_the_hub(
    api: httpx.Client, address: str, id: str
) -> None:
    response = api.get(address.format(id))
    assert response.status_code == 404
    assert response.json() == {"error": "Paper not found"}
    assert response.headers["X-Error-Message"] == "Paper not found"
    # The client takes a missing repository from this header.
    assert "X-Error-Code" not in response.headers


def test_search_marks_the_words_that_matched(searchable: httpx.Client) -> None:
    found = searchable.get("/api/papers/search", params={"q": "migrating birds"}).json()
    assert found[0]["paper"]["id"] == known.FULL
    marked = [piece["text"] for piece in found[0]["highlightedTitle"] if piece["type"] == "highlight"]
    assert marked == ["migrating birds"]
    for whole, pieces in (("title", "highlightedTitle"), ("summary", "highlightedSummary")):
        assert "".join(piece["text"] for piece in found[0][pieces]) == found[0][whole]
    assert found[0]["upvoted"] is False


@pytest.mark.parametrize(
    "query",
    [
        known.FULL,
        f"{known.FULL}v1",
        f"https://arxiv.org/pdf/{known.FULL}",
        f"https://huggingface.co/papers/{known.FULL}",
        "Hearing the night: counting migrating birds by their calls",
    ],
)
def test_an_id_an_address_and_a_title_find_their_paper_first(searchable: httpx.Client, query: str) -> None:
    assert ids(searchable.get("/api/papers/search", params={"q": query}))[0] == known.FULL


def test_search_returns_at_most_as_many_as_asked_for(searchable: httpx.Client) -> None:
    assert len(ids(searchable.get("/api/papers/search?q=counting&limit=1"))) == 1


def test_search_without_a_query_gives_the_newest_papers(api: httpx.Client) -> None:
    assert ids(api.get("/api/papers/search?limit=2")) == [known.PLAIN, known.FULL]


@pytest.mark.parametrize("query", ["?!...", "   ", "\x00", '"', "a AND (", "title:", "*" * 300, "ö" * 5000])
def test_any_query_has_an_answer(searchable: httpx.Client, query: str) -> None:
    response = searchable.get("/api/papers/search", params={"q": query})
    assert response.status_code == 200, response.text
    assert isinstance(response.json(), list)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/api/daily_papers?p=-1", "p=-1"),
        ("/api/daily_papers?p=1e9", "p=1e9"),
        ("/api/daily_papers?p=99999999999999999999", "p="),
        ("/api/daily_papers?limit=0", "limit=0"),
        ("/api/daily_papers?limit=100000", "at most 100"),
        ("/api/daily_papers?limit=ten", "limit=ten"),
        ("/api/daily_papers?date=2025-13-40", "2025-13-40"),
        ("/api/daily_papers?date=0000-01-01", "0000-01-01"),
        ("/api/daily_papers?date=9999-01-01", "9999-01-01"),
        ("/api/daily_papers?date=yesterday", "YYYY-MM-DD"),
        ("/api/daily_papers?week=2026-W54", "2026-W54"),
        ("/api/daily_papers?week=22", "YYYY-Www"),
        ("/api/daily_papers?month=2026-13", "2026-13"),
        ("/api/daily_papers?sort=upvotes", "publishedAt or trending"),
        ("/api/daily_papers?date=2026-05-29&week=2026-W22", "one of them"),
        ("/api/papers?limit=101", "at most 100"),
        ("/api/papers?cursor=AAAA", "cursor"),
        ("/api/papers?cursor=%C3%A9%00", "cursor"),
        ("/api/papers/search?limit=121", "at most 120"),
        ("/api/papers/search?q=" + "word+" * 2400, "at most 10,000"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_name_and_the_remedy(
    api: httpx.Client, address: str, says: str
) -> None:
    response = api.get(address)
    assert response.status_code == 400
    assert says in response.json()["error"]
    assert response.headers["X-Error-Message"] == response.json()["error"]
    assert response.headers["X-Request-Id"]
    assert "X-Error-Code" not in response.headers


def test_a_query_of_100_000_characters_is_refused_and_not_cut_off(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rsplit(":", 1)[-1]), timeout=30)
    connection.request("GET", "/api/papers/search?q=" + "a" * 100_000)
    response = connection.getresponse()
    assert response.status == 400
    assert json.loads(response.read())["error"] == "q has 100,000 characters; give at most 10,000"
    connection.close()


def test_unknown_and_empty_parameters_are_ignored(api: httpx.Client) -> None:
    assert ids(api.get(f"/api/daily_papers?date={known.DAY}&week=&colour=red")) == [known.FULL, known.PLAIN]


def test_a_token_changes_nothing_and_is_not_written_anywhere(server: Server, api: httpx.Client) -> None:
    token = "hf_notasecretjustatest"
    response = api.get("/api/daily_papers", headers={"Authorization": f"Bearer {token}"})
    assert response.json() == api.get("/api/daily_papers").json()
    assert token not in response.text
    assert token not in server.output()


@pytest.mark.parametrize(
    "address", ["/api/daily_papers", f"/api/papers/{known.FULL}", "/api/papers/2605.09999"]
)
def test_head_answers_like_get_without_a_body(api: httpx.Client, address: str) -> None:
    head, get = api.head(address), api.get(address)
    assert head.status_code == get.status_code
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.content == b""


def test_pages_of_other_sites_may_read(api: httpx.Client) -> None:
    asked = {"Origin": "https://other.example", "Access-Control-Request-Method": "GET"}
    assert api.get("/api/daily_papers", headers=asked).headers["Access-Control-Allow-Origin"] == "*"
    preflight = api.options(
        "/api/daily_papers", headers={**asked, "Access-Control-Request-Headers": "authorization"}
    )
    assert preflight.status_code in (200, 204)
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_writing_is_refused_as_json(api: httpx.Client, method: str) -> None:
    response = api.request(method, "/api/papers/index", json={"arxivId": "2605.01001"})
    assert response.status_code == 405
    assert "reading" in response.json()["error"]


def test_an_unknown_address_of_the_api_is_a_json_error(api: httpx.Client) -> None:
    response = api.get("/api/nothing/here")
    assert response.status_code == 404
    assert "/api/openapi.json" in response.json()["error"]


def test_the_harnesses_question_of_the_command_is_answered(api: httpx.Client) -> None:
    assert api.get("/api/agent-harnesses").json() == {"standardEnvVars": [], "harnesses": {}}


def test_openapi_describes_what_the_answers_hold(api: httpx.Client) -> None:
    described = api.get("/api/openapi.json").json()
    shapes = described["components"]["schemas"]
    parameters = {
        parameter["name"]: parameter["schema"]
        for parameter in described["paths"]["/api/daily_papers"]["get"]["parameters"]
    }
    assert set(parameters) == {"date", "week", "month", "submitter", "sort", "p", "limit"}
    assert (
        parameters["limit"]["minimum"],
        parameters["limit"]["maximum"],
        parameters["limit"]["default"],
    ) == (1, 100, 50)
    assert parameters["sort"]["enum"] == ["publishedAt", "trending"]

    def told_of(shape: dict[str, Any], answer: dict[str, Any]) -> None:
        assert set(shape["required"]) <= answer.keys()
        assert answer.keys() <= shape["properties"].keys()

    for item in api.get("/api/daily_papers?week=2026-W22").json():
        told_of(shapes["Item"], item)
        told_of(shapes["Paper"], item["paper"])
        for author in item["paper"]["authors"]:
            told_of(shapes["Author"], author)
    told_of(shapes["WholePaper"], api.get(f"/api/papers/{known.FULL}").json())
    told_of(shapes["SearchItem"], api.get("/api/papers/search").json()[0])
