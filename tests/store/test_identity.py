"""Which records are one paper, and which never are."""

from __future__ import annotations

import pytest

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Listing, Record
from broadsheet.store import Store

ABSTRACT = (
    "We sort the pigeons of a town by the colour of their wings and count how often each colour returns "
    "to the same roof. Over three winters the grey ones came home most faithfully, and a simple model of "
    "wind and hunger explains nine tenths of the differences between roofs."
)
OTHER = (
    "A proof is given that every even lattice of rank eight and determinant one is isometric to the root "
    "lattice, by counting short vectors with a theta series instead of the usual neighbour method."
)


def record(title: str, *ids: tuple[str, str], source: str = "jsonlines", **fields: object) -> Record:
    authors = [Author(name) for name in fields.pop("authors", ())]
    return Record(
        title=title, source=source, identifiers=[Identifier(*i) for i in ids], authors=authors, **fields
    )


def add(store: Store, *records: Record) -> dict[str, int]:
    report = store.add(records)
    assert not report.rejected
    return {"new": report.new, "updated": report.updated, "unchanged": report.unchanged}


def test_every_written_form_of_an_arxiv_id_finds_the_paper(store: Store) -> None:
    add(
        store,
        record("Pigeons of a town", ("arxiv", "hep-th/9901001")),
        record("Roofs", ("arxiv", "2407.21783")),
    )
    for form in (
        "2407.21783", "2407.21783v3", "arXiv:2407.21783", "arxiv:2407.21783v1 [cs.AI]",
        "https://arxiv.org/abs/2407.21783v2", "http://arxiv.org/pdf/2407.21783v1.pdf",
        "10.48550/arXiv.2407.21783", "https://doi.org/10.48550/arxiv.2407.21783",
        "https://huggingface.co/papers/2407.21783", "arxiv.org/abs/2407.21783",
    ):  # fmt: skip
        assert store.paper(form).title == "Roofs", form
    for form in ("hep-th/9901001", "hep-th/9901001v2", "https://arxiv.org/abs/hep-th/9901001"):
        assert store.paper(form).title == "Pigeons of a town", form
    assert store.paper("2407.00000") is None
    assert store.paper("no id at all") is None


def test_a_paper_without_id_joins_its_identified_self_and_its_old_name_still_leads_to_it(
    store: Store,
) -> None:
    add(store, record("Pigeons of a Town", abstract=ABSTRACT))
    [old] = store.recent(5)
    assert old.id.startswith("title-")
    again = record(
        "Pigeons of a town", ("arxiv", "2401.00001"), source="arxiv", abstract=ABSTRACT + " Extended."
    )
    assert add(store, again) == {"new": 0, "updated": 1, "unchanged": 0}
    paper = store.paper(old.id)
    assert paper.id == "2401.00001"
    assert store.counts()["papers"] == 1
    assert paper.key == old.key


def test_an_identified_paper_takes_in_a_later_record_without_id(store: Store) -> None:
    add(store, record("Pigeons of a town", ("doi", "10.1000/xyz"), authors=["Ada Dove", "Bo Roof"]))
    outcome = add(store, record("PIGEONS of a town", authors=["Dove, Ada", "Roof, Bo"], abstract=ABSTRACT))
    assert outcome == {"new": 0, "updated": 1, "unchanged": 0}
    assert store.paper("10.1000/XYZ").abstract == ABSTRACT


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (record("Pigeons", ("arxiv", "2401.00001")), record("Pigeons", ("arxiv", "2401.00002"))),
        (record("Pigeons", abstract=ABSTRACT), record("Pigeons", abstract=OTHER)),
        (record("Pigeons", ("arxiv", "2401.00001"), abstract=ABSTRACT), record("Pigeons", abstract=OTHER)),
        (record("Pigeons", authors=["Ada Dove"]), record("Pigeons", authors=["Carl Crow"])),
        (record("Pigeons, Part I", abstract=ABSTRACT), record("Pigeons, Part II", abstract=ABSTRACT)),
        (record("PEPSI", abstract=ABSTRACT), record("PEPSI++", abstract=ABSTRACT)),
        (record("Pigeons", ("arxiv", "2401.00001")), record("Pigeons")),
        (
            record("Pigeons", ("doi", "10.1/a"), abstract=ABSTRACT),
            record("Pigeons", ("doi", "10.1/b"), abstract=ABSTRACT),
        ),
        (
            record("Report of the task", authors=["Ada Dove"], abstract=ABSTRACT),
            record("Report of the task", authors=["Ada Dove"], abstract=OTHER),
        ),
        (
            record("Editorial", authors=["Ada Dove"]),
            record("Editorial", ("doi", "10.1/b"), authors=["Ada Dove"], source="ris"),
        ),
        (
            record("Pigeons", ("doi", "10.1/a"), authors=["Ada Dove"], abstract=ABSTRACT),
            record("Erratum: Pigeons", ("doi", "10.1/a"), authors=["Ada Dove"], abstract=ABSTRACT),
        ),
        (
            record("Pigeons", ("arxiv", "2401.00001"), authors=["Ada Dove"], source="arxiv"),
            record("On lattices", ("arxiv", "2401.00001"), authors=["L. Even"], source="bibtex"),
        ),
    ],
    ids=["two arXiv ids", "two abstracts", "abstract against id", "two authors", "parts", "plus signs",
         "title alone", "two DOIs", "same authors, two abstracts", "a title that many have",
         "an erratum with the id of the paper", "a wrong id"],
)  # fmt: skip
def test_two_different_papers_never_merge(store: Store, first: Record, second: Record) -> None:
    add(store, first, second)
    assert store.counts()["papers"] == 2
    # Neither do they when they come one import after the other, or again.
    assert add(store, second)["new"] == 0
    assert add(store, first)["new"] == 0
    assert store.counts()["papers"] == 2


def test_a_title_alone_is_the_same_paper_when_it_comes_again(store: Store) -> None:
    add(store, record("Pigeons of a town"))
    assert add(store, record("Pigeons of a town")) == {"new": 0, "updated": 0, "unchanged": 1}


def test_a_record_with_two_ids_brings_two_papers_together(store: Store) -> None:
    listing = Listing("daily_papers", "2026-05-29", 1, "daily_papers", 12)
    add(
        store,
        record("Pigeons of a town", ("doi", "10.1000/xyz"), authors=["Ada Dove"], listings=[listing]),
        record("Pigeons of a town", ("arxiv", "2401.00001"), abstract=ABSTRACT),
    )
    assert store.counts()["papers"] == 2
    before = store.last_change()
    # It names both and agrees with each: with the one in its authors, with the other in its abstract.
    ids = [("arxiv", "2401.00001"), ("doi", "10.1000/xyz")]
    add(store, record("Pigeons of a town", *ids, authors=["Ada Dove"], abstract=ABSTRACT))
    assert store.counts()["papers"] == 1
    paper = store.paper("10.1000/xyz")
    assert paper.id == "2401.00001"
    assert [entry.day for entry in paper.listings] == ["2026-05-29"]
    kinds = [change.kind for change in store.changes(before, 10)]
    assert "removed" in kinds


def test_an_id_that_belongs_to_another_paper_does_not_mix_the_two(store: Store) -> None:
    add(
        store,
        record("Pigeons of a town", ("arxiv", "2401.00001"), abstract=ABSTRACT),
        record("Lattices", ("doi", "10.1000/lattice"), abstract=OTHER),
    )
    add(
        store,
        record("Pigeons of a town", ("arxiv", "2401.00001"), ("doi", "10.1000/lattice"), abstract=ABSTRACT),
    )
    assert store.paper("10.1000/lattice").title == "Lattices"
    assert store.paper("2401.00001").title == "Pigeons of a town"


def test_one_batch_and_many_imports_give_the_same_papers(store: Store) -> None:
    records = [
        record("Pigeons of a town", abstract=ABSTRACT),
        record("Pigeons of a town", ("arxiv", "2401.00001"), abstract=ABSTRACT),
        record("Lattices", ("acl", "P18-1001"), abstract=OTHER),
        record("Lattices", abstract=OTHER),
    ]
    for one in records:
        add(store, one)
    assert store.counts()["papers"] == 2
    assert add(store, *records) == {"new": 0, "updated": 0, "unchanged": 4}


def test_a_preprint_renamed_for_publication_is_joined_by_a_record_that_names_both(store: Store) -> None:
    names = ["Ada Dove", "Bo Roof"]
    preprint = record("Doves", ("arxiv", "2401.00001"), source="arxiv", abstract=ABSTRACT, authors=names)
    printed = record(
        "Pigeons of a town", ("doi", "10.1000/a"), source="crossref", abstract=ABSTRACT, authors=names
    )
    add(store, preprint, printed)
    assert store.counts()["papers"] == 2
    both = [("arxiv", "2401.00001"), ("doi", "10.1000/a")]
    add(store, record("", *both, source="openalex"))
    assert store.counts()["papers"] == 1
    assert store.paper("10.1000/a").title == "Doves"


def test_the_preprint_server_adds_the_doi_of_the_journal_to_a_stored_preprint(store: Store) -> None:
    preprint, journal = ("doi", "10.1101/2026.01.02.123456"), ("doi", "10.1371/journal.pone.0099999")
    add(store, record("Pigeons of a town", preprint, source="biorxiv", abstract=ABSTRACT))
    # Somebody's file that claims the same is not believed; nor is a server that names the new one alone.
    add(store, record("Pigeons of a town", preprint, journal, source="bibtex", abstract=ABSTRACT))
    assert store.paper(journal[1]) is None
    told = record("Pigeons of a town", preprint, journal, source="biorxiv", abstract=ABSTRACT)
    assert add(store, told) == {"new": 0, "updated": 1, "unchanged": 0}
    assert store.paper(journal[1]).id == store.paper(preprint[1]).id == preprint[1]
    # What publishers and readers tell of the article is of the same paper now.
    add(store, record("Pigeons of a town", journal, source="crossref", venue="PLOS ONE"))
    assert store.paper(preprint[1]).venue == "PLOS ONE"


def test_a_doi_of_another_paper_is_not_taken_over(store: Store) -> None:
    preprint, journal = ("doi", "10.1101/2026.01.02.123456"), ("doi", "10.1371/journal.pone.0099999")
    add(store, record("Pigeons of a town", preprint, source="biorxiv", abstract=ABSTRACT))
    add(store, record("Lattices of rank eight", journal, source="crossref", abstract=OTHER))
    add(store, record("Pigeons of a town", preprint, journal, source="biorxiv", abstract=ABSTRACT))
    assert store.paper(journal[1]).title == "Lattices of rank eight"
    assert store.paper(preprint[1]).title == "Pigeons of a town"


@pytest.mark.parametrize("title", ["Doves, Part II", "Erratum: Doves", "Doves 2024"])
def test_parts_and_errata_are_not_joined_by_a_record_that_names_both(store: Store, title: str) -> None:
    fields = {"abstract": ABSTRACT, "authors": ["Ada Dove", "Bo Roof"]}
    add(
        store,
        record("Doves", ("arxiv", "2401.00001"), **fields),
        record(title, ("doi", "10.1000/a"), **fields),
    )
    add(store, record("", ("arxiv", "2401.00001"), ("doi", "10.1000/a"), source="openalex"))
    assert store.counts()["papers"] == 2
    assert store.conflicts()[0].kind == "identifiers"
