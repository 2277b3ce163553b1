"""The explorer on this machine's own address: one page, and one sample at a time when it is asked for.

Nobody else is served: it listens on 127.0.0.1 only, every address holds a secret, and a request that names another
host (a page elsewhere whose name was turned to this machine) is refused.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from linnet.errors import LinnetError
from linnet.report.look.page import html, policy
from linnet.report.look.sample import attribution, detail
from linnet.report.look.view import View


class Server(ThreadingHTTPServer):
    """A view, served until it is closed. `address` is what to open; port 0 takes any free one."""

    daemon_threads = True

    def __init__(self, view: View, *, port: int = 0) -> None:
        self.view, self.page = view, html(view, served=True).encode()
        self.secret, self.one_at_a_time = secrets.token_urlsafe(16), threading.Lock()
        try:
            super().__init__(("127.0.0.1", port), partial(_Handler, self))
        except (OSError, OverflowError) as error:
            raise LinnetError(f"the page cannot be served at port {port}: {error}. Give another --port, or none to "
                              "take a free one.") from error

    @property
    def address(self) -> str:
        """With its secret."""
        return f"http://127.0.0.1:{self.server_port}/{self.secret}/"

    def handle_error(self, *_: Any) -> None:
        """A page that was closed leaves requests behind; that is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "linnet", ""

    def __init__(self, owner: Server, *arguments: Any) -> None:
        self.owner = owner
        super().__init__(*arguments)

    def do_GET(self) -> None:
        _, secret, *names = [*self.path.split("?")[0].split("/"), ""]
        if not (self._is_for_us() and secrets.compare_digest(secret.encode(), self.owner.secret.encode())):
            self._send(HTTPStatus.NOT_FOUND, b"there is nothing here", "text/plain")
        elif names == ["", ""]:
            self._send(HTTPStatus.OK, self.owner.page, "text/html; charset=utf-8")
        elif len(names) == 3 and names[0] in _ASKED and _is_position(names[1], len(self.owner.view.dataset)):
            self._answer(_ASKED[names[0]], int(names[1]))
        else:
            self._send(HTTPStatus.NOT_FOUND, b"there is nothing here", "text/plain")

    def _is_for_us(self) -> bool:
        port = self.owner.server_port
        return self.headers.get("Host", "") in (f"127.0.0.1:{port}", f"localhost:{port}")

    def _answer(self, ask: Callable[[View, int], Any], index: int) -> None:
        with self.owner.one_at_a_time:  # neither a network nor an archive is asked from two threads at once
            found = ask(self.owner.view, index)
        self._send(HTTPStatus.OK, json.dumps(found, allow_nan=False).encode(), "application/json")

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), "Cache-Control": "no-store",
                            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
                            "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
                            "Content-Security-Policy": policy(served=True)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


_ASKED: dict[str, Callable[[View, int], Any]] = {"sample": detail, "attribution": attribution}


def _is_position(text: str, rows: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12 and int(text) < rows
