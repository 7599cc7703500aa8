"""What pages and documents call identifiers and links, and the links that follow from identifiers."""

from __future__ import annotations

from urllib.parse import quote

from ..model.papers import Link, Paper

SCHEME_NAMES = {
    "arxiv": "arXiv",
    "doi": "DOI",
    "acl": "ACL Anthology",
    "openreview": "OpenReview",
    "pmid": "PubMed",
    "pmcid": "PubMed Central",
    "openalex": "OpenAlex",
    "s2": "Semantic Scholar",
}

# For one link, and for several of a kind; in the order in which they are shown.
KIND_NAMES = {
    "abstract": ("Abstract page", "Abstract page"),
    "pdf": ("PDF", "PDF"),
    "doi": ("Publisher", "Publisher"),
    "code": ("Code", "Code"),
    "project": ("Project page", "Project page"),
    "model": ("Model", "Models"),
    "dataset": ("Data set", "Data sets"),
    "space": ("Space", "Spaces"),
    "video": ("Video", "Videos"),
    "other": ("Also", "Also"),
}


def paper_url(paper_id: str) -> str:
    """The path of the page of the paper ``paper_id`` (slashes of old ids and DOIs stay slashes)."""
    return "/papers/" + quote(paper_id, safe="/:;()@")


def all_links(paper: Paper) -> list[Link]:
    """The links of ``paper``, and of each kind that it lacks the one that follows from its ids."""
    implied = []
    if arxiv := paper.identifier("arxiv"):
        implied.append(Link("abstract", f"https://arxiv.org/abs/{arxiv}", provenance="id"))
        implied.append(Link("pdf", f"https://arxiv.org/pdf/{arxiv}", provenance="id"))
    if doi := paper.identifier("doi"):
        implied.append(Link("doi", f"https://doi.org/{quote(doi, safe='/:;()._-')}", provenance="id"))
    if acl := paper.identifier("acl"):
        implied.append(Link("abstract", f"https://aclanthology.org/{acl}/", provenance="id"))
        implied.append(Link("pdf", f"https://aclanthology.org/{acl}.pdf", provenance="id"))
    if forum := paper.identifier("openreview"):
        implied.append(Link("abstract", f"https://openreview.net/forum?id={forum}", provenance="id"))
    if pmid := paper.identifier("pmid"):
        implied.append(Link("abstract", f"https://pubmed.ncbi.nlm.nih.gov/{quote(pmid)}/", provenance="id"))
    links = list(paper.links)
    kinds = {link.kind for link in links}
    for link in implied:
        if link.kind not in kinds:
            links.append(link)
            kinds.add(link.kind)
    order = list(KIND_NAMES)
    return sorted(links, key=lambda link: order.index(link.kind))
