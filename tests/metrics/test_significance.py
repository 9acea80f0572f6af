"""Two systems compared: sacreBLEU's own p values, planted answers, and refusals."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from signloom.errors import UsageError
from signloom.metrics.recognition import count_recognition
from signloom.metrics.significance import _coins, compare
from signloom.metrics.translation import count_bleu, count_translation

WORDS = "the a dog cat rain snow falls sleeps north today cold small".split()


def corpus(noise: float, seed: int, size: int = 60) -> tuple[list[str], list[str]]:
    """References of random words, and outputs where a share of the words is another."""
    draw = random.Random(seed)
    references = [" ".join(draw.choices(WORDS, k=draw.randint(5, 12))) for _ in range(size)]
    hypotheses = [
        " ".join(draw.choice(WORDS) if draw.random() < noise else w for w in line.split())
        for line in references
    ]
    return hypotheses, references


def test_p_values_equal_sacrebleus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SACREBLEU_SEED", raising=False)
    a, references = corpus(0.35, 1)
    b = [
        other if i % 3 == 0 else line
        for i, (line, other) in enumerate(zip(a, corpus(0.2, 1)[0], strict=True))
    ]
    first, second = (count_translation(each, references) for each in (a, b))
    ours = {comparison.name: comparison for comparison in compare(first, second)}
    for kind, size in (("bs", 1000), ("ar", 10_000)):
        metrics = {"BLEU": BLEU(force=True), "chrF2": CHRF()}
        theirs = PairedTest([("A", a), ("B", b)], metrics, [references], kind, size)()[1]
        for name, mine in (("BLEU", "BLEU-4"), ("chrF2", "chrF2")):
            result = theirs[name][1]
            found = ours[mine].p_bootstrap if kind == "bs" else ours[mine].p_randomisation
            assert found == pytest.approx(result.p_value, abs=1e-9)
            assert ours[mine].b == pytest.approx(result.score)
            assert 0.001 < found < 0.9, "the case must be one that could come out otherwise"


def test_coins_in_blocks_are_those_of_one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signloom.metrics.significance.BLOCK", 3000)
    whole = np.random.default_rng(12345).integers(2, size=(10_000, 37), dtype=bool)
    assert (np.concatenate(list(_coins(37))) == whole).all()


def test_the_same_outputs_do_not_differ() -> None:
    hypotheses, references = corpus(0.3, 2)
    for found in compare(*[count_translation(hypotheses, references, which="all")] * 2):
        assert (found.difference, found.ci95) == (0, (0, 0))
        assert (found.p_bootstrap, found.p_randomisation) == (1, 1)


def test_a_clear_difference_is_found_in_every_score_and_swapping_turns_its_sign() -> None:
    good, references = corpus(0.05, 3)
    bad, _ = corpus(0.7, 3)
    for count in (
        lambda lines: count_translation(lines, references, which="all"),
        lambda lines: count_recognition(lines, references)[:1],
    ):
        forth, back = compare(count(bad), count(good)), compare(count(good), count(bad))
        for one, other in zip(forth, back, strict=True):
            if one.name == "repetition-2":
                continue
            assert one.p_bootstrap < 0.01, one.name
            assert one.p_randomisation < 0.01, one.name
            assert (one.difference > 0) == (one.better == "high")
            assert other.difference == pytest.approx(-one.difference)
            assert other.ci95 == pytest.approx((-one.ci95[1], -one.ci95[0]))
            assert other.p_randomisation == pytest.approx(one.p_randomisation)
            assert one.ci95[0] <= one.difference <= one.ci95[1]


def test_scores_that_were_counted_otherwise_are_not_compared() -> None:
    pair = (["a b"], ["a b"])
    with pytest.raises(UsageError, match=r"tok:13a.*tok:char.* were not counted alike"):
        compare(count_bleu(*pair), count_bleu(*pair, tokenize="char"))
    with pytest.raises(UsageError, match="over 1 sentences for A and 2 for B"):
        compare(count_bleu(*pair), count_bleu(["a", "b"], ["a", "b"]))
