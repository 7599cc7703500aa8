"""A DNS server of our own on loopback that knows the TXT records that it is given.

with playing_dns({"example.org": ["v=spf1 -all"]}) as server:
    ... ask server (127.0.0.1:port) ...
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


@contextmanager
def playing_dns(records: Mapping[str, Sequence[str]], rcode: int = dns.rcode.NOERROR) -> Iterator[str]:
    """Its address; every answer has ``rcode`` where that is an error."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, connection = self.request
            asked = dns.message.from_wire(data)
            answer = dns.message.make_response(asked)
            answer.flags |= dns.flags.RA
            name = asked.question[0].name
            texts = records.get(name.to_text(omit_final_dot=True), ())
            # A text of more than 255 bytes is several strings.
            quoted = [" ".join(f'"{text[n : n + 200]}"' for n in range(0, len(text), 200)) for text in texts]
            if quoted:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
            answer.set_rcode(rcode or (dns.rcode.NOERROR if texts else dns.rcode.NXDOMAIN))
            connection.sendto(answer.to_wire(), self.client_address)

    server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
