"""Asking the ACL Anthology's repository for collections, only where they have changed.

Source: the files data/xml/COLLECTION.xml of github.com/acl-org/acl-anthology, which say when they
changed (ETag). GitHub gives no limit for them; one in two seconds is that of a person reading.
"""

from __future__ import annotations

import threading

from ..http import Client, Response, Service

URL = "https://raw.githubusercontent.com/acl-org/acl-anthology/master/data/xml"
ACL = Service("acl_anthology", interval=2.0)


def fetch_collection(
    name: str,
    client: Client,
    *,
    etag: str | None = None,
    url: str = URL,
    service: Service = ACL,
    stop: threading.Event | None = None,
) -> Response:
    """The file of the collection ``name``: status 304 where it still is that of ``etag``, 404 without one.

    Raises:
        ServiceError: if the service gives no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    address = f"{url.rstrip('/')}/{name}.xml"
    return client.get(address, service, etag=etag, data=True, accept=(200, 404), stop=stop)
