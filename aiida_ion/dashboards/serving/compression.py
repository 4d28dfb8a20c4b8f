"""Answers as browsers receive them: compressed, and kept by the browser where they have not changed.

Only gzip: over plain HTTP browsers accept nothing better from other machines, and Python has it.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict

from dash import Dash
from flask import Response, request

from aiida_ion.units import BYTES_PER_MIB

#: What is shorter is sent as it is, bytes.
SHORTEST = 1024
#: Level of compression: of answers made for one request, and of files, which are compressed once.
FAST, THOROUGH = 4, 9
TYPES = frozenset(
    {
        "application/javascript",
        "application/json",
        "image/svg+xml",
        "text/css",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)
#: Paths of files; `VERSIONED` is the argument that Dash adds to the address of a file, which changes with it.
FILES = ("/_dash-component-suites/", "/assets/", "/_favicon.ico")
VERSIONED = "m"
#: Rules for an address whose content stays the same, and for one that the browser asks about every time.
FOR_A_YEAR, ASK_AGAIN = "private, max-age=31536000, immutable", "private, no-cache"


class Packed:
    """Compressed contents of files by their hash, the least recently used forgotten first.

    :param most_bytes: of all contents together.
    """

    def __init__(self, most_bytes: int = 16 * BYTES_PER_MIB) -> None:
        self.most_bytes = most_bytes
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, data: bytes) -> bytes:
        """Return a file's content compressed."""
        key = hashlib.sha256(data).hexdigest()
        with self._guard:  # once: compressing the largest takes half a second
            if key not in self._contents:
                self._contents[key] = gzip.compress(data, THOROUGH, mtime=0)
                while len(self._contents) > 1 and sum(map(len, self._contents.values())) > self.most_bytes:
                    self._contents.popitem(last=False)
            self._contents.move_to_end(key)
            return self._contents[key]


def register(app: Dash) -> None:
    """Compress every answer of an application, and let browsers keep its files."""
    packed = Packed()

    def finish(response: Response) -> Response:
        if request.path.startswith(FILES):
            return _file(response, packed)
        if _is_long_text(response):
            response.vary.add("Accept-Encoding")
            if accepts_gzip():
                set_packed(response, gzip.compress(response.get_data(), FAST, mtime=0))
        return response

    # Those registered first run last: after all that look at the content.
    app.server.after_request_funcs.setdefault(None, []).insert(0, finish)


def accepts_gzip() -> bool:
    """Whether the browser reads compressed answers."""
    return request.accept_encodings.quality("gzip") > 0


def set_packed(response: Response, content: bytes) -> None:
    """Make compressed content the body of an answer."""
    response.set_data(content)
    response.content_encoding = "gzip"


def _file(response: Response, packed: Packed) -> Response:
    """Return a file as a browser keeps it: for a year under an address that changes with it, else asked about."""
    if response.status_code not in (200, 304):
        return response
    is_versioned = VERSIONED in request.args if request.path.startswith("/assets/") else response.cache_control.max_age
    response.headers["Cache-Control"] = FOR_A_YEAR if is_versioned else ASK_AGAIN
    if response.status_code == 304:
        return response
    response.direct_passthrough = False
    etag = response.get_etag()[0] or hashlib.sha256(response.get_data()).hexdigest()
    response.set_etag(etag, weak=True)  # the same for both encodings
    if _is_long_text(response):
        response.vary.add("Accept-Encoding")
        if accepts_gzip():
            set_packed(response, packed.of(response.get_data()))
    response.make_conditional(request)
    return response


def _is_long_text(response: Response) -> bool:
    return (
        response.status_code == 200
        and request.method != "HEAD"
        and response.content_encoding is None
        and response.mimetype in TYPES
        and (response.content_length or 0) >= SHORTEST
    )
