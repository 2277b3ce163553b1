"""Any words of a lexicon: prefix beam search with a word model, on validation speakers; and each part left out.

    LINNET_DATA=DATA python bench/speech/words.py --file closed.onnx [--rows 100]

FILE is that of bench/speech/grammar.py: its network, with another decoder. The lexicon is that of speechocean762
(2,604 words, those of every part), the word model a trigram of the training speakers' sentences, none of which the
validation speakers read. Weight and insertion of a word were chosen on 40 validation recordings, some of them these.
Times are CPU seconds of one thread, without the network.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from pathlib import Path

import numpy as np

from linnet import data, runtime
from linnet.language import ngram
from linnet.language.lexicon import read_lexicon
from linnet.speech.decoding import Worth, beam_search, log_posteriors, vocabulary
from linnet.tasks.figures import error_rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100)
    given = parser.parse_args()
    splits = data.load("speechocean762", validation=True, stress=False).split(parts="split")
    rows = splits.validation.take(np.random.default_rng(2).permutation(len(splits.validation))[: given.rows])
    texts = [str(text).casefold().split() for text in rows.values("text")]
    shipped = runtime.load(given.file)
    sounds = shipped.task.read(rows)
    logs = [log_posteriors(shipped(shipped.task.prepare([sound]))["logits"][0]) for sound in sounds]
    lexicon = read_lexicon(splits.train.root / "lexicon.txt")
    labels = {label: place for place, label in enumerate(shipped.task.labels, 1)}
    read = [str(text).casefold() for text in splits.train.values("text")]
    print(f"{date.today()}, two cores, shared; {len(rows)} recordings, {sum(map(len, texts))} words\n")
    print("| decoder | perplexity | word error rate | in the best five | real-time factor |\n|---|---|---|---|---|")
    for name, order, width in (("trigram, beam of 32", 3, 32), ("trigram, beam of 128", 3, 128),
                               ("bigram, beam of 32", 2, 32), ("single words, beam of 32", 1, 32)):
        model = ngram.train(read, order=order, words=lexicon.entries)
        says = vocabulary(lexicon, labels, Worth(model))
        start = time.process_time()
        found = [beam_search(one, says, width=width, count=5) for one in logs]
        spent = time.process_time() - start
        best = [min(several, key=lambda one: error_rate([one.words], [text])).words
                for several, text in zip(found, texts, strict=True)]
        print(f"| {name} | {model.perplexity(' '.join(text) for text in texts):.0f} | "
              f"{error_rate([several[0].words for several in found], texts):.3f} | {error_rate(best, texts):.3f} | "
              f"{spent / sum(sound.seconds for sound in sounds):.4f} |", flush=True)


if __name__ == "__main__":
    main()
