"""What every look does with what it cannot use, and what all of them keep: plain JSON, facts, seeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linnet import data, introspect
from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores
from linnet.introspect import Finding, Findings

ROWS = np.random.default_rng(0).normal(size=(60, 5))
CLASSES = np.repeat([0, 1, 2], 20)
FEATURES = ROWS + CLASSES[:, None] * np.array([1, 0, 0, 0, 0])
CHANCES = np.random.default_rng(1).dirichlet(np.ones(3), 60)
IS_MEMBER = np.arange(60) % 2 == 0


def scored(right: np.ndarray, *, targets: list[str] | None = None, digest: str = "0") -> Scores:
    targets = targets or [str(row % 4) for row in range(len(right))]
    answers = [target if is_right else "other" for target, is_right in zip(targets, right, strict=True)]
    return Scores([f"s{row}" for row in range(len(right))], answers, targets, np.asarray(right, float),
                  DataRef(population="rows", fingerprint="0" * 64, rows=len(right)), digest * 64)


BEFORE, AFTER = scored(np.arange(60) % 5 > 0), scored(np.arange(60) % 4 > 0, digest="1")

LOOKS: dict[str, Callable[[], Findings]] = {
    "cka": lambda: introspect.cka({"a": ROWS, "b": FEATURES}),
    "concept": lambda: introspect.concept(ROWS[:30] + 1, ROWS[30:], draws=40),
    "confusions": lambda: introspect.confusions(BEFORE),
    "drift": lambda: introspect.drift(ROWS[:30], ROWS[30:] + 2),
    "extraction": lambda: introspect.extraction(ROWS[:4], ROWS, ids=np.arange(4), training_ids=np.arange(60)),
    "forgetting": lambda: introspect.forgetting(BEFORE, AFTER),
    "inactive": lambda: introspect.inactive({"a": np.maximum(ROWS, 0) * [0, 1, 1, 1, 1]}),
    "knockoffs": lambda: introspect.select(FEATURES, CLASSES, method="knockoffs", rate=0.5),
    "l1": lambda: introspect.select(FEATURES, CLASSES, method="l1"),
    "label_issues": lambda: introspect.label_issues(CHANCES, CLASSES),
    "leakage": lambda: introspect.leakage({"train": ROWS, "test": ROWS[:3]}),
    "membership": lambda: introspect.membership(ROWS[:, 0] - 2 * IS_MEMBER, IS_MEMBER),
    "near_duplicates": lambda: introspect.near_duplicates(np.vstack([ROWS, ROWS[:2]])),
    "order": lambda: introspect.order(np.sort(ROWS, axis=0)),
    "out_of_distribution": lambda: introspect.out_of_distribution(ROWS, ROWS[:4] + 5, labels=CLASSES),
    "permutation": lambda: introspect.select(FEATURES, CLASSES, method="permutation"),
    "probe": lambda: introspect.probe(FEATURES, CLASSES, controls=5),
    "profile": lambda: introspect.profile(ROWS),
    "redundancy": lambda: introspect.redundancy({"a": ROWS, "b": FEATURES[:, [0, 0, 1]]}),
    "responding_units": lambda: introspect.responding_units({"a": FEATURES}, CLASSES),
    "select": lambda: introspect.select(FEATURES, CLASSES, names=np.arange(5)),
    "slices": lambda: introspect.slices(BEFORE, features=ROWS),
    "traces": lambda: introspect.traces({"card": "by theo"}, {"speaker": ["theo"]}),
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_is_plain_json_says_what_it_looked_at_and_repeats(name: str) -> None:
    np.random.seed(7)
    expected = np.random.get_state()[1].copy()
    found = LOOKS[name]()
    np.testing.assert_array_equal(np.random.get_state()[1], expected)
    written = json.dumps(found.to_json(), allow_nan=False)
    assert Findings.from_json(json.loads(written)).to_json() == json.loads(written)
    assert json.dumps(LOOKS[name]().to_json()) == written
    assert found.facts
    assert all(type(subject) is str for subject in found.subjects)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "an array for layers": (lambda: introspect.inactive(ROWS), "layer"),
    "an array for layers of cka": (lambda: introspect.cka(ROWS), "layer"),
    "an array for layers of redundancy": (lambda: introspect.redundancy(ROWS), "layer"),
    "no responses": (lambda: introspect.cka(None), "layer"),
    "no layer": (lambda: introspect.cka({}), "at least one layer"),
    "one layer beside nothing": (lambda: introspect.cka({"a": ROWS}), "two layers"),
    "no sample": (lambda: introspect.inactive({"a": ROWS[:0]}), "at least one"),
    "words for responses": (lambda: introspect.inactive({"a": np.array([["a"]])}), "numbers"),
    "complex responses": (lambda: introspect.redundancy({"a": ROWS.astype(complex)}), "numbers"),
    "a probe of nothing": (lambda: introspect.probe({}, CLASSES), "at least one layer"),
    "a probe's seed": (lambda: introspect.probe(ROWS, CLASSES, seed=-1), "seed"),
    "a probe's controls": (lambda: introspect.probe(ROWS, CLASSES, controls=-1), "controls"),
    "draws that can show nothing": (lambda: introspect.concept(ROWS, ROWS, draws=10), "draws"),
    "a concept's seed": (lambda: introspect.concept(ROWS, ROWS, seed=-1), "seed"),
    "a rate of units": (lambda: introspect.responding_units({"a": ROWS}, CLASSES, rate=2), "rate"),
    "names of columns twice": (lambda: introspect.select(ROWS, CLASSES, names=["a"] * 5), "different"),
    "a selection's seed": (lambda: introspect.select(ROWS, CLASSES, seed=-1), "seed"),
    "half a column": (lambda: introspect.select(ROWS, CLASSES, count=1.5), "count"),
    "too few rows for the lasso": (lambda: introspect.select(ROWS[:4], [0, 1, 0, 1], method="l1"), "10"),
    "a map's seed": (lambda: introspect.project(ROWS, method="random", seed=-1), "seed"),
    "a map of one and a half": (lambda: introspect.project(ROWS, dimensions=1.5), "dimensions"),
    "one and a half directions": (lambda: introspect.principal(ROWS, 1.5), "directions"),
    "a text for texts": (lambda: introspect.near_duplicates("hello"), "got str"),
    "a mapping for texts": (lambda: introspect.near_duplicates({"hello": 1}), "got dict"),
    "nothing": (lambda: introspect.near_duplicates(None), "got NoneType"),
    "a rate of duplicates": (lambda: introspect.near_duplicates(ROWS, rate="a"), "rate"),
    "a seed of duplicates": (lambda: introspect.near_duplicates(ROWS, seed=-1), "seed"),
    "parts without names": (lambda: introspect.leakage([ROWS, ROWS]), "between parts"),
    "ids twice": (lambda: introspect.profile(ROWS, ids=["a"] * 60), "different"),
    "ids of copies twice": (lambda: introspect.extraction(ROWS[:2], ROWS, ids=["a", "a"]), "different"),
    "a number for training rows": (lambda: introspect.extraction(ROWS, 5), "training"),
    "losses of nothing": (lambda: introspect.losses_of(CHANCES[:0], CLASSES[:0]), "at least one"),
    "reference losses that are words": (lambda: introspect.membership(ROWS[:, 0], IS_MEMBER, references=[["a"] * 60]),
                                        "no numbers"),
    "reference losses without end": (lambda: introspect.membership(ROWS[:, 0], IS_MEMBER,
                                                                   references=np.full((1, 60), np.inf)), "infinite"),
    "a text for a column": (lambda: introspect.traces({"card": "theo"}, {"speaker": "theo"}), "speaker"),
    "a text for texts by name": (lambda: introspect.traces("theo", {"speaker": ["theo"]}), "by name"),
    "words for features": (lambda: introspect.slices(BEFORE, features=[["a"]] * 60), "no numbers"),
    "other targets after": (lambda: introspect.forgetting(BEFORE, scored(np.ones(60), targets=["x"] * 60)), "target"),
    "logits": (lambda: introspect.forgetting(BEFORE, AFTER, probabilities=(9 * CHANCES, CHANCES)), "from 0 to 1"),
    "words for maps": (lambda: introspect.attribution.sanity([["a"]], {"all": [["a"]]}), "no numbers"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_looked_at_is_refused_in_words(what: str) -> None:
    look, says = REFUSED[what]
    with pytest.raises(LinnetError, match=says):
        look()


def test_a_class_of_one_row_does_not_silence_all_alarms() -> None:
    labels = [*CLASSES[:-1].tolist(), 9]
    assert len(introspect.out_of_distribution(ROWS, ROWS[:4] + 9, labels=labels)) == 4
    assert len(introspect.out_of_distribution(ROWS, ROWS[:4] + 9, labels=np.arange(60))) == 4


def test_columns_that_are_all_constant_are_not_chosen_by_any_method() -> None:
    for method in introspect.SELECTIONS:
        found = introspect.select(np.ones((60, 3)), CLASSES, method=method)
        assert (found.subjects, found.facts["never_change"]) == ((), ["0", "1", "2"])


def test_an_issue_of_two_samples_is_no_pair_of_duplicates(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("id,text\nn1,one note\nn2,two notes\nn3,three notes\n")
    notes = data.load(tmp_path / "notes.csv")
    issue = Findings("profile", (Finding("text: odd", "", {"issue": "odd", "samples": ["n1", "n2"]}),))
    with pytest.raises(LinnetError, match="none of the 1 findings"):
        introspect.deduplicate(notes, issue)
    with pytest.raises(LinnetError, match="affected"):
        introspect.drop(notes, issue)
    assert introspect.drop(notes, introspect.affected(issue)).ids == ["n3"]


def test_names_are_found_where_a_page_or_json_writes_them_otherwise() -> None:
    given = {"page": "<b>Élise O&#x27;Connor</b>", "json": json.dumps({"who": "Élise O'Connor"})}
    found = introspect.traces(given, {"speaker": ["Élise O'Connor", None]})
    assert found.subjects == ("speaker in page", "speaker in json")
    assert found.items[0].evidence["of"] == 1


def test_few_samples_are_said_in_the_facts_of_redundancy() -> None:
    facts = introspect.redundancy({"a": ROWS[:4], "b": ROWS[:4, :2]}).facts
    assert (facts["samples"], facts["too_few_samples"]) == (4, ["a"])


def test_constant_maps_are_no_proof_that_maps_depend_on_what_was_learned() -> None:
    found = introspect.attribution.sanity(np.ones((30, 4)), {"all weights": np.ones((30, 4))})
    assert "30 of 30 maps are the same everywhere" in found.facts["warnings"][0]
