"""New intents from a few examples on CLINC150: 10 intents left out, learned from 2, 5 or 10 texts each.

    python bench/speech/newintents.py

`others` are the training texts of the 140 intents that are known; judged on validation texts of all 150, over 5 draws
of intents and examples. Found: texts of new intents that get their own one; taken: texts of known intents that get any.
"""

from __future__ import annotations

import numpy as np

from linnet import data
from linnet.language.understanding import learn

RATE = 0.01


def draw(parts: data.Splits, count: int, seed: int) -> tuple[float, float]:
    """The two shares of one draw."""
    rng = np.random.default_rng(seed)
    rows = {name: list(zip(part.values("text"), part.values("intent"), strict=True)) for name, part in
            (("train", parts.train), ("validation", parts.validation))}
    intents = sorted({intent for _, intent in rows["train"]})
    new = {str(name) for name in rng.choice(intents, 10, replace=False)}
    examples = {name: [str(text) for text in rng.choice([t for t, i in rows["train"] if i == name], count,
                                                        replace=False)] for name in sorted(new)}
    others = [text for text, intent in rows["train"] if intent not in new]
    found = learn(examples, [others[place] for place in rng.permutation(len(others))], rate=RATE)
    answers = found.answers([text for text, _ in rows["validation"]])
    pairs = [(answer, intent) for answer, (_, intent) in zip(answers, rows["validation"], strict=True)]
    return (float(np.mean([answer == intent for answer, intent in pairs if intent in new])),
            float(np.mean([answer is not None for answer, intent in pairs if intent not in new])))


def main() -> None:
    parts = data.load("clinc150", oos=False).split(parts="split")
    print(f"| examples an intent | found | taken (stated: {RATE:g}) |\n|---|---|---|")
    for count in (2, 5, 10):
        shares = np.array([draw(parts, count, seed) for seed in range(5)])
        print(f"| {count} | {100 * shares[:, 0].mean():.0f} % | {100 * shares[:, 1].mean():.2f} % |")


if __name__ == "__main__":
    main()
