"""Word error rate against hand counts, a property of edit distance, and a published figure."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.metrics.phoenix import clean_phoenix_2014, clean_phoenix_2014t
from signloom.metrics.recognition import (
    Costs,
    aligned_edits,
    count_recognition,
    edits,
    error_counts,
    score_recognition,
)
from tests.metrics.outputs import stmc


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


def test_costs_choose_the_alignment_and_each_edit_still_counts_once() -> None:
    # Five substitutions cost 20; three deletions and three insertions keep A and B and cost 18.
    shifted = (["X Y Z A B"], ["A B C D E"])
    assert edits(*shifted, costs="1/1/1")[0, :3].sum() == 5
    assert edits(*shifted, costs="3/3/4").tolist() == [[0, 3, 3, 5]]
    # Three substitutions and four gaps both cost 12; slt reads the substitutions.
    assert aligned_edits(list("XYZ"), list("ABC"), 3, 3, 4) == (3, 0, 0)
    scores = score_recognition(*shifted, costs="3/3/4")
    assert scores[0].value == pytest.approx(120)
    assert "costs:3/3/4" in scores[0].signature
    assert "jiwer" not in scores[0].signature


@given(glosses, glosses.filter(bool))
@settings(max_examples=30)
def test_sclites_costs_never_find_fewer_edits(hypothesis: list[str], reference: list[str]) -> None:
    found = aligned_edits(hypothesis, reference, 3, 3, 4)
    assert sum(found) >= distance(hypothesis, reference)
    assert found[2] - found[1] == len(hypothesis) - len(reference)
    paid = 4 * found[0] + 3 * (found[1] + found[2])
    assert paid <= 4 * distance(hypothesis, reference)


@pytest.mark.parametrize("costs", ["1/1/1", "3/3/4"])
@pytest.mark.parametrize("size", [86, 256, 300])
def test_long_sequences_do_not_overflow(size: int, costs: Costs) -> None:
    """A table of uint8 holds at most 255: 85 glosses at cost 3, 255 at cost 1."""
    reference = [f"G{i}" for i in range(size)]
    nothing = score_recognition([""], [" ".join(reference)], costs=costs)
    assert (nothing[0].value, nothing[2].value) == (100, 100)
    half = " ".join(reference[: size // 2] + ["Q"] * (size - size // 2))
    assert edits([half], [" ".join(reference)], costs=costs)[0, :3].sum() == size - size // 2


@pytest.mark.parametrize(
    ("glosses", "of_2014", "of_2014t"),
    [
        ("loc-NORD cl-KOMMEN", "NORD KOMMEN", "NORD KOMMEN"),
        ("qu-WAS poss-MEIN lh-HAND", "WAS MEIN HAND", "qu-WAS poss-MEIN lh-HAND"),
        ("REGEN-PLUSPLUS REGEN", "REGEN", "REGEN"),
        ("WOLKERAUM", "WOLKE", "WOLKE"),
        ("__ON__ REGEN __PU__ __OFF__", "__ON__ REGEN __OFF__", "REGEN"),
        ("__EMOTION__ A __LEFTHAND__", "A", "A"),
        ("S0NNE HABEN2", "SONNE HABEN", "S0NNE HABEN2"),
        ("ZEIGEN WIE AUSSEHEN", "ZEIGEN-BILDSCHIRM WIE-AUSSEHEN", "ZEIGEN WIE-AUSSEHEN"),
        ("IX S H IX", "IX S+H IX", "IX S+H IX"),
        ("IX C M A IX", "IX C+M+A IX", "IX C+M+A IX"),
        ("IX SCH A NN E IX", "IX SCH+A+NN+E IX", "IX SCH+A+NN+E IX"),
        ("IX SCH NN IX", "IX SCH NN IX", "IX SCH NN IX"),
        ("REGEN REGEN WIND WIND REGEN", "REGEN WIND REGEN", "REGEN WIND REGEN"),
        ("NICHT-cl-KOMMEN", "NICHT-KOMMEN", "NICHT-KOMMEN"),
        ("  ", "", ""),
    ],
)
def test_clean_up_of_phoenix(glosses: str, of_2014: str, of_2014t: str) -> None:
    assert clean_phoenix_2014(glosses) == of_2014
    assert clean_phoenix_2014t(glosses) == of_2014t


def test_clean_up_goes_over_both_sides_and_is_in_the_signature() -> None:
    outputs, truth = ["loc-NORD REGEN REGEN"], ["NORD REGEN-PLUSPLUS __PU__"]
    assert values(outputs, truth)["WER"] > 0
    for clean in ("phoenix2014", "phoenix2014t"):
        score = score_recognition(outputs, truth, clean=clean)[0]
        assert score.value == 0
        assert f"clean:{clean}" in score.signature


def test_right_to_left_glosses_are_scored_in_logical_order() -> None:
    """Order is that of signing, whichever way the letters run; numbers and signs beside change nothing."""
    truth = "أنا بيت 3 ذهب"
    assert values([truth], [truth])["WER"] == 0
    assert edits(["أنا بيت 3"], [truth]).tolist() == [[0, 1, 0, 4]]
    turned = " ".join(reversed(truth.split()))
    assert edits([turned], [truth])[0, :3].sum() == 4
    assert error_counts(count_recognition([truth, ""], [truth, "بيت"])) == {
        "substitutions": 0, "deletions": 1, "insertions": 0, "glosses": 5,
    }  # fmt: skip


@pytest.mark.shared_data
def test_stmc_on_phoenix_dev_scores_as_published(shared_data: Path) -> None:
    pair = stmc(shared_data)
    score = score_recognition(*pair)[0]
    assert (score.name, score.n) == ("WER", 519)
    assert score.value == pytest.approx(19.56, abs=0.005)
    # slt's own clean-up and counts (with integers wide enough): 357 S, 260 D, 115 I of 3,747.
    cleaned = score_recognition(*pair, costs="3/3/4", clean="phoenix2014t")
    expected = [100 * part / 3747 for part in (357 + 260 + 115, 357, 260, 115)]
    assert [score.value for score in cleaned] == pytest.approx(expected)
