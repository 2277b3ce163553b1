"""Repairs: what is done is written down, undone, repeated from the origin, and refused where it does not fit."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from linnet import data, introspect
from linnet.errors import LinnetError
from linnet.introspect import Finding, Findings


@pytest.fixture
def notes(tmp_path: Path) -> data.Dataset:
    """Eight texts of two labels, loaded from a file, so that they can be loaded again."""
    path = tmp_path / "notes.csv"
    path.write_text("id,text,mood\n" + "".join(f"n{row},note number {row},{'good' if row % 2 else 'bad'}\n"
                                               for row in range(8)))
    return data.load(path)


def issues(*changes: tuple[str, str, str]) -> Findings:
    return Findings("label_issues", tuple(Finding(name, "It is probably wrong.", {
        "given": given, "suggested": other, "probability": 0.9}) for name, given, other in changes))


def pairs(*found: tuple[str, str]) -> Findings:
    return Findings("near_duplicates", tuple(Finding(f"{one} & {other}", "", {"ids": [one, other]})
                                             for one, other in found))


def test_relabel_changes_the_cell_is_logged_undone_and_repeated(notes: data.Dataset) -> None:
    made = introspect.relabel(notes, issues(("n1", "good", "bad")), column="mood")
    assert made.values("mood")[:3] == ["bad", "bad", "bad"]
    assert notes.values("mood")[1] == "good"
    assert introspect.repairs(made) == [{"relabel": {"n1": ["good", "bad"]}, "column": "mood",
                                         "because": "label_issues"}]
    assert data.restore(json.loads(json.dumps(made.origin))).fingerprint == made.fingerprint != notes.fingerprint
    back = introspect.undo(made)
    assert (back.fingerprint, back.origin) == (notes.fingerprint, notes.origin)


def test_drop_takes_out_and_undo_loads_again(notes: data.Dataset) -> None:
    made = introspect.drop(notes, Findings("out_of_distribution", (Finding("n3", "", {"p_value": 0.01}),)))
    assert made.ids == [name for name in notes.ids if name != "n3"]
    assert introspect.repairs(made) == [{"drop": ["n3"], "because": "out_of_distribution"}]
    assert data.restore(json.loads(json.dumps(made.origin))).ids == made.ids
    assert introspect.undo(made).fingerprint == notes.fingerprint


def test_repairs_follow_each_other_and_are_undone_last_first(notes: data.Dataset) -> None:
    one = introspect.relabel(notes, issues(("n1", "good", "bad")), column="mood")
    two = introspect.deduplicate(one, pairs(("n4", "n2")))
    assert [next(iter(step)) for step in introspect.repairs(two)] == ["relabel", "drop"]
    assert introspect.undo(two).fingerprint == one.fingerprint
    assert introspect.undo(introspect.undo(two)).fingerprint == notes.fingerprint
    with pytest.raises(LinnetError, match="no repair"):
        introspect.undo(notes)


def test_of_linked_pairs_the_first_sample_stays_and_of_a_pair_across_parts_the_other_ones(notes: data.Dataset) -> None:
    made = introspect.deduplicate(notes, pairs(("n2", "n1"), ("n2", "n5"), ("n7", "test/n9"), ("x", "y")))
    assert made.ids == ["n0", "n1", "n3", "n4", "n6"]
    assert introspect.repairs(made)[0]["kept"] == {"n2": "n1", "n5": "n1", "n7": "test/n9"}
    with pytest.raises(LinnetError, match="none of the 1 findings"):
        introspect.deduplicate(notes, pairs(("x", "y")))
    crossing = introspect.Findings("leakage", (introspect.Finding("speaker=a", "In two.", {"of": 2}),))
    assert introspect.deduplicate(notes, crossing) is notes


def test_what_near_duplicates_found_is_deduplicated() -> None:
    pytest.importorskip("linnet.introspect.duplicates")
    from linnet.introspect.duplicates import near_duplicates

    texts = ["turn the light on", "goodbye", "Turn the light on!", "what is the time"]
    import pyarrow as pa

    table = pa.table({"id": list("abcd"), "text": texts})
    made = data.Dataset("words", table, {"text": data.TextColumn()})
    assert introspect.deduplicate(made, near_duplicates(made)).ids == ["a", "b", "d"]


def test_no_finding_no_step(notes: data.Dataset) -> None:
    none = Findings("label_issues", ())
    assert introspect.drop(notes, none) is introspect.relabel(notes, none, column="mood") is notes
    assert introspect.deduplicate(notes, none) is notes


def test_what_does_not_fit_is_refused(notes: data.Dataset) -> None:
    with pytest.raises(LinnetError, match=r"not in 'notes': n99"):
        introspect.drop(notes, issues(("n99", "good", "bad")))
    with pytest.raises(LinnetError, match="did you mean 'good'"):
        introspect.relabel(notes, issues(("n0", "bad", "goood")), column="mood")
    with pytest.raises(LinnetError, match="changed since"):
        introspect.relabel(notes, issues(("n0", "good", "bad")), column="mood")
    with pytest.raises(LinnetError, match="use deduplicate"):
        introspect.drop(notes, pairs(("n1", "n2")))
    with pytest.raises(LinnetError, match="suggest a label"):
        introspect.relabel(notes, Findings("odd", (Finding("n1", "", {}),)), column="mood")
    with pytest.raises(LinnetError, match="did you mean 'mood'"):
        introspect.relabel(notes, issues(("n1", "good", "bad")), column="mod")
    with pytest.raises(LinnetError, match="nothing would be left"):
        introspect.drop(notes, issues(*((name, "", "") for name in notes.ids)))


def test_a_csv_queue_goes_out_and_comes_back(notes: data.Dataset, tmp_path: Path) -> None:
    found = issues(("n1", "good", "bad"), ("n2", "bad", "good"), ("n3", "good", "bad"), ("n4", "bad", "good"))
    path = introspect.write_queue(notes, found, tmp_path / "queue.csv", column="mood", show="text")
    rows = _read(path)
    assert [row["id"] for row in rows] == ["n1", "n2", "n3", "n4"]
    assert (rows[0]["sample"], rows[0]["given"], rows[0]["suggested"]) == ("note number 1", "good", "bad")
    assert introspect.read_queue(notes, path, column="mood") is notes
    rows[0]["answer"], rows[1]["drop"], rows[2]["answer"] = "bad", "yes", "good"
    _write(path, rows)
    made = introspect.read_queue(notes, path, column="mood")
    assert made.ids == [name for name in notes.ids if name != "n2"]
    assert made.values("mood")[1] == "bad"
    assert [next(iter(step)) for step in introspect.repairs(made)] == ["relabel", "drop"]
    assert data.restore(made.origin).fingerprint == made.fingerprint


@pytest.mark.parametrize(("change", "said"), [
    ({"answer": "goood"}, "did you mean 'good'"), ({"id": "n11", "answer": "good"}, "unknown sample 'n11'"),
    ({"drop": "perhaps"}, "expected yes"), ({"given": "bad", "answer": "good"}, "changed since")])
def test_an_impossible_answer_is_refused(notes: data.Dataset, tmp_path: Path, change: dict[str, str],
                                         said: str) -> None:
    path = introspect.write_queue(notes, issues(("n1", "good", "bad")), tmp_path / "queue.csv", column="mood")
    rows = _read(path)
    _write(path, [{**rows[0], **change}])
    with pytest.raises(LinnetError, match=said):
        introspect.read_queue(notes, path, column="mood")


def test_two_answers_that_differ_are_refused(notes: data.Dataset, tmp_path: Path) -> None:
    path = introspect.write_queue(notes, issues(("n1", "good", "bad")), tmp_path / "queue.csv", column="mood")
    row = _read(path)[0]
    _write(path, [{**row, "answer": "bad"}, {**row, "answer": "good"}])
    with pytest.raises(LinnetError, match="two answers that differ"):
        introspect.read_queue(notes, path, column="mood")


def test_label_studio_tasks_go_out_and_their_annotations_come_back(notes: data.Dataset, tmp_path: Path) -> None:
    found = issues(("n1", "good", "bad"), ("n2", "bad", "good"), ("n3", "good", "bad"))
    path = introspect.write_queue(notes, found, tmp_path / "queue.json", column="mood", show="text")
    tasks = json.loads(path.read_text())
    assert tasks[0]["data"]["sample"] == "note number 1"
    assert tasks[0]["predictions"][0]["result"][0]["value"] == {"choices": ["bad"]}
    interface = path.with_suffix(".xml").read_text()
    assert '<Choice value="good"/>' in interface
    tasks[0]["annotations"] = [{"was_cancelled": True, "result": []},
                               {"result": tasks[0]["predictions"][0]["result"]}]
    tasks[1]["annotations"] = [{"result": [{"from_name": "drop", "to_name": "sample", "type": "choices",
                                            "value": {"choices": ["drop"]}}]}]
    path.write_text(json.dumps(tasks))
    made = introspect.read_queue(notes, path, column="mood")
    assert made.values("mood")[1] == "bad"
    assert "n2" not in made.ids
    assert "n3" in made.ids
    tasks[0]["annotations"][1]["result"][0]["value"]["choices"] = ["angry"]
    path.write_text(json.dumps(tasks))
    with pytest.raises(LinnetError, match="unknown label of 'mood' for sample 'n1': 'angry'"):
        introspect.read_queue(notes, path, column="mood")
    path.write_text('[{"id": 1}]')
    with pytest.raises(LinnetError, match="no export"):
        introspect.read_queue(notes, path, column="mood")


def test_images_in_a_table_travel_inside_the_tasks(squares: data.Splits, tmp_path: Path) -> None:
    first = squares.train.ids[0]
    side = squares.train.values("side")[0]
    found = issues((first, side, "left"))
    path = introspect.write_queue(squares.train, found, tmp_path / "q.json", column="side", show="image")
    assert json.loads(path.read_text())[0]["data"]["sample"].startswith("data:image/png;base64,")


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
