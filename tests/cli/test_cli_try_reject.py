"""`linnet try` on a file that may turn a text down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from linnet import data, export, nn, tasks
from linnet.cli.app import answer


@pytest.mark.parametrize("text", ["order soup", ""])
def test_what_is_turned_down_is_said_with_what_was_likeliest(sentences: data.Splits, tmp_path: Path, text: str,
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    train = sentences.train.where(lambda row: row["intent"] != "food")
    task = tasks.Classify(train, input="text", target="intent", reject="none of them")
    at = task.at(threshold=1.0 if text else 0.0)
    file = export.write(nn.zoo.textcnn(task, width=4), at, tmp_path / "open.onnx")
    assert answer(["try", str(file), text]) == 0
    assert re.search(r": none of them; likeliest were \w+ \(\d\.\d\d\), then \w+ \(\d\.\d\d\)\n",
                     capsys.readouterr().out)
