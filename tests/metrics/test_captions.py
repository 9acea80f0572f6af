"""ROUGE-L, CIDEr-D and the tokeniser, against pycocoevalcap, rouge-score and hand counts.

Golden figures were made once with pycocoevalcap 1.2 (its PTBTokenizer on Java included) and
rouge-score 0.1.2, called as their documentation says, on the same sentences.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.errors import UsageError
from signloom.metrics.cider import count_cider, sentence_ciders
from signloom.metrics.ptb import ptb_tokens, tokens_by
from signloom.metrics.rouge import count_rouge, latin_words, lcs
from tests.metrics.outputs import HYPOTHESES, REFERENCES, how2sign


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        # As PTBTokenizer of pycocoevalcap gives them.
        ("I cannot go, gonna 'tis wanna.", "i can not go gon na 't is wan na"),
        ("Mr. Smith met Mrs. X in the U.S. today.", "mr. smith met mrs. x in the u.s. today"),
        ("He said \"hello\" and 'bye'.", "he said hello and bye"),
        (
            "It's 3:30 p.m. (yes) 1,000 dollars $5.50 50% a&b AT&T",
            "it 's 3:30 p.m. -lrb- yes -rrb- 1,000 dollars $ 5.50 50 % a & b at&t",
        ),
        (
            "well-known -- or---maybe ... wait.... what?! no!! and/or 1/2",
            "well-known or maybe wait what ?! no !! and/or 1/2",
        ),
        ("He's don't won't can't o'clock d'you", "he 's do n't wo n't ca n't o'clock d'you"),
        ("don’t it’s ‘quoted’ “double” the boys’", "do n't it 's quoted double the boys"),
        ("naïve café über nein — oder …", "naïve café über nein oder"),
        ("Stop.Go hello,world Ph.D. the '90s dogs'", "stop.go hello world ph.d. the '90s dogs"),
        (" a\u2028b \t c ", "a b c"),
        ("", ""),
    ],
)
def test_words_as_the_treebank_cuts_them(sentence: str, words: str) -> None:
    assert ptb_tokens(sentence) == words.split()


def test_rouge_of_slt_equals_pycocoevalcaps() -> None:
    counts = count_rouge(HYPOTHESES, REFERENCES)
    golden = [0.71554252, 0.73346693, 0, 0.43571429, 0.68411215]
    assert counts.statistics[:, 0] / 100 == pytest.approx(golden, abs=1e-8)
    assert counts.score().value == pytest.approx(51.37671782217732)
    assert counts.score().name == "rougeL(slt,beta=1.2)"
    assert "case:mixed|tok:space|beta:1.2|avg:sentence" in counts.signature


def test_rouge_of_rouge_score_equals_its_own() -> None:
    counts = count_rouge(HYPOTHESES, REFERENCES, "rouge-score")
    golden = [0.7272727272727272, 0.75, 0, 0.6, 0.8333333333333333]
    assert counts.statistics[:, 0] / 100 == pytest.approx(golden)
    assert "tok:[a-z0-9]" in counts.signature


def test_rouge_score_breaks_german_and_refuses_chinese() -> None:
    assert latin_words("Nächte fällt") == ["n", "chte", "f", "llt"]
    with pytest.raises(
        UsageError, match=r"leaves no word of 1 of 2 references, the first '今天下雨'.*tokens 'zh'"
    ):
        count_rouge(["rain", "今天"], ["rain", "今天下雨"], "rouge-score")
    assert count_rouge(["今天"], ["今天下雨"]).value() == 0  # one word between spaces each
    assert count_rouge(["今天"], ["今天下雨"], tokens="zh").value() == pytest.approx(
        100 * 2.44 * 0.5 / (0.5 + 1.44)
    )


@given(st.text("abc", max_size=9), st.text("abc", max_size=9))
@settings(max_examples=60)
def test_common_subsequences_equal_the_textbook_table(first: str, second: str) -> None:
    row = [0] * (len(second) + 1)
    for a in first:
        before = row[:]
        for j, b in enumerate(second, start=1):
            row[j] = before[j - 1] + 1 if a == b else max(row[j - 1], before[j])
    assert lcs(list(first), list(second)) == row[-1]


def test_cider_equals_pycocoevalcaps() -> None:
    by_space = count_cider(HYPOTHESES, REFERENCES, "space")
    golden = [3.78447749, 3.27546492, 0, 0.93746866, 3.89772015]
    assert by_space.statistics[:, 0] == pytest.approx(golden, abs=1e-7)
    by_word = count_cider(HYPOTHESES, REFERENCES)
    golden = [3.78447749, 3.38270029, 0, 1.86239529, 4.51991281]
    assert by_word.statistics[:, 0] == pytest.approx(golden, abs=1e-7)
    assert by_word.score().value == pytest.approx(2.7098971750090746)
    assert (by_word.score().unit, by_word.score().n) == ("", 5)
    for part in ("tok:signloom-ptb-v1", "idf:these 5 references", "sigma:6", "scale:x10"):
        assert part in by_word.signature


@given(st.lists(st.text("ab ", min_size=1, max_size=8), min_size=2, max_size=5))
@settings(max_examples=30)
def test_no_output_beats_the_reference_itself(lines: list[str]) -> None:
    words = [line.split() for line in lines]
    best = sentence_ciders(words, words)
    assert all(0 <= score <= 10 + 1e-9 for score in best)
    turned = sentence_ciders(words[::-1], words)
    assert all(got <= most + 1e-9 for got, most in zip(turned, best, strict=True))


@pytest.mark.shared_data
def test_golden_figures_on_published_outputs(shared_data: Path) -> None:
    hypotheses, references = how2sign(shared_data)
    assert count_rouge(hypotheses, references).value() == pytest.approx(32.005434563015)
    assert count_rouge(hypotheses, references, "rouge-score").value() == pytest.approx(
        37.52857160778544
    )
    assert count_cider(hypotheses, references, "space").value() == pytest.approx(1.1324670820114509)
    # With Java's tokeniser 1.37038 and 37.3795: ours cuts 6 of the 4,698 sentences otherwise.
    assert count_cider(hypotheses, references).value() == pytest.approx(1.3703806657, rel=2e-4)
    ours = count_rouge(hypotheses, references, tokens="ptb").value()
    assert ours == pytest.approx(37.3795161344, rel=3e-4)


def test_characters_of_chinese_with_or_without_spaces() -> None:
    for name in ("zh", "char"):
        cut = tokens_by(name)
        assert list(cut("今天 下雨")) == list(cut("今天下雨")) == ["今", "天", "下", "雨"]
