"""What a dataset says of its origin is enough to make it again."""

import json
import shutil

import pytest

from linnet import data
from linnet.errors import LinnetError


@pytest.fixture
def clips(tone_manifest):
    return data.load(tone_manifest, columns={"pitch": "label", "voice": "group"})


@pytest.mark.parametrize("steps", [
    lambda clips: clips, lambda clips: clips.split(by="voice", seed=3).test,
    lambda clips: clips.split(validation=10, test=0.3).validation.where(pitch=["low", "high"]),
    lambda clips: clips.split(by="voice", test=["dan"]).test.take([4, 2]),
    lambda clips: clips.distinct().where(voice="ann"), lambda clips: clips.distinct("audio"),
    lambda clips: clips.split(stratify="pitch", seed=2).test.take(range(3, 9))])
def test_restored_data_is_the_same(clips, steps):
    made = steps(clips)
    again = data.restore(json.loads(json.dumps(dict(made.origin))))
    assert (again.fingerprint, again.part, again.ids) == (made.fingerprint, made.part, made.ids)


def test_the_data_may_have_moved(clips, tone_manifest, tmp_path):
    shutil.copytree(tone_manifest.parent, tmp_path / "moved")
    made = clips.split(by="voice").test
    again = data.restore(made.origin, tmp_path / "moved" / "tones.csv")
    assert again.fingerprint == made.fingerprint


@pytest.mark.parametrize("step", [lambda clips: clips.where(lambda row: row["voice"] == "ann"),
                                  lambda clips: clips.map("voice", str.upper, name="VOICE")])
def test_what_was_not_written_down_is_said(clips, step):
    with pytest.raises(LinnetError, match=r"cannot be made again.*(where\(predicate\)|map\(voice\)).*pass it"):
        data.restore(step(clips).origin)


@pytest.mark.parametrize("origin", [{}, {"source": "x"}, {"source": "x", "options": {}, "steps": 3},
                                    {"source": "handwritten", "options": {}, "steps": [{"shuffle": 3}]}])
def test_an_origin_that_nobody_wrote_is_refused(origin):
    with pytest.raises(LinnetError, match="cannot be"):
        data.restore(origin)


def test_samples_that_are_gone_are_named(clips, tmp_path, tone_manifest):
    made = clips.take([0, 1])
    poor = tmp_path / "poor.csv"
    lines = tone_manifest.read_text().splitlines()
    poor.write_text("\n".join([lines[0], *lines[2:30]]))
    for file in tone_manifest.parent.glob("*.wav"):
        (tmp_path / file.name).symlink_to(file)
    with pytest.raises(LinnetError, match="1 samples are not in 'poor': ann_low_0"):
        data.restore(made.origin, poor)


def test_fsdd_is_restored_from_a_folder_with_its_layout(real_data, monkeypatch):
    made = data.load("fsdd").where(speaker="theo", digit=["1", "2"])
    monkeypatch.delenv("LINNET_DATA")
    assert data.restore(made.origin, real_data / "fsdd").fingerprint == made.fingerprint
