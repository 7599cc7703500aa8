"""The pages over HTTP: a real server process over a home whose papers are known."""

from __future__ import annotations

import http.client
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import httpx
import lxml.html
import pytest
from fastapi.testclient import TestClient

from broadsheet.store import Store
from broadsheet.web.app import create_app
from broadsheet.workspace import Workspace
from tests.web import pages_home as known
from tests.web.html import select, texts
from tests.web.server import Server, filled_server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with filled_server(tmp_path_factory.mktemp("pages") / "home", known.fill) as started:
        wait_until_found(started, "marsh birds calls", known.LEAD)
        yield started


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def wait_until_found(server: Server, query: str, paper: str) -> None:
    """Returns once the search finds ``paper``: the index follows the store in the background."""
    for _ in range(300):
        if f"/papers/{paper}" in httpx.get(f"{server.url}/search", params={"q": query}, timeout=30).text:
            return
        time.sleep(0.1)
    raise AssertionError(f"{paper} is not found by {query!r}")


def tree(response: httpx.Response, status: int = 200) -> lxml.html.HtmlElement:
    assert response.status_code == status, response.text[:500]
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return lxml.html.document_fromstring(response.text)


def titles(page: lxml.html.HtmlElement) -> list[str]:
    """The headlines of a page, in the order in which they stand."""
    return [link.text_content() for link in select(page, "article h2 > a, article h3 > a")]


# -- front pages


def test_the_front_page_is_the_latest_day_most_upvoted_first_then_by_place(site: httpx.Client) -> None:
    page = tree(site.get("/"))
    assert texts(page, "h1") == ["Friday, 29 May 2026"]
    shown = titles(page)
    assert shown[0].startswith("Marsh birds")
    assert [title.split()[0] for title in shown[1:6]] == ["An", "Hostile", "A", "Many", "Plain"]
    assert shown[5:8] == [f"Plain paper number {n} about gardens" for n in (39, 0, 1)]
    assert len(shown) == 30


def test_the_lead_tells_more_than_the_briefs(site: httpx.Client) -> None:
    page = tree(site.get("/"))
    lead = select(page, "article.lead")
    assert len(lead) == 1
    assert texts(lead[0], ".standfirst") == ["Recorders in reed beds count birds that nobody sees."]
    assert "stood in the water" in lead[0].text_content()
    assert texts(lead[0], ".facts > *")[:3] == ["90 upvotes", "4 comments", "Code, 1 star"]
    assert texts(lead[0], ".byline") == ["By Ada Lovelace and Emmy Noether"]
    assert not select(page, "article.brief .text")


def test_the_front_page_weighs_less_than_100_kb(site: httpx.Client) -> None:
    page = tree(site.get("/"))
    parts = (
        ["/"]
        + [e.get("href") for e in select(page, "link[rel=stylesheet]")]
        + [e.get("src") for e in select(page, "script")]
    )
    assert len(parts) == 4
    assert sum(len(site.get(part).content) for part in parts) < 100_000


@pytest.mark.parametrize("path", ["/", "/papers", f"/papers/date/{known.LATEST}"])
def test_pages_of_one_edition_follow_each_other(site: httpx.Client, path: str) -> None:
    first = tree(site.get(path))
    (following,) = select(first, ".pager a[rel=next]")
    second = tree(site.get(following.get("href")))
    assert not set(titles(first)) & set(titles(second))
    assert len(titles(first)) + len(titles(second)) == known.ON_LATEST
    assert not select(second, "article.lead, .pager a[rel=next]")
    back = select(second, ".pager a[rel=prev]")[0].get("href")
    assert titles(tree(site.get(back))) == titles(first)


def test_editions_lead_to_their_neighbours_that_have_papers(site: httpx.Client) -> None:
    page = tree(site.get(f"/papers/date/{known.WEDNESDAY}"))
    assert select(page, ".turn a[rel=prev]")[0].get("href") == f"/papers/date/{known.FRIDAY_BEFORE}"
    assert select(page, ".turn a[rel=next]")[0].get("href") == f"/papers/date/{known.LATEST}"
    oldest = tree(site.get(f"/papers/date/{known.FRIDAY_BEFORE}"))
    assert not select(oldest, ".turn a[rel=prev]")


def test_weeks_and_months_hold_their_days_and_say_when_each_paper_stood(site: httpx.Client) -> None:
    week = tree(site.get("/papers/week/2026-W22"))
    assert "48 papers" in texts(week, ".turn p")[0] or "47 papers" in texts(week, ".turn p")[0]
    assert "29 May" in texts(week, "article.lead .facts a")
    assert select(week, ".turn a[rel=prev]")[0].get("href") == "/papers/week/2026-W21"
    month = tree(site.get("/papers/month/2026-05?p=1"))
    assert "Strings before the turn of the century" in titles(month)
    for latest, name in (("week", "2026-W22"), ("month", "2026-05")):
        assert titles(tree(site.get(f"/papers/{latest}/latest"))) == titles(
            tree(site.get(f"/papers/{latest}/{name}"))
        )


def test_a_weekend_leads_to_the_edition_before_it_with_a_note(site: httpx.Client) -> None:
    answer = site.get("/papers/date/2026-05-24")
    assert answer.status_code == 302
    page = tree(site.get(answer.headers["location"]))
    assert texts(page, "h1") == ["Friday, 22 May 2026"]
    assert texts(page, ".note[role=note]") == [
        "No papers were listed on Sunday, 24 May 2026. This is the edition before it."
    ]
    assert select(page, "link[rel=canonical]")[0].get("href").endswith("/papers/date/2026-05-22")


def test_a_day_to_come_leads_to_the_latest(site: httpx.Client) -> None:
    page = tree(site.get("/papers/date/2026-06-05", follow_redirects=True))
    assert texts(page, "h1") == ["Friday, 29 May 2026"]


def test_before_the_first_edition_the_first_is_named(site: httpx.Client) -> None:
    page = tree(site.get("/papers/date/2020-01-01"), 404)
    assert "begin on Friday, 22 May 2026" in page.text_content()
    assert f"/papers/date/{known.FRIDAY_BEFORE}" in [link.get("href") for link in select(page, "main a")]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/papers/date/2025-13-40", "YYYY-MM-DD"),
        ("/papers/date/yesterday", "YYYY-MM-DD"),
        ("/papers/date/0000-01-01", "YYYY-MM-DD"),
        ("/papers/date/9999-01-01", "1665"),
        ("/papers/week/2026-W54", "YYYY-Www"),
        ("/papers/week/2026-22", "YYYY-Www"),
        ("/papers/month/2026-13", "YYYY-MM"),
    ],
)
def test_a_wrong_date_is_answered_with_the_right_form(site: httpx.Client, path: str, form: str) -> None:
    page = tree(site.get(path), 400)
    assert form in select(page, "main")[0].text_content()
    assert select(page, ".nameplate")


@pytest.mark.parametrize("p", ["-1", "x", "1.5", "99999999999999999999", "%C2%B2"])
@pytest.mark.parametrize("path", ["/", "/papers/trending", "/search?q=birds"])
def test_a_wrong_page_number_is_refused(site: httpx.Client, path: str, p: str) -> None:
    tree(site.get(path + ("&" if "?" in path else "?") + f"p={p}"), 400)


def test_past_the_last_page_leads_back_to_the_first(site: httpx.Client) -> None:
    page = tree(site.get("/papers/date/2026-05-29?p=7"), 404)
    assert "/papers/date/2026-05-29" in [link.get("href") for link in select(page, "main a")]


def test_another_list_of_the_day_is_named_and_can_be_read(site: httpx.Client) -> None:
    page = tree(site.get("/"))
    (link,) = [link for link in select(page, ".note a") if "arXiv (3)" in link.text_content()]
    listed = tree(site.get(link.get("href")))
    assert titles(listed) == [f"Announced paper {n}" for n in range(3)]
    tree(site.get("/?list=nonsense"), 404)


def test_trending_shows_its_arithmetic(site: httpx.Client) -> None:
    page = tree(site.get("/papers/trending"))
    assert titles(page)[0].startswith("Marsh birds")
    assert "90 upvotes + 2 x 3 comments after the first = 96 points" in texts(page, "article.lead .reason")[0]


def test_a_front_page_is_not_sent_twice_and_changes_when_papers_come(tmp_path: Path) -> None:
    known.fill(tmp_path / "home")
    with running_server(tmp_path / "home") as server:
        first = httpx.get(server.url)
        again = httpx.get(server.url, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        store = Store.open(f"sqlite:///{tmp_path / 'home' / 'broadsheet.db'}")
        store.add([known.record("2605.55555", "Stop press", "News.", known.LATEST, 1, 500)])
        store.close()
        changed = httpx.get(server.url, headers={"If-None-Match": first.headers["etag"]})
        assert titles(tree(changed))[0] == "Stop press"


# -- papers


def test_a_paper_page_tells_all_that_is_known(site: httpx.Client) -> None:
    page = tree(site.get(f"/papers/{known.LEAD}"))
    main = " ".join(select(page, "main")[0].text_content().split())
    for told in (
        "Marsh birds",
        "By Ada Lovelace, Emmy Noether",
        "29 May 2026",
        "90 upvotes",
        "4 comments",
        "Recorders in reed beds",
        "stood in the water",
        "Accepted at the Symposium",
        "v1",
        "v2",
        "q-bio.PE, cs.SD",
        "Daily Papers, place 9, 90 upvotes then",
        "example/night-calls",
        "1 star",
        "example/rail",
    ):
        assert told in main, told
    hrefs = {link.get("href") for link in select(page, "aside a")}
    assert {
        f"https://arxiv.org/abs/{known.LEAD}",
        f"https://arxiv.org/pdf/{known.LEAD}",
        "https://github.com/example/night-calls",
        "https://example.github.io/night-calls",
        "https://huggingface.co/example/rail",
        f"/papers/date/{known.LATEST}",
    } <= hrefs
    assert select(page, ".similar article h3 a")


def test_the_summary_stands_in_for_an_unknown_abstract(site: httpx.Client) -> None:
    page = tree(site.get(f"/papers/{known.BARE}"))
    assert texts(page, ".standfirst") == ["One sentence stands in for the abstract."]
    assert "not known here yet" in page.text_content()


def test_many_authors_are_folded_but_all_there(site: httpx.Client) -> None:
    page = tree(site.get(f"/papers/{known.CROWD}"))
    assert texts(page, "details.byline summary") == ["and 875 more authors"]
    assert len(select(page, "meta[name=citation_author]")) == 900


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (f"{known.LEAD}v2", known.LEAD),
        (f"arXiv:{known.LEAD}", known.LEAD),
        (f"https://arxiv.org/abs/{known.LEAD}v1", known.LEAD),
        (f"https://huggingface.co/papers/{known.LEAD}", known.LEAD),
        (f"arxiv.org/pdf/{known.LEAD}.pdf", known.LEAD),
        (f"10.48550/arXiv.{known.LEAD}", known.LEAD),
        ("HEP-TH/9901001", known.OLD),
        ("https://doi.org/10.1162/COLI.2010.36.2.36203", known.DOI),
        (known.DOI.upper(), known.DOI),
        (f"{known.LEAD}v1.md", f"{known.LEAD}.md"),
    ],
)
def test_every_written_form_of_an_id_leads_to_the_paper(
    site: httpx.Client, written: str, canonical: str
) -> None:
    for path in (f"/papers/{written}", f"/papers/{quote(written, safe='')}"):
        answer = site.get(path)
        assert answer.status_code in (301, 302)
        assert answer.headers["location"] == f"/papers/{canonical}"


@pytest.mark.parametrize("paper", [known.LEAD, known.OLD, known.DOI])
def test_a_paper_has_its_other_forms(site: httpx.Client, paper: str) -> None:
    page = tree(site.get(f"/papers/{paper}"))
    alternates = [link.get("href") for link in select(page, "link[rel=alternate]")]
    forms = [href for href in alternates if not href.startswith("/feeds/")]
    assert len(forms) == 5
    assert alternates != forms
    for href in alternates:
        answer = site.get(href)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "attachment" in site.get(f"/papers/{paper}.bib").headers["content-disposition"]


def test_markdown_comes_by_address_and_by_asking(site: httpx.Client) -> None:
    by_address = site.get(f"/papers/{known.MATH}.md")
    by_asking = site.get(f"/papers/{known.MATH}", headers={"Accept": "text/markdown, text/html;q=0.5"})
    assert by_address.text == by_asking.text
    assert by_address.headers["content-type"] == "text/markdown; charset=utf-8"
    assert r"$\sum_{i=1}^{n} x_i^2" in by_address.text
    assert "Accept" in by_asking.headers["vary"]


def test_reference_managers_find_what_they_look_for(site: httpx.Client) -> None:
    page = tree(site.get(f"/papers/{known.LEAD}"))
    tags = {meta.get("name"): meta.get("content") for meta in select(page, "meta[name^=citation]")}
    assert tags["citation_title"] == "Marsh birds are counted by their calls at night"
    assert tags["citation_publication_date"] == "2026/05/29"
    assert tags["citation_pdf_url"] == f"https://arxiv.org/pdf/{known.LEAD}"
    assert tags["citation_doi"] == f"10.48550/arXiv.{known.LEAD}"
    assert [m.get("content") for m in select(page, "meta[name=citation_author]")] == [
        "Ada Lovelace",
        "Emmy Noether",
    ]
    # unAPI: the page names the id, the server the forms, and gives each.
    (abbr,) = select(page, "article.paper abbr.unapi-id")
    forms = ElementTree.fromstring(site.get("/unapi", params={"id": abbr.get("title")}).text)
    for form in forms:
        answer = site.get("/unapi", params={"id": abbr.get("title"), "format": form.get("name")})
        assert answer.status_code == 200
        assert "Marsh" in answer.text


def test_formulas_are_mathml_with_their_source_and_prices_are_prices(site: httpx.Client) -> None:
    text = site.get(f"/papers/{known.MATH}").text
    page = lxml.html.document_fromstring(text)
    assert select(page, "h1 math annotation")[0].text == r"O(n \log n)"
    assert select(page, "h1")[0].text_content().endswith("bound for Poincaré maps")
    assert "<munderover>" in text or "<msubsup>" in text
    assert "ℝ" in text
    assert "It costs $5 or $6 and 45% less. A <em>lone</em> formula" in text
    assert r'<code class="tex">\undefined{x}</code>' in text
    assert select(page, "title")[0].text.startswith("An O(n log n) bound for Poincaré maps")


# -- search


def test_a_search_keeps_its_query_and_says_why_each_paper_is_there(site: httpx.Client) -> None:
    page = tree(site.get("/search", params={"q": "birds that call at night"}))
    assert select(page, "#q")[0].get("value") == "birds that call at night"
    assert titles(page)[0].startswith("Marsh birds")
    assert re.match(r"\d+ papers? for “birds that call at night”", texts(page, "h1")[0])
    assert " ms" in texts(page, ".note")[0]
    assert texts(page, "article.result .reason")[0].startswith("Matched by")
    assert "calls at night" in texts(page, "article.result mark")


def test_search_results_have_pages_with_stable_addresses(site: httpx.Client) -> None:
    first = tree(site.get("/search", params={"q": "year:2026"}))
    second = tree(site.get(select(first, ".pager a[rel=next]")[0].get("href")))
    assert len(titles(first)) == 10
    assert titles(second) and not set(titles(first)) & set(titles(second))
    same = tree(site.get("/papers", params={"q": "year:2026"}))
    assert titles(same) == titles(first)
    assert select(same, "link[rel=canonical]")[0].get("href").endswith("/search?q=year%3A2026")


def test_an_index_that_is_behind_does_not_look_like_nothing_found(tmp_path: Path) -> None:
    known.fill(tmp_path / "home")
    workspace = Workspace.open(tmp_path / "home")
    try:
        # No job follows the papers here.
        with TestClient(create_app(workspace)) as client:
            page = lxml.html.document_fromstring(client.get("/search", params={"q": "marsh birds"}).text)
        assert "behind the papers and catching up" in texts(page, ".note")[-1]
    finally:
        workspace.close()


def test_a_site_without_papers_says_how_to_add_some(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "home")
    try:
        with TestClient(create_app(workspace)) as client:
            for path in ("/", "/papers/trending", "/papers/week/latest"):
                answer = client.get(path)
                assert answer.status_code == 200
                assert "yet" in answer.text
            assert "broadsheet add" in client.get("/").text
            assert client.get("/papers/date/2026-05-29").status_code == 404
            for path in ("/about", "/sitemap.xml", "/search?q=birds", "/readyz"):
                assert client.get(path).status_code == 200
    finally:
        workspace.close()


@pytest.mark.parametrize(
    "query", ["", "   ", "?!…", '"', "AND OR (", "title:", "*", "\x00", "a:b^c~d", "-", "𝒳"]
)
def test_no_query_breaks_the_search_page(site: httpx.Client, query: str) -> None:
    page = tree(site.get("/search", params={"q": query}))
    assert select(page, "h1")


def test_a_query_that_is_too_long_is_searched_for_in_part_and_says_so(site: httpx.Client) -> None:
    page = tree(site.get("/search", params={"q": "long " * 3_000}))
    assert "the first 10,000 were searched for" in page.text_content()
    # Where this is more than the server reads of an address at all, it says so and goes on.
    connection = http.client.HTTPConnection("127.0.0.1", site.base_url.port, timeout=30)
    connection.request("GET", "/search?q=" + "a" * 100_000)
    assert connection.getresponse().status in (200, 400, 414, 431)
    connection.close()
    assert site.get("/healthz").status_code == 200


# -- errors


def test_an_unknown_paper_suggests_the_nearest(site: httpx.Client) -> None:
    page = tree(site.get("/papers/marsh-birds-counted-by-calls"), 404)
    assert titles(page)[0].startswith("Marsh birds")
    assert select(page, ".nameplate a[href='/']")
    unknown = tree(site.get("/papers/2301.99999"), 404)
    assert "https://arxiv.org/abs/2301.99999" in [link.get("href") for link in select(unknown, "main a")]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/papers/",
        "/papers/%00",
        "/papers/..%2f..%2fetc%2fpasswd",
        "/papers/" + "x" * 3_000,
        "/static/x/..%2fapp.py",
        "/papers/%ff%fe",
        "/papers/https://",
        "/papers/http://[",
        "/papers/.md",
        "/sitemap/nonsense.xml",
        "/papers/date/",
    ],
)
def test_no_address_breaks_the_site(site: httpx.Client, path: str) -> None:
    answer = site.get(path)
    assert 300 <= answer.status_code < 500
    assert "Traceback" not in answer.text


def test_a_slash_at_the_end_is_forgiven(site: httpx.Client) -> None:
    for path in (f"/papers/{known.LEAD}", f"/papers/{known.OLD}", f"/papers/date/{known.LATEST}", "/papers"):
        assert site.get(f"{path}/").headers["location"] == path


def test_a_forged_host_stays_text(server: Server) -> None:
    for host in ('evil"><script>alert(1)</script>', "a b", "[", "[::1", "x:99999999", ""):
        connection = http.client.HTTPConnection(
            httpx.URL(server.url).host, httpx.URL(server.url).port, timeout=30
        )
        connection.putrequest("GET", "/", skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status < 500, host
        assert b"<script>alert" not in body


def test_pages_are_for_reading(site: httpx.Client) -> None:
    assert site.post("/").status_code == 405
    assert "GET" in site.post("/").headers["allow"]
    assert site.head("/").status_code == 200
    assert site.head("/").content == b""


def test_a_broken_database_is_a_page_without_traceback(tmp_path: Path) -> None:
    known.fill(tmp_path / "home")
    with running_server(tmp_path / "home") as server:
        assert httpx.get(server.url).status_code == 200
        with sqlite3.connect(tmp_path / "home" / "broadsheet.db") as database:
            database.execute("DROP TABLE listings")
        answer = httpx.get(f"{server.url}/papers/date/{known.WEDNESDAY}")
        page = tree(answer, 500)
        assert select(page, ".nameplate")
        assert "no such table" not in answer.text and "Traceback" not in answer.text
        assert answer.headers["content-security-policy"]
        assert "no such table" in server.output()


# -- safety


PAGES = [
    "/",
    f"/papers/{known.HOSTILE}",
    "/papers/trending",
    "/search?q=hostile",
    "/about",
    "/papers/%3Cscript%3Ealert(1)%3C/script%3E",
    "/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "/?list=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_that_papers_or_readers_write_becomes_an_element(site: httpx.Client, path: str) -> None:
    answer = site.get(path)
    page = lxml.html.document_fromstring(answer.text)
    assert [
        script.get("src")
        for script in page.iter("script")
        if not (script.get("src") or "").startswith("/static/")
    ] == []
    assert not select(page, "img, iframe, object, embed, base")
    # The site's own: how much words and meaning gave a score.
    assert {svg.get("class") for svg in select(page, "svg")} <= {"bar"}
    for element in page.iter():
        if isinstance(element.tag, str):
            assert not [name for name in element.attrib if name.lower().startswith("on") or name == "style"]
            for name in ("href", "src", "action"):
                assert not element.get(name, "").strip().lower().startswith(("javascript:", "data:"))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_hostile_markdown_and_citations_stay_text(site: httpx.Client) -> None:
    markdown = site.get(f"/papers/{known.HOSTILE}.md")
    assert "<script" not in markdown.text.split("## BibTeX")[0]
    for suffix in (".md", ".bib", ".ris", ".csl.json"):
        answer = site.get(f"/papers/{known.HOSTILE}{suffix}")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "html" not in answer.headers["content-type"]


# -- what programs ask for


def test_static_files_are_kept_for_ever_under_a_hashed_address(site: httpx.Client) -> None:
    page = tree(site.get("/"))
    href = select(page, "link[rel=stylesheet]")[0].get("href")
    assert "immutable" in site.get(href).headers["cache-control"]
    assert (
        site.get(re.sub(r"/static/\w+/", "/static/000000000000/", href)).headers["cache-control"]
        == "no-cache"
    )


def test_crawlers_and_browsers_get_what_they_ask_for(server: Server, site: httpx.Client) -> None:
    assert f"Sitemap: {server.url}/sitemap.xml" in site.get("/robots.txt").text
    index = ElementTree.fromstring(site.get("/sitemap.xml").text)
    addresses = [element.text or "" for element in index.iter() if element.tag.endswith("loc")]
    assert addresses == [f"{server.url}/sitemap/2026-05.xml"]
    month = ElementTree.fromstring(site.get(addresses[0]).text)
    listed = [element.text for element in month.iter() if element.tag.endswith("loc")]
    assert (
        f"{server.url}/papers/{known.OLD}" in listed and f"{server.url}/papers/date/{known.LATEST}" in listed
    )
    search = ElementTree.fromstring(site.get("/opensearch.xml").text)
    template = next(e for e in search.iter() if e.tag.endswith("Url")).get("template") or ""
    assert site.get(template.replace("{searchTerms}", "birds")).status_code == 200
    assert site.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    assert site.get("/healthz").json() == {"status": "ok"}
    assert site.get("/readyz").json()["status"] == "ok"
    assert set(site.get("/api/openapi.json").json()["paths"]) and not [
        path for path in site.get("/api/openapi.json").json()["paths"] if not path.startswith("/api/")
    ]


def test_pages_are_compressed(site: httpx.Client) -> None:
    assert site.get("/", headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_the_about_page_counts_and_explains(site: httpx.Client) -> None:
    page = tree(site.get("/about"))
    text = " ".join(page.text_content().split())
    assert f"{len(known.records())} papers" in text
    assert texts(page, "tbody tr th")[0] == "Daily Papers"
    assert texts(page, "tbody tr td")[:4] == ["22 May 2026", "29 May 2026", "3", "48"]
    assert "most upvotes first" in text and "to the power of 1.5" in text


def test_addresses_are_absolute_under_the_public_address(tmp_path: Path) -> None:
    known.fill(tmp_path / "home")
    with running_server(
        tmp_path / "home",
        env={"BROADSHEET_BASE_URL": "https://papers.example.org", "BROADSHEET_SITE_NAME": "The <Reed>"},
    ) as server:
        answer = httpx.get(server.url)
        page = tree(answer)
        assert select(page, "link[rel=canonical]")[0].get("href") == "https://papers.example.org/"
        assert select(page, "meta[property='og:url']")[0].get("content") == "https://papers.example.org/"
        assert texts(page, ".nameplate") == ["The <Reed>"]
