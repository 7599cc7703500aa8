"""A mailbox of our own on loopback that speaks as much IMAP as its reader does.

with playing_imap([b"From: ..."]) as mailbox:
    ... read mailbox.url ...
assert mailbox.seen == {1}
"""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class PlayingImap:
    """``mails`` by their number from 1; ``seen`` those marked as read; ``logins`` how often it was opened.

    ``cut`` breaks the connection off in the middle of that mail.
    """

    url: str = ""
    mails: list[bytes] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    logins: int = 0
    cut: int = 0


@contextmanager
def playing_imap(mails: Sequence[bytes], password: str = "secret") -> Iterator[PlayingImap]:
    """Serves ``mails`` in INBOX to the user ada until the block ends."""
    playing = PlayingImap(mails=list(mails))

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("* OK playing IMAP4rev1")
            while line := self.rfile.readline():
                tag, _, command = line.decode().strip().partition(" ")
                if not self._answer(tag, command):
                    return

        def _say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def _answer(self, tag: str, command: str) -> bool:
            word = command.split(" ")[0].upper()
            done = f"{tag} OK done"
            match word:
                case "CAPABILITY":
                    self._say("* CAPABILITY IMAP4rev1")
                case "LOGIN":
                    playing.logins += 1
                    if password not in command or "ada" not in command:
                        done = f"{tag} NO wrong user name or password"
                case "SELECT":
                    if "INBOX" in command:
                        self._say(f"* {len(playing.mails)} EXISTS")
                    else:
                        done = f"{tag} NO no such folder"
                case "UID":
                    self._uid(command)
                case "LOGOUT":
                    self._say("* BYE")
            if playing.cut and f"FETCH {playing.cut}" in command:
                return False
            self._say(done)
            return word != "LOGOUT"

        def _uid(self, command: str) -> None:
            if "SEARCH" in command:
                unread = [str(n) for n in range(1, len(playing.mails) + 1) if n not in playing.seen]
                self._say(f"* SEARCH {' '.join(unread)}")
                return
            number = int(re.search(r"(?:FETCH|STORE) (\d+)", command)[1])
            if "STORE" in command:
                playing.seen.add(number)
                return
            most = int(re.search(r"<0\.(\d+)>", command)[1])
            data = playing.mails[number - 1][:most]
            self._say(f"* {number} FETCH (UID {number} BODY[]<0> {{{len(data)}}}")
            self.wfile.write(data[: len(data) // 2] if playing.cut == number else data + b")\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    playing.url = f"imap://ada:{password}@127.0.0.1:{server.server_address[1]}/INBOX?tls=no"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield playing
    finally:
        server.shutdown()
        server.server_close()
