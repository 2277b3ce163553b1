"""Recognize: which of the texts that a grammar holds was said, or none of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, Dataset, Splits
from linnet.errors import LinnetError, unknown
from linnet.language import grammar as grammars
from linnet.language.grammar import Grammar
from linnet.language.lexicon import Lexicon, read_lexicon
from linnet.speech import decoding
from linnet.speech.decoding import Calibration, Graph, best_paths, compile_graph, evidence_of, log_posteriors
from linnet.speech.decoding.confidence import Evidence
from linnet.speech.hypothesis import Hypothesis, Recognizer, Word
from linnet.tasks.figures import error_rate
from linnet.tasks.inputs import AudioSequence, Options, parts_of
from linnet.tasks.inputs.source import check_columns
from linnet.tasks.reading import reading
from linnet.tasks.recognizing import chosen_point
from linnet.tasks.task import Arrays, Predictor, Shape
from linnet.tasks.transcribe import Transcribe

log = logging.getLogger("linnet")

NOTHING = ""
"""The answer to what no text of the grammar fits."""
_ALTERNATIVES = 5


@dataclass(frozen=True, init=False)
class Recognize:
    """Which text of a grammar was said; "" for silence, noise, and speech that the grammar does not hold.

    The network answers each frame with a phone (`tokens`, a column of sequences, and a lexicon that says how words are
    said) or a character of the target, trained as for Transcribe. The decoder is no part of it: grammar, lexicon and
    operating point travel in the card, and `speaking` gives the same task another grammar. At the operating point an
    answer is given where its calibrated confidence is at least `threshold`.
    """

    heard: Transcribe
    target: str
    lexicon: Lexicon | None
    grammar: Grammar
    calibration: Calibration
    threshold: float

    kind = "recognize"
    loss = "ctc"

    def __init__(self, data: Splits | Dataset, *, input: str, target: str, grammar: Grammar | str | Sequence[str],
                 tokens: str | None = None, lexicon: Lexicon | str | None = None, groups: Sequence[str] = (),
                 **options: Unpack[Options]) -> None:
        parts = parts_of(data)
        check_columns(parts, input, target, groups)
        if parts[0].column(target).kind != "text":
            raise LinnetError(f"Recognize answers with texts; '{target}' holds {parts[0].column(target).kind}.")
        heard = Transcribe(data, input=input, target=tokens or target, groups=groups, **options)
        if not heard.is_text and lexicon is None:
            raise LinnetError(f"the network answers with '{tokens}', so a lexicon must say how words are said: lexicon "
                              "is a file with a word and its phones a line, or leave tokens out for characters.")
        if heard.is_text and lexicon is not None:
            raise LinnetError("characters need no lexicon; give tokens, a column of phones, for a network of phones.")
        said = _grammar(grammar)
        words = {word for part in parts for text in part.values(target) for word in str(text).split()}
        self._set(heard, target, _lexicon(lexicon, heard, set(said.words), words, parts[0].root), said)
        self.graph  # noqa: B018 words that cannot be said are refused here, not where the first recording comes

    def _set(self, heard: Transcribe, target: str, lexicon: Lexicon | None, grammar: Grammar,
             calibration: Calibration | None = None, threshold: float = 0.0) -> None:
        values = {"heard": heard, "target": target, "lexicon": lexicon, "grammar": grammar,
                  "calibration": calibration or Calibration(), "threshold": _share(threshold)}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def takes(self) -> AudioSequence:
        """Whole recordings."""
        return self.heard.takes

    @property
    def input(self) -> str:
        """The column of recordings."""
        return self.heard.input

    @property
    def inputs(self) -> tuple[str, ...]:
        """The column that goes in."""
        return self.heard.inputs

    @property
    def groups(self) -> tuple[str, ...]:
        """Columns by which results are told apart."""
        return self.heard.groups

    @property
    def labels(self) -> tuple[str, ...]:
        """What the network answers frames with: phones or characters."""
        return self.heard.labels

    @property
    def noun(self) -> str:
        """What samples are called in a sentence."""
        return self.heard.noun

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """Padded sounds and their lengths."""
        return self.heard.arrays

    @property
    def sample_rate_hz(self) -> int:
        """The rate that the network hears."""
        return self.heard.sample_rate_hz

    @property
    def output(self) -> tuple[str, Shape]:
        """For each frame a logit for nothing, then one a label."""
        return self.heard.output

    @property
    def operating(self) -> Mapping[str, float]:
        """The least confidence of an answer, and the weights that make confidence of likelihoods."""
        return {"threshold": self.threshold, **asdict(self.calibration)}

    @cached_property
    def graph(self) -> Graph:
        """The grammar, said as the lexicon says."""
        columns = {label: number for number, label in enumerate(self.labels, 1)}
        return compile_graph(self.grammar.acceptor, self.lexicon, columns, between=None if self.lexicon else " ")

    def can_say(self, text: str) -> bool:
        """Whether how each word is said is known without a guess."""
        return self.lexicon is None or all(word in self.lexicon for word in text.split())

    def read(self, dataset: Dataset) -> Sequence[Any]:
        """Every decoded recording."""
        return self.heard.read(dataset)

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """Sounds padded to the longest, and their lengths."""
        return self.heard.prepare(samples)

    def targets(self, dataset: Dataset) -> NDArray[np.int64]:
        """What the network learns: 1 + each label's index, padded with -1 to the longest row."""
        return self.heard.targets(dataset)

    def expected(self, dataset: Dataset) -> list[str]:
        """Each row's text where the grammar holds it, as the grammar spells it; else "", since it is to be refused."""
        return [self.grammar.acceptor.spelled(str(text)) for text in dataset.values(self.target)]

    def decode(self, outputs: Arrays, samples: Sequence[Any] = ()) -> list[str]:
        """The likeliest text of the grammar, or "" where the confidence is below the threshold."""
        return [row[0].text if row else NOTHING for row in self.hypotheses(outputs, samples)]

    def hypotheses(self, outputs: Arrays, samples: Sequence[Any] = (), *,
                   count: int = _ALTERNATIVES) -> list[list[Hypothesis]]:
        """Up to `count` readings of each recording, the best first; none where the best is below the threshold.

        Times of words are seconds where the recordings are given, else frames.
        """
        frames = outputs["logits"].shape[1]
        seconds = max((sample.seconds for sample in samples), default=float(frames)) / max(frames, 1)
        return [self._accepted(self._readings(row, seconds, count)) for row in outputs["logits"]]

    def _accepted(self, readings: list[Hypothesis]) -> list[Hypothesis]:
        is_sure = bool(readings) and (readings[0].confidence is None or readings[0].confidence >= self.threshold)
        return readings if is_sure else []

    def _readings(self, logits: NDArray[Any], frame_s: float, count: int) -> list[Hypothesis]:
        sure = self.calibration.probability if self.calibration.is_fitted else _unknown
        return [Hypothesis(path.text, sure(evidence), path.score, None,
                           tuple(Word(spoken.word, spoken.first * frame_s, (spoken.last + 1) * frame_s)
                                 for spoken in path.words))
                for path, evidence in self._judged(logits, count)[:count]]

    def _judged(self, logits: NDArray[Any], count: int = _ALTERNATIVES) -> list[tuple[decoding.Path, Evidence]]:
        """The best paths through one recording with what speaks for each; only such as are likelier than silence."""
        logs = log_posteriors(logits)
        paths = best_paths(self.graph, logs, count=max(count, _ALTERNATIVES))
        return [(path, evidence) for path, evidence in zip(paths, evidence_of(paths, logs), strict=True)
                if evidence.heard > 0]

    def recognizer(self, predictor: Predictor) -> Recognizer:
        """Hears single recordings with this task's decoder."""
        def hear(sound: Audio) -> list[Hypothesis]:
            return self.hypotheses(predictor(self.prepare([sound])), [sound])[0]

        return hear

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """1 where the text is right, or "" given to what the grammar does not hold."""
        return np.array([float(a == e) for a, e in zip(answers, expected, strict=True)])

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """Errors a word of what the grammar holds; how much of it was refused; how much else was accepted."""
        inside = [(a, e) for a, e in zip(answers, expected, strict=True) if e]
        outside = [a for a, e in zip(answers, expected, strict=True) if not e]
        found = {"word_error_rate": error_rate([a.split() for a, _ in inside], [e.split() for _, e in inside]),
                 "false_reject_error_rate": float(np.mean([not a for a, _ in inside]))} if inside else {}
        return found | ({"false_accept_error_rate": float(np.mean([bool(a) for a in outside]))} if outside else {})

    def speaking(self, grammar: Grammar | str | Sequence[str]) -> Recognize:
        """The same task and operating point with another grammar. Words that it does not know are guessed, and said."""
        said = _grammar(grammar)
        if self.lexicon is None:
            return self._with(grammar=said)
        more = self.lexicon.of(said.words, guess=_guess)
        return self._with(grammar=said, lexicon=Lexicon({**self.lexicon.entries, **more.entries}))

    def having(self, **slots: Sequence[str]) -> Recognize:
        """The same task with these values in place of slots' own: names that are known at run time only."""
        return self.speaking(self.grammar.having(**slots))

    def at(self, **settings: float) -> Recognize:
        """The same task at other settings: threshold, ratio, share, offset."""
        for name in settings:
            if name not in self.operating:
                raise unknown("setting", name, self.operating)
        values = {**self.operating, **{name: float(value) for name, value in settings.items()}}
        return self._with(threshold=values.pop("threshold"), calibration=Calibration(**values))

    def _with(self, **changes: Any) -> Recognize:
        names = ("heard", "target", "lexicon", "grammar", "calibration", "threshold")
        task = object.__new__(Recognize)
        task._set(**{name: getattr(self, name) for name in names} | changes)
        return task

    def chosen(self, outputs: Sequence[Arrays], dataset: Dataset, *, false_rejects: float = 0.05) -> Recognize:
        """Confidence learnt on `dataset`, and the threshold that refuses so large a share of what the grammar holds.

        Where `dataset` has too little of what the grammar holds, its own texts stand in: they are dealt into at
        most five grammars of as many texts or more, so that each recording is once inside and else outside.
        Confidences take recordings inside and outside for equally many. Raises LinnetError where nothing lies outside.
        """
        rows = [row for batch in outputs for row in batch["logits"]]
        texts = [str(text) for text in dataset.values(self.target)]
        calibration, threshold = chosen_point(self, rows, texts, _share(false_rejects))
        return self._with(calibration=calibration, threshold=threshold)

    def evidence(self, logits: NDArray[Any]) -> list[tuple[str, Evidence]]:
        """The readings of one recording, (frames, labels), with what speaks for each, the best first."""
        return [(path.text, evidence) for path, evidence in self._judged(logits)]

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        return {"kind": self.kind, "heard": self.heard.to_json(), "target": self.target,
                "lexicon": self.lexicon and self.lexicon.to_json(), "grammar": self.grammar.text,
                "operating": dict(self.operating)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recognize:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("recognition"):
            point = {name: float(setting) for name, setting in value["operating"].items()}
            task._set(Transcribe.from_json(value["heard"]), str(value["target"]),
                      value["lexicon"] and Lexicon.from_json(value["lexicon"]),
                      grammars.read(value["grammar"]), threshold=point.pop("threshold"),
                      calibration=Calibration(**point))
        return task


def _unknown(evidence: Evidence) -> None:
    del evidence


def _grammar(given: Grammar | str | Sequence[str]) -> Grammar:
    """A grammar, its text, a file of it, or a list of sentences."""
    if isinstance(given, Grammar):
        return given
    if not isinstance(given, str):
        return grammars.sentences(given)
    if "\n" not in given and given.endswith((".grammar", ".txt")):
        file = Path(given)
        if not file.is_file():
            raise LinnetError(f"there is no grammar {file}; give a file with a template a line, or the text itself.")
        return grammars.read(file.read_text("utf-8"))
    return grammars.read(given)


def _lexicon(given: Lexicon | str | None, heard: Transcribe, said: set[str], words: set[str],
             root: Path | None) -> Lexicon | None:
    """How the grammar's words are said, and those of the data: for a grammar that is given later."""
    if given is None:
        return None
    if not isinstance(given, Lexicon):
        beside = root / given if root is not None else Path(given)
        has_stress = any(label[-1].isdigit() for label in heard.labels)
        given = read_lexicon(beside if beside.is_file() else given, stress=has_stress)
    known = {word for word in words if word in given}
    return Lexicon({**given.of(known).entries, **given.of(said, guess=_guess).entries})


def _guess(words: list[str]) -> dict[str, tuple[str, ...]]:
    from linnet.language.espeak import guessed

    return guessed(words)


def _share(value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise LinnetError(f"a threshold of confidence and a share of recordings lie between 0 and 1; got {value!r}.")
    return float(value)
