"""arXiv's feeds of the day, RSS and Atom, and its calendar."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Record, Rejection
from broadsheet.sources.arxiv.calendar import Calendar, HolidayError, days_of
from broadsheet.sources.arxiv.feeds import ArxivFeed, NoArxivFeed
from broadsheet.sources.arxiv.names import names_in
from broadsheet.sources.arxiv.taxonomy import CategoryError, categories_of, configured, set_of
from broadsheet.sources.files import read_file

FIXTURES = Path(__file__).parents[1] / "fixtures" / "arxiv"
RSS = (FIXTURES / "feed.rss").read_bytes()


def read(data: bytes, day: str | None = None) -> list[Record | Rejection]:
    return list(read_file(io.BytesIO(data), name="feed.rss", day=day))


def test_new_and_cross_listed_papers_stand_in_their_lists_and_replaced_ones_do_not() -> None:
    new, cross, replaced = read(RSS)
    assert [(i.list, i.day, i.rank, i.source) for i in new.listings] == [
        ("arxiv:cs.LG", "2026-09-24", 1, "arxiv")
    ]
    assert [(i.list, i.rank) for i in cross.listings] == [("arxiv:cs.LG", 2), ("arxiv:math.NA", 1)]
    assert [i.list for i in replaced.listings] == ["added"]


def test_all_of_an_item_is_read() -> None:
    new, cross, replaced = read(RSS)
    assert new.title == "The contract of drifting gates"
    assert new.abstract.startswith("Invented: gates drift") and new.published is None
    assert [author.name for author in new.authors] == ["Fabien Polly", "Karen Spärck Jones"]
    assert new.licence == "http://creativecommons.org/licenses/by-nc-sa/4.0/"
    assert ("code", "https://github.com/ada-lab/drift") in [(link.kind, link.url) for link in new.links]
    assert cross.identifiers == [
        Identifier("arxiv", "2205.06398", 2),
        Identifier("doi", "10.1093/bioinformatics/btac431"),
    ]
    assert cross.venue == "Invented Letters 3 (2022)"
    assert cross.categories == ["stat.ME", "cs.LG", "math.NA"]
    assert replaced.identifiers == [Identifier("arxiv", "2009.13987", 3)]


def test_the_atom_feed_of_the_day_is_no_answer_of_the_api() -> None:
    (paper,) = read((FIXTURES / "feed.atom").read_bytes())
    assert paper.identifiers == [Identifier("arxiv", "2508.13426", 1)]
    assert [(i.list, i.day, i.rank) for i in paper.listings] == [("arxiv:cs.AI", "2025-08-20", 1)]
    assert [author.name for author in paper.authors] == ["Chunhua Liu", "Kabir Manandhar Shrestha"]


def test_an_empty_feed_of_a_weekend_holds_nothing_and_is_no_error() -> None:
    data = (FIXTURES / "feed_weekend.rss").read_bytes()
    assert read(data) == []
    feed = ArxivFeed(data)
    assert list(feed.announcements()) == []
    assert (feed.day, feed.categories, feed.damage) == ("2026-09-26", ["cs.LG"], "")


def test_an_unknown_type_of_announcement_is_told_and_the_paper_kept() -> None:
    paper, rejection, *_ = read(RSS.replace(b"announce_type>new<", b"announce_type>revised<"))
    assert isinstance(paper, Record) and rejection.where == "feed.rss item 1" and "'revised'" in rejection.why


def test_items_that_are_none_of_arxiv_are_rejected_and_the_others_read() -> None:
    rejection, *papers = read(RSS.replace(b"oai:arXiv.org:2609.26811v1", b"tag:example.org,2026:1"))
    assert "none of arXiv" in rejection.why and len(papers) == 2


def test_the_items_before_a_damage_are_read() -> None:
    *papers, rejection = read(RSS[: RSS.index(b"Random descriptors")])
    assert len(papers) == 2 and "damaged after item 2" in rejection.why


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><body>Sorry</body></html>",
        b"<rss version='2.0'><channel><title>A blog</title></channel></rss>",
        b"x" * 20_000_001,
    ],
)
def test_what_is_no_feed_of_arxiv_is_refused(data: bytes) -> None:
    with pytest.raises(NoArxivFeed):
        list(ArxivFeed(data).announcements())


@pytest.mark.parametrize(
    ("name", "papers", "lists"),
    [
        ("atom_csAI_2025-08-20.xml", 7, {"arxiv:cs.AI"}),
        (
            "rss2_multicategory_2026-09-24.xml",
            4,
            {"arxiv:cs.LG", "arxiv:cs.AI", "arxiv:stat.ML", "added"},
        ),
    ],
)
def test_recorded_feeds_are_read_whole(shared: Path, name: str, papers: int, lists: set[str]) -> None:
    items = list(read_file(shared / "data/recorded/arxiv_rss" / name))
    assert len(items) == papers and all(isinstance(item, Record) for item in items)
    assert {listing.list for item in items for listing in item.listings} == lists
    for item in items:
        assert item.title and item.abstract and item.authors and item.licence and item.categories
        assert item.identifiers[0].version and "Announce Type" not in item.abstract


def test_every_recorded_feed_is_known_here(shared: Path) -> None:
    names = {path.name for path in (shared / "data/recorded/arxiv_rss").iterdir()}
    assert names == {"atom_csAI_2025-08-20.xml", "rss2_multicategory_2026-09-24.xml"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A. One, B. Two, and C. Three", ["A. One", "B. Two", "C. Three"]),
        ("A. One (MIT), B. Two (Paris, France) and C. Three", ["A. One", "B. Two", "C. Three"]),
        ("A. One (1), B. Two (1,2) ((1) X, Y, (2) Z (W))", ["A. One", "B. Two"]),
        (
            "John Doe, Jr., S. James Gates Jr and W. Goddard III",
            ["John Doe Jr.", "S. James Gates Jr", "W. Goddard III"],
        ),
        ("CDF Collaboration: T. Aaltonen, et al", ["CDF Collaboration", "T. Aaltonen"]),
        ("A. One et al.", ["A. One"]),
        ("A. One, for the RBC and UKQCD Collaborations", ["A. One", "RBC and UKQCD Collaborations"]),
        ("A. One, et al. (the MAGIC collaboration: 136 more)", ["A. One", "MAGIC collaboration"]),
        (r"{\AA}sa \L{}uk, M. R{\"u}bhausen; \v{Z}. Kov\'a\v{c}", ["Åsa Łuk", "M. Rübhausen", "Ž. Kováč"]),
        ("A. One (never closed, B. Two", ["A. One"]),
        ("Ferdinand de Saussure & Ludwig van Beethoven", ["Ferdinand de Saussure", "Ludwig van Beethoven"]),
        ("", []),
        (" , and ,", []),
    ],
)
def test_lines_of_authors_are_divided(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_categories_have_one_name_and_the_sets_that_hold_them() -> None:
    aliases = "cs.NA math.NA cs.SY eess.SY math.IT cs.IT math.MP math-ph q-fin.EC econ.GN stat.TH math.ST"
    assert categories_of(aliases) == ("math.NA", "eess.SY", "cs.IT", "math-ph", "econ.GN", "math.ST")
    assert categories_of("physics.optics cond-mat.str-el 65F10 F.2.2") == (
        "physics.optics",
        "cond-mat.str-el",
    )
    assert configured(" cs.LG, cs.NA  hep-th,cs,math.NA ") == ["cs.LG", "math.NA", "hep-th", "cs"]
    sets = [set_of(name) for name in ("cs.LG", "cs", "hep-th", "astro-ph.CO", "physics.optics")]
    assert sets == ["cs:cs:LG", "cs:cs", "physics:hep-th", "physics:astro-ph:CO", "physics:physics:optics"]


@pytest.mark.parametrize("wrong", ["cs.LG,machine learning", "xx.YY", "LG"])
def test_what_is_no_category_is_named(wrong: str) -> None:
    with pytest.raises(CategoryError, match="is no category of arXiv"):
        configured(wrong)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2026-11-23", ""),  # Monday: announced on Sunday
        ("2026-11-26", ""),  # Thanksgiving itself: announced on the evening before
        ("2026-11-27", "2026-11-26, a holiday"),
        ("2026-11-28", "Fridays and Saturdays"),
        ("2026-11-29", "Fridays and Saturdays"),
        ("2027-02-02", "2027-02-01, a holiday"),
    ],
)
def test_there_is_no_listing_after_a_holiday_and_on_weekends(day: str, why: str) -> None:
    told = Calendar(["2027-02-01"]).why_none(day)
    assert (why in told) if why else told == ""


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-20T05:29:00", "2026-11-19"),  # 00:29 in New York: the feed is being made
        ("2026-11-20T05:31:00", "2026-11-20"),
        ("2026-11-21T12:00:00", "2026-11-20"),
        ("2026-11-23T04:00:00", "2026-11-20"),  # Sunday evening in New York
        ("2026-11-27T12:00:00", "2026-11-26"),
        ("2026-07-14T04:31:00", "2026-07-14"),  # summer time
    ],
)
def test_the_listing_that_should_be_out(now: str, day: str) -> None:
    assert Calendar().expected(datetime.fromisoformat(now).replace(tzinfo=UTC)) == day


def test_it_is_due_when_oai_and_the_feeds_are_ready_and_not_on_free_days() -> None:
    calendar = Calendar()
    # From Thursday noon (New York) on, over the weekend, with summer time at its end in the spring.
    moment, hours = datetime(2026, 11, 19, 17, tzinfo=UTC), []
    for _ in range(9):
        moment = calendar.due(moment, moment)
        hours.append(moment.strftime("%a %H:%M"))
    assert hours[:5] == ["Fri 03:45", "Fri 05:45", "Fri 08:00", "Fri 14:00", "Mon 03:45"]
    assert hours[5:] == ["Mon 05:45", "Mon 08:00", "Mon 14:00", "Tue 03:45"]
    assert calendar.due(None, moment) == moment
    assert calendar.due(datetime(2031, 1, 1, tzinfo=UTC), moment) > moment


def test_a_missed_hour_is_due_at_once() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert Calendar().due(datetime(2026, 11, 19, 17, tzinfo=UTC), now) < now


def test_holidays_of_later_years_are_set_by_days() -> None:
    assert days_of("2027-01-01, 2027-01-18") == ["2027-01-01", "2027-01-18"]
    assert Calendar(days_of("2027-01-01")).knows("2027-05-05") and not Calendar().knows("2027-05-05")
    with pytest.raises(HolidayError, match="'Christmas' is no day"):
        days_of("Christmas")
