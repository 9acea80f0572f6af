"""Sentences out of files, and those that a vocabulary covers."""

from __future__ import annotations

import gzip
import json
import zipfile
from itertools import islice
from pathlib import Path

import pytest

from signloom.errors import MediaError, UsageError
from signloom.text.sentences import (
    coverage,
    covered,
    held_out,
    one_word_sentences,
    read_sentences,
    unsigned_words,
)

VOCABULARY = {"weather", "cold", "rain", "ice cream", "like"}


def test_files_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("It is cold .\n\n  Rain!\n")
    (tmp_path / "b.csv").write_text('id,said\n1,"Cold, really"\n')
    with gzip.open(tmp_path / "c.tsv.gz", "wt") as file:
        file.write('name\ttext\n1\t"Quoted ""cold"" here."\n2\tIt"s open.\n')
    with gzip.open(tmp_path / "d.en.gz", "wt") as file:
        file.write("you did n't .\n")
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("x/2.jsonl", json.dumps({"said": "two"}) + "\n")
        archive.writestr("x/1.jsonl", json.dumps({"said": "ONE"}) + "\n")
        archive.writestr("__MACOSX/x/._1.jsonl", b"\xb0\xff")
        archive.writestr("readme.md", "not a sentence")
    (tmp_path / "f.txt").write_text('id|gloss|text\n00_1|"A B|It is.\n00_2|C|\n')
    assert list(read_sentences(tmp_path / "f.txt", "gloss")) == ['"A B', "C"]
    assert list(read_sentences(tmp_path / "f.txt")) == ["It is."]
    assert len(list(read_sentences(tmp_path / "f.txt", "said"))) == 3, "lines of text"
    (tmp_path / "f.txt").rename(tmp_path / "f.csv")
    assert list(read_sentences(tmp_path / "f.csv", "gloss")) == ['"A B', "C"]
    (tmp_path / "g.txt").write_text("gloss|text\nA B|It is.\n", "utf-8-sig")
    assert list(read_sentences(tmp_path / "g.txt", "gloss")) == ["A B"]
    assert list(read_sentences(tmp_path / "a.txt")) == ["It is cold.", "Rain!"]
    assert list(read_sentences(tmp_path / "b.csv", "said")) == ["Cold, really"]
    assert list(read_sentences(tmp_path / "c.tsv.gz")) == ['Quoted "cold" here.', 'It"s open.']
    assert list(read_sentences(tmp_path / "d.en.gz")) == ["you didn't."]
    assert list(read_sentences(tmp_path / "e.zip", "said", lower=True)) == ["one", "two"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("id,said\n1,x\n")
    (tmp_path / "c.tsv.gz").write_bytes(b"not gzip")
    (tmp_path / "d.jsonl").write_text('{"said": "x"}\n')
    (tmp_path / "e.docx").write_text("x")
    with pytest.raises(UsageError, match=r"no column 'sad' \(did you mean 'said'\?\); it has id"):
        list(read_sentences(tmp_path / "b.csv", "sad"))
    with pytest.raises(UsageError, match=r"whose 'text' is no text: .*said"):
        list(read_sentences(tmp_path / "d.jsonl"))
    with pytest.raises(UsageError, match=r"ending '.docx', expected one of .txt, .tsv"):
        list(read_sentences(tmp_path / "e.docx"))
    for name in ("c.tsv.gz", "none.txt"):
        with pytest.raises(MediaError, match=rf"{name} cannot be read"):
            list(read_sentences(tmp_path / name))


@pytest.mark.parametrize(
    ("sentence", "share"),
    [
        ("The weather is cold.", 1.0),  # article and copula do not count
        ("I like ice creams", 3 / 4),  # 'i' is missed, the entry of two words counts twice
        ("Purple rain", 1 / 2),
        ("It is.", 0.0),
        ("", 0.0),
    ],
)
def test_coverage_by_hand(sentence: str, share: float) -> None:
    assert coverage(sentence, VOCABULARY) == pytest.approx(share)


def test_covered_keeps_each_text_once_and_in_order() -> None:
    sentences = [
        "Purple rain",
        "The weather is cold.",
        "the weather is  COLD",
        "Rain",
        "Cold rain!",
    ]
    assert list(covered(sentences, VOCABULARY)) == ["The weather is cold.", "Rain", "Cold rain!"]
    assert list(covered(sentences, VOCABULARY, least=0.5, shortest=2, longest=3)) == [
        "Purple rain",
        "Cold rain!",
    ]
    assert list(covered(["It rains"], VOCABULARY, forms=False)) == []
    assert unsigned_words(sentences, VOCABULARY) == {"purple": 1}
    assert one_word_sentences(["b", "a", "b"]) == ["a", "b"]


def test_held_out_texts_have_no_twin_on_the_other_side() -> None:
    sentences = [f"Sentence number {n}." for n in range(2000)]
    kept, held = held_out(sentences, 0.1, seed=1)
    assert 150 < len(held) < 250
    assert len(kept) + len(held) == 2000
    shouted = [s.upper() for s in sentences]
    assert held_out(shouted, 0.1, seed=1)[1] == [s.upper() for s in held]
    assert held_out(sentences, 0.1, seed=2)[1] != held
    assert held_out(sentences, 0.0) == (sentences, [])


@pytest.mark.shared_data
def test_real_text(shared_data: Path) -> None:
    text = shared_data / "text"
    first = next(read_sentences(text / "how2sign.train.tsv.gz"))
    assert first.startswith("And I call them decorative elements")
    assert next(read_sentences(text / "aslg_pc12" / "dev.en.gz")).endswith("this objective.")
    blimp = list(islice(read_sentences(text / "blimp" / "BLiMP.zip", "sentence_good"), 1001))
    assert len(set(blimp)) > 990


def test_damaged_gzip_and_endless_fields(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(b"one sentence here\n" * 50))
    whole[12:20] = b"\xff" * 8
    (tmp_path / "a.txt.gz").write_bytes(whole)
    (tmp_path / "b.csv").write_text("text\n" + "a" * 200_000 + "\n")
    for name in ("a.txt.gz", "b.csv"):
        with pytest.raises(MediaError, match="cannot be read"):
            list(read_sentences(tmp_path / name))
