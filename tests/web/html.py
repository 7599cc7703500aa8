"""Finding elements of a page in tests, by the few selectors that they need."""

from __future__ import annotations

import re

import lxml.html

Element = lxml.html.HtmlElement

_STEP = re.compile(r"(?P<tag>[a-z][a-z0-9]*|\*)?(?P<rest>(?:[.#][\w-]+|\[[^\]]+\])*)$")
_PART = re.compile(
    r"\.(?P<class>[\w-]+)|#(?P<id>[\w-]+)|\[(?P<attr>[\w:-]+)(?:(?P<op>\^?=)['\"]?(?P<value>[^'\"\]]*)['\"]?)?\]"
)


def select(page: Element, selector: str) -> list[Element]:
    """The elements that ``selector`` names: tags, ``.class``, ``#id``, ``[a]``, ``[a=b]``, ``>``, commas."""
    return page.xpath(" | ".join(_path(one.strip()) for one in selector.split(",")))


def texts(page: Element, selector: str) -> list[str]:
    """The text of each of the elements that ``selector`` names, on one line."""
    return [" ".join(element.text_content().split()) for element in select(page, selector)]


def _path(selector: str) -> str:
    path, axis = ".", "//"
    for step in selector.split():
        if step == ">":
            axis = "/"
            continue
        match = _STEP.fullmatch(step)
        assert match, f"the selector {step!r} is not understood"
        path += axis + (match["tag"] or "*")
        for part in _PART.finditer(match["rest"]):
            if part["class"]:
                path += f"[contains(concat(' ', @class, ' '), ' {part['class']} ')]"
            elif part["id"]:
                path += f"[@id='{part['id']}']"
            elif part["op"] == "=":
                path += f"[@{part['attr']}='{part['value']}']"
            elif part["op"] == "^=":
                path += f"[starts-with(@{part['attr']}, '{part['value']}')]"
            else:
                path += f"[@{part['attr']}]"
        axis = "//"
    return path
