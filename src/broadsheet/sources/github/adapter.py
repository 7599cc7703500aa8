"""Repositories of GitHub as what they add to the papers that link to them."""

from __future__ import annotations

from ...model.papers import Link, Paper, Record
from ..walk import name_of
from .parse import Repository, name_in

SOURCE = "github"


def repository_of(paper: Paper) -> str | None:
    """The repository of ``paper``: the first that it links to."""
    names = (name_in(link.url) for link in paper.links if link.kind == "code")
    return next((name for name in names if name), None)


def record(found: Repository, paper: Paper, asked: str, day: str) -> Record:
    """The stars that ``paper`` has on ``day``, and the present address of a repository that moved."""
    result = Record(
        title="",
        source=SOURCE,
        where=f"{SOURCE} {asked}",
        identifiers=[name_of(paper)],
        github_stars=found.stars,
        counted=day,
    )
    known = {(name_in(link.url) or "").lower() for link in paper.links}
    if found.name and found.name.lower() not in known and name_in(found.url):
        result.links.append(Link("code", found.url, SOURCE, "full_name"))
    return result
