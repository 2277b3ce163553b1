from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from linnet import data, evidence, export, runtime, tasks
from linnet.errors import LinnetError

pytest.importorskip("skl2onnx", reason="the extra 'foreign' is not installed")

from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from linnet.export.adapters.sklearn import described, expression


@pytest.fixture(scope="module")
def intents(sentences: data.Splits) -> tasks.Classify:
    return tasks.Classify(sentences, input="text", target="intent", groups=["asker"], tokenizer=None)


@pytest.mark.parametrize("vectorizer", [
    TfidfVectorizer(), TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), CountVectorizer(binary=False),
    TfidfVectorizer(token_pattern=r"[\w']+", norm=None, use_idf=False, sublinear_tf=True),
    TfidfVectorizer(lowercase=False, ngram_range=(1, 3), token_pattern=r"(?u)\b\w+\b"),
], ids=["default", "sublinear", "counts", "no idf", "one letter"])
def test_a_text_pipeline_answers_as_scikit_learn_does(tmp_path: Path, sentences: data.Splits, intents: tasks.Classify,
                                                      vectorizer: TfidfVectorizer) -> None:
    texts, labels = sentences.train.values("text"), sentences.train.values("intent")
    source = make_pipeline(vectorizer, LinearSVC()).fit(texts, labels)
    odd = np.array(["a a a table for Two two", "It's I, a b c", "", "to to to to the the city", "x_y 42 42"], object)
    file = runtime.load(export.adopt(source, intents, tmp_path / "a.onnx", samples={"text": odd}))
    assert file.card.parity is not None
    assert file.card.parity.largest_difference < 1e-5
    scores = tasks.evaluate(file, file.task, sentences.test)
    assert list(scores.answers) == source.predict(sentences.test.values("text")).tolist()


def test_the_file_is_one_of_ours(tmp_path: Path, sentences: data.Splits, intents: tasks.Classify) -> None:
    texts, labels = sentences.train.values("text"), sentences.train.values("intent")
    linear = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
    stupid = make_pipeline(CountVectorizer(max_features=3), LogisticRegression()).fit(texts, labels)
    path, other = (export.adopt(source, intents, tmp_path / f"{name}.onnx", samples=sentences.test)
                   for name, source in (("linear", linear), ("stupid", stupid)))
    file = runtime.load(path)
    assert file.card.model["source"] == "Pipeline(TfidfVectorizer, LogisticRegression)"
    assert file.card.parameters > 3 * len(linear[0].vocabulary_)
    scores = tasks.evaluate(file, file.task, sentences.test)
    export.prove(path, [evidence.accuracy_at_least(scores, bound=0.5)], require="holds")
    assert runtime.verify(path, data=sentences.test).exit_code == 0
    assert runtime.bench(path, runs=3, seconds=0).p50_ms > 0
    sides = {"linear": [runtime.load(path)], "stupid": [runtime.load(other)]}
    found = runtime.compare(sides, sentences.test, seconds=0)
    assert found.differences[0].word == "worse"
    assert found.side("linear").family == "scikit-learn"
    probabilities = file.task.probabilities(file(file.task.prepare(["book a table", "rain"])))
    assert probabilities == pytest.approx(linear.predict_proba(["book a table", "rain"]), abs=1e-5)


@pytest.mark.parametrize("model", [LogisticRegression(), LinearSVC(), SGDClassifier(), SVC()])
def test_two_classes_and_many_on_a_table(tmp_path: Path, numbers: data.Splits, model: LogisticRegression) -> None:
    for target, columns in (("colour", ["length", "width", "weight"]), ("size", ["length", "width", "colour"])):
        task = tasks.Classify(numbers, input=columns, target=target)
        rows = task.prepare(task.read(numbers.train))["features"]
        source = make_pipeline(StandardScaler(), model).fit(rows, numbers.train.values(target))
        file = runtime.load(export.adopt(source, task, tmp_path / f"{target}.onnx", samples=numbers.test))
        scores = tasks.evaluate(file, task, numbers.test)
        test = task.prepare(task.read(numbers.test))["features"]
        assert list(scores.answers) == source.predict(test).tolist()


def test_texts_rows_and_networks_are_compared_on_the_same_rows(tmp_path: Path, sentences: data.Splits,
                                                               intents: tasks.Classify) -> None:
    by_length = tasks.Classify(sentences, input=["letters", "asker"], target="intent")
    rows = by_length.prepare(by_length.read(sentences.train))["features"]
    labels = sentences.train.values("intent")
    words = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(sentences.train.values("text"), labels)
    sources = {"words": (words, intents), "length": (LogisticRegression().fit(rows, labels), by_length)}
    sides = {name: [runtime.load(export.adopt(source, task, tmp_path / f"{name}.onnx", samples=sentences.test))]
             for name, (source, task) in sources.items()}
    found = runtime.compare(sides, sentences.test, seconds=0)
    assert found.noun == "texts"
    assert found.differences[0].word == "worse"


def test_further_figures_are_compared_too(tmp_path: Path, numbers: data.Splits) -> None:
    task = tasks.Regress(numbers, input=["length", "width", "colour"], target="weight", tolerance=1.0)
    rows, wanted = task.prepare(task.read(numbers.train))["features"], task.targets(numbers.train).reshape(-1)
    sides = {name: [runtime.load(export.adopt(model.fit(rows, wanted), task, tmp_path / f"{name}.onnx"))]
             for name, model in (("line", LinearRegression()), ("tree", RandomForestRegressor(2, random_state=0)))}
    found = runtime.compare(sides, numbers.test, seconds=0)
    assert "mean_absolute_error" in found.side("line").metrics
    assert found.side("line").metrics["mean_absolute_error"] < found.side("tree").metrics["mean_absolute_error"]
    stricter = tasks.Regress(numbers, input=["length", "width"], target="weight", tolerance=0.5)
    other = export.adopt(LinearRegression().fit(rows[:, :2], wanted), stricter, tmp_path / "strict.onnx")
    with pytest.raises(LinnetError, match=r"strict.onnx counts as right within '0\.5', line.onnx '1\.0'"):
        runtime.compare({"line": sides["line"], "strict": [runtime.load(other)]}, numbers.test)


def test_labels_by_number(tmp_path: Path, numbers: data.Splits) -> None:
    task = tasks.Classify(numbers, input=["length", "width", "colour"], target="size")
    rows = task.prepare(task.read(numbers.train))["features"]
    source = LogisticRegression().fit(rows, task.targets(numbers.train))
    file = runtime.load(export.adopt(source, task, tmp_path / "a.onnx"))
    assert tasks.evaluate(file, task, numbers.test).mean == pytest.approx(
        source.score(task.prepare(task.read(numbers.test))["features"], task.targets(numbers.test)))


@pytest.mark.parametrize("model", [LinearRegression(), RandomForestRegressor(8, random_state=0)])
def test_a_number(tmp_path: Path, numbers: data.Splits, model: LinearRegression) -> None:
    task = tasks.Regress(numbers, input=["length", "width", "colour"], target="weight", tolerance=2.0)
    rows = task.prepare(task.read(numbers.train))["features"]
    source = model.fit(rows, task.targets(numbers.train).reshape(-1))
    file = runtime.load(export.adopt(source, task, tmp_path / "a.onnx", samples=numbers.test))
    assert tasks.evaluate(file, task, numbers.test).mean > 0.7


def test_images_are_rows_of_pixels(tmp_path: Path, squares: data.Splits) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    pixels = task.prepare(task.read(squares.train))["image"].reshape(-1, 64)
    source = LogisticRegression(max_iter=500).fit(pixels, squares.train.values("side"))
    file = runtime.load(export.adopt(source, task, tmp_path / "a.onnx", samples=squares.test))
    assert tasks.evaluate(file, task, squares.test).mean == 1.0


def test_a_class_that_the_task_has_and_the_source_lacks_is_refused(tmp_path: Path, numbers: data.Splits) -> None:
    task = tasks.Classify(numbers, input=["length", "width", "colour"], target="size")
    some = numbers.train.where(size=["small", "large"])
    source = LogisticRegression().fit(task.prepare(task.read(some))["features"], some.values("size"))
    with pytest.raises(LinnetError, match="only the task middle, only the source none"):
        export.adopt(source, task, tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()


def test_what_cannot_be_converted_is_said(tmp_path: Path, sentences: data.Splits, intents: tasks.Classify) -> None:
    texts, labels = sentences.train.values("text"), sentences.train.values("intent")
    words = make_pipeline(CountVectorizer(tokenizer=str.split, token_pattern=None), LinearSVC())
    with pytest.raises(LinnetError, match=r"skl2onnx cannot convert Pipeline\(CountVectorizer, LinearSVC\)"):
        export.adopt(words.fit(texts, labels), intents, tmp_path / "a.onnx", samples=sentences.test)
    raw = make_pipeline(CountVectorizer(), LinearSVC())
    with pytest.raises(LinnetError, match="is not fitted"):
        export.adopt(raw, intents, tmp_path / "a.onnx", samples=sentences.test)
    with pytest.raises(LinnetError, match="nothing can be made up for the array 'text'"):
        export.adopt(make_pipeline(CountVectorizer(), LinearSVC()).fit(texts, labels), intents, tmp_path / "a.onnx")
    many = tasks.Classify(sentences, input="text", target="topics", tokenizer=None)
    with pytest.raises(LinnetError, match="this one asks for many labels a sample"):
        export.adopt(make_pipeline(CountVectorizer(), LinearSVC()).fit(texts, labels), many, tmp_path / "a.onnx",
                     samples=sentences.test)


def test_large_letters_beyond_a_to_z_are_said(tmp_path: Path, sentences: data.Splits, intents: tasks.Classify,
                                              caplog: pytest.LogCaptureFixture) -> None:
    texts = [f"{text} café" for text in sentences.train.values("text")]
    source = make_pipeline(CountVectorizer(), LinearSVC()).fit(texts, sentences.train.values("intent"))
    with caplog.at_level(logging.WARNING, "linnet"):
        export.adopt(source, intents, tmp_path / "a.onnx", samples={"text": np.array(["café naïve"], object)})
    assert "such as 'café'" in caplog.text
    with pytest.raises(LinnetError, match="at sample 1 one of its scores differs"):
        export.adopt(source, intents, tmp_path / "b.onnx", samples={"text": np.array(["a", "CAFÉ"], object)})


def test_expressions_and_names() -> None:
    assert expression(r"(?u)\b\w{3,}\b") == r"[\pL\pN_]{3,}"
    assert expression(r"[\w']+|\d") == r"[\pL\pN_']+|\d"
    assert described(make_pipeline(make_union(CountVectorizer(), TfidfVectorizer()), LinearSVC())) == (
        "Pipeline(FeatureUnion(CountVectorizer, TfidfVectorizer), LinearSVC)")
