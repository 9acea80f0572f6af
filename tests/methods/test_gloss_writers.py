"""What both methods that write glosses do with bad input: clips of no, one and too many frames, and glosses
and vocabularies that are not theirs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from signloom.data.sample import GlossSpan
from signloom.errors import MediaError, UsageError
from signloom.methods import autosign, ctc
from signloom.methods.gloss_codec import gloss_tokenizer
from signloom.methods.load import load
from signloom.metrics.recognition import score_recognition
from signloom.training.checkpoint import TOKENIZER, save_checkpoint
from tests.methods.test_autosign import TEXTS, samples
from tests.methods.test_posestitch import smooth_clip

METHODS = pytest.mark.parametrize("method", [autosign, ctc], ids=["autosign", "ctc"])


def fresh(method: ModuleType, **changed: object):
    return method.begin(dataclasses.replace(method.PRESETS["tiny"], **changed), TEXTS, 2)


def loss(model, sample):
    return model.loss(model.collate([model.example(sample, np.random.default_rng(0), False)]))


@METHODS
def test_a_clip_without_frames_says_nothing_and_teaches_nothing(method: ModuleType) -> None:
    model, clip = fresh(method), smooth_clip(0)
    empty = clip.frames(slice(0, 0))
    first, second, third = (found.text for found in model.translate([empty, clip, empty]))
    assert (first, third) == ("", "")
    assert second == model.translate([clip])[0].text != ""
    assert score_recognition([first], ["A B"])[2].value == 100  # deletions
    with pytest.raises(UsageError, match="sample '0' has no frames, so nothing can be learnt"):
        loss(model, dataclasses.replace(samples()[0], clip=empty))


@METHODS
def test_one_frame_is_read_like_any_clip(method: ModuleType) -> None:
    model, clip = fresh(method), smooth_clip(0)
    one = clip.frames(slice(0, 1))
    alone, beside = model.translate([one])[0], model.translate([clip, one])[1]
    assert alone.text == beside.text
    assert alone.score == pytest.approx(beside.score, abs=1e-4)
    sample = dataclasses.replace(samples()[0], clip=one)
    found = loss(model, sample)
    assert torch.isfinite(found.total)
    found.total.backward()
    if method is ctc:  # one frame has room for one gloss: two have no alignment
        assert len(alone.text.split()) <= 1
        assert found.total == 0
        assert loss(model, dataclasses.replace(sample, glosses=sample.glosses[:1])).total > 0


@METHODS
def test_what_lies_behind_max_frames_is_not_read(method: ModuleType) -> None:
    model, clip = fresh(method, max_frames=40), smooth_clip(0, 100)
    assert model.seconds_read(clip) == pytest.approx(40 / 25)
    assert model.translate([clip]) == model.translate([clip.frames(slice(0, 40))])
    for rate, read in ((24.6, 40 / 24.6), (50.0, 40 / 25)):  # a rate that is near is left as it is
        as_shot = dataclasses.replace(clip, fps=rate)
        assert fresh(method, max_frames=40, fps=25.0).seconds_read(as_shot) == pytest.approx(read)
    if method is autosign:  # the longest clip and text fill every position there is
        whole = fresh(method, max_frames=40, max_tokens=20, positions=31)
        said = whole.translate([clip], beam=2)[0].text
        assert len(said.split()) <= 20
        with pytest.raises(UsageError, match="more than the 30 positions"):
            fresh(method, max_frames=40, max_tokens=20, positions=30)


@METHODS
def test_a_gloss_that_training_has_not_is_unknown_and_always_an_error(method: ModuleType) -> None:
    model = fresh(method)
    sample = dataclasses.replace(samples()[0], glosses=(GlossSpan("COLD"), GlossSpan("NOWHERE")))
    tokens = model.example(sample, np.random.default_rng(0), False).tokens[1:-1].tolist()
    assert [model.tokenizer.id_to_token(token) for token in tokens] == ["COLD", "<unk>"]
    assert torch.isfinite(loss(model, sample).total)
    assert "NOWHERE" not in model.writable
    assert "COLD" in model.writable
    best = score_recognition(["COLD <unk>"], ["COLD NOWHERE"])
    assert [score.value for score in best[:2]] == [50, 50]  # a substitution


@METHODS
def test_glosses_are_never_cut_off_to_be_learnt(method: ModuleType) -> None:
    """Before training begins, where they are known, and else where they are drawn."""
    model = fresh(method, max_tokens=4)
    sample = dataclasses.replace(samples()[0], glosses=(GlossSpan("GO"),) * 5)
    with pytest.raises(
        UsageError, match="sample '0' are 5 tokens, and 4 are learnt at most: 'GO GO"
    ):
        model.example(sample, np.random.default_rng(0), True)
    with pytest.raises(UsageError, match=r"a training sample are 4 tokens.*raise max_tokens"):
        fresh(method, max_tokens=3)


@METHODS
@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([text.lower() for text in TEXTS], "every token would be a wrong one"),
        (TEXTS[:2], r"another vocabulary \(10 tokens.*trained with \(15 tokens"),
    ],
)
def test_a_vocabulary_of_another_corpus_is_refused(
    method: ModuleType, texts: list[str], says: str, tmp_path: Path
) -> None:
    """Of as many glosses, where the weights would fit, and of fewer."""
    model = fresh(method)
    save_checkpoint(tmp_path / "model", model.described(), model, model.tokenizer)
    assert load(tmp_path / "model").tokenizer.get_vocab() == model.tokenizer.get_vocab()
    gloss_tokenizer(texts).save(str(tmp_path / "model" / TOKENIZER))
    with pytest.raises(MediaError, match=says):
        load(tmp_path / "model")
