"""Inputs for fuzzing: recordings that were changed at random, and nonsense in the shape of each format.

Every input is made from one number, so that whatever breaks a parser can be made again.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

# Of larger recordings a beginning, a part and the end are taken: what breaks is seldom far apart.
MAX_SEED = 40_000
_TOKENS = (
    b"<", b">", b"&", b"&amp;", b"&#0;", b"&#x110000;", b"&nbsp;", b"<![CDATA[", b"]]>", b"<!--", b"-->",
    b"<?x", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<record>", b"</record>", b"<item>", b"</entry>",
    b"<author/>", b"\x00", b"\x0b", b"\xff", b"\xfe\xff", b"\xc3", b"\xed\xa0\x80", b"\xe2\x80\xae",
    b"\xef\xbb\xbf", b"\r", b"\n\n", b"\t", b"{", b"}", b"[", b"]", b"[[[[", b'"', b"\\", b"\\u0000",
    b"\\ud800", b"null", b"true", b"-1", b"1e999", b"NaN", b"99999999999999999999999999", b"0000-00-00",
    b"2026-02-31", b"9999-12-31T23:59:60Z", b"31 Feb 2026", b"-0001", b"http://[",
    b"https://arxiv.org/abs/", b"10.", b"doi:", b"arXiv:", b"oai:arXiv.org:", b"0704.0001v999",
    b"@article{", b"@string{a = a}", b"#", b"%", b"$", b"\\'", b'{\\"', b"TY  - ", b"ER  - ", b" and ",
    b", ", b"(", b")", b"Jr", b"id=", b"xmlns:x='y'", b"x:y", b"</", b"/>", b"://", b"\xf0\x9f\x98\x80",
    "İ".encode(), "ﬁ".encode(), b"a" * 3000, b"(" * 2000, b"{" * 2000, b"<a>" * 300, b"&#" * 500,
    b"- " * 1000, b", " * 1000, b" " * 3000, b"\\" * 500,
)  # fmt: skip
_NUMBER = re.compile(rb"\d+")


def seeds(*folders: Path) -> list[bytes]:
    """The files under ``folders``, in a fixed order."""
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return [path.read_bytes() for path in files if path.suffix != ".md"]


def changed(number: int, recordings: list[bytes]) -> bytes:
    """Input ``number``: one of ``recordings``, changed one to eight times."""
    chance = random.Random(number)
    data = _part(chance, chance.choice(recordings))
    if chance.random() < 0.25 and (value := _json(data)) is not None:
        for _ in range(chance.randint(1, 5)):
            value = _other_value(chance, value)
        data = json.dumps(value).encode("utf-8", "surrogatepass")
    for _ in range(chance.randint(0 if chance.random() < 0.3 else 1, 8)):
        data = chance.choice(_CHANGES)(chance, data, recordings)[: 4 * MAX_SEED]
    if chance.random() < 0.04:
        data = chance.choice(_WRAPPINGS)(data)
    return data


def _part(chance: random.Random, data: bytes) -> bytes:
    if len(data) <= MAX_SEED:
        return data
    start = chance.randrange(2_000, len(data) - 2_000)
    length = chance.choice((2_000, 10_000, MAX_SEED // 2))
    return data[:2_000] + data[start : start + length] + data[-1_000:]


def _span(chance: random.Random, data: bytes) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + int(chance.paretovariate(0.6)))


def _flip(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _n in range(chance.randint(1, 6)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _delete(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[end:]


def _repeat(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:end] + data[start:end] * chance.choice((1, 1, 2, 5, 200)) + data[end:]


def _insert(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_TOKENS) + data[at:]


def _replace(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + chance.choice(_TOKENS) + data[end:]


def _cross(chance: random.Random, data: bytes, recordings: list[bytes]) -> bytes:
    other = chance.choice(recordings)
    start, end = _span(chance, other)
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[start : min(end, start + MAX_SEED)] + data[at:]


def _cut(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _behead(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    return data[chance.randrange(min(len(data), 2_000) + 1) :]


def _renumber(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    found = list(_NUMBER.finditer(data, 0, 20_000))
    if not found:
        return data
    number = chance.choice(found)
    other = chance.choice((b"", b"0", b"-7", b"99999999999999999999", b"1e400", b"3.5", b"00", b"2026-13-45"))
    return data[: number.start()] + other + data[number.end() :]


def _lines(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    lines = data.split(b"\n")
    start = chance.randrange(len(lines))
    some = lines[start : start + chance.randint(2, 30)]
    chance.shuffle(some)
    return b"\n".join([*lines[:start], *some, *lines[start + len(some) :]])


_CHANGES: tuple[Callable[[random.Random, bytes, list[bytes]], bytes], ...] = (
    _flip, _delete, _repeat, _insert, _insert, _replace, _replace, _cross, _cut, _behead, _renumber, _lines,
)  # fmt: skip


def _recoded(encoding: str) -> Callable[[bytes], bytes]:
    return lambda data: data.decode("utf-8", "replace").encode(encoding, "replace")


_WRAPPINGS: tuple[Callable[[bytes], bytes], ...] = (
    gzip.compress,
    lambda data: gzip.compress(data)[: len(data) // 4],
    _recoded("utf-16"), _recoded("utf-16-le"), _recoded("utf-32"), _recoded("latin-1"), _recoded("gbk"),
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: b"\xef\xbb\xbf" + data,
)  # fmt: skip


def _json(data: bytes) -> Any:
    if data[:1] not in (b"{", b"["):
        return None
    try:
        return json.loads(data)
    except ValueError:
        return None


_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, "", " ", "x", "2026-02-31", "10.1/x", "https://", "\ud800", "\x00", [],
    [[]], {}, {"x": None}, [None], ["x", 1, None], {"value": {"value": {}}}, [[[[[[]]]]]], "<p>a",
    "a" * 5000, [{}], {"": ""},
)  # fmt: skip


def _other_value(chance: random.Random, value: Any) -> Any:
    """``value`` with one part somewhere in it exchanged, left out, renamed or repeated."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        what = chance.random()
        if what < 0.5:
            return {**value, key: _other_value(chance, value[key])}
        if what < 0.7:
            return {**value, key: chance.choice(_VALUES)}
        rest = {name: part for name, part in value.items() if name != key}
        return rest if what < 0.85 else {**rest, chance.choice(list(value)): value[key]}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        if chance.random() < 0.7:
            return [*value[:at], _other_value(chance, value[at]), *value[at + 1 :]]
        return value[:at] + value[at + 1 :] if chance.random() < 0.5 else [*value, value[at]]
    return chance.choice(_VALUES)


# -- nonsense in the shape of each format, for hypothesis

_TEXT = st.text(max_size=40)
_ELEMENTS = (
    "OAI-PMH ListRecords record header identifier datestamp metadata arXiv arXivRaw dc id title abstract "
    "authors author keyname forenames suffix version date created updated categories comments doi license "
    "resumptionToken error responseDate request feed entry summary published link category rss channel "
    "item guid description pubDate creator rights announce_type rdf:RDF PubmedArticleSet PubmedArticle "
    "MedlineCitation PMID Article ArticleTitle AbstractText AuthorList Author LastName ForeName "
    "collection volume meta paper first last opml body outline html p sub math "
)
_NAMES = st.sampled_from(_ELEMENTS.split())
_WORDS = st.sampled_from(
    [
        "oai:arXiv.org:2407.21783",
        "2407.21783v2",
        "hep-th/9901001",
        "10.1234/x",
        "2026-02-31",
        "2026-02-03",
        "v2",
        "deleted",
    ]
)


def _element(name: str, attributes: dict[str, str], inner: list[str]) -> str:
    told = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{told}>{''.join(inner)}</{name.split(':')[-1] if 'x' in attributes else name}>"


_LEAVES = st.one_of(_TEXT.map(lambda text: text.replace("<", "&lt;").replace("&", "&amp;")), _WORDS)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["id", "status", "version", "code", "term", "href", "xmlUrl", "x"]), _WORDS, max_size=2
)
XML = st.recursive(
    _LEAVES,
    lambda inner: st.builds(_element, _NAMES, _ATTRIBUTES, st.lists(inner, max_size=5)),
    max_leaves=25,
).map(lambda text: ('<?xml version="1.0"?>' + text).encode("utf-8", "replace"))
_FIELDS = (
    "id title abstract authors name doi DOI url year published day list rank upvotes paper content value "
    "venue notes messages collection results data message items work author given family type citations "
    "references externalIds paperId authorships abstract_inverted_index ids publicationDate key library "
    "submittedOnDailyAt "
)
_KEYS = st.sampled_from(_FIELDS.split())
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXT, _WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=6)),
    max_leaves=25,
).map(lambda value: json.dumps(value).encode())
LINES = st.lists(
    st.one_of(_TEXT, _WORDS, st.sampled_from([token.decode("latin-1") for token in _TOKENS])), max_size=20
).map(lambda lines: "\n".join(lines).encode("utf-8", "replace"))
NONSENSE = st.one_of(XML, JSON, LINES, st.binary(max_size=300))
