"""Rendering mails of real papers and handing them to a mail server on this machine: mails a second.

    python -m bench.mail_speed [--mails 2000] [--connections 4] [--editions 8] [--dkim] [--data FILE]

The mails go to as many subscriptions, each with links of its own, of a few editions of 10 to 50 papers. The
server is a process of its own that takes everything. Every tenth mail is held against the rules of
`tests/delivery/mail_rules.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import multiprocessing
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from broadsheet.delivery.channels import Outgoing, Sent
from broadsheet.delivery.mail.message import Sender, message
from broadsheet.delivery.mail.render import Renderer, Site
from broadsheet.delivery.mail.smtp import MailChannel, Server
from broadsheet.delivery.signed import Signer
from broadsheet.model.audiences import Audience
from broadsheet.model.editions import ComposedEdition, ComposedEntry
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Link, Paper
from broadsheet.model.subscriptions import Subscription
from tests.delivery.mail_rules import broken

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "daily_papers.jsonl.gz"
SITE = "https://papers.example.org"
_CREATED = "2026-05-01T07:00:00Z"


def real_papers(path: Path, number: int) -> list[Paper]:
    """The last ``number`` papers of ``path``."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines][-number:]
    return [
        Paper(
            key,
            one["arxiv_id"],
            one["title"],
            one["abstract"],
            [Author(name) for name in one["authors"]],
            identifiers=[Identifier("arxiv", one["arxiv_id"])],
            links=[Link("code", one["github_repo"])] if one.get("github_repo") else [],
            ai_summary=one.get("ai_summary") or "",
        )
        for key, one in enumerate(told, 1)
    ]


def outgoing(papers: list[Paper], mails: int, editions: int) -> list[Outgoing]:
    """``mails`` mails of ``editions`` editions, the first of few papers, the last of 50."""
    signer, made = Signer(b"k" * 32), []
    for number in range(editions):
        count = 10 + 40 * number // max(editions - 1, 1)
        chosen = (papers[number * 37 :] + papers)[:count]
        entries = tuple(
            ComposedEntry(one.key, place, reasons=(f"{90 - place} upvotes, place {place} in Daily Papers.",))
            for place, one in enumerate(chosen, 1)
        )
        audience = Audience("search", chosen[0].title[:200]) if number else Audience()
        made.append(
            (ComposedEdition(number + 1, audience, "day", "2026-05-29", "2026-05-29", "", entries), chosen)
        )
    found = []
    for number in range(1, mails + 1):
        edition, chosen = made[number % editions]
        one = Subscription(number, "mail", f"reader{number}@example.net", edition.audience, created=_CREATED)
        found.append(Outgoing(number, one, edition, chosen, signer.links(SITE, one), "2026-05-29"))
    return found


def serve(port: Any) -> None:
    """A mail server that takes everything."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 bench ESMTP\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"EHLO":
                writer.write(b"250-bench\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
            elif word == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 taken\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                writer.close()
                return
            else:
                writer.write(b"250 ok\r\n")

    async def run() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=10_000_000)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def handed_over(items: list[Outgoing], sender: Sender, connections: int) -> float:
    """Seconds until the server has taken all of ``items``."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    server = Server.of(f"smtp://127.0.0.1:{ours.recv()}")
    channel = MailChannel(server, sender, Renderer(Site("The Daily")), connections)

    async def all_of_them() -> float:
        waiting = iter(items)
        began = time.perf_counter()

        async def worker() -> None:
            for item in waiting:
                assert isinstance(await channel.send(item), Sent)

        await asyncio.gather(*(worker() for _ in range(4 * connections)))
        taken = time.perf_counter() - began
        await channel.close()
        return taken

    try:
        return asyncio.run(all_of_them())
    finally:
        process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mails", type=int, default=2_000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--editions", type=int, default=8)
    parser.add_argument("--dkim", action="store_true", help="sign each mail with a key of 2,048 bits")
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    items = outgoing(real_papers(asked.data, 400), asked.mails, asked.editions)
    with tempfile.TemporaryDirectory() as folder:
        key = f"{folder}/key.pem" if asked.dkim else ""
        if key:
            subprocess.run(
                ["openssl", "genrsa", "-traditional", "-out", key, "2048"], check=True, capture_output=True
            )
        sender = Sender.of(
            "The Daily <papers@example.org>", bounces="bounces+@example.org", key=key, selector="s"
        )
    renderer = Renderer(Site("The Daily"))
    began = time.perf_counter()
    made = [message(item, renderer.rendered(item), sender) for item in items[::10]]
    making = (time.perf_counter() - began) / len(made)
    wrong = [rule for data in made for rule in broken(data)]
    taken = handed_over(items, sender, asked.connections)
    told = {
        "mails": len(items),
        "editions": asked.editions,
        "signed": asked.dkim,
        "kilobytes_each": round(sum(map(len, made)) / len(made) / 1024),
        "making_ms": round(making * 1000, 2),
        "seconds": round(taken, 1),
        "mails_a_second": round(len(items) / taken, 1),
        "checked": len(made),
        "broken_rules": sorted(set(wrong)),
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
