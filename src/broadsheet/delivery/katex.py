"""Formulas as MathML: KaTeX, run on the server in an embedded JavaScript engine without any access."""

from __future__ import annotations

import html
import json
import re
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import quickjs

from .katex_install import FOLDER

# A formula of an abstract takes a quarter of a millisecond; one that takes this long is an attack.
TIME_LIMIT_S = 0.25
MEMORY_LIMIT = 64 << 20
MAX_FORMULA = 2_000
_CACHED = 8_192
# From about so many characters of source on, a formula may be wider than a column.
_LONG = 40

_PROGRAM = """
function render(tex) {
  var element = module.exports.renderToString(tex, {
    output: "mathml", throwOnError: true, strict: "ignore", trust: false, maxSize: 20, maxExpand: 300
  });
  // A long concatenation is held in pieces, which do not cross over to Python; JSON makes it one.
  return JSON.stringify(element);
}
"""


class FormulaError(ValueError):
    """A formula that KaTeX cannot read, or no KaTeX to read it."""


class _Renderer:
    """KaTeX in a thread of its own: a JavaScript context belongs to the thread that made it."""

    def __init__(self, script: Path):
        self._script = script
        self._context: quickjs.Context | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="katex")

    def render(self, tex: str) -> str:
        return self._thread.submit(self._render, tex).result()

    def _render(self, tex: str) -> str:
        try:
            if self._context is None:
                self._context = self._started()
            return json.loads(self._context.get("render")(tex))
        except OSError as error:
            raise FormulaError(f"KaTeX is not installed at {self._script}") from error
        except quickjs.JSException as error:
            # After running out of time or memory the context is not to be trusted any more.
            if "KaTeX parse error" not in str(error):
                self._context = None
            raise FormulaError(str(error).splitlines()[0][:200]) from error

    def _started(self) -> quickjs.Context:
        context = quickjs.Context()
        context.set_memory_limit(MEMORY_LIMIT)
        context.set_max_stack_size(1 << 20)
        context.eval("var module = {exports: {}}, exports = module.exports;")
        context.eval(self._script.read_text(encoding="utf-8"))
        context.eval(_PROGRAM)
        context.set_time_limit(TIME_LIMIT_S)
        return context


_lock = threading.Lock()
_renderer: _Renderer | None = None


def _shared_renderer() -> _Renderer:
    global _renderer
    with _lock:
        if _renderer is None:
            _renderer = _Renderer(FOLDER / "katex.min.js")
        return _renderer


@lru_cache(_CACHED)
def mathml(tex: str) -> str:
    """The formula ``tex`` (without its dollar signs) as a ``<math>`` element that carries its source.

    Where it cannot be rendered, the source itself as ``<code>``.
    """
    try:
        if len(tex) > MAX_FORMULA:
            raise FormulaError(
                f"the formula has {len(tex):,} characters, at most {MAX_FORMULA:,} are rendered"
            )
        rendered = _shared_renderer().render(escape_per_cent(_UNICODE.sub(_unicode_character, tex)))
    except FormulaError:
        return f'<code class="tex">{html.escape(tex.strip())}</code>'
    element = rendered.removeprefix('<span class="katex">').removesuffix("</span>")
    element = _VARIANT.sub(_letters, element)
    source = html.escape(tex.strip())
    if len(source) > _LONG:
        element = f'<span class="wide">{element}</span>'
    return element.replace('<math xmlns="http://www.w3.org/1998/Math/MathML"', f'<math title="{source}"', 1)


# MathJax, which arXiv uses, knows this command; KaTeX does not.
_UNICODE = re.compile(r"\\unicode\{x([0-9A-Fa-f]{2,5})\}")
# In one line of a formula nobody means the rest as a comment.
_PER_CENT = re.compile(r"(?<!\\)%")


def escape_per_cent(tex: str) -> str:
    """``tex`` with every per cent sign meant as one."""
    return _PER_CENT.sub(r"\\%", tex)


def _unicode_character(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return (
        f"\\text{{{character}}}" if character.isprintable() and character not in "{}\\$%#&_^~" else match[0]
    )


# Browsers draw single letters upright or italic only; the other alphabets are characters of their own.
_VARIANT = re.compile(r'<(m[a-z]+)((?: [a-z]+="[^"<>]*")*?) mathvariant="([a-z-]+)"([^<>]*)>([^<>&]*)<')
_ALPHABETS = {
    "bold": "BOLD",
    "italic": "ITALIC",
    "bold-italic": "BOLD ITALIC",
    "script": "SCRIPT",
    "bold-script": "BOLD SCRIPT",
    "fraktur": "FRAKTUR",
    "bold-fraktur": "BOLD FRAKTUR",
    "double-struck": "DOUBLE-STRUCK",
    "sans-serif": "SANS-SERIF",
    "bold-sans-serif": "SANS-SERIF BOLD",
    "sans-serif-italic": "SANS-SERIF ITALIC",
    "sans-serif-bold-italic": "SANS-SERIF BOLD ITALIC",
    "monospace": "MONOSPACE",
}


def _letters(match: re.Match[str]) -> str:
    tag, before, variant, after, text = match.groups()
    if variant not in _ALPHABETS:
        return match[0]
    return f"<{tag}{before}{after}>{''.join(_letter(variant, c) for c in text)}<"


@lru_cache(2_048)
def _letter(variant: str, character: str) -> str:
    """``character`` in the mathematical alphabet ``variant``, or itself where it has none there."""
    name = unicodedata.name(character, "").replace("LATIN ", "").replace("GREEK ", "")
    name = name.replace("LETTER ", "").replace("DIGIT ", "DIGIT ")
    for form in (f"MATHEMATICAL {_ALPHABETS[variant]} {name}", f"{_ALPHABETS[variant]} {name}"):
        try:
            return unicodedata.lookup(form)
        except KeyError:
            continue
    # ℝ ("DOUBLE-STRUCK CAPITAL R"), ℋ ("SCRIPT CAPITAL H"), ℭ ("BLACK-LETTER CAPITAL C") are older.
    if variant == "fraktur":
        try:
            return unicodedata.lookup(f"BLACK-LETTER {name}")
        except KeyError:
            pass
    return character
