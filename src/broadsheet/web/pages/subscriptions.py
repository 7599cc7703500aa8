"""Editions by mail without an account: subscribing, confirming, changing, leaving, all by signed links."""

from __future__ import annotations

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from ...delivery.asking import ask_to_confirm
from ...delivery.channels import Refused, Retry
from ...delivery.mail.message import SenderError
from ...delivery.mail.smtp import ServerError
from ...delivery.signed import LinkError, Signer
from ...model.audiences import AUDIENCE_KINDS, Audience, AudienceError
from ...model.subscriptions import (
    FREQUENCIES,
    WEEKDAYS,
    Subscription,
    SubscriptionError,
    address_key,
    checked_address,
    checked_days,
    checked_hour,
    checked_zone,
)
from ...workspace import Workspace
from ..errors import PageError
from ..render import base_url, page, workspace_of
from .routing import reading

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)

# A form has a dozen short fields.
_MAX_FORM = 20_000
# Mails that a stranger can have sent to one address, and forms that one visitor can send.
_MAILS_A_DAY, _FORMS_AN_HOUR = 3, 60
# What a form offers beside what can be typed.
ZONES = (
    "UTC", "America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York",
    "America/Sao_Paulo", "Europe/London", "Europe/Berlin", "Europe/Athens", "Africa/Cairo",
    "Africa/Johannesburg", "Asia/Dubai",
    "Asia/Kolkata", "Asia/Singapore", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip
KIND_TITLES = {
    "everybody": "The front page",
    "category": "A category, such as cs.CV",
    "search": "A search, as in the search field",
    "topic": "A topic, described in a sentence",
}


class Limits:
    """How often something was done lately, by whom or for whom; in memory, for one process."""

    def __init__(self, most: int, seconds: float):
        self._most, self._seconds = most, seconds
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = Lock()

    def allows(self, name: str) -> bool:
        """Whether it may be done once more for ``name``, and counts it if so."""
        now = time.monotonic()
        with self._lock:
            if len(self._times) > 10_000:
                self._times = defaultdict(
                    deque,
                    {
                        key: times
                        for key, times in self._times.items()
                        if times and times[-1] > now - self._seconds
                    },
                )
            times = self._times[name]
            while times and times[0] <= now - self._seconds:
                times.popleft()
            if len(times) >= self._most:
                return False
            times.append(now)
            return True


_mails, _forms = Limits(_MAILS_A_DAY, 86_400.0), Limits(_FORMS_AN_HOUR, 3_600.0)


@dataclass(slots=True)
class Form:
    """What the fields of a subscription hold, as typed."""

    email: str = ""
    kind: str = "everybody"
    value: str = ""
    frequency: str = "daily"
    days: list[int] = field(default_factory=lambda: [0, 1, 2, 3, 4])
    hour: int = 7
    zone: str = "UTC"

    @classmethod
    def of(cls, fields: Mapping[str, list[str]]) -> Form:
        """The fields as sent. Raises `SubscriptionError` where one is no number that should be."""

        def one(name: str, default: str) -> str:
            return fields.get(name, [default])[0].strip()

        try:
            days, hour = [int(day) for day in fields.get("day", [])[:7]], int(one("hour", "7"))
        except ValueError as error:
            raise SubscriptionError("hours and days are numbers; choose them from the lists") from error
        return cls(
            one("email", ""), one("kind", "everybody"), one("value", ""), one("frequency", "daily"),
            days, hour, one("zone", "UTC") or "UTC",
        )  # fmt: skip

    @classmethod
    def from_subscription(cls, one: Subscription) -> Form:
        days = list(one.days) or [0, 1, 2, 3, 4]
        return cls(
            one.address, one.audience.kind, one.audience.value, one.frequency, days, one.hour, one.zone
        )

    def settings(self) -> dict[str, Any]:
        """The values for the store. Raises `SubscriptionError` or `AudienceError`."""
        return {
            "audience": Audience.of(self.kind, self.value),
            "frequency": self.frequency,
            "days": checked_days(self.frequency, self.days),
            "hour": checked_hour(self.hour),
            "zone": checked_zone(self.zone),
        }


def _choices(form: Form) -> dict[str, Any]:
    return {
        "form": form,
        "kinds": [(kind, KIND_TITLES.get(kind, kind)) for kind in AUDIENCE_KINDS],
        "frequencies": list(zip(FREQUENCIES, ("Every day", "Once a week", "On these days"), strict=True)),
        "weekdays": list(enumerate(WEEKDAYS)),
        "zones": ZONES,
    }


# -- subscribing


@reading(router, "/subscribe")
def subscribe(request: Request, kind: str = "everybody", value: str = "") -> Response:
    form = Form(kind=kind if kind in AUDIENCE_KINDS else "everybody", value=value[:1_000])
    return _subscribe_page(request, form)


def _subscribe_page(request: Request, form: Form, problem: str = "") -> Response:
    return page(
        request,
        "subscribe.html",
        "Editions by mail",
        path="/subscribe",
        status=400 if problem else 200,
        sends_mail=bool(workspace_of(request).settings.smtp_url),
        problem=problem,
        **_choices(form),
    )


@router.post("/subscribe")
async def subscribed(request: Request) -> Response:
    fields = await _fields(request)
    return await run_in_threadpool(_subscribed, request, fields)


def _subscribed(request: Request, fields: Mapping[str, list[str]]) -> Response:
    workspace = workspace_of(request)
    if not workspace.settings.smtp_url:
        raise PageError(
            404, "This site sends no mail; its feeds hold the same papers.", links=(("Feeds", "/feeds"),)
        )
    form = Form()
    try:
        form = Form.of(fields)
        address = checked_address(form.email, _refused_domains(workspace))
        wanted = Subscription(0, "mail", address, **form.settings())
    except (SubscriptionError, AudienceError) as error:
        return _subscribe_page(request, form, f"{error}.")
    # A field that people do not see: whoever fills it in is a program.
    if any(fields.get("website", [])):
        return _look_into_your_mail(request)
    if reason := workspace.store.suppressed(address):
        raise PageError(
            400, f"No mail can be sent to this address: {reason}. The operator of this site can lift that."
        )
    visitor = request.client.host if request.client else ""
    if not _forms.allows(visitor) or not _mails.allows(address_key("mail", address)):
        raise PageError(
            429, "That was asked for several times already. Look into your mail, or try again tomorrow."
        )
    stored = workspace.store.subscribe(wanted)
    _ask(workspace, base_url(request), stored)
    return _look_into_your_mail(request)


def _ask(workspace: Workspace, site: str, stored: Subscription) -> None:
    """Sends the mail that asks for confirmation, or says that the editions come already."""
    try:
        answer = ask_to_confirm(workspace.settings, site, stored, stored.words)
    except (ServerError, SenderError) as error:
        log.error("mail cannot be sent: %s", error)
        raise PageError(503, "This site cannot send mail at the moment; its operator has to look.") from error
    if isinstance(answer, Retry):
        log.warning("the mail that asks for confirmation was not taken: %s", answer.reason)
        raise PageError(503, "The mail that asks you to confirm could not be sent now. Try again in a while.")
    if isinstance(answer, Refused):
        raise PageError(400, "The mail server does not take mail for this address. Check how it is written.")


def _look_into_your_mail(request: Request) -> Response:
    # The same whether the address was known: nobody finds out who reads what.
    return _said(
        request, "Look into your mail", "A mail is on its way to that address. Its link begins the editions."
    )


def _refused_domains(workspace: Workspace) -> list[str]:
    return workspace.settings.refused_mail_domains.replace(",", " ").split()


# -- confirming


@reading(router, "/confirm/{token}")
def confirm(request: Request, token: str) -> Response:
    one = _meant(request, "confirm", token)
    # Programs follow links in mails: only the button confirms.
    return page(
        request, "one_button.html", "Confirm", heading="Shall these editions come to you?",
        text=f"{one.words}.", button="Yes, send them",
    )  # fmt: skip


@router.post("/confirm/{token}")
def confirmed(request: Request, token: str) -> Response:
    one = _meant(request, "confirm", token)
    if one.state == "left":
        raise PageError(410, "These editions were left after this link was made. Subscribe once more.")
    store = workspace_of(request).store
    if one.state == "pending":
        store.confirm(one.id)
    settings = Signer.of_home(workspace_of(request).home).token("settings", one)
    return RedirectResponse(f"/subscription/{settings}", 303)


# -- settings


@reading(router, "/subscription/{token}")
def subscription(request: Request, token: str, done: str = "") -> Response:
    return _settings_page(request, _meant(request, "settings", token), said=_SAID.get(done, ""))


_SAID = {
    "save": "Saved.",
    "pause": "Paused: nothing is sent until you go on.",
    "resume": "Going on with the next edition.",
    "leave": "You have left; nothing more is sent for this.",
    "add": "Added.",
}


def _settings_page(request: Request, one: Subscription, said: str = "", problem: str = "") -> Response:
    workspace = workspace_of(request)
    signer = Signer.of_home(workspace.home)
    others = [
        (other.words, other.state, f"/subscription/{signer.token('settings', other)}")
        for other in workspace.store.subscriptions(address=one.address, channel="mail", limit=100)
        if other.id != one.id and other.state != "left"
    ]
    return page(
        request,
        "subscription.html",
        "Your editions",
        status=400 if problem else 200,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        one=one,
        what=one.words,
        others=others,
        said=said,
        problem=problem,
        **_choices(Form.from_subscription(one)),
    )


@router.post("/subscription/{token}")
async def change(request: Request, token: str) -> Response:
    fields = await _fields(request)
    return await run_in_threadpool(_changed, request, token, fields)


def _changed(request: Request, token: str, fields: Mapping[str, list[str]]) -> Response:
    one, store = _meant(request, "settings", token), workspace_of(request).store
    action = fields.get("action", [""])[0]
    acts: dict[str, Callable[[], Subscription | None]] = {
        "save": lambda: store.update(one.id, **Form.of(fields).settings()),
        "pause": lambda: store.pause(one.id),
        "resume": lambda: store.confirm(one.id),
        "leave": lambda: store.leave(one.id),
        "add": lambda: store.subscribe(
            Subscription(0, "mail", one.address, **Form.of(fields).settings()), True
        ),
    }
    if action == "delete":
        for other in store.subscriptions(address=one.address, channel="mail"):
            store.forget(other.id)
        return _said(request, "Deleted", "All that was known of this address here is deleted.")
    if action not in acts:
        raise PageError(400, "That form was not complete; go back and press one of its buttons.")
    try:
        now = acts[action]() or one
    except (SubscriptionError, AudienceError) as error:
        return _settings_page(request, one, problem=f"{error}.")
    settings = Signer.of_home(workspace_of(request).home).token("settings", now)
    return RedirectResponse(f"/subscription/{settings}?done={action}", 303)


# -- leaving


@reading(router, "/unsubscribe/{token}")
def unsubscribe(request: Request, token: str) -> Response:
    """Shows a page with a button: programs that look at every link in a mail change nothing."""
    number, _ = _read(request, "unsubscribe", token)
    one = workspace_of(request).store.subscription(number)
    if one is None or one.state == "left":
        return _left(request)
    return page(
        request, "one_button.html", "Leave", heading="No more of these editions?", text=f"{one.words}.",
        button="Leave",
    )  # fmt: skip


@router.post("/unsubscribe/{token}")
def unsubscribed(request: Request, token: str) -> Response:
    """Acts at once, without a cookie or a redirect: mail programs send this by themselves (RFC 8058)."""
    number, _ = _read(request, "unsubscribe", token)
    workspace_of(request).store.leave(number)
    return _left(request)


def _left(request: Request) -> Response:
    return _said(request, "You have left", "No more of these editions are sent to you.")


# -- what all of them need


def _said(request: Request, heading: str, text: str) -> Response:
    return page(request, "one_button.html", heading, heading=heading, text=text, button="")


def _read(request: Request, purpose: str, token: str) -> tuple[int, str]:
    try:
        return Signer.of_home(workspace_of(request).home).read(purpose, token)
    except LinkError as error:
        raise PageError(
            400, str(error), title="This link cannot be used", links=(("Subscribe", "/subscribe"),)
        ) from error


def _meant(request: Request, purpose: str, token: str) -> Subscription:
    """The subscription that the link is for. Raises `PageError`."""
    number, created = _read(request, purpose, token)
    one = workspace_of(request).store.subscription(number)
    if one is None or one.created != created:
        raise PageError(
            410,
            "This subscription was deleted.",
            title="Nothing is left of it",
            links=(("Subscribe", "/subscribe"),),
        )
    return one


async def _fields(request: Request) -> dict[str, list[str]]:
    """The fields of a sent form. Raises `PageError` where it is none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_FORM:
            raise PageError(413, "That form is too long; shorten what you typed.")
    if "application/x-www-form-urlencoded" not in request.headers.get("content-type", ""):
        raise PageError(415, "Send the form of this page.")
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise PageError(400, "That form cannot be read; go back and send it once more.") from error
