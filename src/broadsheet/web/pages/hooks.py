"""Where mail servers and mail services post what came back; only with the secret of the settings."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from ...delivery.mail.posted import NotUnderstood, posted_bounces, subscribe_address
from ...delivery.mail.returned import Returned, act_on, take_in
from ...store import Store
from ..render import workspace_of

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)

# A notification may carry the whole mail back; more than its beginning is not looked at.
_MOST_BYTES = 2_000_000


@router.post("/hooks/bounces")
async def bounces(request: Request) -> Response:
    """Takes one notification: a message (message/rfc822), or the JSON of a mail service."""
    workspace = workspace_of(request)
    if not _knows(request, workspace.settings.bounces_secret):
        return _answer({"error": "the secret of BROADSHEET_BOUNCES_SECRET is missing or wrong"}, 403)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            return _answer({"error": f"a notification has at most {_MOST_BYTES:,} bytes"}, 413)
    try:
        report = await run_in_threadpool(_taken_in, workspace.store, body)
    except NotUnderstood as error:
        return _answer({"error": str(error)}, 400)
    return _answer(report.as_json())


def _answer(told: dict, status: int = 200) -> Response:
    return JSONResponse(told, status, headers={"Cache-Control": "no-store"})


def _knows(request: Request, secret: str) -> bool:
    """Whether the request has ``secret``: as parameter, as bearer token, or as password of any user."""
    kind, _, told = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            told = base64.b64decode(told, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            told = ""
    given = told or request.query_params.get("secret", "")
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


def _taken_in(store: Store, body: bytes) -> Returned:
    # Amazon posts its JSON as plain text: the content tells.
    if body.lstrip()[:1] not in (b"{", b"["):
        return take_in(store, [body], trusted=True)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("that is no JSON; post it as the mail service sends it") from error
    if address := subscribe_address(told):
        log.warning("Amazon SNS waits for somebody to open this address once: %s", address)
        return Returned(read=1, other=1)
    found, report = posted_bounces(told), Returned(read=1)
    report.other += not found
    act_on(store, found, report, trusted=True)
    return report
