"""What `broadsheet add` does: read the inputs, fetch what was asked for by id, store everything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .model.identifiers import find_identifier
from .model.papers import ImportReport, Record, Rejection, Wanted
from .sources.abstracts import fetch_papers
from .sources.files import InputError, read_file, read_words
from .sources.http import Client
from .sources.opml import OpmlError, Subscription, subscribe
from .workspace import Workspace

Item = Record | Rejection | Wanted | Subscription


def add_inputs(
    workspace: Workspace,
    inputs: Iterable[str],
    day: str | None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Stores what ``inputs`` hold: files, ``-`` for standard input, ids or URLs of papers, lists of feeds.

    An input that cannot be opened is reported as rejected, and the others are read all the same.

    Raises:
        model.dates.DateError: if ``day`` is no day.
    """
    report = ImportReport()
    wanted: list[Wanted] = []
    feeds: list[Subscription] = []

    def records() -> Iterator[Record | Rejection]:
        for item in _items(inputs, day):
            if isinstance(item, Subscription):
                feeds.append(item)
            elif not isinstance(item, Wanted):
                yield item
            elif workspace.store.resolve(item.identifier.key) is not None:
                report.read += 1
                report.unchanged += 1
            else:
                wanted.append(item)

    _gain(report, workspace.store.add(records(), progress))
    if feeds:
        _gain(report, _subscribed(workspace, feeds))
    if wanted:
        with Client.of(workspace.settings) as client:
            found = fetch_papers(wanted, client, url=workspace.settings.arxiv_url)
            _gain(report, workspace.store.add(found, progress))
    return report


def _subscribed(workspace: Workspace, feeds: list[Subscription]) -> ImportReport:
    """What became of ``feeds``, which are kept in the home and gathered from now on."""
    try:
        new, _ = subscribe(workspace.home, feeds)
    except (OpmlError, OSError) as error:
        return ImportReport(
            len(feeds), rejected=[Rejection(feeds[0].where, f"the feeds were not kept: {error}")]
        )
    return ImportReport(len(feeds), new=new, unchanged=len(feeds) - new)


def _items(inputs: Iterable[str], day: str | None) -> Iterator[Item]:
    for text in inputs:
        if text == "-":
            yield from read_file(sys.stdin.buffer, name="standard input", day=day)
        elif find_identifier(text) and not _is_file(text):
            yield from read_words([text])
        else:
            try:
                yield from read_file(text, day=day)
            except InputError as error:
                # "-" and ids have been dealt with: it was meant as a file, or is no id after all.
                hint = (
                    ""
                    if _is_file(text)
                    else "; nor is it an id or address of a paper as arXiv, DOI, ACL write it"
                )
                yield Rejection(text, f"{error}{hint}")


def _is_file(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        # Too long for a name, or with a null byte: no file is called so.
        return False


def _gain(report: ImportReport, more: ImportReport) -> None:
    report.read += more.read
    report.new += more.new
    report.updated += more.updated
    report.unchanged += more.unchanged
    report.rejected += more.rejected
