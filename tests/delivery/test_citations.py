"""Citations: read back by the libraries that reference managers use, nothing is lost."""

from __future__ import annotations

import json
import re
from io import StringIO

import bibtexparser
import pytest
import rispy
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.delivery.citations import FORMATS, bibtex, citation_key, csl_json, names, ris
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Paper


def paper(**more: object) -> Paper:
    fields: dict[str, object] = {
        "key": 1,
        "id": "2405.15738",
        "title": "ConvLLaVA: Hierarchical Backbones as Visual Encoder for Large Multimodal Models",
        "abstract": "Detail costs tokens. A hierarchy of convolutions spares 45% & more.\n\nIt is open.",
        "authors": [Author("Chunjiang Ge"), Author("Gao Huang"), Author("Ludwig van Beethoven Jr.")],
        "published": "2024-05-24T17:34:15Z",
        "categories": ["cs.CV", "cs.AI"],
        "identifiers": [Identifier("arxiv", "2405.15738")],
    }
    return Paper(**{**fields, **more})  # type: ignore[arg-type]


def parsed_bibtex(one: Paper) -> tuple[str, str, dict[str, str]]:
    """(type, key, fields) of the one entry."""
    library = bibtexparser.parse_string(bibtex(one))
    assert not library.failed_blocks
    (entry,) = library.entries
    return entry.entry_type, entry.key, {field.key: field.value for field in entry.fields}


def test_bibtex_names_the_preprint_in_both_spellings() -> None:
    kind, key, fields = parsed_bibtex(paper())
    assert (kind, key) == ("misc", "ge2024convllava")
    assert fields["eprint"] == "2405.15738"
    assert fields["archivePrefix"] == "arXiv"
    assert fields["eprinttype"] == "arxiv"
    assert fields["primaryClass"] == "cs.CV"
    assert fields["year"] == "2024"
    assert fields["url"] == "https://arxiv.org/abs/2405.15738"
    assert fields["author"] == "Ge, Chunjiang and Huang, Gao and van Beethoven, Jr., Ludwig"
    assert r"45\% \& more" in fields["abstract"]
    assert "month = may," in bibtex(paper())


def test_bibtex_protects_capitals_and_leaves_formulas() -> None:
    title = parsed_bibtex(paper(title=r"The BERT and mRNA of $O(n_i^2)$: 50% Off & a_b"))[2]["title"]
    assert title == r"The {BERT} and {mRNA} of $O(n_i^2)$: 50\% {Off} \& a\_b"


@pytest.mark.parametrize(
    ("author", "parts"),
    [
        ("Ada Lovelace", ("Lovelace", "Ada", "")),
        ("Lovelace, Ada", ("Lovelace", "Ada", "")),
        ("Ludwig van der Rohe", ("van der Rohe", "Ludwig", "")),
        ("Martin Luther King Jr.", ("King", "Martin Luther", "Jr.")),
        ("King, Jr., Martin Luther", ("King", "Martin Luther", "Jr.")),
        ("Plato", ("Plato", "", "")),
        ("Van Nguyen", ("Nguyen", "Van", "")),
    ],
)
def test_names_are_cut_into_family_and_given(author: str, parts: tuple[str, str, str]) -> None:
    assert names(Author(author)) == parts


def test_teams_are_not_cut_into_names() -> None:
    team = paper(authors=[Author("The Planck Collaboration"), Author("Gemma Team")])
    assert "author = {{The Planck Collaboration} and {Gemma Team}}" in bibtex(team)
    assert [author["literal"] for author in json.loads(csl_json(team))[0]["author"]] == [
        "The Planck Collaboration",
        "Gemma Team",
    ]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, "ge2024convllava"),
        ({"title": "On the Use of A Thing"}, "ge2024use"),
        ({"authors": []}, "anonymous2024convllava"),
        ({"authors": [Author("Jürgen Größe")], "title": r"$\alpha$-Été"}, "große2024ete"),
        ({"published": None, "first_listed": "2023-01-02"}, "ge2023convllava"),
        ({"published": None, "title": "微调"}, "ge"),
    ],
)
def test_keys_are_readable_and_ascii(fields: dict[str, object], key: str) -> None:
    found = citation_key(paper(**fields))
    assert found.isascii()
    assert found == key.replace("ß", "ss")


def test_ris_is_read_back() -> None:
    (entry,) = rispy.load(StringIO(ris(paper(ai_keywords=["vision"]))))
    assert entry["type_of_reference"] == "UNPB"
    assert entry["title"] == paper().title
    assert entry["authors"] == ["Ge, Chunjiang", "Huang, Gao", "van Beethoven, Ludwig, Jr."]
    assert entry["year"] == "2024"
    assert entry["doi"] == "10.48550/arXiv.2405.15738"
    assert entry["urls"] == ["https://arxiv.org/abs/2405.15738"]
    assert entry["keywords"] == ["cs.CV", "cs.AI", "vision"]
    assert entry["abstract"].endswith("It is open.")


def test_csl_json_is_an_array_of_one_item() -> None:
    (item,) = json.loads(csl_json(paper()))
    assert item["id"] == "ge2024convllava"
    assert item["author"][2] == {"family": "van Beethoven", "given": "Ludwig", "suffix": "Jr."}
    assert item["issued"] == {"date-parts": [[2024, 5, 24]]}
    assert item["DOI"] == "10.48550/arXiv.2405.15738"
    assert (item["type"], item["publisher"], item["genre"]) == ("article", "arXiv", "preprint")


def test_a_published_paper_has_its_venue_and_its_own_doi() -> None:
    published = paper(
        venue="Computational Linguistics Journal",
        identifiers=[Identifier("doi", "10.1162/coli_a.1_2"), Identifier("arxiv", "2405.15738")],
    )
    kind, _, fields = parsed_bibtex(published)
    assert (kind, fields["journal"], fields["doi"]) == (
        "article",
        "Computational Linguistics Journal",
        "10.1162/coli_a.1_2",
    )
    (entry,) = rispy.load(StringIO(ris(published)))
    assert (entry["type_of_reference"], entry["doi"]) == ("JOUR", "10.1162/coli_a.1_2")
    assert parsed_bibtex(paper(venue="Proceedings of ACL"))[0] == "inproceedings"


def test_a_paper_of_which_only_the_title_is_known_can_be_cited() -> None:
    bare = Paper(
        1, "title-0123456789abcdef", "Alone", identifiers=[Identifier("title", "title-0123456789abcdef")]
    )
    for form in FORMATS.values():
        assert "Alone" in form.write(bare)
    assert parsed_bibtex(bare)[1] == "anonymousalone"


_TITLE = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=60
).filter(lambda text: text.strip())


@settings(max_examples=300, deadline=None)
@given(_TITLE, _TITLE, _TITLE)
def test_no_text_breaks_out_of_its_field(title: str, author: str, abstract: str) -> None:
    one = paper(title=title.strip(), authors=[Author(author.strip())], abstract=abstract.strip())
    _, _, fields = parsed_bibtex(one)
    assert set(fields) >= {"title", "author", "eprint", "url", "abstract"}
    (entry,) = rispy.load(StringIO(ris(one)))
    assert entry["title"] == " ".join(title.split())
    assert json.loads(csl_json(one))[0]["title"] == title.strip()


@pytest.mark.parametrize(
    "title", ["}, evil = {x", "{{{", "}}}", "a } b { c", r"\} \{", "a\\", "$", "$a", r"x \\"]
)
def test_braces_of_a_title_close_nothing(title: str) -> None:
    _, _, fields = parsed_bibtex(paper(title=title))
    assert "evil" not in fields
    assert fields["eprint"] == "2405.15738"


def test_ris_lines_cannot_be_forged() -> None:
    forged = ris(paper(title="A\r\nER  - \r\nTY  - BOOK", venue="B\nAU  - Mallory"))
    assert len(re.findall(r"^TY", forged, re.MULTILINE)) == 1
    assert "\nAU  - Mallory" not in forged
