"""Kills the sender of 5,000 mails at 500 random instants, and counts what arrived.

A mail server in a process of its own takes the mails; it also defers, refuses, hangs and breaks off
connections, in the middle of a mail or in the place of its answer. The sender composes and sends as
`broadsheet digest` does, is killed (SIGKILL) after a random time, and is started again until everything is
done. Afterwards every subscriber must have one copy, and whom the server refuses none. Second copies are told
apart by what became of the first one's answer: the server never gave it, gave it after the sender was killed,
or a moment before.

    python -m bench.mail_kills [--mails 5000] [--kills 500]
    python -m bench.mail_kills --kills 0 --calm     how many mails a second to a server that takes them all
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from bisect import bisect
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from bench.common import save
from broadsheet.config import Settings
from broadsheet.delivery.digest import Delivery
from broadsheet.delivery.mail import smtp
from broadsheet.delivery.sending import Sender
from broadsheet.model.audiences import Audience
from broadsheet.model.identifiers import arxiv_identifier
from broadsheet.model.papers import Author, Listing, Record
from broadsheet.model.subscriptions import Subscription
from broadsheet.store import Store

DAY = "2026-05-29"
PAPERS = 60
_SEED = 11
# What the server does to a first try, by share of the mails; further tries are taken.
_TRICKS = {
    "defer": 0.04,
    "full": 0.02,
    "gone": 0.02,
    "hang": 0.004,
    "hang after": 0.004,
    "break": 0.01,
    "break after": 0.01,
    "421": 0.002,
}
# A hanging server is left sooner here than in the settings, or the run would take hours.
_TIMEOUT = 3.0
# So long the server takes for a mail, where it is not calm.
_WORK = 0.03
# What happens so shortly after another thing may have to do with it, in seconds.
_JUST = 0.05


def trick(address: str) -> str:
    """What is done to the first try of a mail to ``address``."""
    chance = random.Random(f"{_SEED} {address}").random()
    for name, share in _TRICKS.items():
        chance -= share
        if chance < 0:
            return name
    return ""


class Server:
    """Takes mails and writes a line for each into ``log``: address, and when its answer was given."""

    def __init__(self, log: Path, calm: bool):
        self._calm = calm
        self._log = log.open("a", buffering=1)
        self._tries: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        to = name = ""
        try:
            await say("220 bench ESMTP")
            while line := await reader.readline():
                word, text = line[:4].upper(), line.decode("utf-8", "replace").strip()
                if word == b"EHLO":
                    await say("250-bench")
                    await say("250 8BITMIME")
                elif word == b"RCPT":
                    to = text[text.index("<") + 1 : text.index(">")]
                    self._tries[to] += 1
                    name = "" if self._calm else trick(to)
                    name = name if self._tries[to] == 1 or name == "gone" else ""
                    refused = {
                        "defer": "451 4.3.0 later",
                        "full": "452 4.2.2 full",
                        "gone": "550 5.1.1 unknown",
                        "421": "421 4.3.2 closing",
                    }
                    await say(refused.get(name, "250 ok"))
                elif word == b"DATA":
                    await say("354 go on")
                    identity = ""
                    while (part := await reader.readline()) not in (b".\r\n", b""):
                        if part.lower().startswith(b"message-id:"):
                            identity = part.decode().split(":", 1)[1].strip()
                        if name == "break":
                            writer.close()
                            return
                    if not part:
                        return
                    if name == "hang":
                        await asyncio.sleep(3600)
                    if name in ("break after", "hang after"):
                        self._took(to, identity, 0.0)
                        if name == "hang after":
                            await asyncio.sleep(3600)
                        writer.close()
                        return
                    await asyncio.sleep(0 if self._calm else _WORK)
                    answered = time.time()
                    writer.write(b"250 taken\r\n")
                    self._took(to, identity, answered)
                    await writer.drain()
                elif word == b"QUIT":
                    await say("221 bye")
                    return
                else:
                    await say("250 ok")
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def _took(self, to: str, identity: str, answered: float) -> None:
        self._log.write(json.dumps([to, identity, answered]) + "\n")


def run_server(log: Path, calm: bool, ready: Any) -> None:
    async def main() -> None:
        server = await asyncio.start_server(Server(log, calm).serve, "127.0.0.1", 0, backlog=1000)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def prepared(home: Path, mails: int) -> None:
    store = Store.open(Settings(home=home).store_url)
    store.add(
        Record(
            f"A measured study of delivery, part {number}",
            "bench",
            identifiers=[arxiv_identifier(f"2605.{number:05}")],
            abstract="What is sent once arrives once, whatever happens on the way. " * 12,
            authors=[Author(f"Author {letter}. Number{number}") for letter in "ABCD"],
            categories=[f"cs.{'ABCDE'[number % 5]}L"],
            upvotes=number % 17,
            listings=[Listing("daily_papers", DAY, number, "bench")],
        )
        for number in range(1, PAPERS + 1)
    )
    audiences = [Audience(), *(Audience.of("category", f"cs.{letter}L") for letter in "ABCDE")]
    for number in range(mails):
        wanted = Subscription(
            0, "mail", f"reader{number}@mail{number % 20}.example.org", audiences[number % len(audiences)]
        )
        store.subscribe(wanted, confirmed=True)
    store.close()


def send(home: Path, port: int, worker: str) -> None:
    """What a killed process does: composes what is due, and sends until everything is done."""
    smtp._TIMEOUT_SECONDS = _TIMEOUT
    settings = Settings(home=home, smtp_url=f"smtp://127.0.0.1:{port}", base_url="https://bench.example.org")
    store = Store.open(settings.store_url)
    delivery = Delivery(store, settings, None, worker, dead=lambda name: name != worker)
    sender: Sender = delivery._sender
    sender._pauses = sender._away_pauses = (0.3,)
    while True:
        delivery.deliver(day=date.fromisoformat(DAY))
        if not store.outbox(state="retry", limit=1) and not store.outbox(state="queued", limit=1):
            return
        time.sleep(0.1)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--mails", type=int, default=5_000)
    asked.add_argument("--kills", type=int, default=500)
    asked.add_argument("--calm", action="store_true", help="the server takes every mail at once")
    asked.add_argument("--longest", type=float, default=0.5, help="seconds until a kill, at most")
    options = asked.parse_args()
    home = Path(tempfile.mkdtemp(prefix="broadsheet-kills-"))
    prepared(home, options.mails)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    log = home / "taken.jsonl"
    server = multiprocessing.get_context("spawn").Process(
        target=run_server, args=(log, options.calm, theirs), daemon=True
    )
    server.start()
    port = ours.recv()
    chance, kills, began = random.Random(_SEED), [], time.time()
    runs = 0
    while True:
        runs += 1
        child = os.fork()
        if child == 0:
            code = 1
            try:
                send(home, port, f"bench/{runs}")
                code = 0
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        done = len(kills) >= options.kills
        deadline, ended = time.time() + (3600.0 if done else chance.uniform(0.05, options.longest)), 0
        # Every second one is killed while mails are on their way, the others at any time from their start on.
        size = log.stat().st_size if runs % 2 and not done and log.exists() else None
        while (time.time() < deadline or size is not None) and not ended:
            ended, status = os.waitpid(child, os.WNOHANG)
            if size is not None and log.stat().st_size > size:
                size, deadline = None, time.time() + chance.uniform(0.0, options.longest / 2)
            time.sleep(0.001)
        if ended:
            if status:
                sys.exit(f"the sender failed with {status}")
            break
        kills.append(time.time())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    seconds = time.time() - began
    server.terminate()
    figures = counted(home, log, kills, options)
    figures |= {"mails": options.mails, "kills": len(kills), "seconds": seconds}
    figures["mails a second"] = figures["arrived"] / seconds
    save("mail_kills" if kills else "mail_speed", figures)
    shutil.rmtree(home)
    if figures["forgotten"] or figures["of these, without a reason"]:
        sys.exit("not exactly once")


def counted(home: Path, log: Path, kills: list[float], options: argparse.Namespace) -> dict[str, Any]:
    copies: dict[str, list[float]] = defaultdict(list)
    identities: dict[str, set[str]] = defaultdict(set)
    for line in log.read_text().splitlines():
        to, identity, answered = json.loads(line)
        copies[to].append(answered)
        identities[to].add(identity)
    store = Store.open(Settings(home=home).store_url)
    states = Counter(item.state for item in store.outbox(limit=options.mails * 2))
    addresses = [one.address for one in store.subscriptions()]
    store.close()
    wanted = {address for address in addresses if options.calm or trick(address) != "gone"}
    # Of each copy but the last: how long before its answer the sender was killed, and how long behind it.
    before, behind = [], []
    unanswered = 0
    for answers in copies.values():
        for answered in answers[:-1]:
            since = min((answered - kill for kill in kills if kill <= answered), default=3600.0)
            until = min((kill - answered for kill in kills if kill > answered), default=3600.0)
            if not answered:
                unanswered += 1
            elif since < min(until, _JUST):
                before.append(since)
            else:
                behind.append(until)
    moments = sorted(answered for answers in copies.values() for answered in answers if answered)
    under_way = sum(1 for kill in kills if 0 < kill - moments[max(bisect(moments, kill) - 1, 0)] < 2 * _JUST)
    return {
        "kills within 100 ms behind a mail": under_way,
        "arrived": len(copies),
        "forgotten": len(wanted - copies.keys()),
        "sent to whom the server refuses": len(copies.keys() - wanted),
        "copies too many": sum(len(answers) - 1 for answers in copies.values()),
        "of these, the server gave no answer": unanswered,
        "of these, the sender was killed before the answer": len(before),
        "of these, killed within 50 ms behind it": sum(1 for until in behind if until < _JUST),
        "of these, without a reason": sum(1 for until in behind if until >= _JUST),
        "behind the answer, median, ms": 1000 * sorted(behind)[len(behind) // 2] if behind else 0.0,
        "behind the answer, longest, ms": 1000 * max(behind, default=0.0),
        "copies with another Message-ID": sum(1 for names in identities.values() if len(names) > 1),
        "states": dict(states),
    }


if __name__ == "__main__":
    main()
