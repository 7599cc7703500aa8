"""Papers told by several sources: what is taken from whom, merged, undone and kept apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Link, Listing, Paper, Record, Version, Withdrawal
from broadsheet.store import Store, StoreError

ABSTRACT = (
    "We sort the pigeons of a town by the colour of their wings and count how often each colour returns "
    "to the same roof. Over three winters the grey ones came home most faithfully, and a simple model of "
    "wind and hunger explains nine tenths of the differences between roofs."
)
OTHER = (
    "A proof is given that every even lattice of rank eight and determinant one is isometric to the root "
    "lattice, by counting short vectors with a theta series instead of the usual neighbour method."
)
NAMES = [Author("Ada Dove"), Author("Bo Roof")]
TITLE = "Pigeons of a town and the colour of their wings"


def ids(*keys: str) -> list[Identifier]:
    return [Identifier.from_key(key) for key in keys]


def from_arxiv(**fields: object) -> Record:
    told = {
        "title": TITLE, "source": "arxiv", "identifiers": ids("arxiv:2401.00001"), "abstract": ABSTRACT,
        "authors": list(NAMES), "published": "2024-01-02", "categories": ["q-bio.PE"],
        "versions": [Version(1, "2024-01-02T00:00:00Z")], "licence": "https://example.org/by",
        "links": [Link("pdf", "https://arxiv.org/pdf/2401.00001")],
    }  # fmt: skip
    return Record(**(told | fields))


def from_acl(**fields: object) -> Record:
    told = {
        "title": TITLE, "source": "acl", "identifiers": ids("acl:2024.acl-main.1", "doi:10.1000/acl.1"),
        "abstract": ABSTRACT, "authors": list(NAMES), "venue": "ACL 2024", "published": "2024-08-01",
    }  # fmt: skip
    return Record(**(told | fields))


def from_daily(**fields: object) -> Record:
    listing = Listing("daily_papers", "2024-01-03", 2, "daily_papers", 17)
    told = {
        "title": TITLE, "source": "daily_papers", "identifiers": ids("arxiv:2401.00001"),
        "authors": [Author("Ada Dove", {"user": "ada"}), Author("Bo Roof")], "listings": [listing],
        "ai_summary": "Grey pigeons come home.", "upvotes": 18, "github_stars": 5,
    }  # fmt: skip
    return Record(**(told | fields))


def from_bibtex(**fields: object) -> Record:
    told = {
        "title": "{Pigeons} of a Town and the Colour of their Wings", "source": "bibtex",
        "authors": [Author("Dove, Ada"), Author("Roof, B.")], "venue": "Proc. ACL",
    }  # fmt: skip
    return Record(**(told | fields))


def the_rest(paper: Paper) -> Paper:
    return replace(paper, key=0)


def test_five_sources_make_one_paper_and_each_field_is_from_the_best_of_them(store: Store) -> None:
    note = Record(
        TITLE, "openreview", identifiers=ids("openreview:aB3dE5gH7j"), abstract=ABSTRACT, authors=list(NAMES),
        venue="ICLR 2024 poster", ai_keywords=["pigeons"],
    )  # fmt: skip
    enriched = Record(
        "", "crossref", identifiers=ids("doi:10.1000/acl.1"), venue="Proceedings of ACL", citations=3,
        counted="2024-09-01", references=["doi:10.1000/roof"],
    )  # fmt: skip
    for record in (from_bibtex(), from_daily(), from_acl(), note, from_arxiv(), enriched):
        store.add([record])
    assert store.counts()["papers"] == 1
    paper = store.paper("10.1000/acl.1")
    assert paper.id == "2401.00001"
    assert {i.key for i in paper.identifiers if i.scheme != "title"} == {
        "arxiv:2401.00001", "acl:2024.acl-main.1", "doi:10.1000/acl.1", "openreview:aB3dE5gH7j",
    }  # fmt: skip
    assert (paper.title, paper.venue, paper.published[:10]) == (TITLE, "ACL 2024", "2024-01-02")
    assert paper.authors[0] == Author("Ada Dove", {"user": "ada"})
    assert (paper.ai_keywords, paper.citations, paper.references) == (["pigeons"], 3, ["doi:10.1000/roof"])
    told = {
        name: paper.provenance[name] for name in ("title", "venue", "ai_summary", "licence", "references")
    }
    assert told == {
        "title": "arxiv", "venue": "acl", "ai_summary": "daily_papers", "licence": "arxiv",
        "references": "crossref",
    }  # fmt: skip


def test_the_order_in_which_sources_come_does_not_matter_for_what_is_shown(store: Store) -> None:
    records = [from_arxiv, from_acl, from_daily, from_bibtex]
    shown = []
    for number, order in enumerate((records, records[::-1])):
        for make in order:
            # The same work in another home: its own numbers.
            store.add([replace(make(), identifiers=[_moved(i, number) for i in make().identifiers],
                               title=f"{make().title} {number}")])  # fmt: skip
        paper = store.paper(f"240{number + 1}.00001")
        names = [author.name for author in paper.authors]
        shown.append(
            (
                paper.abstract,
                names,
                paper.venue,
                paper.licence,
                paper.published,
                paper.upvotes,
                paper.ai_summary,
            )
        )
    assert shown[0] == shown[1]


def _moved(identifier: Identifier, number: int) -> Identifier:
    if identifier.scheme == "arxiv":
        return Identifier("arxiv", f"240{number + 1}.00001")
    return Identifier(identifier.scheme, identifier.value[:-1] + str(number))


def test_a_new_version_updates_the_paper_and_is_an_event(store: Store) -> None:
    store.add([from_daily()])
    store.add([from_arxiv()])
    assert store.events(0, 10) == []
    second = from_arxiv(
        title="Pigeons of two towns", abstract=OTHER, updated="2024-03-01",
        versions=[Version(1, "2024-01-02T00:00:00Z"), Version(2, "2024-03-01T00:00:00Z")],
    )  # fmt: skip
    report = store.add([second])
    assert (report.new, report.updated) == (0, 1)
    paper = store.paper("2401.00001v2")
    assert (paper.title, paper.abstract, len(paper.versions)) == ("Pigeons of two towns", OTHER, 2)
    [event] = store.events(0, 10)
    assert (event.kind, event.paper_key, event.data["number"]) == ("version", paper.key, 2)
    assert event.data["title"] == TITLE
    assert store.events(0, 10, ["withdrawn"]) == []
    assert store.events(event.seq, 10) == []


def test_a_service_that_goes_back_in_time_does_not_undo_the_newer_version(store: Store) -> None:
    def version(number: int, **fields: object) -> Record:
        known = [Version(n, f"2024-0{n}-01T00:00:00Z") for n in range(1, number + 1)]
        return from_arxiv(title=f"{TITLE}, version {number}", versions=known, **fields)

    store.add([version(2, comment=None)])
    store.add([version(1, comment="12 pages")])
    paper = store.paper("2401.00001")
    assert paper.title == f"{TITLE}, version 2"
    # What only the older one tells is not lost.
    assert paper.comment == "12 pages"
    # Nor does it in one import, or where only the date tells.
    store.add([version(3), version(2)])
    assert store.paper("2401.00001").title == f"{TITLE}, version 3"
    store.add([from_acl(title="New", updated="2024-09-09"), from_acl(title="Old", updated="2024-09-08")])
    assert store.paper("2024.acl-main.1").title == "New"


def test_a_newer_version_in_the_same_import_wins(store: Store) -> None:
    first, second = from_arxiv(), from_arxiv(title="Pigeons of two towns", versions=[Version(2)])
    store.add([first, second])
    assert store.paper("2401.00001").title == "Pigeons of two towns"


def test_a_withdrawal_marks_a_stored_paper_once(store: Store) -> None:
    store.add([from_arxiv(), from_acl()])
    gone = Withdrawal(Identifier("arxiv", "2401.00001"), "2024-05-05", "arxiv", "x", "wrong roofs")
    unknown = Withdrawal(Identifier("arxiv", "2401.09999"), "2024-05-05", "arxiv", "y")
    report = store.add([gone, unknown])
    assert (report.new, report.updated, report.unchanged) == (0, 1, 1)
    assert store.paper("2401.00001").withdrawn == "2024-05-05T00:00:00Z"
    [event] = store.events(0, 10)
    assert (event.kind, event.data["day"], event.data["reason"]) == ("withdrawn", "2024-05-05", "wrong roofs")
    assert store.add([replace(gone)]).unchanged == 1
    assert len(store.events(0, 10)) == 1


def test_an_editor_merges_two_papers_and_takes_them_apart_exactly_even_after_later_imports(
    store: Store,
) -> None:
    published = from_acl(title="Pigeons, roofs and wings", abstract=OTHER)
    store.add([from_arxiv(), from_daily(), published])
    one, other = store.paper("2401.00001"), store.paper("10.1000/acl.1")
    number = store.merge("2401.00001", "10.1000/acl.1", "seen by eye")
    merged = store.paper("10.1000/acl.1")
    assert (merged.key, merged.title, merged.venue) == (one.key, TITLE, "ACL 2024")
    assert store.counts()["papers"] == 1
    [told] = store.merges()
    assert (told.number, told.paper, told.dropped) == (number, "2401.00001", "10.1000/acl.1")
    assert (told.source, told.reason, told.sources) == ("editor", "seen by eye", ("acl",))
    # Both are told again, with news, and a source comes that knew neither.
    store.add([from_daily(upvotes=30, counted="2024-02-01"), replace(published, venue="ACL 2024 main")])
    store.add(
        [Record("", "crossref", identifiers=ids("doi:10.1000/acl.1"), citations=7, counted="2024-09-01")]
    )
    store.add(
        [Record("", "openalex", identifiers=ids("arxiv:2401.00001"), citations=2, counted="2024-09-01")]
    )
    assert store.split("10.1000/acl.1") == ("2401.00001", "10.1000/acl.1")
    back = store.paper("10.1000/acl.1")
    assert the_rest(back) == replace(the_rest(other), venue="ACL 2024 main", citations=7)
    assert back.key == other.key
    first = store.paper("2401.00001")
    assert replace(first, upvotes=one.upvotes) == replace(one, citations=2)
    assert first.upvotes == 30
    assert [event.kind for event in store.events(0, 10)] == ["merged", "split", "split"]
    assert store.merges("2401.00001") == []
    assert store.merges()[0].undone
    changed = {change.key: change.kind for change in store.changes(0, 10)}
    assert changed == {one.key: "changed", other.key: "changed"}


def test_a_split_pair_stays_apart_when_its_sources_tell_again(store: Store) -> None:
    def tell_all() -> None:
        store.add([from_arxiv(), from_acl(), from_bibtex()])

    tell_all()
    assert store.counts()["papers"] == 1
    joined = store.merges("2401.00001")
    assert [merge.sources for merge in joined] == [("bibtex",), ("acl",)]
    assert {merge.reason for merge in joined} == {"title, and authors or abstract"}
    kept, taken = store.split("2401.00001", merge=joined[0].number)
    assert (kept, store.paper(taken).title) == (
        "2401.00001",
        "{Pigeons} of a Town and the Colour of their Wings",
    )
    seq = store.last_change()
    tell_all()
    assert store.counts()["papers"] == 2
    assert store.last_change() == seq
    # Not even a record that has identifiers of both brings them together.
    store.add([from_bibtex(identifiers=ids("doi:10.1000/bib"))])
    assert store.paper("10.1000/bib").id == "10.1000/bib"
    store.add([from_acl(source="openalex", identifiers=ids("arxiv:2401.00001", "doi:10.1000/bib"))])
    assert store.counts()["papers"] == 2
    # Only the editor does.
    store.merge("2401.00001", "10.1000/bib")
    assert store.counts()["papers"] == 1


def test_a_source_with_a_wrong_identifier_is_taken_out_and_stays_out(store: Store) -> None:
    wrong = Record(
        "On the hunger of gulls", "openreview", identifiers=ids("openreview:gulls00001", "arxiv:2401.00001"),
        abstract=OTHER, authors=[Author("Cy Gull")],
    )  # fmt: skip
    store.add([from_arxiv(), replace(wrong)])
    assert store.counts()["papers"] == 1
    kept, taken = store.split("2401.00001", source="openreview")
    assert (kept, taken) == ("2401.00001", "gulls00001")
    store.add([replace(wrong, ai_keywords=["gulls"]), from_arxiv()])
    assert store.counts()["papers"] == 2
    assert store.paper("gulls00001").ai_keywords == ["gulls"]
    assert store.paper("2401.00001").ai_keywords == []
    # Where nothing but the shared identifier is known of it, it gets a name of its title.
    store.add([from_daily(title="Gulls of a harbour", authors=[Author("Cy Gull")])])
    kept, taken = store.split("2401.00001", source="daily_papers")
    assert kept == "2401.00001"
    assert taken.startswith("title-")
    store.add([from_daily(title="Gulls of a harbour", authors=[Author("Cy Gull")], upvotes=99)])
    assert store.paper(taken).upvotes == 99
    assert store.paper("2401.00001").upvotes is None


def test_papers_that_an_import_brought_together_are_logged_and_can_be_parted(store: Store) -> None:
    both = from_acl(source="openalex", identifiers=ids("arxiv:2401.00001", "doi:10.1000/acl.1"))
    # First in two imports, where the papers are stored, then in one.
    store.add([from_acl(abstract=None, identifiers=ids("doi:10.1000/acl.1"), authors=[Author("Ada Dove")])])
    store.add([from_arxiv(authors=[])])
    assert store.counts()["papers"] == 2
    before = [the_rest(store.paper(name)) for name in ("2401.00001", "10.1000/acl.1")]
    store.add([replace(both)])
    assert store.counts()["papers"] == 1
    [merge] = store.merges("10.1000/acl.1")
    assert (merge.source, merge.dropped) == ("openalex", "10.1000/acl.1")
    store.split("10.1000/acl.1")
    assert the_rest(store.paper("10.1000/acl.1")) == before[1]
    assert store.paper("2401.00001").title == before[0].title
    assert store.add([replace(both)]).new == 0
    assert store.counts()["papers"] == 2


def test_two_new_papers_and_the_record_that_joins_them_may_come_in_one_import(store: Store) -> None:
    records = [
        from_acl(abstract=None, identifiers=ids("doi:10.1000/acl.1")),
        from_arxiv(authors=[]),
        from_acl(source="openalex", identifiers=ids("arxiv:2401.00001", "doi:10.1000/acl.1")),
    ]
    store.add(records)
    assert store.counts()["papers"] == 1
    assert store.paper("10.1000/acl.1").id == "2401.00001"


def test_merges_of_merged_papers_are_undone_one_by_one(store: Store) -> None:
    third = from_bibtex(title="Wings", identifiers=ids("doi:10.1000/wings"))
    store.add([from_arxiv(), from_acl(title="Roofs", abstract=OTHER), third])
    before = [store.paper(name) for name in ("2401.00001", "10.1000/acl.1", "10.1000/wings")]
    store.merge("10.1000/acl.1", "10.1000/wings")
    store.merge("2401.00001", "10.1000/acl.1")
    assert [merge.dropped for merge in store.merges("2401.00001")] == ["10.1000/acl.1", "10.1000/wings"]
    store.split("10.1000/wings")
    assert store.paper("10.1000/wings") == before[2]
    store.split("10.1000/acl.1")
    assert [store.paper(name) for name in ("2401.00001", "10.1000/acl.1", "10.1000/wings")] == before
    # And the other way round: the last first, with what it had taken in before.
    store.merge("10.1000/acl.1", "10.1000/wings")
    store.merge("2401.00001", "10.1000/acl.1")
    store.split("2401.00001")
    assert store.paper("10.1000/wings").id == "10.1000/acl.1"
    assert store.paper("2401.00001") == before[0]
    store.split("10.1000/wings")
    assert [store.paper(name) for name in ("2401.00001", "10.1000/acl.1", "10.1000/wings")] == before


def test_what_cannot_be_merged_or_split_says_why(store: Store) -> None:
    store.add([from_arxiv(), from_acl(title="Roofs", abstract=OTHER)])
    with pytest.raises(StoreError, match="no stored paper"):
        store.merge("2401.00001", "2401.77777")
    with pytest.raises(StoreError, match="one paper already"):
        store.merge("2401.00001", "https://arxiv.org/abs/2401.00001")
    with pytest.raises(StoreError, match=r"nothing was merged.*arxiv"):
        store.split("2401.00001")
    with pytest.raises(StoreError, match="cannot be taken apart"):
        store.split("2401.00001", source="arxiv")
    store.merge("2401.00001", "2024.acl-main.1")
    with pytest.raises(StoreError, match="merge 9 is none"):
        store.split("2401.00001", merge=9)
    with pytest.raises(StoreError, match="are one paper"):
        store.keep_apart("2401.00001", "2024.acl-main.1")
    assert store.counts()["papers"] == 1


def test_conflicts_are_listed_until_an_editor_decides(store: Store) -> None:
    store.add(
        [from_arxiv(), from_acl(title="Lattices of rank eight", abstract=OTHER, authors=[Author("L. Even")])]
    )
    # One record with the identifiers of both, one title with two arXiv ids, one with other authors.
    store.add([from_daily(identifiers=ids("arxiv:2401.00001", "doi:10.1000/acl.1"), where="day 3")])
    store.add([from_arxiv(identifiers=ids("arxiv:2402.00002"))])
    store.add([from_bibtex(identifiers=ids("doi:10.1000/other"), authors=[Author("Cy Gull")])])
    # A bibliography that gives a wrong identifier is not believed.
    store.add([from_bibtex(title="Gulls", identifiers=ids("arxiv:2402.00002"), authors=[Author("Cy Gull")])])
    found = {conflict.kind: conflict for conflict in store.conflicts()}
    assert set(found) == {"identifiers", "twins", "title", "identifier"}
    assert {found["identifiers"].one[0], found["identifiers"].other[0]} == {"2401.00001", "10.1000/acl.1"}
    assert (found["identifiers"].source, found["identifiers"].where) == ("daily_papers", "day 3")
    assert {found["twins"].one[0], found["twins"].other[0]} == {"2401.00001", "2402.00002"}
    assert store.paper("2402.00002").title == TITLE
    assert [paper.title for paper in store.papers(store.keys_with_title("Gulls"))] == ["Gulls"]
    assert store.papers(store.keys_with_title("Gulls"))[0].id.startswith("title-")
    total = len(store.conflicts())
    store.merge("2401.00001", "2402.00002")
    assert "twins" not in {conflict.kind for conflict in store.conflicts()}
    store.keep_apart("2401.00001", "10.1000/acl.1")
    assert "identifiers" not in {conflict.kind for conflict in store.conflicts()}
    assert len(store.conflicts(1)) == 1 < total
