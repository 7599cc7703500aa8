"""Which papers a service is asked about: the newest first, none that it told of lately."""

from __future__ import annotations

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Link, Record
from broadsheet.store import Store


def _add(store: Store, *told: tuple[str, str, str]) -> None:
    """Papers as (scheme, value, day of publication)."""
    for scheme, value, day in told:
        link = Link("code", f"https://github.com/ada/{value[-1]}", "test", "given")
        identifiers = [Identifier(scheme, value)]
        store.add([Record(f"Paper {value}", "test", identifiers=identifiers, published=day, links=[link])])


def _names(store: Store, pairs: list[tuple[str, int]]) -> list[str]:
    return [paper.id for paper in store.papers([key for _, key in pairs])]


def test_papers_come_newest_first_page_by_page(store: Store) -> None:
    # Two of one day are told apart by their keys.
    days = ["2026-06-03", "2026-06-01", "2026-06-02", "2026-06-02", "2026-06-04"]
    _add(store, *(("arxiv", f"2606.0000{number}", day) for number, day in enumerate(days, start=1)))
    found, after = [], None
    while page := store.keys_to_enrich("crossref", 2, after=after, older_than="2026-06-05"):
        found += _names(store, page)
        after = page[-1]
    assert found == ["2606.00005", "2606.00001", "2606.00004", "2606.00003", "2606.00002"]


def test_a_paper_that_was_counted_lately_is_passed_over(store: Store) -> None:
    _add(store, ("doi", "10.1234/a", "2026-06-01"), ("doi", "10.1234/b", "2026-06-02"))
    store.add(
        [
            Record(
                "",
                "crossref",
                identifiers=[Identifier("doi", "10.1234/a")],
                citations=5,
                counted="2026-06-10",
            )
        ]
    )

    def due(source: str, day: str) -> list[str]:
        return _names(store, store.keys_to_enrich(source, 10, older_than=day))

    assert due("crossref", "2026-06-10") == ["10.1234/b"]
    assert due("crossref", "2026-06-11") == ["10.1234/b", "10.1234/a"]
    assert due("openalex", "2026-06-10") == ["10.1234/b", "10.1234/a"]


def test_a_walk_is_bounded_by_schemes_links_age_and_keys(store: Store) -> None:
    _add(
        store,
        ("doi", "10.1234/a", "2026-06-01"),
        ("arxiv", "2606.00002", "2026-06-02"),
        ("acl", "P18-1003", "2018-07-01"),
    )

    def due(**bounds: object) -> list[str]:
        return _names(store, store.keys_to_enrich("crossref", 10, older_than="2026-07-01", **bounds))

    assert due(schemes=("doi",)) == ["10.1234/a"]
    assert due(schemes=("doi", "acl")) == ["10.1234/a", "P18-1003"]
    assert due(linked="//github.com/ada/3") == ["P18-1003"]
    assert due(since="2026-06-02") == ["2606.00002"]
    last = max(key for _, key in store.keys_to_enrich("crossref", 10, older_than="2026-07-01"))
    assert due(since="2026-06-02", above=last - 1) == ["2606.00002", "P18-1003"]
    assert due(since="9999", above=last) == []
