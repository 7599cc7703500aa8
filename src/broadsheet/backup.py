"""What `broadsheet backup` and `restore` do: a home as one file, and a home from it.

The file is a ZIP archive: ``tables/NAME.jsonl`` for each table, all as of one moment; the settings file;
where asked for, the encoded vectors under ``index/``; and ``manifest.json`` with the size and SHA-256 of
each, written last. docs/backup.md describes it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import re
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from . import __version__
from .config import Settings
from .search.rows import State
from .store import StoreError
from .store.dumping import Target, snapshot

__all__ = ["Backup", "BackupError", "Restored", "Written", "back_up", "restore"]

FORMAT = "broadsheet-backup"
# Grows when a backup can no longer be read by what read the former ones.
VERSION = 1

_MANIFEST = "manifest.json"
_SETTINGS = "broadsheet.env"
# What no table holds: the settings, the feeds that were added, and what signs the links in mails.
_FILES = (_SETTINGS, "feeds.opml", "secret.key")
# Rows of JSON shrink to a quarter at the fastest level; higher ones take much longer for little.
_LEVEL = 1
_CHUNK = 1 << 20
_MOST_MANIFEST = 16 << 20
# A row is a paper at most, with what sources told of it.
_MOST_LINE = 64 << 20
# Lines that are compressed at once.
_LINES = 1_000
_ATTEMPTS = 100
# What reading an archive raises where its bytes are not those of an archive.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, LookupError,
)  # fmt: skip
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_TABLE = re.compile(r"tables/([a-z_][a-z0-9_]{0,62})\.jsonl")
_INDEX_FILE = re.compile(r"index/(?:vectors|encoder)-[0-9a-f]{1,64}/[A-Za-z0-9_.-]*[A-Za-z0-9]")
# Settings that name the place of the home that was backed up, not of the one that is restored.
_OF_A_PLACE = re.compile(r"\s*(?:export\s+)?BROADSHEET_(?:DATABASE_URL|HOME)\s*=", re.IGNORECASE)

Progress = Callable[..., None]


class BackupError(StoreError):
    """A backup cannot be written or restored; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """The backup that was written: its file, size in bytes, and what it holds."""

    file: str
    bytes: int
    papers: int
    rows: int
    with_index: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored into which database, and ``notes`` on what is left to do."""

    home: str
    database: str
    papers: int
    rows: int
    revision: str
    with_index: bool
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


# -- writing


def back_up(
    settings: Settings, file: Path, *, with_index: bool = False, progress: Progress | None = None
) -> Written:
    """Writes the home of ``settings`` to ``file``, while anybody works on it; its database is only read.

    A backup that stands there is replaced when the new one is complete; a kill leaves the former.

    Args:
        with_index: also the encoded vectors, which take hours to make on a large home.
        progress: called with (rows done, rows in all).
    Raises:
        BackupError: if ``file`` is something else than a backup, or cannot be written.
        StoreError: if the home has no database that can be read.
    """
    _refuse_other_file(file)
    with _replacing(file) as output, _Writer(output) as archive:
        if with_index:
            # Before the tables: vectors of papers that are not in them would be taken for those of others.
            _write_index(archive, settings.home / "index")
        with snapshot(settings.store_url) as taken:
            total = sum(taken.rows.values())
            if progress:
                progress(0, total)
            for table in taken.rows:
                archive.table(table, taken.lines(table), progress)
            revision, dialect = taken.revision, taken.dialect
            papers = taken.rows.get("papers", 0)
        for name in _FILES:
            with contextlib.suppress(FileNotFoundError):
                archive.bytes(name, (settings.home / name).read_bytes())
        archive.finish(
            {
                "format": FORMAT,
                "version": VERSION,
                "broadsheet": __version__,
                "made": datetime.now(UTC).isoformat(timespec="seconds"),
                "database": dialect,
                "revision": revision,
            }
        )
    return Written(str(file), file.stat().st_size, papers, total, archive.holds_index)


class _Writer:
    """A backup that is being written to ``output``."""

    def __init__(self, output: IO[bytes]):
        self._archive = zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self._members: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        # After an error the file is thrown away: that it cannot be finished need not be told.
        with contextlib.suppress(OSError, ValueError):
            self._archive.close()

    @property
    def holds_index(self) -> bool:
        return any(name.startswith("index/") for name in self._members)

    def table(self, name: str, lines: Iterable[bytes], progress: Progress | None) -> None:
        rows = 0

        def chunks() -> Iterator[bytes]:
            nonlocal rows
            numbered = iter(lines)
            while batch := list(islice(numbered, _LINES)):
                yield b"".join(batch)
                rows += len(batch)
                if progress:
                    progress(len(batch))

        self._member(f"tables/{name}.jsonl", chunks(), zipfile.ZIP_DEFLATED)
        self._members[f"tables/{name}.jsonl"]["rows"] = rows

    def bytes(self, name: str, content: bytes) -> None:
        self._member(name, iter([content]), zipfile.ZIP_DEFLATED)

    def file(self, name: str, content: IO[bytes], size: int) -> None:
        """The first ``size`` bytes of ``content``, which do not shrink."""

        def chunks() -> Iterator[bytes]:
            left = size
            while left and (chunk := content.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk

        self._member(name, chunks(), zipfile.ZIP_STORED)

    def _member(self, name: str, chunks: Iterator[bytes], compression: int) -> None:
        info = zipfile.ZipInfo(name, time.gmtime()[:6])
        info.compress_type, info.external_attr = compression, 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as member:
            for chunk in chunks:
                member.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self._members[name] = {"bytes": size, "sha256": digest.hexdigest()}

    def finish(self, manifest: dict[str, Any]) -> None:
        """Ends the backup: only with its manifest it is one."""
        content = orjson.dumps(manifest | {"members": self._members}, option=orjson.OPT_INDENT_2)
        self._archive.writestr(_MANIFEST, content)
        self._archive.close()


def _write_index(archive: _Writer, index: Path) -> None:
    """Adds the vectors in ``index`` and the encoders that they were made by, as they are at this moment."""
    for folder in sorted(index.glob("vectors-*")):
        if folder.suffix:
            # What compacting is just making, or left.
            continue
        with contextlib.ExitStack() as opened:
            files = _vector_files(folder, opened)
            for name, (file, size) in files.items():
                archive.file(f"index/{folder.name}/{name}", file, size)
        encoder = index / folder.name.replace("vectors-", "encoder-")
        for path in sorted(encoder.iterdir()) if files and encoder.is_dir() else ():
            with path.open("rb") as file:
                archive.file(f"index/{encoder.name}/{path.name}", file, path.stat().st_size)


def _vector_files(folder: Path, opened: contextlib.ExitStack) -> dict[str, tuple[IO[bytes], int]]:
    """The files of one moment with their sizes, whoever appends or compacts meanwhile.

    Files only grow, and what the state does not count yet is cut off by the next who writes. So it is
    enough that all were opened while the same state, or one that only counts more, was valid.
    """
    for _ in range(_ATTEMPTS):
        before = State.read(folder / "state.json")
        if before is None:
            return {}
        files: dict[str, tuple[IO[bytes], int]] = {}
        with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as attempt:
            state = attempt.enter_context((folder / "state.json").open("rb"))
            files["state.json"] = (state, os.fstat(state.fileno()).st_size)
            for path in sorted(folder.iterdir()):
                if path.suffix in (".bin", ".bits", ".i8"):
                    file = attempt.enter_context(path.open("rb"))
                    files[path.name] = (file, os.fstat(file.fileno()).st_size)
            if _same_files(before, State.read(folder / "state.json")):
                opened.push(attempt.pop_all())
                return files
        time.sleep(0.01)
    raise BackupError(f"the vectors in {folder} change too fast to be backed up; try again, or without them")


def _same_files(before: State, after: State | None) -> bool:
    unchanged = ("generation", "format", "dims", "item_bytes")
    return after is not None and all(getattr(before, name) == getattr(after, name) for name in unchanged)


def _refuse_other_file(file: Path) -> None:
    if file.is_dir():
        raise BackupError(f"{file} is a folder; name a file in it, for example {file / 'broadsheet.zip'}")
    if file.exists() and file.stat().st_size:
        try:
            Backup(file).close()
        except BackupError as error:
            raise BackupError(
                f"{file} exists and is no backup; it is left as it is: name another file"
            ) from error


@contextmanager
def _replacing(file: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``file`` when the block ends well, and leaves nothing otherwise."""
    partial = file.with_name(f".{file.name}.part")
    try:
        with _locked(partial) as output:
            try:
                yield output
                output.flush()
                os.fsync(output.fileno())
                partial.replace(file)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
        _sync_folder(file.parent)
    except OSError as error:
        remedy = "make room, or choose another place" if error.errno in _FULL else "choose another place"
        raise BackupError(f"{file} cannot be written: {error.strerror or error}; {remedy}") from error


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """The empty file ``path``, which nobody else writes; one that a killed process left is used again."""
    while True:
        # It holds keys and whatever else is private.
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackupError(f"another backup is being written to {path}; wait for its end") from error
            # Whoever had it may have finished in between, and given the file its name.
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                file.truncate(0)
                yield file
                return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# -- reading


class Backup:
    """A backup that was written; ``check`` says whether it is as it was written.

    Damage of any kind is a `BackupError` that names the file and the place.
    """

    def __init__(self, file: Path):
        """Opens ``file`` and reads its manifest."""
        self.file = file
        self._checked = False
        try:
            self._archive = zipfile.ZipFile(file)
        except _DAMAGE as error:
            with file.open("rb") as content:
                began = content.read(4) == b"PK\x03\x04"
            what = "is only the beginning of an archive: its end is missing" if began else "is no backup"
            raise BackupError(f"{file} {what}; take another copy") from error
        except OSError as error:
            raise BackupError(f"{file} cannot be read: {error.strerror or error}") from error
        try:
            self.manifest = self._read_manifest()
        except BaseException:
            self._archive.close()
            raise

    def close(self) -> None:
        self._archive.close()

    def __enter__(self) -> Backup:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_manifest(self) -> dict[str, Any]:
        names = self._archive.namelist()
        if _MANIFEST not in names or self._archive.getinfo(_MANIFEST).file_size > _MOST_MANIFEST:
            raise BackupError(f"{self.file} is an archive, but no backup of Broadsheet")
        with self._reading(_MANIFEST):
            manifest = orjson.loads(self._archive.read(_MANIFEST))
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise BackupError(f"{self.file} is an archive, but no backup of Broadsheet")
        if manifest.get("version") != VERSION:
            raise BackupError(
                f"{self.file} is of version {manifest.get('version')} of the format, this Broadsheet reads "
                f"{VERSION}; restore it with the Broadsheet that wrote it ({manifest.get('broadsheet')})"
            )
        if any(info.compress_type not in _COMPRESSIONS for info in self._archive.infolist()):
            raise self._altered("the way it is compressed")
        members = manifest.get("members")
        if not isinstance(manifest.get("revision"), str) or not isinstance(members, dict):
            raise self._altered(_MANIFEST)
        if sorted(names) != sorted([*members, _MANIFEST]):
            raise self._altered("the list of what it holds")
        for name, told in members.items():
            known = name in _FILES or _TABLE.fullmatch(name) or _INDEX_FILE.fullmatch(name)
            sizes = [told.get("bytes"), told.get("rows", 0)] if isinstance(told, dict) else [None]
            if not known or not all(isinstance(size, int) and size >= 0 for size in sizes):
                raise self._altered(name)
        return manifest

    def _altered(self, what: str) -> BackupError:
        return BackupError(f"{self.file} is damaged or was altered: {what}; take another copy")

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            if isinstance(error, StoreError):
                raise
            raise self._altered(f"{name} ({error})") from error
        except OSError as error:
            # An impossible place in the file; all else is of the disk, not of the backup.
            if error.errno == errno.EINVAL:
                raise self._altered(f"{name} ({error})") from error
            raise

    @property
    def members(self) -> dict[str, dict[str, Any]]:
        return self.manifest["members"]

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows of each table."""
        return {
            match[1]: told["rows"] for name, told in self.members.items() if (match := _TABLE.fullmatch(name))
        }

    def told(self) -> dict[str, Any]:
        """When it was made, by which Broadsheet, of which schema, and the rows of each table."""
        names = ("made", "broadsheet", "database", "revision")
        return {name: self.manifest.get(name) for name in names} | {"rows": self.rows}

    def check(self, progress: Progress | None = None) -> None:
        """Reads everything and compares it with the manifest; ``progress`` gets (bytes, bytes in all).

        Raises:
            BackupError: if it is not what was written.
        """
        if progress:
            progress(0, sum(told["bytes"] for told in self.members.values()))
        for name, told in self.members.items():
            digest, size, lines = hashlib.sha256(), 0, 0
            with self._reading(name), self._archive.open(name) as member:
                while size <= told["bytes"] and (chunk := member.read(_CHUNK)):
                    digest.update(chunk)
                    size += len(chunk)
                    lines += chunk.count(b"\n")
                    if progress:
                        progress(len(chunk))
            if (size, digest.hexdigest()) != (told["bytes"], told.get("sha256")):
                raise self._altered(f"{name} is not what was written")
            if lines != told.get("rows", lines):
                raise self._altered(f"{name} has {lines:,} rows, {told['rows']:,} were written")
        self._checked = True

    def lines(self, table: str) -> Iterator[bytes]:
        """The rows of ``table``, each a JSON object."""
        name = f"tables/{table}.jsonl"
        with (
            self._reading(name),
            self._archive.open(name) as member,
            io.BufferedReader(member, _CHUNK) as lines,
        ):
            while line := lines.readline(_MOST_LINE):
                yield line

    def text(self, name: str) -> str | None:
        """The file ``name`` of the home, None where there was none."""
        if name not in self.members:
            return None
        with self._reading(name):
            return self._archive.read(name).decode()

    def extract_index(self, folder: Path) -> bool:
        """Writes the vectors to ``folder``; False where the backup holds none."""
        names = [name for name in self.members if _INDEX_FILE.fullmatch(name)]
        for name in names:
            path = folder / name.removeprefix("index/")
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._reading(name), self._archive.open(name) as member, path.open("wb") as file:
                shutil.copyfileobj(member, file, _CHUNK)
                file.flush()
                os.fsync(file.fileno())
        return bool(names)


def restore(
    settings: Settings, backup: Backup, *, force: bool = False, progress: Progress | None = None
) -> Restored:
    """Fills the empty home of ``settings``, and its database, with what ``backup`` holds.

    The database is the one that ``settings`` name, not the one that was backed up: so a home moves from
    SQLite to PostgreSQL and back. An older schema is brought to the newest. A kill leaves a home as it
    was, or one that only has to index anew.

    Args:
        force: also where papers are stored; what is there is kept under another name.
        progress: called with (rows done, rows in all).
    Raises:
        BackupError: if the home is not empty, or the backup is damaged.
        StoreError: if the database cannot be filled; it is then as it was.
    """
    if not backup._checked:
        backup.check()
    target, home = Target(settings.store_url), settings.home
    if not target.empty and not force:
        raise BackupError(
            f"the database {target} holds papers already; name an empty home with --home, or give --force, "
            "which keeps what is there under another name"
        )
    home.mkdir(parents=True, exist_ok=True)
    aside = f".before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    index, staged = home / "index", home / "index.restoring"
    notes: list[str] = []

    def before_swap() -> None:
        # An index of the former papers beside the new ones would find wrong ones; none is only made anew.
        if index.exists() and target.empty:
            shutil.rmtree(index)
        elif index.exists():
            index.rename(home / f"index{aside}")
        for name in _FILES:
            text = backup.text(name)
            if text is not None:
                notes.extend(_restore_file(home / name, text))

    shutil.rmtree(staged, ignore_errors=True)
    try:
        if progress:
            progress(0, sum(backup.rows.values()))
        with_index = backup.extract_index(staged)
        tables = {table: backup.lines(table) for table in backup.rows}
        kept = target.fill(backup.manifest["revision"], tables, aside, progress, before_swap)
        if with_index:
            staged.rename(index)
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise BackupError(
            f"{home} cannot be written: {error.strerror or error}; make room, and try again"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    if kept:
        notes.append(f"The former papers are kept in {kept}; remove it when it is needed no more.")
    rows = backup.rows
    return Restored(
        str(home), repr(target), rows.get("papers", 0), sum(rows.values()), backup.manifest["revision"],
        with_index, notes,
    )  # fmt: skip


def _restore_file(file: Path, text: str) -> list[str]:
    """Writes a file of the home, where it has none; what a person should know of it."""
    content, notes = _without_place(text) if file.name == _SETTINGS else (text, [])
    if file.exists():
        if file.read_text(encoding="utf-8", errors="replace") in (text, content):
            return []
        aside = file.with_name(f"{file.name}.from-backup")
        notes = [f"{file} stays as it is; that of the backup is {aside}."]
        file = aside
    # Settings may hold keys.
    file.touch(mode=0o600)
    file.write_text(content, encoding="utf-8")
    return notes


def _without_place(text: str) -> tuple[str, list[str]]:
    """Settings without the place of the home that was backed up, and what was left out."""
    kept, notes = [], []
    for line in text.splitlines(keepends=True):
        if _OF_A_PLACE.match(line):
            name = line.split("=")[0].strip()
            notes.append(f"{name} of the backup was left out; set it where it is needed.")
            line = f"# Of the home that was backed up: {line.lstrip()}"
        kept.append(line)
    return "".join(kept), notes
