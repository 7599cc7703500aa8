"""Asking GitHub's REST API for repositories, within what it allows an hour.

Source: docs.github.com/rest ("Get a repository": 301 for renamed, 404 for gone or private, 403 and 451 for
blocked ones; "Rate limits": 60 requests an hour, 5,000 with a token, ``GET /rate_limit`` is free).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..answers import json_of, unusable
from ..http import Client, Response, Service, ServiceError
from ..values import number, object_in, text

URL = "https://api.github.com"
GITHUB = Service("github", interval=0.8, backoff=10.0)
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
# Some requests are left to whoever else uses the same address or token.
RESERVE = 5


class LimitReached(Exception):
    """GitHub answers nothing more until the hour is over."""


@dataclass(slots=True)
class Allowance:
    """How many requests are left; None where the server sets no limit."""

    left: int | None

    def take(self) -> None:
        if self.left is None:
            return
        if self.left <= 0:
            raise LimitReached
        self.left -= 1


def fetch_allowance(
    client: Client,
    *,
    url: str = URL,
    service: Service = GITHUB,
    token: str = "",
    stop: threading.Event | None = None,
) -> Allowance:
    """How many repositories may be asked for now.

    Raises:
        ServiceError: if GitHub gives no usable answer (also where the token is none: 401).
        Stopped: if ``stop`` was set while waiting.
    """
    answer = _get(f"{url}/rate_limit", client, service, token, (200, 401, 404), stop)
    if answer.status == 401:
        raise ServiceError(
            service.name, answer.url, "does not know the token", "correct BROADSHEET_GITHUB_TOKEN", 401
        )
    if answer.status == 404:
        # A server of one's own without limits.
        return Allowance(None)
    core = object_in(object_in(object_in(json_of(answer, service)).get("resources")).get("core"))
    remaining = number(core.get("remaining"))
    return Allowance(0 if remaining is None else max(0, remaining - RESERVE))


def fetch_repository(
    name: str,
    client: Client,
    allowance: Allowance,
    *,
    url: str = URL,
    service: Service = GITHUB,
    token: str = "",
    stop: threading.Event | None = None,
) -> dict[str, Any] | None:
    """The repository ``name`` (``owner/name``), under its present name; None where it is not to be had.

    Raises:
        LimitReached: if no more may be asked for this hour.
        ServiceError: if GitHub gives no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    allowance.take()
    address = f"{url}/repos/{quote(name, safe='/')}"
    answer = _get(address, client, service, token, (200, 403, 404, 410, 451), stop)
    if answer.headers.get("x-ratelimit-remaining") == "0":
        allowance.left = 0
    if answer.status == 200:
        found = json_of(answer, service)
        if not isinstance(found, dict) or number(found.get("stargazers_count")) is None:
            raise unusable(answer, service, "sent no repository")
        return found
    if answer.status == 403:
        told = text(object_in(json_of(answer, service)).get("message")).lower()
        if "rate limit" in told or "abuse" in told:
            raise LimitReached
    return None


def _get(
    address: str,
    client: Client,
    service: Service,
    token: str,
    accept: tuple[int, ...],
    stop: threading.Event | None,
) -> Response:
    headers = _HEADERS | ({"Authorization": f"Bearer {token}"} if token else {})
    return client.get(address, service, headers=headers, accept=accept, data=True, stop=stop)
