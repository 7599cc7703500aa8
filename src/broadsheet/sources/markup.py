"""Text from the HTML, JATS and MathML that services write into titles, abstracts and summaries."""

from __future__ import annotations

import html
import re

from lxml import etree
from lxml import html as lxml_html

from ..model.text import clean_paragraphs

# Without one of these in it a text is no markup, and its angle brackets are less-than signs.
_MARKUP = re.compile(
    r"</?(?:(?:jats|mml):[a-z-]+|p|i|b|em|strong|sub|sup|a|div|span|br|ul|ol|li|h[1-6]|code|pre|img|table|tr|td|th|"
    r"blockquote|section|article|figure|figcaption|u|small|tt|script|style|title|sec|italic|bold|sc|hr|dl|dt|dd|"
    r"math|m[a-z]{1,6}|iframe|video|audio|source|svg|path|cite|q|kbd|font|center|details|summary|header|footer|nav"
    r")(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+))*\s*/?>",
    re.IGNORECASE,
)
_DROPPED = {"script", "style", "template", "iframe", "svg", "video", "audio", "head", "nav", "form"}
_BLOCKS = {
    "p", "div", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "table", "tr", "blockquote",
    "section", "article", "figure", "figcaption", "title", "sec", "list", "list-item", "disp-formula", "hr",
    "dl", "dt", "dd", "header", "footer", "details", "summary", "body",
}  # fmt: skip
# Deposited JATS often lost the spaces around these.
_WORDS = {"italic", "bold", "sc", "underline", "monospace"}
_TEX_DOCUMENT = re.compile(r"\\begin\{document\}(.*?)\\end\{document\}", re.DOTALL)
_HEADING = re.compile(r"(?i)\A(?:abstract|summary)\s*[:.]?\n\n")
# Nobody writes summaries of this length; what is longer is cut before it is parsed.
MAX_MARKUP = 1_000_000
_MAX_DEPTH = 200


def text_of(markup: str | None) -> str:
    """``markup`` as plain paragraphs, an empty line between two of them.

    Formulas stay as TeX where there is TeX, a leading heading "Abstract" is left out. Text that is no
    markup only has its entities resolved. Never raises.

    >>> text_of("<jats:title>Abstract</jats:title><jats:p>Some <jats:italic>spins</jats:italic>, n &lt; 5")
    'Some spins, n < 5'
    """
    text = (markup or "")[:MAX_MARKUP].replace("\0", "")
    if not _MARKUP.search(text):
        return clean_paragraphs(html.unescape(text))
    try:
        root = lxml_html.fragment_fromstring(text, create_parent="div")
    except (etree.LxmlError, ValueError, AssertionError):
        return _without_tags(text)
    parts: list[str] = []
    _write(root, parts, 0)
    # What is nested too deeply the parser leaves out.
    return _HEADING.sub("", clean_paragraphs("".join(parts))) or _without_tags(text)


def _without_tags(text: str) -> str:
    return clean_paragraphs(html.unescape(_MARKUP.sub(" ", text)))


def line_of(markup: str | None) -> str:
    """``markup`` as one line, as a title is."""
    return " ".join(text_of(markup).split())


def links_of(markup: str | None) -> list[tuple[str, str]]:
    """The addresses that the links of ``markup`` lead to, in order, each with the words of its link."""
    text = (markup or "")[:MAX_MARKUP].replace("\0", "")
    if "<a" not in text and "<A" not in text:
        return []
    try:
        root = lxml_html.fragment_fromstring(text, create_parent="div")
    except (etree.LxmlError, ValueError, AssertionError):
        return []
    return [(link.get("href", "").strip(), " ".join(link.text_content().split())) for link in root.iter("a")]


def _write(element: etree._Element, parts: list[str], depth: int) -> None:
    """Appends the text of ``element`` to ``parts``, without what follows it."""
    if not isinstance(element.tag, str):
        return
    if depth > _MAX_DEPTH:
        parts.extend(element.itertext())
        return
    name = element.tag.rpartition(":")[2].lower()
    if name in _DROPPED:
        return
    if name == "br":
        parts.append("\n")
        return
    if name == "alternatives":
        # The same formula several times; TeX is what a page shows best.
        tex = next((e for e in element.iter() if str(e.tag).endswith("tex-math")), None)
        chosen = tex if tex is not None else next(iter(element), None)
        if chosen is not None:
            _write(chosen, parts, depth + 1)
        return
    if name == "tex-math":
        source = "".join(element.itertext())
        within = _TEX_DOCUMENT.search(source)
        parts.append((within[1] if within else source).strip())
        return
    block = name in _BLOCKS
    if block:
        parts.append("\n\n")
    if name in _WORDS and _runs_into(parts, (element.text or "")[:1]):
        parts.append(" ")
    parts.append(element.text or "")
    for child in element:
        _write(child, parts, depth + 1)
        child_name = child.tag.rpartition(":")[2].lower() if isinstance(child.tag, str) else ""
        if child_name in _WORDS and _runs_into(parts, (child.tail or "")[:1]):
            parts.append(" ")
        parts.append(child.tail or "")
    if block:
        parts.append("\n\n")


def _runs_into(parts: list[str], following: str) -> bool:
    """Whether a letter would stand glued to the letter ``following``."""
    before = next((part[-1] for part in reversed(parts) if part), "")
    return before.isalpha() and following.isalpha()
