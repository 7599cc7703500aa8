"""The query language: what people type and paste comes to mean what they meant, and nothing fails."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.model.identifiers import Identifier
from broadsheet.search.query import (
    MAX_RESTRICTIONS,
    MAX_TYPED,
    Clause,
    Filters,
    Query,
    has_filter,
    parse,
    with_filter,
    with_sort,
    without_filter,
    written,
)

TODAY = date(2026, 11, 21)

# An abstract of our own, with all that could be taken for an operator.
PROSE = (
    'Counting birds by ear is slow. We train a model -small enough for a phone- on "weakly labelled" nights '
    "of recordings and ask: does it hear what people hear? note: every label was given twice, by two people "
    "who did NOT know of each other. The title: field of a recording is ignored. Errors fall by a third, "
    "cat:s and dogs included."
)


def ask(typed: str) -> Query:
    return parse(typed, TODAY)


def meaning(query: Query) -> tuple[object, ...]:
    """What two queries must share to be the same."""
    return (query.text, query.required, query.excluded, query.filters, query.sort)


def assert_plain(query: Query) -> None:
    assert not query.restricted
    assert query.sort == "relevance"


# -- words, phrases, exclusions


def test_words_are_searched_for_as_they_are_written() -> None:
    query = ask("  GPT-4   for state-of-the-art\tC++ ")
    assert query.text == query.typed == "GPT-4 for state-of-the-art C++"
    assert_plain(query)
    assert query.notes == ()


@pytest.mark.parametrize(
    "typed",
    [
        'deep "neural network" pruning',
        "deep “neural network” pruning",
        "deep «neural network» pruning",
        "deep « neural network » pruning",
        "deep „neural network“ pruning",
        "deep \"neural network'' pruning",
    ],
)
def test_a_phrase_is_required_and_stays_in_the_text(typed: str) -> None:
    query = ask(typed)
    assert query.required == (Clause("any", "neural network", True),)
    assert query.text == "deep neural network pruning"


def test_a_quotation_mark_within_a_word_opens_nothing() -> None:
    assert_plain(ask('the 19" rack of Schr\\"odinger'))


def test_a_minus_before_a_word_or_phrase_excludes_it() -> None:
    query = ask('transformers -survey -"position paper" -title:review -author:"Ada Lovelace"')
    assert query.text == "transformers"
    assert query.excluded == (
        Clause("any", "survey", False),
        Clause("any", "position paper", True),
        Clause("title", "review", False),
        Clause("author", "Ada Lovelace", True),
    )


def test_a_hyphenated_word_is_excluded_as_a_phrase() -> None:
    assert ask("x -state-of-the-art").excluded == (Clause("any", "state-of-the-art", True),)


@pytest.mark.parametrize(
    "typed",
    [
        "-",
        "--",
        "a - b",
        "a -- b",
        "GPT-4",
        "pre- and post-training",
        "f(-x)",
        "[Fe/H] < -4",
        "shifted by -",
        "(-x)",
        "energy $E \\sim -4.8$ stars",
    ],
)
def test_dashes_and_signs_exclude_nothing(typed: str) -> None:
    query = ask(typed)
    assert_plain(query)
    assert query.notes == ()


def test_a_minus_in_the_middle_of_a_title_is_a_dash_and_says_so() -> None:
    query = ask("Deep learning -based review of cancer outcomes")
    assert_plain(query)
    assert query.text == "Deep learning based review of cancer outcomes"
    assert "write it at the end" in query.notes[0]


# -- fields


def test_fields_restrict_and_only_authors_stay_out_of_the_text() -> None:
    query = ask('title:pruning TITLE:"lottery tickets" abstract:sparse author:"Geoffrey Hinton" author:dean')
    assert query.text == "pruning lottery tickets sparse"
    assert query.required == (
        Clause("title", "pruning", False),
        Clause("title", "lottery tickets", True),
        Clause("abstract", "sparse", False),
        Clause("author", "Geoffrey Hinton", True),
        Clause("author", "dean", False),
    )


def test_a_field_holds_for_one_word_and_the_rest_are_words() -> None:
    query = ask("title:attention is all you need")
    assert query.required == (Clause("title", "attention", False),)
    assert query.text == "attention is all you need"


def test_authors_may_be_written_family_name_first_or_as_arxiv_does() -> None:
    assert ask('author:"Hinton, Geoffrey"').required == (Clause("author", "Geoffrey Hinton", True),)
    assert ask("au:del_maestro").required == (Clause("author", "del maestro", True),)


def test_two_authors_behind_one_colon_are_explained() -> None:
    query = ask("author:hinton,lecun")
    assert_plain(query)
    assert query.text == "author hinton,lecun"
    assert "takes one name" in query.notes[0]
    assert "twice" in query.notes[0]


def test_a_space_may_follow_the_colon_of_a_small_key() -> None:
    query = ask('title: "lottery tickets" cat: cs.LG sort: date after: 2025')
    assert query.required == (Clause("title", "lottery tickets", True),)
    assert query.filters == Filters(categories=(("cs.LG",),), after=date(2025, 1, 1))
    assert query.sort == "date"


@pytest.mark.parametrize(
    "title",
    [
        "BERT: Pre-training of Deep Bidirectional Transformers",
        "SORT: Simple Online and Realtime Tracking",
        "List: A Theory of Lists",
        "Before: and After: Two Studies of Time",
        "Schrödinger's cat: a study",
        "C++: a language for http://servers.example/x",
        "foo:bar and note: this",
        "Re: what to sort: apples first",
    ],
)
def test_a_title_with_a_colon_is_searched_as_words_without_a_note(title: str) -> None:
    query = ask(title)
    assert_plain(query)
    assert query.notes == ()
    assert query.text.replace(":", "") == title.replace(":", "")


# -- filters


def test_a_comma_means_any_and_repeating_means_all() -> None:
    filters = ask("cat:cs.LG,cs.CV cat:stat has:code has:models,datasets listed:daily_papers").filters
    assert filters.categories == (("cs.CV", "cs.LG"), ("stat",))
    assert filters.has == (("code",), ("dataset", "model"))
    assert filters.lists == (("daily_papers",),)


def test_several_venues_can_only_mean_any_of_them() -> None:
    assert ask('venue:neurips venue:icml,"Machine Learning, Journal of"').filters.venues == (
        ("Machine Learning, Journal of", "icml", "neurips"),
    )


def test_categories_go_on_behind_a_comma_and_a_space() -> None:
    for typed in ("cat:cs.CV, cs.LG nets", "nets cat:cs.CV, cs.lg", "cat: cs.CV, cs.LG nets"):
        query = ask(typed)
        assert query.filters.categories == (("cs.CV", "cs.LG"),)
        assert query.text == "nets"
    assert ask("-cat:cs.CV, cs.LG nets").filters.not_categories == ("cs.CV", "cs.LG")
    # What is no category, or might be a word, is searched for.
    for words in ("nets of nodes", "math reasoning", "e.g. nets"):
        query = ask(f"cat:cs.CV, {words}")
        assert query.filters.categories == (("cs.CV",),)
        assert query.text == words


def test_categories_of_arxiv_are_written_as_arxiv_does() -> None:
    written_by_hand = ask("category:CS.cv cat:COND-MAT.MES-HALL cat:cs.* cat:Field.Own").filters.categories
    assert written_by_hand == (("Field.Own",), ("cond-mat.mes-hall",), ("cs",), ("cs.CV",))


def test_filters_are_excluded_by_a_minus() -> None:
    filters = ask("-cat:cs.CV,cs.LG -has:code -venue:neurips -list:arxiv").filters
    assert filters == Filters(
        not_categories=("cs.CV", "cs.LG"), not_has=("code",), not_venues=("neurips",), not_lists=("arxiv",)
    )


def test_brackets_around_a_filter_do_no_harm() -> None:
    assert ask("(cat:cs.CV) nets").filters.categories == (("cs.CV",),)


@pytest.mark.parametrize(
    ("typed", "after", "before"),
    [
        ("after:2026", "2026-01-01", None),
        ("after:2026-01", "2026-01-01", None),
        ("since:2026-01-31", "2026-01-31", None),
        ("after:2026/1/5", "2026-01-05", None),
        ("before:2026-01", None, "2026-01-01"),
        ("until:2026-01", None, "2026-02-01"),
        ("until:2025", None, "2026-01-01"),
        ("until:2026-01-31", None, "2026-02-01"),
        ("year:2025", "2025-01-01", "2026-01-01"),
        ("year:2023-2025", "2023-01-01", "2026-01-01"),
        ("year:2025..2023", "2023-01-01", "2026-01-01"),
        ("year:2024,2025", "2024-01-01", "2026-01-01"),
        ("year:2024 OR year:2025", "2024-01-01", "2026-01-01"),
        ("after:7d", "2026-11-14", None),
        ('after:"2 weeks ago"', "2026-11-07", None),
        ("after:9m", "2026-02-21", None),
        ("after:9999y", "1665-01-01", None),
        ("after:yesterday before:today", "2026-11-20", "2026-11-21"),
        ("after:2024 after:2025 before:2027 before:2026", "2025-01-01", "2026-01-01"),
        ("year:2025 after:2025-06", "2025-06-01", "2026-01-01"),
    ],
)
def test_dates(typed: str, after: str | None, before: str | None) -> None:
    query = ask(typed)
    assert query.filters == Filters(
        after=date.fromisoformat(after) if after else None,
        before=date.fromisoformat(before) if before else None,
    )
    assert query.notes == ()


def test_a_month_ago_from_its_last_day_is_a_day_of_the_calendar() -> None:
    assert parse("after:1m", date(2026, 3, 31)).filters.after == date(2026, 2, 28)


def test_years_apart_are_one_span_and_say_so() -> None:
    query = ask("year:2021,2025")
    assert (query.filters.after, query.filters.before) == (date(2021, 1, 1), date(2026, 1, 1))
    assert "2021 to 2025" in query.notes[0]


def test_dates_that_leave_no_day_are_not_applied_and_say_so() -> None:
    query = ask("nets after:2026-05 before:2025")
    assert_plain(query)
    assert query.text == "nets"
    assert "2026-05-01" in query.notes[0]
    assert "2025-01-01" in query.notes[0]


@pytest.mark.parametrize(
    ("typed", "sort"),
    [
        ("sort:date", "date"),
        ("sort:newest", "date"),
        ("sort:new", "date"),
        ("sort:TOP", "votes"),
        ("sort:votes", "votes"),
        ("sort:votes sort:relevance", "relevance"),
        ("x", "relevance"),
    ],
)
def test_orders(typed: str, sort: str) -> None:
    assert ask(typed).sort == sort


@pytest.mark.parametrize(
    ("typed", "text", "advice"),
    [
        ("nets after:2025-02-30", "nets after 2025-02-30", "no day of the calendar"),
        ("nets after:soon", "nets after soon", "after:2026-01"),
        ("nets year:20245", "nets year 20245", "year:2025"),
        ("nets has:pizza", "nets has pizza", "has:code"),
        ("nets sort:colour", "nets sort colour", "sort:date"),
        ("nets cat:", "nets cat", "cat:cs.CV"),
        ("nets title:!!", "nets title !!", "title:attention"),
        ("nets -year:2024", "nets year 2024", "cannot be excluded"),
        ('nets author:"geoff', "nets author geoff", "not closed"),
        ('nets "unbalanced', "nets unbalanced", "never closed"),
        ("auther:hinton nets", "auther:hinton nets", "author:"),
        ("date:2025 nets", "date:2025 nets", "after:"),
    ],
)
def test_what_was_meant_as_an_operator_is_searched_as_words_with_advice(
    typed: str, text: str, advice: str
) -> None:
    query = ask(typed)
    assert_plain(query)
    assert query.text == text
    assert len(query.notes) == 1
    assert advice in query.notes[0]


# -- AND, OR, NOT


def test_and_requires_the_words_around_it() -> None:
    query = ask("diffusion AND pruning of nets")
    assert query.required == tuple(Clause("any", word, True) for word in ("diffusion", "pruning", "nets"))
    assert query.text == "diffusion and pruning of nets"


def test_or_joins_values_of_one_filter() -> None:
    assert ask("nets cat:cs.CV OR cat:cs.LG").filters.categories == (("cs.CV", "cs.LG"),)


def test_or_takes_the_demand_from_phrases_and_says_so() -> None:
    query = ask('"weak labels" OR author:lovelace')
    assert_plain(query)
    assert query.text == "weak labels or lovelace"
    assert "none is required" in query.notes[0]


def test_or_between_filters_of_two_kinds_is_explained() -> None:
    query = ask("cat:cs.CV OR year:2025")
    assert query.filters.categories == (("cs.CV",),)
    assert "must all hold" in query.notes[0]


def test_and_with_or_is_explained() -> None:
    query = ask("(cats OR dogs) AND (birds OR fish)")
    assert_plain(query)
    assert "brackets join nothing" in query.notes[0]


def test_not_excludes_what_follows() -> None:
    query = ask('cats NOT dogs AND NOT "hot dogs" NOT cat:cs.CV')
    assert query.excluded == (Clause("any", "dogs", False), Clause("any", "hot dogs", True))
    assert query.filters.not_categories == ("cs.CV",)
    assert query.text == "cats"


@pytest.mark.parametrize(
    "title",
    [
        "Attention is NOT all you need",
        "Language Models Do NOT Really Know",
        "What NOT to Count",
        "ATTENTION IS NOT ALL YOU NEED",
        "Rare OR Events",
        "NOT",
        "AND OR NOT",
    ],
)
def test_a_loud_word_in_a_title_restricts_nothing(title: str) -> None:
    query = ask(title)
    assert_plain(query)
    assert query.text.lower() == title.lower()
    assert query.notes == ()


# -- pasted text


def test_pasted_prose_restricts_nothing_and_is_searched_as_it_is() -> None:
    query = ask(PROSE)
    assert_plain(query)
    assert query.text == PROSE


def test_filters_before_and_after_pasted_prose_count() -> None:
    query = ask(f"cat:cs.SD {PROSE} after:2024 -author:lovelace")
    assert query.text == PROSE
    assert query.filters == Filters(categories=(("cs.SD",),), after=date(2024, 1, 1))
    assert query.excluded == (Clause("author", "lovelace", False),)
    assert query.required == ()


def test_prose_in_quotation_marks_is_no_phrase() -> None:
    query = ask(f"“{PROSE.replace(chr(34), '')}”")
    assert_plain(query)


@pytest.mark.parametrize(
    "typed",
    [
        "2407.21783",
        "arXiv: 2407.21783v2 [cs.AI]",
        '"2407.21783"',
        "https://arxiv.org/pdf/2407.21783v3.pdf",
        "arxiv.org/abs/2407.21783",
        "https://huggingface.co/papers/2407.21783",
        "10.48550/arXiv.2407.21783",
    ],
)
def test_an_id_or_address_names_the_paper(typed: str) -> None:
    query = ask(typed)
    assert query.pasted
    assert query.pasted.kind == "id"
    assert [identifier.key for identifier in query.pasted.identifiers] == ["arxiv:2407.21783"]
    assert query.notes == ()


def test_several_ids_name_several_papers() -> None:
    pasted = ask("1706.03762, https://doi.org/10.1000/ABC").pasted
    assert pasted
    assert pasted.identifiers == (Identifier("arxiv", "1706.03762"), Identifier("doi", "10.1000/abc"))


def test_a_word_of_the_title_is_no_id() -> None:
    query = ask("title:attention")
    assert query.pasted is None
    assert query.required == (Clause("title", "attention", False),)


BIBTEX = """@inproceedings{bird2025,
  title     = {Counting {Birds} by Ear: the {\\'E}tude of a \\textit{Night}},
  author    = {Lovelace, Ada and others},
  booktitle = "Proceedings of {Nothing}",
  doi       = {10.1000/Birds.1},
  eprint    = {2501.01234}, archivePrefix = {arXiv},
  abstract  = {title = {no}, -not "this" cat:cs.CV},
}"""


@pytest.mark.parametrize("typed", [BIBTEX, " ".join(BIBTEX.split()), BIBTEX[:-20]])
def test_a_bibtex_entry_names_the_paper_by_ids_and_title(typed: str) -> None:
    query = ask(typed)
    assert query.pasted
    assert query.pasted.kind == "bibtex"
    assert {identifier.key for identifier in query.pasted.identifiers} == {
        "doi:10.1000/birds.1",
        "arxiv:2501.01234",
    }
    assert query.text == query.pasted.title == "Counting Birds by Ear: the Etude of a Night"
    assert_plain(query)


@pytest.mark.parametrize(
    "fields",
    [
        "journal={arXiv preprint arXiv:1706.03762}",
        "journal={CoRR}, volume={abs/1706.03762}",
        "url = {https://arxiv.org/abs/1706.03762}",
        "howpublished={\\url{https://arxiv.org/abs/1706.03762}}",
    ],
)
def test_a_bibtex_entry_may_hold_its_id_anywhere(fields: str) -> None:
    pasted = ask(f"@article{{key, {fields}, year=2017}}").pasted
    assert pasted
    assert pasted.identifiers == (Identifier("arxiv", "1706.03762"),)
    assert pasted.title == ""


def test_of_several_entries_the_first_counts_and_a_note_says_so() -> None:
    query = ask("@misc{a, title={First One}} @misc{b, title={Second One}}")
    assert query.text == "First One"
    assert "The first of 2 entries" in query.notes[0]


@pytest.mark.parametrize("join", ["\n", " "])
def test_a_ris_entry_names_the_paper_by_ids_and_title(join: str) -> None:
    lines = ["TY  - JOUR", "TI  - Counting Birds - by Ear", "AU  - Lovelace, Ada", "PY  - 2025"]
    lines += ["DO  - 10.1000/birds.1", "UR  - https://arxiv.org/abs/2501.01234", "ER  - "]
    query = ask(join.join(lines))
    assert query.pasted
    assert query.pasted.kind == "ris"
    assert {i.key for i in query.pasted.identifiers} == {"doi:10.1000/birds.1", "arxiv:2501.01234"}
    assert query.text == query.pasted.title == "Counting Birds - by Ear"


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("Dubey, A. et al. The Llama 3 Herd of Models. arXiv 2024. arXiv:2407.21783", ""),
        ("Dubey et al. (2024). The Llama 3 Herd of Models. https://doi.org/10.48550/arXiv.2407.21783", ""),
        ("A. Dubey, “The Llama 3 Herd of Models,” 2024, arXiv:2407.21783.", "The Llama 3 Herd of Models"),
        ("[2407.21783] The Llama 3 Herd of Models", "The Llama 3 Herd of Models"),
        ("The Llama 3 Herd of Models https://arxiv.org/abs/2407.21783", "The Llama 3 Herd of Models"),
    ],
)
def test_a_citation_or_a_title_with_its_address_names_the_paper(typed: str, title: str) -> None:
    query = ask(typed)
    assert query.pasted
    assert query.pasted.kind == "citation"
    assert [identifier.key for identifier in query.pasted.identifiers] == ["arxiv:2407.21783"]
    assert query.pasted.title == title
    assert not title or query.text == title
    assert_plain(query)


def test_a_citation_without_id_is_searched_by_the_title_in_it() -> None:
    query = ask('Lovelace, Ada, et al. "Counting birds by ear." Journal of Nothing 30 (2017): 1-10.')
    assert query.pasted
    assert query.pasted.title == query.text == "Counting birds by ear"
    assert_plain(query)


@pytest.mark.parametrize(
    "typed",
    [
        "papers like arXiv:2407.21783",
        "what cites https://arxiv.org/abs/2407.21783",
        "models since 2407.21783 x",
    ],
)
def test_an_id_in_a_question_is_no_citation(typed: str) -> None:
    assert ask(typed).pasted is None


def test_a_page_copied_as_text_is_searched_by_its_title() -> None:
    query = ask("arXiv:2501.01234 Title: Counting Birds by Ear Authors: Ada Lovelace Abstract: We listen.")
    assert query.pasted
    assert query.text == query.pasted.title == "Counting Birds by Ear"
    assert [identifier.key for identifier in query.pasted.identifiers] == ["arxiv:2501.01234"]


# -- limits and bad input


def test_restrictions_beyond_the_limit_are_left_out_and_counted() -> None:
    query = ask(" ".join(f"cat:field.{n}" for n in range(500)))
    assert len(query.filters.categories) == MAX_RESTRICTIONS
    assert f"{500 - MAX_RESTRICTIONS} more were left out" in query.notes[0]
    commas = ask("cat:" + ",".join(f"field.{n}" for n in range(500)))
    assert [len(group) for group in commas.filters.categories] == [MAX_RESTRICTIONS]


def test_what_is_too_long_is_cut_and_says_so() -> None:
    query = ask(" ".join(f"word{n}" for n in range(10_000)))
    assert len(query.typed) <= MAX_TYPED
    assert query.text.startswith("word0 word1 ")
    assert "88,889 characters" in query.notes[0]


BAD = {
    "quotes": '"' * 100_000,
    "quotes apart": '" ' * 50_000,
    "openings": ' "a' * 33_000,
    "marks in words": '"a x"y ' * 20_000,
    "brackets": "(" * 100_000,
    "mixed brackets": "([{<" * 20_000 + "}])" * 10_000,
    "nulls": "a\0b" * 30_000,
    "emoji": "😀👩‍👩‍👧" * 10_000,
    "right to left": "\u202eשלום עולם \u200f" * 5_000,
    "surrogates": "a\ud800b " * 20_000,
    "accents": "a" + "\u0301\u0316" * 50_000,
    "keys": "title:" * 20_000,
    "keys apart": "cat: " * 20_000,
    "unknown keys": "aaaa:b " * 15_000,
    "minuses": "-a " * 30_000,
    "commas": "cat:" + "," * 90_000,
    "years": "year:2020 " * 10_000,
    "NOT": "NOT " * 25_000,
    "OR": '"a b" OR ' * 10_000,
    "braces": "@misc{x, title=" + "{" * 90_000,
    "entries": "@misc{x, title={" * 2_000,
    "fields": "@misc{" + "title=" * 12_000,
    "tags": "TY  - J " * 12_000,
    "labels": "Title: " * 15_000,
    "one word": "a" * 100_000,
    "a regular expression": "(a+)+$ ^(.*)*\\d{1,99}[^]]|(?<x>",
    "SQL": "x'; DROP TABLE papers; -- OR 1=1",
    "empty": "",
    "space": " \t\n\u00a0\u3000",
}


@pytest.mark.parametrize("typed", BAD.values(), ids=BAD.keys())
def test_bad_input_is_answered_without_control_characters(typed: str) -> None:
    query = ask(typed)
    for text in (query.typed, query.text, written(query)):
        text.encode()
        assert "\0" not in text
    assert meaning(ask(written(query))) == meaning(query)


def test_sql_and_regular_expressions_are_words() -> None:
    for typed in (BAD["a regular expression"], "SELECT * FROM papers WHERE title = 'x' --"):
        query = ask(typed)
        assert_plain(query)
        assert query.text == typed


# -- back into text


def test_equal_queries_are_written_alike() -> None:
    first = ask("nets  CAT:cs.lg,cs.CV category:stat.ML has:models since:2025-03-01 sort:newest -cat:cs.AI")
    second = ask("sort:date -category:cs.AI after:2025-03 has:model nets cat:stat.ml cat:cs.CV,cs.LG")
    assert meaning(first) == meaning(second)
    text = "nets cat:cs.CV,cs.LG cat:stat.ML -cat:cs.AI has:model after:2025-03 sort:date"
    assert written(first) == written(second) == text


def test_phrases_are_written_where_they_stand() -> None:
    typed = 'a "b c" title:d b c author:"E F" -g -"h i" year:2023-2025'
    assert written(ask(typed)) == typed


_PIECES = st.sampled_from(
    [
        *(
            "deep",
            "nets",
            "a",
            "b",
            "the",
            "not",
            "GPT-4",
            "C++",
            "x_y",
            "1=1",
            "$x$",
            "é",
            "e\u0301",
            "שלום",
            "😀",
        ),
        *('"', "“", "”", "«", "»", "''", "-", "--", "(", ")", "[", ",", ".", ":", "\\", "\0", "\ud800", "@"),
        *("title:", "Title:", "abstract:", "author:", "cat:", "CAT:", "listed:", "venue:", "has:", "year:"),
        *(
            "after:",
            "before:",
            "until:",
            "sort:",
            "foo:",
            "http://x.y/z",
            "cs.CV",
            "cs",
            "code",
            "date",
            "pizza",
        ),
        *("2024", "2021-2023", "2025-02", "2025-02-30", "7d", "AND", "OR", "NOT", "et al.", "2017.", "A."),
        *(
            '"a b"',
            '-"c d"',
            'title:"x y"',
            'author:"A, B"',
            "cat:cs.LG cat:cs.AI",
            'venue:"p q",r',
            'a"b',
            "''.",
        ),
        *(
            "2407.21783",
            "arXiv:2407.21783",
            "TY  - JOUR",
            "TI  - foo",
            "Abstract:",
            "word " * 45,
            '"p q" ' * 70,
        ),
    ]
)
_TYPED = st.lists(st.tuples(_PIECES, st.sampled_from(["", " ", " ", " "])), max_size=18).map(
    lambda pieces: "".join(piece + space for piece, space in pieces)
)
_thorough = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def test_a_request_that_is_long_with_its_quotations_is_read_again_alike() -> None:
    words = "one two three four five six seven eight nine ten"
    query = ask(f'{words} title:"x y" "year: 2" ' + '"p q" ' * 20)
    assert not query.required
    assert query.text == f"{words} x y year 2" + " p q" * 20
    assert meaning(ask(written(query))) == meaning(query)


@_thorough
@given(st.one_of(_TYPED, st.text(max_size=200)))
def test_whatever_is_typed_is_read_again_from_what_is_written(typed: str) -> None:
    query = ask(typed)
    assert meaning(ask(written(query))) == meaning(query)
    assert written(ask(written(query))) == written(query)


@_thorough
@given(
    _TYPED,
    st.sampled_from(
        ["category cs.AI", "has code", "list daily_papers", "venue Nature, Reviews", "year 2024"]
    ),
)
def test_a_facet_link_is_read_as_the_query_it_was_made_of(typed: str, facet: str) -> None:
    name, value = facet.split(" ", 1)
    query = with_sort(with_filter(ask(typed), name, value), "votes")
    again = ask(query.typed)
    assert meaning(again) == meaning(query)
    assert again.pasted == query.pasted
    without = without_filter(query, name, value)
    assert not has_filter(without, name, value)
    assert meaning(ask(without.typed)) == meaning(without)


@_thorough
@given(
    st.text(alphabet=st.characters(), max_size=300),
    st.sampled_from(["@misc{", "TY  - J TI  - ", "Title: ", "-", '"']),
)
def test_nothing_raises(typed: str, start: str) -> None:
    query = ask(start + typed)
    written(query).encode()
    assert all(note for note in query.notes)


# -- facet links


def test_a_facet_narrows_and_is_taken_back() -> None:
    query = ask("nets cat:cs.CV")
    narrower = with_filter(query, "category", "cs.lg")
    assert narrower.typed == "nets cat:cs.CV cat:cs.LG"
    assert has_filter(narrower, "category", "cs.LG")
    assert not has_filter(query, "category", "cs.LG")
    assert meaning(without_filter(narrower, "category", "cs.LG")) == meaning(query)


def test_a_year_takes_the_place_of_other_dates_and_a_venue_of_other_venues() -> None:
    query = with_filter(ask("nets after:2020 venue:icml"), "year", "2024")
    assert (query.filters.after, query.filters.before) == (date(2024, 1, 1), date(2025, 1, 1))
    assert has_filter(query, "year", "2024")
    assert without_filter(query, "year", "2024").typed == "nets venue:icml"
    assert with_filter(query, "venue", "NeurIPS").filters.venues == (("NeurIPS",),)


def test_a_value_is_taken_back_however_it_was_written() -> None:
    assert without_filter(ask("nets venue:neurips,icml"), "venue", "NeurIPS").typed == "nets venue:icml"


def test_a_facet_on_a_query_with_as_many_restrictions_as_count_changes_nothing() -> None:
    full = ask(" ".join(f"-word{n}" for n in range(MAX_RESTRICTIONS)))
    assert with_filter(full, "has", "code") == full


def test_the_order_of_an_id_or_a_title_keeps_what_was_pasted() -> None:
    assert with_sort(ask("2407.21783"), "date").pasted == ask("2407.21783").pasted


@pytest.mark.parametrize(
    ("name", "value"),
    [("colour", "red"), ("year", "soon"), ("year", "24"), ("has", "pizza"), ("list", " ! ")],
)
def test_a_facet_that_is_none_raises(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        with_filter(ask("x"), name, value)


def test_an_order_that_is_none_raises() -> None:
    with pytest.raises(ValueError, match="relevance, date, votes"):
        with_sort(ask("x"), "colour")


# -- real titles and abstracts


def test_real_titles_and_abstracts_are_hardly_ever_taken_for_operators(shared: Path) -> None:
    """Phrases in titles aside, which the paper itself fulfils."""
    titles = narrowed = abstracts = quoting = 0
    with gzip.open(shared / "data" / "daily_papers.jsonl.gz", "rt") as lines:
        for line, _ in zip(lines, range(2_000), strict=False):
            paper = json.loads(line)
            title, abstract = ask(paper["title"]), ask(paper.get("abstract") or "")
            titles += 1
            fields = [clause for clause in title.required if clause.field != "any"]
            narrowed += bool(title.excluded or fields or title.filters != Filters() or title.pasted)
            abstracts += bool(abstract.text)
            quoting += abstract.restricted
    assert titles == 2_000
    assert narrowed <= 1
    assert quoting <= 1


def test_quotation_marks_in_a_long_request_restrict_nothing() -> None:
    request = 'some papers that explain why "chain of thought" prompting helps small models to reason -well'
    query = ask(f"provide me with {request}")
    assert (query.required, query.excluded) == ((), ())
    assert "chain of thought" in query.text
    assert any("quotation marks" in note for note in query.notes)
    short = ask('"chain of thought" prompting for small models -well')
    assert len(short.required) == len(short.excluded) == 1
