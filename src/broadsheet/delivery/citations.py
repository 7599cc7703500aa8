"""Papers as citations: BibTeX, RIS and CSL-JSON, as reference managers import them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..model.papers import Author, Paper

# Words that begin so many titles that they tell nothing in a key.
_DULL = {
    "a", "an", "the", "on", "in", "of", "for", "and", "to", "from", "with", "towards", "toward",
    "is", "are", "how", "what", "why", "when", "can", "do", "does", "at", "by", "via", "as", "it",
    "its", "we", "you", "your", "all",
}  # fmt: skip


def citation_key(paper: Paper) -> str:
    """A key that a person can read and that stays: family name, year, first telling word of the title.

    >>> citation_key(Paper(1, "2405.15738", "ConvLLaVA", authors=[Author("Chunjiang Ge")], published="2024"))
    'ge2024convllava'
    """
    family = names(paper.authors[0])[0] if paper.authors else ""
    words = [
        folded for word in re.findall(r"[^\W_]+", _without_tex(paper.title)) if (folded := _folded(word))
    ]
    telling = next((word for word in words if word not in _DULL and len(word) > 1), words[0] if words else "")
    return (_folded(family) or "anonymous") + _year(paper) + telling or "paper"


def _folded(text: str) -> str:
    """The ASCII letters and digits of ``text``, in lower case."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if c.isascii() and c.isalnum())


def _without_tex(text: str) -> str:
    return re.sub(r"\\[A-Za-z]+|[\\${}^]", "", text)


def _year(paper: Paper) -> str:
    return (paper.published or paper.first_listed or "")[:4]


_PARTICLES = {
    "von", "van", "de", "der", "den", "del", "della", "di", "da", "dos", "du", "la", "le", "ten",
    "ter", "zu", "zur", "vom", "af", "al", "el", "bin", "ibn",
}  # fmt: skip
_SUFFIXES = {"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"}


def names(author: Author) -> tuple[str, str, str]:
    """(family name with its particles, given names, suffix) of an author written in either order."""
    if "," in author.name:
        parts = [part.strip() for part in author.name.split(",")]
        if len(parts) == 2 and parts[1].casefold() in _SUFFIXES:
            family, given, _ = names(Author(parts[0]))
            return family, given, parts[1]
        return parts[0], parts[-1] if len(parts) > 1 else "", parts[1] if len(parts) > 2 else ""
    words = author.name.split()
    suffix = words.pop() if len(words) > 2 and words[-1].casefold() in _SUFFIXES else ""
    start = len(words) - 1
    while start > 1 and words[start - 1] in _PARTICLES:
        start -= 1
    return " ".join(words[start:]), " ".join(words[:start]), suffix


def _is_group(author: Author) -> bool:
    """Whether the author is a team: its name must not be cut into given and family names."""
    return bool(re.search(r"(?i)\b(team|group|collaboration|consortium|initiative|et al)\b", author.name))


def _published(paper: Paper) -> date | None:
    try:
        return date.fromisoformat((paper.published or paper.first_listed or "")[:10])
    except ValueError:
        return None


def _url(paper: Paper) -> str:
    if arxiv := paper.identifier("arxiv"):
        return f"https://arxiv.org/abs/{arxiv}"
    if doi := paper.identifier("doi"):
        return f"https://doi.org/{doi}"
    if acl := paper.identifier("acl"):
        return f"https://aclanthology.org/{acl}"
    if forum := paper.identifier("openreview"):
        return f"https://openreview.net/forum?id={forum}"
    link = paper.link("abstract") or paper.link("doi") or paper.link("pdf")
    return link.url if link else ""


# -- BibTeX


def bibtex(paper: Paper) -> str:
    """``paper`` as one BibTeX entry, in UTF-8.

    A paper on arXiv carries both spellings of its preprint fields: ``archivePrefix`` for BibTeX
    styles, ``eprinttype`` for biblatex and Zotero.
    """
    published = _published(paper)
    arxiv, doi = paper.identifier("arxiv"), paper.identifier("doi")
    fields: list[tuple[str, str]] = [("title", _braced(paper.title))]
    if paper.authors:
        fields.append(("author", " and ".join(_bibtex_name(author) for author in paper.authors)))
    if published:
        fields += [("year", f"{published.year}"), ("month", f"{published:%b}".lower())]
    kind = "misc"
    if paper.venue:
        kind = (
            "article"
            if re.search(r"(?i)\b(journal|transactions|letters|review|nature|science)\b", paper.venue)
            else "inproceedings"
        )
        fields.append(("journal" if kind == "article" else "booktitle", _escaped(paper.venue)))
    if arxiv:
        fields += [("eprint", arxiv), ("archivePrefix", "arXiv"), ("eprinttype", "arxiv")]
        if paper.categories:
            fields.append(("primaryClass", paper.categories[0]))
    if doi:
        fields.append(("doi", doi))
    if url := _url(paper):
        fields.append(("url", url))
    if paper.abstract:
        fields.append(("abstract", _escaped(paper.abstract.replace("\n\n", " "))))
    lines = [f"  {name} = {value if name == 'month' else '{' + value + '}'}," for name, value in fields]
    return "\n".join([f"@{kind}{{{citation_key(paper)},", *lines, "}"]) + "\n"


def _bibtex_name(author: Author) -> str:
    if _is_group(author):
        return "{" + _escaped(author.name) + "}"
    family, given, suffix = names(author)
    return _escaped(", ".join(part for part in (family, suffix, given) if part))


_SPECIAL = re.compile(r"(?<!\\)([&%#])")
_FORMULA = re.compile(r"(?<!\\)(\$[^$]*\$)")


def _escaped(text: str) -> str:
    """``text`` with the characters escaped that TeX reads as signs; formulas stay, braces are balanced."""
    pieces = _FORMULA.split(text)
    pieces[::2] = [
        re.sub(r"(?<![\\$])([_$])", r"\\\1", _SPECIAL.sub(r"\\\1", piece)) for piece in pieces[::2]
    ]
    return _balanced("".join(pieces))


def _balanced(text: str) -> str:
    """``text`` without its braces, where they do not match: one too many would swallow the next entry.

    BibTeX counts a brace after a backslash, other readers do not: both must find them matching. Nor
    may a backslash at the end take the brace that closes the field.
    """
    text = text.rstrip("\\")
    matching = all(_match(re.findall(pattern, text)) for pattern in (r"[{}]", r"(?<!\\)[{}]"))
    return text if matching else re.sub(r"\\*[{}]", "", text).rstrip("\\")


def _match(braces: list[str]) -> bool:
    depth = 0
    for brace in braces:
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def _braced(title: str) -> str:
    """``title`` escaped, with braces around words whose capitals a style must not lower."""
    pieces = _FORMULA.split(_escaped(title))
    pieces[::2] = [
        re.sub(r"(?:\\[^{}]|[^\s{}$\\])+", _protected, piece) if "{" not in piece else piece
        for piece in pieces[::2]
    ]
    return "".join(pieces)


def _protected(match: re.Match[str]) -> str:
    word = match[0]
    starts = match.start() == 0 and match.string[:1].isupper()
    capitals = sum(c.isupper() for c in word)
    # Styles keep the first letter of a title; every other capital they lower.
    return "{" + word + "}" if capitals > (1 if starts else 0) or (capitals and not starts) else word


# -- RIS


def ris(paper: Paper) -> str:
    """``paper`` as one RIS record; a preprint is of the type ``UNPB``, a paper of a venue of its kind."""
    published = _published(paper)
    in_journal = bool(
        paper.venue
        and re.search(r"(?i)\b(journal|transactions|letters|review|nature|science)\b", paper.venue)
    )
    lines = [("TY", "JOUR" if in_journal else "CPAPER" if paper.venue else "UNPB")]
    lines += [("TI", _line(paper.title))]
    lines += [("AU", _ris_name(author)) for author in paper.authors]
    if published:
        lines += [("PY", f"{published.year}"), ("DA", f"{published:%Y/%m/%d}")]
    if paper.venue:
        lines.append(("JO" if in_journal else "T2", _line(paper.venue)))
    if doi := paper.identifier("doi"):
        lines.append(("DO", doi))
    elif arxiv := paper.identifier("arxiv"):
        lines.append(("DO", f"10.48550/arXiv.{arxiv}"))
    if arxiv := paper.identifier("arxiv"):
        category = f" [{paper.categories[0]}]" if paper.categories else ""
        lines += [("AN", f"arXiv:{arxiv}{category}")]
        if not paper.venue:
            lines.append(("PB", "arXiv"))
    if url := _url(paper):
        lines.append(("UR", url))
    lines += [("KW", _line(keyword)) for keyword in [*paper.categories, *paper.ai_keywords]]
    if paper.abstract:
        lines.append(("AB", _line(paper.abstract)))
    return "".join(f"{tag}  - {value}\r\n" for tag, value in lines) + "ER  - \r\n"


def _ris_name(author: Author) -> str:
    return _line(author.name) if _is_group(author) else ", ".join(part for part in names(author) if part)


def _line(text: str) -> str:
    return " ".join(text.split())


# -- CSL-JSON


def csl_item(paper: Paper) -> dict[str, Any]:
    """``paper`` as one CSL-JSON item."""
    published = _published(paper)
    arxiv, doi = paper.identifier("arxiv"), paper.identifier("doi")
    item: dict[str, Any] = {
        "id": citation_key(paper),
        "type": "paper-conference" if paper.venue else "article",
        "title": paper.title,
        "author": [_csl_name(author) for author in paper.authors],
    }
    if published:
        item["issued"] = {"date-parts": [[published.year, published.month, published.day]]}
    if paper.venue:
        item["container-title"] = paper.venue
    if arxiv:
        item["number"] = f"arXiv:{arxiv}"
        if not paper.venue:
            item["publisher"] = "arXiv"
            item["genre"] = "preprint"
    if doi or arxiv:
        item["DOI"] = doi or f"10.48550/arXiv.{arxiv}"
    if url := _url(paper):
        item["URL"] = url
    if paper.abstract:
        item["abstract"] = paper.abstract
    if paper.categories or paper.ai_keywords:
        item["keyword"] = ", ".join([*paper.categories, *paper.ai_keywords])
    return item


def _csl_name(author: Author) -> dict[str, str]:
    family, given, suffix = names(author)
    if _is_group(author) or not given:
        return {"literal": author.name}
    return {"family": family, "given": given, **({"suffix": suffix} if suffix else {})}


def csl_json(paper: Paper) -> str:
    """``paper`` as a CSL-JSON array of one item."""
    return json.dumps([csl_item(paper)], ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Format:
    """One form of citation: its name for people, suffix of addresses, media type, and who writes it."""

    name: str
    suffix: str
    media_type: str
    write: Callable[[Paper], str]


# By the names that unAPI knows them by.
FORMATS = {
    "ris": Format("RIS", ".ris", "application/x-research-info-systems; charset=utf-8", ris),
    "bibtex": Format("BibTeX", ".bib", "application/x-bibtex; charset=utf-8", bibtex),
    "csl-json": Format("CSL-JSON", ".csl.json", "application/vnd.citationstyles.csl+json", csl_json),
}
