"""Nothing but its own documented error comes out of a parser, whatever goes in; bench.fuzzing tries more."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.inputs import NONSENSE, changed, seeds
from tests.fuzz.targets import read

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_changed_fixtures_raise_nothing() -> None:
    recordings = seeds(FIXTURES)
    for number in range(600):
        read(changed(number, recordings))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(NONSENSE)
def test_nonsense_in_the_shape_of_each_format_raises_nothing(data: bytes) -> None:
    read(data)


def test_an_input_can_be_made_again_from_its_number() -> None:
    recordings = seeds(FIXTURES)
    assert [changed(n, recordings) for n in range(50)] == [changed(n, recordings) for n in range(50)]
    assert len({changed(n, recordings) for n in range(50)}) > 45


@pytest.mark.parametrize(
    "data",
    [
        # A prefix that nobody declared, as root.
        b"<rdf:RDF><rdf:li/></rdf:RDF>",
        b"<?xml version='1.0'?><dc:identifier>x</dc:identifier>",
        # What regular expressions and recursive parsers have taken hours or all memory for.
        b"<!-- -->" * 20_000,
        b"<?a?>" * 20_000 + b"<",
        b"<!DOCTYPE a [" * 5_000,
        b"<record>" * 20_000,
        b"<OAI-PMH>" + b"<record><header/>" * 20_000,
        b"<feed xmlns='http://www.w3.org/2005/Atom'>" + b"<entry>" * 20_000,
        b"[" * 50_000,
        b'{"a":' * 50_000,
        b"@article{" * 20_000,
        b"@article{a, title = {" + b"{" * 50_000,
        b"TY  - JOUR\n" * 20_000,
        b"<OAI-PMH><record><header/><metadata><arXivRaw><id>2407.21783</id><title>T</title><authors>"
        + b"(" * 100_000 + b"</authors></arXivRaw></metadata></record></OAI-PMH>",
        b"<OAI-PMH><record><header/><metadata><arXivRaw><id>2407.21783</id><title>T</title><authors>"
        + b", ; for the " * 20_000 + b"</authors></arXivRaw></metadata></record></OAI-PMH>",
        b"<OAI-PMH><record><header/><metadata><arXivRaw><id>2407.21783</id><title>T</title><categories>"
        + b"a-" * 50_000 + b"</categories><doi>" + b"10.1/" * 20_000
        + b"</doi></arXivRaw></metadata></record></OAI-PMH>",
    ],
)  # fmt: skip
def test_what_has_hung_or_broken_parsers_is_read_in_no_time(data: bytes) -> None:
    start = time.process_time()
    read(data)
    # No bound of speed: without the remedy each of these takes minutes, or for ever.
    assert time.process_time() - start < 30
