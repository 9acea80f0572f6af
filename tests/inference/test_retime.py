"""Subtitles re-timed: what stays, what follows, what is refused; in order and apart whatever is asked."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.errors import SubtitleError, UntrustedResultError, UsageError
from signloom.inference.retime import (
    Retimed,
    Wishes,
    check_order,
    clock,
    not_speech,
    on_signing,
    retime,
)
from signloom.pose.activity import Activity
from tests.inference import test_align
from tests.inference.test_align import FPS, iou, signing_in


def planted(seed: int) -> tuple[list[Cue], list[Span], float]:
    """(cues before the signing, true spans, duration)."""
    cues, spans, duration = test_align.planted(seed)
    return [replace(cue, span=plain(cue.span)) for cue in cues], list(map(plain, spans)), duration


def plain(span: Span) -> Span:
    return Span(float(span.start), float(span.end))


def flagged(found: Retimed, flag: str) -> list[int]:
    return [m.number for m in found.cues if flag in m.flags]


def right(found: Retimed, spans: list[Span]) -> float:
    return float(np.mean([iou(m.span, s) >= 0.5 for m, s in zip(found.cues, spans, strict=True)]))


def test_what_is_no_speech_follows_the_lag_of_its_neighbours() -> None:
    cues, spans, duration = planted(0)
    music, flash = Cue(cues[9].span, "♪ la la ♪"), Cue(Span(*[cues[20].span.start] * 2), "")
    mixed = [*cues[:10], music, *cues[10:20], flash, *cues[20:]]
    found = retime(mixed, signing_in(spans, duration), Wishes(overlap="allow"))
    assert flagged(found, "not speech") == [11, 22]
    for number in (11, 22):
        before, here, after = (found.cues[number + by] for by in (-2, -1, 0))
        low, high = sorted((before.shift, after.shift))
        assert low - 0.5 <= here.shift <= high + 0.5
        assert here.span.duration == pytest.approx(here.cue.span.duration, abs=1 / FPS)
    assert right(replace(found, cues=tuple(m for m in found.cues if not m.flags)), spans) == 1
    # Nothing but music: there is no lag to follow, and nothing moves.
    alone = retime([music, flash], signing_in(spans, duration))
    assert [m.span for m in alone.cues] == [music.span, flash.span]
    assert (alone.lag, alone.confidence, alone.low) == (0.0, 0.0, 0)


@pytest.mark.parametrize("text", ["", "♪", "♪ la ♪", "[DOOR SLAMS]", "(laughs)", "<i>[x]</i>", "—"])
def test_texts_that_nobody_signs(text: str) -> None:
    assert not_speech(text)
    assert not not_speech(f"Hello {text} you")


def test_cues_that_overlap_stay_together_where_that_is_allowed() -> None:
    cues, spans, duration = planted(1)
    first = cues[4].span
    halves = [
        replace(cues[4], text=cues[4].text[:10], span=Span(first.start, first.end)),
        replace(cues[4], text=cues[4].text[10:], span=Span(first.start + 0.2, first.end)),
    ]
    doubled = [*cues[:4], *halves, *cues[5:]]
    activity = signing_in(spans, duration)
    together = retime(doubled, activity, Wishes(overlap="allow", frame=False)).cues[4:6]
    assert together[0].span.end == pytest.approx(together[1].span.end)
    assert iou(Span(together[0].span.start, together[1].span.end), spans[4]) > 0.8
    share = (together[1].span.start - together[0].span.start) / together[0].span.duration
    assert share == pytest.approx(0.2 / first.duration)
    apart = retime(doubled, activity).cues[4:6]
    assert apart[0].span.end <= apart[1].span.start + 1e-9
    locked = retime(doubled, activity, Wishes(overlap="allow", locked=frozenset({5}))).cues
    assert locked[5].span == halves[1].span


def test_locked_and_outside_cues_stay_and_the_rest_is_placed() -> None:
    cues, spans, duration = planted(2)
    true = replace(cues[12], span=spans[12])
    given_ = [*cues[:12], true, *cues[13:]]
    found = retime(
        given_, signing_in(spans, duration), Wishes(locked=frozenset({12}), any_order=True)
    )
    assert found.cues[12].span == true.span
    assert found.cues[12].flags == ("locked",)
    assert right(found, spans) > 0.95
    # The same lock, at a place of its own: the file may stay as it is, in order.
    locks = Wishes(locked=frozenset({12}), locked_at={12: spans[12]})
    found = retime(cues, signing_in(spans, duration), locks)
    assert (found.cues[12].span, found.cues[12].flags) == (spans[12], ("locked",))
    assert found.cues[12].cue.span == cues[12].span
    assert right(found, spans) > 0.95
    with pytest.raises(ValueError, match="locked_at has cue 3"):
        retime(cues, signing_in(spans, duration), Wishes(locked_at={3: spans[3]}))
    part = Span(cues[10].span.start, cues[20].span.start)
    found = retime(cues, signing_in(spans, duration), Wishes(within=part))
    assert flagged(found, "outside") == [*range(1, 11), *range(21, 31)]
    assert all(m.span == m.cue.span for m in found.cues if "outside" in m.flags)
    assert right(replace(found, cues=found.cues[10:19]), spans[10:19]) == 1
    done = [replace(cue, span=s) for cue, s in zip(cues[:10], spans, strict=False)]
    rest = Span(done[-1].span.end, 1e9)
    found = retime(
        [*done, *cues[10:]], signing_in(spans, duration), Wishes(within=rest, any_order=True)
    )
    assert right(found, spans) > 0.9


def test_what_becomes_of_cues_that_are_placed_with_low_confidence() -> None:
    cues, spans, duration = planted(3)
    unsigned = Cue(Span(cues[14].span.start + 0.02, cues[14].span.start + 0.06), "y" * 400)
    activity = signing_in(spans, duration)

    def done(on_low: str) -> Retimed:
        return retime([*cues[:15], unsigned, *cues[15:]], activity, Wishes(on_low=on_low))  # type: ignore[arg-type]

    assert flagged(done("mark"), "no signing") == [16]
    kept, prior = done("keep").cues[15], done("prior").cues[15]
    assert kept.flags == ("no signing", "kept")
    assert kept.span == unsigned.span
    assert prior.flags == ("no signing", "prior")
    neighbours = [done("prior").cues[k].shift for k in (14, 16)]
    assert min(neighbours) - 1 <= prior.shift <= max(neighbours) + 1


def test_limits_on_shift_and_place_hold_and_are_said() -> None:
    cues, spans, duration = planted(0)
    activity = signing_in(spans, duration)
    near = retime(cues, activity, Wishes(max_shift=1.5))
    assert max(abs(m.shift) for m in near.cues) <= 1.5 + 0.5 / FPS + 1e-9
    assert max(abs(m.shift) for m in retime(cues, activity).cues) > 3
    far = retime(
        [replace(c, span=c.span.shifted(-6.0)) for c in cues], activity, Wishes(offset=8.0)
    )
    assert right(far, spans) > 0.9
    whole = {m.span.start * FPS % 1 for m in far.cues} | {m.span.end * FPS % 1 for m in far.cues}
    assert all(min(x, 1 - x) < 1e-6 for x in whole)


def test_cues_on_the_signing_already_stay_there() -> None:
    cues, spans, duration = planted(1)
    activity = signing_in(spans, duration)
    once = retime(cues, activity)
    assert not once.notices
    assert not on_signing(cues, activity)
    again = retime([replace(m.cue, span=m.span) for m in once.cues], activity)
    assert "on the signing already" in again.notices[0]
    assert (once.already, again.already) == (False, True)
    shifts = [abs(m.shift) for m in again.cues]
    assert np.median(shifts) == 0
    assert max(shifts) < 0.5
    truth = [replace(cue, span=span) for cue, span in zip(cues, spans, strict=True)]
    assert on_signing(truth, activity)
    same = [m.span == s for m, s in zip(retime(truth, activity).cues, spans, strict=True)]
    assert np.mean(same) > 0.9  # not even moved to the next frame
    # Half of a file is not the whole: the rest is speech, and is placed.
    half = [*truth[:15], *(replace(c, span=c.span.shifted(-9.0)) for c in cues[15:])]
    half = sorted(half, key=lambda cue: cue.span.start)
    assert not on_signing(half[:7], activity)
    spoken = [Cue(c.span.shifted(40.0), c.text) for c in cues]
    assert not on_signing(spoken, activity)
    # Who says what lag to expect is believed.
    assert not retime(truth, activity, Wishes(offset=2.7)).notices


def test_the_clock_is_found_out_or_given() -> None:
    cues, spans, duration = planted(0)
    activity = signing_in(spans, duration)
    later = [replace(c, span=c.span.shifted(36_000.0)) for c in cues]
    found = retime(later, activity, name="x.vtt")
    assert found.timecode == 36_000
    assert "x.vtt begins at 10:00:0" in found.notices[0]
    assert "(--start-timecode 10:00:00.000 says so)" in found.notices[0]
    plain = retime(cues, activity)
    for a, b in zip(plain.cues, found.cues, strict=True):
        assert b.span.start - a.span.start == pytest.approx(36_000)
    odd = [replace(c, span=c.span.shifted(100.0)) for c in cues]
    told = retime(odd, activity, Wishes(timecode=100.0, within=Span(130.0, 1e9)))
    assert not told.notices
    assert all(("outside" in m.flags) == (m.cue.span.start < 130) for m in told.cues)
    with pytest.raises(UsageError, match=r"all cues of x start before --start-timecode 10:00:00"):
        retime(cues, activity, Wishes(timecode=36_000.0), name="x")


def test_what_cannot_be_is_refused() -> None:
    cues, spans, duration = planted(0)
    activity = signing_in(spans, duration)
    with pytest.raises(SubtitleError, match="x has no cues, expected at least one"):
        check_order([], False, "x")
    swapped = [cues[1], cues[0], *cues[2:]]
    with pytest.raises(
        SubtitleError, match=r"cue 2 starts at 00:00:.*, before cue 1 at .* --any-o"
    ):
        retime(swapped, activity)
    anyhow = retime(swapped, activity, Wishes(any_order=True))
    assert [m.cue for m in anyhow.cues] == swapped
    assert right(anyhow, [spans[1], spans[0], *spans[2:]]) > 0.9
    late = [*cues, Cue(Span(duration + 5, duration + 6), "late")]
    with pytest.raises(SubtitleError, match="is longer than the video: its last cue starts at"):
        retime(late, activity)
    retime(late, activity, Wishes(within=Span(0.0, duration)))
    still = Activity(FPS, np.full(2000, 0.02), np.zeros(2000), np.zeros(2000))
    with pytest.raises(UntrustedResultError, match=r"no signing found for .*in 0.0 of 80.0 s, exp"):
        retime(cues[:3], still)
    assert (clock(3661.5), clock(-0.25)) == ("01:01:01.500", "-00:00:00.250")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_in_order_apart_and_in_the_clip_whatever_is_asked(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    starts = data.draw(st.lists(st.floats(-3, 29), min_size=count, max_size=count))
    lengths = data.draw(st.lists(st.floats(0, 8), min_size=count, max_size=count))
    texts = data.draw(
        st.lists(st.sampled_from(["", "♪", "x" * 30, "y"]), min_size=count, max_size=count)
    )
    cues = [Cue(Span(s, s + d), t) for s, d, t in zip(sorted(starts), lengths, texts, strict=True)]
    wishes = Wishes(
        max_shift=data.draw(st.sampled_from([None, None, 0.0, 2.0])),
        min_duration=data.draw(st.sampled_from([0.04, 0.4, 3.0])),
        within=data.draw(st.sampled_from([None, None, Span(5.0, 20.0)])),
        locked=frozenset(data.draw(st.sets(st.integers(0, count - 1), max_size=2))),
        on_low=data.draw(st.sampled_from(["prior", "keep", "mark"])),
        frame=data.draw(st.booleans()),
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    signing = np.repeat(rng.random(30), 25)
    signing[:100] = 0.9
    activity = Activity(FPS, signing, *rng.normal(size=(2, 750)))
    found = retime(cues, activity, wishes)
    assert [m.cue for m in found.cues] == cues
    fixed = {"locked", "outside", "kept"}
    moved = [m for m in found.cues if not fixed & set(m.flags)]
    for m in found.cues:
        assert 0 <= m.confidence <= 1 + 1e-6
        if fixed & set(m.flags):
            assert m.span == m.cue.span
    if all(not_speech(m.cue.text) or set(m.flags) & {"locked", "outside"} for m in found.cues):
        assert all(m.span == m.cue.span for m in found.cues)
        return
    for m in moved:
        assert (m.span.duration > 0) or (m.cue.span.duration == 0 and "not speech" in m.flags)
        if wishes.max_shift is None:
            assert m.span.start >= 0
            assert m.span.end <= 30 + 1e-9
        else:
            assert abs(m.shift) <= wishes.max_shift + 0.5 / FPS + 1e-9
    shown = [m for m in moved if m.cue.span.duration > 0 or "not speech" not in m.flags]
    if wishes.max_shift is None:
        for a, b in itertools.pairwise(shown):
            assert a.span.end <= b.span.start + 1e-9
