"""The search page: what it shows of an answer, and where its links lead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import lxml.html
import pytest
from fastapi.testclient import TestClient

from broadsheet.model.papers import Author, Link, Paper
from broadsheet.search.answers import Hit
from broadsheet.web.app import create_app
from broadsheet.web.highlight import wanted
from broadsheet.web.pages.search import result
from broadsheet.web.render import environment
from broadsheet.workspace import Workspace
from tests.web import search_home as known
from tests.web.html import Element, select, texts


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = known.opened(tmp_path_factory.mktemp("search") / "home")
    yield workspace
    workspace.close()


@pytest.fixture(scope="module")
def client(workspace: Workspace) -> TestClient:
    # Nothing runs in the background: what is indexed stays as it is.
    return TestClient(create_app(workspace))


def searched(client: TestClient, q: str, **more: str) -> Element:
    answer = client.get("/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text[:500]
    return lxml.html.document_fromstring(answer.text)


def found(page: Element) -> list[str]:
    """Ids of the results, in their order."""
    return [link.get("href").removeprefix("/papers/") for link in select(page, "article.result h2 > a")]


def links(page: Element, label: str) -> dict[str, tuple[str, bool]]:
    """The links of the part called ``label``: text -> (query that it leads to, whether it is chosen)."""
    [part] = [one for one in select(page, ".narrow section") if texts(one, "h2") == [label]]
    return {
        one.text_content(): (query_of(one), one.get("aria-current") == "true") for one in select(part, "a")
    }


def query_of(link: Element) -> str:
    return parse_qs(urlsplit(link.get("href")).query)["q"][0]


# -- narrowing


def test_facets_are_links_that_narrow_and_widen_again(client: TestClient) -> None:
    page = searched(client, "storks")
    categories = links(page, "Category")
    assert categories["cs.CL"] == ("storks cat:cs.CL", False)
    assert links(page, "Venue")["Proceedings of Ringing"][0] == 'storks venue:"Proceedings of Ringing"'
    assert links(page, "With")["code"] == ("storks has:code", False)
    assert links(page, "Year")["2024"] == ("storks year:2024", False)
    narrowed = searched(client, categories["cs.CL"][0])
    assert found(narrowed) == [known.LETTERS]
    assert links(narrowed, "Category")["cs.CL"] == ("storks", True)


def test_the_counts_of_facets_are_those_of_the_papers_found(client: TestClient) -> None:
    page = searched(client, "cat:cs.CV")
    [counts] = [one for one in select(page, ".narrow section") if texts(one, "h2") == ["Year"]]
    assert texts(counts, "li") == ["2026 3", "2024 1"]


def test_every_restriction_is_told_in_words_and_can_be_removed(client: TestClient) -> None:
    page = searched(client, 'title:storks author:lovelace -bread cat:cs.CV year:2026 "in a hot-air balloon"')
    chips = {
        text.removesuffix(", remove"): link
        for link, text in zip(select(page, ".chosen a"), texts(page, ".chosen a"), strict=True)
    }
    assert list(chips) == [
        "“storks” in the title",
        "with “in a hot-air balloon”",
        "by lovelace",
        "without “bread”",
        "in cs.CV",
        "2026",
    ]
    without_author = query_of(chips["by lovelace"])
    assert "author" not in without_author
    assert "-bread" in without_author and "cat:cs.CV" in without_author and "year:2026" in without_author
    # The words of a phrase stay when it need not be one.
    assert "in a hot-air balloon" in query_of(chips["with “in a hot-air balloon”"])


def test_order_and_time_are_choices_that_are_seen(client: TestClient) -> None:
    page = searched(client, "storks")
    assert [name for name, (_, chosen) in links(page, "Order").items() if chosen] == ["Best first"]
    assert [name for name, (_, chosen) in links(page, "Time").items() if chosen] == ["Any time"]
    votes = searched(client, links(page, "Order")["Most voted"][0])
    assert found(votes)[0] == known.FORMULA
    assert links(votes, "Order")["Most voted"][1]
    this_year = links(page, "Time")["This year"][0]
    assert this_year == f"storks year:{datetime.now(UTC).year}"
    assert links(searched(client, this_year), "Time")["This year"][1]


def test_the_last_30_days_stay_the_last_30_days(client: TestClient) -> None:
    query = links(searched(client, "storks cat:cs.CV"), "Time")["Last 30 days"][0]
    assert query == "storks cat:cs.CV after:30d"
    page = searched(client, query)
    # What it leads to counts from today, too, not from the day on which the page was made.
    assert links(page, "Time")["Last 30 days"] == (query, True)
    assert links(page, "Order")["Newest"][0] == f"{query} sort:date"
    assert links(page, "Category")["cs.CV"] == ("storks after:30d", True)


def test_a_time_that_was_typed_stands_among_the_choices(client: TestClient) -> None:
    assert links(searched(client, "storks year:2023-2025"), "Time")["2023 to 2025"][1]


def test_the_address_of_a_search_holds_all_of_it(client: TestClient) -> None:
    query = "storks cat:cs.CV sort:date"
    page = searched(client, query)
    assert select(page, "#q")[0].get("value") == query
    assert (
        select(page, "link[rel=canonical]")[0]
        .get("href")
        .endswith("/search?q=storks+cat%3Acs.CV+sort%3Adate")
    )
    assert "/api/search?q=storks" in select(page, "link[type='application/json']")[0].get("href")


# -- why


def test_matched_words_are_marked_joined_names_and_small_words_between_included(client: TestClient) -> None:
    assert "LLaVA-NeXT" in texts(searched(client, "llavanext"), "h2 mark")
    assert "Attention is all bread" in texts(searched(client, "attention is all bread wants"), "h2 mark")
    assert "hot-air balloon" in texts(searched(client, '"hot-air balloon"'), ".text mark")


def test_the_author_that_was_asked_for_is_marked(client: TestClient) -> None:
    page = searched(client, "storks author:etxeberria")
    assert found(page) == [known.FORMULA]
    assert texts(page, ".byline mark") == ["Etxeberria"]


def test_words_are_marked_beside_formulas_which_stay_rendered(client: TestClient) -> None:
    page = searched(client, "gliding stork energy")
    [result] = [
        one for one in select(page, "article.result") if known.FORMULA in select(one, "h2 > a")[0].get("href")
    ]
    assert select(result, "h2 math") and select(result, ".text math")
    assert {"gliding stork", "energy"} <= set(texts(result, ".text mark"))
    assert not select(result, "math mark")


def test_the_excerpt_holds_the_sentence_that_answers_and_marks_it(client: TestClient) -> None:
    page = searched(client, "do their wings get tired over cold water?")
    result = select(page, "article.result")[0]
    assert texts(result, "em.nearest") == [known.ANSWER]
    assert texts(result, ".text")[0].startswith("… ")
    assert "We followed them" not in texts(result, ".text")[0]


def test_the_shares_of_words_and_meaning_are_drawn_and_told(client: TestClient) -> None:
    result = select(searched(client, "storks from balloons in autumn"), "article.result")[0]
    words, meaning = (float(one.get("width")) for one in select(result, ".bar rect"))
    assert words > 0 and meaning > 0 and words + meaning <= 48.1
    assert " of words and " in texts(result, ".reason")[0]


def test_near_copies_stand_folded_behind_the_first(client: TestClient) -> None:
    page = searched(client, "storks photographed from hot-air balloons")
    shown = set(found(page))
    assert len(shown & {known.STORKS, known.COPY}) == 1
    [behind] = {known.STORKS, known.COPY} - shown
    assert texts(page, "details.alike summary") == ["and 1 much like it"]
    assert select(page, "details.alike a")[0].get("href") == f"/papers/{behind}"


# -- nothing, too much, misspelled


def test_an_empty_answer_offers_the_search_without_restrictions(client: TestClient) -> None:
    page = searched(client, "storks author:nobody year:1950")
    assert texts(page, "h1")[0].startswith("Nothing found")
    offered = {
        text: query_of(link)
        for link in select(page, ".remedies a")
        for text in [link.text_content()]
        if "q=" in link.get("href")
    }
    assert offered == {"Search for the words alone": "storks"}


def test_a_misspelled_word_is_offered_as_it_is_usually_written(client: TestClient) -> None:
    page = searched(client, "red lantrens")
    assert [query_of(link) for link in select(page, ".meant a")] == ["red lanterns"]


def test_what_was_not_understood_is_told(client: TestClient) -> None:
    assert "year:soon" in " ".join(texts(searched(client, "storks year:soon"), ".note"))


def test_a_query_that_is_too_long_is_cut_with_a_note(client: TestClient) -> None:
    page = searched(client, "storks " * 2_000)
    assert "the first 10,000 were searched for" in " ".join(texts(page, ".note"))
    assert found(page)


def test_a_whole_abstract_as_query_does_not_make_a_page_heavy(client: TestClient) -> None:
    answer = client.get("/search", params={"q": known.STORKS_TEXT * 4})
    assert len(answer.content) < 60_000


@pytest.fixture(scope="module")
def marsh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A site of 45 papers with long texts that one query finds."""
    subjects = ("heron", "bittern", "rail", "crane", "swift", "owl", "wren", "finch", "plover", "godwit")
    papers = [
        known.record(
            f"2605.{50_000 + 10 * i + j}",
            f"The {bird} and the {other} share a marsh in winter and in summer, seen from a quiet boat",
            f"We watch every {bird} for {i + 3} weeks. " * 20 + f"Then the {other} comes back. " * 10,
            f"20{10 + i}-05-20T08:00:00Z",
            categories=[f"cs.{bird[:2].upper()}", f"cs.{other[:2].upper()}"],
            venue=f"Proceedings of the International Meeting on every {bird}",
            authors=[Author(f"A. Rather Longname-{n}") for n in range(30)],
        )
        for i, bird in enumerate(subjects)
        for j, other in enumerate(subjects)
        if bird < other
    ]
    workspace = known.opened(tmp_path_factory.mktemp("many") / "home", papers)
    yield TestClient(create_app(workspace))
    workspace.close()


def test_twenty_results_weigh_less_than_60_kilobytes(marsh: TestClient) -> None:
    answer = marsh.get("/search", params={"q": "marsh in winter", "n": "20"})
    assert answer.text.count("<article") == 20
    assert len(answer.content) < 60_000


def test_a_page_has_ten_results_or_as_many_as_are_asked_for(marsh: TestClient) -> None:
    ten, twenty, fifty = (found(searched(marsh, "marsh in winter", n=n)) for n in ("", "20", "50"))
    assert (len(ten), len(twenty)) == (10, 20)
    assert len(set(fifty)) == len(fifty) > 20
    assert fifty[:10] == ten
    assert fifty == twenty + found(searched(marsh, "marsh in winter", n="20", p="1"))


def test_every_link_of_a_page_keeps_its_size(marsh: TestClient) -> None:
    page = searched(marsh, "marsh in winter venue:meeting", n="20")
    sections = {select(one, "h2")[0].text: select(one, "a") for one in select(page, ".narrow section")}
    assert {"Order", "Time", "Year", "Category"} < set(sections)
    sizes = {link.text: sizes_of(link) for link in sections.pop("Results")}
    assert sizes == {"10 a page": [], "20 a page": ["20"], "50 a page": ["50"]}
    assert all(sizes_of(link) == ["20"] for links in sections.values() for link in links)
    assert [sizes_of(link) for link in select(page, ".chosen a, a[rel=next]")] == [["20"], ["20"]]
    assert not any(map(sizes_of, select(searched(marsh, "marsh in winter"), ".narrow a")[:5]))
    [meant] = select(searched(marsh, "marhs in winter", n="20"), ".meant a")
    assert sizes_of(meant) == ["20"]


def sizes_of(link: Element) -> list[str]:
    return parse_qs(urlsplit(link.get("href")).query).get("n", [])


def test_a_size_that_no_page_has_is_told(marsh: TestClient) -> None:
    for size in ("7", "1000", "-20", "020", "ten", "\u0662\u0660"):
        answer = marsh.get("/search", params={"q": "marsh", "n": size})
        assert answer.status_code == 400
        assert "10, 20 or 50" in answer.text


def test_a_page_shows_the_query_that_was_answered_not_the_one_that_was_typed(client: TestClient) -> None:
    page = searched(client, '"rings of storks that no abstract has" cat:cs.CL')
    assert "No paper has that phrase" in texts(page, ".note")[0]
    assert [text.removesuffix(", remove") for text in texts(page, ".chosen a")] == ["in cs.CL"]
    assert texts(page, "article.result mark")


def test_a_query_without_letters_has_a_page_that_says_so(client: TestClient) -> None:
    page = searched(client, "-- !?")
    assert not found(page)
    assert "neither letters nor digits" in texts(page, ".note")[0]


def test_nothing_that_a_paper_or_query_says_becomes_an_element(client: TestClient) -> None:
    hostile = '<script>x</script> "><img src=x> & storks <b>'
    page = searched(client, hostile)
    assert not select(page, "main img") and not select(page, "main b")
    assert len(select(page, "script")) == len(select(searched(client, "storks"), "script"))


def test_nothing_in_a_result_becomes_an_element() -> None:
    hostile = """<b>storks</b> "><b>' & <!-- """
    paper = Paper(
        1,
        hostile,
        f"{hostile} $x<b>y$",
        f"We watch the storks of all countries: {hostile}. We watch them for a whole year: {hostile}.",
        authors=[Author(hostile)],
        venue=hostile,
        links=[Link("code", f"https://example.org/{hostile}")],
    )
    for hit in (Hit(1, 0.5, 0.2, 0.3, "words and meaning", sentence=2), Hit(1, 0.5, None, None, "title")):
        for one in (result(paper, hit, wanted("storks")), result(paper, hit)):
            template = environment().get_template("_result.html")
            page = lxml.html.document_fromstring(template.render(results=[one], more_text="More"))
            assert not select(page, "b")
            assert texts(page, ".byline") == [hostile.strip()]
            assert select(page, ".unapi-id")[0].get("title") == hostile
            assert select(page, ".facts a")[0].get("href") == f"https://example.org/{hostile}"
            assert hostile.strip() in texts(page, ".text")[0]


def test_the_help_has_examples_that_search(client: TestClient) -> None:
    page = searched(client, "")
    examples = select(page, "table a")
    assert len(examples) >= 10
    for example in examples:
        assert client.get(example.get("href")).status_code == 200
    assert select(page, "a[href='/similar']")


def test_old_and_new_days_are_told_apart(client: TestClient) -> None:
    long_ago = datetime.now(UTC).date() - timedelta(30)
    page = searched(client, f"storks after:{long_ago}")
    assert links(page, "Time")["Last 30 days"][1]


# -- similar to several


def test_papers_like_several_leave_these_out(client: TestClient) -> None:
    ids = f"{known.LETTERS},{known.FORMULA}"
    page = lxml.html.document_fromstring(client.get("/similar", params={"ids": ids}).text)
    assert found(page)
    assert not {known.LETTERS, known.FORMULA} & set(found(page))
    # Each leads to the same question with it among those that are known.
    more = parse_qs(urlsplit(select(page, "article.result .reason a")[0].get("href")).query)["ids"][0]
    assert more == f"{ids},{found(page)[0]}"


def test_an_id_with_a_slash_or_one_that_is_not_known_is_understood(client: TestClient) -> None:
    page = lxml.html.document_fromstring(client.get("/similar", params={"ids": f"{known.OLD}, none"}).text)
    assert found(page)
    assert texts(page, ".note") == ["No paper here is called none."]
    assert select(page, f"a[href='/papers/{known.OLD}']")


def test_without_ids_the_page_asks_for_them(client: TestClient) -> None:
    page = lxml.html.document_fromstring(client.get("/similar").text)
    assert select(page, "form input[name=ids]")
    assert not found(page)
