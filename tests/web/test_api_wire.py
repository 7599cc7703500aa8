"""The JSON form of papers: levels, dates, ids and what is missing."""

from __future__ import annotations

import re

import pytest

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Link, Listing, Paper
from broadsheet.web import wire
from broadsheet.web.highlight import highlighted, wanted

HEX24 = re.compile(r"[0-9a-f]{24}")


def paper(**known: object) -> Paper:
    given = {
        "key": 1,
        "id": "2605.01001",
        "title": "Owls at work",
        "identifiers": [Identifier("arxiv", "2605.01001")],
    }
    return Paper(**{**given, **known})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("2026-05-29", "2026-05-29T00:00:00.000Z"),
        ("2026-05-29T08:15:00Z", "2026-05-29T08:15:00.000Z"),
        ("2026-05-29T08:15:00.704Z", "2026-05-29T08:15:00.704Z"),
        ("29 May 2026", None),
        ("2026-05-29T08:15:00+02:00", None),
        ("", None),
        (None, None),
        (17, None),
    ],
)
def test_dates_are_in_the_form_that_the_client_parses_or_not_sent(stored: object, sent: str | None) -> None:
    assert wire.instant(stored) == sent


def test_a_paper_of_which_only_the_title_is_known_has_every_required_field() -> None:
    item = wire.item(paper())
    required = {"id", "authors", "discussionId", "publishedAt", "summary", "title", "upvotes"}
    assert required <= item["paper"].keys()
    beside = {"isAuthorParticipating", "numComments", "paper", "publishedAt", "submittedBy", "thumbnail"}
    assert beside | {"summary", "title"} <= item.keys()
    assert (item["upvotes"], item["numComments"], item["paper"]["upvotes"], item["summary"]) == (0, 0, 0, "")
    assert item["paper"]["publishedAt"] is None
    assert item["submittedBy"] is None


def test_ids_that_no_source_gave_are_24_hex_digits_and_stay_the_same() -> None:
    first = wire.item(paper(authors=[Author("Ada"), Author("Ada")]))["paper"]
    again = wire.item(paper(authors=[Author("Ada"), Author("Ada")]))["paper"]
    other = wire.item(paper(id="2605.01002"))["paper"]
    assert HEX24.fullmatch(first["discussionId"])
    assert first["discussionId"] == again["discussionId"] != other["discussionId"]
    ids = [author["_id"] for author in first["authors"]]
    assert ids == [author["_id"] for author in again["authors"]]
    assert len(set(ids)) == 2
    assert all(HEX24.fullmatch(one) for one in ids)


def test_the_top_level_date_is_the_day_of_the_listing_and_not_of_publication() -> None:
    listing = Listing("daily_papers", "2026-05-29", 1, "daily_papers")
    item = wire.item(paper(published="2026-05-27T17:00:00Z"), listing)
    assert item["publishedAt"] == item["paper"]["submittedOnDailyAt"] == "2026-05-29T00:00:00.000Z"
    assert item["paper"]["publishedAt"] == "2026-05-27T17:00:00.000Z"


def test_the_exact_time_of_submission_is_sent_for_its_own_day_only() -> None:
    known = paper(published="2026-05-27", extra={"submittedOnDailyAt": "2026-05-29T06:30:00.000Z"})
    same, later = (Listing("daily_papers", day, 1, "daily_papers") for day in ("2026-05-29", "2026-06-02"))
    assert wire.item(known, same)["publishedAt"] == "2026-05-29T06:30:00.000Z"
    assert wire.item(known, later)["publishedAt"] == "2026-06-02T00:00:00.000Z"
    assert wire.item(known)["publishedAt"] == "2026-05-29T06:30:00.000Z"


def test_a_paper_never_listed_has_its_publication_at_the_top() -> None:
    assert wire.item(paper(published="2026-05-27"))["publishedAt"] == "2026-05-27T00:00:00.000Z"


def test_an_unknown_publication_is_not_replaced_by_the_day_of_listing() -> None:
    # The client takes the top-level publishedAt for the publication where the paper has none.
    item = wire.item(paper(), Listing("saved_page", "2026-05-29", 1, "saved_page"))
    assert item["publishedAt"] is None
    assert item["submittedOnDailyAt"] == "2026-05-29T00:00:00.000Z"


def test_the_repository_that_a_source_names_goes_before_one_printed_in_the_abstract() -> None:
    printed = Link("code", "https://github.com/someone/dependency", "arxiv", "abstract")
    named = Link("code", "https://github.com/owls/work", "daily_papers", "githubRepo")
    assert wire.item(paper(links=[printed, named]))["githubRepo"] == "https://github.com/owls/work"
    alone = wire.item(paper(links=[printed]))
    assert alone["githubRepo"] == "https://github.com/someone/dependency"
    assert alone["paper"]["githubRepoAddedBy"] == "auto"
    elsewhere = Link("code", "https://gitlab.com/owls/work", "arxiv", "abstract")
    assert "githubRepo" not in wire.item(paper(links=[elsewhere]))


def test_a_submitter_known_by_name_alone_has_every_field_of_an_account() -> None:
    listing = Listing("daily_papers", "2026-05-29", 1, "daily_papers", submitter="ada")
    by = wire.item(paper(), listing)["submittedBy"]
    assert by is not None
    assert (by["user"], by["name"], by["fullname"], by["type"]) == ("ada", "ada", "ada", "user")
    assert HEX24.fullmatch(by["_id"])


def test_the_submitter_of_the_listing_goes_before_that_of_the_paper() -> None:
    listing = Listing("daily_papers", "2026-05-29", 1, "daily_papers", submitter="ada")
    known = paper(submitter="grace", submitter_account={"name": "grace", "isPro": True})
    by = wire.item(known, listing)["submittedBy"]
    assert by is not None
    assert (by["user"], by["isPro"]) == ("ada", False)


def test_what_a_source_says_in_a_form_that_breaks_the_client_is_not_passed_on() -> None:
    odd = Author("Ada", {"user": "ada", "statusLastChangedAt": "yesterday", "status": "claimed"})
    author = wire.item(paper(authors=[odd], extra={"submittedOnDailyAt": "soon"}))["paper"]["authors"][0]
    assert author["status"] == "claimed"
    assert "user" not in author
    assert "statusLastChangedAt" not in author


def test_linked_repositories_always_have_an_id() -> None:
    links = [
        Link("model", "https://huggingface.co/owls/big", "arxiv", "abstract"),
        Link("dataset", "https://huggingface.co/datasets/owls/calls", "arxiv", "abstract", {"likes": 3}),
        Link(
            "space",
            "https://huggingface.co/spaces/owls/demo",
            "",
            "linkedSpaces",
            {"id": "owls/demo", "likes": 1},
        ),
    ]
    whole = wire.whole_paper(paper(links=links))
    assert whole["linkedModels"] == [{"id": "owls/big"}]
    assert whole["linkedDatasets"] == [{"id": "owls/calls"}]
    assert whole["linkedSpaces"] == [{"id": "owls/demo", "likes": 1}]
    assert (whole["numTotalModels"], whole["numTotalDatasets"], whole["numTotalSpaces"]) == (1, 1, 1)


def test_matched_words_are_marked_whatever_their_ending_and_the_text_stays_whole() -> None:
    text = "Diffusing γ-ray models: diffusion of models and the ray."
    pieces = highlighted(text, wanted("the diffusion model"))
    assert [piece for marked, piece in pieces if marked] == ["Diffusing", "models", "diffusion", "models"]
    assert "".join(piece for _, piece in pieces) == text


def test_neighbouring_matches_are_one_piece_and_nothing_matched_is_plain_text() -> None:
    assert highlighted("Night flight", wanted("flights by night")) == [(True, "Night flight")]
    assert highlighted("Night flight", wanted("!?")) == [(False, "Night flight")]
    assert highlighted("", wanted("night")) == []
