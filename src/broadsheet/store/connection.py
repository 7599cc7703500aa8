"""Opening the database: SQLite with the settings that survive a crash, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from . import schema

# Whoever changes papers holds this PostgreSQL advisory lock until the end of the transaction, so
# that two importers cannot both create the same paper and changes appear in the order of `seq`.
_WRITERS = 7_105_118
# SQLite takes 32,766 parameters in a statement, PostgreSQL 65,535; planning is quicker with fewer.
_CHUNK = 1000


class StoreError(RuntimeError):
    """The database cannot be opened or written; the message says what to do."""


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def connect(url: str) -> Engine:
    """An engine for ``url``; nothing is opened yet.

    Raises:
        StoreError: if the URL is none that can be used.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError(
            f"{url!r} is no database URL; write sqlite:///PATH or postgresql+psycopg://..."
        ) from error
    common = {"json_serializer": _dumps, "json_deserializer": orjson.loads}
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=10, **common)
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(
            f"{parsed.get_backend_name()} is not supported; use sqlite:///PATH or postgresql+psycopg://..."
        )
    engine = sa.create_engine(parsed, connect_args={"timeout": 60}, pool_size=16, **common)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling would begin too late for a consistent read.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # In WAL mode NORMAL never corrupts; a power cut may take back the last moments' imports.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA cache_size=-8192")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a writer that began by reading cannot be refused later because another one wrote.
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def in_chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """``values`` in lists short enough for one statement."""
    listed = list(values)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]


class WriteTransaction:
    """``with WriteTransaction(engine) as connection``: one writer at a time, all or nothing."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def __enter__(self) -> Connection:
        self._connection = self._engine.connect().execution_options(write=True)
        self._transaction = self._connection.begin()
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_WRITERS})"))
        return self._connection

    def __exit__(self, kind: type | None, *_: Any) -> None:
        try:
            if kind is None:
                self._transaction.commit()
            else:
                self._transaction.rollback()
        finally:
            self._connection.close()


def migrate(engine: Engine) -> None:
    """Brings the database to the newest schema; does nothing when it is there.

    Raises:
        StoreError: if the database was written by a newer Broadsheet or cannot be opened.
    """
    try:
        with engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            found = None
            if "alembic_version" in tables:
                found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    except sa.exc.DBAPIError as error:
        raise StoreError(f"the database {engine.url!r} cannot be opened: {error.orig}") from error
    if found == schema.REVISION:
        return
    if found is None and tables:
        raise StoreError(
            f"the database {engine.url!r} holds other tables; give Broadsheet a database of its own"
        )
    if found is not None and found > schema.REVISION:
        raise StoreError(
            f"the database is at schema {found}, this Broadsheet knows {schema.REVISION}; "
            "install a newer Broadsheet"
        )
    with WriteTransaction(engine) as connection:
        upgrade(connection)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Brings the database to ``revision`` of the schema, in the transaction of ``connection``."""
    # Alembic takes a tenth of a second to import, which most starts do not need.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
