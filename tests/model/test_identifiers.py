"""Identifiers: every written form of an id gives the one canonical spelling, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.model.identifiers import (
    Identifier,
    acl_identifier,
    arxiv_identifier,
    canonical,
    doi_identifier,
    find_identifier,
    openreview_identifier,
    title_identifier,
    url_identifier,
)


@pytest.mark.parametrize(
    ("text", "value", "version"),
    [
        ("2407.21783", "2407.21783", None),
        ("arXiv:2407.21783v2", "2407.21783", 2),
        ("arXiv: 2407.21783 [cs.CL]", "2407.21783", None),
        ("ARXIV:0704.0001v12", "0704.0001", 12),
        ("1412.6980", "1412.6980", None),
        ("hep-th/9901001", "hep-th/9901001", None),
        ("math.CA/0611800v2", "math/0611800", 2),
        ("cond-mat.str-el/0102536", "cond-mat/0102536", None),
        ("https://arxiv.org/abs/2407.21783v3", "2407.21783", 3),
        ("http://www.arxiv.org/pdf/2407.21783.pdf", "2407.21783", None),
        ("https://arxiv.org/pdf/hep-th/9901001v1", "hep-th/9901001", 1),
        ("https://export.arxiv.org/abs/math.CA/0611800", "math/0611800", None),
        ("arxiv.org/abs/2407.21783?context=cs", "2407.21783", None),
        ("https://arxiv.org/html/2407.21783v2#S1", "2407.21783", 2),
        ("https://huggingface.co/papers/2407.21783", "2407.21783", None),
        ("https://huggingface.co/papers/2407.21783.md", "2407.21783", None),
        ("https://ar5iv.labs.arxiv.org/html/2407.21783", "2407.21783", None),
        ("https://www.alphaxiv.org/abs/2407.21783", "2407.21783", None),
        ("10.48550/arXiv.2407.21783", "2407.21783", None),
        ("https://doi.org/10.48550/ARXIV.hep-th/9901001v2", "hep-th/9901001", 2),
        ("<https://arxiv.org/abs/2407.21783>", "2407.21783", None),
    ],
)
def test_arxiv_ids_in_every_written_form(text: str, value: str, version: int | None) -> None:
    assert find_identifier(text) == Identifier("arxiv", value, version)


@pytest.mark.parametrize(
    "text",
    [
        "2413.21783",  # no month 13
        "2400.21783",
        "1501.1234",  # five digits from 2015 on
        "1412.12345",  # four until then
        "0612.1234",  # the scheme began in April 2007
        "9901.00001",
        "2407.217833",
        "2407.21783v0",
        "hep-xx/9901001",
        "hep-th/9913001",
        "hep-th/990100",
        "24O7.21783",
        "",
        "2407.21783 and more",
    ],
)
def test_what_is_no_arxiv_id(text: str) -> None:
    assert arxiv_identifier(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10.1038/nature14539", "10.1038/nature14539"),
        ("DOI: 10.1000/ABC", "10.1000/abc"),
        ("https://doi.org/10.1000/a%2Fb", "10.1000/a/b"),
        ("http://dx.doi.org/10.1007/JHEP02(2016)087", "10.1007/jhep02(2016)087"),
        ("10.1000.10/sub", "10.1000.10/sub"),
        ("10.1016/x.", "10.1016/x"),
    ],
)
def test_dois(text: str, value: str) -> None:
    assert find_identifier(text) == Identifier("doi", value)


@pytest.mark.parametrize("text", ["10.1/x", "10.1000", "11.1000/x", "10.1000/a b", "10.1000/\x00", "doi:"])
def test_what_is_no_doi(text: str) -> None:
    assert doi_identifier(text) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("P19-1001", "acl:P19-1001"),
        ("acl:2020.acl-main.1", "acl:2020.acl-main.1"),
        ("https://aclanthology.org/2021.findings-emnlp.329/", "acl:2021.findings-emnlp.329"),
        ("https://www.aclweb.org/anthology/P19-1001.pdf", "acl:P19-1001"),
        ("https://aclanthology.org/2020.acl-main.1v2.pdf", "acl:2020.acl-main.1"),
        ("openreview:rJXMpikCZ", "openreview:rJXMpikCZ"),
        ("https://openreview.net/forum?id=rJXMpikCZ&noteId=x", "openreview:rJXMpikCZ"),
        ("https://openreview.net/pdf?id=rJXMpikCZ", "openreview:rJXMpikCZ"),
        ("title-0123456789abcdef", "title:title-0123456789abcdef"),
    ],
)
def test_acl_openreview_and_made_ids(text: str, key: str) -> None:
    found = find_identifier(text)
    assert found.key == key
    assert Identifier.from_key(key) == found


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/2407.21783",
        "https://arxiv.org/list/cs.CL/recent",
        "https://huggingface.co/meta-llama/Llama-3",
        "https://[broken",
        "http://::1]",
        "just words",
        "x" * 3000,
        "2407.21783\n2407.21784",
        "acl:nothing",
        "",
    ],
)
def test_what_names_no_paper(text: str) -> None:
    assert find_identifier(text) is None


def test_an_acl_volume_is_no_paper() -> None:
    assert acl_identifier("2020.acl-main") is None
    assert openreview_identifier("short") is None


def test_titles_that_are_one_have_one_made_id() -> None:
    assert title_identifier("Poincaré ResNet") == title_identifier("Poincar\\'e  resnet.")
    assert title_identifier("PEPSI") != title_identifier("PEPSI++")


def test_the_canonical_id_is_that_of_the_first_scheme() -> None:
    made, doi, arxiv = (
        title_identifier("T"),
        Identifier("doi", "10.1000/x"),
        Identifier("arxiv", "2407.21783", 2),
    )
    assert canonical([made, doi]) is doi
    assert canonical([made, doi, arxiv]) is arxiv


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=80), st.text(alphabet="arxiv.org/:htps[]0123456789v?=&%10doi-", max_size=60))
)
def test_no_text_raises_and_what_is_found_is_found_again(text: str) -> None:
    found = find_identifier(text)
    url_identifier(text)
    if found and found.scheme in ("arxiv", "doi", "acl"):
        assert find_identifier(found.value) == Identifier(found.scheme, found.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("https://pubmed.ncbi.nlm.nih.gov/31452104/", "pmid:31452104"),
        ("pmid:31452104", "pmid:31452104"),
        ("PMC6910967", "pmcid:PMC6910967"),
        ("pmcid:6910967", "pmcid:PMC6910967"),
        ("https://pmc.ncbi.nlm.nih.gov/articles/PMC6910967/", "pmcid:PMC6910967"),
        ("https://www.ncbi.nlm.nih.gov/pmc/articles/PMC6910967/pdf/x.pdf", "pmcid:PMC6910967"),
        ("https://openalex.org/W2741809807", "openalex:W2741809807"),
        ("openalex:w2741809807", "openalex:W2741809807"),
        ("https://www.semanticscholar.org/paper/Title-of-it/" + "0a" * 20, "s2:" + "0a" * 20),
        ("CorpusId:215416146", "s2:215416146"),
        (
            "https://www.biorxiv.org/content/10.1101/2020.01.30.927871v2.full.pdf",
            "doi:10.1101/2020.01.30.927871",
        ),
        ("https://www.medrxiv.org/content/10.1101/19007971v1", "doi:10.1101/19007971"),
    ],
)
def test_ids_of_the_indexes_in_every_written_form(text: str, key: str) -> None:
    assert find_identifier(text) == Identifier.from_key(key)


@pytest.mark.parametrize("text", ["31452104", "W27", "pmid:0", "pmcid:x", "https://openalex.org/A1969205032"])
def test_what_is_no_id_of_an_index(text: str) -> None:
    assert find_identifier(text) is None


def test_where_a_paper_was_published_names_it_before_the_indexes_do() -> None:
    keys = ["s2:1", "openalex:W2741809807", "pmcid:PMC1", "pmid:1", "doi:10.1/x"]
    assert canonical([Identifier.from_key(key) for key in keys]).key == "doi:10.1/x"
    assert canonical([Identifier.from_key(key) for key in keys[:-1]]).key == "pmid:1"
