"""Searching over the JSON API: why each paper is there, facets, papers like others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from broadsheet.web.app import create_app
from broadsheet.workspace import Workspace
from tests.web import search_home as known

QUESTION = "do their wings get tired over cold water?"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = known.opened(tmp_path_factory.mktemp("api-search") / "home")
    yield workspace
    workspace.close()


@pytest.fixture(scope="module")
def api(workspace: Workspace) -> TestClient:
    return TestClient(create_app(workspace))


def got(api: TestClient, address: str, status: int = 200, **parameters: Any) -> Any:
    answer = api.get(address, params=parameters or None)
    assert answer.status_code == status, answer.text[:500]
    return answer.json()


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["paper"]["id"] for item in items]


@pytest.mark.parametrize("address", ["/api/papers/search", "/api/search"])
def test_a_result_says_why_it_is_there(api: TestClient, address: str) -> None:
    answer = got(api, address, q=QUESTION)
    first = (answer["results"] if isinstance(answer, dict) else answer)[0]
    assert first["paper"]["id"] in (known.STORKS, known.COPY)
    assert first["score"] == pytest.approx(first["words"] + first["meaning"], abs=0.001)
    assert first["reason"] in ("meaning", "words and meaning")
    sentence = first["nearestSentence"]
    assert sentence["text"] == known.ANSWER
    assert first["summary"][sentence["start"] : sentence["end"]] == known.ANSWER
    assert {first["paper"]["id"], *first["folded"]} == {known.STORKS, known.COPY}


def test_what_is_found_by_name_or_filters_has_no_shares(api: TestClient) -> None:
    [by_id] = got(api, "/api/papers/search", q=known.BREAD)
    assert (by_id["reason"], by_id["words"], by_id["meaning"]) == ("id", None, None)
    assert by_id["nearestSentence"] is None
    listed = got(api, "/api/papers/search", q="cat:cs.CV sort:date")
    assert {one["reason"] for one in listed} == {"filters"}
    assert ids(listed) == [known.COPY, known.STORKS, known.BREAD, known.LETTERS]


def test_filters_come_in_the_query(api: TestClient) -> None:
    assert ids(got(api, "/api/papers/search", q="storks year:2024")) == [known.LETTERS]
    assert ids(got(api, "/api/papers/search", q="storks has:code")) == [known.STORKS]


def test_the_whole_answer_tells_what_was_understood_and_how_to_go_on(api: TestClient) -> None:
    answer = got(api, "/api/search", q="  storks   CAT:cs.cv  year:soon ")
    assert answer["written"].startswith("storks")
    assert "cat:cs.CV" in answer["written"]
    assert any("year:soon" in note for note in answer["notes"])
    facets = {facet["name"]: facet["values"] for facet in answer["facets"]}
    [chosen] = [value for value in facets["category"] if value["chosen"]]
    assert chosen["value"] == "cs.CV"
    assert "cat:" not in chosen["query"]
    [year] = [value for value in facets["year"] if value["value"] == "2024"]
    assert year["count"] == 1
    narrowed = got(api, "/api/search", q=year["query"])
    assert ids(narrowed["results"]) == [known.LETTERS]


def test_a_better_spelling_is_told(api: TestClient) -> None:
    assert got(api, "/api/search", q="red lantrens")["didYouMean"] == "red lanterns"
    assert got(api, "/api/search", q="red lanterns")["didYouMean"] is None


def test_pages_follow_each_other_by_the_link_header(api: TestClient) -> None:
    first = api.get("/api/search", params={"q": "cat:cs.CV", "limit": 3})
    assert first.json()["total"] == 4
    address = first.headers["Link"].partition(">")[0].strip("<")
    second = api.get(address)
    assert len(second.json()["results"]) == 1
    assert not set(ids(first.json()["results"])) & set(ids(second.json()["results"]))
    assert "Link" not in second.headers


def test_without_a_query_nothing_is_found(api: TestClient) -> None:
    answer = got(api, "/api/search")
    assert (answer["total"], answer["results"], answer["facets"], answer["written"]) == (0, [], [], "")


def test_similar_papers_leave_out_what_was_given(api: TestClient) -> None:
    one = got(api, f"/api/papers/{known.LETTERS}/similar", limit=2)
    assert len(one) == 2
    assert known.LETTERS not in ids(one)
    assert one[0]["score"] >= one[1]["score"]
    several = got(api, "/api/similar", ids=f"{known.LETTERS}v2,{known.OLD}")
    assert several
    assert not {known.LETTERS, known.OLD} & set(ids(several))
    assert got(api, f"/api/papers/{known.OLD}/similar")


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/api/similar", 400, "ids is empty"),
        ("/api/similar?ids=,", 400, "ids is empty"),
        (f"/api/similar?ids={known.STORKS},nobody", 404, "nobody"),
        ("/api/similar?ids=" + ",".join(map(str, range(21))), 400, "at most 20"),
        (f"/api/similar?ids={known.STORKS}&limit=0", 400, "limit=0"),
        (f"/api/papers/{known.STORKS}/similar?limit=101", 400, "at most 100"),
        ("/api/papers/nobody/similar", 404, "Paper not found"),
        ("/api/search?limit=121", 400, "at most 120"),
        ("/api/search?offset=-1", 400, "offset=-1"),
        ("/api/search?q=" + "word+" * 2_400, 400, "at most 10,000"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_name(
    api: TestClient, address: str, status: int, says: str
) -> None:
    assert says in got(api, address, status)["error"]


def test_every_field_is_in_the_description_of_the_api(api: TestClient) -> None:
    shapes = api.get("/api/openapi.json").json()["components"]["schemas"]
    answer = got(api, "/api/search", q=QUESTION)
    for name, told in (
        ("Found", answer),
        ("SearchItem", answer["results"][0]),
        ("Sentence", answer["results"][0]["nearestSentence"]),
        ("Facet", answer["facets"][0]),
        ("FacetValue", answer["facets"][0]["values"][0]),
        ("SimilarItem", got(api, f"/api/papers/{known.STORKS}/similar")[0]),
    ):
        assert set(shapes[name]["required"]) <= told.keys() <= shapes[name]["properties"].keys(), name
