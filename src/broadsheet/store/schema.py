"""The tables, the same on SQLite and PostgreSQL. Every change of them is a migration."""

from __future__ import annotations

import sqlalchemy as sa

# The newest revision under migrations/versions; a database at this one is opened without Alembic.
REVISION = "0001"

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
    sqlite_with_rowid=False,
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
