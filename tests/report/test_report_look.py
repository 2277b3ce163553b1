"""The explorer without a browser: what is packed, what is escaped, whom the server answers."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from look_views import HOSTILE, findings, many, mixed

from linnet import data
from linnet.errors import LinnetError
from linnet.introspect import Finding, Findings
from linnet.report.look import Server, Trait, View, category, html, number, write
from linnet.report.look.linking import samples_of
from linnet.report.look.packing import packed, script_safe
from linnet.report.look.page import first
from linnet.report.look.sample import attribution, detail


def numbers(value: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(value["data"]), {"f": "<f4", "u": "<u4"}[value["type"]])


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def linked(finding: Finding) -> list[int]:
    view = mixed()
    return samples_of(finding, {name: at for at, name in enumerate(view.dataset.ids)}, view).tolist()


# ---- packing ---------------------------------------------------------------------------------------------------


def test_points_keep_their_shape_and_fill_a_square() -> None:
    view = mixed()
    points = numbers(packed(view, served=False)["points"]).reshape(-1, 2)
    assert points.min() == 0
    assert points.max() == 1
    given = np.asarray(view.points)
    assert np.allclose((points - points[0]) * np.ptp(given, axis=0).max(), given - given[0], atol=1e-5)


def test_traits_are_positions_in_names_or_numbers() -> None:
    traits = {one["name"]: one for one in packed(mixed(), served=False)["traits"]}
    assert traits["side"]["names"] == ["left", "middle", "right"]
    assert numbers(traits["side"]["values"])[:4].tolist() == [0, 1, 2, 0]
    assert traits["size"]["names"] is None
    assert traits["finding"]["names"] == ["none", "confusions", "near_duplicates"]
    assert np.flatnonzero(numbers(traits["finding"]["values"])).tolist() == [0, 3, 4, 7]


def test_a_number_that_is_missing_or_infinite_is_not_known() -> None:
    assert np.isnan(number("size", [1.0, None, float("inf")]).values).tolist() == [False, True, True]
    view = replace(mixed(), traits=(number("size", [None] * 60),))
    assert "NaN" not in script_safe(packed(view, served=False))


@pytest.mark.parametrize(("finding", "samples"), [
    (Finding("s5", "", {}), [5]),
    (Finding("s5 & s9", "", {}), [5, 9]),
    (Finding(HOSTILE, "", {}), [59]),
    (Finding("left -> right", "", {"target": "left", "answer": "right"}), [0, 3]),
    (Finding("side=left & answer=right", "", {}), [0, 3]),
    (Finding("target=left & answer=right", "", {"examples": ["s9"]}), [0, 3]),
    (Finding("side=nowhere", "", {}), []),
    (Finding("a cluster", "", {"members": ["s1", "s2"], "examples": ["s1"]}), [1, 2]),
    (Finding("size: up to 0.3", "", {"examples": ["s1"]}), [1]),
    (Finding("text: blank", "", {"samples": ["s3", "gone"]}), [3]),
    (Finding("block1", "", {"units": 8, "most_redundant_first": [1, 2]}), []),
])
def test_findings_of_any_kind_lead_to_their_samples(finding: Finding, samples: list[int]) -> None:
    assert linked(finding) == samples


@pytest.mark.parametrize(("evidence", "samples"), [
    ({"samples": 5}, []), ({"samples": {"train": 3, "test": 5}}, []), ({"samples": [3, "5"]}, [3, 5]),
    ({"id": 4}, [4])])
def test_how_many_there_are_is_no_sample_of_that_number(evidence: dict, samples: list[int]) -> None:
    found = samples_of(Finding("block1", "", evidence), {str(at): at for at in range(60)}, mixed())
    assert found.tolist() == samples


def test_evidence_of_any_shape_becomes_a_table() -> None:
    strange = Finding("s1", "Odd.", {"p_value": 0.123456, "layers": {"a": 1}, "is_sure": True, "none": None,
                                     "many": list(range(50))})
    view = replace(mixed(), findings=(Findings("odd", (strange,)),))
    rows = dict(packed(view, served=False)["findings"][0]["items"][0]["evidence"])
    assert rows["p value"] == "0.1235"
    assert rows["layers"] == "a: 1"
    assert rows["is sure"] == "yes"
    assert rows["none"] == "not known"
    assert rows["many"].endswith("39 and 10 more")


# ---- a view that cannot be ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "message"), [
    ({"points": np.zeros((3, 2))}, r"one point a sample, \(60, 2\)"),
    ({"points": np.full((60, 2), np.nan)}, "finite numbers"),
    ({"traits": (number("size", [1.0]),)}, "'size' has 1 values for 60 samples"),
])
def test_a_view_that_does_not_fit_is_refused(change: dict, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        replace(mixed(), **change)


def test_a_trait_outside_of_its_names_is_refused() -> None:
    with pytest.raises(LinnetError, match="positions in its names"):
        Trait("side", np.array([0, 2]), ("left", "right"))


def test_a_dataset_without_rows_is_refused() -> None:
    with pytest.raises(LinnetError, match="nothing to look at"):
        View("", "", mixed().dataset.take(range(0)), None)


# ---- escaping ----------------------------------------------------------------------------------------------------


def test_no_text_of_the_data_can_become_part_of_the_page() -> None:
    page = html(mixed())
    assert "<img src=x" not in page
    assert "<b>bold" not in page
    assert page.count("</script>") == 2
    assert data_of(page)["ids"][-1] == HOSTILE


def test_the_policy_names_the_very_script_and_style_and_nothing_else() -> None:
    page = html(mixed())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    said = policy[1].replace("&#x27;", "'")
    for element in ("script", "style"):
        inside = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)[-1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in said
    assert "default-src 'none'" in said
    assert "connect-src 'none'" in said
    assert "unsafe" not in said
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_script_never_reads_text_as_html() -> None:
    page = html(mixed())
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", page)


# ---- samples -----------------------------------------------------------------------------------------------------


def test_a_sample_has_its_sound_its_picture_and_its_text() -> None:
    said = detail(mixed(), 4)
    parts = {part["kind"]: part for part in said["parts"]}
    assert parts["audio"]["uri"].startswith("data:audio/flac;base64,")
    assert max(parts["audio"]["peaks"]) == 100
    assert parts["image"]["uri"].startswith("data:image/png;base64,")
    assert parts["text"]["text"] == "text number 4 of middle"
    assert ["side", "middle"] in said["facts"]


def test_media_that_cannot_be_read_become_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("audio,label\nbad.wav,x\n")
    (tmp_path / "bad.wav").write_bytes(b"no wave")
    loaded = data.load(tmp_path / "a.csv")
    said = detail(View("bad", "", loaded, None), 0)
    assert said["parts"][0]["kind"] == "error"
    assert "bad.wav" in said["parts"][0]["text"]


def test_attribution_is_drawn_relative_to_its_largest() -> None:
    view = mixed(explain=lambda chosen: [{"tokens": [["good", 4.0], [" bad", -2.0]], "method": "smooth_grad"}])
    assert attribution(view, 0) == {"tokens": [["good", 1.0], [" bad", -0.5]], "method": "smooth grad"}
    heat = attribution(mixed(explain=lambda chosen: [{"scores": np.eye(4), "seen": np.eye(4)}]), 0)
    assert heat
    assert heat["heat"].startswith("data:image/png;base64,")
    assert heat["seen"].startswith("data:image/png;base64,")


def test_attribution_that_fails_says_why() -> None:
    def fails(chosen: Sequence[int]) -> Any:
        raise LinnetError("no gradient")

    assert attribution(mixed(explain=fails), 0) == {"error": "no gradient"}
    assert attribution(mixed(), 0) is None


# ---- a saved page ------------------------------------------------------------------------------------------------


def test_a_saved_page_carries_the_samples_of_findings_first(tmp_path: Path) -> None:
    view = mixed()
    assert first(view, 4) == [0, 4, 3, 7]
    path, sentence = write(view, tmp_path / "page.html", limit=4)
    said = data_of(path.read_text(encoding="utf-8"))
    assert set(said["samples"]) == {"0", "4", "3", "7"}
    assert sentence.startswith("4 of 60 samples carry what they hold")
    assert sentence in said["notes"]
    assert not said["served"]


def test_wrong_answers_come_before_others(tmp_path: Path) -> None:
    assert first(replace(mixed(), findings=()), 2) == [0, 3]


def test_a_page_stops_at_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linnet.report.look.page.LIMIT_BYTES", 12_000)
    path, sentence = write(mixed(), tmp_path / "page.html")
    carried = len(data_of(path.read_text(encoding="utf-8"))["samples"])
    assert 0 < carried < 10
    assert sentence.startswith(f"{carried} of 60")


# ---- the server --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(mixed(explain=lambda chosen: [{"tokens": [["a", 7.0]]} for _ in chosen])) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def asked(server: Server, path: str, *, method: str = "GET", host: str | None = None) -> tuple[int, bytes, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.read(), dict(answer.getheaders())
    connection.close()
    return found


def test_the_page_and_its_samples_are_served(server: Server) -> None:
    status, page, headers = asked(server, f"/{server.secret}/")
    assert status == 200
    assert data_of(page.decode())["served"]
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    status, sample, _ = asked(server, f"/{server.secret}/sample/5")
    assert status == 200
    assert json.loads(sample) == detail(server.view, 5)
    assert json.loads(asked(server, f"/{server.secret}/attribution/5")[1])["tokens"] == [["a", 1.0]]


@pytest.mark.parametrize("path", [
    "/", "/{secret}", "/wrong/", "/wrong/sample/1", "/{secret}/sample/0x1",
    "/{secret}/sample/60", "/{secret}/sample/-1", "/{secret}/sample/1e1",
    "/{secret}/sample/²", "/{secret}/sample/1/2", "/{secret}/sample/", "/{secret}/other/1", "/{secret}/look.js",
    "/{secret}/../../etc/passwd", "/{secret}/sample/../../../etc/passwd", "/{secret}/%2e%2e/%2e%2e/etc/passwd",
    "/{secret}//etc/passwd", "/{secret}/sample/" + "9" * 5000, "/é/"])
def test_nothing_else_is_served(server: Server, path: str) -> None:
    given = path.format(secret=server.secret).encode().decode("latin-1")
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as plain:
        said = f"GET {given} HTTP/1.0\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n"
        plain.sendall(said.encode("latin-1"))
        answer = plain.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"root:" not in answer


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1"])
def test_a_page_elsewhere_that_points_here_is_refused(server: Server, host: str) -> None:
    assert asked(server, f"/{server.secret}/", host=host)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(server: Server, method: str) -> None:
    assert asked(server, f"/{server.secret}/sample/1", method=method)[0] == 501


def test_only_this_machine_is_listened_to_and_each_server_has_a_secret_of_its_own(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    with Server(many(3)) as other:
        assert other.secret != server.secret
        assert len(other.secret) >= 20
    with pytest.raises(LinnetError, match=rf"served at port {server.server_port}.*--port"):
        Server(many(3), port=server.server_port)


def test_a_category_keeps_its_order_and_any_others_follow() -> None:
    made = category("mark", ["good", "odd", "bad"], order=("bad", "good", "best"))
    assert made.names == ("bad", "good", "odd")
    assert made.values.tolist() == [1, 2, 0]


def test_every_kind_of_findings_is_on_the_page() -> None:
    said = packed(mixed(), served=True)["findings"]
    assert [one["kind"] for one in said] == [one.kind for one in findings()]
    assert said[-1]["facts"] == [["rate", "0.05"], ["samples", "60"]]


# ---- colours -----------------------------------------------------------------------------------------------------

SEEN = {  # what a screen's red, green and blue become: Machado, Oliveira and Fernandes 2009, severity 1
    "all cones": np.eye(3),
    "no red cones": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                              [-0.003882, -0.048116, 1.051998]]),
    "no green cones": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                                [-0.011820, 0.042940, 0.968881]]),
    "no blue cones": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                               [0.004733, 0.691367, 0.303900]])}


def in_oklab(light: np.ndarray) -> np.ndarray:
    """Linear red, green and blue to Oklab (Ottosson 2020), in which distances are those that are seen."""
    cones = light @ np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                              [0.0883024619, 0.2817188376, 0.6299787005]]).T
    return np.cbrt(cones) @ np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                                      [1.9779984951, -2.4285922050, 0.4505937099],
                                      [0.0259040371, 0.7827717662, -0.8086757660]]).T


@pytest.mark.parametrize("eye", SEEN)
@pytest.mark.parametrize("theme", [0, 1])
def test_ten_colours_are_told_apart_by_every_eye(theme: int, eye: str) -> None:
    style = re.search(r"<style>(.*?)</style>", html(mixed()), re.DOTALL)
    assert style
    codes = re.findall(r"--c\d: #(\w{6})", style[1])
    assert len(codes) == 20
    screen = np.array([[int(code[at:at + 2], 16) / 255 for at in (0, 2, 4)] for code in codes[10 * theme:][:10]])
    light = np.where(screen <= 0.04045, screen / 12.92, ((screen + 0.055) / 1.055) ** 2.4)
    places = in_oklab(np.clip(light @ SEEN[eye].T, 0, 1))
    apart = np.linalg.norm(places[:, None] - places, axis=2)[~np.eye(10, dtype=bool)]
    assert apart.min() > 0.09  # Tol's muted ten: 0.05; the ten of matplotlib: 0.01
