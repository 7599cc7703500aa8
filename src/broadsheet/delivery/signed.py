"""Links that need no account, each signed for one subscription and one purpose with a secret of the home."""

from __future__ import annotations

import contextlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from ..model.subscriptions import Subscription
from .channels import Links

PURPOSES = ("confirm", "settings", "unsubscribe")
# Whoever asked for an edition looks for the mail within a week; settings and leaving never expire.
CONFIRM_SECONDS = 7 * 86_400
# Nobody's token is longer; nothing is computed over what a stranger sends.
_MAX_TOKEN = 300


class LinkError(ValueError):
    """A link that was altered, guessed, meant for something else or has expired; says what to do."""


class Signer:
    """Makes and reads the signed part of links; ``secret`` is that of the home."""

    def __init__(self, secret: bytes):
        self.secret = secret
        self._serializers = {
            purpose: URLSafeTimedSerializer(secret, salt=f"broadsheet {purpose}") for purpose in PURPOSES
        }

    @classmethod
    def of_home(cls, home: Path) -> Signer:
        """The signer of ``home``, whose secret is made the first time (``HOME/secret.key``, mode 0600).

        Raises:
            OSError: if it can be neither read nor made.
        """
        return _of_file(home / "secret.key")

    def token(self, purpose: str, subscription: Subscription) -> str:
        return self._serializers[purpose].dumps([subscription.id, subscription.created])

    def read(self, purpose: str, token: str) -> tuple[int, str]:
        """The id and the creation time of the subscription that ``token`` was made for.

        Raises:
            LinkError: if it was not made here for this ``purpose``, or is too old.
        """
        try:
            if len(token) > _MAX_TOKEN:
                raise BadSignature("too long")
            age = CONFIRM_SECONDS if purpose == "confirm" else None
            number, created = self._serializers[purpose].loads(token, max_age=age)
            return int(number), str(created)
        except SignatureExpired as error:
            raise LinkError("This link has expired. Subscribe once more to get a new one.") from error
        except (BadSignature, ValueError, TypeError) as error:
            raise LinkError(
                "This link is not complete, or was changed on the way. Copy the whole address from the mail."
            ) from error

    def links(self, site: str, subscription: Subscription) -> Links:
        """The links that go with each edition of ``subscription``; ``site`` has no slash at its end."""
        return Links(
            site,
            f"{site}/subscription/{self.token('settings', subscription)}",
            f"{site}/unsubscribe/{self.token('unsubscribe', subscription)}",
        )

    def confirm_link(self, site: str, subscription: Subscription) -> str:
        return f"{site}/confirm/{self.token('confirm', subscription)}"


@lru_cache(maxsize=16)
def _of_file(path: Path) -> Signer:
    with contextlib.suppress(FileExistsError):
        # Written whole before it has its name: two processes that start at once agree on one secret.
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        if not path.exists():
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                # Text, so that a backup holds it beside the other small files.
                file.write(secrets.token_hex(32).encode())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            finally:
                draft.unlink()
    return Signer(path.read_bytes())
