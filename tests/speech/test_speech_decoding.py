"""Decoding: the best path against every alignment written out, times, N-best, confidence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.language import grammar
from linnet.language.lexicon import Lexicon
from linnet.speech.decoding import (
    Calibration,
    Evidence,
    best_paths,
    calibrated,
    compile_graph,
    evidence_of,
    greedy,
    log_posteriors,
)

PHONES = {"x": 1, "y": 2, "z": 3}
LEXICON = Lexicon({"a": (("x",),), "b": (("x", "y"), ("y", "x")), "c": (("y", "y"),), "d": (("z", "x", "y"),)})
GRAMMARS = ("a b", "a [a] [b|d] c", "d (a|c|a b)", "a a a", "(a|b) [c]")


def random_logs(frames: int, seed: int) -> np.ndarray:
    return log_posteriors(3 * np.random.default_rng(seed).normal(size=(frames, 4)))


def every_text(text: str, frames: int) -> dict[str, tuple[int, ...]]:
    """Every sequence of phones that fits into so many frames, by the text that says so."""
    found: dict[str, set[tuple[int, ...]]] = {}
    for said in itertools.islice(grammar.read(text).acceptor.texts(), 300):
        for ways in itertools.product(*(LEXICON[word] for word in said.split())):
            phones = tuple(PHONES[phone] for way in ways for phone in way)
            if len(phones) <= frames:
                found.setdefault(said, set()).add(phones)
    return found


def best_by_hand(texts: dict[str, set[tuple[int, ...]]], logs: np.ndarray) -> dict[str, float]:
    """Each text's best alignment, from all sequences of labels that there are."""
    best: dict[tuple[int, ...], float] = {}
    for labels in itertools.product(range(4), repeat=len(logs)):
        said = tuple(label for label, _ in itertools.groupby(labels) if label)
        score = sum(logs[frame, label] for frame, label in enumerate(labels))
        best[said] = max(best.get(said, -np.inf), float(score))
    scores = {text: max(best.get(phones, -np.inf) for phones in ways) for text, ways in texts.items()}
    return {text: score for text, score in scores.items() if score > -np.inf}


@settings(max_examples=40)
@given(st.sampled_from(GRAMMARS), st.integers(3, 5), st.integers(0, 10_000))
def test_the_best_path_is_the_best_of_all_alignments(text: str, frames: int, seed: int) -> None:
    logs = random_logs(frames, seed)
    wanted = best_by_hand(every_text(text, frames), logs)
    found = best_paths(compile_graph(grammar.read(text).acceptor, LEXICON, PHONES), logs, count=3)
    assert bool(found) == bool(wanted)
    if wanted:
        assert found[0].score == pytest.approx(max(wanted.values()), abs=1e-4)
        assert wanted[found[0].text] == pytest.approx(found[0].score, abs=1e-4)
    for path in found:
        assert path.score <= wanted[path.text] + 1e-4


@settings(max_examples=40)
@given(st.integers(2, 5), st.integers(0, 10_000))
def test_what_repeats_is_decoded_too(frames: int, seed: int) -> None:
    logs = random_logs(frames, seed)
    text = "(a|b|c)+"
    texts = {" ".join(words): {tuple(PHONES[p] for way in ways for p in way)
                               for ways in itertools.product(*(LEXICON[word] for word in words))}
             for size in range(1, frames + 1) for words in itertools.product("abc", repeat=size)}
    wanted = best_by_hand(texts, logs)
    path = best_paths(compile_graph(grammar.read(text).acceptor, LEXICON, PHONES), logs)[0]
    assert path.score == pytest.approx(max(wanted.values()), abs=1e-4)
    assert wanted[path.text] == pytest.approx(path.score, abs=1e-4)
    assert [spoken.first for spoken in path.words] == sorted(spoken.first for spoken in path.words)


def said(labels: str) -> np.ndarray:
    """Certain answers, a letter a frame, _ for the blank."""
    return log_posteriors(12.0 * np.eye(4)[[{"_": 0, **PHONES}[letter] for letter in labels]])


def test_words_have_the_frames_in_which_they_were_said() -> None:
    graph = compile_graph(grammar.read("a b a").acceptor, LEXICON, PHONES)
    (path,) = best_paths(graph, said("__xx__x_yy__x_"))
    assert [(word.word, word.first, word.last, word.phones) for word in path.words] \
        == [("a", 2, 3, 1), ("b", 6, 9, 2), ("a", 12, 12, 1)]
    assert path.phones == 4


def test_one_word_after_itself_is_two_words() -> None:
    graph = compile_graph(grammar.read("a+").acceptor, LEXICON, PHONES)
    assert best_paths(graph, said("xx_x__xx"))[0].text == "a a a"
    assert [word.last for word in best_paths(graph, said("xx_x__xx"))[0].words] == [1, 3, 7]


def test_sentences_come_best_first_and_none_twice() -> None:
    graph = compile_graph(grammar.sentences(["a b", "b a", "d", "c c c c c"]).acceptor, LEXICON, PHONES)
    found = best_paths(graph, random_logs(8, 3), count=10)
    assert len(found) == 3, "c c c c c does not fit into 8 frames"
    assert [path.score for path in found] == sorted((path.score for path in found), reverse=True)
    wanted = best_by_hand(every_text("a b\nb a\nd", 8), random_logs(8, 3))
    assert {path.text: pytest.approx(path.score, abs=1e-4) for path in found} == wanted


def test_letters_are_parted_by_the_label_between_words() -> None:
    graph = compile_graph(grammar.read("no (on|go)").acceptor, None, {"n": 1, "o": 2, "g": 3, " ": 4}, between=" ")
    logs = log_posteriors(9.0 * np.eye(5)[[1, 2, 4, 2, 1]])
    assert best_paths(graph, logs)[0].text == "no on"


def test_a_recording_too_short_for_any_text_has_no_path() -> None:
    graph = compile_graph(grammar.read("d d").acceptor, LEXICON, PHONES)
    assert best_paths(graph, random_logs(5, 0)) == []
    assert best_paths(graph, random_logs(0, 0)) == []
    assert evidence_of([], random_logs(5, 0)) == []


def test_what_cannot_be_said_is_refused() -> None:
    with pytest.raises(LinnetError, match="which the network does not answer with"):
        compile_graph(grammar.read("d").acceptor, LEXICON, {"x": 1, "y": 2})
    with pytest.raises(LinnetError, match="unknown word 'q'"):
        compile_graph(grammar.read("q").acceptor, LEXICON, PHONES)
    with pytest.raises(LinnetError, match="finite"):
        log_posteriors(np.full((2, 4), np.nan))


def test_too_long_a_recording_for_the_grammar_says_what_to_do() -> None:
    graph = compile_graph(grammar.sentences(" ".join(words) for words in itertools.product("abd", repeat=7)).acceptor,
                          LEXICON, PHONES)
    with pytest.raises(LinnetError, match="cut the recording at pauses"):
        best_paths(graph, np.broadcast_to(np.float32(0), (500_000, 4)))


def test_greedy_says_each_label_once() -> None:
    assert greedy(said("_xx_xyyz_")) == [1, 1, 2, 3]
    assert greedy(np.zeros((0, 4))) == []


def test_evidence_is_0_for_what_fits_and_falls_with_what_does_not() -> None:
    graph = compile_graph(grammar.read("a b\nd d").acceptor, LEXICON, PHONES)
    logs = said("x_x_y__")
    right, wrong = evidence_of(best_paths(graph, logs, count=2), logs)
    assert right.ratio == pytest.approx(0, abs=1e-5)
    assert wrong.ratio < -4
    assert right.share > wrong.share
    assert right.heard > 6
    noise = said("_______")
    (nothing,) = evidence_of(best_paths(graph, noise), noise)
    assert nothing.ratio < -8
    assert nothing.heard < 0
    assert Calibration(1.0, 1.0, 100.0).probability(nothing) == 0.0


def test_calibrated_confidences_are_the_rate_of_right_answers() -> None:
    rng = np.random.default_rng(5)
    truth = Calibration(ratio=2.0, share=1.0, offset=3.0)
    pieces = [Evidence(-rng.exponential(1.5), -rng.exponential(0.5)) for _ in range(8_000)]
    sure = np.array([truth.probability(piece) for piece in pieces])
    right = rng.random(len(sure)) < sure
    found = calibrated(pieces[::2], right[::2], np.ones(4_000))
    said_ = np.array([found.probability(piece) for piece in pieces[1::2]])
    for low in (0.1, 0.3, 0.5, 0.7, 0.9):
        chosen = (said_ > low - 0.1) & (said_ <= low + 0.1)
        spread = 4 * np.sqrt(0.25 / chosen.sum())
        assert right[1::2][chosen].mean() == pytest.approx(said_[chosen].mean(), abs=spread)


def test_confidence_needs_right_and_wrong_answers() -> None:
    with pytest.raises(LinnetError, match="all are right"):
        calibrated([Evidence(0, 0)] * 3, [True] * 3, [1] * 3)
    assert not Calibration().is_fitted
    assert Calibration(1, 1, 0).probability(Evidence(-1e9, 0, 1)) == pytest.approx(0, abs=1e-200)
