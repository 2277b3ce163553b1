import numpy as np
import pytest

from linnet import data, introspect, nn, shrink, tasks, train
from linnet.errors import LinnetError

OPTIONS = train.Options(batch=16, device="cpu")


@pytest.fixture(scope="module")
def big(tone_task: tasks.Classify, tones: data.Splits) -> nn.Model:
    return train.fit(nn.zoo.dscnn(tone_task, width=16, seed=0), tone_task, tones, epochs=8, options=OPTIONS)


def test_findings_become_a_smaller_tuned_model(big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    found = introspect.redundancy(big.responses(tone_task, tones.validation, layers=big.removable))
    plan = shrink.plan(found, keep=0.5).quantize(bits=8)
    small = shrink.apply(plan, big, tone_task, tones, teacher=big, epochs=10, options=OPTIONS)
    assert small.parameters_count < 0.6 * big.parameters_count
    assert small.bits == 8
    assert small.notes["teacher"] == big.identity
    assert tasks.evaluate(small, tone_task, tones.test).mean > 0.6


def test_bits_alone_change_no_weight_and_calibrate_on_train(
        big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    small = shrink.apply(shrink.plan().quantize(8), big, tone_task, tones)
    assert small.calibration is not None
    train_rows = {row.tobytes() for row in tone_task.prepare(tones.train.decode("audio"))["audio"]}
    assert all(row.tobytes() in train_rows for row in small.calibration["audio"])
    sounds = tone_task.prepare(tones.test.decode("audio"))
    assert np.array_equal(small(sounds)["logits"], big(sounds)["logits"])


def test_a_teacher_that_is_not_asked_is_said(
        big: nn.Model, tone_task: tasks.Classify, tones: data.Splits, caplog: pytest.LogCaptureFixture) -> None:
    shrink.apply(shrink.Plan().quantize(), big, tone_task, tones, teacher=big)
    assert "teacher, augment and options were not used" in caplog.text
    caplog.clear()
    shrink.apply(shrink.Plan().quantize(), big, tone_task, tones)
    assert not caplog.text


def test_a_plan_that_changes_nothing_is_refused(big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match="changes nothing"):
        shrink.apply(shrink.plan(), big, tone_task, tones)


def test_layers_that_are_not_there_are_refused(big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match="nowhere"):
        shrink.apply(shrink.Plan().plus("remove_channels", layers={"nowhere": [0]}), big, tone_task, tones)


def test_a_plan_survives_json() -> None:
    plan = shrink.Plan().plus("remove_channels", layers={"a": [1, 2]}).quantize()
    assert shrink.Plan.from_json(plan.to_json()) == plan


def test_keep_is_a_share() -> None:
    with pytest.raises(LinnetError, match="keep"):
        shrink.plan(None, keep=0)


def test_a_share_without_findings_is_refused() -> None:
    with pytest.raises(LinnetError, match="keep needs findings"):
        shrink.plan(keep=0.5)
