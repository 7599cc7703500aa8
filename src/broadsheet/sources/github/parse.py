"""Repositories as GitHub's REST API answers them, and their names in links.

Source: docs.github.com/rest/repos/repos ("Get a repository").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..values import number, text

_REPOSITORY = re.compile(
    r"https?://(?:www\.)?github\.com/(?P<owner>[A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/(?P<name>[\w.-]{1,100})(?:[/?#].*)?",
    re.IGNORECASE,
)
# Pages of the site itself that look like an owner.
_NO_OWNERS = {"orgs", "topics", "features", "marketplace", "sponsors", "collections", "settings", "about"}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository under its present name, ``owner/name``, with its address and stars."""

    name: str
    url: str
    stars: int


def repository(value: dict[str, Any]) -> Repository:
    """``value``, a repository of the API."""
    return Repository(
        text(value.get("full_name")), text(value.get("html_url")), number(value.get("stargazers_count")) or 0
    )


def name_in(url: str) -> str | None:
    """``owner/name`` of the repository that ``url`` leads to or into, or None.

    >>> name_in("https://github.com/ada/engine.git")
    'ada/engine'
    """
    found = _REPOSITORY.fullmatch(url.strip())
    if not found or found["owner"].lower() in _NO_OWNERS:
        return None
    name = re.sub(r"\.git$", "", found["name"])
    return f"{found['owner']}/{name}" if name.strip(".") else None


def is_repository(value: dict[str, Any]) -> bool:
    """Whether ``value`` is a repository of GitHub's API."""
    return "stargazers_count" in value and "full_name" in value
