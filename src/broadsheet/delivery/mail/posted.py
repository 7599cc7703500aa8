"""What mail services post about mails that came back: Amazon SES (by SNS), Postmark, Mailgun.

Sources: the services' own descriptions of their webhooks: SES "event notification contents", Postmark
"bounce webhook" and "spam complaint webhook", Mailgun "events".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .bounces import Bounce, complaint_reason, kind_of, printable, reason_of


class NotUnderstood(ValueError):
    """What was posted is none of the known forms; the message says which are."""


def posted_bounces(told: Any) -> list[Bounce]:
    """What the decoded JSON ``told`` says; empty where it tells of something else (opened, delivered).

    Raises:
        NotUnderstood: if it is of no known service.
    """
    if isinstance(told, list):
        return [bounce for one in told[:1_000] for bounce in posted_bounces(one)]
    if isinstance(told, dict):
        if "Type" in told and "Message" in told and isinstance(told["Message"], str):
            return _of_sns(told)
        if "notificationType" in told or "eventType" in told:
            return list(_of_ses(told))
        if "RecordType" in told:
            return list(_of_postmark(told))
        if "event-data" in told:
            return list(_of_mailgun(_map(told["event-data"])))
    raise NotUnderstood(
        "that is no notification: post a delivery status notification as message/rfc822, or what Amazon SES "
        "(SNS), Postmark or Mailgun post"
    )


def subscribe_address(told: Any) -> str:
    """The address that Amazon SNS wants visited before it posts; empty where it asks for nothing."""
    if isinstance(told, dict) and told.get("Type") == "SubscriptionConfirmation":
        return _text(told.get("SubscribeURL"))[:2_000]
    return ""


def _of_sns(told: Mapping[str, Any]) -> list[Bounce]:
    if told["Type"] != "Notification":
        return []
    try:
        inner = json.loads(told["Message"])
    except (ValueError, RecursionError):
        # SNS greets with a sentence.
        return []
    return list(_of_ses(inner)) if isinstance(inner, dict) else []


def _of_ses(told: Mapping[str, Any]) -> Iterator[Bounce]:
    event = _text(told.get("notificationType") or told.get("eventType"))
    mail = _map(told.get("mail"))
    headers = {
        _text(_map(one).get("name")).lower(): _text(_map(one).get("value")) for one in _list(mail, "headers")
    }
    # SES gives mails an id of its own; ours stands in the headers.
    number = headers.get("message-id") or _text(_map(mail.get("commonHeaders")).get("messageId"))
    if event == "Complaint":
        complaint = _map(told.get("complaint"))
        reason = complaint_reason(_text(complaint.get("complaintFeedbackType")))
        for one in _list(complaint, "complainedRecipients"):
            yield Bounce("complaint", _text(_map(one).get("emailAddress")), reason, 0, number)
    elif event == "Bounce":
        bounce = _map(told.get("bounce"))
        permanent = bounce.get("bounceType") == "Permanent"
        for one in map(_map, _list(bounce, "bouncedRecipients")):
            status, said = (
                _text(one.get("status")),
                _text(one.get("diagnosticCode")).partition(";")[2].strip(),
            )
            kind = kind_of(status, said) if status or said else ("hard" if permanent else "soft")
            yield Bounce(kind, _text(one.get("emailAddress")), reason_of(status, said), 0, number)


def _of_postmark(told: Mapping[str, Any]) -> Iterator[Bounce]:
    record, kind, address = (_text(told.get(name)) for name in ("RecordType", "Type", "Email"))
    if record == "SpamComplaint" or (record == "Bounce" and kind in ("SpamComplaint", "SpamNotification")):
        yield Bounce("complaint", address, complaint_reason("abuse"))
    elif record == "Bounce" and kind not in ("AutoResponder", "OpenRelayTest", "Subscribe", "Unsubscribe"):
        said = _text(told.get("Details")) or _text(told.get("Description"))
        gone = kind in ("HardBounce", "BadEmailAddress")
        yield Bounce("hard" if gone else "soft", address, reason_of("", said))


def _of_mailgun(told: Mapping[str, Any]) -> Iterator[Bounce]:
    event, address = _text(told.get("event")), _text(told.get("recipient"))
    number = _text(_map(_map(told.get("message")).get("headers")).get("message-id"))
    number = f"<{number.strip('<>')}>" if number else ""
    if event == "complained":
        yield Bounce("complaint", address, complaint_reason("abuse"), 0, number)
    elif event == "failed":
        status = _map(told.get("delivery-status"))
        said = _text(status.get("message")) or _text(status.get("description"))
        code = _text(status.get("enhanced-code"))
        kind = (
            kind_of(code, f"{_text(status.get('code'))} {said}")
            if told.get("severity") == "permanent"
            else "soft"
        )
        yield Bounce(kind, address, reason_of(code, said), 0, number)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Mapping[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return found[:1_000] if isinstance(found, list) else []


def _text(value: Any) -> str:
    return printable(str(value)[:2_000]) if isinstance(value, str | int) else ""
