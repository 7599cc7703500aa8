"""The tables, the same on SQLite and PostgreSQL. Every change of them is a migration."""

from __future__ import annotations

import sqlalchemy as sa

# The newest revision under migrations/versions; a database at this one is opened without Alembic.
REVISION = "0003"

metadata = sa.MetaData()

# JSON null and SQL NULL are the same thing here: nothing is known.
Json = sa.JSON(none_as_null=True)
# SQLite counts keys by itself only in a column declared INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

papers = sa.Table(
    "papers",
    metadata,
    sa.Column("key", Key, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    # First 16 hex digits of the SHA-256 of model.text.title_key(title).
    sa.Column("title_hash", sa.Text, nullable=False, index=True),
    sa.Column("abstract", sa.Text, nullable=False),
    sa.Column("published", sa.Text),
    sa.Column("updated", sa.Text),
    # The earliest day on which it was listed anywhere.
    sa.Column("first_listed", sa.Text),
    # published, else first_listed, else the day it was stored: what "newest first" sorts by.
    sa.Column("newest", sa.Text, nullable=False, index=True),
    sa.Column("venue", sa.Text),
    sa.Column("comment", sa.Text),
    sa.Column("upvotes", sa.Integer),
    sa.Column("num_comments", sa.Integer),
    sa.Column("github_stars", sa.Integer),
    sa.Column("submitter", sa.Text),
    sa.Column("submitter_account", Json),
    sa.Column("ai_summary", sa.Text),
    sa.Column("ai_keywords", Json),
    sa.Column("organization", Json),
    sa.Column("withdrawn", sa.Text),
    sa.Column("extra", Json),
    # field -> source that gave it
    sa.Column("provenance", Json),
    sa.Column("citations", sa.Integer),
    sa.Column("licence", sa.Text),
)

identifiers = sa.Table(
    "identifiers",
    metadata,
    # scheme:value. A paper's former canonical ids stay here, so that old links redirect.
    sa.Column("identifier", sa.Text, primary_key=True),
    sa.Column("paper", Key, sa.ForeignKey("papers.key"), nullable=False, index=True),
    sa.Column("source", sa.Text, nullable=False),
)

authors = sa.Table(
    "authors",
    metadata,
    sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("account", Json),
    sqlite_with_rowid=False,
)

categories = sa.Table(
    "categories",
    metadata,
    sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("date", sa.Text),
    sqlite_with_rowid=False,
)

links = sa.Table(
    "links",
    metadata,
    sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("provenance", sa.Text, nullable=False),
    sa.Column("data", Json),
    sqlite_with_rowid=False,
)

listings = sa.Table(
    "listings",
    metadata,
    sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
    # What makes two tellings of a listing the same one; see merging.telling().
    sa.Column("telling", sa.Text, primary_key=True),
    sa.Column("list", sa.Text, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("upvotes", sa.Integer),
    sa.Column("num_comments", sa.Integer),
    sa.Column("submitter", sa.Text),
    sa.Column("submitter_account", Json),
    sa.Index("listings_day", "day", "list", "paper"),
    sa.Index("listings_list", "list", "day", "paper"),
    sa.Index("listings_submitter", "submitter"),
)

counts = sa.Table(
    "counts",
    metadata,
    sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
    sa.Column("source", sa.Text, primary_key=True),
    # Day on which the source counted; empty where it did not say.
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("upvotes", sa.Integer),
    sa.Column("num_comments", sa.Integer),
    sa.Column("github_stars", sa.Integer),
    sa.Column("citations", sa.Integer),
    sqlite_with_rowid=False,
)

# What a paper cites: keys of identifiers, as a list, in the order of the source.
bibliographies = sa.Table(
    "bibliographies",
    metadata,
    sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
    sa.Column("identifiers", Json, nullable=False),
)

# The change log: what the search index, and whoever else keeps a copy, follows. The newest change
# of a paper is enough, so an entry replaces the paper's former one and the log stays as short as
# the list of papers.
changes = sa.Table(
    "changes",
    metadata,
    sa.Column("paper", Key, primary_key=True, autoincrement=False),
    sa.Column("seq", Key, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

# What happened to stored papers; `paper` may have been merged into another one since.
events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", Key, primary_key=True, autoincrement=False),
    sa.Column("paper", Key, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("data", Json),
)

# What each source told of a paper, kept where the rows of the paper do not say it any more: see
# docs/identity.md. `number` is the order in which the sources first told.
tellings = sa.Table(
    "tellings",
    metadata,
    sa.Column("number", Key, primary_key=True, autoincrement=False),
    sa.Column("paper", Key, sa.ForeignKey("papers.key"), nullable=False, index=True),
    sa.Column("source", sa.Text, nullable=False),
    # Compressed JSON; see store.tellings.
    sa.Column("body", sa.LargeBinary, nullable=False),
)

# Papers or tellings that were brought together, with what takes them apart again.
merges = sa.Table(
    "merges",
    metadata,
    sa.Column("number", Key, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("kept", Key, nullable=False, index=True),
    # The paper that there was, and the id it had; none where a record joined a paper by its title.
    sa.Column("dropped", Key, index=True),
    sa.Column("dropped_id", sa.Text),
    # "editor", or the source whose record brought them together, and where in the input it stood.
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    # Numbers of the tellings that came to the kept paper and of those that it had, and the identifiers
    # of the other paper.
    sa.Column("moved", Json, nullable=False),
    sa.Column("undone", sa.Text),
)

# Pairs of papers that an editor told apart; no import brings them together.
apart = sa.Table(
    "apart",
    metadata,
    sa.Column("low", Key, primary_key=True, autoincrement=False),
    sa.Column("high", Key, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
)

# What an editor should look at; `low` and `high` are the two papers, `low` < `high`.
conflicts = sa.Table(
    "conflicts",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("low", Key, primary_key=True, autoincrement=False),
    sa.Column("high", Key, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

# How far gathering from each source is.
gathers = sa.Table(
    "gathers",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("cursor", Json),
    sa.Column("tried", sa.Text, nullable=False),
    sa.Column("succeeded", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
)

# Who does what only one worker may do; `until` is in seconds since 1970 by the database's clock.
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.Float(53), nullable=False),
)

# What sources said that they published on a day.
announcements = sa.Table(
    "announcements",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("list", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    # The number of papers that the source told, where it told one.
    sa.Column("count", sa.Integer),
    # How many papers it named, and their keys: one a line, in order, compressed.
    sa.Column("named", sa.Integer, nullable=False),
    sa.Column("identifiers", sa.LargeBinary),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("tried", sa.Text, nullable=False),
    sa.Index("announcements_day", "day"),
)

# Named papers that were not stored when their announcement was last looked at; what came since is
# still here until then.
absent = sa.Table(
    "absent",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("list", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("identifier", sa.Text, primary_key=True),
    sqlite_with_rowid=False,
)

# Editions as they were composed; see model.editions.ComposedEdition. `audience` is the key of one.
editions = sa.Table(
    "editions",
    metadata,
    sa.Column("id", Key, primary_key=True, autoincrement=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("first", sa.Text, nullable=False),
    sa.Column("last", sa.Text, nullable=False),
    sa.Column("composed_at", sa.Text, nullable=False),
    # Compressed JSON, and compressed keys as int64; see store.editions.
    sa.Column("entries", sa.LargeBinary, nullable=False),
    sa.Column("matched", sa.LargeBinary, nullable=False),
    sa.Column("incomplete", sa.Text, nullable=False),
    sa.Index("editions_audience", "audience", "last"),
    sa.Index("editions_last", "last"),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("id", Key, primary_key=True, autoincrement=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("address_key", sa.Text, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("frequency", sa.Text, nullable=False),
    # Weekdays as digits, Monday is 0.
    sa.Column("days", sa.Text, nullable=False),
    sa.Column("hour", sa.Integer, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
    sa.Column("confirmed", sa.Text, nullable=False),
    sa.Column("changed", sa.Text, nullable=False),
    sa.Column("options", Json),
    sa.Index("subscriptions_one", "channel", "address_key", "audience", unique=True),
    sa.Index("subscriptions_schedule", "state", "zone", "hour"),
)

suppressions = sa.Table(
    "suppressions",
    metadata,
    sa.Column("address_key", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

# What is to be sent, and what was. One row for each subscription and local day: nobody gets two.
outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", Key, primary_key=True, autoincrement=False),
    sa.Column("subscription", Key, nullable=False),
    sa.Column("slot", sa.Text, nullable=False),
    sa.Column("edition", Key, nullable=False),
    # [key of a paper, version that is the news or 0], in order.
    sa.Column("papers", Json, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("domain", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    # Seconds since 1970, as `until` is, until when `worker` has it.
    sa.Column("next_try", sa.Float(53), nullable=False),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("until", sa.Float(53), nullable=False),
    sa.Column("created", sa.Text, nullable=False),
    sa.Column("sent", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Index("outbox_one", "subscription", "slot", unique=True),
    sa.Index("outbox_waiting", "state", "next_try"),
    sa.Index("outbox_slot", "slot"),
    sa.Index("outbox_edition", "edition"),
    sa.Index("outbox_message", "message_id"),
)

# Which papers (0) and which further versions of them a subscription got or is about to get.
delivered = sa.Table(
    "delivered",
    metadata,
    sa.Column("paper", Key, primary_key=True, autoincrement=False),
    sa.Column("subscription", Key, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    # By subscription only for whoever wants everything of theirs deleted.
    sa.Index("delivered_subscription", "subscription"),
    sqlite_with_rowid=False,
)
