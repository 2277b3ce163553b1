import numpy as np
import pytest
from scipy.stats import binomtest

from linnet.evidence import DataRef, Scores
from linnet.introspect import confusions


def scores(pairs: list[tuple[str, str]]) -> Scores:
    targets, answers = [target for target, _ in pairs], [answer for _, answer in pairs]
    right = np.array([float(target == answer) for target, answer in pairs])
    data = DataRef(population="recordings", fingerprint="0" * 64, rows=len(pairs))
    return Scores([str(i) for i in range(len(pairs))], answers, targets, right, data, "a" * 64)


def test_planted_confusions_come_most_frequent_first() -> None:
    right = [("seven", "seven")] * 7 + [("one", "one")] * 9 + [("nine", "nine")]
    found = confusions(scores([*right, ("one", "nine"), ("nine", "seven"), *[("seven", "nine")] * 3]))
    assert [item.subject for item in found] == ["seven -> nine", "nine -> seven", "one -> nine"]
    first = found["seven -> nine"].evidence
    assert (first["count"], first["of"], first["rate"]) == (3, 10, 0.3)
    expected = binomtest(3, 10).proportion_ci(0.95, "exact")
    assert first["interval"] == pytest.approx([expected.low, expected.high])


def test_no_mistakes_no_findings() -> None:
    assert len(confusions(scores([("one", "one")] * 5))) == 0


def test_the_statement_is_a_sentence() -> None:
    statement = confusions(scores([("seven", "nine")] + [("seven", "seven")] * 9))["seven -> nine"].statement
    assert statement == "seven was answered as nine in 1 of 10 (95 % sure of 0.2 to 44.6 in 100)."
