"""Editions and delivery: composed editions, subscriptions, the outbox, what was delivered, suppressions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Json = sa.JSON(none_as_null=True)
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _editions()
    _subscriptions()
    _outbox()


def _editions() -> None:
    op.create_table(
        "editions",
        sa.Column("id", Key, primary_key=True, autoincrement=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("first", sa.Text, nullable=False),
        sa.Column("last", sa.Text, nullable=False),
        sa.Column("composed_at", sa.Text, nullable=False),
        sa.Column("entries", sa.LargeBinary, nullable=False),
        sa.Column("matched", sa.LargeBinary, nullable=False),
        sa.Column("incomplete", sa.Text, nullable=False),
    )
    op.create_index("editions_audience", "editions", ["audience", "last"])
    op.create_index("editions_last", "editions", ["last"])


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", Key, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("frequency", sa.Text, nullable=False),
        sa.Column("days", sa.Text, nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("confirmed", sa.Text, nullable=False),
        sa.Column("changed", sa.Text, nullable=False),
        sa.Column("options", Json),
    )
    op.create_index("subscriptions_one", "subscriptions", ["channel", "address_key", "audience"], unique=True)
    op.create_index("subscriptions_schedule", "subscriptions", ["state", "zone", "hour"])
    op.create_table(
        "suppressions",
        sa.Column("address_key", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", Key, primary_key=True, autoincrement=False),
        sa.Column("subscription", Key, nullable=False),
        sa.Column("slot", sa.Text, nullable=False),
        sa.Column("edition", Key, nullable=False),
        sa.Column("papers", Json, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try", sa.Float(53), nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("sent", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
    )
    op.create_index("outbox_one", "outbox", ["subscription", "slot"], unique=True)
    op.create_index("outbox_waiting", "outbox", ["state", "next_try"])
    op.create_index("outbox_slot", "outbox", ["slot"])
    op.create_index("outbox_edition", "outbox", ["edition"])
    op.create_index("outbox_message", "outbox", ["message_id"])
    op.create_table(
        "delivered",
        sa.Column("paper", Key, primary_key=True, autoincrement=False),
        sa.Column("subscription", Key, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("delivered_subscription", "delivered", ["subscription"])
