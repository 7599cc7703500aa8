"""TeX in titles and abstracts: what is rendered, what stays, and that nothing becomes an element."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.delivery import katex, tex
from broadsheet.delivery.katex_install import install


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            r"Poincar\'e, G\"odel, {\'e}, \c{c}, \v{s}koda, \H{o}, \'{\i}",
            "Poincaré, Gödel, é, ç, škoda, ő, í",
        ),
        (r"{\L}ukasz and \o re and stra{\ss}e", "Łukasz and øre and straße"),
        (r"45\% of \$3 \& \#1 in a\_b", "45% of $3 & #1 in a_b"),
        (r"``quoted'' and `single' but don't", "“quoted” and ‘single’ but don't"),
        ("pages 3--7, and---so, a -- b, --help, ---", "pages 3–7, and—so, a – b, --help, ---"),
        (r"10\times faster, 90\deg, \eg this, \ie that", "10× faster, 90°, e.g. this, i.e. that"),
        ("Figure~1, about ~5%, http://a.org/~ada", "Figure\u00a01, about ~5%, http://a.org/~ada"),
        (
            r"\emph{a} \textbf{b \textit{c}} {\em d} \textcolor{red}{e} \url{https://a.org/x_y}",
            "a b c d e https://a.org/x_y",
        ),
        (r"$\alpha$-divergence in $O(n \log n)$ on $\mathbb{R}^d$", "α-divergence in O(n log n) on ℝ^d"),
        (r"see \cite{Toker2024-ve}", "see [Toker2024-ve]"),
        ("", ""),
    ],
)
def test_text_mode_tex_becomes_unicode(source: str, shown: str) -> None:
    assert tex.plain_of(source) == shown


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10 per run.",
        "From $1.5M to $3M, under $1,000 USD.",
        "A lone $ sign, 100% sure, <50$ in all.",
        "Over $1 billion or ($0.70M), at 4$ an hour.",
        r"C:\new\table and \ourmethod stay.",
        "a_b ^ c & d # e { f } ~ g",
        "use --flag or <think> tokens",
    ],
)
def test_prices_paths_and_flags_stay_what_they_are(text: str) -> None:
    assert tex.plain_of(text) == text
    assert lxml.html.fromstring(f"<p>{tex.html_of(text)}</p>").text_content() == text


def test_protected_quotation_marks_are_no_accents() -> None:
    assert tex.plain_of(r"{\"key\": \"a\"}") == '{"key": "a"}'
    assert tex.plain_of(r"\"Uber M\"obius") == "Über Möbius"


def test_formulas_and_prices_in_one_text_are_told_apart() -> None:
    found = list(tex.parts(r"For $5, not $x$ but \(y\), at \$3 and $z^2$."))
    assert [part for is_math, part in found if is_math] == ["x", "y", "z^2"]


def test_a_formula_is_mathml_that_carries_its_source() -> None:
    element = lxml.html.fromstring(tex.html_of(r"$\frac{1}{2} < \mathcal{L}$"))
    assert element.tag == "math"
    assert element.get("title") == r"\frac{1}{2} < \mathcal{L}"
    assert element.xpath(".//annotation")[0].text == r"\frac{1}{2} < \mathcal{L}"
    assert element.xpath(".//mfrac")
    # Browsers know no script letters by attribute; they must come as characters.
    assert "ℒ" in element.text_content()
    assert not element.xpath(".//*[@mathvariant and @mathvariant != 'normal']")


@pytest.mark.parametrize(
    ("source", "letters"),
    [
        (r"\mathbb{R}\mathbb{Q}\mathbb{1}", "ℝℚ𝟙"),
        (r"\mathcal{AL}", "𝒜ℒ"),
        (r"\mathbf{x}", "𝐱"),
        (r"\mathfrak{gC}", "𝔤ℭ"),
        (r"\mathsf{T}", "𝖳"),
        (r"\boldsymbol{\theta}", "𝜽"),
    ],
)
def test_letters_of_other_alphabets_are_characters(source: str, letters: str) -> None:
    text = lxml.html.fromstring(katex.mathml(source)).xpath("string(.//semantics/*[1])")
    assert all(letter in text for letter in letters), text


@pytest.mark.parametrize("source", [r"\undefined{x}", r"\frac{1}", "{", "}", "x" * 5_000])
def test_what_cannot_be_rendered_is_shown_as_its_source(source: str) -> None:
    element = lxml.html.fromstring(katex.mathml(source))
    assert element.tag == "code"
    assert source in element.text_content()


def test_a_formula_makes_no_links_and_no_styles() -> None:
    for source in (r"\href{javascript:alert(1)}{x}", r"\htmlStyle{color:red}{x}", r"\url{https://a.org}"):
        element = lxml.html.fromstring(katex.mathml(source))
        assert not element.xpath(".//@href | .//@style | .//a")


def test_a_formula_that_never_ends_is_stopped_and_others_go_on() -> None:
    bomb = r"\def\a{\a\a\a\a}\a" + "{" * 500
    assert katex.mathml(bomb).startswith("<code")
    assert katex.mathml(r"\sqrt{a + b}").startswith("<math")


def test_formulas_render_from_many_threads() -> None:
    rendered: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda n=n: rendered.__setitem__(n, katex.mathml(f"x_{{{n}}} + {n}")))
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"<mn>{n}</mn>" in rendered[n] for n in range(40))


_HOSTILE = st.lists(
    st.sampled_from(
        [
            "<script>",
            "</math>",
            "$",
            "\\(",
            "\\)",
            '"',
            "'",
            "<",
            ">",
            "&",
            "\\text{",
            "}",
            "{",
            "\\href{javascript:x}{",
            "x",
            " ",
            "\\textbf{",
            "\\url{",
            "``",
            "''",
            "https://a.b/<svg/onload=1>",
            "\\unicode{x3c}",
            "%",
            "--",
            "\\",
            "\n\n",
            "\U000f0001",
            "\\'e",
        ]
    ),
    max_size=24,
).map("".join)

_ALLOWED = {
    "p",
    "em",
    "strong",
    "code",
    "sup",
    "sub",
    "a",
    "span",
    "math",
    "semantics",
    "annotation",
    "mrow",
    "mi",
    "mo",
    "mn",
    "mtext",
    "mspace",
    "msup",
    "msub",
    "msubsup",
    "mfrac",
    "mstyle",
    "mpadded",
    "mover",
    "munder",
    "munderover",
    "mtable",
    "mtr",
    "mtd",
    "mphantom",
    "menclose",
    "msqrt",
    "mroot",
    "merror",
}


@settings(max_examples=400, deadline=None)
@given(_HOSTILE)
def test_no_text_becomes_an_element_that_is_not_ours(text: str) -> None:
    for links in (False, True):
        element = lxml.html.fromstring(f"<p>{tex.html_of(text, links)}</p>")
        for one in element.iter():
            assert one.tag in _ALLOWED, one.tag
            assert not [name for name in one.attrib if name.startswith("on") or name == "style"]
            assert one.get("href", "https://").startswith(("https://", "http://"))
    tex.plain_of(text)


def test_without_katex_formulas_are_readable_sources(tmp_path: Path) -> None:
    program = (
        "from broadsheet.delivery import katex, tex\n"
        f"katex.FOLDER = __import__('pathlib').Path({str(tmp_path)!r})\n"
        "print(tex.html_of('An $O(n^2)$ bound'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'An <code class="tex">O(n^2)</code> bound'


def test_katex_is_installed_once_and_checked_each_time() -> None:
    path = install()
    written = path.stat().st_mtime_ns
    assert install().stat().st_mtime_ns == written


def test_real_abstracts_lose_nothing_and_hardly_a_formula(shared: Path) -> None:
    formulas = failed = 0
    with gzip.open(shared / "data" / "arxiv_papers.jsonl.gz", "rt") as lines:
        for number, line in enumerate(lines):
            if number > 20_000:
                break
            abstract = json.loads(line).get("abstract") or ""
            if "$" not in abstract and "\\" not in abstract:
                continue
            shown = tex.plain_of(abstract)
            assert len(shown) > 0.5 * len(abstract)
            for is_math, part in tex.parts(abstract):
                formulas += is_math
                failed += is_math and katex.mathml(part).startswith("<code")
            # No words of the abstract are lost: all long ones are found again.
            words = set(
                re.findall(
                    r"(?<![\\A-Za-z])[A-Za-z]{9,}(?![A-Za-z{])",
                    re.sub(r"\$[^$]*\$|\\\w+(\{[^}]*\})*", " ", abstract),
                )
            )
            assert not {word for word in words if word not in shown}, abstract
    assert formulas > 500
    assert failed < 0.02 * formulas
