"""Figures for Prometheus: papers, the index, each source, and requests by route; no query, no address."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import __version__
from ..workspace import Workspace
from .coverage import Accounts

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Pages take a few milliseconds; what takes seconds waits for something.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# Counting a million papers takes a while, and nobody needs their number to the minute.
_COUNTED_EVERY_S = 60.0

router = APIRouter(include_in_schema=False)


@router.api_route("/metrics", methods=["GET", "HEAD"])
def metrics(request: Request) -> Response:
    """The figures of this process in the text format of Prometheus."""
    body = generate_latest(request.app.state.metrics.registry)
    return Response(body, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


class Metrics:
    """The figures of one site."""

    def __init__(self, workspace: Workspace, accounts: Accounts):
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.registry.register(_State(workspace, accounts))
        self.requests = Counter(
            "broadsheet_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "broadsheet_http_request_seconds",
            "Time from a request to the beginning of its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )


class _State(Collector):
    """What is read from the store and the index when somebody asks."""

    def __init__(self, workspace: Workspace, accounts: Accounts):
        self._workspace, self._accounts = workspace, accounts
        self._lock = threading.Lock()
        self._counted: dict[str, int] = {}
        self._counted_at = 0.0

    def describe(self) -> list[Metric]:
        # Registering shall not ask the database.
        return []

    def collect(self) -> Iterator[Metric]:
        yield _gauge("broadsheet_info", "The version of Broadsheet.", {(__version__,): 1}, "version")
        counts = self._counts()
        for name in ("papers", "abstracts", "listings"):
            yield _gauge(f"broadsheet_{name}", f"{name.capitalize()} stored.", {(): counts[name]})
        state = self._workspace.engine.state()
        yield _gauge("broadsheet_index_words", "Papers found by words.", {(): state.words})
        yield _gauge("broadsheet_index_vectors", "Papers found by meaning.", {(): state.vectors})
        yield _gauge(
            "broadsheet_index_behind",
            "Changes of papers that the search has not taken in.",
            {(): state.behind},
        )
        yield _gauge(
            "broadsheet_index_unencoded", "Papers whose vectors are to be made.", {(): state.unencoded}
        )
        yield from self._sources()
        yield from self._deliveries()

    def _counts(self) -> dict[str, int]:
        with self._lock:
            if not self._counted or time.monotonic() - self._counted_at > _COUNTED_EVERY_S:
                self._counted, self._counted_at = self._workspace.store.counts(), time.monotonic()
            return self._counted

    def _deliveries(self) -> Iterator[Metric]:
        store = self._workspace.store
        yield _gauge(
            "broadsheet_subscriptions",
            "Subscriptions by state.",
            {(state,): number for state, number in store.subscription_counts().items()},
            "state",
        )
        outbox = store.outbox_counts()
        yield _gauge(
            "broadsheet_outbox", "Editions in the outbox, of the last weeks.", outbox, "channel", "state"
        )
        last, next_try = store.last_sent(), store.next_try()
        yield _gauge(
            "broadsheet_last_sent_timestamp_seconds",
            "When an edition was last taken by the other side.",
            {(): _seconds(last)} if last else {},
        )
        yield _gauge(
            "broadsheet_next_try_timestamp_seconds",
            "From when on the first waiting edition may be sent.",
            {(): next_try} if next_try is not None else {},
        )
        yield _gauge(
            "broadsheet_suppressed_addresses",
            "Addresses that nothing is sent to any more.",
            {(): store.suppressed_count()},
        )

    def _sources(self) -> Iterator[Metric]:
        sources = self._accounts.current().sources
        read = {(s.name,): _seconds(s.gathered.succeeded) for s in sources if s.gathered.succeeded}
        tried = {(s.name,): _seconds(s.gathered.tried) for s in sources if s.gathered.tried}
        yield _gauge(
            "broadsheet_source_last_success_timestamp_seconds",
            "When a run of the source last ended well.",
            read,
            "source",
        )
        yield _gauge(
            "broadsheet_source_last_try_timestamp_seconds",
            "When a run of the source last began.",
            tried,
            "source",
        )
        failures = {(s.name,): s.gathered.failures for s in sources}
        yield _gauge("broadsheet_source_failures", "Runs in a row that failed.", failures, "source")
        missing = {(s.name,): s.missing for s in sources}
        yield _gauge(
            "broadsheet_source_missing_papers",
            "Papers announced in the last year and not stored.",
            missing,
            "source",
        )
        troubled = {(s.name,): len(s.troubled) for s in sources}
        yield _gauge(
            "broadsheet_source_troubled_days",
            "Days of the last year that are incomplete or could not be read.",
            troubled,
            "source",
        )


def _gauge(name: str, text: str, values: dict[tuple[str, ...], float], *labels: str) -> Metric:
    found = GaugeMetricFamily(name, text, labels=labels)
    for names, value in values.items():
        found.add_metric(list(names), value)
    return found


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


class Measured:
    """Counts every request under the pattern of its route, never under its address."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_measured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._metrics.seconds.labels(_route(scope)).observe(time.perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, send_measured)
        finally:
            self._metrics.requests.labels(_method(scope), _route(scope), str(status)).inc()


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "none")


def _method(scope: Scope) -> str:
    # Anybody may invent a method; the figures shall not grow with them.
    return scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "OPTIONS") else "other"
