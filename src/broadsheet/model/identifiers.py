"""Identifiers of papers: recognise every written form, return one canonical form.

Sources: arXiv "Understanding the arXiv identifier" (new and old schemes, versions),
DOI handbook (syntax), ACL Anthology FAQ (old and new ids), OpenReview forum ids, PubMed and PMC ids,
OpenAlex works (``W`` and a number), Semantic Scholar paper ids (40 hex digits) and corpus ids.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from .text import title_key

# The order in which a paper's canonical id is chosen among its identifiers.
SCHEMES = ("arxiv", "doi", "acl", "openreview", "pmid", "pmcid", "openalex", "s2", "title")

_ARXIV_NEW = r"\d{4}\.\d{4,5}"
_ARXIV_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|"
    "cond-mat|cs|dg-ga|econ|eess|funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math|math-ph|mtrl-th|"
    "nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph|q-alg|q-bio|q-fin|quant-ph|solv-int|stat|supr-con"
)
_ARXIV_OLD = rf"(?:{_ARXIV_ARCHIVES})(?:\.[A-Za-z]{{2,5}}(?:-[A-Za-z]{{2,4}})?)?/\d{{7}}"
_ARXIV = re.compile(
    rf"(?:arxiv\s*:\s*)?(?P<id>{_ARXIV_NEW}|{_ARXIV_OLD})(?:v(?P<version>[1-9]\d{{0,2}}))?"
    r"(?:\s*\[[\w.\-]+\])?",
    re.IGNORECASE,
)
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(?P<rest>.+)", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}(?:\.\d{1,9})*/[^\s\x00-\x1f\x7f\ud800-\udfff]+")
_ACL_OLD = re.compile(r"[A-Z]\d{2}-\d{4}")
_ACL_NEW = re.compile(r"\d{4}\.[a-z0-9_]+-[a-z0-9_]+\.\d+")
_OPENREVIEW = re.compile(r"[A-Za-z0-9_\-]{8,14}")
_PMID = re.compile(r"[1-9]\d{0,8}")
_PMCID = re.compile(r"(?:PMC)?([1-9]\d{0,8})(?:\.\d+)?", re.IGNORECASE)
_OPENALEX = re.compile(r"W[1-9]\d{3,10}", re.IGNORECASE)
_S2 = re.compile(r"(?:CorpusId:)?([1-9]\d{0,11})|([0-9a-f]{40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One name of a paper.

    ``scheme`` is one of `SCHEMES`, ``value`` its canonical spelling without version,
    ``version`` the version that was named with it (1, 2, ...), if any.
    """

    scheme: str
    value: str
    version: int | None = None

    @property
    def key(self) -> str:
        """``scheme:value``, unique among all identifiers of all papers."""
        return f"{self.scheme}:{self.value}"

    @classmethod
    def from_key(cls, key: str) -> Identifier:
        scheme, _, value = key.partition(":")
        return cls(scheme, value)


class IdentifierError(ValueError):
    """A text that was given as an identifier is none."""


def arxiv_identifier(text: str) -> Identifier | None:
    """The arXiv identifier that ``text`` wholly is, or None.

    >>> arxiv_identifier("arXiv:math.CA/0611800v2")
    Identifier(scheme='arxiv', value='math/0611800', version=2)
    """
    match = _ARXIV.fullmatch(text.strip())
    if not match:
        return None
    value = match["id"]
    if "/" in value:
        archive, number = value.split("/")
        month = int(number[2:4])
        value = f"{archive.split('.')[0].lower()}/{number}"
    else:
        month = int(value[2:4])
        # The scheme began in April 2007 (and will have to end in 2091, where the old one began).
        # Four digits until 1412, five from 1501 on.
        if not 704 <= int(value[:4]) < 9100 or (len(value) == 10) != (int(value[:4]) >= 1501):
            return None
    if not 1 <= month <= 12:
        return None
    version = match["version"]
    return Identifier("arxiv", value, int(version) if version else None)


def doi_identifier(text: str) -> Identifier | None:
    """The DOI (or the arXiv id that an arXiv DOI stands for) that ``text`` wholly is, or None."""
    text = re.sub(r"^doi\s*:\s*", "", text.strip(), flags=re.IGNORECASE)
    arxiv = _ARXIV_DOI.fullmatch(text)
    if arxiv:
        return arxiv_identifier(arxiv["rest"])
    if not _DOI.fullmatch(text):
        return None
    return Identifier("doi", text.rstrip(".,;").lower())


def acl_identifier(text: str) -> Identifier | None:
    """The ACL Anthology id that ``text`` wholly is, or None."""
    text = text.strip()
    return Identifier("acl", text) if _ACL_OLD.fullmatch(text) or _ACL_NEW.fullmatch(text) else None


def openreview_identifier(text: str) -> Identifier | None:
    """An OpenReview forum id. Only for texts known to be one: the form says nothing by itself."""
    text = text.strip()
    return Identifier("openreview", text) if _OPENREVIEW.fullmatch(text) else None


def pmid_identifier(text: str) -> Identifier | None:
    """The PubMed id that ``text`` wholly is, or None. Only for texts known to be one: it is a number."""
    text = text.strip()
    return Identifier("pmid", text) if _PMID.fullmatch(text) else None


def pmcid_identifier(text: str) -> Identifier | None:
    """The PubMed Central id (``PMC123``; the letters may be missing) that ``text`` wholly is, or None."""
    match = _PMCID.fullmatch(text.strip())
    return Identifier("pmcid", f"PMC{match[1]}") if match else None


def openalex_identifier(text: str) -> Identifier | None:
    """The OpenAlex id of a work (``W2741809807``) that ``text`` wholly is, or None."""
    text = text.strip()
    return Identifier("openalex", text.upper()) if _OPENALEX.fullmatch(text) else None


def s2_identifier(text: str) -> Identifier | None:
    """The Semantic Scholar corpus id or paper id that ``text`` wholly is, or None.

    Only for texts known to be one: a corpus id is a number.
    """
    match = _S2.fullmatch(text.strip())
    return Identifier("s2", match[1] or match[2].lower()) if match else None


def title_identifier(title: str) -> Identifier:
    """The identifier of a paper that no source gives an id: made from its normalised title."""
    digest = hashlib.sha256(title_key(title).encode()).hexdigest()[:16]
    return Identifier("title", f"title-{digest}")


def url_identifier(url: str) -> Identifier | None:
    """The identifier of the paper whose page, PDF or DOI link ``url`` is, or None."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        # No URL at all: brackets that enclose no IPv6 address, and the like.
        return None
    host = (parts.hostname or "").removeprefix("www.")
    path = unquote(parts.path).strip("/")
    if host in ("arxiv.org", "export.arxiv.org") or host.endswith(".arxiv.org"):
        kind, _, rest = path.partition("/")
        if kind in ("abs", "pdf", "html", "ps", "src", "e-print", "format", "list"):
            return arxiv_identifier(rest.removesuffix(".pdf").rstrip("."))
    elif host in ("huggingface.co", "hf.co", "alphaxiv.org", "ar5iv.org", "ar5iv.labs.arxiv.org"):
        rest = path.partition("/")[2]
        return arxiv_identifier(rest.removesuffix(".md").removesuffix(".pdf"))
    elif host in ("doi.org", "dx.doi.org"):
        return doi_identifier(path)
    elif host in ("aclanthology.org", "aclweb.org", "aclanthology.info"):
        name = path.removeprefix("anthology/").removeprefix("papers/").split("/")[-1]
        return acl_identifier(re.sub(r"(v\d+)?\.(pdf|bib|xml)$", "", name))
    elif host in ("openreview.net", "api.openreview.net", "api2.openreview.net"):
        forum = parse_qs(parts.query).get("id") or parse_qs(parts.query).get("forum")
        return openreview_identifier(forum[0]) if forum else None
    elif host == "pubmed.ncbi.nlm.nih.gov":
        return pmid_identifier(path)
    elif host in ("pmc.ncbi.nlm.nih.gov", "ncbi.nlm.nih.gov", "europepmc.org"):
        name = re.search(r"(?:^|/)(PMC\d+)(?:/|$)", path, re.IGNORECASE)
        return pmcid_identifier(name[1]) if name else None
    elif host in ("biorxiv.org", "medrxiv.org"):
        name = re.match(r"content/(10\.\d{4,9}/(?:\d{4}\.\d\d\.\d\d\.)?\d+)(?:v\d+)?(?:\.|/|$)", path)
        return doi_identifier(name[1]) if name else None
    elif host in ("openalex.org", "api.openalex.org"):
        return openalex_identifier(path.split("/")[-1])
    elif host in ("semanticscholar.org", "api.semanticscholar.org"):
        return s2_identifier(path.split("/")[-1]) if path.startswith("paper/") else None
    return None


def find_identifier(text: str) -> Identifier | None:
    """The identifier that ``text`` is, in any written form: id, ``scheme:id``, DOI or URL."""
    text = text.strip().strip("<>")
    if not text or len(text) > 2000 or "\n" in text:
        return None
    if "://" in text:
        return url_identifier(text)
    scheme, _, rest = text.partition(":")
    match scheme.lower():
        case "acl":
            return acl_identifier(rest)
        case "openreview":
            return openreview_identifier(rest)
        case "pmid":
            return pmid_identifier(rest)
        case "pmcid":
            return pmcid_identifier(rest)
        case "openalex":
            return openalex_identifier(rest)
        case "s2" | "corpusid":
            return s2_identifier(rest)
        case "title":
            return Identifier("title", rest.strip()) if rest.strip() else None
    if re.fullmatch(r"title-[0-9a-f]{16}(-\d+)?", text):
        return Identifier("title", text)
    found = arxiv_identifier(text) or doi_identifier(text) or acl_identifier(text)
    if found:
        return found
    if re.fullmatch(r"PMC\d+", text, re.IGNORECASE):
        return pmcid_identifier(text)
    # A URL pasted without its scheme.
    if re.match(r"[\w.-]+\.[a-z]{2,}/", text, re.IGNORECASE):
        return url_identifier("https://" + text)
    return None


def canonical(identifiers: list[Identifier]) -> Identifier:
    """The one of ``identifiers`` (not empty) that names the paper; see `SCHEMES`."""
    return min(identifiers, key=lambda i: SCHEMES.index(i.scheme))
