"""Links printed in abstracts: found in every awkward form, repaired, told by kind, and never wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.model.links import add_printed_links, hub_name, links_in, page_link
from broadsheet.model.papers import Link
from broadsheet.model.validation import is_web_url

REPO = "https://github.com/ada/engine"


@pytest.mark.parametrize(
    "text",
    [
        "Code is at https://github.com/ada/engine.",
        "Code is at https://github.com/ada/engine .",
        "(https://github.com/ada/engine)",
        "(Code: https://github.com/ada/engine).",
        "[https://github.com/ada/engine].",
        '"https://github.com/ada/engine".',
        "**https://github.com/ada/engine**",
        "[code](https://github.com/ada/engine)",
        "<https://github.com/ada/engine>",
        "&lt;https://github.com/ada/engine&gt;",
        "https://github.com/ada/engine.git.",
        "https://github.com/ada/engine.The data follow",
        "https://github.com/ada/engine).We also",
        "https://github.com/ada/engine, and the data",
        "https://github.com/ada/engine,and the data",
        "https://github.com/ada/engine}",
        "https://github.com/ada/engine{here}.",
        "\\url{https://github.com/ada/engine}.",
        "\\href{https://github.com/ada/engine}{https://github.com/ada/engine}",
        "\\href{https://github.com/ada/engine}{\\texttt{github.com/ada/engine}}",
        "href{https://github.com/ada/engine}{this https URL}",
        "\\footnote{https://github.com/ada/engine.}",
        "$\\href{https://github.com/ada/engine}{code}$",
        "github.com/ada/engine",
        "at github.com/ada/engine.",
        "atgithub.com/ada/engine.",
        "athttps://github.com/ada/engine",
        "HTTPS://GitHub.com/ada/engine",
        "https: //github.com/ada/engine",
        "https:// github.com/ada/engine",
        "https :// github.com/ada/engine",
        "https:/github.com/ada/engine",
        "https://https://github.com/ada/engine",
        "https://github. com/ada/engine",
        "https://github .com/ada/engine",
        "https://github$.$com/ada/engine",
        "https://github.com/ ada/engine.",
        "https://github.com//ada/engine",
        "https://git\u00adhub.com/ada/engine\u200b",
        "https://github.com/ada/engine\nhttps://github.com/ada/engine/",
        "http://github.com/ada/engine",
    ],
)
def test_one_repository_in_every_form(text: str) -> None:
    assert links_in(text) == [("code", REPO)]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://github.com/ada/From\\_Coarse\\_to\\_Fine", "https://github.com/ada/From_Coarse_to_Fine"),
        ("https://github.com/lab/KD- OCT.", "https://github.com/lab/KD-OCT"),
        ("https://github.com/lab/ eka-eval.", "https://github.com/lab/eka-eval"),
        ("https://github.com/lab/ MoBind.", "https://github.com/lab/MoBind"),
        ("https://github.com/ada/CATR.github.io", "https://github.com/ada/CATR.github.io"),
        ("https://github.com/ada/Inverse++", "https://github.com/ada/Inverse++"),
        ("https://github.com/ada/Odd-.", "https://github.com/ada/Odd-"),
        ("https://github.com/ada/tpu/tree/master/models.", "https://github.com/ada/tpu/tree/master/models"),
        ("https://ada-lab. github.io/engine/.", "https://ada-lab.github.io/engine/"),
        ("https://huajian- zeng.github. io/projects/gmt/.", "https://huajian-zeng.github.io/projects/gmt/"),
        ("https://www.robots.ox.ac.uk/\\~vgg/x", "https://www.robots.ox.ac.uk/~vgg/x"),
        ("https://x.org/?a=1&amp;b=2", "https://x.org/?a=1&b=2"),
        ("https://en.wikipedia.org/wiki/Rust_(language)).", "https://en.wikipedia.org/wiki/Rust_(language)"),
        ("www.example.org/page.", "https://www.example.org/page"),
        ("ada.github.io/engine", "https://ada.github.io/engine"),
    ],
)
def test_awkward_addresses_are_repaired(text: str, url: str) -> None:
    assert [found for _, found in links_in(f"See {text}")] == [url]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Code will be on GitHub.",
        "available at this https URL",
        "on github.com under the MIT license",
        "https://github.com/",
        "https://github.com/SAI-",
        "https://github.com/xxx/xxx",
        "https://github.com/anonymous/paper",
        "https://open-upon-acceptance.",
        "https://(open-upon-acceptance)",
        "https://anonymous/Code",
        "git@github.com:ada/engine.git",
        "we use http and https requests",
        "ratio 3.5/2.1 www. words",
        "https://huajian-zeng.github.",
        "mail ada@www.example.org",
        "https://",
        "http://[::1",
    ],
)
def test_what_leads_nowhere_is_no_link(text: str) -> None:
    assert links_in(text) == []


def test_a_word_after_an_owner_is_no_repository() -> None:
    assert links_in("https://github.com/yongxianLiu/ soon.") == [("other", "https://github.com/yongxianLiu/")]
    assert [url for _, url in links_in("https://github.com/lab/tool/ and more")] == [
        "https://github.com/lab/tool/"
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://gitlab.com/a/b", "code"),
        ("https://git.ecdf.ed.ac.uk/a/b", "code"),
        ("https://anonymous.4open.science/r/x-1", "code"),
        ("https://huggingface.co/ada/engine-7b", "model"),
        ("https://hf.co/datasets/ada/words", "dataset"),
        ("https://huggingface.co/spaces/ada/demo", "space"),
        ("https://hf-mirror.example.workers.dev/datasets/ada/words", "dataset"),
        ("https://huggingface.co/collections/ada/all", "other"),
        ("https://huggingface.co/ada", "other"),
        ("https://ada.github.io", "project"),
        ("https://sites.google.com/view/x", "project"),
        ("https://youtu.be/abc", "video"),
        ("https://arxiv.org/abs/2407.21783", "other"),
        ("Project page: https://example.org/x", "project"),
        ("Code is available at https://aka.ms/x", "code"),
        ("Code and the project page are at https://example.org/x", "project"),
        ("We wrote code. The survey is at https://example.org/x", "other"),
        ("data: https://example.org/x", "other"),
    ],
)
def test_kinds_are_told_by_host_and_by_the_words_before(text: str, kind: str) -> None:
    assert [found for found, _ in links_in(text)] == [kind]


def test_several_links_keep_their_order() -> None:
    text = "Page: https://ada.github.io/x/. Code: https://github.com/ada/x.Data: https://huggingface.co/datasets/ada/x"
    assert links_in(text) == [
        ("project", "https://ada.github.io/x/"),
        ("code", "https://github.com/ada/x"),
        ("dataset", "https://huggingface.co/datasets/ada/x"),
    ]


def test_printed_links_join_those_that_are_known() -> None:
    links = [Link("code", "https://github.com/ada/engine/", "daily_papers", "githubRepo")]
    add_printed_links(links, f"{REPO} and https://huggingface.co/ada/model", "daily_papers")
    assert [(link.kind, link.provenance, link.data) for link in links] == [
        ("code", "githubRepo", None),
        ("model", "abstract", {"id": "ada/model"}),
    ]
    add_printed_links(links, None, "daily_papers")
    assert len(links) == 2


def test_the_address_of_a_paper_is_its_page_its_pdf_or_its_code() -> None:
    assert page_link("https://example.org/p", "s", "url").kind == "abstract"
    assert page_link("https://example.org/p.PDF?x=1", "s", "url").kind == "pdf"
    assert page_link(REPO, "s", "url").kind == "code"
    assert hub_name("https://huggingface.co/datasets/ada/words/tree/main") == "ada/words"


@given(
    st.text(alphabet="https:/.wgitubcom-_ \n{}()\\ab&;,", max_size=300).map(
        lambda text: f"http {text} github.com/"
    )
)
def test_whatever_is_found_is_an_address(text: str) -> None:
    for _, url in links_in(text):
        assert is_web_url(url)
        assert " " not in url


def test_long_texts_take_no_long_time() -> None:
    for piece in ("http://a.b/c ", "https: ", "github.com/", "a-", "https://a.b/((((", "www.", ".github.io"):
        links_in(piece * 20_000)


def test_links_of_real_abstracts_are_addresses_of_known_hosts(shared) -> None:
    import gzip
    import json

    count, odd = 0, []
    with gzip.open(shared / "data" / "daily_papers.jsonl.gz") as lines:
        for line in lines:
            paper = json.loads(line)
            for kind, url in links_in(paper["abstract"]):
                count += 1
                host = url.split("/")[2]
                if (
                    not is_web_url(url)
                    or host.endswith(".")
                    or (kind == "code" and host == "github.com" and url.count("/") < 4)
                ):
                    odd.append(url)
    assert count > 2_500
    assert odd == []
