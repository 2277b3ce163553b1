"""The page of a dataset: everything is in it, everything from outside is escaped, and nothing is loaded."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from PIL import Image

from linnet import data
from linnet.data import (
    Audio,
    AudioColumn,
    Dataset,
    GroupColumn,
    ImageColumn,
    LabelColumn,
    LabelsColumn,
    SequenceColumn,
    SpansColumn,
    TextColumn,
    ValueColumn,
    media_cells,
)
from linnet.data.media import encode
from linnet.report import pictures, samples

RATE = 8000


def tone(seconds: float, pitch_hz: float = 1000.0) -> Audio:
    time = np.arange(round(seconds * RATE)) / RATE
    return Audio((0.5 * np.sin(2 * np.pi * pitch_hz * time)).astype(np.float32), RATE)


def page_of(table: pa.Table, columns: dict[str, data.Column], **given: object) -> str:
    dataset = Dataset("birds <b>", table, columns)
    return samples.html(dataset, data.describe(dataset), **given)


def test_sounds_are_heard_seen_and_counted() -> None:
    table = pa.table({"id": ["a", "b", "c"], "audio": media_cells([*(encode(tone(s)) for s in (0.3, 12)), b"words"]),
                      "species": ["finch", "tit", "tit"], "bird": ["1", "1", "2"]})
    page = page_of(table, {"audio": AudioColumn(), "species": LabelColumn(("finch", "tit", "wren")),
                           "bird": GroupColumn()})
    sounds = [soundfile.read(io.BytesIO(base64.b64decode(found))) for found in re.findall(r"audio/flac;base64,([^\"]+)",
                                                                                         page)]
    assert [(len(heard), rate) for heard, rate in sounds] == [(2400, RATE), (80_000, RATE)]
    assert "12.00 s, 8,000 Hz, peak 0.500; the first 10 s are here" in page
    assert page.count("image/png;base64") == page.count("<polygon") == 2
    assert "one file cannot be used" in page
    assert '<span class="name" title="wren">wren</span>' in page
    assert "cannot be read as a recording" in page


def test_nothing_is_loaded_and_everything_is_escaped() -> None:
    table = pa.table({"id": ["<script>1", "b"], "text": ["<img src=x>", "two"], "note": ["<i>x</i>", "y"]})
    page = page_of(table, {"text": TextColumn(), "note": GroupColumn()})
    assert "<script" not in page
    assert "<i>" not in page
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page
    assert "birds &lt;b&gt;" in page
    assert "birds <b>" not in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "default-src 'none'" in page


def test_spans_stand_in_their_text() -> None:
    span = pa.struct([("label", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
    cells = [[{"label": "day", "start": 8, "end": 14}, {"label": "city", "start": 3, "end": 7}]]
    table = pa.table({"id": ["a"], "text": ["to R&me monday"], "slots": pa.array(cells, pa.list_(span)),
                      "phones": pa.array([["R", "OU"]], pa.list_(pa.string())),
                      "moods": pa.array([[]], pa.list_(pa.string()))})
    page = page_of(table, {"text": TextColumn(), "slots": SpansColumn(("city", "day"), of="text"),
                           "phones": SequenceColumn(("OU", "R")), "moods": LabelsColumn(("sad",))})
    shown = re.search(r'<p class="said">(.*?)</p>', page)
    assert shown
    assert re.sub(r"<small>.*?</small>|<[^>]+>", "", shown[1]) == "to R&amp;me monday"
    assert re.findall(r'hsl\((\d+) 70% 88%\)">([^<]+)<small>(\w+)', shown[1]) == [
        ("0", "R&amp;me", "city"), ("138", "monday", "day")]
    assert '<p class="items">R OU</p>' in page
    assert '<p class="items">(none)</p>' in page


def test_a_small_image_is_enlarged_a_large_one_made_smaller() -> None:
    images = [encode(np.full((4, 6, 1), 7, np.uint8)), encode(np.full((600, 1000, 3), 7, np.uint8))]
    page = page_of(pa.table({"id": ["a", "b"], "image": media_cells(images)}), {"image": ImageColumn()})
    sizes = [Image.open(io.BytesIO(base64.b64decode(found))).size for found in re.findall(r"png;base64,([^\"]+)", page)]
    assert sizes == [(6, 4), (480, 288)]
    assert page.count('class="image small"') == 1
    assert "1000 x 600" in page


def test_a_table_is_shown_as_a_table_with_histograms() -> None:
    page = page_of(pa.table({"id": ["a", "b"], "age": [1.5, 2.5]}), {"age": ValueColumn()})
    assert "<td>1.5</td>" in page
    assert "least 1.5" in page
    assert "median 2 " in page
    assert 'class="heights"' in page


def test_the_card_is_on_the_page() -> None:
    digits = data.load("handwritten").take(range(20))
    page = samples.html(digits, data.describe(digits), card=data.SOURCES["handwritten"].card, rows=10)
    for words in ("20 images. Handwritten digits", "CC BY 4.0", "Alpaydin and Kaynak", digits.fingerprint,
                  "10 of 20 rows"):
        assert words in page


def test_samples_are_drawn_from_every_label_in_turn() -> None:
    labels = ["often"] * 50 + ["seldom"] * 2
    dataset = Dataset("x", pa.table({"id": [str(n) for n in range(52)], "label": labels, "n": list(range(52))}),
                      {"label": LabelColumn(("seldom", "often")), "n": ValueColumn()})
    picked = samples.chosen(dataset, 6, without=["50"])
    assert picked == samples.chosen(dataset, 6, without=["50"])
    assert [labels[index] for index in picked] == ["seldom"] + ["often"] * 5
    assert picked[0] == 51
    assert picked != samples.chosen(dataset, 6, without=["50"], seed=1)


def test_a_tone_is_a_line_at_its_height() -> None:
    picture = pictures.spectrogram(tone(1.0, 1000).samples, RATE)
    assert picture.shape == (96, 300, 3)
    darkest = picture.astype(int).sum(axis=2).mean(axis=1).argmin()
    assert darkest == pytest.approx(96 * (1 - 1000 / 4000), abs=2)
    assert pictures.spectrogram(np.zeros(10, np.float32), RATE).shape == (96, 300, 3)
    assert "nan" not in pictures.waveform(np.zeros(10, np.float32))


def test_of_many_labels_the_most_and_the_least_frequent_are_shown() -> None:
    bars = samples._bars({f"l{n:02}": n for n in range(40)})
    assert bars.count('class="bar"') == 30
    assert "40 in all; the 15 most and the 15 least frequent" in bars
    assert "l39" in bars
    assert "l00" in bars
    assert "l20" not in bars


def test_the_page_replaces_the_one_before(tmp_path) -> None:
    dataset = Dataset("x", pa.table({"id": ["a"], "n": [1]}), {"n": ValueColumn()})
    file = samples.write(dataset, data.describe(dataset), tmp_path / "deep" / "x.html")
    assert file.read_text().startswith("<!DOCTYPE html>")
    assert [path.name for path in file.parent.iterdir()] == ["x.html"]
