"""The adapter for onnxruntime-web in a headless Chromium: what a file does in a visitor's browser.

A page, served from this machine to itself only, fetches its work and posts the answers; latency is the page's own
clock, so the way between the two processes is not in it. https://onnxruntime.ai/docs/tutorials/web.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from linnet.errors import LinnetError
from linnet.runtime.engines.session import Fitting, Port, counted
from linnet.runtime.engines.web_page import Browser
from linnet.tasks import Arrays

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PACKAGE = Path("node_modules", "onnxruntime-web")
_BORDERS = frozenset({"Cast", "DequantizeLinear", "QuantizeLinear"})
_EIGHT_BITS = {"int8", "uint8"}


@dataclass(frozen=True)
class WebSession:
    """A file loaded by onnxruntime-web (WebAssembly) in a browser of its own; the browser ends with the session."""

    version: str
    threads: int
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    browser: Browser = field(repr=False)
    fitting: Fitting = field(repr=False)
    engine: str = "web"
    taken: list[int] = field(default_factory=list, repr=False, compare=False)

    @property
    def last_run_ns(self) -> int:
        """How long the last run took by the page's own clock."""
        return self.taken[-1]

    def run(self, arrays: Arrays) -> Arrays:
        """Named input arrays to named output arrays."""
        self.fitting.check(arrays)
        said, answers = self.browser.ask({"do": "run", "inputs": _described(arrays)}, _bytes(arrays))
        if "error" in said:
            raise LinnetError(f"web {self.version} cannot run the file: {said['error']}")
        self.taken[:] = [round(1e6 * said["ms"])]
        return _arrays(said["outputs"], answers)

    def operators(self, arrays: Arrays) -> dict[str, dict[str, int]]:
        """From the profile that the engine writes to the page's console; empty where it writes none."""
        self.fitting.check(arrays)
        said, _ = self.browser.ask({"do": "profile", "inputs": _described(arrays)}, _bytes(arrays))
        found = [(name, bool(_EIGHT_BITS & set(kinds)) and name not in _BORDERS)
                 for name, kinds in said.get("operators", [])]
        return counted(found) if found else {}


def load(model: Path | bytes, *, threads: int = 1) -> WebSession:
    """onnxruntime-web in headless Chromium; `make browser` gets both. An ONNX file by its path or its bytes."""
    package, program = _package(), _browser()
    version = str(json.loads((package / "package.json").read_text(encoding="utf-8"))["version"])
    browser = Browser(program, package / "dist")
    said, _ = browser.ask({"do": "load", "threads": threads}, _content(model))
    if "error" in said:
        browser.close()
        raise LinnetError(f"web {version} cannot load the file: {said['error']}")
    if said["threads"] != threads:
        browser.close()
        raise LinnetError(f"web {version} would run on {said['threads']} thread(s), not on the {threads} that were "
                          "asked for: this browser gives the page no shared memory. Ask for one thread.")
    inputs, outputs = ({port["name"]: Port(port["dtype"], _shape(port["shape"])) for port in said[side]}
                       for side in ("inputs", "outputs"))
    session = WebSession(version, threads, inputs, outputs, browser, Fitting(inputs))
    weakref.finalize(session, browser.close)
    return session


def _content(model: Path | bytes) -> bytes:
    if isinstance(model, bytes):
        return model
    try:
        return model.read_bytes()
    except OSError as error:
        raise LinnetError(f"{model} cannot be read: {error.strerror or error}.") from error


def _browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise LinnetError(f"the engine web needs a browser, which is not installed (looked for {', '.join(BROWSERS)}); "
                          "install it with: make browser (on Debian: apt-get install chromium)")
    return found


def _package() -> Path:
    """The folder of the npm package: below LINNET_WEB, this or a folder above it, or Python's own."""
    named = os.environ.get("LINNET_WEB")
    places = [Path(named)] if named else [Path.cwd(), *Path.cwd().parents, Path(sys.prefix)]
    for place in places:
        if (place / _PACKAGE / "package.json").is_file():
            return place / _PACKAGE
    raise LinnetError("the engine web needs the npm package 'onnxruntime-web', which is not installed; install it "
                      f"with: npm install --prefix {sys.prefix} onnxruntime-web (LINNET_WEB names another folder)")


def _shape(sizes: list[Any]) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) and size >= 0 else None for size in sizes)


def _described(arrays: Arrays) -> list[dict[str, Any]]:
    return [{"name": name, "dtype": str(values.dtype), "shape": list(values.shape), "bytes": values.nbytes}
            if values.dtype.kind not in "OU" else
            {"name": name, "dtype": "string", "shape": list(values.shape), "bytes": 0, "texts": values.ravel().tolist()}
            for name, values in arrays.items()]


def _bytes(arrays: Arrays) -> bytes:
    numbers = (values for values in arrays.values() if values.dtype.kind not in "OU")
    return b"".join(np.ascontiguousarray(values).tobytes() for values in numbers)


def _arrays(described: list[dict[str, Any]], content: bytes) -> Arrays:
    arrays, start = {}, 0
    for said in described:
        if said["dtype"] == "string":
            arrays[said["name"]] = np.array(said["texts"], dtype=object).reshape(said["shape"])
            continue
        count = math.prod(said["shape"])
        values = np.frombuffer(content, said["dtype"], count, start)
        arrays[said["name"]] = values.reshape(said["shape"]).copy()
        start += values.nbytes
    return arrays
