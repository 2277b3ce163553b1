from linnet.introspect import Finding, Findings
from linnet.report import Contents
from linnet.report.found import found


def test_findings_of_any_kind_are_told_in_sentences() -> None:
    items = tuple(Finding(f"slice {number}", f"Slice {number} <is> worse.", {"rows": number}) for number in range(25))
    html = found(Contents("run", findings={"weak": Findings("slices", items, {"rows": 2500, "level": 0.95})}))
    assert "weak: slices" in html
    assert "Slice 0 &lt;is&gt; worse." in html
    assert "Slice 20" not in html
    assert "and 5 more" in html
    assert "rows: 2,500; level: 0.95" in html


def test_a_look_that_found_nothing_says_so() -> None:
    html = found(Contents("run", findings={"leaks": Findings("leakage", (), {"pairs": 0})}))
    assert "found nothing" in html


def test_kinds_with_a_section_of_their_own_are_left_to_it() -> None:
    assert found(Contents("run", findings={"r": Findings("redundancy", (Finding("a", "b", {}),))})) == ""
