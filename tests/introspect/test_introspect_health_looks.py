"""profile, drift and order: planted differences are found, and where there are none the stated rate is kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from linnet import data, introspect
from linnet.errors import LinnetError
from linnet.introspect import Findings, health, repair
from linnet.introspect.health.groups import differences
from linnet.introspect.health.measures import Measures

MEASURES = 4


def made(rng: np.random.Generator, rows: int = 300, *, speakers: int = 0, shift: float = 0.0) -> Measures:
    """Numbers of four kinds (one nearly always 0, one with heavy tails) and groups of very uneven sizes.

    With speakers, each has a level of its own, and a gender that says nothing.
    """
    numbers = {"normal": rng.normal(shift, 1, rows), "heavy": rng.standard_cauchy(rows),
               "rare": (rng.random(rows) < 0.03) * 1.0, "whole": rng.poisson(2, rows) * 1.0}
    groups = {"even": rng.choice(list("abc"), rows), "uneven": rng.choice(list("xyz"), rows, p=[0.9, 0.06, 0.04])}
    if speakers:
        who = np.arange(rows) % speakers
        numbers["normal"] += rng.normal(0, 2, speakers)[who]
        gender, others = rng.choice(["f", "m"], speakers), rng.integers(1 << 60)
        groups = {"gender": gender[who], "speaker": [f"{others}-{one}" for one in who]}
    return Measures("made", tuple(map(str, range(rows))), numbers,
                    labels={name: [str(one) for one in values] for name, values in groups.items()})


def share_of_runs(told: Callable[[np.random.Generator], bool], runs: int, seed: int) -> float:
    return sum(told(np.random.default_rng([seed, run])) for run in range(runs)) / runs


RUNS, MOST = 100, 0.12
"""At a rate of 5 % more than 12 % of 100 runs come out with a chance of 1 in 700; a wrong test shows far more."""


def test_groups_that_do_not_differ_are_told_at_the_stated_rate() -> None:
    def told(rng: np.random.Generator) -> bool:
        found = made(rng)
        return differences(found.numbers, found.labels, permutations=199, seed=int(rng.integers(99)))[0].p_value <= 0.05

    assert share_of_runs(told, RUNS, 1) <= MOST


def test_speakers_make_no_difference_of_genders() -> None:
    """Rows dealt out by themselves tell genders apart nearly always; whole speakers do so at the stated rate."""
    def told(rng: np.random.Generator, by: str | None) -> bool:
        found = made(rng, 240, speakers=12)
        found = differences({"normal": found.numbers["normal"]}, {"gender": found.labels["gender"]},
                            clusters=None if by is None else found.labels[by], permutations=199)
        return bool(found) and found[0].p_value <= 0.05

    assert share_of_runs(lambda rng: told(rng, None), 30, 2) > 0.5
    assert share_of_runs(lambda rng: told(rng, "speaker"), RUNS, 2) <= MOST


def test_with_clusters_differences_over_and_within_speakers_are_found() -> None:
    """Of genders over whole speakers, of words within speakers who are as far apart, of one speaker from the rest."""
    rng, who = np.random.default_rng(0), np.arange(480) % 24
    gender, word = np.where(who % 2, "f", "m").tolist(), np.where(rng.random(480) < 0.5, "yes", "no").tolist()
    level = rng.normal(0, 5, 24)[who]
    numbers = {"over": level / 5 + 3 * (who % 2), "within": level + (np.array(word) == "yes"), "one": 1.0 * (who == 7),
               "noise": rng.normal(size=480)}
    groups = {"gender": gender, "word": word, "speaker": [f"s{one}" for one in who]}
    told = {(one.column, one.group, one.measure) for one in differences(numbers, groups, clusters=groups["speaker"])
            if one.p_value <= 0.05}
    assert {("gender", "f", "over"), ("word", "yes", "within"), ("speaker", "s7", "one")} <= told
    assert not {one for one in told if one[0] == "gender" and one[2] != "over"}
    assert "noise" not in {measure for _, _, measure in told}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer permutations: a rate is kept with any number of them."""
    for module in ("drift", "order"):
        monkeypatch.setattr(sys.modules[f"linnet.introspect.health.{module}"], "PERMUTATIONS", 99)


@pytest.mark.usefixtures("quick")
def test_no_drift_is_told_at_the_stated_rate() -> None:
    def told(rng: np.random.Generator) -> bool:
        return len(introspect.drift(made(rng, 80), made(rng, 60), seed=int(rng.integers(99)))) > 0

    assert share_of_runs(told, RUNS, 3) <= MOST


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_clusters_are_no_drift() -> None:
    def told(rng: np.random.Generator, clusters: str | None) -> bool:
        return len(introspect.drift(made(rng, 80, speakers=8), made(rng, 80, speakers=8), clusters=clusters)) > 0

    assert share_of_runs(lambda rng: told(rng, None), 20, 4) > 0.5
    assert share_of_runs(lambda rng: told(rng, "speaker"), RUNS // 2, 4) <= 0.15


@pytest.mark.usefixtures("quick")
def test_rows_without_an_order_are_told_at_the_stated_rate() -> None:
    assert share_of_runs(lambda rng: len(introspect.order(made(rng, 100))) > 0, RUNS, 5) <= MOST


def test_a_group_that_is_unlike_the_others_is_named_with_an_interval() -> None:
    rng = np.random.default_rng(0)
    found = made(rng, 600)
    found.numbers["normal"][np.array(found.labels["uneven"]) == "z"] += 3
    told = introspect.profile(found)
    assert told.subjects[:2] == ("heavy: far value", "uneven = z")
    one = told["uneven = z"].evidence["differences"][0]
    assert one["measure"] == "normal"
    assert one["p_value"] <= 0.002
    assert one["interval"][0] < one["median"] < one["interval"][1]
    assert one["interval"][0] > one["others"] + 1
    assert told["uneven = z"].statement.startswith("uneven z is unlike the others: median normal 2.94 (")
    assert told.facts["questions"] == 6 * (MEASURES + 1)  # the numbers that are far out too


def test_an_issue_that_lies_in_one_group_is_said_of_the_group() -> None:
    texts = ["plain words here"] * 200 + ["bro\ufffdken words"] * 40 + ["plain words here"] * 60
    sites = list("a" * 200 + "b" * 50 + "c" * 50)
    table = pa.table({"id": [str(at) for at in range(300)], "text": texts, "site": sites})
    dataset = data.Dataset("texts", table, {"text": data.TextColumn(), "site": data.GroupColumn()})
    told = introspect.profile(dataset)
    assert told["text: odd characters"].evidence["count"] == 40
    assert {one["measure"] for one in told["site = b"].evidence["differences"]} >= {"text: odd characters"}
    assert "text: odd characters in 80 % (" in told["site = b"].statement
    odd = introspect.affected(told, "odd characters")
    assert odd.subjects == tuple(str(at) for at in range(200, 240))
    assert odd["200"].evidence["issues"] == ["text: odd characters"]
    assert len(repair.drop(dataset, odd)) == 260
    with pytest.raises(LinnetError, match="did you mean 'odd characters'"):
        introspect.affected(told, "odd character")


def test_two_groups_are_told_once() -> None:
    rng = np.random.default_rng(0)
    found = Measures("two", tuple(map(str, range(200))), {"x": np.r_[rng.normal(2, 1, 90), rng.normal(0, 1, 110)]},
                     labels={"side": ["left"] * 90 + ["right"] * 110})
    assert introspect.profile(found).subjects == ("side = left",)


def test_labels_that_are_constant_rare_absent_missing_or_uneven_are_said() -> None:
    labels = ["a"] * 40 + ["b"] * 8 + ["unknown"] * 12
    table = pa.table({"id": [str(at) for at in range(60)], "label": labels, "room": ["one"] * 60, "number": [2.0] * 60,
                      "who": [f"w{at}" for at in range(60)]})
    dataset = data.Dataset("labels", table, {
        "label": data.LabelColumn(("a", "b", "c", "unknown")), "room": data.GroupColumn(), "number": data.ValueColumn(),
        "who": data.GroupColumn()})
    told = introspect.profile(dataset)
    assert set(told.subjects) == {"label: missing", "label: absent", "label: rare", "label: uneven", "room: constant",
                                  "number: constant", "who: groups of one"}
    assert told["label: uneven"].statement == "label 'a' has 40 rows and 'b' 8: 5 times as many."
    assert told.facts["too few rows to compare"] == {"label": ["b"], "who": sorted(f"w{at}" for at in range(60))}
    assert len(introspect.drift(dataset, dataset)) == 0


def test_drift_names_the_column_the_labels_and_the_size() -> None:
    rng = np.random.default_rng(2)
    before, after = made(rng, 200), made(rng, 200, shift=1.0)
    after.labels["even"][:60] = ["d"] * 60
    told = introspect.drift(before, after)
    assert set(told.subjects) == {"normal", "even", health.TOGETHER}
    assert 0.25 < told["normal"].evidence["effect"] < 0.6
    assert told["even"].evidence["only after"] == ["d"]
    assert "'d' was 0 % and is 30 %" in told["even"].statement
    assert len(told.facts["tests"]) == MEASURES + 3


def test_columns_of_one_side_and_groups_without_one_in_common_are_facts() -> None:
    rng = np.random.default_rng(3)
    before, after = made(rng, 60, speakers=10), made(rng, 60, speakers=10)
    before.numbers["extra"] = np.zeros(60)
    told = introspect.drift(before, after)
    assert told.facts["only before"] == ["extra"]
    assert told.facts["not tested"] == ["speaker"]


def test_rows_without_a_number_are_left_out_of_their_column_only() -> None:
    rng = np.random.default_rng(4)
    before, after = made(rng, 100), made(rng, 100)
    before.numbers["heavy"][:96] = np.nan
    after.numbers["whole"][:50] = np.nan
    tests = {one["column"]: one for one in introspect.drift(before, after).facts["tests"]}
    assert "heavy" not in tests
    assert tests["whole"]["rows"] == [100, 50]


@pytest.mark.parametrize(("sort", "alike"), [(True, 1.0), (False, 0.0)])
def test_an_order_is_found(sort: bool, alike: float) -> None:
    """Rows sorted by label; and labels that take turns, so that neighbours are less alike than chance."""
    labels = np.repeat(list("abcdefghijk"), 30) if sort else np.tile(list("abcdefghijk"), 30)
    rng = np.random.default_rng(0)
    found = Measures("rows", tuple(map(str, range(330))), {"noise": rng.normal(size=330)},
                     labels={"label": labels.tolist()})
    told = introspect.order(found)
    assert told.subjects == ("label",)
    assert told["label"].evidence["alike"] == pytest.approx(alike, abs=0.2)
    assert told["label"].evidence["chance"] == pytest.approx(29 / 329, abs=0.01)


def test_a_slow_drift_along_the_rows_is_an_order() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(400, 3))
    rows[:, 1] += np.linspace(0, 2, 400)
    assert introspect.order(rows).subjects == ("column 1",)


def test_all_is_plain_json_and_comes_out_the_same_again() -> None:
    found = made(np.random.default_rng(6), 100)
    for look in (introspect.profile, introspect.order, lambda given: introspect.drift(given, given)):
        once = look(found).to_json()
        assert json.loads(json.dumps(once)) == look(found).to_json()
        assert Findings.from_json(once).facts["rate"] == 0.05


@pytest.mark.parametrize(("look", "words"), [
    (lambda found: introspect.profile(found, groups=["evn"]), "did you mean 'even'"),
    (lambda found: introspect.profile(found, clusters="speaker"), "unknown column of labels or groups 'speaker'"),
    (lambda found: introspect.profile(found, rate=0), "rate must lie above 0"),
    (lambda found: introspect.drift(found, np.ones((9, 2))), "no column in common"),
    (lambda found: introspect.drift(found, found, clusters="even"), "is on both sides"),
    (lambda found: introspect.drift(np.arange(5.0), np.arange(1.0)), "too few"),
    (lambda found: introspect.order(np.arange(19.0)), "20 are the fewest"),
    (lambda found: introspect.order(found, seed=-1), "seed")])
def test_what_cannot_be_asked_is_refused(look: Callable[[Measures], Findings], words: str) -> None:
    with pytest.raises(LinnetError, match=words):
        look(made(np.random.default_rng(0), 60))


def test_constant_columns_and_groups_of_one_are_no_trouble() -> None:
    rows = np.column_stack([np.ones(40), np.arange(40.0)])
    names = tuple(map(str, range(40)))
    found = Measures("flat", names, {"flat": rows[:, 0]}, labels={"who": names})
    assert introspect.profile(found).subjects == ("who: groups of one", "flat: constant")
    assert len(introspect.order(found)) == 0
    assert introspect.order(found).facts["not tested"] == ["flat", "who"]
    assert introspect.drift(rows[:20], rows[20:]).subjects == ("column 1", health.TOGETHER)
