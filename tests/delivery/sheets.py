"""Sheets for tests, with texts as hostile and as foreign as papers have them."""

from __future__ import annotations

from broadsheet.delivery import tex
from broadsheet.delivery.print import Sheet, Story

# Each of these would fail, or do worse, if it were read as markup of typst, XML or HTML.
HOSTILE = (
    '#panic("read as code") #read("/etc/passwd") #eval("1/0")',
    '#import "@preview/nothing:0.0.1": * @reference <label> *a* _b_ `c` /* d */ // e',
    "]]> <script>alert(1)</script> </title> &amp; <!-- -- > <![CDATA[ ${x} {{ x }} {% raw %}",
    "\\ \\n \" ' $ unclosed [ ( { ]",
)
FOREIGN = (
    "注意力机制综述：大型语言模型",
    "مرحبا بالعالم",
    "हिन्दी में लेख",
    "😀 🎉 👩‍🔬",
    "Ünïcödé Ελληνικά Кириллица",
    "e\u0301\u0327 \u202eabc",
)
FORMULAS = (
    r"$\sum_{i=1}^{n} x_i^2 \leq \frac{1}{2}$",
    r"$\mathcal{O}\left(n \log n\right)$",
    r"$\mathbb{R}^{n \times m}$",
    r"$\begin{pmatrix} a & b \\ c & d \end{pmatrix}$",
    r"$\hat{x}, \tilde{O}(\sqrt{T}), \vec{v}, \bar{x}, \dot{q}$",
    r"$\sqrt[3]{x} + \overline{ab} + \underline{cd}$",
    r"$\underbrace{a+b}_{c} + \overbrace{d}^{e}$",
    r"$\arg\max_{x} f(x), \lim_{n \to \infty}$",
    r"$\binom{n}{k} + {n \choose k}$",
    r"$\mathbf{x}^\top \boldsymbol{\theta}$",
    r"$\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}$",
    r"$p_\theta(y \mid x), \lVert x \rVert_2, 10^{-3}$",
    r"$\xrightarrow{f}$",
    r"$\stackrel{d}{=}$",
    r"$\not= \mathrm{d}x\, \int_0^1$",
    r"$^{13}\mathrm{C}$",
    r"$\prescript{}{}{x}$",
    r"$\undefined{x}$",
    r"$x''$",
    r"$\textcolor{red}{x} \boxed{y} \phantom{z} \cancel{w}$",
    "$" + "{" * 60 + "x" + "}" * 60 + "$",
    "$" + r"\sqrt{" * 40 + "x" + "}" * 40 + "$",
    "$" + "+".join(f"x_{{{n}}}^2" for n in range(90)) + "$",
)


def story(title: str, text: str = "Reeds are counted. Twice, at night.", **more: object) -> Story:
    """A story of ``title`` and ``text``, written as TeX."""
    given = {
        "id": "2605.10001",
        "url": "https://papers.example.org/papers/2605.10001",
        "title": str(tex.html_of(title)),
        "byline": "Ada Lovelace and Emmy Noether",
        "kicker": "wetlands",
        "standfirst": "Counted from what they say.",
        "sentences": [str(tex.html_of(f"{one}.")) for one in text.rstrip(".").split(". ")],
        "facts": "40 upvotes",
    }
    return Story(**{**given, **more})


def sheet(*stories: Story, **more: object) -> Sheet:
    given = {
        "id": "https://papers.example.org/papers/date/2026-05-29",
        "name": "Marsh Post",
        "tagline": "The daily paper of the reeds",
        "date": "Friday, 29 May 2026",
        "iso_date": "2026-05-29",
        "url": "https://papers.example.org/papers/date/2026-05-29",
        "stories": list(stories),
        "number": "No. 28",
        "total": len(stories),
        "topics": [("wetlands", 5), ("bioacoustics", 2)],
    }
    return Sheet(**{**given, **more})


def hostile_sheet(**fields: str) -> Sheet:
    """A sheet of which every text is hostile, foreign or a formula; ``fields`` are of its masthead."""
    texts = (*HOSTILE, *FOREIGN, *FORMULAS)
    stories = (
        story(
            text,
            f"{text}. And {text}",
            byline=text,
            kicker=text,
            facts=text,
            standfirst=str(tex.html_of(text)),
        )
        for text in texts
    )
    return sheet(*stories, **fields, topics=[(text, 3) for text in texts])
