from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx_files import digits_bytes, tones_bytes

from linnet import data, evidence, runtime, tasks
from linnet.errors import DamagedFileError, LinnetError
from linnet.evidence import Ledger, Look, Scores
from linnet.export.prove import prove
from linnet.runtime.artifact import read, with_metadata


@pytest.fixture
def file(tmp_path: Path, tone_task: tasks.Classify) -> Path:
    path = tmp_path / "tones.onnx"
    path.write_bytes(tones_bytes(tone_task))
    return path


@pytest.fixture
def scores(file: Path, tone_task: tasks.Classify, tones: data.Splits) -> Scores:
    return tasks.evaluate(runtime.load(file), tone_task, tones.test)


def statements(file: Path) -> list[tuple[str, float]]:
    return [(claim.kind, claim.bound) for claim in runtime.load(file).claims]


def test_a_proven_file_is_the_same_model_for_everybody(file: Path, scores: Scores, tones: data.Splits) -> None:
    sound = np.stack([tones.test.media("audio", 0).samples] * 2)
    sound = np.pad(sound, ((0, 0), (0, runtime.load(file).task.arrays["audio"][1][0] - sound.shape[1])))
    answers, identity = [], read(file).identity
    for _ in range(2):
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        answers.append(session.run(None, {"audio": sound})[0])
        assert prove(file, [evidence.accuracy_at_least(scores, bound=0.5)]) == file
        onnx.checker.check_model(onnx.load(file), full_check=True)
        assert read(file).identity == identity
    np.testing.assert_array_equal(*answers)
    assert runtime.verify(file).exit_code == 0


def test_a_claim_about_another_file_is_refused(file: Path, scores: Scores, tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(with_metadata(file.read_bytes(), {"note": "another file"}))
    said = rf"speaks of {scores.subject[:12]}, the file other.onnx is .*evaluate runtime.load"
    with pytest.raises(LinnetError, match=said):
        prove(other, [evidence.accuracy_at_least(scores, bound=0.5)])
    assert runtime.load(other).claims == ()


def test_the_same_question_replaces_its_claim_and_others_are_added(file: Path, scores: Scores) -> None:
    prove(file, [evidence.accuracy_at_least(scores, bound=0.5), evidence.accuracy_at_least(scores, bound=0.6)])
    prove(file, [evidence.accuracy_at_least(scores, bound=0.5)])
    assert statements(file) == [("accuracy_at_least", 0.5), ("accuracy_at_least", 0.6)]
    prove(file, [evidence.accuracy_at_least(scores, bound=0.5, level=0.9), evidence.size_below(runtime.load(file).size,
                                                                                              bound_kb=9000)])
    assert len(statements(file)) == 4


def test_the_size_of_a_file_does_not_depend_on_its_claims(file: Path, scores: Scores) -> None:
    before = runtime.load(file).size
    prove(file, [evidence.accuracy_at_least(scores, bound=0.5)])
    assert runtime.load(file).size == before


def test_required_claims_that_do_not_hold_leave_the_file_as_it_is(file: Path, scores: Scores) -> None:
    prove(file, [evidence.accuracy_at_least(scores, bound=0.5)], require="holds")
    content = file.read_bytes()
    too_much = evidence.accuracy_at_least(scores, bound=0.999)
    too_large = evidence.size_below(runtime.load(file).size, bound_kb=1)
    with pytest.raises(LinnetError) as raised:
        prove(file, [evidence.accuracy_at_least(scores, bound=0.6), too_much, too_large], require="holds")
    said = str(raised.value)
    assert "2 of 3 claims do not hold; tones.onnx was left as it is" in said
    reason = too_much.at_look(1).reason
    assert reason is not None
    assert reason in said
    assert "tested at 96 %: the rest of the 5 % by which it may err is kept for files to come" in said
    assert "size_below fails" in said
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.glob("tones*")] == ["tones.onnx"]
    prove(file, [too_much])
    assert len(statements(file)) == 2


def test_looks_are_counted_and_the_same_look_is_counted_once(file: Path, scores: Scores, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "looks")
    for bound in (0.5, 0.6, 0.5):
        prove(file, [evidence.accuracy_at_least(scores, bound=bound)], ledger=ledger)
        assert {claim.looks for claim in runtime.load(file).claims} == {1}  # more questions to one file are no new try
    prove(file, [evidence.size_below(runtime.load(file).size, bound_kb=9000)], ledger=ledger)
    assert runtime.load(file).claims[-1].looks is None
    assert runtime.verify(file, ledger=ledger).exit_code == 0
    assert len(ledger.looks(scores.data.fingerprint)) == 2


def test_a_later_file_pays_for_those_before(file: Path, scores: Scores, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "looks")
    levels = []
    for others in (0, 1, 8):
        for number in range(others):
            ledger.record(Look(f"other {others} {number}", "q", scores.data.fingerprint))
        claim = evidence.accuracy_at_least(replace(scores, subject=runtime.load(file).identity), bound=0.5)
        own = Ledger(tmp_path / f"looks {others}")
        for look in ledger.looks(scores.data.fingerprint):
            own.record(look)
        prove(file, [claim], ledger=own)
        [proven] = runtime.load(file).claims
        levels.append(proven.tested_level)
        assert proven.looks == len(own.subjects(scores.data.fingerprint))
        assert proven.level == 0.95
        assert runtime.verify(file, ledger=own).exit_code == 0  # derived at the level that was paid, not at its own
    assert levels == pytest.approx([0.96, 0.995, 1 - 0.05 * 0.2 / 90])
    assert "file 10 that was held against these data, so tested at 99.989 %" in proven.statement


def test_a_claim_that_was_read_cannot_pay_for_another_look(file: Path, scores: Scores, tmp_path: Path) -> None:
    prove(file, [evidence.accuracy_at_least(scores, bound=0.5)], ledger=Ledger(tmp_path / "one"))
    claims = runtime.load(file).claims
    prove(file, claims, ledger=Ledger(tmp_path / "one"))
    later = Ledger(tmp_path / "two")
    later.record(Look("another file", "q", scores.data.fingerprint))
    with pytest.raises(LinnetError, match="cannot pay for look 2 at its data; derive it again"):
        prove(file, claims, ledger=later)


def test_a_look_counts_even_where_the_claim_was_refused(file: Path, scores: Scores, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "looks")
    with pytest.raises(LinnetError):
        prove(file, [evidence.accuracy_at_least(scores, bound=0.999)], require="holds", ledger=ledger)
    assert len(ledger.looks(scores.data.fingerprint)) == 1


def test_an_edited_claim_is_not_sealed_again(file: Path, scores: Scores) -> None:
    prove(file, [evidence.accuracy_at_least(scores, bound=0.5)])
    text = read(file).metadata["linnet.claims"].replace('"estimate":1.0', '"estimate":0.9')
    file.write_bytes(with_metadata(file.read_bytes(), {"linnet.claims": text}))
    with pytest.raises(LinnetError, match="changed after they were made"):
        prove(file, [evidence.accuracy_at_least(scores, bound=0.6)])


def test_what_cannot_be_proven_is_said(file: Path, scores: Scores, tmp_path: Path) -> None:
    claim = evidence.accuracy_at_least(scores, bound=0.5)
    foreign, broken = tmp_path / "foreign.onnx", tmp_path / "broken.onnx"
    foreign.write_bytes(digits_bytes())
    broken.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(LinnetError, match="at least one claim"):
        prove(file, [])
    with pytest.raises(LinnetError, match="require is 'holds'"):
        prove(file, [claim], require="hold")  # type: ignore[arg-type]
    with pytest.raises(LinnetError, match="not written by Linnet"):
        prove(foreign, [claim])
    with pytest.raises(DamagedFileError, match="cut off"):
        prove(broken, [claim])
