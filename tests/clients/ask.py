"""Runs inside a client's own environment: makes the calls that stdin names, prints what it made of them.

stdin: a JSON list of ``{"call": method of HfApi, "with": arguments}``; the endpoint is HF_ENDPOINT.
stdout: a JSON list in the same order: ``{"result": ...}`` or ``{"error", "status", "message"}``.
Objects are given as their attributes, times as ``{"datetime": ISO}``.
"""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError


def plain(value: Any) -> Any:
    """``value`` as JSON that still tells times from texts."""
    if isinstance(value, datetime.datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if hasattr(value, "__dict__"):
        return {name: plain(part) for name, part in vars(value).items()}
    return value


def main() -> None:
    api = HfApi()
    answers = []
    for asked in json.load(sys.stdin):
        try:
            result = getattr(api, asked["call"])(**asked["with"])
            if asked["call"].startswith("list_"):
                result = list(result)
            answers.append({"result": plain(result)})
        except HfHubHTTPError as error:
            answers.append(
                {"error": type(error).__name__, "status": error.response.status_code, "message": str(error)}
            )
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
