"""Answers of services that came with status 200 and are none: told with the service's name."""

from __future__ import annotations

from typing import Any

import orjson

from .http import Response, Service, ServiceError


def json_of(answer: Response, service: Service) -> Any:
    """The JSON that ``answer`` holds.

    Raises:
        ServiceError: if it holds none: an error page with status 200, an answer cut off.
    """
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError as error:
        raise unusable(answer, service, f"{what(answer)} instead of JSON") from error


def unusable(answer: Response, service: Service, why: str) -> ServiceError:
    """The error for an answer that came and cannot be used."""
    return ServiceError(service.name, answer.url, why, "try again later", answer.status)


def wrong_key(answer: Response, service: Service, setting: str) -> ServiceError:
    """The error for an answer that refuses the key of ``setting``."""
    return ServiceError(
        service.name, answer.url, "refuses the key", f"correct {setting}, or wait", answer.status
    )


def what(answer: Response) -> str:
    """What ``answer`` is, for messages."""
    head = answer.content[:200].lstrip().lower()
    if not head:
        return "sent an empty answer"
    if head.startswith((b"<!doctype html", b"<html")):
        return "sent a web page"
    return f"sent {answer.content[:60].decode('utf-8', 'replace')!r}"
