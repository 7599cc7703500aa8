"""What runs behind a serving process: following the change log, gathering, delivery, missing abstracts."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable

from .delivery.asking import forget_unconfirmed
from .delivery.digest import Delivery, DeliveryError
from .delivery.feeds.websub import tell_hub
from .delivery.mail.inbox import Inbox, InboxError
from .delivery.mail.returned import take_in
from .gathering import Schedule
from .gathering.leases import held, is_dead, worker
from .sources.abstracts import fetch_missing_abstracts
from .sources.http import Client
from .workspace import Workspace

log = logging.getLogger(__name__)

# How soon a paper that another process imported is found here.
FOLLOW_EVERY_SECONDS = 2.0
# A network that was away is tried again; arXiv's answers change once a day.
ABSTRACTS_EVERY_SECONDS = 3600.0
# How soon after it is due a source is gathered; looking costs one small query.
GATHER_EVERY_SECONDS = 30.0
# How soon an edition is composed once its hour has come, and a mail is tried again once it may be.
DELIVER_EVERY_SECONDS = 20.0
# What is due meanwhile does not wait longer for domains that take few mails at a time.
DELIVER_PATIENCE_SECONDS = 60.0
# Papers come in by hundreds; a hub that is told of each of them would be told too often.
WEBSUB_EVERY_SECONDS = 120.0
# Servers give up after hours or days; the mailbox need not be looked at more often.
BOUNCES_EVERY_SECONDS = 300.0


class Jobs:
    """The background threads of one workspace; each survives its own errors."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace
        self._stop = threading.Event()
        self._warm = False
        self._schedule = Schedule(workspace.store, workspace.settings, self._stop)
        self._delivery: Delivery | None = None
        self._undelivered = ""
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._run("follow", self._follow, FOLLOW_EVERY_SECONDS)
        if self._workspace.settings.fetch_abstracts:
            self._run("abstracts", self._abstracts, ABSTRACTS_EVERY_SECONDS)
        if self._workspace.settings.gather:
            self._run("gather", self._gather, GATHER_EVERY_SECONDS)
        if self._workspace.settings.deliver:
            self._run("deliver", self._deliver, DELIVER_EVERY_SECONDS)
            self._run("bounces", self._bounces, BOUNCES_EVERY_SECONDS)
        if self._workspace.settings.websub_hub:
            self._run("websub", self._websub, WEBSUB_EVERY_SECONDS)

    def stop(self) -> None:
        """Asks all jobs to end and waits for them; what they had done stays done."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10)
        self._schedule.close()

    def _run(self, name: str, job: Callable[[], None], every: float) -> None:
        def loop() -> None:
            while not self._stop.is_set():
                try:
                    job()
                except Exception:
                    log.exception("the job %s failed; it is tried again in %g seconds", name, every)
                self._stop.wait(every)

        thread = threading.Thread(target=loop, name=f"broadsheet-{name}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _follow(self) -> None:
        if not self._warm:
            # No reader should wait for what a first search reads from the disk.
            self._workspace.engine.warm()
            # What is in memory now stays: the collector of garbage need not look at it during requests.
            gc.collect()
            gc.freeze()
            self._warm = True
        self._workspace.engine.follow(self._workspace.store, stop=self._stop)

    def _gather(self) -> None:
        self._schedule.turn()

    def _deliver(self) -> None:
        settings, store = self._workspace.settings, self._workspace.store
        # Of several workers on one database one composes and sends.
        with held(store, "delivery") as lease:
            if not lease:
                return
            if self._delivery is None:
                name = f"{worker()}/delivery"
                engine, stop = self._workspace.engine, self._stop
                try:
                    self._delivery = Delivery(store, settings, engine, name, dead=is_dead, stop=stop)
                except DeliveryError as error:
                    if str(error) != self._undelivered:
                        log.error("no edition is sent: %s", error)
                        self._undelivered = str(error)
                    return
            report = self._delivery.deliver(patience=DELIVER_PATIENCE_SECONDS)
            if report.due or report.sent.sent or report.sent.failed:
                told = (report.composed.queued, report.sent.sent, report.sent.retry, report.sent.failed)
                log.info("delivery: %d editions queued, %d sent, %d to try again, %d failed", *told)
            if report.due:
                self._delivery.prune()

    def _websub(self) -> None:
        settings, store = self._workspace.settings, self._workspace.store
        with held(store, "websub") as lease:
            if lease:
                with Client.of(settings) as client:
                    tell_hub(store, settings, client)

    def _bounces(self) -> None:
        settings, store = self._workspace.settings, self._workspace.store
        with held(store, "bounces") as lease:
            if not lease:
                return
            forget_unconfirmed(store)
            if settings.bounces_url:
                try:
                    report = take_in(store, Inbox.of(settings.bounces_url).unread())
                except InboxError as error:
                    log.warning("%s", error)
                    return
                if report.read:
                    log.info("bounces: %s", report.as_json())

    def _abstracts(self) -> None:
        settings, store = self._workspace.settings, self._workspace.store
        # Of several workers on one database one is enough.
        with held(store, "abstracts") as lease:
            if lease:
                with Client.of(settings) as client:
                    fetch_missing_abstracts(store, client, self._stop, url=settings.arxiv_url)
