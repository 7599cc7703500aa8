"""An arXiv of our own on loopback: OAI-PMH with tokens, feeds of the day and the API, and faults on demand.

archive = Archive([Paper("2611.00001", "Sparse gates", [("2026-11-16T12:00:00Z")])])
with archive.playing() as service:
    ArxivSource(["cs.LG"], **archive.addresses(service), service=QUICK)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlencode
from xml.sax.saxutils import escape

from tests.sources.playing_service import Answer, Asked, Playing, playing_service

XML = {"Content-Type": "text/xml; charset=utf-8"}
HTML_PAGE = Answer(
    body=b"<!DOCTYPE html><html><head><title>arXiv is being mended</title></head><body>Soon.</body></html>",
    headers={"Content-Type": "text/html"},
)
CAPTCHA = Answer(
    body=b"<html><body><form>Please solve this reCAPTCHA to go on</form></body></html>",
    headers={"Content-Type": "text/html"},
)


@dataclass
class Paper:
    """A paper of the playing arXiv; ``dates`` are those of its versions, ``stamp`` its datestamp."""

    id: str
    title: str
    dates: list[str]
    stamp: str = ""
    categories: str = "cs.LG"
    comment: str = ""
    deleted: bool = False
    # For the OAI-PMH record only: what is put in place of the record.
    raw: str = ""

    @property
    def datestamp(self) -> str:
        return self.stamp or self.dates[-1][:10]

    @property
    def sets(self) -> list[str]:
        return [
            ":".join(filter(None, (name.split(".")[0], name.split(".")[0], name.partition(".")[2])))
            for name in self.categories.split()
        ]


# What the fault does with a request, by the number of requests of that kind so far (from 1); None: nothing.
Fault = Callable[[Asked, int], Answer | None]


@dataclass
class Archive:
    """The papers of a playing arXiv, its clock, and how much a page holds."""

    papers: list[Paper]
    now: str = "2026-11-18T04:00:00Z"
    page: int = 2
    # "new": the whole question in the token, nothing after the last page but an empty token;
    # "old": ID|OFFSET with the size of the list, not in the order of the datestamps.
    tokens: str = "new"
    # The feed of each category: its day and (type, id, version) of its items.
    feeds: dict[str, tuple[str, list[tuple[str, str, int]]]] = field(default_factory=dict)
    oai_fault: Fault | None = None
    feed_fault: Fault | None = None
    api_fault: Fault | None = None
    # Papers that OAI-PMH does not give, though they are there.
    withheld: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def playing(self) -> Iterator[Playing]:
        with playing_service(self.answer) as service:
            yield service

    @staticmethod
    def addresses(service: Playing) -> dict[str, str]:
        return {
            "oai_url": f"{service.url}/oai",
            "feed_url": f"{service.url}/rss",
            "api_url": f"{service.url}/api/query",
        }

    def answer(self, asked: Asked) -> Answer:
        kind = "oai" if asked.path == "/oai" else "feed" if asked.path.startswith("/rss/") else "api"
        self.counts[kind] = self.counts.get(kind, 0) + 1
        fault = {"oai": self.oai_fault, "feed": self.feed_fault, "api": self.api_fault}[kind]
        answer = fault(asked, self.counts[kind]) if fault else None
        return answer or getattr(self, f"_{kind}")(asked)

    # -- OAI-PMH

    def _oai(self, asked: Asked) -> Answer:
        query = {name: values[0] for name, values in asked.query.items()}
        skip = 0
        if token := query.pop("resumptionToken", ""):
            if self.tokens == "old":
                token = token.replace("|", "&skip=")
            query = {name: values[0] for name, values in parse_qs(token).items()}
            if "skip" not in query:
                return self.oai_error("badResumptionToken", "Token decoding failed or format is invalid.")
            skip = int(query.pop("skip"))
        return self.oai_page(query, skip)

    def oai_page(self, query: dict[str, str], skip: int, now: str = "") -> Answer:
        """The page of ``query`` after ``skip`` records."""
        found = [
            paper
            for paper in self.papers
            if query["set"] in paper.sets
            and paper.datestamp >= query.get("from", "")
            and paper.id not in self.withheld
        ]
        if self.tokens == "new":
            found.sort(key=lambda paper: (paper.datestamp, paper.id))
        shown = found[skip : skip + self.page]
        if not shown:
            return self.oai_error("noRecordsMatch", "No records match the request")
        token = ""
        if len(found) > skip + self.page:
            following = urlencode({**query, "skip": skip + self.page})
            token = escape(following.replace("&skip=", "|") if self.tokens == "old" else following)
        size = f' completeListSize="{len(found)}" cursor="{skip}"' if self.tokens == "old" else ""
        if token:
            told = f'<resumptionToken expirationDate="2026-11-19T00:00:00Z"{size}>{token}</resumptionToken>'
        else:
            told = "<resumptionToken/>" if skip and self.tokens == "new" else ""
        records = "".join(map(oai_record, shown))
        return self.oai_answer(f"<ListRecords>{records}{told}</ListRecords>", now)

    def oai_error(self, code: str, message: str) -> Answer:
        return self.oai_answer(f'<error code="{code}">{message}</error>')

    def oai_answer(self, inner: str, now: str = "") -> Answer:
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
            f"<responseDate>{now or self.now}</responseDate>"
            f'<request verb="ListRecords">x</request>{inner}</OAI-PMH>'
        )
        return Answer(body=body.encode(), headers=XML)

    # -- feeds

    def _feed(self, asked: Asked) -> Answer:
        category = asked.path.rpartition("/")[2]
        day, items = self.feeds.get(category, (self.now[:10], []))
        at = format_datetime(datetime.fromisoformat(f"{day}T00:00:00-05:00"))
        told = "".join(self._item(kind, name, version, at) for kind, name, version in items)
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss xmlns:arxiv="http://arxiv.org/schemas/atom" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>'
            f"<title>{category} updates on arXiv.org</title><link>http://rss.arxiv.org/rss/{category}</link>"
            f"<pubDate>{at}</pubDate><skipDays><day>Sunday</day><day>Saturday</day></skipDays>"
            f"{told}</channel></rss>"
        )
        etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:12]}"'
        if asked.headers.get("if-none-match") == etag:
            return Answer(status=304, body=b"", headers={"ETag": etag})
        return Answer(body=body.encode(), headers={"Content-Type": "application/rss+xml", "ETag": etag})

    def _item(self, kind: str, name: str, version: int, at: str) -> str:
        paper = self.find(name)
        categories = "".join(f"<category>{term}</category>" for term in paper.categories.split())
        return (
            f"<item><title>{escape(paper.title)}</title><link>https://arxiv.org/abs/{name}</link>"
            f"<description>arXiv:{name}v{version} Announce Type: {kind} \nAbstract: {abstract(paper)}"
            f'</description><guid isPermaLink="false">oai:arXiv.org:{name}v{version}</guid>{categories}'
            f"<pubDate>{at}</pubDate><arxiv:announce_type>{kind}</arxiv:announce_type>"
            "<dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>"
            '<dc:creator>Ada Lovelace, Karen Sp\\"arck Jones</dc:creator></item>'
        )

    def find(self, name: str) -> Paper:
        return next(paper for paper in self.papers if paper.id == name)

    # -- the API

    def _api(self, asked: Asked) -> Answer:
        found = [paper for paper in self.papers if paper.id in asked.ids]
        return Answer(
            body=f'<feed xmlns="http://www.w3.org/2005/Atom">{"".join(map(entry, found))}</feed>'.encode()
        )


def abstract(paper: Paper) -> str:
    return f"We tell of {escape(paper.title)} in its version {len(paper.dates)}, and of nothing else at all."


def oai_record(paper: Paper) -> str:
    """``paper`` as ``arXivRaw`` writes it."""
    if paper.raw:
        return paper.raw
    sets = "".join(f"<setSpec>{name}</setSpec>" for name in paper.sets)
    status = ' status="deleted"' if paper.deleted else ""
    header = (
        f"<header{status}><identifier>oai:arXiv.org:{paper.id}</identifier>"
        f"<datestamp>{paper.datestamp}</datestamp>{sets}</header>"
    )
    if paper.deleted:
        return f"<record>{header}</record>\n"
    versions = "".join(
        f'<version version="v{number}"><date>{_rfc(date)}</date><size>9kb</size></version>'
        for number, date in enumerate(paper.dates, start=1)
    )
    comment = f"<comments>{escape(paper.comment)}</comments>" if paper.comment else ""
    return (
        f'<record>{header}<metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{paper.id}</id>'
        f"<submitter>Ada Lovelace</submitter>{versions}<title>{escape(paper.title)}</title>"
        '<authors>Ada Lovelace and Karen Sp\\"arck Jones</authors>'
        f"<categories>{paper.categories}</categories>{comment}"
        "<license>http://creativecommons.org/licenses/by/4.0/</license>"
        f"<abstract>  {abstract(paper)}\n</abstract></arXivRaw></metadata></record>\n"
    )


def entry(paper: Paper) -> str:
    """``paper`` as the API writes it."""
    version = f"v{len(paper.dates)}"
    return (
        f"<entry><id>http://arxiv.org/abs/{paper.id}{version}</id><title>{escape(paper.title)}</title>"
        f"<summary>{abstract(paper)}</summary><published>{paper.dates[0]}</published>"
        f"<updated>{paper.dates[-1]}</updated><author><name>Ada Lovelace</name></author>"
        '<author><name>Karen Sp\\"arck Jones</name></author>'
        + "".join(f'<category term="{term}"/>' for term in paper.categories.split())
        + "</entry>"
    )


def _rfc(date: str) -> str:
    """``2026-11-16T12:00:00Z`` as the dates of versions are written; what is no date stays as it is."""
    try:
        return datetime.fromisoformat(date).strftime("%a, %-d %b %Y %H:%M:%S GMT")
    except ValueError:
        return date
