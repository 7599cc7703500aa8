"""What EPUB 3 demands of a file, as far as Broadsheet writes it: a strict check.

Sources: https://www.w3.org/TR/epub-33/ (container, package document, navigation document, XHTML content).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator

from lxml import etree

OPF, DC = "http://www.idpf.org/2007/opf", "http://purl.org/dc/elements/1.1/"
XHTML, MATHML = "http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML"
OPS = "http://www.idpf.org/2007/ops"
_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_ELEMENTS = {
    "html", "head", "title", "link", "body", "section", "nav", "h1", "p", "a", "em", "strong", "code", "sup",
    "sub", "ol", "li", "br", "span",
}  # fmt: skip
_MODIFIED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def epub_errors(body: bytes) -> list[str]:
    """What ``body`` breaks, as sentences; an empty list is a valid book."""
    return list(_errors(body))


def documents(body: bytes) -> dict[str, etree._Element]:
    """The XHTML documents of a book by name, parsed."""
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        return {name: _xml(book.read(name)) for name in book.namelist() if name.endswith(".xhtml")}


def _xml(body: bytes) -> etree._Element:
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def _errors(body: bytes) -> Iterator[str]:
    if body[30:38] != b"mimetype" or body[38:58] != b"application/epub+zip":
        yield "the type cannot be read from the first bytes"
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        if book.testzip() is not None:
            yield "a file is damaged"
        first = book.infolist()[0]
        if (first.filename, first.compress_type, first.extra) != ("mimetype", zipfile.ZIP_STORED, b""):
            yield f"the first file is {first.filename}, compressed or with an extra field"
        names = Counter(book.namelist())
        yield from (f"{name} is there {number} times" for name, number in names.items() if number > 1)
        root = _xml(book.read("META-INF/container.xml"))
        found = root.findall(f"{_CONTAINER}rootfiles/{_CONTAINER}rootfile")
        if len(found) != 1 or found[0].get("media-type") != "application/oebps-package+xml":
            yield "the container does not name one package"
            return
        yield from _package_errors(book, found[0].get("full-path") or "")


def _package_errors(book: zipfile.ZipFile, path: str) -> Iterator[str]:
    package, folder = _xml(book.read(path)), path.rpartition("/")[0] + "/"
    if package.tag != f"{{{OPF}}}package" or package.get("version") != "3.0":
        yield "the package is not of EPUB 3"
    yield from _metadata_errors(package)
    items = {item.get("id"): item for item in package.iter(f"{{{OPF}}}item")}
    hrefs = [item.get("href") for item in package.iter(f"{{{OPF}}}item")]
    if len(items) != len(hrefs) or len(set(hrefs)) != len(hrefs):
        yield "two items of the manifest have one id or one file"
    there = {name.removeprefix(folder) for name in book.namelist() if name.startswith(folder)}
    if set(hrefs) != there - {path.removeprefix(folder)}:
        yield f"manifest and files differ: {set(hrefs) ^ there}"
    if [item.get("properties") for item in items.values()].count("nav") != 1:
        yield "not one item is the navigation"
    refs = [ref.get("idref") for ref in package.iter(f"{{{OPF}}}itemref")]
    if (
        not refs
        or len(set(refs)) != len(refs)
        or any(ref not in items or items[ref].get("media-type") != "application/xhtml+xml" for ref in refs)
    ):
        yield "the spine names what is no document of the manifest, or one twice"
    for item in items.values():
        if item.get("media-type") == "application/xhtml+xml":
            document = _xml(book.read(folder + (item.get("href") or "")))
            yield from (f"{item.get('href')}: {error}" for error in _document_errors(document, item, there))


def _metadata_errors(package: etree._Element) -> Iterator[str]:
    metadata = package.find(f"{{{OPF}}}metadata")
    identifiers = list(metadata.iter(f"{{{DC}}}identifier"))
    if [one.get("id") for one in identifiers] != [package.get("unique-identifier")] or not identifiers[
        0
    ].text:
        yield "the package has no identifier of its own"
    for name in ("title", "language"):
        if not (metadata.findtext(f"{{{DC}}}{name}") or "").strip():
            yield f"the package has no {name}"
    modified = [
        one.text for one in metadata.iter(f"{{{OPF}}}meta") if one.get("property") == "dcterms:modified"
    ]
    if len(modified) != 1 or not _MODIFIED.fullmatch(modified[0] or ""):
        yield f"when it was modified is told as {modified}"


def _document_errors(root: etree._Element, item: etree._Element, there: set[str]) -> Iterator[str]:
    if [root.tag, *(child.tag for child in root)] != [
        f"{{{XHTML}}}{name}" for name in ("html", "head", "body")
    ]:
        yield "it is not html with head and body"
        return
    if not (root[0].findtext(f"{{{XHTML}}}title") or "").strip():
        yield "it has no title"
    has_math = next(root.iter(f"{{{MATHML}}}math"), None) is not None
    if has_math != ("mathml" in (item.get("properties") or "")):
        yield f"formulas are {'not ' * (not has_math)}there, and the manifest says otherwise"
    for element in root.iter():
        name = etree.QName(element)
        if name.namespace == XHTML and name.localname not in _ELEMENTS:
            yield f"it has a <{name.localname}>"
        if name.namespace not in (XHTML, MATHML):
            yield f"it has an element of {name.namespace}"
        if name.localname == "a":
            href = element.get("href") or ""
            if not (href in there or re.match(r"https?://[^\s<>\"]+$", href)):
                yield f"a link leads nowhere: {href}"
            if not "".join(element.itertext()).strip():
                yield "a link has no text"
        if any(str(attribute).startswith("on") for attribute, _ in element.items()):
            yield "it runs something"
    if item.get("properties") == "nav":
        tables = [nav for nav in root.iter(f"{{{XHTML}}}nav") if nav.get(f"{{{OPS}}}type") == "toc"]
        if len(tables) != 1 or tables[0].find(f"{{{XHTML}}}ol/{{{XHTML}}}li/{{{XHTML}}}a") is None:
            yield "it has no table of contents"
