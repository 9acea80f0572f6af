"""The traps of scoring translations, one test each: what goes wrong elsewhere does not here."""

from __future__ import annotations

import math

import pytest
import sacrebleu

from signloom.metrics.cider import count_cider
from signloom.metrics.score import Score
from signloom.metrics.translation import bleu, chrf, count_bleu, score_translation
from signloom.metrics.traps import suspicions
from tests.metrics.outputs import HYPOTHESES, REFERENCES

PHOENIX = [
    f"morgen {what} im {where} ."
    for what in ("regen", "schnee")
    for where in ("norden", "süden", "westen")
]


def value(scores: list[Score], name: str) -> float:
    return next(score.value for score in scores if score.name == name)


def test_bleu_of_an_order_is_no_precision_of_that_order() -> None:
    ours = bleu(HYPOTHESES, REFERENCES)
    whole = sacrebleu.metrics.BLEU(force=True).corpus_score(HYPOTHESES, [REFERENCES])
    for order in (2, 3, 4):
        precisions = [math.log(p) for p in whole.precisions[:order]]
        assert ours[order - 1].value == pytest.approx(whole.bp * math.exp(sum(precisions) / order))
        assert abs(ours[order - 1].value - whole.precisions[order - 1]) > 1


def test_punctuation_is_scored_as_it_stands_and_told_where_one_side_lacks_it() -> None:
    bare = [line.removesuffix(" .") for line in PHOENIX]
    assert value(score_translation(PHOENIX, PHOENIX), "BLEU-4") == pytest.approx(100)
    assert value(score_translation(bare, PHOENIX), "BLEU-4") < 85
    (said,) = suspicions(bare, PHOENIX)
    assert "most references end in a full stop or the like and hardly any of the hyp" in said
    (said,) = suspicions(PHOENIX, bare)
    assert said.startswith("most hypotheses end in a full stop")
    assert suspicions(PHOENIX, PHOENIX) == suspicions(bare, bare) == []


def test_case_is_scored_as_it_stands_and_told_where_one_side_lacks_it() -> None:
    cased = [line.title() for line in PHOENIX]
    assert value(score_translation(PHOENIX, cased), "BLEU-4") < 5
    both = score_translation(PHOENIX, cased, lowercase=True)
    assert value(both, "BLEU-4") == pytest.approx(100)
    assert "case:lc" in both[0].signature
    (said,) = suspicions(PHOENIX, cased)
    assert "the references have capitals and the hypotheses have not" in said
    assert suspicions(PHOENIX, cased, lowercase=True) == []


def test_hypothesis_and_reference_are_not_exchanged() -> None:
    short, long = ["the cold wind blows"] * 2, ["the cold wind blows in the north today"] * 2
    assert bleu(short, long)[0].value == pytest.approx(100 * math.exp(1 - 8 / 4))
    assert bleu(long, short)[0].value == pytest.approx(50)


def test_a_corpus_is_scored_once_and_not_averaged_over_its_batches() -> None:
    whole = bleu(HYPOTHESES, REFERENCES)[3].value
    halves = [bleu(HYPOTHESES[a:b], REFERENCES[a:b])[3].value for a, b in ((0, 2), (2, 5))]
    assert abs(sum(halves) / 2 - whole) > 1
    backwards = score_translation(HYPOTHESES[::-1], REFERENCES[::-1], which="all")
    for one, other in zip(
        score_translation(HYPOTHESES, REFERENCES, which="all"), backwards, strict=True
    ):
        assert one.value == pytest.approx(other.value), one.name
    # Counts add up, however the corpus is cut.
    parts = [count_bleu(HYPOTHESES[a:b], REFERENCES[a:b])[3] for a, b in ((0, 2), (2, 5))]
    sums = sum(part.statistics.sum(axis=0) for part in parts)
    assert parts[0].values(sums[None])[0] == pytest.approx(whole)


def test_chinese_needs_its_tokeniser_and_spaces_between_signs_change_nothing() -> None:
    references, outputs = ["今天北方下大雨。", "明天很冷。"], ["今天北方下小雨。", "明天很冷。"]
    apart = [" ".join(line) for line in outputs]
    assert value(score_translation(outputs, references), "BLEU-1") < 60
    for tokenize in ("zh", "char"):
        together = score_translation(outputs, references, tokenize=tokenize, which="standard")
        assert value(together, "BLEU-1") > 90
        for name in ("BLEU-4", "rougeL(slt,beta=1.2)", "CIDEr-D"):
            spaced = score_translation(apart, references, tokenize=tokenize, which="standard")
            assert value(spaced, name) == pytest.approx(value(together, name))
            assert f"tok:{tokenize}" in next(s.signature for s in spaced if s.name == name)
    (said,) = suspicions(outputs, references)
    assert "takes what stands between two spaces for a word; pass --tokenize zh" in said
    assert suspicions(outputs, references, tokenize="zh") == []


def test_a_perfect_single_sentence_has_a_cider_of_nothing() -> None:
    line = ["the cold wind blows in the north"]
    assert count_cider(line, line).value() == 0
    others = [*line, "rain falls on the hills today", "a farmer sings in his garden"]
    perfect = count_cider(others, others)
    assert perfect.value() == pytest.approx(10)
    # The same pair in another set has another score, so the set is in the signature.
    more = [*others, "the cold wind blows and rain falls today"]
    wrong = ["the wind blows in the north"]
    first = count_cider(wrong + others[1:], others).statistics[0, 0]
    assert count_cider(wrong + more[1:], more).statistics[0, 0] != pytest.approx(first, rel=1e-3)
    assert "idf:these 3 references" in perfect.signature


def test_a_line_separator_inside_a_sentence_shifts_no_pair() -> None:
    lines = ["a cold\u2028day in may", "rain\x0c falls\x85 today", "snow"]
    plain = ["a cold day in may", "rain falls today", "snow"]
    for name in ("CIDEr-D", "rougeL(rouge-score)", "content-F1", "chrF2"):
        assert value(score_translation(lines, plain, which="all"), name) == pytest.approx(
            value(score_translation(plain, plain, which="all"), name), rel=0.02
        )


def test_no_output_at_all_scores_nothing() -> None:
    empty = score_translation([""] * 3, REFERENCES[:3], which="all")
    for score in empty:
        if not score.name.startswith("bleu_ps"):  # what add-one does to nothing is its own affair
            assert (score.value, score.ci95) == (0, (0, 0)), score.name
        assert math.isfinite(score.value)
        assert score.n == 3
    assert chrf(["", "rain"], ["snow", "rain"]).value < 100
