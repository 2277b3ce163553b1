"""What is particular about the browser: two processes, one clock, nothing served to anybody else."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from onnx_files import digits_bytes

from linnet.errors import LinnetError
from linnet.runtime.engines import start, web
from linnet.runtime.latency import Call, take_turns

IMAGE = {"image": np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1)}


def session() -> web.WebSession:
    try:
        return web.load(digits_bytes())
    except LinnetError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise


@pytest.mark.browser
def test_latency_is_the_pages_and_nobody_else_is_served() -> None:
    loaded = session()
    (seconds,) = take_turns([Call(loaded, IMAGE)], runs=5, seconds=0)
    assert round(seconds[-1] * 1e9) == loaded.last_run_ns
    port, secret = loaded.browser.server.server_port, loaded.browser.secret
    assert loaded.browser.server.server_address[0] == "127.0.0.1"
    for path in ("page.html", "nothing/page.html", "nothing/work", f"{secret}/../../package.json",
                 f"{secret}/package.json"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}")
    assert "onmessage" not in urllib.request.urlopen(f"http://127.0.0.1:{port}/{secret}/page.html").read().decode()
    profile = Path(loaded.browser.profile)
    loaded.browser.close()
    assert not profile.exists()


@pytest.mark.browser
def test_a_browser_that_ended_is_said() -> None:
    loaded = session()
    loaded.browser.process.kill()
    with pytest.raises(LinnetError, match="the browser did not answer"):
        loaded.run(IMAGE)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINNET_WEB", str(tmp_path))
    with pytest.raises(LinnetError, match=r"'onnxruntime-web', which is not installed; .*npm install"):
        start(digits_bytes(), engine="web")
    package = tmp_path / "node_modules" / "onnxruntime-web"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"version": "1"}')
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LinnetError, match=r"needs a browser, which is not installed .*make browser"):
        start(digits_bytes(), engine="web")
