"""Signing in chunks: however frames are dealt out, what is seen of a stretch is what the whole clip shows."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.features import features_of
from signloom.data.lips import Lips
from signloom.data.timing import Span
from signloom.encoders.frames import resampled
from signloom.errors import UsageError
from signloom.inference.features import featured
from signloom.inference.locate import Query
from signloom.inference.stream import LiveText, live
from signloom.inference.translate import Translation
from signloom.inference.windows import ask
from signloom.methods.unified import PRESETS, Config, Unified, begin
from signloom.methods.watch import Watch
from signloom.pose.phrases import PhraseStream
from signloom.simulator.episode import SimulatedEpisodes
from tests.inference.test_stream import dealt

TEXTS = ["The weather is cold.", "Do you eat bread?", "My sister is a nurse."]
CHUNKED = replace(
    PRESETS["tiny"],
    vocabulary=120,
    max_tokens=6,
    beam=1,
    chunk=10,
    adaptive=True,
    streams=("place", "local", "velocity"),
)
CLIP = SimulatedEpisodes("tiny", "dev")[0].clip().cut(Span(0.0, 30.0))
FPS = CLIP.fps


def model_of(config: Config, seed: int = 1) -> Unified:
    """Untrained, and in float64, so that what is equal is equal to many digits."""
    model = begin(config, TEXTS, seed).double().eval()
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            module.weight.data.mul_(5.0)
    return model


@pytest.fixture(scope="module")
def model() -> Unified:
    return model_of(CHUNKED)


def watched(
    model: Unified, clip: PoseClip, seed: int | None = None, lips: Lips | None = None
) -> Watch:
    """The whole clip at once, or in random pieces, some of which are empty."""
    watch = model.watch(clip.fps)
    cuts = [] if seed is None else np.random.default_rng(seed).integers(0, len(clip), 40).tolist()
    edges = [0, *sorted(cuts), len(clip)]
    for first, last in itertools.pairwise(edges):
        piece = slice(first, last)
        watch.push(clip.frames(piece), None if lips is None else lips[piece])
    watch.finish()
    return watch


def crops(clip: PoseClip) -> Lips:
    rng = np.random.default_rng(3)
    frames = rng.integers(0, 255, (len(clip), 96, 96)).astype(np.uint8)
    return Lips(frames, np.ones(len(clip), bool), clip.fps)


@pytest.mark.parametrize("fps", [25.0, 12.5, 12.6, 30.0, 60.0])
def test_how_frames_are_dealt_out_changes_nothing(model: Unified, fps: float) -> None:
    clip = replace(CLIP, fps=fps)
    whole = watched(model, clip)
    assert whole.until * whole.rate == len(resampled(clip, model.config.fps))
    for seed in (1, 2):
        dealt = watched(model, clip, seed)
        assert dealt.until == whole.until
        for span in (Span(0.0, 4.0), Span(1.3, 5.77), Span(clip.duration - 2.2, clip.duration)):
            mine, there, first = dealt.tokens(span)
            theirs, also, begins = whole.tokens(span)
            assert first == begins == pytest.approx(span.start, abs=0.5 / model.rate + 1e-9)
            assert torch.equal(there, also)
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seconds", [0.32, 0.6, 2.0, 7.72, 19.0])
def test_the_whole_clip_shows_what_translation_sees(model: Unified, seconds: float) -> None:
    clip = CLIP.cut(Span(3.0, 3.0 + seconds))
    seen, there = model.tokens(*model.padded([clip], [None]))
    found, also, first = watched(model, clip).tokens(Span(0.0, clip.duration))
    assert first == 0
    assert torch.equal(there, also)
    torch.testing.assert_close(found, seen, rtol=1e-9, atol=1e-9)


def test_features_of_a_long_clip_are_what_a_watch_sees_of_it(model: Unified) -> None:
    assert CLIP.duration > model.window
    positions, there, first = watched(model, CLIP, 1).seen(Span(0.0, CLIP.duration))
    assert first == 0
    seen = positions[0, there[0]].numpy()
    found = features_of(featured(model, CLIP, "this"))
    assert abs(len(found) - len(seen)) <= 1
    np.testing.assert_allclose(found[: len(seen)], seen[: len(found)], rtol=1e-6, atol=1e-6)
    short = CLIP.cut(Span(0.0, 4.8))  # six chunks
    offline, real = model.seen(*model.padded([short], [None]))
    np.testing.assert_allclose(
        model.features(short), offline[0, real[0]].detach().numpy(), rtol=1e-6, atol=1e-6
    )


def test_a_stretch_of_whole_chunks_is_a_clip_of_its_own(model: Unified) -> None:
    watch = watched(model, CLIP)
    for start in (0.8, 4.0, 12.0):  # chunks have .8 seconds
        clip = CLIP.cut(Span(start, start + 4.8))
        torch.testing.assert_close(
            watch.tokens(Span(start, start + 4.8))[0],
            watched(model, clip).tokens(Span(0.0, 4.8))[0],
            rtol=1e-9,
            atol=1e-9,
        )


def test_a_chunk_sees_itself_alone_shoulders_and_motion_too(model: Unified) -> None:
    """A chunk with other signing in it changes nothing of the frames around it; one from afar, nothing at all."""
    other = CLIP.points.copy()
    other[20:40] = other[100:120]
    moved = CLIP.with_points(other)
    afar = CLIP.with_points(CLIP.points * np.float32(0.5) + np.float32(100))
    for x, y in zip(watched(model, CLIP)._frames, watched(model, afar)._frames, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-3, atol=1e-3)
    for x, y in zip(watched(model, CLIP)._frames, watched(model, moved)._frames, strict=True):
        assert torch.equal(x[:10], y[:10])
        assert torch.equal(x[20:], y[20:])
        assert not torch.allclose(x[10:20], y[10:20], atol=1e-3)


def test_lips_are_seen_in_chunks_as_well() -> None:
    model = model_of(replace(CHUNKED, lips="small"))
    clip = CLIP.cut(Span(0.0, 6.0))
    lips = crops(clip)
    at_once = model.tokens(*model.padded([clip], [lips]))[0]
    for seed in (None, 4):
        found, _, _ = watched(model, clip, seed, lips).tokens(Span(0.0, 6.0))
        torch.testing.assert_close(found, at_once, rtol=1e-9, atol=1e-9)
    unseen, _, _ = watched(model, clip).tokens(Span(0.0, 6.0))
    assert not torch.allclose(unseen, at_once, atol=1e-3)


def test_what_is_forgotten_changes_nothing_of_the_rest(model: Unified) -> None:
    watch, whole = watched(model, CLIP), watched(model, CLIP)
    for before in (1.0, 7.3, 7.3, 12.0):
        watch.forget(before)
        held = [len(frames) for frames in watch._frames]
        assert max(held) <= (CLIP.duration - before) * watch.rate + 2
        for span in (Span(12.1, 19.0), Span(before + 0.2, before + 3.0)):
            assert torch.equal(watch.tokens(span)[0], whole.tokens(span)[0])
    with pytest.raises(UsageError, match=r"stretch of 3–5 s was asked for, and 12–30 s are held"):
        watch.tokens(Span(3.0, 5.0))
    with pytest.raises(UsageError, match=r"stretch of 40–41 s .* ask for a stretch inside them"):
        watch.tokens(Span(40.0, 41.0))


def phrase_spans(clip: PoseClip) -> list[Span]:
    phrases = PhraseStream(longest=19.0)
    return [p.span for p in phrases.push(clip) + phrases.finish()]


def says_what_it_is_shown(tokens: Tensor, there: Tensor, *_: object) -> list[Translation]:
    """A number that all of them enter, in place of an untrained model's text."""
    return [Translation(f"{tokens.shape[1]}: {tokens.square().sum():.9g}", 0.0)]


def test_live_text_is_that_of_the_watched_whole_a_chunk_later(
    model: Unified, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "told", says_what_it_is_shown)
    whole = watched(model, CLIP)
    told = [whole.translate(span).text for span in phrase_spans(CLIP)]
    assert len(set(told)) == len(told) > 1
    plain = live(model_of(replace(CHUNKED, chunk=None)), "translate", CLIP.layout, FPS)
    for seed in (1, 2):
        session = live(
            model, "translate", CLIP.layout, FPS, provisional=1.0, translate=lambda *_: "never"
        )
        assert session.look_ahead == pytest.approx(
            plain.look_ahead
        )  # a chunk of .8 s is full by then
        said, late = dealt(session, CLIP, seed)
        assert [s.text for s in said if s.final] == told
        assert late <= session.look_ahead
        assert any(not s.final for s in said)
        assert [s.number for s in said if s.final] == list(range(1, len(told) + 1))
        assert [s.number for s in said] == sorted(s.number for s in said)


def test_a_phrase_waits_for_its_last_chunk_where_that_is_the_longer(
    model: Unified, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = model_of(replace(CHUNKED, chunk=75))  # 6 s
    monkeypatch.setattr(slow, "told", says_what_it_is_shown)
    session = live(slow, "translate", CLIP.layout, FPS)
    assert session.look_ahead == pytest.approx(6.0)
    said, late = dealt(session, CLIP, 3)
    assert live(model, "translate", CLIP.layout, FPS).look_ahead < late <= session.look_ahead
    whole = watched(slow, CLIP)
    assert [s.text for s in said] == [whole.translate(span).text for span in phrase_spans(CLIP)]


def test_little_is_held_of_a_stream(model: Unified, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "told", says_what_it_is_shown)
    session = LiveText(model, CLIP.layout, FPS)
    held = 0
    half = CLIP.cut(Span(0.0, 15.0))
    for _ in range(3):
        for first in range(0, len(half), 5):
            session.push(half.frames(slice(first, first + 5)))
            assert session._watch is not None
            held = max(held, len(session._watch._frames[0]) if session._watch._frames else 0)
    assert held < (2 * session.look_ahead + session.longest + 1) * model.config.fps


def test_a_text_is_looked_for_in_chunks_from_the_recording_s_first_frame_on(model: Unified) -> None:
    """Windows of one recording, which begin anywhere, see what the whole shows; also where it is read in parts."""
    model = model_of(CHUNKED).float()
    queries = [Query(Span(start, start + 8.0), TEXTS[0]) for start in (0.0, 3.2, 5.6, 20.0)]
    found = model.locate(CLIP, queries)
    for query, located in zip(queries, found, strict=True):
        begins = replace(query, window=Span(0.0, 8.0))
        (alone,) = model.locate(CLIP.cut(query.window), [begins])
        np.testing.assert_allclose(located.posterior, alone.posterior, atol=1e-5)
    odd = [[Query(Span(start, start + 6.0), TEXTS[1])] for start in (1.1, 9.7, 14.3, 21.9)]
    told = model.locate(CLIP, [query for (query,) in odd])
    parts = ask(model, CLIP.cut, odd, stretch=4.0)
    for whole, answer in zip(told, parts, strict=True):
        assert answer is not None
        assert answer.spans[0][0].start == pytest.approx(whole.spans[0][0].start, abs=1e-6)
        assert answer.spans[0][1] == pytest.approx(whole.spans[0][1], rel=1e-4)


def test_a_model_of_whole_clips_does_not_watch() -> None:
    model = begin(replace(CHUNKED, chunk=None), TEXTS, 1)
    assert not model.watches
    with pytest.raises(
        UsageError, match=r"'unified' sees whole clips; .* one trained with config\.chunk"
    ):
        model.watch(25.0)
    with pytest.raises(
        UsageError, match=r"chunk is 126 frames of a window of 250 in layout 'ps76'"
    ):
        replace(CHUNKED, chunk=126)
    with pytest.raises(
        UsageError, match=r"chunk is 10 frames .* expected half of a window or less, and keypoints"
    ):
        Config(layout="features-32", fps=12.5, chunk=10, adapter="full")
