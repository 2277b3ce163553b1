from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import report_contents as made
from onnx_files import digits_bytes
from report_contents import digits, handwritten, scores, sounds, spoken

from linnet import evidence
from linnet.evidence import Scores
from linnet.report import Contents, summary
from linnet.report.words import headline, held_out, shipped_size, times_smaller


def test_the_sentence_says_what_how_good_how_sure_for_whom_and_what_it_cost() -> None:
    assert headline(digits()) == (
        "On 1,000 recordings of two speakers it never heard, the 39 KB model names 91 in 100 digits correctly "
        "(95 % sure of at least 89 in 100 such recordings of these two; two speakers say little about others); "
        "making it 9 times smaller cost at most 2 in 100, 95 % sure.")


def test_an_undecided_claim_is_said_after_the_sentence() -> None:
    assert summary(digits()).endswith(
        "Of five claims, one is undecided, four hold. "
        "Undecided: at least 80 in 100 answered correctly, for other speakers too.")


def test_images_without_groups() -> None:
    assert summary(handwritten()) == ("On 360 images it never saw, the 22 KB model names 98 in 100 digits correctly "
                                      "(95 % sure of at least 97 in 100 such images).")


def test_one_speaker_is_singular() -> None:
    after = scores({"theo": 0.9}, 500)
    assert "500 recordings of one speaker it never heard" in headline(spoken_contents(after))
    assert "such recordings of this one; one speaker says little about others" in headline(spoken_contents(after))


def test_twelve_speakers_without_a_question_about_others() -> None:
    after = scores({f"s{n:02d}": 0.9 for n in range(12)}, 1200)
    assert "of these twelve; what other speakers get was not asked" in headline(spoken_contents(after))


def test_many_speakers_with_whole_speakers_as_the_unit() -> None:
    after = scores({f"s{n:02d}": 0.85 + 0.01 * n for n in range(12)}, 1200)
    claim = evidence.accuracy_at_least(after, bound=0.7, clusters="speaker")
    contents = replace(spoken_contents(after), claims=[claim])
    assert "in 100 for speakers like these)" in headline(contents)


def test_the_test_part_was_not_split_by_speaker() -> None:
    after = scores(made.SPEAKERS, 300, origin=made.SPLIT_BY_ROWS)
    said = headline(spoken_contents(after))
    assert said.startswith("On 300 recordings it never heard, ")
    assert "its speakers may have been in the training too" in said


def test_other_parts_than_test_are_called_what_they_are() -> None:
    assert "that it was trained on," in headline(spoken_contents(scores(made.SPEAKERS, 100, part="train")))
    assert "that served to choose it," in headline(spoken_contents(scores(made.SPEAKERS, 100, part="validation")))
    assert headline(spoken_contents(scores(made.SPEAKERS, 100, part=None, origin={}))).startswith("On 100 recordings, ")


def test_all_right_is_not_a_promise_of_all() -> None:
    after = scores({"theo": 1.0}, 360)
    assert "names all 360 digits correctly (95 % sure of at least 99 in 100" in headline(spoken_contents(after))


def test_nearly_all_right_is_said_in_a_thousand() -> None:
    after = scores({"theo": 0.998}, 1000)
    assert "names 998 in 1,000 digits correctly (95 % sure of at least 993 in 1,000" in headline(spoken_contents(after))


def test_a_claim_that_fails_is_said() -> None:
    after = scores({"theo": 0.6}, 500)
    contents = replace(spoken_contents(after), claims=[evidence.accuracy_at_least(after, bound=0.8)])
    assert summary(contents).endswith("Of one claim, one fails. Fails: at least 80 in 100 answered correctly.")


def test_a_cost_that_is_too_large_is_said() -> None:
    after, before = spoken(), spoken(better=70)
    contents = replace(digits(), before=before, claims=[evidence.no_worse(after, before, margin=0.01)])
    assert "making it 9 times smaller cost 7 in 100, more than the 1 in 100 that were allowed" in headline(contents)


def test_a_cost_that_is_not_shown_to_be_small_enough_is_said() -> None:
    after, before = spoken(), spoken(better=8)
    contents = replace(digits(), before=before, claims=[evidence.no_worse(after, before, margin=0.01)])
    assert "cost at most 2 in 100, 95 % sure, which does not show that it stays within 1 in 100" in headline(contents)


def test_a_model_that_got_better_still_has_a_bound() -> None:
    better = replace(spoken(better=2), subject="a" * 64)
    contents = replace(digits(), after=better, claims=[evidence.no_worse(better, spoken(), margin=0.03)])
    assert "making it 9 times smaller cost at most 1 in 100, 95 % sure." in headline(contents)


def test_a_model_that_is_surely_better_cost_nothing() -> None:
    better = spoken(better=70)
    contents = replace(digits(), after=better, claims=[evidence.no_worse(better, spoken(), margin=0.03)])
    assert "cost no accuracy, 95 % sure." in headline(contents)


def test_a_cost_over_too_few_clusters_cannot_be_said() -> None:
    after, before = spoken(), spoken(better=6)
    contents = replace(digits(), claims=[evidence.no_worse(after, before, margin=0.03, clusters="speaker")])
    assert "what making it 9 times smaller cost cannot be said yet" in headline(contents)


def test_without_a_claim_the_model_before_is_only_named() -> None:
    contents = replace(digits(), claims=[])
    assert headline(contents).endswith("; the model it was made from names 92 in 100.")


def test_without_scores_nothing_is_promised() -> None:
    assert summary(Contents("digits")) == "digits: nothing was measured on the test part yet."


def test_a_metric_that_is_no_accuracy_is_called_by_its_name() -> None:
    after = scores({"theo": 0.9}, 100)
    other = replace(after, score=np.full(100, 0.75), metric="overlap")
    assert "the model reaches a mean overlap of 0.75." in headline(Contents("x", task=sounds(), after=other))


def test_the_size_is_the_files_own_where_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "digits.onnx"
    file.write_bytes(digits_bytes())
    contents = replace(digits(), file=file)
    assert shipped_size(contents) == file.stat().st_size
    assert times_smaller(contents) == 352_400 / file.stat().st_size


def test_the_last_split_counts() -> None:
    ref = spoken().data
    steps = [{"split": {"by": "speaker"}, "part": "train"}, {"split": {"by": None}, "part": "test"}]
    assert held_out(ref) == "speaker"
    assert held_out(ref.model_copy(update={"origin": {"steps": steps}})) is None


def spoken_contents(after: Scores) -> Contents:
    return Contents("digits", task=sounds(), after=after)


@pytest.mark.parametrize(("kind", "extra", "said"), [
    ("detect", {}, "agrees with the labels on 91 in 100 parts of the speech that either of them marks"),
    ("verify", {}, "puts the same speech above another one in 91 in 100 comparisons"),
    ("recognize", {}, "answers 91 in 100 recordings with what was said in them, or with nothing where it must"),
    ("assess", {}, "judges 91 in 100 recordings as the experts do"),
    ("transcribe", {"partly": True}, "writes 91 in 100 speech down correctly"),
    ("transcribe", {"partly": False}, "writes 91 in 100 recordings down without a mistake")])
def test_what_is_right_is_said_in_the_tasks_own_words(kind: str, extra: dict[str, bool], said: str) -> None:
    task = SimpleNamespace(kind=kind, target="speech", loss="", arrays=sounds().arrays, groups=("speaker",), **extra)
    assert said in headline(replace(spoken_contents(spoken()), task=task))
