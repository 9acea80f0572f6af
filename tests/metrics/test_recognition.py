"""Word error rate against hand counts, a property of edit distance, and a published figure."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.metrics.recognition import edits, score_recognition


def values(hypotheses: list[str], references: list[str], **options: bool) -> dict[str, float]:
    return {s.name: s.value for s in score_recognition(hypotheses, references, **options)}


def test_each_kind_of_edit_by_hand() -> None:
    assert edits(["A X C", "A C", "A B Q C"], ["A B C"] * 3).tolist() == [
        [1, 0, 0, 3],
        [0, 1, 0, 3],
        [0, 0, 1, 3],
    ]


def test_rates_are_over_the_corpus_not_averaged_over_sentences() -> None:
    # 1 error in 1 word and 0 errors in 9: 10 %, where the mean of rates would be 50 %.
    found = values(["X", "A B C D E F G H I"], ["A", "A B C D E F G H I"])
    assert found["WER"] == pytest.approx(10)
    assert found["WER"] == pytest.approx(
        found["substitutions"] + found["deletions"] + found["insertions"]
    )


def test_an_empty_hypothesis_counts_as_deletions() -> None:
    found = values(["", "A"], ["A B C", "A"])
    assert found["deletions"] == pytest.approx(75)
    assert found["WER"] == pytest.approx(75)


def test_more_insertions_than_words_exceed_one_hundred() -> None:
    assert values(["A B C D"], ["A"])["WER"] == pytest.approx(300)


def test_empty_references_are_excluded_and_counted() -> None:
    scores = score_recognition(["A", "B"], ["A", ""])
    assert {(score.n, score.excluded) for score in scores} == {(1, 1)}


def test_case_counts_unless_lowered() -> None:
    assert values(["rain"], ["RAIN"])["WER"] == 100
    assert values(["rain"], ["RAIN"], lowercase=True)["WER"] == 0
    assert "case:lc" in score_recognition(["a"], ["A"], lowercase=True)[0].signature


def distance(hypothesis: list[str], reference: list[str]) -> int:
    row = list(range(len(reference) + 1))
    for i, got in enumerate(hypothesis, start=1):
        before, row[0] = row[0], i
        for j, expected in enumerate(reference, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (got != expected))
    return row[-1]


glosses = st.lists(st.sampled_from("ABC"), max_size=100)


@given(glosses, glosses.filter(bool))
def test_edits_sum_to_the_edit_distance(hypothesis: list[str], reference: list[str]) -> None:
    found = edits([" ".join(hypothesis)], [" ".join(reference)])[0]
    assert found[:3].sum() == distance(hypothesis, reference)
    assert found[2] - found[1] == len(hypothesis) - len(reference)


@pytest.mark.shared_data
def test_stmc_on_phoenix_dev_scores_as_published(shared_data: Path) -> None:
    folder = shared_data / "text" / "stmc_cslr_output"

    def lines(name: str) -> list[str]:
        return gzip.decompress((folder / name).read_bytes()).decode().removesuffix("\n").split("\n")

    score = score_recognition(lines("stmc.dev.gloss.gz"), lines("phoenix2014T.dev.gloss.gz"))[0]
    assert (score.name, score.n) == ("WER", 519)
    assert score.value == pytest.approx(19.56, abs=0.005)
