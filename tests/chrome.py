"""A headless Chromium that does what a hand would: it is driven through a pipe (the DevTools protocol), no package."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-quic",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
         "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
SECONDS = 20


def program() -> str | None:
    """The browser's path, None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Chrome:
    """One page of `width` x `height`; `problems` gathers what the page complained about."""

    def __init__(self, profile: Path, *, width: int = 1440, height: int = 900, theme: str = "light") -> None:
        self.problems: list[str] = []
        self._count, self._rest = 0, b""
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        path = program()
        assert path is not None

        def as_three_and_four() -> None:
            kept = [os.dup(to_browser), os.dup(from_browser)]
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)

        self.process = subprocess.Popen([path, *QUIET, "--remote-debugging-pipe", f"--user-data-dir={profile}"],
                                        preexec_fn=as_three_and_four, close_fds=False, stdout=subprocess.DEVNULL,  # noqa: PLW1509
                                        stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self._session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.theme(theme)

    def __enter__(self) -> Chrome:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._write)
        os.close(self._read)

    def theme(self, name: str) -> None:
        """What the page takes for the reader's wish: light or dark."""
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def open(self, address: str) -> None:
        """Go there, and wait until the page has drawn itself."""
        self.send("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && document.getElementById('count')?.textContent")

    def ask(self, expression: str) -> Any:
        """The value of an expression on the page; a promise is waited for."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str) -> Any:
        """Ask again until it is true."""
        last = time.monotonic() + SECONDS
        while time.monotonic() < last:
            if value := self.ask(f"((found) => found instanceof Node ? true : found)({expression})"):
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {expression}; {self.problems}")

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """mousePressed, mouseMoved, mouseReleased or mouseWheel at a place of the page."""
        button = {} if kind in ("mouseMoved", "mouseWheel") and "buttons" not in more else {"button": "left"}
        clicks = {"clickCount": 1} if kind in ("mousePressed", "mouseReleased") else {}
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button, **clicks, **more)

    def click(self, x: float, y: float) -> None:
        """Press and let go."""
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def drag(self, places: list[tuple[float, float]], **more: Any) -> None:
        """Press at the first place, move over the others, let go at the last."""
        self.mouse("mousePressed", *places[0], **more)
        for place in places[1:]:
            self.mouse("mouseMoved", *place, buttons=1, **more)
        self.mouse("mouseReleased", *places[-1], **more)

    def press(self, key: str) -> None:
        """A key, down and up."""
        text = {"text": key} if len(key) == 1 else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self, path: Path) -> None:
        """What is seen, as PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol, and its answer."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == self._count:
                assert "error" not in said, said["error"]
                return dict(said["result"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._read, 1 << 16)
            assert part, "the browser ended"
            self._rest += part
        message, self._rest = self._rest.split(b"\0", 1)
        said = json.loads(message)
        self._note(said.get("method", ""), said.get("params", {}))
        return dict(said)

    def _note(self, method: str, said: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.problems.append(str(said["exceptionDetails"].get("exception", said["exceptionDetails"])))
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning"):
            self.problems.append(str(said["args"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
            self.problems.append(said["entry"]["text"])
