"""Alignment scores against values worked out by hand and the protocol written out in loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.metrics.alignment import (
    GRID,
    AlignedEpisode,
    Overlap,
    Variant,
    baselines,
    best_constant_offset,
    frame_labels,
    linear_stretch,
    runs_of,
    score_alignment,
    score_episodes,
)
from signloom.metrics.score import Score
from signloom.metrics.translation import score_translation

Times = Sequence[tuple[float, float]]


def cues(times: Times, texts: dict[int, str] | None = None) -> tuple[Cue, ...]:
    return tuple(
        Cue(Span(*map(float, time)), (texts or {}).get(i, f"cue {i}"))
        for i, time in enumerate(times)
    )


def episode(
    hypothesis: Times,
    truth: Times,
    texts: dict[int, str] | None = None,
    prior: Times | None = None,
    name: str = "12",
) -> AlignedEpisode:
    return AlignedEpisode(
        name,
        cues(hypothesis),
        cues(truth, texts),
        None if prior is None else cues(prior),
    )


def by_name(scores: list[Score]) -> dict[str, Score]:
    return {score.name: score for score in scores}


def values(*episodes: AlignedEpisode, **rules: object) -> dict[str, float]:
    found = score_alignment(episodes, **rules)  # type: ignore[arg-type]
    return {score.name: score.value for score in found}


def painted(times: Times, frames: int, overlap: Overlap = "later", fps: float = 1.0) -> str:
    """Labels as letters, one a frame, '.' for background."""
    spans = np.array(times, float).reshape(-1, 2)
    labels = frame_labels(spans, range(len(times)), frames, fps, overlap)
    return "".join("." if label < 0 else "abcdef"[label] for label in labels)


# Labels


def test_cues_paint_rounded_frames_and_are_cut_at_both_ends_of_the_video() -> None:
    assert painted([(1, 3), (4, 4), (5, 9)], 7) == ".aa..cc"
    assert painted([(-3, 2), (9, 12)], 5) == "aa..."
    # Halves go to the even frame: 0.5 → 0, 1.5 → 2, 2.5 → 2, 3.5 → 4.
    assert painted([(0.5, 1.5), (2.5, 3.5)], 5) == "aabb."
    assert painted([(0.2, 0.4)], 5, fps=25.0) == "....."
    assert painted([(0.2, 0.4)], 12, fps=25.0) == "." * 5 + "a" * 5 + ".."


def test_who_gets_the_frames_that_two_cues_claim() -> None:
    partly, nested = [(0, 6), (4, 9)], [(0, 8), (3, 5)]
    assert painted(partly, 10) == "aaaabbbbb."
    assert painted(partly, 10, "earlier") == "aaaaaabbb."
    assert painted(partly, 10, "midpoint") == "aaaaabbbb."
    assert painted(nested, 9) == "aaabbaaa."
    assert painted(nested, 9, "earlier") == "aaaaaaaa."
    assert painted(nested, 9, "midpoint") == "aaabbaaa."
    # 'later' is later in the file; 'midpoint' takes neighbours in time and skips the empty.
    assert painted([(4, 9), (0, 6)], 10) == "bbbbbbaaa."
    assert painted([(4, 9), (5, 5), (0, 6)], 10, "midpoint") == "cccccaaaa."


def test_runs_are_maximal_and_leave_background_out() -> None:
    labels = np.array([-1, 0, 0, 1, 1, 0, -1, 2])
    assert runs_of(labels).tolist() == [[0, 1, 3], [1, 3, 5], [0, 5, 6], [2, 7, 8]]
    assert runs_of(labels[:0]).tolist() == []
    assert runs_of(labels[:1]).tolist() == []


# The protocol


def test_truth_against_itself_is_perfect() -> None:
    times = [(1.0, 3.0), (4.0, 4.4), (5.0, 9.0)]
    found = values(episode(times, times))
    assert {found.pop(name) for name in list(found) if "offset" not in name} == {100}
    assert set(found.values()) == {0}


def test_accuracies_f1_and_classes_by_hand() -> None:
    # 20 frames: truth a on 0–4 and b on 6–9, ten seconds of tail; hypothesis a on 2–6, b on 6–9.
    found = values(episode([(2, 6), (6, 10)], [(0, 4), (6, 10)]), fps=1.0)
    # Wrong: frames 0, 1, 4, 5. Background 12 frames of which 2 are claimed.
    assert found["frame accuracy"] == pytest.approx(100 * 16 / 20)
    assert found["background-free accuracy"] == pytest.approx(100 * 6 / 8)
    assert found["CB-Acc"] == pytest.approx(100 * (10 / 12 + 2 / 4 + 4 / 4) / 3)
    # IoU of a: 2 of the hull of 6; of b: 1.
    assert [found[f"F1@.{at}"] for at in (10, 25, 50)] == [100, 100, 50]


def test_a_cue_split_by_a_later_one_leaves_a_false_positive() -> None:
    # a is 0–10 with b in its middle: runs a 0–4, b 4–6, a 6–10, each a 0.4 of the true a.
    found = values(episode([(0, 10), (4, 6)], [(0, 10), (12, 14)]), fps=1.0)
    assert found["F1@.25"] == pytest.approx(100 * 2 * 1 / (3 + 2))
    assert found["F1@.50"] == 0
    # The true cues split alike: each run has its own and both are hit.
    found = values(episode([(0, 10), (4, 6)], [(0, 10), (4, 6)]), fps=1.0)
    assert found["F1@.50"] == 100


def test_a_cue_without_duration_is_a_miss_and_no_false_positive() -> None:
    found = values(episode([(0, 2), (5, 5)], [(0, 2), (4, 6)]), fps=1.0)
    assert found["F1@.50"] == pytest.approx(100 * 2 / (2 + 0 + 1))
    # In the truth it vanishes too, and what is placed for it is a false positive.
    found = values(episode([(0, 2), (4, 6)], [(0, 2), (5, 5)]), fps=1.0)
    assert found["F1@.50"] == pytest.approx(100 * 2 / (2 + 1 + 0))


def test_placing_nothing_scores_high_where_signing_is_sparse() -> None:
    one = episode([(0, 0)], [(30, 40)])
    found = values(one)
    assert found["frame accuracy"] == pytest.approx(80)
    assert found["background-free accuracy"] == found["F1@.10"] == 0
    assert by_name(baselines([one])["nothing placed"])["frame accuracy"].value == 80
    assert not [name for name in found if "offset" in name]


def test_bracketed_truth_is_background_on_both_sides_and_counted() -> None:
    one = episode([(0, 2), (3, 7)], [(0, 2), (4, 6)], {1: "rain [NOT SURE WHERE]"})
    scores = by_name(score_alignment([one], fps=1.0))
    assert {(score.n, score.excluded) for score in scores.values()} == {(1, 1)}
    assert scores["frame accuracy"].value == scores["F1@.50"].value == 100
    # The bracketed cue still ends the video, at 6 + 10 s; of all 16 frames, 2 are signed.
    assert values(replace(one, hypothesis=cues([(0, 0)] * 2)), fps=1.0)[
        "frame accuracy"
    ] == pytest.approx(100 * 14 / 16)


def test_variant_sea_ends_with_the_last_kept_cue_and_counts_whole_frames() -> None:
    one = episode([(0, 0)] * 2, [(0, 2), (4, 6)], {1: "[INCORRECT] rain"})
    scores = by_name(score_alignment([one], fps=1.9, variant="sea"))
    assert scores["frame accuracy"].value == pytest.approx(100 * 10 / 12)
    assert scores["frame accuracy"].signature == (
        "protocol:sea|fps:1|overlap:later|tail:10s|resample:episodes"
    )


def test_a_file_out_of_order_loses_no_scored_cue() -> None:
    times = [(50.0, 60.0), (0.0, 2.0)]
    found = values(episode([(0, 0), (0, 2)], times), fps=1.0)
    assert found["F1@.50"] == pytest.approx(100 * 2 / 3)
    assert found["frame accuracy"] == pytest.approx(100 * 60 / 70)


def test_signature_names_what_moves_the_value() -> None:
    one = episode([(0, 2)], [(0, 2)])
    scores = by_name(score_alignment([one], overlap="midpoint"))
    assert scores["F1@.50"].signature == (
        "protocol:bull2021|fps:25|overlap:midpoint|tail:10s|resample:episodes"
    )
    assert scores["CB-Acc"].signature.endswith("|classes:pooled")


# The protocol again, in loops: written from its definition, as slow as it is plain.


def literal(
    episodes: Sequence[AlignedEpisode], overlap: Overlap, fps: float, variant: Variant
) -> dict[str, float]:
    right = all_frames = cue_right = cue_frames = 0
    recalls: list[float] = []
    positives = dict.fromkeys((0.10, 0.25, 0.50), (0, 0, 0))
    for one in episodes:
        kept = [i for i, c in enumerate(one.truth) if not ("[" in c.text and "]" in c.text)]
        ends_video = kept[-1] if variant == "sea" and kept else len(one.truth) - 1
        frames = round(fps * (one.truth[ends_video].span.end + 10))
        sides = []
        for side in (one.hypothesis, one.truth):
            labels = [-1] * frames
            for i in kept if overlap == "later" else reversed(kept):
                for f in range(round(fps * side[i].span.start), round(fps * side[i].span.end)):
                    if 0 <= f < frames:
                        labels[f] = i
            sides.append(labels)
        ours, theirs = sides
        for a, b in zip(ours, theirs, strict=True):
            all_frames += 1
            right += a == b
            cue_frames += b != -1
            cue_right += b != -1 and a == b
        for label in set(theirs):
            at = [f for f in range(frames) if theirs[f] == label]
            recalls.append(sum(ours[f] == label for f in at) / len(at))
        for threshold, (tp, fp, fn) in positives.items():
            true_runs = literal_runs(theirs)
            hit: set[int] = set()
            for label, first, last in literal_runs(ours):
                best, best_iou = -1, -1.0
                for k, (true_label, true_first, true_last) in enumerate(true_runs):
                    shared = min(last, true_last) - max(first, true_first)
                    iou = shared / (max(last, true_last) - min(first, true_first))
                    if label == true_label and iou > best_iou:
                        best, best_iou = k, iou
                if best >= 0 and best_iou >= threshold and best not in hit:
                    hit.add(best)
                    tp += 1
                else:
                    fp += 1
            positives[threshold] = tp, fp, fn + len(true_runs) - len(hit)
    found = {
        "frame accuracy": 100 * right / all_frames,
        "background-free accuracy": 100 * cue_right / cue_frames,
        "CB-Acc": 100 * sum(recalls) / len(recalls),
    }
    for threshold, (tp, fp, fn) in positives.items():
        precision, recall = tp / (tp + fp) if tp else 0, tp / (tp + fn) if tp else 0
        f1 = 2 * precision * recall / (precision + recall) if tp else 0
        found[f"F1@.{100 * threshold:.0f}"] = 100 * f1
    return found


def literal_runs(labels: list[int]) -> list[tuple[int, int, int]]:
    found = []
    first = 0
    for f in range(1, len(labels) + 1):
        if f == len(labels) or labels[f] != labels[first]:
            if labels[first] != -1:
                found.append((labels[first], first, f))
            first = f
    return found


Drawn = tuple[Times, Times, dict[int, str], Times]
"""Hypothesis, truth, notes and prior of an episode."""


@st.composite
def drawn_times(draw: st.DrawFn) -> Drawn:
    """Crowded cues: overlapping, empty, before 0, the hypothesis anywhere or near the truth."""
    count = draw(st.integers(1, 7))

    def drawn(start: float) -> list[tuple[float, float]]:
        found = []
        for _ in range(count):
            start += draw(st.integers(-2, 8)) / 4
            found.append((start, start + draw(st.integers(0, 12)) / 4))
        return found

    truth, hypothesis = drawn(0), drawn(draw(st.sampled_from([-1, 0, 0.5])))
    if draw(st.booleans()):
        hypothesis = [(a + d, b + d) for a, b in truth for d in [draw(st.integers(-2, 2)) / 4]]
    prior = [(a - 1, b - 1) for a, b in truth]
    truth[0] = (truth[0][0], truth[0][0] + 3)  # something is signed
    notes = {i: "rain [NOT SURE]" for i in range(1, count) if draw(st.integers(0, 4)) == 0}
    return hypothesis, truth, notes, prior


@settings(deadline=None, max_examples=60)
@given(
    st.lists(drawn_times(), min_size=1, max_size=3),
    st.sampled_from(["later", "earlier"]),
    st.sampled_from([2.0, 5.0, 12.5]),
    st.sampled_from(["bull", "sea"]),
)
def test_scores_equal_the_protocol_in_loops(
    drawn: list[Drawn], overlap: Overlap, fps: float, variant: Variant
) -> None:
    episodes = [episode(*one) for one in drawn]
    found = values(*episodes, overlap=overlap, fps=fps, variant=variant)
    for name, value in literal(
        episodes, overlap, fps if variant == "bull" else int(fps), variant
    ).items():
        assert found[name] == pytest.approx(value, abs=1e-9), name


@settings(deadline=None, max_examples=5)
@given(drawn_times(), st.sampled_from(["later", "earlier", "midpoint"]))
def test_the_offset_search_finds_what_scoring_every_offset_finds(
    drawn: Drawn, overlap: Overlap
) -> None:
    one = episode(*drawn)

    def f1(offset: float) -> float:
        moved = tuple(replace(c, span=c.span.shifted(offset)) for c in one.prior or ())
        return score_episodes([replace(one, hypothesis=moved)], overlap=overlap)[0].f1_50 or 0

    all_f1 = {offset: f1(offset) for offset in GRID}
    found = best_constant_offset([one], overlap=overlap)
    assert all_f1[found] == max(all_f1.values())
    assert abs(found) == min(abs(o) for o, f in all_f1.items() if f == all_f1[found])


# Offsets and skipping


def test_offsets_by_hand_in_seconds() -> None:
    # Starts off by −1, +2, +5; ends by 0, +1, +5. The empty cue has no offset.
    truth = [(10, 12), (20, 24), (30, 34), (40, 42)]
    scores = by_name(score_alignment([episode([(9, 12), (22, 25), (35, 39), (0, 0)], truth)]))
    for name, value in {
        "start offset mean": 2,
        "start offset median": 2,
        "end offset mean": 2,
        "end offset median": 1,
        "absolute start offset mean": 8 / 3,
        "absolute start offset median": 2,
        "absolute end offset mean": 2,
        "absolute end offset median": 1,
    }.items():
        assert scores[name].value == pytest.approx(value), name
        assert (scores[name].unit, scores[name].n) == ("s", 3)
        assert scores[name].signature.startswith("offset:hypothesis-truth|empty:excluded")


def test_skipped_cues_are_judged_by_what_is_marked_not_signed() -> None:
    truth = [(10.0, 12.0)] * 6
    notes = {0: "a [not signed]", 1: "b [NOT SIGNED]", 2: "c [NOT SURE WHERE]"}
    # Skipped: one that is not signed, one nobody could place (not judged), two that are signed.
    skipped = [(0.0, 0.0), (10.0, 12.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (10.0, 12.0)]
    scores = by_name(score_alignment([episode(skipped, truth, notes)]))
    assert (scores["skip precision"].value, scores["skip precision"].n) == (
        pytest.approx(100 / 3),
        3,
    )
    assert (scores["skip recall"].value, scores["skip recall"].n) == (50, 2)
    assert not [n for n in values(episode(truth, truth, notes)) if "skip" in n]


# Episodes and intervals


def several() -> list[AlignedEpisode]:
    rng = np.random.default_rng(3)
    found = []
    for k in range(5):
        starts = np.cumsum(rng.uniform(2, 5, 4 + k))
        truth = [
            (float(s), float(s + d)) for s, d in zip(starts, rng.uniform(1, 3, 9), strict=False)
        ]
        lag = rng.normal(0, 1) + rng.normal(0, 0.3, len(truth))
        found.append(
            episode(
                [(a + d, b + d) for (a, b), d in zip(truth, lag, strict=True)], truth, name=str(k)
            )
        )
    return found


def test_scores_are_pooled_over_cues_and_classes_not_averaged_over_episodes() -> None:
    right, wrong = episode([(0, 2)], [(0, 2)]), episode([(9, 10)] * 3, [(0, 2), (3, 4), (5, 6)])
    found = values(right, wrong, fps=1.0)
    # One true positive; 3 misses; of three equal cues the last alone is painted.
    assert found["F1@.50"] == pytest.approx(100 * 2 / (2 + 1 + 3))
    # Classes: background 1 and 11 of 12, cues 1, 0, 0, 0.
    assert found["CB-Acc"] == pytest.approx(100 * (1 + 11 / 12 + 1) / 6)


def test_intervals_resample_episodes() -> None:
    episodes = several()
    scores = by_name(score_alignment(episodes))
    alone = [
        np.array([c.span.start - t.span.start for c, t in zip(e.hypothesis, e.truth, strict=True)])
        for e in episodes
    ]
    drawn = np.random.default_rng(12345).choice(5, size=(1000, 5))
    for middle in (np.mean, np.median):
        resampled = sorted(middle(np.concatenate([alone[e] for e in row])) for row in drawn)
        score = scores[f"start offset {middle.__name__}"]
        assert score.value == pytest.approx(middle(np.concatenate(alone)))
        assert score.ci95 == pytest.approx((resampled[25], resampled[974]))
    frames = np.array([round(25 * (e.truth[-1].span.end + 10)) for e in episodes])
    right = frames * [values(e)["frame accuracy"] for e in episodes]
    resampled = sorted(right[row].sum() / frames[row].sum() for row in drawn)
    assert scores["frame accuracy"].ci95 == pytest.approx((resampled[25], resampled[974]))
    assert {score.episodes for score in scores.values()} == {5}


def test_one_episode_has_no_interval() -> None:
    for score in score_alignment(several()[:1]):
        assert score.episodes == 1
        assert score.ci95 == (score.value, score.value)


def test_episodes_alone() -> None:
    none = episode([(0, 2)], [(0, 2)], {0: "[NOT SIGNED]"}, name="silent")
    found = score_episodes([*several(), none])
    assert [e.name for e in found] == ["0", "1", "2", "3", "4", "silent"]
    assert (found[-1].n, found[-1].f1_50) == (0, None)
    assert found[2].f1_50 == pytest.approx(values(several()[2])["F1@.50"])


def test_unit_and_episodes_travel_in_json_and_sentences_stay_as_they_were() -> None:
    for score in score_alignment(several()):
        again = Score.from_json(score.to_json())
        assert (again.unit, again.episodes) == (score.unit, 5)
        assert ("unit" in score.to_json()) == ("offset" in score.name)
    assert "episodes" not in score_translation(["a"], ["a"])[0].to_json()


# Baselines


def test_planted_offsets_and_stretches_are_found() -> None:
    truth = [(10.0, 12.0), (13.5, 15.0), (18.0, 21.0), (40.0, 43.0)]

    def lagging(by: float, name: str) -> AlignedEpisode:
        prior = [(a - by, b - by) for a, b in truth]
        return episode(prior, truth, prior=prior, name=name)

    late = [lagging(4.0, "a"), lagging(4.0, "b"), lagging(-3.0, "c")]
    assert best_constant_offset(late[:2]) == pytest.approx(4, abs=0.8)
    found = {name: by_name(scores) for name, scores in baselines(late).items()}
    constant = next(name for name in found if name.startswith("best constant offset ("))
    assert list(found) == [
        "nothing placed",
        "input timing",
        constant,
        "best constant offset per episode (oracle)",
        "linear stretch (oracle)",
    ]
    assert 60 < found[constant]["F1@.50"].value < 100
    assert found["best constant offset per episode (oracle)"]["F1@.50"].value == 100
    assert found["input timing"]["start offset median"].value == -4
    assert found["linear stretch (oracle)"]["frame accuracy"].value == 100
    # Bracketed cues have no say in the line.
    line = [(1.25 * a - 7, 1.25 * b - 7) for a, b in truth]
    stretched = linear_stretch(episode(line, [*truth[:3], (0, 1)], {3: "[LOST]"}, prior=line))
    assert [(c.span.start, c.span.end) for c in stretched[:3]] == [
        pytest.approx(pair) for pair in truth[:3]
    ]


def test_of_equal_offsets_the_smallest_is_taken() -> None:
    # Any offset within ±0.5 s or so hits at .50: none is needed.
    assert best_constant_offset([episode([(5, 8)], [(5, 8)], prior=[(5.3, 8.3)])]) == 0
    # Nothing can be hit: none helps.
    assert best_constant_offset([episode([(5, 8)], [(5, 8)], prior=[(90, 99)])]) == 0


def test_a_stretch_without_a_line_is_an_offset() -> None:
    one = episode([(5, 8)], [(5, 8)], prior=[(1, 3)])
    assert linear_stretch(one)[0].span == Span(5.5, 7.5)
    backwards = episode([(0, 2), (4, 6)], [(10, 12), (4, 6)], prior=[(0, 2), (4, 6)])
    assert [c.span for c in linear_stretch(backwards)] == [Span(5.0, 7.0), Span(9.0, 11.0)]


def test_without_input_timing_only_nothing_placed_is_a_baseline() -> None:
    assert list(baselines(several())) == ["nothing placed"]
    with pytest.raises(UsageError, match="episode '0' has no input timing"):
        best_constant_offset(several())


# Errors


def test_what_cannot_be_scored_is_named() -> None:
    with pytest.raises(UsageError, match="episode '12' has 2 cues in its hypothesis and 1 in its"):
        score_alignment([episode([(0, 1)] * 2, [(0, 1)])])
    with pytest.raises(UsageError, match="episode '12' has 0 cues in its hypothesis and 0 in its"):
        score_alignment([episode([], [])])
    with pytest.raises(UsageError, match="has 1 cues in its prior and 2 in its truth"):
        baselines([episode([(0, 1)] * 2, [(0, 1)] * 2, prior=[(0, 1)])])
    with pytest.raises(UsageError, match="none of the 2 truth cues in 1 episodes can be scored"):
        score_alignment([episode([(0, 1)] * 2, [(0, 1), (3, 3)], {0: "[?]"})])
    with pytest.raises(UsageError, match="episode '12' ends at 10000000010 s by its truth"):
        score_alignment([episode([(0, 1)], [(0, 1e10)])])
    with pytest.raises(UsageError, match="fps is 0, expected 1 to 1000"):
        score_alignment([episode([(0, 1)], [(0, 1)])], fps=0.0)
