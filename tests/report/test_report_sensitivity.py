import pytest
from report_contents import digits

from linnet.introspect import Finding, Findings
from linnet.report.contents import Contents
from linnet.report.sensitivity import figure, sensitivity


def seen() -> Findings:
    def item(layer: str, noise_db: float) -> Finding:
        damage = {bits: {"noise": 0.01, "sqnr_db": noise_db + more, "answers_changed": 0.125, "loss": 0.1,
                         "score": 0.02} for bits, more in (("2", 0.0), ("8", 30.0))}
        return Finding(layer, f"{layer} suffers.", {"how": "round", "weights": 1200, "damage": damage, "samples": 64})

    return Findings("sensitivity", (item("layers.stem.conv", 4.2), item("head", 11.0)))


def test_the_chart_has_every_layer_and_width() -> None:
    drawn = figure(seen())
    assert all(word in drawn.svg for word in ("layers.stem.conv", "head", "2 bits", "8 bits"))
    assert "most sensitive: layers.stem.conv, 4.2 dB alone in 2 bits" in drawn.alt
    assert "rounded" in drawn.caption


def test_the_section_has_the_figures_in_a_table() -> None:
    page = str(sensitivity(Contents(name="digits", findings={"seen": seen()})))
    assert "Which layers suffer from fewer bits" in page
    for figures in ("4.2", "34.2", "11.0", "12.5%", "+0.020", "1,200", "64 samples"):
        assert figures in page


@pytest.mark.parametrize("contents", [digits(), Contents(name="nothing"),
                                      Contents(name="none", findings={"seen": Findings("sensitivity", ())})])
def test_without_such_findings_there_is_no_section(contents: Contents) -> None:
    assert not sensitivity(contents)
