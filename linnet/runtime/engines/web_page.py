"""A headless browser with one page that does what it is asked; both ends lie on this machine.

The page asks for work and posts the answer: JSON, its length before it in eight bytes, then the arrays' bytes. Every
address holds a secret, so that no other page of this machine can take part, and nothing else is served.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from linnet.errors import LinnetError

_QUIET = ("--headless", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps",
          "--no-default-browser-check", "--metrics-recording-only", "--disable-breakpad", "--mute-audio",
          "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
"""It opens no connection but the one to this machine."""
_SECONDS = 120
"""How long a page may take to start, or to answer."""
_TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}
_PAGE = Path(__file__).with_name("web_page.html")
_Message = tuple[dict[str, Any], bytes]


@dataclass
class Browser:
    """`program` shows the page; `package` is the folder from which it takes onnxruntime-web."""

    program: str
    package: Path
    work: queue.Queue[bytes] = field(default_factory=queue.Queue, init=False, repr=False)
    answers: queue.Queue[_Message] = field(default_factory=queue.Queue, init=False, repr=False)

    def __post_init__(self) -> None:
        self.secret = secrets.token_urlsafe(16)
        self.server = _Server(("127.0.0.1", 0), partial(_Handler, self))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.profile = tempfile.mkdtemp(prefix="linnet-browser-")
        address = f"http://127.0.0.1:{self.server.server_port}/{self.secret}/page.html"
        command = [self.program, *_QUIET, *_sandbox(), f"--user-data-dir={self.profile}", address]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(self, said: dict[str, Any], content: bytes = b"") -> _Message:
        """Send the page a message with bytes behind it, and wait for the answer."""
        self.work.put(pack(said, content))
        for _ in range(_SECONDS):
            try:
                return self.answers.get(timeout=1)
            except queue.Empty:
                if self.process.poll() is not None:
                    break
        self.close()
        raise LinnetError("the browser did not answer; it ended, or could not show the page. Try it by hand: "
                          f"{self.program} --headless about:blank")

    def close(self) -> None:
        """End the browser and what it left."""
        self.process.kill()
        self.process.wait()
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.profile, ignore_errors=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A browser that was ended leaves requests behind; that is no news."""


class _Handler(BaseHTTPRequestHandler):
    """Serves the page, the package's files, and the work; takes the answers."""

    protocol_version = "HTTP/1.1"

    def __init__(self, browser: Browser, *arguments: Any) -> None:
        self.browser = browser
        super().__init__(*arguments)

    def do_GET(self) -> None:
        _, secret, name, *rest = [*self.path.split("?")[0].split("/"), ""]
        if secret != self.browser.secret or any(rest):
            self._send(404, b"", "text/plain")
        elif name == "work":
            try:
                self._send(200, self.browser.work.get(timeout=20), "application/octet-stream")
            except queue.Empty:
                self._send(204, b"", "application/octet-stream")
        else:
            file = _PAGE if name == "page.html" else self.browser.package / name
            is_known = file.suffix in _TYPES and file.is_file()
            self._send(200 if is_known else 404, file.read_bytes() if is_known else b"", _TYPES.get(file.suffix, ""))

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != f"/{self.browser.secret}/done":
            self._send(404, b"", "text/plain")
            return
        self._send(200, b"", "text/plain")
        self.browser.answers.put(unpack(content))

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        # these two let the page share memory between threads, and give it a fine clock
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def pack(said: dict[str, Any], content: bytes) -> bytes:
    """The length of the JSON in eight bytes, the JSON, the content.

    >>> unpack(pack({"do": "run"}, b"123"))
    ({'do': 'run'}, b'123')
    """
    text = json.dumps(said).encode()
    return len(text).to_bytes(8, "little") + text + content


def unpack(message: bytes) -> _Message:
    """What `pack` made."""
    end = 8 + int.from_bytes(message[:8], "little")
    return json.loads(message[8:end]), message[end:]


def _sandbox() -> list[str]:
    """Chromium's sandbox does not work for the superuser, nor in most containers."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
