"""A whole database as lines of JSON and back, the same for SQLite and PostgreSQL.

Tables and columns are those that the database itself has, so that new ones need nothing here.
"""

from __future__ import annotations

import base64
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from . import schema
from .connection import StoreError, connect, upgrade

__all__ = ["Snapshot", "Target", "snapshot"]

Progress = Callable[[int], None]

_REVISION = "alembic_version"
_ROWS = 1_000
# Seconds to wait for whoever still uses a database that is to be replaced.
_PATIENCE = 2


class _RowError(StoreError):
    """A line of a backup that its table cannot take."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A database as it was at one moment, whatever is written to it meanwhile.

    ``rows`` has the number of rows of each table.
    """

    dialect: str
    revision: str
    rows: dict[str, int]
    _connection: Connection
    _tables: dict[str, sa.Table]

    def lines(self, table: str) -> Iterator[bytes]:
        """The rows of ``table`` as JSON objects, a line each, ordered by primary key."""
        columns = list(self._tables[table].columns)
        query = sa.select(*map(_selected, columns)).order_by(*self._tables[table].primary_key.columns)
        # The names are of a kind of text of SQLAlchemy, which is no key of JSON.
        names = [str(column.name) for column in columns]
        encoders = [(str(column.name), encode) for column in columns if (encode := _encoder(column))]
        for row in self._connection.execute(query.execution_options(yield_per=_ROWS)):
            told = dict(zip(names, row, strict=True))
            for name, encode in encoders:
                if told[name] is not None:
                    told[name] = encode(told[name])
            yield orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def _selected(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    # JSON goes over as it stands in the database, without being understood.
    is_json = isinstance(column.type, sa.JSON)
    return sa.cast(column, sa.Text).label(column.name) if is_json else column


def _encoder(column: sa.Column[Any]) -> Callable[[Any], Any] | None:
    if isinstance(column.type, sa.JSON):
        return orjson.Fragment
    if isinstance(column.type, sa.LargeBinary):
        return lambda value: base64.b64encode(value).decode()
    return None


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """The database at ``url`` at this moment; nothing in it is changed, not even its schema.

    Raises:
        StoreError: if there is none, or it is not one of Broadsheet's.
    """
    engine = connect(url)
    file = _sqlite_file(engine)
    if file is not None and not file.exists():
        raise StoreError(f"there is no database {file}; name the right home with --home")
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                revision, tables = _reflected(connection)
                if not revision:
                    raise StoreError(f"the database {engine.url!r} holds nothing of Broadsheet")
                rows = {name: _count(connection, table) for name, table in tables.items()}
                yield Snapshot(engine.dialect.name, revision, rows, connection, tables)
    except sa.exc.DBAPIError as error:
        raise StoreError(f"the database {engine.url!r} cannot be read: {error.orig}") from error
    finally:
        engine.dispose()


def _reflected(connection: Connection) -> tuple[str, dict[str, sa.Table]]:
    """The revision of a database, empty where it has none, and its tables, each after those it refers to."""
    found = sa.MetaData()
    found.reflect(connection)
    tables = {table.name: table for table in found.sorted_tables if table.name != _REVISION}
    if _REVISION not in found.tables:
        if tables:
            raise StoreError(
                f"the database {connection.engine.url!r} holds other tables; "
                "give Broadsheet a database of its own"
            )
        return "", {}
    revision = connection.execute(sa.text(f"SELECT version_num FROM {_REVISION}")).scalar() or ""
    return revision, tables


def _count(connection: Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() or 0


def _sqlite_file(engine: Engine) -> Path | None:
    """The file of an SQLite database; None for a server."""
    if engine.dialect.name != "sqlite":
        return None
    name = engine.url.database
    if not name or name == ":memory:":
        raise StoreError("a database in memory can neither be backed up nor restored")
    return Path(name)


class Target:
    """A database that a backup is to be restored into. It is changed all at once, at the end of `fill`."""

    def __init__(self, url: str):
        """Looks at the database at ``url``.

        Raises:
            StoreError: if it cannot be opened or belongs to something else.
        """
        self._engine = connect(url)
        self._file = _sqlite_file(self._engine)
        # A home in which nothing was stored yet is as good as none.
        self.empty = True
        if self._file is not None and not self._file.exists():
            return
        try:
            with self._engine.connect() as connection:
                _, tables = _reflected(connection)
                stored = (_count(connection, table) for name, table in tables.items() if name != "meta")
                self.empty = not any(stored)
        except sa.exc.DBAPIError as error:
            raise StoreError(f"the database {self._engine.url!r} cannot be opened: {error.orig}") from error
        finally:
            self._engine.dispose()

    def __repr__(self) -> str:
        return repr(self._engine.url)

    def fill(
        self,
        revision: str,
        tables: Mapping[str, Iterable[bytes]],
        aside: str,
        progress: Progress | None = None,
        before_swap: Callable[[], None] = lambda: None,
    ) -> str:
        """Makes the schema of ``revision``, fills it, and brings it to the newest one.

        What was there is dropped where the database was empty, else kept under a name that ends in
        ``aside``. ``before_swap`` is called when everything is ready, before it takes its place.

        Args:
            tables: lines as `Snapshot.lines` gives them, of every table of that revision.
        Returns:
            Where the former database is kept; empty where there was none.
        Raises:
            StoreError: if the lines do not fit, there is no room, or somebody uses the database; it is
                then as it was.
        """
        if revision > schema.REVISION:
            raise StoreError(
                f"the backup is of schema {revision}, this Broadsheet knows {schema.REVISION}; "
                "install a newer Broadsheet"
            )
        try:
            if self._file is not None:
                return self._fill_file(self._file, revision, tables, aside, progress, before_swap)
            return self._fill_server(revision, tables, aside, progress, before_swap)
        except (sa.exc.DBAPIError, psycopg.Error) as error:
            raise StoreError(
                f"the backup cannot be restored into {self}: {_reason(error)}; the database is as it was"
            ) from error
        finally:
            self._engine.dispose()

    # -- SQLite: a new file, which takes the place of the former

    def _fill_file(
        self,
        file: Path,
        revision: str,
        tables: Mapping[str, Iterable[bytes]],
        aside: str,
        progress: Progress | None,
        before_swap: Callable[[], None],
    ) -> str:
        _close_file(file)
        staged = file.with_name(file.name + ".restoring")
        staged.unlink(missing_ok=True)
        engine = _staging_engine(staged)
        try:
            with engine.begin() as connection:
                _load(connection, revision, tables, progress)
            engine.dispose()
            with staged.open("rb") as written:
                os.fsync(written.fileno())
            # A server may have been started meanwhile.
            _close_file(file)
            before_swap()
            kept = ""
            if file.exists() and not self.empty:
                kept = str(file.with_name(file.name + aside))
                file.rename(kept)
            staged.replace(file)
            return kept
        finally:
            engine.dispose()
            staged.unlink(missing_ok=True)

    # -- PostgreSQL: one transaction; the former tables move to a schema of their own

    def _fill_server(
        self,
        revision: str,
        tables: Mapping[str, Iterable[bytes]],
        aside: str,
        progress: Progress | None,
        before_swap: Callable[[], None],
    ) -> str:
        with self._engine.begin() as connection:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_PATIENCE}s'"))
            found = sa.MetaData()
            found.reflect(connection)
            kept = "" if self.empty else "broadsheet" + aside.replace("-", "_").replace(".", "_").lower()
            if kept:
                connection.execute(sa.schema.CreateSchema(kept))
                for table in found.tables:
                    connection.execute(sa.text(f'ALTER TABLE "{table}" SET SCHEMA "{kept}"'))
            else:
                found.drop_all(connection)
            _load(connection, revision, tables, progress)
            before_swap()
        return f"schema {kept}" if kept else ""


def _staging_engine(file: Path) -> Engine:
    """An engine for a file that is thrown away if anything happens before it is complete."""
    engine = sa.create_engine(
        f"sqlite:///{file}",
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _close_file(file: Path) -> None:
    """Makes one file of an SQLite database, which only works while nobody has it open."""
    if file.exists():
        connection = sqlite3.connect(file, timeout=_PATIENCE)
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise StoreError(
                f"the database {file} cannot be replaced ({error}); stop the server and whatever else works "
                "on this home"
            ) from error
        finally:
            connection.close()
    # Left by a crash, they would be taken for those of the file that comes here.
    for suffix in ("-wal", "-shm", "-journal"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _load(
    connection: Connection, revision: str, tables: Mapping[str, Iterable[bytes]], progress: Progress | None
) -> None:
    from alembic.util import CommandError

    try:
        upgrade(connection, revision)
    except CommandError as error:
        raise StoreError(f"the backup is of schema {revision}, which was never released") from error
    found = sa.MetaData()
    found.reflect(connection)
    ours = [table for table in found.sorted_tables if table.name != _REVISION]
    if {table.name for table in ours} != set(tables):
        wrong = ", ".join(sorted({table.name for table in ours} ^ set(tables)))
        raise StoreError(
            f"the backup does not hold the tables of schema {revision}: {wrong}; take another one"
        )
    for table in reversed(ours):
        # What migrations put there comes with the backup.
        connection.execute(sa.delete(table))
    for table in ours:
        _fill_table(connection, table, tables[table.name], progress)
    upgrade(connection)


def _fill_table(
    connection: Connection, table: sa.Table, lines: Iterable[bytes], progress: Progress | None
) -> None:
    for column in table.columns:
        if isinstance(column.type, sa.JSON):
            column.type = sa.JSON(none_as_null=True)
    names = frozenset(column.name for column in table.columns)
    binary = [column.name for column in table.columns if isinstance(column.type, sa.LargeBinary)]
    numbered = enumerate(lines, 1)
    put = _copy if connection.dialect.name == "postgresql" else _insert
    while batch := list(islice(numbered, _ROWS)):
        rows = [_row(table.name, number, line, names, binary) for number, line in batch]
        try:
            put(connection, table, rows)
        except (sa.exc.OperationalError, psycopg.OperationalError):
            # No room, no connection: nothing that the backup could help.
            raise
        except (sa.exc.StatementError, psycopg.Error) as error:
            where = f"table {table.name}, lines {batch[0][0]:,} to {batch[-1][0]:,}"
            raise _RowError(f"the backup does not fit its schema: {where}: {_reason(error)}") from error
        if progress:
            progress(len(rows))
    _count_on(connection, table)


def _insert(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    connection.execute(sa.insert(table), rows)


def _copy(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """As `_insert`, by PostgreSQL's own way, which takes a quarter of the time."""
    names = [str(column.name) for column in table.columns]
    written_as_json = [isinstance(column.type, sa.JSON) for column in table.columns]
    command = psycopg.sql.SQL("COPY {} ({}) FROM STDIN").format(
        psycopg.sql.Identifier(table.name), psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, names))
    )
    with connection.connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            values = [row[name] for name in names]
            for place, is_json in enumerate(written_as_json):
                if is_json and values[place] is not None:
                    values[place] = orjson.dumps(values[place]).decode()
            copy.write_row(values)


def _reason(error: Exception) -> str:
    """What the database said, without the statement."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _row(table: str, number: int, line: bytes, names: frozenset[str], binary: list[str]) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _RowError(
            f"the backup does not fit its schema: table {table}, line {number:,}: {error}"
        ) from error
    if not isinstance(row, dict) or row.keys() != names:
        raise _RowError(
            f"the backup does not fit its schema: table {table}, line {number:,} has other columns"
        )
    for name in binary:
        if row[name] is not None:
            row[name] = base64.b64decode(row[name])
    return row


def _count_on(connection: Connection, table: sa.Table) -> None:
    """Has a server that counts keys itself go on after the highest one."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        if not isinstance(column.type, sa.Integer):
            continue
        named = {"table": f'"{table.name}"', "column": column.name}
        query = sa.text("SELECT pg_get_serial_sequence(:table, :column)")
        sequence = connection.execute(query, named).scalar()
        if sequence:
            highest = connection.execute(sa.select(sa.func.max(column))).scalar()
            if highest is not None:
                connection.execute(
                    sa.text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest}
                )
