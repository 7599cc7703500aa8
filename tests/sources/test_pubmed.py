"""PubMed: articles and books into records, and a saved search gathered from playing E-utilities."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from broadsheet.config import Settings
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Record, Rejection
from broadsheet.model.validation import checked
from broadsheet.sources.files import read_file
from broadsheet.sources.http import Client
from broadsheet.sources.mathml import tex_of
from broadsheet.sources.pubmed import fetch
from broadsheet.sources.pubmed.parse import PubmedError, articles, found_ids
from broadsheet.sources.pubmed.source import PubMed, sources
from tests.sources.played_source import FAILURES, FIXTURES, NOW, QUICK, gather, store_all, stored
from tests.sources.playing_service import Answer, Asked, Playing, playing_service

EFETCH = (FIXTURES / "pubmed_efetch.xml").read_bytes()
TODAY, YESTERDAY = "2026-06-12", "2026-06-11"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as opened:
        yield opened


def read(data: bytes) -> list[Record | Rejection]:
    return list(read_file(io.BytesIO(data), name="pubmed.xml"))


# -- articles into records


def test_all_of_an_article_is_read() -> None:
    article = read(EFETCH)[0]
    assert article.title == "Doses of 10⁶ and H2O with $η_{p}^{2}$ in Snail cells"
    assert article.source == "pubmed" and article.where == "pubmed.xml article 1 (PMID 42000001)"
    assert [i.key for i in article.identifiers] == [
        "pmid:42000001",
        "doi:10.1234/invmed.2026.1",
        "pmcid:PMC9000001",
        # Its preprint, but not the former edition of a review.
        "doi:10.1101/2026.01.04.26000001",
    ]
    assert article.abstract == (
        "BACKGROUND: Nobody knew it.\n\nRESULTS: Now they do (P < 10⁻³).\n\n"
        "The data are at https://github.com/example/doses."
    )
    assert [author.name for author in article.authors] == ["Ada B Example Jr", "The Snail Group"]
    assert (article.published, article.venue) == ("2026-06-12", "Invented medicine")
    assert article.categories == ["Snails"]
    assert article.ai_keywords == ["dosage", "Helix cells", "Animals"]
    assert article.references == ["doi:10.1234/older", "pmid:30000002"]
    assert [(link.kind, link.url, link.provenance) for link in article.links] == [
        ("abstract", "https://pubmed.ncbi.nlm.nih.gov/42000001/", "pubmed"),
        ("doi", "https://doi.org/10.1234/InvMed.2026.1", "doi"),
        ("abstract", "https://pmc.ncbi.nlm.nih.gov/articles/PMC9000001/", "pmc"),
        ("doi", "https://doi.org/10.1101/2026.01.04.26000001", "update"),
        ("code", "https://github.com/example/doses", "abstract"),
    ]


def test_a_translated_title_loses_its_brackets_and_a_retraction_is_a_withdrawal() -> None:
    article = read(EFETCH)[1]
    assert article.title == "A work that was written in another language"
    assert [author.name for author in article.authors] == ["H Früher"]
    assert (article.published, article.withdrawn, article.venue) == ("2025-11", "2026-08-01", "Erf Bl")


def test_a_chapter_stands_in_its_book() -> None:
    chapter = read(EFETCH)[2]
    assert (chapter.title, chapter.venue, chapter.published) == ("Their Houses", "The Book of Snails", "2019")
    assert [author.name for author in chapter.authors] == ["Ben Sample"]
    assert "https://www.ncbi.nlm.nih.gov/books/NBK000001/" in [link.url for link in chapter.links]


def test_an_article_without_title_is_rejected_by_its_id() -> None:
    rejection = read(EFETCH)[3]
    assert rejection.where == "pubmed.xml article 4 (PMID 42000003)" and "no title" in rejection.why


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("pubmed_error.xml", "Unable to obtain query #1"),
        ("pubmed_esearch.json", "the answer to a search of PubMed"),
    ],
)
def test_errors_and_searches_are_refused_with_their_reason(name: str, why: str) -> None:
    (rejection,) = read_file(FIXTURES / name)
    assert why in rejection.why


@pytest.mark.parametrize("data", [b"", b"<html><body>Sorry</body></html>", b"\xff\xfe\x00", b"{}"])
def test_what_is_no_answer_of_pubmed_is_refused(data: bytes) -> None:
    with pytest.raises(PubmedError, match="no answer of PubMed"):
        list(articles(data))


def test_a_namespace_that_is_none_breaks_nothing() -> None:
    data = EFETCH.replace(b'xmlns:mml="http://www.w3.org/1998/Math/MathML"', b'xmlns:mml="http://www.}w{3"')
    assert read(data)[0].title.startswith("Doses of 10⁶ and H2O with $η_{p}^{2}$")


def test_the_articles_before_a_damage_are_read() -> None:
    items = read(EFETCH[: EFETCH.index(b"Their Houses")])
    assert [type(item) for item in items] == [Record, Record, Rejection]
    assert "damaged after article 2" in items[2].why


def test_entities_are_neither_resolved_nor_multiplied(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    bomb = "".join(f'<!ENTITY b{i} "{f"&b{i - 1};" * 10}">' for i in range(1, 12))
    head = f'<!DOCTYPE PubmedArticleSet [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY b0 "ha">{bomb}]>'
    body = EFETCH[EFETCH.index(b"<PubmedArticleSet>") :].replace(b"Doses of", b"Doses &x; &b11; of")
    for item in read(head.encode() + body):
        assert "the secret" not in str(item) and "haha" not in str(item)


@pytest.mark.parametrize(
    ("mathml", "tex"),
    [
        ("<msup><mi>x</mi><mn>2</mn></msup>", "x^{2}"),
        ("<mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mi>b</mi></mfrac>", r"\frac{a+1}{b}"),
        ("<mroot><mi>x</mi><mn>3</mn></mroot>", r"\sqrt[3]{x}"),
        ("<msqrt><mi>x</mi><mo>+</mo><mi>y</mi></msqrt>", r"\sqrt{x+y}"),
        ("<mover><mi>v</mi><mo>→</mo></mover>", r"\vec{v}"),
        ("<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover>", "∑_{i}^{n}"),
        ('<mfenced open="[" close=")"><mi>a</mi><mi>b</mi></mfenced>', "[a,b)"),
        ("<mfenced separators=''><mi>a</mi><mi>b</mi></mfenced>", "(ab)"),
        ("<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable>",
         r"\begin{matrix}1 & 2\end{matrix}"),
        ("<mi>sin</mi><mi>x</mi>", r"\mathrm{sin}x"),
        ("<mtext>5% of</mtext>", r"\text{5\% of}"),
        ("<semantics><mi>x</mi><annotation encoding='TeX'>\\xi</annotation></semantics>", r"\xi"),
        ("<infinity/>", r"\infty"),
        ("<msup><mi>x</mi></msup>", "x"),
        ("", ""),
    ],
)  # fmt: skip
def test_formulas_become_tex(mathml: str, tex: str) -> None:
    assert (
        tex_of(etree.fromstring(f"<math xmlns='http://www.w3.org/1998/Math/MathML'>{mathml}</math>")) == tex
    )


RECORDED = {
    "efetch_19129924.xml": 1,
    "efetch_29768149.xml": 1,
    "efetch_mathml.xml": 1,
    "efetch_multi.xml": 5,
    "efetch_pubmed_book.xml": 1,
    "efetch_small.xml": 3,
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_answers_are_read_whole(shared: Path, name: str) -> None:
    items = list(read_file(shared / "data/recorded/pubmed" / name))
    assert len(items) == RECORDED[name]
    for item in items:
        assert isinstance(item, Record)
        checked(item)
        assert item.authors and item.abstract and item.venue and item.published
        schemes = [identifier.scheme for identifier in item.identifiers]
        assert schemes[0] == "pmid" and ("doi" in schemes or name == "efetch_pubmed_book.xml")
        assert not item.title.endswith(".") and "<" not in item.title


def test_every_recorded_answer_is_known_here(shared: Path) -> None:
    known = {*RECORDED, "esearch.json"}
    assert {path.name for path in (shared / "data/recorded/pubmed").iterdir()} == known
    (rejection,) = read_file(shared / "data/recorded/pubmed/esearch.json")
    assert "ids only" in rejection.why
    search = json.loads((shared / "data/recorded/pubmed/esearch.json").read_text())
    assert (found_ids(search).count, len(found_ids(search).ids)) == (42111, 5)


def test_recorded_articles_keep_sections_headings_and_references(shared: Path) -> None:
    folder = shared / "data/recorded/pubmed"
    (asthma,) = read_file(folder / "efetch_29768149.xml")
    assert [part.split(":")[0] for part in asthma.abstract.split("\n\n")] == [
        "BACKGROUND",
        "METHODS",
        "RESULTS",
        "CONCLUSIONS",
    ]
    assert "Asthma" in asthma.categories and "Humans" in asthma.ai_keywords
    (moose,) = read_file(folder / "efetch_19129924.xml")
    assert moose.identifiers[1:] == [
        Identifier("doi", "10.3389/neuro.11.006.2008"),
        Identifier("pmcid", "PMC2614320"),
    ]
    assert len(moose.references) == 11 and moose.published == "2008-12-19"
    (formulas,) = read_file(folder / "efetch_mathml.xml")
    assert r"$y=\sqrt[3]{x^{2}}$" in formulas.abstract
    (book,) = read_file(folder / "efetch_pubmed_book.xml")
    assert book.venue == "Royal College of Physicians (UK)"


# -- gathering


def entrez(told: dict[str, list[str]], unknown: tuple[str, ...] = ()) -> Callable[[Asked], Answer]:
    """ESearch and EFetch with the ids that came on each day; ``unknown`` ones are found and not given."""

    def answer(asked: Asked) -> Answer:
        query = {name: values[0] for name, values in asked.query.items()}
        if asked.path.endswith("/esearch.fcgi"):
            assert query["datetype"] == "edat" and query["mindate"] == query["maxdate"]
            ids = told.get(query["mindate"].replace("/", "-"), [])
            start, most = int(query["retstart"]), int(query["retmax"])
            result = {"count": str(len(ids)), "retstart": str(start), "idlist": ids[start : start + most]}
            return Answer(body=json.dumps({"header": {}, "esearchresult": result}).encode())
        assert asked.path.endswith("/efetch.fcgi") and query["retmode"] == "xml"
        found = "".join(
            f"<PubmedArticle><MedlineCitation><PMID>{pmid}</PMID><Article><ArticleTitle>Article {pmid}."
            "</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
            for pmid in query["id"].split(",")
            if pmid not in unknown
        )
        return Answer(body=f"<PubmedArticleSet>{found}</PubmedArticleSet>".encode())

    return answer


def ids(number: int, start: int = 42_000_000) -> list[str]:
    return [str(start + place) for place in range(number)]


def source(service: Playing, **options: Any) -> PubMed:
    chosen = {"again": 1, "first": 1, "service": QUICK} | options
    return PubMed('snails AND "deep learning"[Title]', service.url + "/entrez/eutils", **chosen)


def searches(service: Playing) -> list[str]:
    return [
        f"{asked.query['mindate'][0]}+{asked.query['retstart'][0]}"
        for asked in service.requests
        if asked.path.endswith("esearch.fcgi")
    ]


def test_a_day_is_searched_and_fetched_in_pages(client: Client, tmp_path: Path) -> None:
    with stored(tmp_path) as store, playing_service(entrez({TODAY: ids(450)})) as service:
        found = gather(source(service, email="ada@example.org"), client)
        store_all(store, "pubmed", found)
        (covered,) = store.coverage(TODAY, TODAY)
    assert searches(service) == ["2026/06/12+0", "2026/06/12+200", "2026/06/12+400"]
    assert [item.listings[0].rank for item in found.records] == [*range(1, 451)]
    assert (covered.list, covered.announced, covered.stored, covered.state) == (
        "pubmed",
        450,
        450,
        "complete",
    )
    asked = service.requests[0].query
    assert asked["term"] == ['snails AND "deep learning"[Title]']
    assert (asked["tool"], asked["email"], "api_key" in asked) == (["broadsheet"], ["ada@example.org"], False)


def test_an_article_that_is_found_and_not_given_is_missing(client: Client, tmp_path: Path) -> None:
    with (
        stored(tmp_path) as store,
        playing_service(entrez({TODAY: ids(3)}, unknown=("42000001",))) as service,
    ):
        store_all(store, "pubmed", gather(source(service), client))
        (covered,) = store.coverage(TODAY, TODAY)
    assert (covered.state, covered.missing) == ("incomplete", ("pmid:42000001",))


def test_a_day_on_which_the_search_finds_nothing_is_complete(client: Client, tmp_path: Path) -> None:
    with stored(tmp_path) as store, playing_service(entrez({})) as service:
        store_all(store, "pubmed", gather(source(service), client))
        (covered,) = store.coverage(TODAY, TODAY)
    assert (covered.announced, covered.stored, covered.state) == (0, 0, "complete")
    assert len(service.requests) == 1


def test_a_killed_run_goes_on_at_the_page_it_was_on(client: Client) -> None:
    told = {YESTERDAY: ids(450), TODAY: ids(2, start=43_000_000)}
    with playing_service(entrez(told)) as service:
        killed = gather(source(service, first=2), client, until=2)
        rest = gather(source(service, first=2), client, killed.cursor)
    assert searches(service) == [*(f"2026/06/11+{start}" for start in (0, 200, 400)), "2026/06/12+0"]
    names = [item.identifiers[0].value for item in killed.records + rest.records]
    assert len(names) == len(set(names)) == 452


def test_a_search_that_finds_too_much_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MOST", 5)
    with playing_service(entrez({TODAY: ids(9)})) as service:
        found = gather(source(service), client)
    assert len(found.records) == 5
    assert found.announced[-1].count == 9 and "narrow the search" in found.announced[-1].reason


@pytest.mark.parametrize("what", FAILURES)
def test_a_page_that_fails_is_told_and_the_pages_before_it_stay(
    client: Client, tmp_path: Path, what: str
) -> None:
    whole = entrez({TODAY: ids(250)})
    with stored(tmp_path) as store, playing_service(whole, whole, FAILURES[what]) as service:
        found = gather(source(service), client)
        store_all(store, "pubmed", found)
        (covered,) = store.coverage(TODAY, TODAY)
    assert found.problem and len(found.records) == 200
    assert (covered.state, covered.announced, covered.stored) == ("incomplete", 250, 200)
    assert covered.reason == str(found.problem)
    with playing_service(whole) as service:
        rest = gather(source(service), client, found.cursor)
    assert searches(service) == ["2026/06/12+200"] and len(rest.records) == 50


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "API rate limit exceeded", "count": "4"}',
        b'{"esearchresult": {"ERROR": "Search Backend failed: truncated"}}',
        b'{"esearchresult": {"count": "1", "idlist": ["1; DROP"]}}',
        b'{"esearchresult": {"count": "many", "idlist": []}}',
        b"[]",
    ],
)
def test_an_error_with_status_200_is_none_of_an_empty_day(client: Client, body: bytes) -> None:
    with playing_service(Answer(body=body)) as service:
        found = gather(source(service), client)
    assert "sent no ids" in str(found.problem)
    assert found.announced[0].state == "failed"


def test_an_error_instead_of_articles_is_told(client: Client) -> None:
    error = Answer(body=(FIXTURES / "pubmed_error.xml").read_bytes())
    with playing_service(entrez({TODAY: ids(3)}), error) as service:
        found = gather(source(service), client)
    assert "Unable to obtain query #1" in str(found.problem) and found.records == []


def test_a_key_goes_to_the_service_and_stands_in_no_message(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with playing_service(Answer(status=500)) as service:
        found = gather(source(service, key="secret-key"), client)
    assert service.requests[0].query["api_key"] == ["secret-key"]
    assert "secret-key" not in f"{found.problem} {found.announced} {caplog.text}"


def test_the_pace_is_that_of_the_key() -> None:
    assert fetch.WITHOUT_KEY.interval >= 1 / 3 and fetch.WITH_KEY.interval >= 0.1
    assert fetch.WITHOUT_KEY.name == fetch.WITH_KEY.name


def test_it_is_a_source_where_a_search_is_saved(tmp_path: Path) -> None:
    assert sources(Settings(home=tmp_path)) == []
    (pubmed,) = sources(Settings(home=tmp_path, pubmed_search="snails[Title]"))
    assert (pubmed.name, pubmed.due(NOW, NOW).hour) == ("pubmed", 8)
