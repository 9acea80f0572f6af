"""Streams of sentences: stored, drawn to lengths, held out, chained; and what a lexicon covers."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.errors import MediaError, UsageError
from signloom.text.coverage import coverage_report
from signloom.text.sentences import read_sentences
from signloom.text.stream import (
    Chained,
    Every,
    LengthMatched,
    Repeated,
    StoredTexts,
    is_texts,
    lengths_of,
    some_of,
    write_texts,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1, max_size=20))  # fmt: skip
def test_what_is_stored_is_read(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("texts") / "x"
    assert write_texts(iter(texts), folder) == len(texts)
    found = StoredTexts(folder)
    assert list(found) == texts
    assert list(pickle.loads(pickle.dumps(found))) == texts
    assert sum(found.lengths.values()) == len(texts)
    assert found[-1] == texts[-1]


def test_a_line_separator_is_no_line_break(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("one\u2028two three\nfour\u0085five\u2029six\n".encode())
    sentences = list(read_sentences(file))
    assert sentences == ["one two three", "four five six"]
    (tmp_path / "b.tsv").write_bytes("id\ttext\n1\tcold\u2028rain\n2\tsun\n".encode())
    assert list(read_sentences(tmp_path / "b.tsv")) == ["cold rain", "sun"]
    (tmp_path / "c.jsonl").write_bytes('{"text": "cold\u2028rain"}\n{"text": "sun"}\n'.encode())
    assert list(read_sentences(tmp_path / "c.jsonl")) == ["cold rain", "sun"]
    write_texts(["raw\u2028kept", "with\nbreak"], tmp_path / "t")
    assert list(StoredTexts(tmp_path / "t")) == ["raw\u2028kept", "with break"]


def test_text_that_is_not_utf8_says_so(tmp_path: Path) -> None:
    for name in ("a.txt", "b.tsv"):
        (tmp_path / name).write_bytes(b"text\nsch\xf6n\n")
        with pytest.raises(
            MediaError,
            match=rf"{name} cannot be read: it is not UTF-8 \(byte 0xf6 is no part of it\)",
        ):
            list(read_sentences(tmp_path / name))


def test_damaged_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"there is no sentence to write to .*t; lower the coverage"
    ):
        write_texts([], tmp_path / "t")
    assert not is_texts(tmp_path / "t")
    write_texts(["a b", "c"], tmp_path / "t")
    assert is_texts(tmp_path / "t")
    with pytest.raises(UsageError, match="exists already"):
        write_texts(["d"], tmp_path / "t")
    with (tmp_path / "t" / "texts.txt").open("ab") as file:
        file.write(b"more\n")
    with pytest.raises(
        MediaError, match=r"damaged or of another version: 2 sentences are announced, 2 have"
    ):
        StoredTexts(tmp_path / "t")
    with pytest.raises(MediaError, match=r"is no folder of texts .*signloom vocabulary … --write"):
        StoredTexts(tmp_path / "nowhere")


class Numbers(Sequence[str]):
    """Sentence i has 1 + i mod 9 words; 22 million that are never listed."""

    def __len__(self) -> int:
        return 22_000_000

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, int):
            raise AssertionError("a stream was listed")
        return " ".join([f"n{index}", *["w"] * (index % 9)])

    def __iter__(self) -> Any:
        raise AssertionError("a stream was listed")


def test_lengths_are_matched_and_depend_on_seed_and_index_alone() -> None:
    target = lengths_of(["a b c"] * 6 + ["a b c d e f"] * 3 + ["a"] + ["?"])
    assert target == {1: 1, 3: 6, 6: 3}
    found = LengthMatched(Numbers(), target, count=4_000, seed=2)
    drawn = [found[i] for i in range(4_000)]
    shares = Counter(len(text.split()) for text in drawn)
    assert {n: round(c / 4_000, 1) for n, c in shares.items()} == {1: 0.1, 3: 0.6, 6: 0.3}
    assert [found[i] for i in (77, 5)] == [drawn[77], drawn[5]]
    again = pickle.loads(pickle.dumps(LengthMatched(["a b", "c"], {1: 1}, count=9, seed=2)))
    assert list(again) == ["c"] * 9
    assert drawn != [LengthMatched(Numbers(), target, 4_000, seed=3)[i] for i in range(4_000)]
    # A length that the source has not: the nearest.
    assert set(LengthMatched(["a", "a b c", "a b c d e f"], {5: 1}, count=50)) == {"a b c d e f"}
    with pytest.raises(UsageError, match="target corpus has no sentence whose length"):
        LengthMatched(["a"], {})
    with pytest.raises(UsageError, match="no sentence to draw lengths from"):
        LengthMatched([], {1: 1})


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.floats(0.01, 0.5))
def test_a_stream_is_cut_in_two(count: int, share: float) -> None:
    source = [str(i) for i in range(count)]
    kept, held = Every(source, share, held=False), Every(source, share, held=True)
    assert sorted([*kept, *held], key=int) == source
    assert set(kept).isdisjoint(held)
    assert abs(len(held) - count * share) <= 1 + count * share / 3


def test_streams_chain_without_listing() -> None:
    chained = Chained(Repeated(["x", "y"], 3), [], Numbers())
    assert len(chained) == 22_000_006
    assert chained[:7] == ["x", "y", "x", "y", "x", "y", "n0"]
    assert chained[22_000_005].startswith("n21999999")
    assert len(some_of(chained, 10)) == 10
    assert some_of(["a"], 10) == ["a"]
    with pytest.raises(UsageError, match=r"a share of 0.7 of a stream cannot be held out"):
        Every(["a"], 0.7, held=True)


def test_the_coverage_of_a_corpus_by_hand() -> None:
    sentences = [
        "The dog walked to the market.",  # all covered, one by inflection
        "A dog eats ice creams",  # eats is missed, ice cream counts twice
        "Purple zebras!",  # nothing
        "purple, is it?",
        "",
    ]
    report = coverage_report(sentences, {"dog", "walk", "market", "ice cream"}, letters="eats")
    assert (report.sentences, report.fully, report.nothing) == (4, 1, 2)
    assert (report.tokens, report.tokens_covered) == (10, 6)
    assert (report.types, report.types_covered) == (8, 5)
    assert report.unsigned == 6
    assert report.words == 16
    assert report.missed == (("purple", 2), ("eats", 1), ("zebras", 1))
    assert report.inflections == (("ice creams", "ice cream", 1), ("walked", "walk", 1))
    assert (report.inflected, report.spellable, report.reaching) == (2, 1, 1)
    assert (report.entries, report.entries_used) == (4, 4)
    assert coverage_report(sentences, {"dog", "walk"}, forms=False).tokens_covered == 2
    assert coverage_report(sentences, {"dog", "walk", "ice cream"}, threshold=0.5, most=1).missed == (("purple", 2),)  # fmt: skip
    assert report.to_json()["tokens"]["share"] == 0.6
    with pytest.raises(UsageError, match="the vocabulary is empty: no word of a corpus"):
        coverage_report(sentences, {})
    with pytest.raises(UsageError, match="the corpus has no sentence with a word in it"):
        coverage_report(["...", ""], {"dog"})
