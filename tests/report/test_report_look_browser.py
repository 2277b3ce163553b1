"""The explorer in a browser: it draws, zooms, opens the sample that was clicked, and lights what a finding names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chrome import Chrome, program
from look_views import HOSTILE, many, mixed

from linnet.report.look import Server, write

pytestmark = [pytest.mark.browser, pytest.mark.skipif(program() is None, reason="no browser: make browser")]

COLOURED = """(() => {
  const canvas = document.getElementById("points"), copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const paint = copy.getContext("2d", {willReadFrequently: true});
  paint.drawImage(canvas, 0, 0);
  const bytes = new Uint32Array(paint.getImageData(0, 0, canvas.width, canvas.height).data.buffer), tally = {};
  for (const pixel of bytes) tally[pixel] = (tally[pixel] ?? 0) + 1;
  const ranked = Object.values(tally).sort((a, b) => b - a);
  return [bytes.length - ranked[0], ranked.length];
})()"""
"""How many pixels are not paper, and how many colours there are."""
PLACE = """(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const box = document.getElementById("map").getBoundingClientRect();
  const bytes = Uint8Array.from(atob(data.points.data), (one) => one.charCodeAt(0));
  const points = new Float32Array(bytes.buffer), [x, y] = [points[2 * AT], points[2 * AT + 1]];
  const [wide, tall] = [0, 1].map((axis) => Math.max(...points.filter((_, at) => at % 2 === axis)));
  const k = 0.88 * Math.min(box.width / wide, (box.height - 40) / tall);
  return [box.left + x * k + (box.width - k * wide) / 2, box.top + y * k + (box.height - 24 - k * tall) / 2];
})()"""
"""Where on the page a sample is drawn at first, worked out anew."""
SEEN = "document.getElementById('points').toDataURL()"
CHOSEN = r"document.querySelector('#chosen p')?.textContent.match(/^(\d+) samples/)?.[1]"
"""How many samples a box or a lasso holds, as the page says it."""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with Chrome(tmp_path / "profile") as made:
        yield made
        assert made.problems == []


@pytest.fixture
def saved(tmp_path: Path, browser: Chrome) -> Chrome:
    """A saved page that carries every sample."""
    path, _ = write(mixed(explain=lambda chosen: [{"tokens": [["te", 1.0], ["xt", -0.5]], "method": "occlusion"}
                                                  for _ in chosen]), tmp_path / "page.html")
    browser.open(path.as_uri())
    return browser


def head(page: Chrome) -> str | None:
    return page.ask("document.querySelector('#sample h3')?.textContent ?? null")


def test_points_are_drawn_in_the_colours_of_the_legend(saved: Chrome) -> None:
    drawn, colours = saved.ask(COLOURED)
    assert drawn > 1000
    assert colours > 3
    assert saved.ask("[...document.querySelectorAll('.entry span')].map((one) => one.textContent)") == [
        "left", "middle", "right"]


@pytest.mark.parametrize("sample", [4, 31])
def test_a_click_opens_the_sample_that_lies_there(saved: Chrome, sample: int) -> None:
    saved.click(*saved.ask(PLACE.replace("AT", str(sample))))
    saved.until("document.querySelector('#sample audio, #sample .sound') && document.querySelector('#sample img')")
    assert head(saved) == f"s{sample}"
    assert saved.ask("document.querySelector('#sample .stage img').naturalWidth") == 8
    assert saved.ask("[...document.querySelectorAll('#sample mark')].map((one) => one.textContent)") == ["te", "xt"]


def test_a_sound_plays_and_a_wheel_zooms_about_its_place(saved: Chrome) -> None:
    x, y = saved.ask(PLACE.replace("AT", "4"))
    for _ in range(6):
        saved.mouse("mouseWheel", x, y, deltaX=0, deltaY=-240)
    saved.until("performance.getEntriesByName('linnet frame').length > 4")
    saved.click(x, y)
    saved.until("document.querySelector('#sample .play')")
    assert head(saved) == "s4"
    saved.send("Runtime.evaluate", expression="document.querySelector('#sample .play').click()", userGesture=True)
    assert saved.until("document.querySelector('.wave input').value > 0")


def test_zooming_in_spreads_the_points_and_0_shows_all_again(saved: Chrome) -> None:
    before = saved.ask(COLOURED)[0]
    for _ in range(8):
        saved.press("+")
    saved.until(f"{COLOURED}[0] !== {before}")
    saved.press("0")
    saved.until(f"Math.abs({COLOURED}[0] - {before}) <= 2")


def test_a_finding_lights_its_samples(saved: Chrome) -> None:
    saved.ask("document.querySelectorAll('.finding')[0].click()")
    assert saved.until("document.getElementById('count').textContent === '2 of 60 samples'")
    assert saved.ask("document.querySelectorAll('.thumbs button').length") == 2
    assert saved.ask("document.querySelectorAll('.finding')[0].getAttribute('aria-pressed')") == "true"
    saved.ask("document.querySelectorAll('.finding')[1].click()")
    saved.until("document.querySelector('#sample h3')?.textContent === 's4'")
    saved.press("Escape")
    saved.until("document.getElementById('count').textContent === '60 samples'")


def test_a_box_and_a_lasso_count_what_they_hold(saved: Chrome) -> None:
    left, top, right, bottom = saved.ask("(() => { const box = document.getElementById('map').getBoundingClientRect();"
                                         "return [box.left, box.top, box.right, box.bottom]; })()")
    middle = (left + right) / 2
    saved.drag([(left + 5, top + 5), (middle - 20, bottom - 40)], modifiers=8)
    boxed = int(saved.until(CHOSEN))
    assert boxed == sum(map(int, saved.ask("[...document.querySelectorAll('.bars b')].map((one) => one.textContent)")))
    assert 20 <= boxed <= 40
    saved.press("Escape")
    saved.ask("document.querySelector('[data-mode=lasso]').click()")
    saved.drag([(left + 5, top + 60), (middle - 20, top + 60), (middle - 20, bottom - 50), (left + 5, bottom - 50)])
    assert 0 < int(saved.until(CHOSEN)) <= boxed


def test_search_legend_and_colours_answer_the_keyboard(saved: Chrome) -> None:
    saved.press("/")
    assert saved.ask("document.activeElement.id") == "search"
    saved.send("Input.insertText", text="number 12")
    saved.until("document.getElementById('count').textContent.startsWith('1 of 60')")
    saved.press("Escape")
    saved.until("document.getElementById('count').textContent === '60 samples'")
    saved.ask("document.querySelector('.entry').focus(), document.querySelector('.entry').click()")
    saved.until("document.getElementById('count').textContent === '20 of 60 samples'")
    saved.press("n")
    saved.until("document.querySelector('#sample h3')")
    saved.ask("document.getElementById('by').value = 'size'")
    saved.ask("document.getElementById('by').dispatchEvent(new Event('change'))")
    saved.until("document.querySelector('.ramp')")


def test_a_hostile_text_stays_text(saved: Chrome) -> None:
    saved.press("/")
    saved.send("Input.insertText", text="onerror")
    saved.until("document.querySelectorAll('.thumbs button').length === 1")
    saved.ask("document.querySelector('.thumbs button').click()")
    saved.until("document.querySelector('#sample .said')")
    assert head(saved) == HOSTILE
    assert saved.ask("document.querySelectorAll('img[src=x]').length") == 0


def test_dark_and_light(saved: Chrome) -> None:
    assert saved.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    saved.ask("document.getElementById('theme').click()")
    assert saved.ask("getComputedStyle(document.body).backgroundColor") == "rgb(22, 30, 36)"
    assert saved.ask(COLOURED)[0] > 1000


def test_a_page_without_a_map_lists_its_samples(tmp_path: Path, browser: Chrome) -> None:
    path, _ = write(mixed(points=False), tmp_path / "page.html")
    browser.open(path.as_uri())
    browser.press("/")
    browser.send("Input.insertText", text="number 12")
    browser.until("document.querySelectorAll('.thumbs button').length === 1")


def test_a_served_page_fetches_what_is_clicked(browser: Chrome) -> None:
    with Server(mixed(explain=lambda chosen: [{"scores": np.eye(8)} for _ in chosen])) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.open(server.address)
        browser.click(*browser.ask(PLACE.replace("AT", "7")))
        browser.until("document.querySelector('#sample .heat')")
        assert head(browser) == "s7"
        server.shutdown()


def test_a_hundred_thousand_points_are_drawn_and_move(tmp_path: Path, browser: Chrome,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    path, _ = write(many(100_000), tmp_path / "page.html", limit=0)
    browser.open(path.as_uri())
    browser.until("performance.getEntriesByName('linnet frame').length")
    assert browser.ask(COLOURED)[0] > 20_000
    before = browser.ask(SEEN)
    browser.ask("performance.clearMeasures()")
    for _ in range(4):  # to and fro: all of them stay in view
        browser.drag([(700 + 6 * abs(10 - step), 450) for step in range(20)])
    taken = sorted(browser.ask("performance.getEntriesByName('linnet frame').map((one) => one.duration)"))
    with capsys.disabled():
        print(f"\n100,000 points, no graphics card: {len(taken)} frames in motion, median "
              f"{taken[len(taken) // 2]:.0f} ms, slowest {taken[-1]:.0f} ms")
    assert browser.ask(SEEN) != before
