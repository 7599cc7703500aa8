"""The one polite HTTP client: every request that leaves this program goes through it.

Each service is asked at its own pace by all processes of this machine together, over one connection, and
what it says about waiting is obeyed; an address that a person gave never leads into the private network.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from .. import __version__
from ..config import Settings
from .kept import KeptAnswers
from .pace import LONGEST_PAUSE_SECONDS, Pace, Service, Stopped, machine_folder

__all__ = [
    "Client",
    "RefusedAddress",
    "Response",
    "Service",
    "ServiceError",
    "Stopped",
    "UnexpectedPage",
    "Unreachable",
    "is_public",
    "json_bytes",
    "shown",
]

log = logging.getLogger(__name__)
# httpx logs every address with its query; those are not written down.
logging.getLogger("httpx").setLevel(logging.WARNING)

MAX_BYTES = 50_000_000
MAX_REDIRECTS = 5
# A service that asks for a longer pause is left alone until then, and the caller is told.
MAX_PAUSE_SECONDS = 300.0
_RETRIED = {429, 500, 502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}
# Only these say that the same question is to be put again elsewhere.
_REPEATING_REDIRECTS = {307, 308}
# How much of an answer tells whether it is a page for people.
_BEGINNING = 20_000

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: ``content`` is decompressed; with ``status`` 304 (not modified) it is empty.

    ``headers`` have lower-case names. ``unchanged`` says that the service answered "not modified" and
    ``content`` is what it sent before (only where the client was asked to keep it).
    """

    status: int
    url: str
    content: bytes
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    unchanged: bool = False

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case: ``application/json``."""
        return self.content_type.partition(";")[0].strip().lower()


class ServiceError(Exception):
    """A request that got no usable answer; the message names service, address and remedy.

    ``url`` is without query and password; ``status`` is the HTTP status, if there was an answer;
    ``again`` after how many seconds the service may be asked again, where it said so.
    """

    def __init__(
        self,
        service: str,
        url: str,
        why: str,
        remedy: str,
        status: int | None = None,
        again: float | None = None,
    ):
        super().__init__(f"{service}: {shown(url)} {why}; {remedy}")
        self.service = service
        self.url = shown(url)
        self.status = status
        self.remedy = remedy
        self.again = again


class Unreachable(ServiceError):
    """No connection: the network or the service is away. It is not tried again at once."""


class RefusedAddress(ServiceError):
    """An address that leads to this machine or into its private network, or is no web address."""


class UnexpectedPage(ServiceError):
    """A page for people (an error, a captcha, a log-in) where data were asked for, with status 200."""


def shown(url: str) -> str:
    """``url`` as messages may show it: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"[:300]


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked and what is taken for an answer; ``secret`` headers never go to another host."""

    service: Service
    trusted: bool
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    accept: Collection[int] = (200,)
    data: bool = False
    max_bytes: int = MAX_BYTES
    stop: threading.Event | None = None


class Client:
    """Makes requests for one home; all clients that share a pace folder share their pace.

    Args:
        home: the home folder; what answers are kept for conditional requests is in ``HOME/http/``.
        contact: e-mail address or web page that the User-Agent names.
        allow_private: whether addresses given by people may lead into the private network.
        pace: the folder of the paces; by default ``HOME/http``, so that nothing else is touched.

    >>> with Client.of(settings) as client:
    ...     answer = client.get("https://export.arxiv.org/api/query", ARXIV, params={"id_list": "2407.21783"})
    """

    def __init__(
        self, home: Path, *, contact: str = "", allow_private: bool = False, pace: Path | None = None
    ):
        self.folder = home / "http"
        self.pace_folder = pace or self.folder
        self._kept = KeptAnswers(self.folder / "kept")
        self._allow_private = allow_private
        # A setting may hold any character, the comment of a header only these.
        contact = re.sub(r"[^!-'*-~]+", " ", contact).strip()
        headers = {"User-Agent": f"Broadsheet/{__version__}" + (f" (+{contact})" if contact else "")}
        self._trusted = httpx.Client(headers=headers)
        self._guarded = httpx.Client(
            headers=headers,
            transport=_PublicOnly(is_public),
            trust_env=False,
        )

    @classmethod
    def of(cls, settings: Settings) -> Client:
        """The client as the settings have it; its pace is shared with all homes of this machine."""
        return cls(
            settings.home,
            contact=settings.contact,
            allow_private=settings.allow_private_addresses,
            pace=machine_folder(settings.pace_folder, settings.home / "http"),
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._trusted.close()
        self._guarded.close()
        self._kept.tidy()

    def get(
        self,
        url: str,
        service: Service,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        keep: bool = False,
        data: bool = False,
        accept: Collection[int] = (200,),
        max_bytes: int = MAX_BYTES,
        stop: threading.Event | None = None,
    ) -> Response:
        """What ``service`` answers at ``url``, a base address from the settings or the code.

        Waits for the service's turn, follows redirects, and tries again after 429, 5xx, timeouts and
        broken connections. Other statuses than those in ``accept`` raise.

        Args:
            headers: such as an API key; they are not logged and not sent on to another host.
            etag, last_modified: of an answer that the caller has: the answer may then be 304.
            keep: keep the answer in the home and ask only whether it changed: the same content comes
                again with ``unchanged`` where it did not. A crash loses nothing by it.
            data: a page for people with status 200 (an error, a captcha) is tried again and raises.

        Raises:
            Unreachable: if there is no connection.
            UnexpectedPage: if ``data`` is set and pages for people are all that comes.
            ServiceError: if there is no usable answer after all tries.
            Stopped: if ``stop`` was set while waiting.
        """
        question = _Question(
            service, True, secret=headers or {}, accept=accept, data=data, max_bytes=max_bytes, stop=stop
        )
        return self._get(url, question, params, etag, last_modified, keep)

    def post(
        self,
        url: str,
        service: Service,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        data: bool = True,
        accept: Collection[int] = (200,),
        max_bytes: int = MAX_BYTES,
        stop: threading.Event | None = None,
    ) -> Response:
        """What ``service`` answers to ``json`` at ``url``, or to ``form``, the fields of a form, instead.

        Only for what may be asked twice: it is tried again as `get` does, and raises the same.
        """
        question = _Question(
            service,
            True,
            method="POST",
            headers={"Content-Type": "application/json" if form is None else _FORM},
            secret=headers or {},
            body=json_bytes(json) if form is None else urlencode(form).encode(),
            accept=accept,
            data=data,
            max_bytes=max_bytes,
            stop=stop,
        )
        return self._ask(url, question, params)

    def get_page(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        keep: bool = False,
        data: bool = False,
        max_bytes: int = MAX_BYTES,
        stop: threading.Event | None = None,
    ) -> Response:
        """What stands at ``url``, an address that a person gave; one request a second to each host.

        The arguments are those of `get`.

        Raises:
            RefusedAddress: if it is no web address or leads into the private network, also by a
                redirect or by its host's name.
            ServiceError, Stopped: as `get` does.
        """
        host = _host(url)
        if host is None:
            raise RefusedAddress("page", url, "is no web address", "give one that begins with https://")
        service = Service(f"page {host}", tries=2)
        question = _Question(service, self._allow_private, data=data, max_bytes=max_bytes, stop=stop)
        return self._get(url, question, None, etag, last_modified, keep)

    def _get(
        self,
        url: str,
        question: _Question,
        params: Mapping[str, str] | None,
        etag: str | None,
        last_modified: str | None,
        keep: bool,
    ) -> Response:
        """`_ask` with the conditions under which nothing need be sent."""
        address = str(_address(url, question.service, params))
        kept = self._kept.find(address) if keep else None
        if kept:
            etag, last_modified = kept.etag, kept.last_modified
        headers = {}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        if headers:
            accept = {*question.accept, 304}
            question = replace(question, headers=headers, accept=accept)
        answer = self._ask(url, question, params)
        if kept and answer.status == 304:
            return replace(
                answer, status=200, content=kept.content, content_type=kept.content_type, unchanged=True
            )
        if keep and answer.status == 200:
            self._kept.put(address, answer.content, answer.content_type, answer.etag, answer.last_modified)
        return answer

    def _ask(self, url: str, question: _Question, params: Mapping[str, str] | None) -> Response:
        """The answer to ``question`` at ``url`` or where that redirects to."""
        service = question.service
        given = target = _address(url, service, params)
        for _ in range(MAX_REDIRECTS + 1):
            # A trusted service vouches for itself, not for where it sends us.
            same_host = target.netloc == given.netloc and target.scheme in (given.scheme, "https")
            ours = question.trusted and (self._allow_private or same_host)
            client = self._trusted if ours else self._guarded
            answer = self._tried(client, target, question if same_host else replace(question, secret={}))
            if isinstance(answer, Response):
                return answer
            if _host(str(answer)) is None:
                raise RefusedAddress(
                    service.name, str(answer), "is no web address", "the redirect was not followed"
                )
            if question.body is not None and answer.netloc != given.netloc:
                raise ServiceError(
                    service.name, url, "sends a question on to another host", "correct the setting"
                )
            target = answer
        raise ServiceError(
            service.name,
            url,
            f"redirects more than {MAX_REDIRECTS} times",
            "look at the address in a browser and give the last one",
        )

    def _tried(self, client: httpx.Client, url: httpx.URL, question: _Question) -> Response | httpx.URL:
        """The answer at ``url`` or where it redirects to, after as many tries as it takes."""
        service = question.service
        status: int | None = None
        page = False
        for attempt in range(1, service.tries + 1):
            with self._turn(service, url, question.stop) as turn:
                asked_pause: float | None = None
                try:
                    answer = _exchange(client, url, question, turn)
                except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
                    raise _unreachable(error, service, url) from error
                except (httpx.TimeoutException, httpx.NetworkError, httpx.ProtocolError) as error:
                    # Other transport errors (a broken compression, a bad redirect) would come again.
                    status, why, page = None, _failure(error), False
                except httpx.HTTPError as error:
                    raise ServiceError(
                        service.name, str(url), f"failed ({type(error).__name__})", "try again later"
                    ) from error
                else:
                    if not isinstance(answer, _TryAgain):
                        return answer
                    status, why, page = answer.status, answer.why, answer.page
                    asked_pause = answer.pause
                backoff = service.backoff * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                pause = max(min(backoff, MAX_PAUSE_SECONDS), asked_pause or 0.0)
                turn.pause = max(turn.pause, pause)
            if asked_pause and asked_pause > MAX_PAUSE_SECONDS:
                raise ServiceError(
                    service.name,
                    str(url),
                    f"{why} and asks for a pause of {asked_pause:,.0f} seconds",
                    "try again after that",
                    status,
                    asked_pause,
                )
            if attempt < service.tries:
                log.info("%s %s; try %d in %.0f seconds", service.name, why, attempt + 1, pause)
        times = "once" if service.tries == 1 else f"{service.tries} times"
        kind = UnexpectedPage if page else ServiceError
        raise kind(service.name, str(url), f"{why} ({times})", "try again later", status)

    @contextmanager
    def _turn(self, service: Service, url: httpx.URL, stop: threading.Event | None) -> Iterator[_Turn]:
        """The service's one connection, when it may be asked, in all processes of this machine."""
        pace = Pace(self.pace_folder, service)
        turn = _Turn()
        try:
            with pace.held(stop):
                _wait(pace.remaining(), service, url, stop)
                pace.begin()
                try:
                    yield turn
                finally:
                    pace.end(turn.pause)
        except OSError as error:
            raise ServiceError(
                service.name,
                str(url),
                f"was not asked: {self.pace_folder} cannot be written ({error.strerror})",
                "make the home folder and that folder writable, and room in them",
            ) from error


@dataclass(slots=True)
class _Turn:
    """One request under way; ``pause`` is how long the service is to be left alone after it."""

    pause: float = 0.0


def _wait(seconds: float, service: Service, url: httpx.URL, stop: threading.Event | None) -> None:
    if seconds > MAX_PAUSE_SECONDS:
        raise ServiceError(
            service.name,
            str(url),
            f"was not asked: it wanted a pause that lasts {seconds:,.0f} seconds more",
            "try again after that",
            again=seconds,
        )
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise Stopped


@dataclass(frozen=True, slots=True)
class _TryAgain:
    """An answer that asks to come again: its status, what it was, the pause that it names, in seconds."""

    status: int
    why: str
    pause: float | None = None
    page: bool = False


def _exchange(
    client: httpx.Client, url: httpx.URL, question: _Question, turn: _Turn
) -> Response | httpx.URL | _TryAgain:
    """One request and its answer, read in pieces within the limits of size and time."""
    service = question.service
    deadline = time.monotonic() + service.longest
    timeout = httpx.Timeout(service.silence, connect=min(service.silence, 10.0))
    headers = {**question.headers, **question.secret}
    with client.stream(
        question.method, url, headers=headers, content=question.body, timeout=timeout
    ) as answer:
        status = answer.status_code
        # Whatever the answer is: a service that says how long it wants to be left alone is.
        pause = _asked_pause(answer.headers)
        turn.pause = pause or 0.0
        if status in _REDIRECTS and "location" in answer.headers:
            if question.body is not None and status not in _REPEATING_REDIRECTS:
                raise ServiceError(
                    service.name, str(url), "does not take the question here", "correct the setting", status
                )
            try:
                return url.join(answer.headers["location"])
            except httpx.InvalidURL:
                raise RefusedAddress(
                    service.name, str(url), "redirects to no web address", "give another address"
                ) from None
        if status not in question.accept:
            # GitHub and others say "forbidden" when they mean "too often".
            if status in _RETRIED or (status == 403 and pause):
                return _TryAgain(status, f"answered {_phrase(status)}", pause)
            raise ServiceError(service.name, str(url), f"answered {_phrase(status)}", _remedy(status), status)
        content = bytearray()
        for piece in answer.iter_bytes(65_536):
            content += piece
            if len(content) > question.max_bytes:
                raise ServiceError(
                    service.name,
                    str(url),
                    f"sent more than {question.max_bytes:,} bytes",
                    "this is not what was asked for; check the address",
                    status,
                )
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer took too long")
        if question.data and status == 200:
            page = page_for_people(bytes(content[:_BEGINNING]), answer.headers.get("content-type", ""))
            if page:
                return _TryAgain(status, f"sent {page} instead of data", pause, page=True)
        return Response(
            status,
            str(url),
            bytes(content),
            answer.headers.get("content-type", ""),
            answer.headers.get("etag"),
            answer.headers.get("last-modified"),
            {name.lower(): value for name, value in answer.headers.items()},
        )


def _address(url: str, service: Service, params: Mapping[str, str] | None) -> httpx.URL:
    try:
        return httpx.URL(url, params=dict(params)) if params else httpx.URL(url)
    except httpx.InvalidURL:
        raise RefusedAddress(service.name, url, "is no web address", "correct the setting") from None


def json_bytes(value: Any) -> bytes:
    """``value`` as `Client.post` sends it, to the byte: for those who sign what they send."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# What stands first in a page for people; feeds and other XML begin otherwise, whatever their type says.
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_CAPTCHA = re.compile(
    rb"captcha|cf-chl|challenge-platform|are you (?:a robot|human)|unusual traffic|verify you are human",
    re.IGNORECASE,
)
_NO_DATA = ("image/", "video/", "audio/", "font/", "application/pdf", "application/zip")


def page_for_people(content: bytes, content_type: str = "") -> str:
    """What ``content`` is where it is no data but a page for people: its name for messages, else empty.

    >>> page_for_people(b"<!DOCTYPE html><title>Sorry</title>"), page_for_people(b'{"html": "<html>"}')
    ('an HTML page', '')
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith(_NO_DATA):
        return media_type
    if not _HTML.match(content):
        return ""
    return "a page that asks for a captcha" if _CAPTCHA.search(content) else "an HTML page"


def _unreachable(error: httpx.HTTPError, service: Service, url: httpx.URL) -> Unreachable:
    if "CERTIFICATE" in str(error):
        return Unreachable(
            service.name,
            str(url),
            "shows no valid certificate",
            "check this machine's clock and its certificates",
        )
    return Unreachable(service.name, str(url), "cannot be reached", "check the network and try again later")


def _failure(error: httpx.HTTPError) -> str:
    return (
        "did not answer in time" if isinstance(error, httpx.TimeoutException) else "broke the connection off"
    )


def _phrase(status: int) -> str:
    with suppress(ValueError):
        return f"{status} {HTTPStatus(status).phrase}"
    return str(status)


def _remedy(status: int) -> str:
    if status in (401, 403):
        return "the service refuses this program; set BROADSHEET_CONTACT and try again later"
    if status in (404, 410):
        return "check the address"
    return "try again later"


def _asked_pause(headers: httpx.Headers) -> float | None:
    """How many seconds a service wants to be left alone, by what its answer says.

    Retry-After (RFC 9110), Backoff (Zotero), and a used-up X-RateLimit (GitHub, OpenReview and others)
    whose reset is a moment or a number of seconds. Moments are compared with the service's own clock.
    """
    there = _moment(headers.get("date", "")) or datetime.now(UTC)
    asked = [_retry_after(headers.get(name, ""), there) for name in ("retry-after", "backoff")]
    if headers.get("x-ratelimit-remaining", "").strip() == "0":
        reset = headers.get("x-ratelimit-reset", "").strip()
        if re.fullmatch(r"\d{1,9}", reset):
            asked.append(float(reset))
        elif re.fullmatch(r"\d{10}", reset):
            # One second more: the moment is a whole number.
            asked.append(int(reset) - there.timestamp() + 1)
    pauses = [pause for pause in asked if pause and pause > 0]
    return min(max(pauses), LONGEST_PAUSE_SECONDS) if pauses else None


def _retry_after(text: str, there: datetime) -> float | None:
    """The pause, in seconds, that the header Retry-After (seconds or a date) asks for at ``there``."""
    if re.fullmatch(r"\d{1,9}", text.strip()):
        return float(text)
    moment = _moment(text)
    return max(0.0, (moment - there).total_seconds()) if moment else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _host(url: str) -> str | None:
    """The host of ``url``, if it is an http(s) address with one."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    return parts.host or None if parts.scheme in ("http", "https") else None


class _PublicOnly(httpx.BaseTransport):
    """Connects only to public addresses: the host's name is resolved here and that address is used.

    A name that is resolved twice could be public for the check and private for the connection.
    """

    def __init__(self, public: Callable[[str], bool]):
        self._public = public
        # Connections are not kept: another host at the same address is another question.
        self._inner = httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{url.host} is unknown") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        private = [address for address in addresses if not self._public(address)]
        if private or not addresses:
            raise RefusedAddress(
                "page",
                str(url),
                f"leads into a private network ({', '.join(private[:3])})",
                "give a public address",
            )
        failure: Exception | None = None
        for address in addresses[:4]:
            there = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": url.host},
            )
            try:
                return self._inner.handle_request(there)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    def close(self) -> None:
        self._inner.close()


def is_public(address: str) -> bool:
    """Whether the IP ``address`` lies in the public Internet, also where it wraps another one.

    >>> is_public("64:ff9b::7f00:1"), is_public("93.184.215.14")
    (False, True)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        for wrapped in filter(None, inner):
            if not is_public(str(wrapped)):
                return False
        if ip.ipv4_mapped:
            return True
    return ip.is_global and not ip.is_multicast
