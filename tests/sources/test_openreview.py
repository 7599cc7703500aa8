"""OpenReview: notes of its API into records, and the papers of venues gathered from a playing service."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broadsheet.config import Settings
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Record, Rejection, Withdrawal
from broadsheet.model.validation import checked
from broadsheet.sources.files import read_file
from broadsheet.sources.http import Client
from broadsheet.sources.openreview.parse import NotesError, answer
from broadsheet.sources.openreview.source import OpenReview, sources
from tests.sources.played_source import FAILURES, FIXTURES, NOW, QUICK, Gathered, gather, store_all, stored
from tests.sources.playing_service import Answer, Asked, Playing, playing_service

NOTES = json.loads((FIXTURES / "openreview_notes.json").read_text())["notes"]
VENUE = "ICLR.cc/2026/Conference"
TODAY = NOW.date().isoformat()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as opened:
        yield opened


def read(*notes: Any) -> list[Record | Rejection | Withdrawal]:
    data = json.dumps({"notes": list(notes), "count": len(notes)}).encode()
    return list(read_file(io.BytesIO(data), name="notes.json"))


def changed(number: int, **content: Any) -> dict[str, Any]:
    """A note of the fixture with other content; None takes a field away."""
    note = deepcopy(NOTES[number])
    for key, value in content.items():
        if value is None:
            note["content"].pop(key, None)
        else:
            note["content"][key] = {"value": value}
    return note


# -- notes into records


def test_all_of_an_accepted_paper_is_read() -> None:
    (paper,) = read(NOTES[0])
    assert paper.title == "Clocks that Learn to Wait"
    assert paper.source == "openreview" and paper.where == "notes.json line 1 note 1 (aB3dE5fG7h)"
    # The DOI of an arXiv paper says what its arXiv id says.
    assert paper.identifiers == [Identifier("openreview", "aB3dE5fG7h"), Identifier("arxiv", "2509.11111")]
    assert [author.name for author in paper.authors] == ["Ada Example", "Ben Sample"]
    assert paper.abstract.startswith("A made-up abstract about clocks.\n\n")
    assert (paper.venue, paper.comment) == ("ICLR 2026 Poster", "TL;DR: Waiting can be learned.")
    assert (paper.published, paper.updated) == ("2025-10-08T05:06:40Z", "2026-04-11T09:33:20Z")
    assert paper.categories == ["learning on time series"] and paper.ai_keywords == ["clocks", "patience"]
    assert paper.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert [(link.kind, link.url, link.provenance) for link in paper.links] == [
        ("abstract", "https://openreview.net/forum?id=aB3dE5fG7h", "forum"),
        ("pdf", "https://openreview.net/pdf?id=aB3dE5fG7h", "pdf"),
        ("code", "https://github.com/example/clocks-code", "code"),
        ("code", "https://github.com/example/clocks", "abstract"),
    ]
    (listing,) = paper.listings
    assert (listing.list, listing.day, listing.rank) == (VENUE, "2026-01-26", 1)


@pytest.mark.parametrize(
    "names", [None, [], ["Anonymous"], ["Anonymous Authors"], ["anonymous1", "Anonymous"], 7]
)
def test_hidden_authors_are_no_authors(names: Any) -> None:
    (paper,) = read(changed(1, authors=names))
    assert paper.authors == []
    assert paper.ai_keywords == ["secrets", "reviews", "blindness"]


@pytest.mark.parametrize(
    ("number", "decision", "comment"),
    [
        (1, "under review", "ICLR 2026 Conference Submission (under review)"),
        (2, "rejected", "Submitted to ICLR 2026 (rejected)"),
        (3, "withdrawn", "ICLR 2026 Conference Withdrawn Submission"),
    ],
)
def test_a_submission_that_is_not_accepted_is_no_paper_of_the_venue(
    number: int, decision: str, comment: str
) -> None:
    (paper,) = read(NOTES[number])
    assert (paper.venue, paper.comment, paper.extra["decision"]) == (None, comment, decision)
    # It was taken back from the venue; the work may live on elsewhere.
    assert paper.withdrawn is None


def test_a_desk_rejection_is_told_by_the_venue_id_or_by_its_words() -> None:
    by_id, by_words = read(
        changed(2, venueid=f"{VENUE}/Desk_Rejected_Submission"),
        changed(2, venueid="", venue="ICLR 2026 Conference Desk Rejected Submission"),
    )
    assert by_id.extra["decision"] == by_words.extra["decision"] == "desk rejected"


def test_plain_fields_of_the_first_version_are_read_too() -> None:
    (paper,) = read(NOTES[4])
    assert paper.title == "A Note of the First Version of the API"
    assert (paper.venue, paper.comment) == ("ICLR 2021 Oral", "TL;DR: Fields can be plain.")
    assert [author.name for author in paper.authors] == ["Dora Placeholder"]


def test_an_entry_from_a_bibliography_has_its_doi_and_authors_written_as_objects() -> None:
    (paper,) = read(NOTES[5])
    assert [i.key for i in paper.identifiers] == ["openreview:jOurnal001", "doi:10.1234/jir.2024.5"]
    assert [author.name for author in paper.authors] == ["Eve Specimen", "Finn Muster"]
    assert paper.licence == "https://creativecommons.org/licenses/by-nc-sa/4.0/"
    assert ("doi", "html") in [(link.kind, link.provenance) for link in paper.links]


def test_a_venue_that_repeats_the_title_is_none() -> None:
    (paper,) = read(changed(0, venue="Clocks that learn to wait."))
    assert paper.venue is None


def test_replies_and_notes_without_title_are_rejected_and_a_deleted_note_is_withdrawn() -> None:
    reply, untitled, deleted = read(*NOTES[6:9])
    assert "a reply in the forum aB3dE5fG7h" in reply.why and "no title" in untitled.why
    assert deleted == Withdrawal(
        Identifier("openreview", "dEleted001"),
        "2025-11-01",
        "openreview",
        deleted.where,
        "deleted at OpenReview",
    )


@pytest.mark.parametrize(
    "wrong", [None, 7, "note", {"id": "x"}, {"id": 5, "content": {}}, {"id": "aB3dE5fG7h", "content": []}]
)
def test_what_is_no_note_is_rejected_and_the_others_are_read(wrong: Any) -> None:
    items = read(NOTES[0], wrong, NOTES[4])
    assert [type(item) for item in items] == [Record, Rejection, Record]
    assert items[1].where == "notes.json line 1 note 2"


@pytest.mark.parametrize("time", [-1, 0, 10**18, "soon", True, None, 1.5])
def test_an_impossible_time_is_left_out(time: Any) -> None:
    note = deepcopy(NOTES[0]) | {"odate": time, "pdate": time, "cdate": time, "mdate": time}
    (paper,) = read(note)
    assert (paper.published, paper.updated) == (None, None)
    assert paper.listings[0].list == "added"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"name": "ForbiddenError", "message": "This note is not for you", "status": 403}, "not for you"),
        ({"notes": 5}, "no list of notes"),
        ([], "no list of notes"),
    ],
)
def test_answers_that_are_none_say_why(value: Any, why: str) -> None:
    with pytest.raises(NotesError, match=why):
        answer(value)


def test_notes_one_a_line_are_read() -> None:
    lines = "\n".join(json.dumps(note) for note in NOTES[:3]).encode()
    assert [item.title for item in read_file(io.BytesIO(lines))] == [
        "Clocks that Learn to Wait",
        "A Submission Whose Authors Are Hidden",
        "A Paper That Was Rejected",
    ]


def test_the_recorded_answer_is_read_whole(shared: Path) -> None:
    (path,) = (shared / "data/recorded/openreview").iterdir()
    public, rejected, dblp = map(checked, read_file(path))
    assert [i.key for i in public.identifiers] == ["openreview:iaA07eD0bP", "doi:10.18653/v1/p19-1423"]
    assert (len(public.authors), public.venue, public.published) == (4, None, "2019-07-01T00:00:00Z")
    assert (rejected.venue, rejected.comment) == (None, "Submitted to ICLR 2024 (rejected)")
    assert rejected.listings[0].list == "ICLR.cc/2024/Conference/Rejected_Submission"
    assert len(rejected.authors) == 8 and len(rejected.ai_keywords) == 3
    assert dblp.identifiers[1] == Identifier("doi", "10.1109/mnet.2023.3336239")
    assert (dblp.venue, dblp.abstract) == ("IEEE Netw. 2024", None)


# -- gathering


def notes_of(venue: str, number: int, start: int = 0) -> list[dict[str, Any]]:
    made = []
    for place in range(start, start + number):
        note = changed(0, title=f"Paper {place} of {venue}", venueid=venue)
        name = f"n{abs(hash(venue)) % 10**5:05}{place:04}"
        note |= {"id": name, "forum": name, "externalIds": [], "tcdate": 1_700_000_000_000 + place}
        made.append(note | {"tmdate": 1_700_000_000_000 + place})
    return made


def api(told: dict[str, list[dict[str, Any]]], count: bool = True) -> Callable[[Asked], Answer]:
    """The API with its notes by venue id; it sorts, pages and counts."""

    def page(asked: Asked) -> Answer:
        query = {name: values[0] for name, values in asked.query.items()}
        key, _, direction = query["sort"].partition(":")
        notes = sorted(
            told.get(query["content.venueid"], []), key=lambda n: n[key], reverse=direction == "desc"
        )
        start = int(query["offset"])
        here = {"notes": notes[start : start + int(query["limit"])]}
        return Answer(body=json.dumps(here | ({"count": len(notes)} if count else {})).encode())

    return page


def source(service: Playing, *venues: str, **options: Any) -> OpenReview:
    return OpenReview(venues or (VENUE,), service.url + "/notes", service=QUICK, **{"limit": 10} | options)


def offsets(service: Playing) -> list[tuple[str, str]]:
    """The pages that were asked for, without the looks at what was changed last."""
    return [
        (asked.query["content.venueid"][0], asked.query["offset"][0])
        for asked in service.requests
        if asked.query["limit"] != ["1"]
    ]


@pytest.mark.parametrize("count", [True, False])
def test_a_venue_is_read_page_by_page_and_announced(client: Client, tmp_path: Path, count: bool) -> None:
    with stored(tmp_path) as store, playing_service(api({VENUE: notes_of(VENUE, 24)}, count)) as service:
        found = gather(source(service), client)
        store_all(store, "openreview", found)
        (covered,) = store.coverage("2026-01-26", "2026-01-26")
    assert offsets(service) == [(VENUE, "0"), (VENUE, "10"), (VENUE, "20")]
    assert [item.listings[0].rank for item in found.records] == [*range(1, 25)]
    assert {page.expected for page in found.pages} == {24 if count else None}
    assert (covered.list, covered.announced, covered.stored, covered.state) == (VENUE, 24, 24, "complete")


def test_a_venue_without_changes_is_left_alone_for_a_week(client: Client) -> None:
    told = {VENUE: notes_of(VENUE, 12)}

    def later(days: int) -> Gathered:
        return gather(source(service), client, first.cursor, now=NOW + timedelta(days=days))

    with playing_service(api(told)) as service:
        first = gather(source(service), client)
        assert (len(first.records), later(1).pages, len(later(8).records)) == (12, [], 12)
        told[VENUE] += notes_of(VENUE, 1, start=12)
        assert len(later(1).records) == 13
        told[VENUE].pop()
        told[VENUE][3] |= {"tmdate": 1_800_000_000_000}
        assert len(later(1).records) == 12


def test_a_killed_run_goes_on_at_the_page_it_was_on(client: Client) -> None:
    told = {VENUE: notes_of(VENUE, 24), "TMLR": notes_of("TMLR", 3)}
    with playing_service(api(told)) as service:
        killed = gather(source(service, "TMLR", VENUE), client, until=2)
        rest = gather(source(service, "TMLR", VENUE), client, killed.cursor)
    assert offsets(service) == [("TMLR", "0"), (VENUE, "0"), (VENUE, "10"), (VENUE, "20")]
    names = [item.identifiers[0].value for item in killed.records + rest.records]
    assert len(names) == len(set(names)) == 27


def test_a_venue_that_changed_since_the_kill_is_read_from_its_beginning(client: Client) -> None:
    told = {VENUE: notes_of(VENUE, 24)}
    with playing_service(api(told)) as service:
        killed = gather(source(service), client, until=2)
        # One that stood before the others was taken out, so that all stand elsewhere.
        del told[VENUE][0]
        rest = gather(source(service), client, killed.cursor)
    assert len(rest.records) == 23


def test_submissions_are_asked_for_where_they_are_wanted(client: Client) -> None:
    told = {
        VENUE: notes_of(VENUE, 1),
        f"{VENUE}/Rejected_Submission": notes_of(f"{VENUE}/Rejected_Submission", 2),
    }
    with playing_service(api(told)) as service:
        accepted = gather(source(service), client)
        everything = gather(source(service, submissions=True), client)
    assert (len(accepted.records), len(everything.records)) == (1, 3)
    assert {item.extra.get("decision") for item in everything.records} == {None, "rejected"}
    # That nothing was withdrawn yet is nothing to tell of.
    assert not [told for told in everything.announced if told.state]


def test_a_venue_without_papers_is_told(client: Client) -> None:
    with playing_service(api({})) as service:
        found = gather(source(service, "Nowhere.org/2031"), client)
    (told,) = found.announced
    assert (told.list, told.day, told.state) == ("Nowhere.org/2031", TODAY, "late")
    assert "check its venue id" in told.reason


def test_pages_that_repeat_are_a_fault_of_the_service(client: Client) -> None:
    body = json.dumps({"notes": notes_of(VENUE, 10), "count": 40}).encode()
    with playing_service(Answer(body=body)) as service:
        found = gather(source(service), client)
    assert "sent a page with no other notes" in str(found.problem)
    assert len(found.records) == 10


@pytest.mark.parametrize("what", FAILURES)
def test_a_page_that_fails_is_told_and_the_pages_before_it_stay(client: Client, what: str) -> None:
    whole = api({VENUE: notes_of(VENUE, 24)})
    with playing_service(whole, whole, FAILURES[what]) as service:
        found = gather(source(service), client)
    assert found.problem and len(found.records) == 10
    failed = found.announced[-1]
    assert (failed.list, failed.day, failed.state) == (VENUE, TODAY, "failed")
    with playing_service(whole) as service:
        rest = gather(source(service), client, found.cursor)
    assert offsets(service) == [(VENUE, "10"), (VENUE, "20")] and len(rest.records) == 14


def test_pages_of_what_is_no_note_end(client: Client) -> None:
    with playing_service(Answer(body=json.dumps({"notes": [7] * 10}).encode())) as service:
        found = gather(source(service), client)
    assert found.problem and len(service.requests) == 2


def test_a_failed_day_is_made_good_by_a_later_answer(client: Client, tmp_path: Path) -> None:
    with stored(tmp_path) as store, playing_service(Answer(status=500)) as service:
        failed = gather(source(service), client)
        store_all(store, "openreview", failed)
        (before,) = store.coverage(TODAY, TODAY)
        with playing_service(api({VENUE: notes_of(VENUE, 3)})) as mended:
            found = gather(source(mended), client, failed.cursor, now=NOW + timedelta(days=1))
        store_all(store, "openreview", found)
        (after,) = store.coverage(TODAY, TODAY)
    assert (before.state, after.state, after.announced) == ("failed", "complete", 0)
    assert found.cursor["failed"] == {}


def test_a_long_pause_ends_the_run_with_a_word_on_when_to_come_again(client: Client) -> None:
    limit = {"name": "RateLimitError", "message": "Too many requests", "status": 429}
    busy = Answer(status=429, body=json.dumps(limit).encode(), headers={"Retry-After": "3600"})
    with playing_service(busy) as service:
        found = gather(source(service), client)
    assert "3,600 seconds" in str(found.problem) and len(service.requests) == 1
    assert found.announced[0].state == "failed"


def test_it_is_a_source_where_venues_are_chosen(tmp_path: Path) -> None:
    assert sources(Settings(home=tmp_path)) == []
    (openreview,) = sources(Settings(home=tmp_path, openreview_venues=f"{VENUE}, TMLR"))
    assert (openreview.name, openreview.due(NOW, NOW)) == ("openreview", NOW.replace(hour=17))
