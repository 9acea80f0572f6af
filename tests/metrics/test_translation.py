"""Translation scores against values worked out by hand, sacreBLEU itself, and a published figure."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.errors import UsageError
from signloom.metrics.repetition import score_repetition
from signloom.metrics.score import Score, paired
from signloom.metrics.translation import (
    bleu,
    bleu_of,
    chrf,
    chrf_of,
    content_f1,
    count_chrf,
    score_translation,
)
from signloom.metrics.words import content_words
from tests.metrics.outputs import how2sign

# Repeated, because sacreBLEU's own interval breaks on a resample without any match.
HYPOTHESES = ["the cat sat on the mat today", "a dog", "", "Rain falls in the north ."] * 5
REFERENCES = ["the cat sat on a mat today", "the dogs bark", "it snows", "rain in the north ."] * 5


def by_name(scores: list[Score]) -> dict[str, Score]:
    return {score.name: score for score in scores}


def test_bleu_is_cumulative_and_equals_the_hand_count() -> None:
    # 'a b c d e' against 'a b c x e': unigrams 4/5, bigrams 2/4, trigrams 1/3; equal lengths.
    scores = by_name(bleu(["a b c d e"], ["a b c x e"]))
    assert scores["BLEU-1"].value == pytest.approx(100 * 4 / 5)
    assert scores["BLEU-2"].value == pytest.approx(100 * math.sqrt(4 / 5 * 2 / 4))
    assert scores["BLEU-3"].value == pytest.approx(100 * (4 / 5 * 2 / 4 * 1 / 3) ** (1 / 3))
    # No 4-gram of two matches: 'exp' smoothing puts half a match in its place.
    assert scores["BLEU-4"].value == pytest.approx(100 * (4 / 5 * 2 / 4 * 1 / 3 * 1 / 4) ** 0.25)


def test_brevity_penalty_by_hand() -> None:
    # 'a b' against 'a b c d': precision 1, length 2 against 4.
    assert bleu(["a b"], ["a b c d"])[0].value == pytest.approx(100 * math.exp(1 - 4 / 2))


def test_scores_and_intervals_equal_sacrebleu() -> None:
    for tokenize, lowercase in (("13a", False), ("none", True), ("intl", False), ("char", False)):
        ours = bleu(HYPOTHESES, REFERENCES, 0, lowercase, tokenize)
        for order, score in enumerate(ours, start=1):
            metric = sacrebleu.metrics.BLEU(
                lowercase=lowercase, tokenize=tokenize, max_ngram_order=order, force=True
            )
            theirs = metric.corpus_score(HYPOTHESES, [REFERENCES], n_bootstrap=1000)
            assert score.value == pytest.approx(theirs.score, abs=1e-9)
            half = (score.ci95[1] - score.ci95[0]) / 2
            assert half == pytest.approx(theirs._ci, abs=1e-3)  # it sums in float32
            assert f"tok:{tokenize}" in score.signature
    metric = sacrebleu.metrics.CHRF()
    theirs = metric.corpus_score(HYPOTHESES, [REFERENCES], n_bootstrap=1000)
    ours_chrf = chrf(HYPOTHESES, REFERENCES)
    assert ours_chrf.value == pytest.approx(theirs.score, abs=1e-9)
    assert (ours_chrf.ci95[1] - ours_chrf.ci95[0]) / 2 == pytest.approx(theirs._ci, abs=1e-3)


def test_chrf_with_words_equals_sacrebleus() -> None:
    theirs = sacrebleu.metrics.CHRF(word_order=2)
    expected = theirs.corpus_score(HYPOTHESES, [REFERENCES]).score
    ours = by_name(score_translation(HYPOTHESES, REFERENCES, which="standard"))
    assert ours["chrF++"].value == pytest.approx(expected, abs=1e-9)
    assert ours["chrF++"].signature == theirs.get_signature().format()
    assert ours["chrF2"] == chrf(HYPOTHESES, REFERENCES)


def test_the_sets_of_scores_contain_each_other_and_agree() -> None:
    core, standard, every = (
        score_translation(HYPOTHESES, REFERENCES, which=which)
        for which in ("core", "standard", "all")
    )
    assert {score.name for score in core} < {score.name for score in standard}
    assert {score.name for score in standard} < {score.name for score in every}
    assert all(score in standard for score in core)
    assert all(score in every for score in standard)
    repetition = score_repetition(HYPOTHESES, 2)
    assert repetition in standard


def test_signature_is_sacrebleus_own() -> None:
    assert bleu(["a"], ["a"], tokenize="13a")[3].signature == (
        f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{sacrebleu.__version__}"
    )


def test_content_f1_by_hand() -> None:
    # Content words: {dog, barks, loud, dog} against {dog, barks, loudly}; then {} against {rain}.
    # Matches dog + barks = 2, got 4, expected 4.
    score = content_f1(
        ["The dog barks at a loud dog.", "it is"], ["The dog barks loudly!", "There is rain."]
    )
    assert score.value == pytest.approx(100 * 2 * 2 / (4 + 4))
    assert "stop:signloom-en-v1" in score.signature
    assert "avg:micro" in score.signature


def test_function_words_alone_earn_no_content_f1() -> None:
    score = content_f1(["the is not of them"], ["the storm is not near them"])
    assert score.value == 0
    assert content_f1(["the of"], ["of the"], stop_words="none").value == 100


def test_content_words_keep_names_numbers_and_scripts() -> None:
    assert content_words("Don’t we see Anna’s 3 well-fed dogs in Köln?") == [
        "see",
        "anna's",
        "3",
        "well-fed",
        "dogs",
        "köln",
    ]
    assert content_words("今天 rain") == ["今", "天", "rain"]


def test_empty_references_are_excluded_and_counted() -> None:
    scores = score_translation(["a cat", "noise", "rain"], ["a cat", "  ", "rain"])
    assert {(score.n, score.excluded) for score in scores} == {(2, 1)}
    assert by_name(scores)["content-F1"].value == 100


def test_an_empty_hypothesis_is_a_miss() -> None:
    scores = by_name(
        score_translation(["", "the cold rain falls"], ["snow", "the cold rain falls"])
    )
    assert scores["BLEU-4"].n == 2
    assert scores["BLEU-4"].value == pytest.approx(100 * math.exp(1 - 5 / 4))


def test_unequal_counts_are_refused() -> None:
    with pytest.raises(UsageError, match="2 hypotheses stand against 1 references"):
        score_translation(["a", "b"], ["a"])


def test_references_without_text_are_refused() -> None:
    with pytest.raises(UsageError, match="none of the 2 references has text"):
        paired(["a", "b"], ["", " "])


def test_json_is_exactly_the_promised_form() -> None:
    score = bleu(["a b c d"], ["a b c d"])[3]
    assert score.to_json() == {
        "name": "BLEU-4",
        "value": 100.0,
        "signature": score.signature,
        "n": 1,
        "excluded": 0,
        "ci95": [100.0, 100.0],
    }
    assert Score.from_json(score.to_json()).to_json() == score.to_json()


lines = st.text("ab .", max_size=12)


@given(st.lists(st.tuples(lines, lines.map(lambda line: line + "c")), min_size=1, max_size=5))
@settings(max_examples=60)
def test_formulas_equal_sacrebleus_on_any_corpus(pairs: list[tuple[str, str]]) -> None:
    """Also where nothing matches, an order has no n-gram, or a hypothesis is empty."""
    hypotheses, references = [h for h, _ in pairs], [r for _, r in pairs]
    for order in range(1, 5):
        metric = sacrebleu.metrics.BLEU(max_ngram_order=order, force=True)
        theirs = metric.corpus_score(hypotheses, [references]).score
        whole = sacrebleu.metrics.BLEU(force=True)
        sums = np.sum(whole._extract_corpus_statistics(hypotheses, [references]), axis=0)
        assert bleu_of(sums[None].astype(float), order)[0] == pytest.approx(theirs, abs=1e-9)
    metric = sacrebleu.metrics.CHRF()
    sums = np.sum(metric._extract_corpus_statistics(hypotheses, [references]), axis=0)
    theirs = metric.corpus_score(hypotheses, [references]).score
    assert chrf_of(sums[None].astype(float))[0] == pytest.approx(theirs, abs=1e-9)


sentences = st.lists(st.text("ab cd.'é\u2028", max_size=20), min_size=1, max_size=6)


@given(sentences)
@settings(max_examples=20)
def test_whatever_scores_against_itself_is_perfect_and_intervals_hold_their_bounds(
    lines: list[str],
) -> None:
    lines = [line + " word" for line in lines]
    for score in (chrf(lines, lines), content_f1(lines, lines)):
        assert score.value == pytest.approx(100)
        assert score.ci95 == pytest.approx((100, 100))


@pytest.mark.shared_data
def test_how2sign_outputs_score_as_published(shared_data: Path) -> None:
    hypotheses, references = how2sign(shared_data)
    score = bleu(hypotheses, references)[3]
    assert (score.n, score.excluded) == (2349, 0)
    assert score.value == pytest.approx(14.50, abs=0.005)
    assert score.ci95[0] < score.value < score.ci95[1]
    found = {c.name: c.value() for c in count_chrf(hypotheses, references, plus=True)}
    assert found["chrF2"] == pytest.approx(34.610222, abs=1e-6)
    assert found["chrF++"] == pytest.approx(33.218823, abs=1e-6)
