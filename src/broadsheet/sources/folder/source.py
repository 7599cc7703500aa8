"""A folder that is watched for dropped files of papers, in every format that is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from ...model.gathering import Announced
from ...model.papers import Record, Rejection, Wanted, Withdrawal
from ..abstracts import fetch_papers
from ..arxiv import API_URL, ARXIV
from ..batch import ADDED
from ..content import InputError
from ..files import read_file
from ..http import Service, ServiceError, Stopped
from ..opml import OpmlError, Subscription, subscribe
from ..source import Page, Run, Source
from .fetch import Dropped, dropped_files

SOURCE = "folder"
_INTERVAL = timedelta(minutes=1)
# Papers of one page.
_SIZE = 1000


class Folder:
    """The folder at ``path``. Ids in its files are fetched from arXiv (``arxiv_url``), feeds in OPML files
    are added to those of ``home``.
    """

    name = SOURCE
    title = "Watched folder"
    home_page = ""

    def __init__(self, path: Path, home: Path, *, arxiv_url: str = API_URL, arxiv: Service = ARXIV):
        self._path, self._home, self._arxiv_url, self._arxiv = path, home, arxiv_url, arxiv

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is up to a thousand papers of one file.

        The cursor holds size, time of change and digest of every file that was read, by name, and how far
        the one in hand is. A file that was renamed or copied is not read again, one that changed is. What
        was rejected is in the page with the name of its file.
        """
        done, within = _dict(run.cursor.get("done")), _dict(run.cursor.get("within"))
        digests = {told[2] for told in done.values()}
        try:
            found = list(dropped_files(self._path, done, run.now.timestamp()))
        except OSError as error:
            raise ServiceError(
                SOURCE,
                self._path.absolute().as_uri(),
                f"cannot be read ({error.strerror})",
                "make the folder, or correct BROADSHEET_FOLDER_PATH",
            ) from error
        names = {file.name for file in found}
        # What is not there any more may come again, and is then read again.
        done = {name: told for name, told in done.items() if name in names or (self._path / name).exists()}
        for file in found:
            if run.stop.is_set():
                raise Stopped
            mark = [file.size, file.changed, file.digest]
            if done.get(file.name) == mark:
                continue
            if file.digest not in digests:
                start = within.get("items", 0) if within.get("digest") == file.digest else 0
                for items, announced, read in self._parts(file, start, run):
                    after = {"done": done, "within": {"digest": file.digest, "items": read}}
                    yield Page(items, after, announced)
            digests.add(file.digest)
            done = {**done, file.name: mark}
            yield Page([], {"done": done})

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`: every minute."""
        return now if last_success is None or last_success > now else last_success + _INTERVAL

    def _parts(self, file: Dropped, start: int, run: Run) -> Iterator[tuple[list[Any], list[Announced], int]]:
        """The items of ``file`` in parts, from number ``start`` on, with the ids in each part as announced
        (one that could not be fetched now is then a gap to fill) and with how many items are read then.
        """
        try:
            items = islice(read_file(self._path / file.name, name=file.name), start, None)
            read = start
            while part := list(islice(items, _SIZE)):
                read += len(part)
                wanted = [item for item in part if isinstance(item, Wanted)]
                keys = [item.identifier.key for item in wanted if item.identifier.scheme == "arxiv"]
                day = run.now.date().isoformat()
                announced = [Announced(ADDED, day, keys)] if keys else []
                yield list(self._stored(part, wanted, run)), announced, read
        except InputError as error:
            yield [Rejection(file.name, str(error))], [], start + 1

    def _stored(
        self, part: list[Any], wanted: list[Wanted], run: Run
    ) -> Iterator[Record | Rejection | Withdrawal]:
        """What of ``part`` a page may hold; ids are fetched, feeds subscribed to."""
        for item in part:
            if not isinstance(item, Wanted | Subscription):
                yield item
        unknown = [item for item in wanted if run.store.resolve(item.identifier.key) is None]
        if unknown:
            yield from fetch_papers(
                unknown, run.client, stop=run.stop, url=self._arxiv_url, service=self._arxiv
            )
            if run.stop.is_set():
                # Some may not have been asked for.
                raise Stopped
        feeds = [item for item in part if isinstance(item, Subscription)]
        if feeds:
            try:
                subscribe(self._home, feeds)
            except (OpmlError, OSError) as error:
                yield Rejection(feeds[0].where, f"the feeds were not kept: {error}")


def _dict(value: Any) -> dict[str, Any]:
    """A copy of ``value``; an empty one where a damaged cursor holds something else."""
    return dict(value) if isinstance(value, dict) else {}


def sources(settings: Any) -> list[Source]:
    """The folder of the settings, if there is one."""
    if not settings.folder_path.strip():
        return []
    path = Path(settings.folder_path.strip()).expanduser()
    return [Folder(path, Path(settings.home), arxiv_url=settings.arxiv_url)]
