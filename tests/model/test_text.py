"""Text: cleaning keeps the words and loses what is dangerous; keys agree for one title and no other."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.model.text import (
    abstracts_agree,
    authors_agree,
    clean_line,
    clean_paragraphs,
    surname,
    title_key,
    words,
)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  a\tb\r\nc ", "a b c"),
        ("a\u00a0b", "a b"),
        ("a\x00b\x07", "ab"),
        ("e\u0301", "é"),
        ("e\u200b\u0301", "é"),
        ("\u202eevil\u202c", "evil"),
        ("\ud800x", "\ufffdx"),
        ("<script>", "<script>"),
        ("", ""),
    ],
)
def test_a_line_is_clean(raw: str, clean: str) -> None:
    assert clean_line(raw) == clean


def test_paragraphs_are_kept_and_wrapped_lines_joined() -> None:
    assert clean_paragraphs("one\ntwo\r\n\r\n three\n\n\n") == "one two\n\nthree"
    # arXiv begins a paragraph by indenting its first line.
    assert clean_paragraphs("one\ntwo\n  three\nfour") == "one two\n\nthree four"


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean_line(clean_line(text)) == clean_line(text)
    assert clean_paragraphs(clean_paragraphs(text)) == clean_paragraphs(text)
    assert unicodedata.is_normalized("NFC", clean_line(text))
    assert "\n" not in clean_line(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Poincaré ResNet", "Poincar\\'e ResNet"),
        ("Poincaré ResNet", "Poincar\\'{e}  RESNET."),
        ("Rønnow's Łemma", "R{\\o}nnow's {\\L}emma"),
        ("A &amp; B", "A & B"),
        ("\\textit{In vivo} $\\mathcal{X}$-Net", "In vivo X-Net"),
        ("O(n^2) Cost", "$O(n^2)$ cost"),
        ("3.5$\\times$ faster", "3.5times faster"),
        ("Naïve: a title", "Naive a — Title"),
        ("Ångström", '{\\AA}ngstr{\\"o}m'),
        ("β-VAE", "$\\beta$-VAE"),
        ("Δ-learning with ϵ-greedy search", "$\\Delta$-Learning with $\\varepsilon$-greedy search"),
        ("Measuring µSR", "Measuring $\\mu$SR"),
        ("H → γγ at 13 TeV", "$H \\to \\gamma\\gamma$ at 13 TeV"),
        ("3.5× faster", "3.5$\\times$ faster"),
        ("CO₂ and ℓ₁ on ℝⁿ", "CO$_2$ and $\\ell_1$ on $\\mathbb{R}^n$"),
        ("Lévy and Itô", "L\\'evy \\& It\\^o"),
        ("Reading and Writing", "Reading &amp; Writing"),
        ("E. coli in CO2", "<i>E. coli</i> in CO<sub>2</sub>"),
        ("Đoković, Þór", "{\\DJ}okovi\\'c, {\\TH}\\'or"),
    ],
)
def test_tellings_of_one_title_agree(one: str, other: str) -> None:
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PEPSI: Fast Inpainting", "PEPSI++: Fast Inpainting"),
        (
            "DARTS: Differentiable Architecture Search",
            "D-DARTS: Distributed Differentiable Architecture Search",
        ),
        ("Lectures, Part I", "Lectures, Part II"),
        ("Programs in C", "Programs in C#"),
        ("GPT-3", "GPT-4"),
        ("Agents: A Survey", "Agents: A Survey, v2"),
        ("Results of the task, 2023", "Results of the task, 2024"),
        ("Pigeons", "Erratum: Pigeons"),
        ("Pigeons", "Comment on 'Pigeons'"),
        ("α-decay", "β-decay"),
        ("$\\alpha$-decay", "β-decay"),
        ("\\texture maps", "maps"),
        ("深層学習", "深層学習の方法"),
    ],
)
def test_different_titles_stay_apart(one: str, other: str) -> None:
    assert title_key(one) != title_key(other)


ABSTRACT = (
    "We hide most patches of a picture and ask a network to draw them again, which is cheaper than "
    "what was done before and gives better features for all the tasks that we try."
)


def test_tellings_of_one_abstract_agree() -> None:
    assert abstracts_agree(ABSTRACT, ABSTRACT.replace("picture", "photograph").upper())
    assert abstracts_agree(ABSTRACT, ABSTRACT[:90])
    assert not abstracts_agree(
        ABSTRACT, "This thesis collects five years of work on kernels whose elements may move about."
    )
    assert not abstracts_agree("", "")
    assert abstracts_agree("One two.", "one TWO")


def test_names_agree_in_both_orders() -> None:
    assert surname("Ada Lovelace") == surname("Lovelace, Ada") == "lovelace"
    assert surname("") == ""
    assert authors_agree(["Ada Lovelace", "Charles Babbage"], ["Lovelace, A.", "Babbage, C."])
    assert authors_agree(["Ada Lovelace", "Charles Babbage", "Mary Somerville"], ["Ada Lovelace"])
    assert not authors_agree(["Ada Lovelace"], ["Mary Somerville"])
    assert not authors_agree([], ["Ada Lovelace"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Laurens van der Maaten", "van der Maaten, L."),
        ("Jürgen Müller", "Mueller, J."),
        ("Karl Größe", "K. Grosse"),
        ("Søren Ångström", "Soren Angstrom"),
        ("John Smith Jr.", "Smith, Jr., John"),
        ("Gabriel García Márquez", "Garcia Marquez, Gabriel"),
        ("Wei Zhang", "Zhang Wei"),
    ],
)
def test_a_name_is_the_same_in_every_form(one: str, other: str) -> None:
    assert authors_agree([one, "Ada Lovelace"], [other, "Lovelace, A.", "others"])
    assert not authors_agree([one], ["others"])


def test_words_are_folded_in_order() -> None:
    assert words("The Größe, of_things!") == ["the", "grösse", "of", "things"]
