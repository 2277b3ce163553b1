from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers

from linnet.data import Tokenizer
from linnet.data.tokenizer import KINDS, Token
from linnet.errors import LinnetError

TEXTS = ["will it rain in berlin tomorrow", "will it be warm in rome", "Book a train to Rome", "how warm is it"] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_learns_encodes_and_comes_back(kind: str) -> None:
    made = Tokenizer.train(TEXTS, size=60, kind=kind)
    ids = made.encode(["will it rain", "", "a"], 12)
    assert ids.shape == (3, 12)
    assert ids.dtype == np.int64
    assert not ids[1].any()
    assert ids.max() < made.size <= 60
    assert made.tokens[:2] == ("[PAD]", "[UNK]")
    assert Tokenizer.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert made.counts(["will it rain", ""]).tolist() == [int((ids[0] != 0).sum()), 0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_texts_and_the_process_do_not_matter(kind: str) -> None:
    made = Tokenizer.train(TEXTS, size=60, kind=kind)
    assert Tokenizer.train(TEXTS[::-1], size=60, kind=kind) == made
    program = (f"import hashlib; from linnet.data import Tokenizer; "
               f"made = Tokenizer.train({TEXTS!r}, size=60, kind={kind!r}); "
               f"print(hashlib.sha256(made.json.encode()).hexdigest())")
    told = {subprocess.run([sys.executable, "-c", program], env={"PYTHONHASHSEED": str(seed), "PATH": ""}, check=True,
                           capture_output=True, text=True).stdout.strip() for seed in (1, 2)}
    assert told == {hashlib.sha256(made.json.encode()).hexdigest()}


@pytest.mark.parametrize("kind", KINDS)
def test_places_are_characters_of_the_text_as_it_is(kind: str) -> None:
    text = "Will  it\train in 😀 İstanbul?"
    places = Tokenizer.train(TEXTS, size=60, kind=kind).places([text])[0]
    words = {}
    for start, end, word in places:
        first, last = words.get(word, (start, end))
        words[word] = (min(first, start), max(last, end))
    found = [text[start:end] for start, end in sorted(set(words.values())) if end > start]
    if kind == "character":
        assert "".join(found) == text.replace(" ", "").replace("\t", "")
    else:
        assert found == ["Will", "it", "rain", "in", "😀", "İstanbul", "?"]


def test_case_is_forgotten_unless_asked_for() -> None:
    forgets, keeps = (Tokenizer.train(TEXTS, size=60, kind="word", lower=lower) for lower in (True, False))
    assert np.array_equal(forgets.encode(["Rome"], 2), forgets.encode(["rome"], 2))
    assert not np.array_equal(keeps.encode(["Rome"], 2), keeps.encode(["rome"], 2))


def test_longer_texts_are_cut_and_unknown_words_are_one() -> None:
    made = Tokenizer.train(TEXTS, size=60, kind="word")
    assert made.encode(["will it xyzzy"], 2).tolist() == made.encode(["will it"], 2).tolist()
    assert made.encode(["xyzzy"], 3).tolist() == [[1, 0, 0]]
    assert made.places(["will it xyzzy"], 2) == [[Token(0, 4, 0), Token(5, 7, 1)]]


def test_a_text_that_spells_padding_is_not_padding() -> None:
    for kind in KINDS:
        made = Tokenizer.train(TEXTS, size=60, kind=kind)
        assert (made.encode(["rain [PAD] rain"], 3) != 0).all()
        assert made.counts(["[PAD]"])[0] >= 3


def _bytes() -> Any:
    """As GPT-2: pieces of bytes, no unknown; padding stands at the end of the vocabulary; cuts and pads by itself."""
    engine = tokenizers.Tokenizer(tokenizers.models.BPE())
    engine.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=300, show_progress=False,
                                             initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())
    engine.train_from_iterator(TEXTS, trainer)
    engine.add_special_tokens(["<|end|>"])
    engine.enable_padding(pad_id=engine.token_to_id("<|end|>"), pad_token="<|end|>")
    engine.enable_truncation(2)
    return engine


def _pieces() -> Any:
    """As BERT: begins each text with [CLS] and ends it with [SEP]; padding is not the first token."""
    engine = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    engine.normalizer = tokenizers.normalizers.BertNormalizer()
    engine.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    engine.train_from_iterator(TEXTS, tokenizers.trainers.WordPieceTrainer(
        vocab_size=80, show_progress=False, special_tokens=["[CLS]", "[SEP]", "[PAD]", "[UNK]"]))
    engine.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 1)])
    return engine


def _likeliest() -> Any:
    engine = tokenizers.Tokenizer(tokenizers.models.Unigram())
    engine.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    engine.train_from_iterator(TEXTS, tokenizers.trainers.UnigramTrainer(
        vocab_size=60, show_progress=False, special_tokens=["<s>", "<pad>", "<unk>"], unk_token="<unk>"))
    return engine


@pytest.mark.parametrize("make", [_bytes, _pieces, _likeliest])
def test_other_peoples_tokenizers_pad_with_0_and_call_unknown_1(make: Any, tmp_path: Path) -> None:
    engine = make()
    engine.save(str(tmp_path / "tokenizer.json"))
    made = Tokenizer.from_file(tmp_path / "tokenizer.json")
    texts = ["will it rain in rome tomorrow", "warm"]
    ids = made.encode(texts, 40)
    engine.no_truncation()
    engine.no_padding()
    for row, text in zip(ids, texts, strict=True):
        own = engine.encode(text, add_special_tokens=False)
        count = len(own.ids)
        assert not row[count:].any()
        assert (row[:count] >= 2).all()
        assert [made.tokens[number] for number in row[:count]] == own.tokens
    assert made.size == len(set(engine.get_vocab().values())) + 2 - len({"[PAD]", "[UNK]", "<pad>", "<unk>", "<|end|>"}
                                                                        & set(engine.get_vocab()))
    if make is not _bytes:
        assert 1 in made.encode(["\u4e2d"], 3)
    assert next(texts[0][place.start] for place in made.places(texts)[0] if place.end > place.start) == "w"


@pytest.mark.parametrize("broken", [
    {}, [], {"model": None}, {"model": {"type": "BPE"}}, {"model": {"type": "Magic", "vocab": {}}},
    {"model": {"type": "BPE", "vocab": {}, "merges": []}},
    {"model": {"type": "WordLevel", "vocab": {"a": 0, "b": 4_000_000_000}, "unk_token": "b"}},
    {"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"},
     "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": False}},
])
def test_what_is_no_tokenizer_is_refused(broken: Any) -> None:
    with pytest.raises(LinnetError, match="token"):
        Tokenizer.from_json(broken)


def test_a_tokenizer_without_a_name_for_the_unknown_says_what_it_cannot_split() -> None:
    made = Tokenizer.from_json({"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "[UNK]"}})
    with pytest.raises(LinnetError, match="cannot split these texts"):
        made.encode(["b"], 1)


@pytest.mark.parametrize("content", ["", "{", "not json", "[1]", '{"model": 3}'])
def test_a_file_that_is_no_tokenizer_is_named(content: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(content)
    with pytest.raises(LinnetError, match="tokenizer"):
        Tokenizer.from_file(file)
    with pytest.raises(LinnetError, match=r"gone\.json cannot be read"):
        Tokenizer.from_file(tmp_path / "gone.json")


@pytest.mark.parametrize(("texts", "keywords", "message"), [
    (TEXTS, {"kind": "words"}, "did you mean 'word'"), (TEXTS, {"size": 2}, "at least 3; got 2"),
    ([], {}, "needs texts"), (["", " "], {}, "needs texts"),
])
def test_what_cannot_be_learnt_is_refused(texts: list[str], keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        Tokenizer.train(texts, **keywords)


def test_only_texts_are_split() -> None:
    with pytest.raises(LinnetError, match="takes texts; got 3"):
        Tokenizer.train(TEXTS).encode(["a", 3], 4)  # type: ignore[list-item]


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(LinnetError, match=r'pip install "linnet\[text\]"'):
        Tokenizer.train(TEXTS)


@pytest.mark.parametrize("size", [2, 3.5, "9", True])
def test_a_size_is_a_whole_number(size):
    with pytest.raises(LinnetError, match="size is a whole number"):
        Tokenizer.train(["a b"], size=size)
