"""Gathering and identity: cursors, leases, announcements, events, tellings, merges, conflicts, licences."""

import hashlib

import sqlalchemy as sa
from alembic import op

from broadsheet.model.text import title_key

revision = "0002"
down_revision = "0001"

Json = sa.JSON(none_as_null=True)
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_BATCH = 5000


def upgrade() -> None:
    op.add_column("papers", sa.Column("citations", sa.Integer))
    op.add_column("papers", sa.Column("licence", sa.Text))
    op.add_column("counts", sa.Column("citations", sa.Integer))
    op.create_table(
        "bibliographies",
        sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
        sa.Column("identifiers", Json, nullable=False),
    )
    _events()
    _identity()
    _gathering()
    _compare_titles_anew()


def _compare_titles_anew() -> None:
    """Greek letters, ``&`` and markup in titles are compared in another way since: the hashes follow."""
    papers = sa.table("papers", sa.column("key"), sa.column("title"), sa.column("title_hash"))
    update = papers.update().where(papers.c.key == sa.bindparam("k")).values(title_hash=sa.bindparam("h"))
    connection, last = op.get_bind(), 0
    while True:
        query = sa.select(papers).where(papers.c.key > last).order_by(papers.c.key).limit(_BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return
        hashes = ((row, hashlib.sha256(title_key(row.title).encode()).hexdigest()[:16]) for row in rows)
        changed = [{"k": row.key, "h": found} for row, found in hashes if found != row.title_hash]
        if changed:
            connection.execute(update, changed)
        last = rows[-1].key


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", Key, primary_key=True, autoincrement=False),
        sa.Column("paper", Key, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("data", Json),
    )
    op.create_index("ix_events_paper", "events", ["paper"])


def _identity() -> None:
    op.create_table(
        "tellings",
        sa.Column("number", Key, primary_key=True, autoincrement=False),
        sa.Column("paper", Key, sa.ForeignKey("papers.key"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_tellings_paper", "tellings", ["paper"])
    op.create_table(
        "merges",
        sa.Column("number", Key, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kept", Key, nullable=False),
        sa.Column("dropped", Key),
        sa.Column("dropped_id", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("moved", Json, nullable=False),
        sa.Column("undone", sa.Text),
    )
    op.create_index("ix_merges_kept", "merges", ["kept"])
    op.create_index("ix_merges_dropped", "merges", ["dropped"])
    op.create_table(
        "apart",
        sa.Column("low", Key, primary_key=True, autoincrement=False),
        sa.Column("high", Key, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "conflicts",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("low", Key, primary_key=True, autoincrement=False),
        sa.Column("high", Key, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _gathering() -> None:
    op.create_table(
        "gathers",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("cursor", Json),
        sa.Column("tried", sa.Text, nullable=False),
        sa.Column("succeeded", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
    )
    op.create_table(
        "announcements",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("list", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer),
        sa.Column("named", sa.Integer, nullable=False),
        sa.Column("identifiers", sa.LargeBinary),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("tried", sa.Text, nullable=False),
    )
    op.create_index("announcements_day", "announcements", ["day"])
    op.create_table(
        "absent",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("list", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("identifier", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
