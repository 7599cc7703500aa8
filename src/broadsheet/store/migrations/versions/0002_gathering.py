"""Gathering and identity: cursors, leases, announcements, events, tellings, merges, conflicts, licences."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Json = sa.JSON(none_as_null=True)
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


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
        sa.Column("tellings", Json, nullable=False),
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
