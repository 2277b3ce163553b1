from __future__ import annotations

from dataclasses import replace

import numpy as np
import report_contents as made
from report_contents import scores, spoken

from linnet import evidence
from linnet.report.verdicts import asked, counts, found, is_informative


def test_accuracy_that_fails_gives_the_upper_bound() -> None:
    claim = evidence.accuracy_at_least(scores({"theo": 0.6}, 500), bound=0.8)
    assert asked(claim) == "At least 80 in 100 answered correctly"
    assert found(claim) == "60 in 100 were right, of 500; 95 % sure of at most 64 in 100."


def test_an_undecided_claim_says_what_would_decide_it() -> None:
    claim = evidence.accuracy_at_least(scores({"theo": 0.81}, 100), bound=0.8)
    assert claim.verdict == "undecided"
    assert found(claim).startswith("81 in 100 were right, of 100; 95 % sure of at least 73 in 100. ")
    assert "too few to be 95 % sure" in found(claim)


def test_every_group_is_told_by_the_one_that_is_served_worst() -> None:
    some = scores({"lucas": 0.95, "theo": 0.6}, 300)
    claim = evidence.accuracy_in_every_group(some, by="speaker", bound=0.5)
    assert asked(claim) == "At least 50 in 100 answered correctly in each group by speaker"
    assert found(claim) == ("60 in 100 were right in the group that is served worst, of 300 in all; 95 % sure that "
                            "each has at least 52 in 100.")
    claim = evidence.accuracy_in_every_group(some, by="speaker", bound=0.8)
    assert found(claim).endswith("95 % sure that a group has at most 68 in 100.")


def test_too_few_clusters_give_no_interval() -> None:
    claim = evidence.accuracy_at_least(spoken(), bound=0.8, clusters="speaker")
    assert not is_informative(claim)
    assert "sure of" not in found(claim)
    assert asked(claim).endswith("for other speakers too")


def test_a_comparison_that_fails_gives_the_least_that_was_lost() -> None:
    claim = evidence.no_worse(spoken(), spoken(better=70), margin=0.01)
    assert asked(claim) == "At most 1 in 100 fewer right than with 'big'"
    assert found(claim) == "7 in 100 fewer were right, on 1,000; 95 % sure of at least 5 in 100 fewer."


def test_a_comparison_that_won_says_more() -> None:
    claim = evidence.no_worse(spoken(better=70), spoken(), margin=0.0)
    assert asked(claim) == "No fewer right than with 'digits.onnx'"
    assert found(claim) == "7 in 100 more were right, on 1,000; 95 % sure of no fewer."


def test_latency_without_enough_runs_gives_no_bound() -> None:
    claim = evidence.latency_below(evidence.Timing(np.full(10, 0.001), "a" * 64), bound_ms=2)
    assert asked(claim) == "95 of 100 answers within 2 ms"
    assert found(claim).startswith("1 ms measured in 10 runs. ")


def test_counts_are_worst_first() -> None:
    after, before = spoken(), spoken(better=6)
    claims = made.claims(after, before, made.bench("digits.onnx", 1000, 0.5, 1))
    assert counts([*claims, evidence.size_below(evidence.Size(90_000, "a" * 64), bound_kb=64)]) == \
        "one fails, one is undecided, four hold"


def test_a_size_is_said_as_it_was_counted() -> None:
    claim = evidence.size_below(evidence.Size(38_912, "a" * 64), bound_kb=64)
    assert found(claim).startswith("Without its claims the file has 3")


def test_a_better_file_is_told_by_how_much_at_least() -> None:
    claim = evidence.better(spoken(better=70), spoken(), by=0.01)
    assert asked(claim) == "More than 1 in 100 more right than with 'digits.onnx'"
    assert found(claim) == "7 in 100 more were right, on 1,000; 95 % sure of at least 5 in 100 more."


def test_equivalence_is_told_from_both_ends() -> None:
    claim = evidence.equivalent(spoken(better=2), spoken(), margin=0.02)
    assert asked(claim) == "Less than 2 in 100 more or fewer right than with 'digits.onnx'"
    assert "95 % sure of" in found(claim)
    assert ", and as sure of at most" in found(claim)


def test_graded_scores_are_lower_or_higher_and_not_right() -> None:
    after, before = (replace(spoken(), score=np.full(1000, mean)) for mean in (0.80, 0.81))
    claim = evidence.no_worse(after, before, margin=0.05)
    assert asked(claim) == "At most 5 in 100 lower on average than with 'digits.onnx'"
    assert found(claim).startswith("1 in 100 lower on average, on 1,000; 95 % sure of at most ")
    assert "right" not in found(claim)


def test_what_earlier_files_cost_is_said() -> None:
    claim = evidence.accuracy_at_least(spoken(), bound=0.8).at_look(3)
    assert "Two files had been held against these data before: to keep 95 % over all" in found(claim)
    assert "this one had to show it at 99.833 %." in found(claim)
    assert "held against" not in found(evidence.accuracy_at_least(spoken(), bound=0.8).at_look(1))
