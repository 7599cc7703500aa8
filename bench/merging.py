"""How surely the same work from several sources becomes one paper, and different works never do.

    .venv/bin/python -m bench.merging [--papers 6000] [--negatives 5000] [--seed 1] [--show 20]

Known duplicates: arXiv records of real papers are stored, then each is told again: as its own Daily Papers
entry where there is one, with and without its id, and as a BibTeX entry or a saved page made from it, with
the changes that titles, names and abstracts undergo there. Hard negatives: pairs of different works with
near-identical titles, mined from all real titles, and made: parts, editions and years, errata, comments and
replies, by the same authors and mostly with the same abstract. All of them are stored together; what went
into a paper that it does not belong to is a wrong merge. BibTeX goes through the real parser.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import tempfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from bench.common import DATA, need, save
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Link, Record
from broadsheet.model.text import authors_agree, title_key
from broadsheet.sources.files import read_file
from broadsheet.store import Store

# Titles that agree so far are near-identical: a word or a number differs.
_NEAR = 80
# So many titles before and after one, in each of three orders, are compared with it.
_NEIGHBOURS = 15


@dataclass(slots=True)
class Told:
    """``record`` tells of the paper with the arXiv id ``of``, or of a work that is not stored (empty)."""

    kind: str
    of: str
    record: Record


# -- how titles, names and abstracts are changed on their way into other sources -------------

_TEX_ACCENTS = {"é": r"{\'e}", "è": r"{\`e}", "ö": r'{\"o}', "ü": r'{\"u}', "ä": r'{\"a}', "ñ": r"{\~n}",
                "ç": r"{\c c}", "ø": r"{\o}", "š": r"{\v s}", "č": r"{\v c}", "ł": r"{\l}"}  # fmt: skip
_GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "λ": "lambda", "μ": "mu",
          "π": "pi", "σ": "sigma", "τ": "tau", "ω": "omega", "Δ": "Delta", "Ω": "Omega"}  # fmt: skip
_LETTER_OF = {name: letter for letter, name in _GREEK.items()}


def _tex(text: str) -> str:
    for table in (_TEX_ACCENTS, {letter: rf"${{\{name}}}$" for letter, name in _GREEK.items()}):
        for letter, written in table.items():
            text = text.replace(letter, written)
    return re.sub(r"(?<!\\)&", r"\\&", text)


def _unicode(title: str) -> str:
    plain = re.sub(r"\$\\([A-Za-z]+)\$", lambda m: _LETTER_OF.get(m[1], m[0]), title)
    return plain.replace("--", "–").replace("'", "’")


_TITLES: dict[str, Callable[[str], str]] = {
    "as it is": lambda title: title,
    "lower case": lambda title: title.lower(),
    "title case": lambda title: " ".join(w[:1].upper() + w[1:] for w in title.split()),
    "capitals": lambda title: re.sub(r"[a-z](?![^$]*\$[^$]*$)", lambda m: m[0].upper(), title)
    if "$" not in title and "\\" not in title else title,
    "braces": lambda title: re.sub(r"(?<!\\)\b([A-Z]\w*)\b(?![^$]*\$)", r"{\1}", title),
    "TeX": _tex,
    "Unicode": _unicode,
    "full stop": lambda title: title + ".",
    "dash for colon": lambda title: title.replace(": ", " -- "),
    "hyphens": lambda title: title.replace("-", " "),
    "line break": lambda title: title.replace(" ", "\n  ", 1),
    "and": lambda title: title.replace(" & ", " and "),
    "&": lambda title: title.replace(" and ", " & "),
    "entities": lambda title: title.replace("&", "&amp;").replace("<", "&lt;"),
}  # fmt: skip
# Changes that no comparison of whole titles forgives; reported by themselves.
_WRONG: dict[str, Callable[[str], str]] = {
    "typing error": lambda title: title[: len(title) // 2] + title[len(title) // 2 + 1 :],
    "subtitle left out": lambda title: title.split(": ")[0],
}


def _name(author: str, form: str) -> str:
    first, _, last = author.rpartition(" ")
    match form:
        case "Last, First":
            return f"{last}, {first}" if first else last
        case "Last, F.":
            return f"{last}, " + " ".join(f"{part[0]}." for part in first.split()) if first else last
        case "F. Last":
            return " ".join(f"{part[0]}." for part in first.split()) + f" {last}"
        case "Last First" if first.count(" ") == 0:
            return f"{last} {first}".strip()
        case "no middle name":
            return f"{first.split(' ')[0]} {last}".strip()
        case "no accents":
            letters = unicodedata.normalize("NFKD", author)
            return "".join(c for c in letters if not unicodedata.combining(c))
    return author


_NAMES = ("as it is", "Last, First", "Last, F.", "F. Last", "Last First", "no middle name", "no accents")
_ABSTRACTS: dict[str, Callable[[str], str | None]] = {
    "as it is": lambda text: text,
    "cut": lambda text: text[:400].rsplit(" ", 1)[0] + " ...",
    "another version": lambda text: ". ".join(text.split(". ")[1:-1] or [text]),
    "without TeX": lambda text: re.sub(r"[$\\\\{}]", "", text),
    "missing": lambda text: None,
}


def _bibtex(
    number: int, record: Record, how: random.Random, title: str, with_id: bool, abstract: str
) -> bytes:
    """``record`` as an entry of a bibliography."""
    names = [author.name for author in record.authors]
    form = how.choice(_NAMES)
    shown = [_tex(_name(name, form)) for name in names]
    if len(shown) > 6 and how.random() < 0.4:
        shown = [*shown[: how.choice((1, 3, 6))], "others"]
    fields = {"title": title, "author": " and ".join(shown), "year": (record.published or "2024")[:4]}
    text = _ABSTRACTS[abstract](record.abstract or "")
    if text:
        fields["abstract"] = re.sub(r"[{}]", "", text)
    if with_id:
        value = record.identifiers[0].value
        ways = {"eprint": value, "doi": f"10.48550/arXiv.{value}", "url": f"https://arxiv.org/abs/{value}v1"}
        way = how.choice(list(ways))
        fields[way] = ways[way]
        if way == "eprint":
            fields["archiveprefix"] = "arXiv"
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@article{{k{number},\n{lines}\n}}\n".encode()


def _parsed(entry: bytes) -> Record | None:
    found = [item for item in read_file(io.BytesIO(entry), name="made") if isinstance(item, Record)]
    return found[0] if len(found) == 1 else None


# -- known duplicates -----------------------------------------------------------------------


def duplicates(
    arxiv: list[Record], daily: dict[str, Record], number: int, how: random.Random
) -> Iterator[Told]:
    """``number`` arXiv papers told again by another source."""
    for place, record in enumerate(arxiv[:number]):
        value = record.identifiers[0].value
        entry = daily.get(value)
        if entry is not None:
            yield Told("Daily Papers, with id", value, replace(entry))
            yield Told("Daily Papers, without id", value, replace(entry, identifiers=[]))
        change = how.choice(list(_TITLES))
        abstract = how.choice(list(_ABSTRACTS))
        title = _TITLES[change](record.title)
        made = _parsed(_bibtex(place, record, how, title, True, abstract))
        if made:
            yield Told("BibTeX with id", value, made)
        made = _parsed(_bibtex(place, record, how, title, False, abstract))
        if made:
            kind = "no abstract" if abstract == "missing" else "abstract"
            yield Told(f"BibTeX without id, {kind}", value, made)
        page = Record(_unicode(record.title), "saved_page", abstract=record.abstract)
        yield Told("saved page, title and abstract", value, page)
        if place % 10 == 0:
            wrong = how.choice(list(_WRONG))
            made = _parsed(_bibtex(place, record, how, _WRONG[wrong](record.title), False, "as it is"))
            if made and made.title != record.title:
                yield Told(f"beyond comparison: {wrong}", value, made)


# -- hard negatives -------------------------------------------------------------------------

_MADE: dict[str, Callable[[str], tuple[str, str]]] = {
    "part I and II": lambda title: (f"{title}, Part I", f"{title}, Part II"),
    "I and II": lambda title: (f"{title} I", f"{title} II"),
    "1 and 2": lambda title: (f"{title} (1)", f"{title} (2)"),
    "survey v2": lambda title: (f"{title}: A Survey", f"{title}: A Survey, v2"),
    "year": lambda title: (f"{title}: A Review 2023", f"{title}: A Review 2024"),
    "edition": lambda title: (title, f"{title} (Second Edition)"),
    "plus": lambda title: (title, f"{title}++"),
    "erratum": lambda title: (title, f"Erratum: {title}"),
    "erratum to": lambda title: (title, f'Erratum to "{title}"'),
    "corrigendum": lambda title: (title, f"Corrigendum to: {title}"),
    "reply": lambda title: (title, f"Reply to '{title}'"),
    "comment": lambda title: (title, f"Comment on '{title}'"),
    "addendum": lambda title: (title, f"Addendum: {title}"),
    "revisited": lambda title: (title, f"{title} Revisited"),
}


def _forwards(pair: tuple[str, Record]) -> str:
    return pair[0]


def _backwards(pair: tuple[str, Record]) -> str:
    return pair[0][::-1]


def _by_words(pair: tuple[str, Record]) -> str:
    words = set(re.findall(r"[a-z]{3,}", pair[1].title.lower()))
    return " ".join(sorted(words, key=lambda word: (-len(word), word)))


def mined(records: list[Record], number: int) -> list[tuple[str, Record, Record]]:
    """Pairs of different real papers whose titles are near-identical, or equal, most alike first."""
    keyed = [(title_key(record.title), record) for record in records]
    found: dict[frozenset[str], tuple[float, Record, Record]] = {}
    for neighbours in (_forwards, _backwards, _by_words):
        order = sorted(keyed, key=neighbours)
        for place, (key, record) in enumerate(order):
            for other_key, other in order[place + 1 : place + 1 + _NEIGHBOURS]:
                alike = fuzz.ratio(key, other_key, score_cutoff=_NEAR)
                ids = frozenset((record.identifiers[0].value, other.identifiers[0].value))
                if alike and len(ids) == 2:
                    found.setdefault(ids, (alike, record, other))
    best = sorted(found.values(), key=lambda entry: (-entry[0], entry[1].identifiers[0].value))[:number]
    return [("equal titles" if alike == 100 else "near titles", one, two) for alike, one, two in best]


def negatives(records: list[Record], number: int, how: random.Random) -> tuple[list[Record], list[Told]]:
    """What is stored first, and ``number`` tellings of other works that are easily taken for it."""
    first: dict[str, Record] = {}
    told: list[Told] = []
    for kind, one, two in mined(records, number * 6 // 10):
        value = one.identifiers[0].value
        first.setdefault(value, replace(one))
        form = how.choice(("with id", "without id", "without id or abstract"))
        # Without any id, equal titles by the same authors are one work for whoever is told no more.
        alone = kind == "equal titles" and authors_agree(*([a.name for a in r.authors] for r in (one, two)))
        if form == "with id" or alone:
            made: Record | None = replace(two)
            form = "with id"
        else:
            abstract = "as it is" if form == "without id" else "missing"
            made = _parsed(_bibtex(len(told), two, how, _tex(two.title), False, abstract))
        if made:
            # Where the other work is stored as well, that is the paper that it must be.
            told.append(Told(f"{kind}, {form}", two.identifiers[0].value, made))
    kinds, rest = list(_MADE), iter(how.sample(records, len(records)))
    while len(told) < number:
        record = next(rest)
        value = record.identifiers[0].value
        if value in first or len(title_key(record.title)) < 15:
            continue
        kind = kinds[len(told) % len(kinds)]
        one_title, two_title = _MADE[kind](record.title)
        one = replace(record, title=one_title)
        first[value] = one
        two = replace(record, title=two_title, identifiers=[], source="made")
        form = how.choice(
            ("without id", "without id or abstract", "with its own DOI", "with the id of the other")
        )
        if form == "with its own DOI":
            made = replace(
                two, identifiers=[Identifier("doi", f"10.9999/made.{len(told)}")], source="crossref"
            )
        else:
            # Bibliographies give an erratum or a comment the id of what it is about.
            borrowed = form == "with the id of the other" and kind in (
                "erratum", "erratum to", "corrigendum", "reply", "comment", "addendum"
            )  # fmt: skip
            abstract = "missing" if form == "without id or abstract" else "as it is"
            source = replace(two, identifiers=record.identifiers) if borrowed else two
            made = _parsed(_bibtex(len(told), source, how, _tex(two_title), borrowed, abstract))
            form = form if borrowed else "without id or abstract" if abstract == "missing" else "without id"
        if made:
            told.append(Told(f"{kind}, {form}", "", made))
    return list(first.values()), told


# -- measuring ------------------------------------------------------------------------------


def measure(store: Store, first: list[Record], told: list[Told]) -> list[tuple[Told, str]]:
    """Stores all of it; each telling with the id of the paper that it went into."""
    store.add(first)
    marked = []
    for number, one in enumerate(told):
        # A mark by which it is found again, whatever paper it went into.
        mark = Link("other", f"https://told.example/{number}")
        # Each by its own source: a source tells of a paper but once.
        marked.append(replace(one.record, links=[mark], listings=[], source=one.record.source))
    report = store.add(marked)
    if report.rejected:
        raise SystemExit(f"made wrongly: {report.rejected[0]}")
    into: dict[str, str] = {}
    after = 0
    while changes := store.changes(after, 5000):
        after = changes[-1].seq
        for paper in store.papers([change.key for change in changes if change.kind == "changed"]):
            for link in paper.links:
                if link.url.startswith("https://told.example/"):
                    into[link.url.rpartition("/")[2]] = paper.id
    return [(one, into[str(number)]) for number, one in enumerate(told)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--papers", type=int, default=6000, help="papers that are told again")
    parser.add_argument("--negatives", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=20, help="so many of what went wrong")
    options = parser.parse_args()
    how = random.Random(options.seed)
    arxiv = [r for r in read_file(need(DATA / "arxiv_papers.jsonl.gz")) if isinstance(r, Record)]
    daily = {
        record.identifiers[0].value: record
        for record in read_file(need(DATA / "daily_papers.jsonl.gz"))
        if isinstance(record, Record) and record.identifiers
    }
    arxiv = [replace(r, source="arxiv", links=[], listings=[]) for r in arxiv if r.identifiers and r.authors]
    # Each of their papers once; those that both know first, since a third of them is told by both.
    arxiv = list({record.identifiers[0].value: record for record in arxiv}.values())
    how.shuffle(arxiv)
    arxiv.sort(key=lambda record: record.identifiers[0].value not in daily or how.random() > 0.4)
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        again = list(duplicates(arxiv, daily, options.papers, how))
        store = Store.open(f"sqlite:///{folder}/positive.db")
        outcome = measure(store, [replace(r) for r in arxiv[: options.papers]], again)
        store.close()
        _positives(outcome, figures, options.show)
        first, other = negatives(arxiv, options.negatives, how)
        store = Store.open(f"sqlite:///{folder}/negative.db")
        outcome = measure(store, first, other)
        figures["conflicts listed for an editor"] = len(store.conflicts())
        store.close()
        _negatives(outcome, figures, options.show)
    save("merging", figures)


def _positives(outcome: list[tuple[Told, str]], figures: dict[str, object], show: int) -> None:
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    missed: dict[str, list[str]] = defaultdict(list)
    wrong = 0
    for told, paper in outcome:
        total[told.kind] += 1
        right[told.kind] += paper == told.of
        if paper != told.of:
            missed[told.kind].append(f"{told.of} | {told.record.title} | {paper}")
            wrong += re.fullmatch(r"\d{4}\.\d+|.*/\d{7}", paper) is not None
    usual = [kind for kind in total if not kind.startswith("beyond")]
    figures["known duplicates"] = sum(total[kind] for kind in usual)
    figures["recall"] = sum(right[kind] for kind in usual) / sum(total[kind] for kind in usual)
    figures["recall with typing errors and lost subtitles"] = sum(right.values()) / sum(total.values())
    figures["duplicates that went into another paper"] = wrong
    for kind in sorted(total):
        figures[f"recall, {kind} ({total[kind]:,})"] = right[kind] / total[kind]
    for kind, lines in missed.items():
        print(f"missed, {kind}: {len(lines)}")
        print(*(f"    {line}" for line in lines[: show // 4]), sep="\n")


def _negatives(outcome: list[tuple[Told, str]], figures: dict[str, object], show: int) -> None:
    merged: Counter[str] = Counter()
    total: Counter[str] = Counter()
    lines = []
    for told, paper in outcome:
        total[told.kind] += 1
        if paper != told.of and not paper.startswith(("title-", "10.9999/")):
            merged[told.kind] += 1
            lines.append(f"{told.kind}: {told.record.title} | {paper}")
    figures["hard negatives"] = sum(total.values())
    figures["hard negatives merged"] = sum(merged.values())
    figures["precision on hard negatives"] = 1 - sum(merged.values()) / sum(total.values())
    for kind in sorted(total):
        figures[f"merged, {kind} ({total[kind]:,})"] = merged[kind]
    print(f"wrongly merged: {len(lines)}", *(f"    {line}" for line in lines[:show]), sep="\n")


if __name__ == "__main__":
    main()
