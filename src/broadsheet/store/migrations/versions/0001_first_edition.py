"""The first edition: papers, identifiers, authors, categories, versions, links, listings, counts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Json = sa.JSON(none_as_null=True)
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "papers",
        sa.Column("key", Key, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_hash", sa.Text, nullable=False),
        sa.Column("abstract", sa.Text, nullable=False),
        sa.Column("published", sa.Text),
        sa.Column("updated", sa.Text),
        sa.Column("first_listed", sa.Text),
        sa.Column("newest", sa.Text, nullable=False),
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
        sa.Column("provenance", Json),
    )
    op.create_index("ix_papers_title_hash", "papers", ["title_hash"])
    op.create_index("ix_papers_newest", "papers", ["newest"])
    op.create_table(
        "identifiers",
        sa.Column("identifier", sa.Text, primary_key=True),
        sa.Column("paper", Key, sa.ForeignKey("papers.key"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
    op.create_index("ix_identifiers_paper", "identifiers", ["paper"])
    op.create_table(
        "authors",
        sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("account", Json),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "categories",
        sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "versions",
        sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("date", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "links",
        sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("provenance", sa.Text, nullable=False),
        sa.Column("data", Json),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "listings",
        sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
        sa.Column("telling", sa.Text, primary_key=True),
        sa.Column("list", sa.Text, nullable=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("upvotes", sa.Integer),
        sa.Column("num_comments", sa.Integer),
        sa.Column("submitter", sa.Text),
        sa.Column("submitter_account", Json),
    )
    op.create_index("listings_day", "listings", ["day", "list", "paper"])
    op.create_index("listings_list", "listings", ["list", "day", "paper"])
    op.create_index("listings_submitter", "listings", ["submitter"])
    op.create_table(
        "counts",
        sa.Column("paper", Key, sa.ForeignKey("papers.key"), primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("upvotes", sa.Integer),
        sa.Column("num_comments", sa.Integer),
        sa.Column("github_stars", sa.Integer),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "changes",
        sa.Column("paper", Key, primary_key=True, autoincrement=False),
        sa.Column("seq", Key, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
