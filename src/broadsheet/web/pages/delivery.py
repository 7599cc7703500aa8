"""What became of the editions, for operators: by day, with the reasons; and a mail as it would be sent."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ...delivery.channels import Links, Outgoing
from ...delivery.mail.configured import sender_of, site_of
from ...delivery.mail.message import SenderError
from ...delivery.mail.render import Rendered, Renderer
from ...editions.composing import Composer
from ...editions.due import MOST_PAPERS
from ...model.audiences import AUDIENCE_KINDS, Audience, AudienceError
from ...model.periods import day_period
from ...model.subscriptions import OUTBOX_STATES, Deliveries, Subscription
from ...store import Store
from ...workspace import Workspace
from ..coverage import moment
from ..errors import PageError
from ..render import base_url, page, workspace_of
from ..stories import counted, short_day
from .routing import reading
from .subscriptions import KIND_TITLES, Limits

router = APIRouter()

_COOKIE = "broadsheet_operator"
_COOKIE_SECONDS = 365 * 86_400
_DAYS = 30
# Guesses at the key that one visitor has in an hour.
_guesses = Limits(30, 3_600.0)
# What a proxy in front of the site adds: then the visitor is not on this machine, though the proxy is.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
# The mail's own styles stand at its elements; the frame that shows it may run nothing.
_PREVIEW_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


# -- who may look


def _operator(request: Request, key: str) -> dict[str, str]:
    """Lets an operator in, with the headers that go with the page. Raises `PageError` for all others."""
    private = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    expected = workspace_of(request).settings.operator_key
    kept = hashlib.sha256(b"broadsheet operator " + expected.encode()).hexdigest()
    if expected and hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), kept.encode()):
        return private
    if expected and key:
        visitor = request.client.host if request.client else ""
        if _guesses.allows(visitor) and hmac.compare_digest(key.encode(), expected.encode()):
            secure = "; Secure" if base_url(request).startswith("https:") else ""
            cookie = f"{_COOKIE}={kept}; Path=/delivery; Max-Age={_COOKIE_SECONDS}; HttpOnly; SameSite=Strict"
            return private | {"Set-Cookie": cookie + secure}
    if _on_this_machine(request):
        return private
    raise PageError(
        403,
        "This page is for whoever runs the site: open it on the machine itself, or once as /delivery?key=… "
        "with the key of BROADSHEET_OPERATOR_KEY.",
        title="Not for everybody",
    )


def _on_this_machine(request: Request) -> bool:
    """Whether a browser on this machine asks, neither through a proxy nor under another site's name."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return _is_loopback(request.client.host) and (name == "localhost" or _is_loopback(name))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# -- what became of the editions


@reading(router, "/delivery")
def delivery(request: Request, key: str = "", day: str = "") -> Response:
    headers = _operator(request, key)
    workspace = workspace_of(request)
    store, settings = workspace.store, workspace.settings
    days = [store.deliveries(name) for name in store.delivery_days(_DAYS)]
    chosen = store.deliveries(day_period(day).name) if day else (days[0] if days else None)
    return page(
        request,
        "delivery.html",
        "Delivery",
        headers=headers,
        verdict=_verdict(store, days),
        days=days,
        chosen=chosen,
        columns=_COLUMNS,
        counts=store.subscription_counts(),
        suppressed=store.suppressed_count(),
        last_sent=store.last_sent(),
        next_try=_next_try(store),
        sends_mail=bool(settings.smtp_url),
        delivers=settings.deliver,
        moment=moment,
        counted=counted,
        kinds=KIND_TITLES.items(),
    )


# Title of a column and the states that it counts.
_COLUMNS = (
    ("Waiting", ("queued", "sending")), ("Sent", ("sent",)), ("To retry", ("retry",)),
    ("Failed", ("failed",)), ("Bounced", ("bounced",)), ("Suppressed", ("suppressed",)),
    ("Not sent", ("skipped",)),
)  # fmt: skip


@reading(router, "/delivery.json")
def delivery_json(request: Request, key: str = "") -> Response:
    """The same for programs."""
    headers, store = _operator(request, key), workspace_of(request).store
    told = {
        "subscriptions": store.subscription_counts(),
        "suppressed": store.suppressed_count(),
        "last_sent": store.last_sent() or None,
        "next_try": store.next_try(),
        "days": [_day_json(store.deliveries(name)) for name in store.delivery_days(_DAYS)],
    }
    return JSONResponse(told, headers=headers)


def _day_json(told: Deliveries) -> dict[str, object]:
    reasons = [{"state": state, "reason": reason, "number": number} for state, reason, number in told.reasons]
    states = {state: told.count(state) for state in OUTBOX_STATES}
    return {"day": told.day, "composed": told.composed, **states, "channels": told.states, "reasons": reasons}


def _next_try(store: Store) -> str:
    when = store.next_try()
    if when is None:
        return ""
    # The whole minute in which it is done.
    seconds = math.ceil(max(when, datetime.now(UTC).timestamp()))
    return moment(datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _verdict(store: Store, days: list[Deliveries]) -> tuple[str, bool]:
    """The state of delivery in a sentence, and whether something is amiss."""
    waiting = sum(store.outbox_counts(("queued", "retry", "sending")).values())
    if waiting:
        return f"{counted(waiting, 'edition')} {'waits' if waiting == 1 else 'wait'} to be sent.", any(
            day.count("retry") for day in days
        )
    if not days:
        return "Nothing was composed yet: no subscription was due.", False
    lost = days[0].count("failed", "bounced")
    if lost:
        return f"Of the editions of {short_day(days[0].day)}, {lost:,} did not arrive.", True
    return "Nothing waits: all that was due has been sent, or was empty.", False


# -- a mail as it would be sent


@reading(router, "/delivery/preview")
def preview(
    request: Request,
    key: str = "",
    kind: str = "everybody",
    value: str = "",
    day: str = "",
    period: str = "day",
) -> Response:
    headers = _operator(request, key)
    workspace, problem, mail, papers = workspace_of(request), "", None, 0
    last = (
        day_period(day).name if day else workspace.store.latest_day() or datetime.now(UTC).date().isoformat()
    )
    try:
        audience = Audience.of(kind if kind in AUDIENCE_KINDS else "everybody", value)
        item = _outgoing(workspace, base_url(request), audience, last, period)
        papers = len(item.papers)
        mail = Renderer(site_of(workspace.settings)).rendered(item) if papers else None
        problem = "" if papers else (item.edition.incomplete or "Nothing new: no mail would be sent.")
    except AudienceError as error:
        problem = f"{error}."
    return page(
        request,
        "delivery_preview.html",
        "Preview",
        headers=headers | {"Content-Security-Policy": _PREVIEW_POLICY},
        mail=mail,
        frame=_framed(mail) if mail else "",
        papers=papers,
        problem=problem,
        sender=_sender(workspace),
        kinds=KIND_TITLES.items(),
        kind=kind,
        value=value[:1_000],
        day=last,
        period=period,
    )


def _outgoing(workspace: Workspace, site: str, audience: Audience, last: str, period: str) -> Outgoing:
    """What a new subscription for ``audience`` would get."""
    kind = "week" if period == "week" else "day"
    first = (date.fromisoformat(last) - timedelta(days=6)).isoformat() if kind == "week" else last
    with Composer(workspace.store, workspace.settings, workspace.engine, first, last) as composer:
        (edition,) = composer.compose([audience], kind)
    papers = {
        one.key: one for one in workspace.store.papers([e.paper for e in edition.entries[:MOST_PAPERS]])
    }
    edition = edition.only(papers)
    links = Links(site, f"{site}/subscription/preview", f"{site}/unsubscribe/preview")
    subscription = Subscription(0, "mail", "reader@example.org", audience)
    return Outgoing(0, subscription, edition, [papers[entry.paper] for entry in edition.entries], links, last)


def _framed(mail: Rendered) -> str:
    """The HTML part for a frame: its links open beside the page."""
    return mail.html.replace("<head>", '<head><base target="_blank">', 1)


def _sender(workspace: Workspace) -> str:
    try:
        sender = sender_of(workspace.settings)
    except SenderError as error:
        return str(error)
    return f"{sender.name} <{sender.address}>" if sender.name else sender.address
