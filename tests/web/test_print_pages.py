"""Sheets and books over HTTP: a real server process over a home whose papers are known."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import lxml.html
import pytest

from tests.delivery.epub_rules import documents, epub_errors
from tests.web import pages_home as known
from tests.web.html import select
from tests.web.server import Server, filled_server

EDITIONS = ["latest", known.LATEST, known.WEDNESDAY, "2026-W22", "2026-05", "trending", "search"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with filled_server(tmp_path_factory.mktemp("print") / "home", known.fill) as started:
        yield started


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.mark.parametrize("name", EDITIONS)
def test_every_edition_is_there_as_sheet_and_as_book(site: httpx.Client, name: str) -> None:
    query = {"q": "garden roses"} if name == "search" else {}
    sheet = site.get(f"/print/{name}.pdf", params=query)
    assert (sheet.status_code, sheet.headers["content-type"]) == (200, "application/pdf"), sheet.text[:300]
    assert sheet.content.startswith(b"%PDF-")
    assert sheet.headers["content-disposition"] == f'inline; filename="Broadsheet-{name}.pdf"'
    book = site.get(f"/print/{name}.epub", params=query)
    assert (book.status_code, book.headers["content-type"]) == (200, "application/epub+zip")
    assert epub_errors(book.content) == []


def test_a_book_holds_the_papers_of_the_day_in_order_with_their_formulas(site: httpx.Client) -> None:
    found = documents(site.get(f"/print/{known.LATEST}.epub").content)
    front = "".join(found["EPUB/front.xhtml"].itertext())
    assert "Friday, 29 May 2026 · No. 3" in front
    assert len(found) == 2 + known.ON_LATEST
    assert "Marsh birds are counted" in "".join(found["EPUB/paper-001.xhtml"].itertext())
    assert (
        next(found["EPUB/paper-002.xhtml"].iter("{http://www.w3.org/1998/Math/MathML}math"), None) is not None
    )


def test_a_sheet_is_kept_until_something_changes_and_is_not_sent_twice(site: httpx.Client) -> None:
    first = site.get("/print/latest.pdf")
    tag, since = first.headers["etag"], first.headers["last-modified"]
    assert site.get("/print/latest.pdf").content == first.content
    assert site.get("/print/latest.pdf", headers={"If-None-Match": tag}).status_code == 304
    assert site.get("/print/latest.pdf", headers={"If-Modified-Since": since}).status_code == 304
    assert site.get("/print/latest.pdf", params={"paper": "letter"}).headers["etag"] != tag


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/print/latest", 404, "Sheets end in .pdf or .epub"),
        ("/print/.pdf", 404, "Sheets end in .pdf or .epub"),
        ("/print/latest.docx", 404, "Sheets end in .pdf or .epub"),
        ("/print/latest.pdf?paper=a0", 400, "paper=a0 is no size of paper here; write a4 or letter"),
        ("/print/2026-02-30.pdf", 400, "2026-02-30"),
        ("/print/2026-W60.epub", 400, "2026-W60"),
        ("/print/tomorrow.pdf", 400, "tomorrow"),
        ("/print/2001-01-01.pdf", 404, "No papers were listed on Monday, 1 January 2001"),
        ("/print/search.pdf", 400, "needs a query"),
        ("/print/search.epub?q=cat:cs.XX", 404, "Nothing was found"),
        ("/print/search.pdf?q=" + "word+" * 3000, 400, "10,000"),
    ],
)
def test_bad_addresses_say_what_to_write(site: httpx.Client, path: str, status: int, words: str) -> None:
    response = site.get(path)
    text = " ".join(lxml.html.document_fromstring(response.text).text_content().split())
    assert (response.status_code, words in text) == (status, True), text[:600]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/papers/date/{known.WEDNESDAY}",
        "/papers/week/2026-W22",
        "/papers/trending",
        "/search?q=garden+roses",
    ],
)
def test_editions_and_searches_lead_to_their_sheets(site: httpx.Client, path: str) -> None:
    page = lxml.html.document_fromstring(site.get(path).text)
    links = {link.text: link.get("href") for link in select(page, "footer a")}
    for name, media_type in (("Print", "application/pdf"), ("E-reader", "application/epub+zip")):
        assert site.get(links[name]).headers["content-type"] == media_type
    assert site.get(links["Feed"]).status_code == 200


def test_many_who_print_at_once_do_not_keep_readers_from_pages(site: httpx.Client) -> None:
    def printed(number: int) -> int:
        return httpx.get(f"{site.base_url}/print/search.pdf?q=garden+{number}", timeout=60).status_code

    with ThreadPoolExecutor(16) as readers:
        asked = [readers.submit(printed, number) for number in range(16)]
        assert site.get("/healthz").status_code == 200
        statuses = {one.result() for one in asked}
    assert 200 in statuses <= {200, 503}
