from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from experiment_values import LOOKS, PLAN, analysis, assignment, outcome, track

from linnet import report
from linnet.errors import LinnetError
from linnet.report import experiment_charts
from linnet.report.charts import Figure
from linnet.report.experiment_page import experiment_html
from linnet.watch.experiments import Analysis

SVG = "{http://www.w3.org/2000/svg}"


def texts(figure: Figure | None) -> set[str]:
    assert figure is not None
    return {element.text or "" for element in ElementTree.fromstring(figure.svg).iter(f"{SVG}text")}


def strokes(figure: Figure | None) -> str:
    assert figure is not None
    return figure.svg


def test_the_page_says_the_result_first_and_how_to_check_it() -> None:
    page = experiment_html(analysis(), command="linnet ab analyse e.parquet --plan p.yaml", plan=PLAN)
    (headline,) = re.findall("<h1>(.*?)</h1>", page)
    assert headline.startswith("On 20,000 users, new is better than old: understood +1.20 points")
    order = [page.index(f">{heading}<") for heading in (
        "The split", "How sure this is", "What was assumed", "What this does not say", "What is odd, or left out",
        "How to run it again", "Each metric over time", "At the last look", "Did the arms fill as planned?",
        "The plan")]
    assert order == sorted(order)
    assert "41 rows had no arm and were left out." in page
    assert "margin_lift: 0.05" in page
    assert page.count("<svg") == 4


def test_without_a_command_a_plan_or_notes_their_sections_are_absent() -> None:
    page = experiment_html(analysis(notes=()))
    assert "How to run it again" not in page
    assert "The plan" not in page
    assert "What is odd" not in page


def test_badges_say_the_verdict() -> None:
    page = experiment_html(analysis())
    assert re.findall(r'badge (\w+)">([^<]+)<', page) == [
        ("holds", "As planned"), ("holds", "Better"), ("undecided", "Not decided"), ("holds", "Not harmed")]
    assert 'class="open' not in page


def test_a_broken_split_stands_above_everything() -> None:
    page = experiment_html(analysis(alarm=True, verdict="undecided"))
    assert page.index("Trust no difference below") < page.index("verdicts\">")
    badges = re.findall(r'badge (\w+)">([^<]+)<', page)
    assert badges == [("fails", "Broken"), *[("undecided", "Not trusted")] * 3]
    assert page.count("The split is broken: this may be what is missing.") == 3
    assert "Decided after" not in page


def test_names_are_escaped_and_nothing_is_loaded(tmp_path: Path) -> None:
    found = analysis()
    named = found.experiment.model_copy(update={"name": "<script>"})
    hostile = replace(found, experiment=named, notes=("<img src=x>",))
    written = report.write_experiment(hostile, tmp_path / "deep" / "page.html", plan="<script>")
    page = written.read_text()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;: experiment" in page
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)|url\((?!#)|@import""", page)
    assert list(written.parent.iterdir()) == [written]


def test_a_sequence_shows_its_band_zero_what_was_asked_and_the_decision() -> None:
    found = analysis()
    understood, ordered, wait = found.outcomes
    figure = experiment_charts.sequence(found, understood)
    assert {"better", "points"} <= texts(figure)
    assert figure is not None
    assert figure.caption == ("understood: +1.20 points (+0.79 to +1.61) at the last look, 30 March 2026, 00:00; "
                              "decided after 12,400 users who came by 19 March 2026, 12:44.")
    assert "not decided yet" in str(experiment_charts.sequence(found, ordered))
    assert {"margin", "not harmed", "% of old"} <= texts(experiment_charts.sequence(found, wait))
    asked = replace(understood, bounds=(0.0, 0.005))
    assert "worth having" in texts(experiment_charts.sequence(replace(found, outcomes=(asked,)), asked))


def test_dates_are_those_of_the_table_wherever_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    found = analysis()
    assert "8 Mar" in texts(experiment_charts.sequence(found, found.outcomes[0]))
    hours = replace(found, times=1_772_409_600.0 + np.linspace(3600, 10 * 3600, LOOKS))
    assert any(text.endswith(":00") for text in texts(experiment_charts.sequence(hours, found.outcomes[0])))


def test_without_times_the_axis_counts_units() -> None:
    found = analysis(times=None, time_kind=None)
    assert "users so far" in texts(experiment_charts.sequence(found, found.outcomes[0]))
    numbered = analysis(times=np.linspace(0, 27, LOOKS), time_kind="number")
    assert "time" in texts(experiment_charts.sequence(numbered, found.outcomes[0]))


def test_the_picture_is_scaled_to_what_can_be_told_apart() -> None:
    found = analysis()
    wild = found.outcomes[0]
    low = wild.absolute.low.copy()
    low[2:5] = -0.9
    wild = replace(wild, absolute=replace(wild.absolute, low=low))
    told = texts(experiment_charts.sequence(replace(found, outcomes=(wild,)), wild))
    numbers = [abs(float(text.replace("−", "-"))) for text in told if re.fullmatch(r"[−\d.]+", text)]
    assert max(numbers) < 10


def one_look(found: Analysis) -> Analysis:
    last = [replace(one, units=one.units[-1:], control=one.control[-1:], treatment=one.treatment[-1:],
                    first_decided=None, decision="undecided", absolute=track_of(one.absolute),
                    relative=track_of(one.relative))
            for one in found.outcomes]
    split = replace(found.assignment, counts=found.assignment.counts[-1:], log_e=found.assignment.log_e[-1:])
    return replace(found, looks=found.looks[-1:], times=None, time_kind=None, outcomes=tuple(last), assignment=split)


def track_of(whole: object) -> object:
    return type(whole)(*(getattr(whole, name)[-1:] for name in ("estimate", "low", "high")))


def test_one_look_is_a_point_with_its_interval() -> None:
    found = one_look(analysis())
    assert "<svg" in strokes(experiment_charts.sequence(found, found.outcomes[0]))
    assert experiment_charts.split(found) is None
    assert "one look" in experiment_html(found)


def test_where_nothing_is_excluded_there_is_no_picture(tmp_path: Path) -> None:
    nothing = outcome("ordered", at=(0.06, 0.07), width=(1.0, 1.0))
    nothing = replace(nothing, absolute=track(0.01, width=np.inf), relative=track(0.01, width=np.inf))
    found = analysis(outcomes=(nothing,), verdicts={"new": "undecided"})
    assert experiment_charts.sequence(found, nothing) is None
    assert "No look excludes anything yet." in experiment_html(found)
    with pytest.raises(LinnetError, match="nothing to draw"):
        report.write_experiment_picture(found, tmp_path / "a.svg")


def test_the_split_and_its_alarm() -> None:
    quiet, loud = (experiment_charts.split(analysis(assignment=assignment(alarm=alarm))) for alarm in (False, True))
    assert quiet is not None
    assert loud is not None
    assert "alarm" in texts(quiet)
    assert "the alarm did not ring" in quiet.alt
    assert "the alarm rang" in loud.alt
    endless = replace(assignment(alarm=True), log_e=np.linspace(0, 1e5, LOOKS))
    assert "the alarm rang" in str(experiment_charts.split(analysis(assignment=endless)))


def test_the_picture_can_be_written(tmp_path: Path) -> None:
    assert report.write_experiment_picture(analysis(), tmp_path / "a.svg").read_text().startswith("<svg")
    assert report.write_experiment_picture(analysis(), tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(LinnetError, match=r"\.svg or \.png; got the name a\.pdf"):
        report.write_experiment_picture(analysis(), tmp_path / "a.pdf")
