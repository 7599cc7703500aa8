"""Gathering from a playing arXiv: harvests, announcements, gaps, and all that goes wrong on the way."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from broadsheet.model.papers import Rejection
from broadsheet.sources.arxiv.source import ArxivSource, sources
from broadsheet.sources.arxiv.taxonomy import CategoryError
from broadsheet.sources.http import Client, Service, ServiceError
from broadsheet.sources.source import Page, Run
from broadsheet.store import Store
from tests.sources.playing_arxiv import CAPTCHA, HTML_PAGE, Archive, Paper, oai_record
from tests.sources.playing_service import Answer, Asked, Playing

QUICK = Service("arxiv", interval=0.0, tries=3, backoff=0.01, silence=5.0)
# Wednesday morning in New York: the listing of 18 November is out.
NOW = datetime(2026, 11, 18, 14, tzinfo=UTC)


def papers() -> list[Paper]:
    """Seven papers, changed from the 10th to the 16th, the later ones listed before the earlier."""
    return [
        Paper(f"2611.0000{n}", f"Invented paper {n}", [f"2026-11-1{n}T12:00:00Z"], categories="cs.LG stat.ML")
        for n in (3, 1, 4, 0, 5, 2, 6)
    ]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, to be copied: making one takes longer than most of these tests."""
    path = tmp_path_factory.mktemp("arxiv") / "empty.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def home(tmp_path: Path, empty: Path) -> Iterator[SimpleNamespace]:
    shutil.copy(empty, tmp_path / "store.db")
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    with Client(tmp_path) as client:
        yield SimpleNamespace(store=store, client=client)
    store.close()


def source(archive: Archive, service: Playing, categories: str = "cs.LG", **how) -> ArxivSource:
    how = {"first_days": 0, "service": QUICK, **archive.addresses(service), **how}
    return ArxivSource(categories.split(), **how)


def pages(
    home: SimpleNamespace, arxiv: ArxivSource, since: str | None = None, now: datetime = NOW
) -> Iterator[Page]:
    """The pages of a run, each stored before the next one is asked for."""
    name = arxiv.name + (since or "")
    cursor = home.store.gather_state(name).cursor
    for page in arxiv.pages(Run(home.store, home.client, cursor, now, threading.Event(), since)):
        home.store.add_page(name, page.items, page.cursor, page.announced)
        yield page


def gather(home: SimpleNamespace, arxiv: ArxivSource, **how) -> list[Rejection]:
    """Runs it to the end; what was rejected."""
    return [item for page in pages(home, arxiv, **how) for item in page.items if isinstance(item, Rejection)]


def stored(store: Store) -> dict[str, tuple]:
    """All papers as they are stored."""
    found = {}
    for paper in store.recent(1000):
        whole = store.paper(paper.id)
        found[paper.id] = (
            whole.title,
            whole.abstract,
            [author.name for author in whole.authors],
            whole.published,
            whole.licence,
            whole.withdrawn,
            [(version.number, version.date) for version in whole.versions],
            sorted((listing.list, listing.day, listing.rank) for listing in whole.listings),
        )
    return found


def asked(service: Playing, path: str = "/oai") -> list[dict[str, str]]:
    return [
        {name: values[0] for name, values in request.query.items()}
        for request in service.requests
        if request.path.startswith(path)
    ]


def covered(store: Store, list_name: str = "arxiv:cs.LG") -> dict[str, tuple[str, int | None]]:
    return {
        told.day: (told.state, told.announced)
        for told in store.coverage("2026-01-01", "2027-12-31", "arxiv")
        if told.list == list_name
    }


# -- OAI-PMH


@pytest.mark.parametrize("tokens", ["new", "old"])
def test_the_copy_is_built_from_all_and_kept_from_the_last_answers_day(
    home: SimpleNamespace, tokens: str
) -> None:
    archive = Archive(papers(), tokens=tokens)
    with archive.playing() as service:
        arxiv = source(archive, service)
        assert gather(home, arxiv) == []
        assert len(stored(home.store)) == 7
        first, *following = asked(service)
        assert first == {"verb": "ListRecords", "metadataPrefix": "arXivRaw", "set": "cs:cs:LG"}
        assert len(following) == 3 and all(set(query) == {"verb", "resumptionToken"} for query in following)
        archive.papers[0].dates.append("2026-11-18T12:00:00Z")
        archive.now = "2026-11-19T04:00:00Z"
        gather(home, arxiv, now=NOW.replace(day=19))
        assert asked(service)[4] == {**first, "from": "2026-11-18"}
        assert len(asked(service)) == 5
    paper = home.store.paper("2611.00003")
    assert [(told.number, told.date) for told in paper.versions] == [
        (1, "2026-11-13T12:00:00Z"),
        (2, "2026-11-18T12:00:00Z"),
    ]
    assert "version 2" in paper.abstract and len(stored(home.store)) == 7
    assert [event.kind for event in home.store.events(0, 10)] == ["version"]


def test_the_first_run_begins_some_days_ago(home: SimpleNamespace) -> None:
    archive = Archive(papers())
    with archive.playing() as service:
        gather(home, source(archive, service, first_days=4))
        assert asked(service)[0]["from"] == "2026-11-14"
    assert sorted(stored(home.store)) == ["2611.00004", "2611.00005", "2611.00006"]


def test_each_category_is_a_set_and_a_paper_in_two_is_one(home: SimpleNamespace) -> None:
    archive = Archive(papers(), page=50)
    with archive.playing() as service:
        gather(home, source(archive, service, "cs.LG stat.ML"))
        assert [query["set"] for query in asked(service)] == ["cs:cs:LG", "stat:stat:ML"]
    assert len(stored(home.store)) == 7


def test_nothing_new_is_no_error(home: SimpleNamespace) -> None:
    archive = Archive([])
    with archive.playing() as service:
        assert gather(home, source(archive, service)) == []
    assert home.store.gather_state("arxiv").cursor["sets"] == {"cs:cs:LG": {"from": "2026-11-18"}}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("noRecordsMatch", "Set argument doesn't match any sets. The setSpec was 'moo'"),
        ("badArgument", "illegal argument"),
        ("cannotDisseminateFormat", "The metadataPrefix is not supported"),
    ],
)
def test_an_error_is_never_taken_for_nothing_new(home: SimpleNamespace, code: str, message: str) -> None:
    archive = Archive(papers())
    archive.oai_fault = lambda asked, number: archive.oai_error(code, message)
    with (
        archive.playing() as service,
        pytest.raises(ServiceError, match=f"{code}.*BROADSHEET_ARXIV_CATEGORIES"),
    ):
        gather(home, source(archive, service))


def test_a_deleted_record_is_a_withdrawal(home: SimpleNamespace) -> None:
    archive = Archive(papers())
    with archive.playing() as service:
        arxiv = source(archive, service)
        gather(home, arxiv)
        archive.papers[0] = replace(archive.papers[0], deleted=True, stamp="2026-11-18")
        archive.papers[1] = replace(
            archive.papers[1],
            stamp="2026-11-18",
            comment="This paper has been withdrawn by the author",
            dates=["2026-11-11T12:00:00Z", "2026-11-18T01:00:00Z"],
        )
        gather(home, arxiv)
    assert home.store.paper("2611.00003").withdrawn[:10] == "2026-11-18"
    assert home.store.paper("2611.00001").withdrawn == "2026-11-18T01:00:00Z"
    assert home.store.paper("2611.00004").withdrawn is None


def test_the_format_with_the_names_in_parts_can_be_asked_for(home: SimpleNamespace) -> None:
    archive = Archive(papers())
    with archive.playing() as service:
        gather(home, source(archive, service, metadata="arXiv"))
        assert asked(service)[0]["metadataPrefix"] == "arXiv"


# -- tokens that expire


def test_after_an_expired_token_it_begins_again_from_the_datestamp_reached(home: SimpleNamespace) -> None:
    archive = Archive(papers())
    archive.oai_fault = lambda asked, number: (
        archive.oai_error("badResumptionToken", "expired") if number == 3 else None
    )
    with archive.playing() as service:
        (rejection,) = gather(home, source(archive, service))
        assert "arxiv cs:cs:LG page 3" in rejection.where and "begins again with 2026-11-13" in rejection.why
        assert asked(service)[3] == {**asked(service)[0], "from": "2026-11-13"}
    assert len(stored(home.store)) == 7


def test_where_datestamps_come_in_no_order_it_begins_again_with_all(home: SimpleNamespace) -> None:
    archive = Archive(papers(), tokens="old")
    archive.oai_fault = lambda asked, number: (
        archive.oai_error("badResumptionToken", "expired") if number == 3 else None
    )
    with archive.playing() as service:
        gather(home, source(archive, service))
        assert asked(service)[3] == asked(service)[0]
    assert len(stored(home.store)) == 7


def test_tokens_that_are_always_refused_end_the_run_and_the_next_one_goes_on(home: SimpleNamespace) -> None:
    archive = Archive(papers())

    def refusing(asked: Asked, number: int) -> Answer | None:
        return (
            archive.oai_error("badResumptionToken", "expired") if "resumptionToken" in asked.query else None
        )

    archive.oai_fault = refusing
    with archive.playing() as service:
        arxiv = source(archive, service)
        with pytest.raises(ServiceError, match="refuses its own tokens"):
            gather(home, arxiv)
        archive.oai_fault = None
        gather(home, arxiv)
        assert asked(service)[-1]["resumptionToken"].find("from=2026-11-1") > 0
    assert len(stored(home.store)) == 7


# -- faults: told, and the store is right in the end


def _once(answer: Answer) -> object:
    return lambda archive: lambda asked, number: answer if number == 2 else None


def _truncated(archive: Archive) -> object:
    def fault(asked: Asked, number: int) -> Answer | None:
        whole = archive._oai(asked)
        return replace(whole, body=whole.body[: len(whole.body) // 2]) if number == 2 else None

    return fault


def _cut(archive: Archive) -> object:
    return lambda asked, number: replace(archive._oai(asked), cut=True) if number == 2 else None


def _twice(archive: Archive) -> object:
    """The second page is the first once more, with the token that leads on."""

    def fault(asked: Asked, number: int) -> Answer | None:
        if number != 2:
            return None
        again = archive.oai_page({"set": "cs:cs:LG"}, 0)
        return replace(again, body=again.body.replace(b"skip=2", b"skip=2&amp;again=1"))

    return fault


def _in_a_circle(archive: Archive) -> object:
    return lambda asked, number: archive.oai_page({"set": "cs:cs:LG"}, 0) if number == 2 else None


FAULTS = {
    "503 with Retry-After": _once(Answer(status=503, headers={"Retry-After": "0"})),
    "429": _once(Answer(status=429, headers={"Retry-After": "0"})),
    "HTML page with status 200": _once(HTML_PAGE),
    "captcha": _once(CAPTCHA),
    "JSON": _once(Answer(body=b'{"busy": true}', headers={"Content-Type": "application/json"})),
    "a picture": _once(Answer(body=b"\x89PNG\r\n", headers={"Content-Type": "image/png"})),
    "nothing at all": _once(Answer(body=b"")),
    "an empty answer": _once(Answer(body=b"<OAI-PMH><ListRecords/></OAI-PMH>")),
    "an answer that breaks off": _truncated,
    "a cut connection": _cut,
    "a page that repeats": _twice,
    "tokens in a circle": _in_a_circle,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_comes_in_between_the_store_is_right_in_the_end(home: SimpleNamespace, fault: str) -> None:
    archive = Archive(papers())
    archive.oai_fault = FAULTS[fault](archive)
    with archive.playing() as service:
        arxiv = source(archive, service)
        try:
            gather(home, arxiv)
        except ServiceError:
            # Then the next run goes on where this one was.
            gather(home, arxiv)
        assert service.busiest == 1
    assert sorted(stored(home.store)) == [f"2611.0000{n}" for n in range(7)]
    assert home.store.gather_state("arxiv").cursor["sets"] == {"cs:cs:LG": {"from": "2026-11-18"}}


def test_a_repeated_page_is_told_with_its_place(home: SimpleNamespace) -> None:
    archive = Archive(papers())
    archive.oai_fault = _twice(archive)
    with archive.playing() as service:
        (rejection,) = gather(home, source(archive, service))
    assert rejection == Rejection("arxiv cs:cs:LG page 2", "it repeats page 1, and was left out")


def test_a_service_that_stays_broken_does_not_hold_up_the_rest(home: SimpleNamespace) -> None:
    archive = Archive(papers(), feeds={"cs.LG": ("2026-11-18", [("new", "2611.00005", 1)])})
    archive.oai_fault = lambda asked, number: HTML_PAGE if "resumptionToken" in asked.query else None
    with archive.playing() as service:
        arxiv = source(archive, service)
        with pytest.raises(ServiceError, match="HTML page"):
            gather(home, arxiv)
        assert sorted(stored(home.store)) == ["2611.00000", "2611.00001", "2611.00005"]
        assert covered(home.store)["2026-11-18"] == ("complete", 1)
        # What the next run asks first is the page that this one did not get.
        archive.oai_fault, before = None, len(asked(service))
        gather(home, arxiv)
        assert "skip=2" in asked(service)[before]["resumptionToken"]
    assert len(stored(home.store)) == 7


def test_a_damaged_record_is_told_and_fetched_by_its_id(home: SimpleNamespace) -> None:
    archive = Archive(papers())
    broken = archive.find("2611.00004")
    broken.raw = oai_record(broken).replace("<title>", "<title>&nbsp;")
    with archive.playing() as service:
        (rejection,) = gather(home, source(archive, service))
        assert rejection.where == "arxiv cs:cs:LG page 3 record 1 (oai:arXiv.org:2611.00004)"
        assert [request.ids for request in service.requests if request.path == "/api/query"] == [
            ["2611.00004"]
        ]
    assert stored(home.store)["2611.00004"][3] == "2026-11-14T12:00:00Z"


def test_impossible_and_unpadded_dates_are_told_and_the_papers_kept(home: SimpleNamespace) -> None:
    archive = Archive(papers())
    archive.find("2611.00001").dates = ["2026-02-31T12:00:00Z"]
    archive.find("2611.00001").stamp = "2026-11-11"
    archive.find("2611.00002").dates = ["2026-11-2 3:04"]
    archive.find("2611.00002").stamp = "2026-11-12"
    archive.find("2611.00006").stamp = "someday"
    with archive.playing() as service:
        rejections = gather(home, source(archive, service))
    assert [told.where for told in rejections] == [
        "arxiv cs:cs:LG page 1 record 2 (oai:arXiv.org:2611.00001)"
    ]
    assert stored(home.store)["2611.00001"][3] is None
    assert stored(home.store)["2611.00002"][3] == "2026-11-02T03:04:00Z"
    assert len(stored(home.store)) == 7


def test_a_service_that_goes_back_in_time_takes_no_later_version_away(home: SimpleNamespace) -> None:
    archive = Archive(papers(), page=50)
    archive.find("2611.00006").dates.append("2026-11-17T12:00:00Z")
    with archive.playing() as service:
        arxiv = source(archive, service)
        gather(home, arxiv)
        before = stored(home.store)
        # Restored from an old backup: the first version again, stamped and answered long ago.
        archive.find("2611.00006").dates.pop()
        old = archive.oai_page({"set": "cs:cs:LG"}, 0, now="2026-11-16T00:00:00Z")
        archive.oai_fault = lambda asked, number: old
        (rejection,) = gather(home, arxiv)
    assert rejection.where == "arxiv cs:cs:LG page 1" and "goes back in time" in rejection.why
    assert "2611.00000" in rejection.why and "2026-11-18" in rejection.why
    assert stored(home.store) == before
    assert home.store.gather_state("arxiv").cursor["sets"]["cs:cs:LG"] == {"from": "2026-11-18"}


def test_a_clock_that_is_ahead_leaves_no_day_out(home: SimpleNamespace) -> None:
    archive = Archive(papers(), now="2031-01-01T00:00:00Z")
    with archive.playing() as service:
        gather(home, source(archive, service))
    assert home.store.gather_state("arxiv").cursor["sets"]["cs:cs:LG"] == {"from": "2026-11-18"}


def test_a_kill_after_every_page_loses_nothing_and_asks_for_nothing_twice(
    home: SimpleNamespace, tmp_path: Path, empty: Path
) -> None:
    archive = _announcing()
    archive.page = 2
    with archive.playing() as service:
        arxiv = source(archive, service, "cs.LG stat.ML")
        # Each run is killed after its first page, until the run is at its end.
        kills = 0
        while "under way" in next(pages(home, arxiv)).cursor:
            kills += 1
            assert kills < 50
        killed = [(request.path, request.query) for request in service.requests]
    before, accounts = stored(home.store), covered(home.store)
    home.store = Store.open(f"sqlite:///{shutil.copy(empty, tmp_path / 'undisturbed.db')}")
    with archive.playing() as service:
        gather(home, source(archive, service, "cs.LG stat.ML"))
        assert killed == [(request.path, request.query) for request in service.requests]
    assert (before, accounts) == (stored(home.store), covered(home.store))
    home.store.close()


def test_a_run_that_was_killed_long_ago_is_begun_anew(home: SimpleNamespace) -> None:
    archive = Archive(papers(), page=50, feeds={"cs.LG": ("2026-11-18", [("new", "2611.00005", 1)])})
    with archive.playing() as service:
        arxiv = source(archive, service)
        next(pages(home, arxiv))
        gather(home, arxiv, now=NOW.replace(hour=20))
        assert len(asked(service)) == 2 and len(asked(service, "/rss")) == 1


# -- announcements


def _announcing() -> Archive:
    archive = Archive(papers(), page=50)
    archive.papers.append(Paper("2611.00007", "Not in the copy", ["2026-11-17T12:00:00Z"]))
    archive.withheld = {"2611.00007"}
    archive.feeds = {
        "cs.LG": (
            "2026-11-18",
            [
                ("new", "2611.00006", 1),
                ("cross", "2611.00005", 1),
                ("replace", "2611.00001", 1),
                ("new", "2611.00007", 1),
                ("replace-cross", "2611.00002", 1),
            ],
        )
    }
    return archive


def test_what_was_announced_is_listed_in_its_order_and_counted(home: SimpleNamespace) -> None:
    archive = _announcing()
    with archive.playing() as service:
        assert gather(home, source(archive, service)) == []
    found = stored(home.store)
    assert found["2611.00006"][-1] == [("arxiv:cs.LG", "2026-11-18", 1)]
    assert found["2611.00005"][-1] == [("arxiv:cs.LG", "2026-11-18", 2)]
    assert found["2611.00007"][-1] == [("arxiv:cs.LG", "2026-11-18", 3)]
    assert found["2611.00001"][-1] == []
    assert covered(home.store) == {"2026-11-18": ("complete", 3)}
    assert covered(home.store, "arxiv:cs.LG replaced") == {"2026-11-18": ("complete", 2)}


def test_a_feed_that_did_not_change_is_neither_sent_nor_stored_again(home: SimpleNamespace) -> None:
    archive = _announcing()
    with archive.playing() as service:
        arxiv = source(archive, service)
        gather(home, source(archive, service, "stat.ML"))
        # Killed when the feed was sent, before its papers are stored: they are told once more.
        cursor = home.store.gather_state("arxiv").cursor
        run = Run(home.store, home.client, cursor, NOW, threading.Event())
        assert any(item.where.startswith("arxiv feed") for page in arxiv.pages(run) for item in page.items)
        told = [item for page in pages(home, arxiv) for item in page.items]
        assert len([item for item in told if item.where.startswith("arxiv feed")]) == 5
        told = [item for page in pages(home, arxiv) for item in page.items]
        assert [item for item in told if item.where.startswith("arxiv feed")] == []
    assert covered(home.store) == {"2026-11-18": ("complete", 3)}


def test_what_was_announced_and_not_given_by_oai_is_fetched_by_id(home: SimpleNamespace) -> None:
    archive = _announcing()
    with archive.playing() as service:
        arxiv = source(archive, service)
        gather(home, arxiv)
        assert [request.ids for request in service.requests if request.path == "/api/query"] == [
            ["2611.00007"]
        ]
        gather(home, arxiv)
        assert len([request for request in service.requests if request.path == "/api/query"]) == 1
    paper = home.store.paper("2611.00007")
    # The feed tells no dates, the API does.
    assert [(told.number, told.date) for told in paper.versions] == [(1, "2026-11-17T12:00:00Z")]


def test_a_new_version_that_oai_does_not_give_is_fetched_by_id(home: SimpleNamespace) -> None:
    archive = Archive(papers(), page=50)
    with archive.playing() as service:
        arxiv = source(archive, service)
        gather(home, arxiv)
        archive.find("2611.00003").dates.append("2026-11-17T12:00:00Z")
        archive.withheld = {"2611.00003"}
        archive.feeds = {"cs.LG": ("2026-11-18", [("replace", "2611.00003", 2)])}
        gather(home, arxiv)
        assert [request.ids for request in service.requests if request.path == "/api/query"] == [
            ["2611.00003"]
        ]
    assert stored(home.store)["2611.00003"][6] == [(1, "2026-11-13T12:00:00Z"), (2, "2026-11-17T12:00:00Z")]


def test_an_announced_paper_that_nobody_knows_is_told_after_some_tries(home: SimpleNamespace) -> None:
    archive = _announcing()
    archive.api_fault = lambda asked, number: Answer(body=b'<feed xmlns="http://www.w3.org/2005/Atom"/>')
    with archive.playing() as service:
        arxiv = source(archive, service)
        told = [gather(home, arxiv) for _ in range(4)]
    assert [len(rejections) for rejections in told] == [0, 0, 1, 0]
    assert told[2][0].where == "arxiv 2611.00007" and "announced on 2026-11-18" in told[2][0].why


def test_the_paper_of_a_feed_is_there_before_oai_gives_it(home: SimpleNamespace) -> None:
    archive = _announcing()
    archive.oai_fault = lambda asked, number: Answer(status=404)
    with archive.playing() as service, pytest.raises(ServiceError, match="404"):
        gather(home, source(archive, service))
    title, abstract, authors, published, licence, *_ = stored(home.store)["2611.00006"]
    assert (title, published) == ("Invented paper 6", None)
    assert abstract.startswith("We tell of") and authors == ["Ada Lovelace", "Karen Spärck Jones"]
    assert licence == "http://creativecommons.org/licenses/by/4.0/"


@pytest.mark.parametrize(
    ("now", "feed_day", "states"),
    [
        # Wednesday: the feed is still that of Tuesday.
        ("2026-11-18T14:00", "2026-11-17", {"2026-11-17": ("complete", 1), "2026-11-18": ("late", None)}),
        # Before the feeds are made, nothing is expected yet.
        ("2026-11-18T05:20", "2026-11-17", {"2026-11-17": ("complete", 1)}),
        # Saturday.
        ("2026-11-21T14:00", "2026-11-20", {"2026-11-20": ("complete", 1), "2026-11-21": ("holiday", None)}),
        # The day after Thanksgiving.
        ("2026-11-27T14:00", "2026-11-26", {"2026-11-26": ("complete", 1), "2026-11-27": ("holiday", None)}),
    ],
)
def test_late_and_holiday_are_told_apart(
    home: SimpleNamespace, now: str, feed_day: str, states: dict[str, tuple[str, int | None]]
) -> None:
    archive = Archive(papers(), page=50, feeds={"cs.LG": (feed_day, [("new", "2611.00006", 1)])})
    with archive.playing() as service:
        gather(home, source(archive, service), now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert covered(home.store) == states


def test_an_empty_feed_on_a_day_of_announcements_is_late_unless_others_have_papers(
    home: SimpleNamespace,
) -> None:
    archive = Archive(papers(), page=50, feeds={"cs.LG": ("2026-11-18", []), "stat.ML": ("2026-11-18", [])})
    with archive.playing() as service:
        arxiv = source(archive, service, "cs.LG stat.ML")
        gather(home, arxiv)
        assert covered(home.store) == {"2026-11-18": ("late", None)}
        archive.feeds["stat.ML"] = ("2026-11-18", [("new", "2611.00006", 1)])
        gather(home, arxiv)
    assert covered(home.store) == {"2026-11-18": ("complete", 0)}
    assert covered(home.store, "arxiv:stat.ML") == {"2026-11-18": ("complete", 1)}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (HTML_PAGE, "failed"),
        (Answer(status=500), "failed"),
        (Answer(status=403), "refused"),
        (Answer(body=b"<rss>"), "failed"),
    ],
)
def test_a_feed_that_does_not_come_is_never_nothing_new(
    home: SimpleNamespace, answer: Answer, state: str
) -> None:
    archive = Archive(papers(), page=50)
    archive.feed_fault = lambda asked, number: answer
    with archive.playing() as service:
        arxiv = source(archive, service)
        with pytest.raises(ServiceError):
            gather(home, arxiv)
        assert covered(home.store) == {"2026-11-18": (state, None)}
        archive.feed_fault = None
        archive.feeds = {"cs.LG": ("2026-11-18", [("new", "2611.00006", 1)])}
        gather(home, arxiv)
        assert covered(home.store) == {"2026-11-18": ("complete", 1)}
        # What is known is not taken back.
        archive.feed_fault = lambda asked, number: answer
        with pytest.raises(ServiceError):
            gather(home, arxiv)
    assert covered(home.store) == {"2026-11-18": ("complete", 1)}


def test_days_that_nobody_looked_at_are_told_as_missed(home: SimpleNamespace) -> None:
    archive = Archive(papers(), page=50, feeds={"cs.LG": ("2026-11-18", [("new", "2611.00006", 1)])})
    with archive.playing() as service:
        arxiv = source(archive, service)
        gather(home, arxiv)
        archive.feeds = {"cs.LG": ("2026-11-24", [("new", "2611.00005", 1)])}
        gather(home, arxiv, now=NOW.replace(day=24))
    assert covered(home.store) == {
        "2026-11-18": ("complete", 1),
        "2026-11-19": ("failed", None),
        "2026-11-20": ("failed", None),
        "2026-11-21": ("holiday", None),
        "2026-11-22": ("holiday", None),
        "2026-11-23": ("failed", None),
        "2026-11-24": ("complete", 1),
    }


def test_a_feed_that_goes_back_in_time_is_told_and_left_out(home: SimpleNamespace) -> None:
    archive = Archive(papers(), page=50, feeds={"cs.LG": ("2026-11-18", [("new", "2611.00006", 1)])})
    with archive.playing() as service:
        arxiv = source(archive, service)
        gather(home, arxiv)
        archive.feeds = {"cs.LG": ("2026-11-12", [("new", "2611.00001", 1)])}
        (rejection,) = gather(home, arxiv)
    assert "goes back in time" in rejection.why and rejection.where == "arxiv feed cs.LG 2026-11-12"
    assert covered(home.store) == {"2026-11-18": ("complete", 1)}


def test_the_holidays_of_an_unknown_year_are_named_as_a_reason(home: SimpleNamespace) -> None:
    archive = Archive(papers(), page=50, feeds={"cs.LG": ("2027-11-16", [("new", "2611.00006", 1)])})
    with archive.playing() as service:
        gather(home, source(archive, service), now=NOW.replace(year=2027))
    late = [told for told in home.store.coverage("2027-01-01", "2027-12-31") if told.state == "late"]
    assert [told.day for told in late] == ["2027-11-17", "2027-11-18"]
    assert all("BROADSHEET_ARXIV_HOLIDAYS" in told.reason for told in late)


# -- backfill and settings


def test_a_backfill_is_a_harvest_alone_that_goes_on_where_it_stopped(home: SimpleNamespace) -> None:
    archive = Archive(papers())
    with archive.playing() as service:
        arxiv = source(archive, service)
        next(pages(home, arxiv, since="2026-11-12"))
        gather(home, arxiv, since="2026-11-12")
        assert asked(service)[0]["from"] == "2026-11-12" and len(asked(service)) == 3
        assert len(service.requests) == 3
        gather(home, arxiv, since="2026-11-12")
        assert len(service.requests) == 3
    assert sorted(stored(home.store)) == [f"2611.0000{n}" for n in range(2, 7)]


def test_a_backfill_fetches_damaged_records_by_id_too(home: SimpleNamespace) -> None:
    archive = Archive(papers())
    broken = archive.find("2611.00004")
    broken.raw = oai_record(broken).replace("<title>", "<title>&nbsp;")
    with archive.playing() as service:
        gather(home, source(archive, service), since="2026-11-12")
    assert sorted(stored(home.store)) == [f"2611.0000{n}" for n in range(2, 7)]


def test_a_backfill_from_before_all_asks_without_a_date(home: SimpleNamespace) -> None:
    archive = Archive(papers(), page=50)
    with archive.playing() as service:
        gather(home, source(archive, service), since="1991-08-14")
        assert "from" not in asked(service)[0]
    assert len(stored(home.store)) == 7


def _settings(**given: object) -> SimpleNamespace:
    return SimpleNamespace(
        **{
            "arxiv_categories": "cs.LG",
            "arxiv_first_days": 7,
            "arxiv_oai_format": "arXivRaw",
            "arxiv_holidays": "",
            "arxiv_oai_url": "x",
            "arxiv_feed_url": "x/",
            "arxiv_url": "x",
            **given,
        }
    )


def test_the_settings_make_one_source_or_none_and_name_what_is_wrong() -> None:
    (arxiv,) = sources(_settings())
    assert (arxiv.name, arxiv.title) == ("arxiv", "arXiv")
    assert sources(_settings(arxiv_categories=" ")) == []
    with pytest.raises(CategoryError, match="'robots' is no category"):
        sources(_settings(arxiv_categories="cs.LG,robots"))
    with pytest.raises(ValueError, match="'Christmas' is no day"):
        sources(_settings(arxiv_holidays="Christmas"))
