"""bleu_ps, bleu_litfic and LiTFiC's IoU: by hand, against their originals, and put right.

Golden figures: Google NMT's compute_bleu with its smoothing on white-space words, and
pycocoevalcap 1.2's Bleu after its PTBTokenizer, each called once in both argument orders.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from signloom.errors import UsageError
from signloom.metrics.compatible import count_bleu_litfic, count_bleu_ps
from signloom.metrics.overlap import count_iou, iou
from signloom.metrics.score import Counts
from signloom.metrics.translation import count_bleu
from tests.metrics.outputs import HYPOTHESES, REFERENCES, how2sign


def values(counted: list[Counts]) -> dict[str, float]:
    return {counts.name: counts.value() for counts in counted}


def test_bleu_ps_adds_one_everywhere_and_its_corrected_form_does_not() -> None:
    # 'a b c d' against 'a b x d y z': matches 3, 1, 0, 0 of 4, 3, 2, 1; 4 words against 6.
    found = values(count_bleu_ps(["a b c d"], ["a b x d y z"]))
    brevity = math.exp(1 - 6 / 4)
    assert found["bleu_ps-1"] == pytest.approx(100 * brevity * 4 / 5)
    smoothed = (4 / 5 * 2 / 4 * 1 / 3 * 1 / 2) ** 0.25
    assert found["bleu_ps-4"] == pytest.approx(100 * brevity * smoothed)
    assert found["bleu_ps-1 (corrected)"] == pytest.approx(100 * brevity * 3 / 4)
    assert found["bleu_ps-4 (corrected)"] == 0
    # Nothing right at all still scores, which is why it is not to be quoted as BLEU.
    assert values(count_bleu_ps(["q"], ["a"]))["bleu_ps-4"] > 50


def test_the_corrected_form_is_sacrebleus_without_a_tokeniser() -> None:
    theirs = count_bleu(HYPOTHESES, REFERENCES, tokenize="none")
    ours = values(count_bleu_ps(HYPOTHESES, REFERENCES))
    for order in (1, 2):  # with matches at every order sacreBLEU does not smooth
        assert ours[f"bleu_ps-{order} (corrected)"] == pytest.approx(theirs[order - 1].value())


def test_bleu_litfic_swaps_and_its_corrected_form_does_not() -> None:
    found = values(count_bleu_litfic(HYPOTHESES, REFERENCES))
    assert found["bleu_litfic"] == pytest.approx(22.580033658949486)
    assert found["bleu_litfic (corrected)"] == pytest.approx(22.812311188116718)
    assert (
        count_bleu_litfic(["a"], ["a"])[0].signature != count_bleu_litfic(["a"], ["a"])[1].signature
    )


def test_outputs_that_are_too_short_gain_from_the_swap() -> None:
    references = ["the cold wind blows from the north today and it will rain"] * 3
    found = values(count_bleu_litfic(["the cold wind blows from the north"] * 3, references))
    assert found["bleu_litfic (corrected)"] == pytest.approx(100 * math.exp(1 - 12 / 7))
    assert found["bleu_litfic"] > found["bleu_litfic (corrected)"]


@pytest.mark.shared_data
def test_golden_figures_on_published_outputs(shared_data: Path) -> None:
    pair = how2sign(shared_data)
    found = values(count_bleu_ps(*pair))
    golden = (34.0932275618802, 23.554056593101553, 17.251083739048813, 13.067178722102303)
    for order, value in enumerate(golden, start=1):
        assert found[f"bleu_ps-{order}"] == pytest.approx(value)
    found = values(count_bleu_litfic(*pair))
    # With Java's tokeniser 15.8958 and 15.9334.
    assert found["bleu_litfic"] == pytest.approx(15.8957658796, rel=2e-4)
    assert found["bleu_litfic (corrected)"] == pytest.approx(15.9333599050, rel=2e-4)


def test_iou_by_hand() -> None:
    # {dog, barks, loudly} and {dog, barks, cat}: 2 of 4.
    assert iou("The dog barks, a cat!", "a dog barks loudly") == pytest.approx(2 / 4)
    assert iou("it isn't", "the dog") == 0
    assert iou("a cat", "it is not") is None


def test_iou_with_lemmas_and_synonyms() -> None:
    synonyms = {"house": {"home", "building"}, "dog": {"hound"}}
    # 'home' falls to 'house' before it; 'hound' stands for the reference's dog.
    assert iou("house home hound", "house dog", synonyms=synonyms) == 1
    assert iou("house home hound", "house dog") == pytest.approx(1 / 4)
    assert iou("dogs bark", "dog barks", lemma=lambda word: word.rstrip("s")) == 1
    assert iou("the dog", "the cat", stop_words=()) == pytest.approx(1 / 3)


def test_references_of_stop_words_alone_are_dropped_and_counted() -> None:
    counts = count_iou(["a dog", "it is", "x"], ["the dog", "that is it", ""])
    assert (counts.score().value, counts.score().n, counts.excluded) == (100, 1, 2)
    assert "stop:signloom-en-v1+clitics|lemma:none|syn:none" in counts.signature
    with pytest.raises(UsageError, match="each of the 1 references holds stop words alone"):
        count_iou(["a dog"], ["it is"])
