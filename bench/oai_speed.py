"""Measures reading a large OAI-PMH answer: records a second, and the most memory.

    nice -n 19 .venv/bin/python -m bench.oai_speed [--records 100000]

The recorded page of 1,000 records is repeated with other ids, as one answer that never stands in memory
whole. What is measured is what `broadsheet add` and gathering do before the store: parsing, and adapting
to records. The memory is that of the process, first after a hundredth of the records, then at the end.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator

from bench.common import DATA, need, peak_memory_mb, save
from broadsheet.model.papers import Record
from broadsheet.sources.arxiv.files import items_of
from broadsheet.sources.arxiv.oai import OaiAnswer

PAGE = DATA / "recorded" / "arxiv_oai" / "arXivRaw_listrecords_1000rec_token.xml"
_ID = re.compile(rb"(<identifier>oai:arXiv\.org:|<id>)(\d{4}\.\d{4})")


def answer(page: bytes, records: int) -> Iterator[bytes]:
    """One answer with the records of ``page`` again and again, each time with other ids."""
    begin, end = page.index(b"<record>"), page.rindex(b"</record>") + len(b"</record>")
    body, each = page[begin:end] + b"\n", page.count(b"<record>")
    yield page[:begin]
    for number in range(0, records, each):
        month = b"%02d%02d" % (15 + number // each // 12 % 70, 1 + number // each % 12)
        yield _ID.sub(lambda found, month=month: found[1] + month + b".0" + found[2][5:], body)
    yield page[end:]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000)
    options = parser.parse_args()
    page = need(PAGE).read_bytes()
    # Made before the clock runs: the making of ids is no part of reading.
    pieces = list(answer(page, min(options.records, 20_000)))
    count = page.count(b"<record>")
    middle, size = pieces[1:-1], 0

    def chunks() -> Iterator[bytes]:
        nonlocal size
        yield pieces[0]
        for number in range(0, options.records, count):
            piece = middle[number // count % len(middle)]
            size += len(piece)
            yield piece
        yield pieces[-1]

    read, papers, first = 0, 0, 0.0
    start, busy = time.perf_counter(), time.process_time()
    for told in OaiAnswer(chunks()).records():
        for item in items_of(told, "page"):
            papers += isinstance(item, Record)
        read += 1
        if read == max(1, options.records // 100):
            first = peak_memory_mb()
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    save(
        "oai_speed",
        {
            "records": read,
            "papers": papers,
            "XML MB": size / 1e6,
            "seconds": seconds,
            "records per second": read / seconds,
            "records per processor second": read / busy,
            "peak memory MB after a hundredth": first,
            "peak memory MB": peak_memory_mb(),
        },
    )


if __name__ == "__main__":
    main()
