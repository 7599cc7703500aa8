"""A sheet as EPUB 3, for e-readers: a front page, a table of contents, and each paper as a chapter."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from html import escape

from lxml import etree

from .print.fragments import element_of
from .print.sheet import Sheet, Story

MEDIA_TYPE = "application/epub+zip"
_XHTML = "http://www.w3.org/1999/xhtml"
_MATHML = "http://www.w3.org/1998/Math/MathML"
# The same sheet is the same file, byte by byte.
_MOMENT = (1980, 1, 1, 0, 0, 0)

_CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_STYLE = """body { margin: 5%; line-height: 1.4; }
h1 { font-size: 1.5em; line-height: 1.2; margin: 0.3em 0; text-align: left; hyphens: none; }
h1.name { font-size: 2.2em; text-align: center; }
p { margin: 0 0 0.6em; }
.date { text-align: center; border-top: 1px solid; border-bottom: 1px solid; padding: 0.3em 0; }
.kicker { font-size: 0.75em; letter-spacing: 0.06em; text-transform: uppercase; margin: 0; }
.byline, .standfirst { font-style: italic; }
.facts { font-size: 0.85em; }
ol { padding-left: 1.6em; }
li { margin: 0 0 0.5em; }
li span { font-size: 0.85em; }
"""


def epub(sheet: Sheet) -> bytes:
    """``sheet`` as an EPUB 3 file, every abstract whole, formulas as MathML."""
    chapters = {f"paper-{place:03}": story for place, story in enumerate(sheet.stories, start=1)}
    pages = {"front": _front(sheet, chapters)}
    pages |= {name: _chapter(story) for name, story in chapters.items()}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        # By the standard the first file, not compressed, so that the type can be read from the bytes.
        _add(file, "mimetype", MEDIA_TYPE, zipfile.ZIP_STORED)
        _add(file, "META-INF/container.xml", _CONTAINER)
        _add(file, "EPUB/package.opf", _package(sheet, pages))
        _add(file, "EPUB/nav.xhtml", _navigation(sheet, chapters))
        _add(file, "EPUB/style.css", _STYLE)
        for name, text in pages.items():
            _add(file, f"EPUB/{name}.xhtml", text)
    return written.getvalue()


def _add(file: zipfile.ZipFile, name: str, text: str, method: int = zipfile.ZIP_DEFLATED) -> None:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.compress_type = method
    file.writestr(entry, text.encode())


def _package(sheet: Sheet, pages: dict[str, str]) -> str:
    items = []
    for name, text in pages.items():
        properties = ' properties="mathml"' if "<math " in text else ""
        items.append(
            f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"{properties}/>'
        )
    refs = "\n".join(f'<itemref idref="{name}"/>' for name in pages)
    modified = sheet.modified or f"{sheet.iso_date}T00:00:00Z"
    return f"""<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">{uuid.uuid5(uuid.NAMESPACE_URL, sheet.id).urn}</dc:identifier>
<dc:title>{_plain(f"{sheet.name}, {sheet.date}")}</dc:title>
<dc:language>en</dc:language>
<dc:creator>{_plain(sheet.name)}</dc:creator>
<dc:publisher>{_plain(sheet.name)}</dc:publisher>
<dc:date>{sheet.iso_date}</dc:date>
<dc:source>{_plain(sheet.url)}</dc:source>
<meta property="dcterms:modified">{modified}</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{chr(10).join(items)}
</manifest>
<spine>
{refs}
</spine>
</package>
"""


def _page(title: str, body: str, namespaces: str = "") -> str:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="{_XHTML}"{namespaces} lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body>
{body}
</body>
</html>
"""


def _front(sheet: Sheet, chapters: dict[str, Story]) -> str:
    about = [f"{_plain(name)} ({number})" for name, number in sheet.topics[:8]]
    entries = [
        f'<li><a href="{name}.xhtml">{_inline(story.title) or "Untitled"}</a>'
        f"<br/><span>{_plain(story.byline)}</span></li>"
        for name, story in chapters.items()
    ]
    body = [
        f'<h1 class="name">{_plain(sheet.name)}</h1>',
        f'<p class="date">{_plain(" · ".join(filter(None, (sheet.date, sheet.number))))}</p>',
        f"<p>{_plain(sheet.tagline)}</p>" if sheet.tagline else "",
        f'<p class="facts">What it is about: {", ".join(about)}.</p>' if about else "",
        f"<ol>{''.join(entries)}</ol>" if entries else "<p>No papers.</p>",
        f'<p class="facts"><a href="{_plain(sheet.url)}">{_plain(sheet.url)}</a></p>',
    ]
    return _page(_plain(f"{sheet.name}, {sheet.date}"), "\n".join(filter(None, body)))


def _chapter(story: Story) -> str:
    body = [
        f'<p class="kicker">{_plain(story.kicker)}</p>' if story.kicker else "",
        f"<h1>{_inline(story.title)}</h1>",
        f'<p class="byline">{_plain(story.byline)}</p>' if story.byline else "",
        f'<p class="standfirst">{_inline(story.standfirst)}</p>' if story.standfirst else "",
        f"<p>{' '.join(map(_inline, story.sentences))}</p>" if story.sentences else "",
        f'<p class="facts">{_plain(story.facts)}</p>' if story.facts else "",
        f'<p class="facts"><a href="{_plain(story.url)}">{_plain(story.url)}</a></p>',
    ]
    return _page(_text_of(story.title), f"<section>{chr(10).join(filter(None, body))}</section>")


def _navigation(sheet: Sheet, chapters: dict[str, Story]) -> str:
    entries = ['<li><a href="front.xhtml">Front page</a></li>']
    entries += [
        f'<li><a href="{name}.xhtml">{_text_of(story.title)}</a></li>' for name, story in chapters.items()
    ]
    body = f'<nav epub:type="toc"><h1>Contents</h1><ol>{"".join(entries)}</ol></nav>'
    return _page(_plain(f"{sheet.name}: contents"), body, ' xmlns:epub="http://www.idpf.org/2007/ops"')


_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _plain(text: str) -> str:
    return escape(_UNWRITABLE.sub("\ufffd", text))


def _text_of(fragment: str) -> str:
    """What a reader sees of ``fragment``, without elements: for tables of contents."""
    root = element_of(fragment)
    for annotation in root.iter("annotation"):
        annotation.text = None
    return _plain(" ".join("".join(root.itertext()).split())) or "Untitled"


# What a fragment may hold in a book; anything else becomes its text.
_KEPT = {"em": "em", "strong": "strong", "code": "code", "sup": "sup", "sub": "sub"}


def _inline(fragment: str) -> str:
    """``fragment`` as XHTML: a few elements, and formulas in their own namespace."""
    return _written(element_of(fragment))


def _written(element: etree._Element) -> str:
    parts = [_plain(element.text or "")]
    for child in element:
        tag = str(child.tag)
        if tag == "math":
            parts.append(_math(child))
        elif tag in _KEPT:
            parts.append(f"<{tag}>{_written(child)}</{tag}>")
        else:
            parts.append(_written(child))
        parts.append(_plain(child.tail or ""))
    return "".join(parts)


def _math(element: etree._Element) -> str:
    source = element.findtext(".//annotation") or ""
    body = _mathml(element)
    return f'<math xmlns="{_MATHML}" alttext="{_plain(source)}">{body}</math>'


def _mathml(element: etree._Element) -> str:
    parts = [_plain(element.text or "")]
    for child in element:
        attributes = "".join(
            f' {name}="{_plain(value)}"' for name, value in child.items() if re.fullmatch(r"[a-z]+", name)
        )
        parts.append(f"<{child.tag}{attributes}>{_mathml(child)}</{child.tag}>{_plain(child.tail or '')}")
    return "".join(parts)
