"""The one polite HTTP client: every request that leaves this program goes through it.

Each service is asked at its own pace by all processes of a home together, over one connection, and what
it says about waiting is obeyed; an address that a person gave never leads into the private network.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import math
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import filelock
import httpx

from .. import __version__

log = logging.getLogger(__name__)
# httpx logs every address with its query; those are not written down.
logging.getLogger("httpx").setLevel(logging.WARNING)

MAX_BYTES = 50_000_000
MAX_REDIRECTS = 5
# A service that asks for a longer pause is left alone until then, and the caller is told.
MAX_PAUSE_SECONDS = 300.0
# Nobody means a longer one.
_LONGEST_PAUSE_SECONDS = 86_400.0
_RETRIED = {429, 500, 502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}
_LOCK_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Service:
    """A service, the pace that it asks for, and the patience it gets; times are in seconds.

    ``interval`` is the least time from the end of a request to the next one, ``tries`` how often one
    request is tried, ``backoff`` the pause after the first failure (doubled after each further one),
    ``silence`` how long nothing may arrive, ``longest`` how long one answer may take altogether.
    """

    name: str
    interval: float = 1.0
    tries: int = 4
    backoff: float = 4.0
    silence: float = 30.0
    longest: float = 180.0


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: ``content`` is decompressed; with ``status`` 304 (not modified) it is empty."""

    status: int
    url: str
    content: bytes
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None


class ServiceError(Exception):
    """A request that got no usable answer; the message names service, address and remedy.

    ``url`` is without query and password; ``status`` is the HTTP status, if there was an answer.
    """

    def __init__(self, service: str, url: str, why: str, remedy: str, status: int | None = None):
        super().__init__(f"{service}: {shown(url)} {why}; {remedy}")
        self.service = service
        self.url = shown(url)
        self.status = status
        self.remedy = remedy


class Unreachable(ServiceError):
    """No connection: the network or the service is away. It is not tried again at once."""


class RefusedAddress(ServiceError):
    """An address that leads to this machine or into its private network, or is no web address."""


class Stopped(Exception):
    """The caller's stop event was set while waiting."""


def shown(url: str) -> str:
    """``url`` as messages may show it: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"[:300]


class Client:
    """Makes requests for one home; several clients and processes on the same home share their pace.

    Args:
        home: the home folder; the pace is kept in ``HOME/http/``.
        contact: e-mail address or web page that the User-Agent names.
        allow_private: whether addresses given by people may lead into the private network.

    >>> with Client(home, contact="ada@example.org") as client:
    ...     answer = client.get("https://export.arxiv.org/api/query", ARXIV, params={"id_list": "2407.21783"})
    """

    def __init__(self, home: Path, *, contact: str = "", allow_private: bool = False):
        self.folder = home / "http"
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

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._trusted.close()
        self._guarded.close()

    def get(
        self,
        url: str,
        service: Service,
        *,
        params: Mapping[str, str] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: Collection[int] = (200,),
        max_bytes: int = MAX_BYTES,
        stop: threading.Event | None = None,
    ) -> Response:
        """What ``service`` answers at ``url``, a base address from the settings or the code.

        Waits for the service's turn, follows redirects, and tries again after 429, 5xx, timeouts and
        broken connections. With ``etag`` or ``last_modified`` the answer may be 304. Other statuses than
        those in ``accept`` raise.

        Raises:
            Unreachable: if there is no connection.
            ServiceError: if there is no usable answer after all tries.
            Stopped: if ``stop`` was set while waiting.
        """
        return self._get(url, service, True, params, etag, last_modified, accept, max_bytes, stop)

    def get_page(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        max_bytes: int = MAX_BYTES,
        stop: threading.Event | None = None,
    ) -> Response:
        """What stands at ``url``, an address that a person gave; one request a second to each host.

        Raises:
            RefusedAddress: if it is no web address or leads into the private network, also by a
                redirect or by its host's name.
            ServiceError, Stopped: as `get` does.
        """
        host = _host(url)
        if host is None:
            raise RefusedAddress("page", url, "is no web address", "give one that begins with https://")
        service = Service(f"page {host}", tries=2)
        return self._get(
            url, service, self._allow_private, None, etag, last_modified, (200,), max_bytes, stop
        )

    def _get(
        self,
        url: str,
        service: Service,
        trusted: bool,
        params: Mapping[str, str] | None,
        etag: str | None,
        last_modified: str | None,
        accept: Collection[int],
        max_bytes: int,
        stop: threading.Event | None,
    ) -> Response:
        headers = {}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        accept = {*accept, 304} if headers else accept
        try:
            given = target = httpx.URL(url, params=dict(params)) if params else httpx.URL(url)
        except httpx.InvalidURL:
            raise RefusedAddress(service.name, url, "is no web address", "correct the setting") from None
        for _ in range(MAX_REDIRECTS + 1):
            # A trusted service vouches for itself, not for where it sends us.
            ours = trusted and (self._allow_private or target.netloc == given.netloc)
            client = self._trusted if ours else self._guarded
            answer = self._tried(client, target, service, headers, accept, max_bytes, stop)
            if isinstance(answer, Response):
                return answer
            if _host(str(answer)) is None:
                raise RefusedAddress(
                    service.name, str(answer), "is no web address", "the redirect was not followed"
                )
            target = answer
        raise ServiceError(
            service.name,
            url,
            f"redirects more than {MAX_REDIRECTS} times",
            "look at the address in a browser and give the last one",
        )

    def _tried(
        self,
        client: httpx.Client,
        url: httpx.URL,
        service: Service,
        headers: dict[str, str],
        accept: Collection[int],
        max_bytes: int,
        stop: threading.Event | None,
    ) -> Response | httpx.URL:
        """The answer at ``url`` or where it redirects to, after as many tries as it takes."""
        status: int | None = None
        for attempt in range(1, service.tries + 1):
            with self._turn(service, url, stop) as pace:
                asked_pause: float | None = None
                try:
                    answer = _exchange(client, url, service, headers, accept, max_bytes)
                except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
                    raise _unreachable(error, service, url) from error
                except (httpx.TimeoutException, httpx.NetworkError, httpx.ProtocolError) as error:
                    # Other transport errors (a broken compression, a bad redirect) would come again.
                    status, why = None, _failure(error)
                except httpx.HTTPError as error:
                    raise ServiceError(
                        service.name, str(url), f"failed ({type(error).__name__})", "try again later"
                    ) from error
                else:
                    if not isinstance(answer, _TryAgain):
                        return answer
                    status, why = answer.status, f"answered {_phrase(answer.status)}"
                    asked_pause = answer.pause
                backoff = service.backoff * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                pause = max(min(backoff, MAX_PAUSE_SECONDS), asked_pause or 0.0)
                pace.following = pause
            if asked_pause and asked_pause > MAX_PAUSE_SECONDS:
                raise ServiceError(
                    service.name,
                    str(url),
                    f"{why} and asks for a pause of {asked_pause:,.0f} seconds",
                    "try again after that",
                    status,
                )
            if attempt < service.tries:
                log.info("%s %s; try %d in %.0f seconds", service.name, why, attempt + 1, pause)
        times = "once" if service.tries == 1 else f"{service.tries} times"
        raise ServiceError(service.name, str(url), f"{why} ({times})", "try again later", status)

    @contextmanager
    def _turn(self, service: Service, url: httpx.URL, stop: threading.Event | None) -> Iterator[_Pace]:
        """The service's one connection, when its interval has passed, in all processes of the home."""
        name = re.sub(r"[^\w.-]+", "_", service.name)[:100]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked(self.folder / f"{name}.lock", stop):
                pace = _Pace(self.folder / f"{name}.json", service)
                pace.wait(url, stop)
                try:
                    yield pace
                finally:
                    # Counted from the end: however long a request was on its way, the next comes later.
                    pace.book(pace.following)
        except OSError as error:
            raise ServiceError(
                service.name,
                str(url),
                f"was not asked: {self.folder} cannot be written ({error.strerror})",
                "make the home folder writable, and room in it",
            ) from error

    @contextmanager
    def _locked(self, path: Path, stop: threading.Event | None) -> Iterator[None]:
        """Holds the lock at ``path`` against all threads and processes of this machine."""
        lock = filelock.FileLock(path)
        while True:
            with suppress(filelock.Timeout):
                lock.acquire(timeout=_LOCK_POLL_SECONDS)
                break
            if stop and stop.is_set():
                raise Stopped
        try:
            yield
        finally:
            lock.release()


class _Pace:
    """When a service may be asked next, in a file, so that a restart does not forget it.

    The file holds wall-clock seconds: ``written`` and ``next``. Where the clock was set back since, the
    pause begins anew; a clock set ahead can only end a pause early.
    """

    def __init__(self, path: Path, service: Service):
        self._path = path
        self._service = service
        # The pause, in seconds, that shall follow the request in hand.
        self.following = 0.0

    def wait(self, url: httpx.URL, stop: threading.Event | None) -> None:
        """Waits until the service may be asked, and books the interval that begins then."""
        seconds = self._remaining()
        if seconds > MAX_PAUSE_SECONDS:
            raise ServiceError(
                self._service.name,
                str(url),
                f"was not asked: it wanted a pause that lasts {seconds:,.0f} seconds more",
                "try again after that",
            )
        if stop is None:
            time.sleep(seconds)
        elif stop.wait(seconds):
            raise Stopped
        # Booked before the request, too: a crash in the middle of it counts as a request.
        self.book(0.0)

    def book(self, seconds: float) -> None:
        """Lets nobody ask for ``seconds``, at least for the service's interval."""
        now = time.time()
        seconds = min(max(seconds, self._service.interval), _LONGEST_PAUSE_SECONDS)
        state = {"written": now, "next": now + seconds}
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(state))
        draft.replace(self._path)

    def _remaining(self) -> float:
        try:
            state = json.loads(self._path.read_text())
            written, following = float(state["written"]), float(state["next"])
        except FileNotFoundError:
            return 0.0
        except (ValueError, KeyError, TypeError):
            # A file cut short by a full disk says only that there was a request.
            return self._service.interval
        if not math.isfinite(following - written):
            return self._service.interval
        if written > time.time():
            # The clock was set back: the whole pause begins anew, and is counted from now on.
            self.book(following - written)
            return following - written
        return max(0.0, following - time.time())


@dataclass(frozen=True, slots=True)
class _TryAgain:
    """An answer that asks to come again: its status and the pause that it names, in seconds."""

    status: int
    pause: float | None


def _exchange(
    client: httpx.Client,
    url: httpx.URL,
    service: Service,
    headers: dict[str, str],
    accept: Collection[int],
    max_bytes: int,
) -> Response | httpx.URL | _TryAgain:
    """One request and its answer, read in pieces within the limits of size and time."""
    deadline = time.monotonic() + service.longest
    timeout = httpx.Timeout(service.silence, connect=min(service.silence, 10.0))
    with client.stream("GET", url, headers=headers, timeout=timeout) as answer:
        status = answer.status_code
        if status in _REDIRECTS and "location" in answer.headers:
            try:
                return url.join(answer.headers["location"])
            except httpx.InvalidURL:
                raise RefusedAddress(
                    service.name, str(url), "redirects to no web address", "give another address"
                ) from None
        if status in _RETRIED and status not in accept:
            return _TryAgain(status, _retry_after(answer.headers.get("retry-after")))
        if status not in accept:
            raise ServiceError(service.name, str(url), f"answered {_phrase(status)}", _remedy(status), status)
        content = bytearray()
        for piece in answer.iter_bytes(65_536):
            content += piece
            if len(content) > max_bytes:
                raise ServiceError(
                    service.name,
                    str(url),
                    f"sent more than {max_bytes:,} bytes",
                    "this is not what was asked for; check the address",
                    status,
                )
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer took too long")
        return Response(
            status,
            str(url),
            bytes(content),
            answer.headers.get("content-type", ""),
            answer.headers.get("etag"),
            answer.headers.get("last-modified"),
        )


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


def _retry_after(text: str | None) -> float | None:
    """The pause, in seconds, that the header Retry-After (seconds or a date) asks for."""
    if not text:
        return None
    if re.fullmatch(r"\d{1,9}", text.strip()):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


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
