import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_files import tones_bytes

from linnet import data, evidence, runtime, tasks
from linnet.errors import DamagedFileError, LinnetError
from linnet.evidence import KINDS, Claim, Ledger
from linnet.runtime.artifact import read, with_metadata, write
from linnet.runtime.claims import with_claims
from linnet.runtime.remeasure import MEASURES


def carry(path: Path, *claims: Claim) -> Path:
    write(path, with_claims(read(path), claims))
    return path


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change the claims document by hand, as somebody with an editor would."""
    document = json.loads(read(path).metadata["linnet.claims"])
    change(document)
    write(path, with_metadata(path.read_bytes(), {"linnet.claims": json.dumps(document)}))
    return path


def reseal(claim: Claim, **changes: Any) -> Claim:
    """A claim of somebody who knows how to seal."""
    return Claim.model_validate(claim.model_dump() | changes)


def judged(path: Path, **options: Any) -> tuple[int, list[str], str]:
    verification = runtime.verify(path, **options)
    return verification.exit_code, [r.outcome for r in verification.results], " ".join(
        [*(r.message for r in verification.results), verification.message])


@pytest.fixture
def worse(tones: data.Splits, tone_task: tasks.Classify, tmp_path: Path) -> evidence.Scores:
    """What a file answers that takes two pitches for each other."""
    bands = {"low": (720.0, 880.0), "middle": (270.0, 330.0), "high": (1710.0, 2090.0)}
    path = tmp_path / "worse.onnx"
    path.write_bytes(tones_bytes(tone_task, bands_hz=bands))
    return tasks.evaluate(runtime.load(path), tone_task, tones.test)


def test_every_kind_of_claim_can_be_measured_again() -> None:
    assert MEASURES.keys() == KINDS.keys()


def test_claims_that_hold_hold_again(tones_file: Path, tones_scores: evidence.Scores, worse: evidence.Scores) -> None:
    size = runtime.load(tones_file).size
    carry(tones_file, evidence.accuracy_at_least(tones_scores, bound=0.8),
          evidence.no_worse(tones_scores, worse, margin=0.05), evidence.size_below(size, bound_kb=5000))
    code, outcomes, said = judged(tones_file)
    assert (code, outcomes) == (0, ["holds"] * 3)
    assert "3 of 3 claims hold." in said


def test_the_same_files_without_anything_but_a_path_to_the_data(tones_file: Path, tones_scores: evidence.Scores,
                                                               tone_manifest: Path, tones: data.Splits) -> None:
    carry(tones_file, evidence.accuracy_at_least(tones_scores, bound=0.8))
    for given in (tone_manifest, str(tone_manifest), tones.test):
        assert judged(tones_file, data=given)[0] == 0


def test_a_claim_recorded_as_failing_or_undecided_stays_so(tones_file: Path, tones_scores: evidence.Scores,
                                                           worse: evidence.Scores) -> None:
    undecided = evidence.accuracy_at_least(tones_scores, bound=0.99)
    assert undecided.verdict == "undecided"
    assert judged(carry(tones_file, undecided))[:2] == (2, ["undecided"])
    fails = evidence.size_below(runtime.load(tones_file).size, bound_kb=1)
    assert judged(carry(tones_file, undecided, fails))[:2] == (1, ["undecided", "fails"])


def test_a_file_without_claims_is_undecided(tones_file: Path) -> None:
    assert judged(tones_file) == (2, [], "this file carries no claims.")


def test_a_claim_edited_by_hand_is_found(tones_file: Path, tones_scores: evidence.Scores) -> None:
    carry(tones_file, evidence.accuracy_at_least(tones_scores, bound=0.5))
    edit(tones_file, lambda document: document["claims"][0]["claim"].update(bound=0.9))
    code, outcomes, said = judged(tones_file)
    assert (code, outcomes) == (1, ["edited"])
    assert "claim 1 (accuracy_at_least) was edited: its seal is not that of what it says" in said


@pytest.mark.parametrize(("changes", "said"), [
    ({"estimate": 0.5}, "estimate 0.5 does not agree with the derived 1"),
    ({"bound": 0.9}, "bound 0.9 does not agree with the derived 0.5"),
    ({"level": 0.99}, "level 0.99"),
    ({"n": 3000}, "n 3000"),
    ({"clusters": {"by": "voice", "count": 40, "needed": 10}}, "clusters"),
    ({"statement": "It answers 99.9 in 100 of all tones correctly."}, "gives other numbers"),
    ({"subject": "0" * 64}, "speaks of the file 000000000000"),
    ({"settings": {"bound": 0.5, "mood": "good"}}, "settings do not belong"),
    ({"settings": {"bound": [0.5]}}, "neither numbers nor words"),
    ({"settings": {"bound": 7}}, "got 7"),
    ({"settings": {"bound": 0.5, "clusters": "shoe size"}}, "unknown clusters"),
    ({"settings": {"bound": 0.5, "look": 1}}, "settings do not belong"),
    ({"tested_level": 0.96}, "tested_level"),
    ({"tested_level": 0.96, "looks": 0}, "looks are counted"),
    ({"tested_level": 0.96, "looks": 10**400}, "looks are counted"),
    ({"kind": "size_below", "settings": {"bound_kb": 5000}, "tested_level": 0.96, "looks": 1}, "do not belong"),
    ({"data": None}, "names none"),
    ({"kind": "no_worse"}, "names no other side"),
    ({"kind": "size_below", "settings": {"bound_kb": 0.5}}, "does not agree"),
    ({"conditions": {"engine": "none"}, "estimate": 0.5}, "estimate 0.5"),
])
def test_a_forged_claim_with_a_good_seal_is_found(tones_file: Path, tones_scores: evidence.Scores,
                                                  changes: dict[str, Any], said: str) -> None:
    carry(tones_file, reseal(evidence.accuracy_at_least(tones_scores, bound=0.5), **changes))
    code, outcomes, message = judged(tones_file)
    assert (code, outcomes) == (1, ["edited"])
    assert said in message


def test_a_forged_verdict_is_judged_by_the_data(tones_file: Path, tones_scores: evidence.Scores) -> None:
    honest = evidence.accuracy_at_least(tones_scores, bound=0.99)
    carry(tones_file, reseal(honest, verdict="holds"))
    code, outcomes, message = judged(tones_file)
    assert (code, outcomes) == (2, ["undecided"])
    assert "recorded: holds; derived again: undecided" in message


def test_forged_rows_of_the_other_side_are_found(tones_file: Path, tones_scores: evidence.Scores,
                                                 worse: evidence.Scores) -> None:
    claim = evidence.no_worse(tones_scores, worse, margin=0.05)
    assert claim.than is not None
    for rows in ("", "no base64", claim.than.rows[:40]):
        carry(tones_file, reseal(claim, than=claim.than.model_dump() | {"rows": rows}))
        assert judged(tones_file)[:2] == (1, ["edited"])


def test_a_kind_of_a_later_version_is_undecided(tones_file: Path, tones_scores: evidence.Scores) -> None:
    carry(tones_file, reseal(evidence.accuracy_at_least(tones_scores, bound=0.5), kind="calibrated_within"))
    code, outcomes, said = judged(tones_file)
    assert (code, outcomes) == (2, ["undecided"])
    assert "'calibrated_within' is not known to this version" in said


def test_other_data_than_the_claims_is_undecided(tones_file: Path, tones_scores: evidence.Scores,
                                                 tones: data.Splits) -> None:
    carry(tones_file, evidence.accuracy_at_least(tones_scores, bound=0.5))
    code, outcomes, said = judged(tones_file, data=tones.train)
    assert (code, outcomes) == (2, ["undecided"])
    assert f"fingerprint expected {tones.test.fingerprint[:12]} ({len(tones.test)} rows), received" in said


def test_data_that_are_not_there_are_refused_at_once(tones_file: Path, tones_scores: evidence.Scores,
                                                     tmp_path: Path) -> None:
    carry(tones_file, evidence.accuracy_at_least(tones_scores, bound=0.5))
    for nowhere in (tmp_path / "nowhere.csv", "nowhere"):
        with pytest.raises(LinnetError, match=r"no folder or file '.*nowhere.*--data"):
            runtime.verify(tones_file, data=nowhere)


def test_data_that_were_not_found_are_said_once(tones_file: Path, tones_scores: evidence.Scores) -> None:
    lost = tones_scores.data.model_dump() | {"origin": {"source": "birds", "options": {}, "steps": []}}
    carry(tones_file, *(reseal(evidence.accuracy_at_least(tones_scores, bound=bound), data=lost)
                        for bound in (0.5, 0.6)))
    found = runtime.verify(tones_file)
    assert found.exit_code == 2
    assert [result.outcome for result in found.results] == ["undecided", "undecided"]
    assert all("undecided: its data were not found. It says" in result.message for result in found.results)
    assert found.message == ("0 of 2 claims hold. The data of the claims were not found: 'birds' is no folder or file "
                             "here. Give their folder or file with --data (in Python: data=).")


@pytest.mark.parametrize("origin", [
    {}, {"source": "fsdd"}, {"source": 3, "options": {}, "steps": []}, {"source": "x", "options": [], "steps": {}},
    {"source": "nowhere", "options": {"folder": 3}, "steps": [{"split": "shoe"}]},
    {"source": "a", "options": {}, "steps": [{"opaque": "where(predicate)"}]},
])
def test_a_strange_origin_is_undecided_and_no_crash(tones_file: Path, tones_scores: evidence.Scores,
                                                    tone_manifest: Path, origin: dict[str, Any]) -> None:
    claim = evidence.accuracy_at_least(tones_scores, bound=0.5)
    carry(tones_file, reseal(claim, data=tones_scores.data.model_dump() | {"origin": origin}))
    assert judged(tones_file)[:2] == (2, ["undecided"])
    assert judged(tones_file, data=tone_manifest)[:2] == (2, ["undecided"])


def test_the_data_themselves_are_found_without_an_origin(tones_file: Path, tone_task: tasks.Classify,
                                                         tone_manifest: Path, tmp_path: Path) -> None:
    whole = data.load(tone_manifest)
    task = tasks.Classify(whole, input="audio", target="pitch")
    scores = tasks.evaluate(runtime.load(tones_file), task, whole)
    lost = scores.data.model_dump() | {"origin": {"source": "gone", "options": {}, "steps": []}}
    carry(tones_file, reseal(evidence.accuracy_at_least(scores, bound=0.5), data=lost))
    assert judged(tones_file, data=tone_manifest)[:2] == (0, ["holds"])


def test_a_latency_is_derived_again_under_its_conditions_only(tones_file: Path) -> None:
    timing = runtime.bench(tones_file, runs=100, seconds=0).timing
    claim = evidence.latency_below(timing, bound_ms=1000)
    assert judged(carry(tones_file, claim))[:2] == (0, ["holds"])
    for condition, value in {"processor": "abacus", "version": "0.1", "threads": "4096", "engine": "steam",
                             "weather": "fine"}.items():
        other = reseal(claim, conditions=dict(timing.conditions) | {condition: value})
        code, outcomes, said = judged(carry(tones_file, other))
        assert (code, outcomes) == (2, ["undecided"])
        assert value in said
    for threads in ("", "-1", "many", "9" * 5000):
        other = reseal(claim, conditions=dict(timing.conditions) | {"threads": threads})
        assert judged(carry(tones_file, other))[:2] == (2, ["undecided"])


@pytest.mark.parametrize("change", [
    lambda document: document.pop("claims"),
    lambda document: document.update(schema="linnet/claims/v2"),
    lambda document: document.update(extra=1),
    lambda document: document["claims"][0]["claim"].pop("kind"),
    lambda document: document["claims"][0]["claim"].update(estimate="much"),
    lambda document: document.update(file="0" * 64),
])
def test_a_broken_claims_document_is_damage(tones_file: Path, tones_scores: evidence.Scores,
                                            change: Callable[[dict[str, Any]], object]) -> None:
    carry(tones_file, evidence.accuracy_at_least(tones_scores, bound=0.5))
    with pytest.raises(DamagedFileError):
        runtime.verify(edit(tones_file, change))


def test_not_a_number_is_not_believed(tones_file: Path, tones_scores: evidence.Scores) -> None:
    claim = evidence.accuracy_at_least(tones_scores, bound=0.5)
    carry(tones_file, reseal(claim, settings={"bound": float("nan")}))
    assert judged(tones_file)[:2] == (1, ["edited"])
    carry(tones_file, claim)
    edit(tones_file, lambda document: document["claims"][0]["claim"]["settings"].update(bound=float("nan")))
    assert judged(tones_file)[:2] == (1, ["edited"])
    edit(tones_file, lambda document: document["claims"][0]["claim"].update(estimate=float("inf")))
    with pytest.raises(DamagedFileError):
        runtime.verify(tones_file)


def looks(ledger: Ledger, claims: Sequence[Claim]) -> int:
    assert claims[0].data
    return len(ledger.looks(claims[0].data.fingerprint))


def test_each_question_is_one_look_however_often_it_is_verified(tones_file: Path, tones_scores: evidence.Scores,
                                                               tmp_path: Path) -> None:
    claims = [evidence.accuracy_at_least(tones_scores, bound=0.5), evidence.accuracy_at_least(tones_scores, bound=0.6)]
    carry(tones_file, *claims)
    ledger = Ledger(tmp_path / "looks")
    for _ in range(2):
        runtime.verify(tones_file, ledger=ledger)
    assert looks(ledger, claims) == 2


def test_a_ledger_that_cannot_be_written_is_said(tones_file: Path, tones_scores: evidence.Scores, tmp_path: Path,
                                                 caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    carry(tones_file, evidence.accuracy_at_least(tones_scores, bound=0.5))
    with caplog.at_level(logging.WARNING, logger="linnet"):
        assert judged(tones_file, ledger=Ledger(tmp_path / "file" / "looks"))[0] == 0
    assert "not recorded" in caplog.text


def test_a_dataset_is_evaluated_once(tones_file: Path, tones_scores: evidence.Scores,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    carry(tones_file, *(evidence.accuracy_at_least(tones_scores, bound=bound) for bound in (0.4, 0.5, 0.6)))
    asked: list[int] = []
    run = runtime.Shipped.__call__
    monkeypatch.setattr(runtime.Shipped, "__call__", lambda self, arrays: asked.append(1) or run(self, arrays))
    runtime.verify(tones_file)
    assert len(asked) == int(np.ceil(len(tones_scores) / 64))


def test_as_json_it_is_complete_and_without_the_other_sides_rows(tones_file: Path, tones_scores: evidence.Scores,
                                                                 worse: evidence.Scores) -> None:
    carry(tones_file, evidence.no_worse(tones_scores, worse, margin=0.05))
    plain = json.loads(json.dumps(runtime.verify(tones_file).to_json(), allow_nan=False))
    assert (plain["exit_code"], plain["results"][0]["outcome"]) == (0, "holds")
    assert "rows" not in plain["results"][0]["claim"]["than"]
    assert plain["results"][0]["derived"]["than"]["name"] == "tones"
