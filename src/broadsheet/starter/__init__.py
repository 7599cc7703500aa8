"""The starter edition: real papers of six days, so that the first start shows a paper worth reading."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files

from ..model.papers import Record, Rejection
from ..sources.files import read_file

SOURCE = "starter"
# What says of a summary who wrote it, where other sources name a model.
WRITTEN_BY = "written for the starter edition"


def starter_records() -> Iterator[Record]:
    """The 150 papers of the starter edition, day by day in their order.

    Ids, titles, authors, dates, categories, links and counts are facts of the papers; the one-sentence
    summary of each was written for this edition, and there is no abstract.
    """
    with as_file(files(__package__) / "papers.jsonl") as path:
        for item in read_file(path, name="starter edition"):
            if not isinstance(item, Record):
                problem = item.why if isinstance(item, Rejection) else "only an id"
                raise ValueError(
                    f"the installed starter edition is damaged ({item.where}: {problem}); reinstall"
                )
            item.source = SOURCE
            for link in item.links:
                link.source = SOURCE
            item.extra["ai_summary_model"] = WRITTEN_BY
            yield item
