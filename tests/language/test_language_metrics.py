"""Error rates and F1, held against jiwer and scikit-learn, and against what they promise."""

from __future__ import annotations

import json
import math

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import classification_report

from linnet.errors import LinnetError
from linnet.language import metrics
from linnet.tasks.figures import edit_distance, span_scores

WORDS = st.lists(st.sampled_from(["a", "bb", "c", "dd"]), max_size=9)


@given(st.lists(st.tuples(WORDS, WORDS.filter(bool)), min_size=1, max_size=5))
def test_rates_are_those_of_jiwer(pairs: list[tuple[list[str], list[str]]]) -> None:
    answers, expected = ([" ".join(side) for side in sides] for sides in zip(*pairs, strict=True))
    ours = metrics.error_rates(answers, expected)
    theirs = jiwer.process_words(expected, answers)
    assert ours.rate == pytest.approx(theirs.wer)
    assert ours.total("right") >= theirs.hits  # of the ways with the fewest edits the one with the most right words
    assert ours.total("right") + ours.total("substitution") + ours.total("deletion") == ours.units.sum()
    assert metrics.error_rates(answers, expected, unit="character").rate == \
        pytest.approx(jiwer.cer(expected, answers))


@given(WORDS, WORDS)
def test_an_alignment_is_the_shortest_way_from_one_to_the_other(answer: list[str], expected: list[str]) -> None:
    edits = metrics.align(answer, expected)
    assert [edit.expected for edit in edits if edit.kind != "insertion"] == expected
    assert [edit.answered for edit in edits if edit.kind != "deletion"] == answer
    assert sum(edit.kind != "right" for edit in edits) == edit_distance(answer, expected)
    assert all((edit.kind == "right") == (edit.expected == edit.answered) for edit in edits)


@given(WORDS, WORDS)
def test_no_other_way_of_as_few_edits_leaves_more_right(answer: list[str], expected: list[str]) -> None:
    best: dict[tuple[int, int], tuple[int, int]] = {}
    for row in range(len(expected) + 1):
        for column in range(len(answer) + 1):
            ways = [(0, 0)] if not row and not column else []
            if row:
                ways.append((best[row - 1, column][0] + 1, best[row - 1, column][1]))
            if column:
                ways.append((best[row, column - 1][0] + 1, best[row, column - 1][1]))
            if row and column:
                is_wrong = expected[row - 1] != answer[column - 1]
                ways.append((best[row - 1, column - 1][0] + is_wrong, best[row - 1, column - 1][1] - (not is_wrong)))
            best[row, column] = min(ways)
    edits = metrics.align(answer, expected)
    right = sum(edit.kind == "right" for edit in edits)
    assert (len(edits) - right, -right) == best[len(expected), len(answer)]


def test_long_recordings_are_aligned() -> None:
    rng = np.random.default_rng(0)
    spoken = rng.integers(0, 300, 1500).tolist()
    heard = [word for word in spoken if rng.uniform() > 0.1]
    found = metrics.error_rates([heard], [spoken])
    assert found.total("deletion") == 1500 - len(heard)
    assert found.total("insertion") == found.total("substitution") == 0


def test_phones_are_units_of_their_own() -> None:
    assert metrics.error_rates(["HH AH L OW"], ["HH EH L OW"], unit="phone").rate == 0.25
    assert metrics.error_rates([json.loads('["K", "AE"]')], [["K", "AE", "T"]], unit="phone").total("deletion") == 1


def test_utterances_answered_with_nothing_and_silence_answered_with_something() -> None:
    answers = ["yes", "", "the", "", "go on"]
    expected = ["yes", "no", "", "", "go now on"]
    found = metrics.error_rates(answers, expected)
    assert (found.false_negative_rate, found.false_positive_rate) == (1 / 3, 1 / 2)
    assert found.sentence_error_rate == 3 / 5
    assert found.rate == 3 / 5
    assert found.total("insertion") == 1


def test_rates_of_nothing_are_not_numbers() -> None:
    found = metrics.error_rates(["hm"], [""])
    assert math.isnan(found.rate)
    assert math.isnan(found.false_negative_rate)
    assert found.to_json()["word_error_rate"] is None
    assert found.to_json()["false_positive_rate"] == 1
    assert json.dumps(metrics.error_rates([], []).to_json())


def test_short_and_long_utterances_stand_apart() -> None:
    found = metrics.error_rates(["yes", "", "one two three", "x"], ["yes please", "no", "one two four", ""])
    assert (len(found.short()), found.short().rate) == (2, 2 / 3)
    assert (len(found.long()), found.long().rate) == (1, 1 / 3)
    assert len(found.long(3)) == 0
    assert {name: rates.rate for name, rates in found.by(["a", "a", "b", "b"]).items()} == {"a": 2 / 3, "b": 2 / 3}
    with pytest.raises(LinnetError, match="4 of them; got 1"):
        found.by(["a"])


def test_frequent_errors_come_first() -> None:
    found = metrics.error_rates(["a x", "a x", "b"], ["a b", "a b", "b c"])
    (edit, count), *_ = found.frequent()
    assert (edit.kind, edit.expected, edit.answered, count) == ("substitution", "b", "x", 2)
    assert len(found.frequent(1)) == 1


def test_the_oracle_takes_the_best_of_the_first_answers() -> None:
    nbest = [["the cap", "the cat", "a cat sat"], [], ["two"]]
    found = metrics.oracle(nbest, ["the cat", "yes", "two"], deepest=[1, 2, 5])
    assert [rates.errors.tolist() for rates in found.values()] == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    with pytest.raises(LinnetError, match="at least 1"):
        metrics.oracle(nbest, ["", "", ""], deepest=[0])


def test_two_systems_on_the_same_utterances() -> None:
    rng = np.random.default_rng(1)
    expected = [" ".join(rng.choice(["go", "left", "right", "up"], 6)) for _ in range(200)]

    def heard(share: float) -> list[str]:
        return [" ".join(word if rng.uniform() > share else "hm" for word in text.split()) for text in expected]

    good, bad = (metrics.error_rates(heard(share), expected) for share in (0.1, 0.3))
    found = metrics.compare(good, bad)
    assert found.difference == pytest.approx(good.rate - bad.rate)
    assert found.interval[1] < 0
    assert found.sign_flip_p_value < 0.001
    same = metrics.compare(good, good)
    assert (same.difference, same.p_value) == (0, 1)
    with pytest.raises(LinnetError, match="not asked the same"):
        metrics.compare(good, good.take(good.errors > 0))


def test_the_interval_of_a_rate_covers_it() -> None:
    """60 speakers of 5 utterances, whose own rates differ: 95 % of 200 intervals, less 3 standard errors."""
    rng, covered = np.random.default_rng(2), 0
    rightly, wrongly = metrics.align("a", "a"), metrics.align("b", "a")
    for _ in range(200):
        own = np.repeat(rng.choice([0.1, 0.4], 60), 5)
        edits = tuple((wrongly * count + rightly * (8 - count)) for count in rng.binomial(8, own))
        low, high = metrics.ErrorRates("word", edits).interval(clusters=np.repeat(np.arange(60), 5))
        covered += low <= 0.25 <= high
    assert covered / 200 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 200)
    assert metrics.error_rates(["a"] * 30, ["a"] * 30).interval() == (0.0, math.inf)


@pytest.mark.parametrize(("text", "same"), [
    ("“What’s up?”", "what's up"), ("rock 'n' roll", "rock n roll"), ("e-mail: 20 %", "e mail 20"),
    ("मुझे हिन्दी आती है।", "मुझे हिन्दी आती है"), ("STRASSE Straße", "strasse strasse"), ("...", ""), ("", "")])
def test_texts_are_made_plain(text: str, same: str) -> None:
    assert metrics.plain(text) == same
    assert metrics.plain(same) == same


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(LinnetError, match="2 answers and 1"):
        metrics.error_rates(["a", "b"], ["a"])
    with pytest.raises(LinnetError, match="got one text"):
        metrics.error_rates("a b", ["a b"])
    with pytest.raises(LinnetError, match="did you mean 'word'"):
        metrics.error_rates(["a"], ["a"], unit="words")  # type: ignore[arg-type]


def test_labels_are_scored_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(3)
    expected = rng.choice(["pay", "block", "greet", "oos"], 300, p=[0.5, 0.2, 0.2, 0.1])
    answers = np.where(rng.uniform(size=300) < 0.7, expected, rng.choice(["pay", "greet", "never asked"], 300))
    found = metrics.label_report(answers.tolist(), expected.tolist())
    theirs = classification_report(expected, answers, output_dict=True, zero_division=0)
    assert found.total.recall == pytest.approx(theirs["accuracy"])
    assert found.macro_f1 == pytest.approx(theirs["macro avg"]["f1-score"])
    assert found.weighted_f1 == pytest.approx(theirs["weighted avg"]["f1-score"])
    for counts in found.labels:
        row = theirs[counts.name]
        assert (counts.precision, counts.recall, counts.f1, counts.expected) == \
            pytest.approx((row["precision"], row["recall"], row["f1-score"], row["support"]))


def test_groups_and_aliases_of_labels() -> None:
    answers, expected = ["hello", "thanks", "block", "pay"], ["greet", "thank", "pay", "pay"]
    found = metrics.label_report(answers, expected, aliases={"hello": "greet", "thanks": "thank"},
                                 groups={"smalltalk": ["greet", "thank"], "critical": ["block", "pay", "absent"]})
    assert [(counts.name, counts.f1) for counts in found.groups] == \
        [("smalltalk", 1.0), ("critical", pytest.approx(0.5))]
    assert found.to_json()["accuracy"] == 0.75
    with pytest.raises(LinnetError, match="label in group 'critical' 'blok'; did you mean 'block'"):
        metrics.label_report(answers, expected, groups={"critical": ["blok"]})
    with pytest.raises(LinnetError, match="is a list of labels"):
        metrics.label_report(answers, expected, groups={"critical": "block"})


def test_slots_are_scored_as_a_tagger_is() -> None:
    rng = np.random.default_rng(4)

    def row() -> list[list[object]]:
        return [[str(rng.choice(["city", "day"])), 5 * place, 5 * place + 4] for place in range(rng.integers(0, 4))]

    expected = [row() for _ in range(100)]
    answers = [spans if rng.uniform() < 0.6 else row() for spans in expected]
    found = metrics.slot_report(answers, expected)
    assert (found.total.f1, found.total.precision, found.total.recall) == pytest.approx(span_scores(answers, expected))


def test_slots_are_missed_mismatched_or_made_up() -> None:
    expected = [[("date", "2026-01-02")], [("date", "2026-03-04"), ("date", "2026-05-06")], [], [("name", "ann")]]
    answers = [[("date", "2 Jan 2026")], [("date", "2026-03-05")], [("day", "x")], [("name", "ann"), ("name", "ann")]]
    found = metrics.slot_report(answers, expected, aliases={"day": "date"},
                                equal={"date": lambda one, other: {"2 Jan 2026": "2026-01-02"}.get(one, one) == other})
    date, name = found.types
    assert (date.counts.right, date.mismatched, date.missed, date.made_up, date.without) == (1, 1, 1, 1, 2)
    assert (name.counts.precision, name.counts.recall, name.missed) == (0.5, 1.0, 0)
    rates = date.to_json()
    assert (rates["mismatch_rate"], rates["false_negative_rate"], rates["false_positive_rate"]) == (1 / 3, 1 / 3, 0.5)
    assert metrics.slot_report([[("name", "ann")]], [[("name", "ann")] * 2]).total.recall == 0.5
    assert metrics.slot_report(answers, expected, groups={"when": ["date", "day"]}).groups[0].expected == 3
    with pytest.raises(LinnetError, match="type of slot 'dat'; did you mean 'date'"):
        metrics.slot_report(answers, expected, equal={"dat": str.__eq__})
    with pytest.raises(LinnetError, match=r"\(type, value\)"):
        metrics.slot_report([["date"]], [[]])
