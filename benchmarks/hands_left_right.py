"""How well left is told from right: python -m benchmarks.hands_left_right [DATA]

Clips whose hands are known (SIGNLOOM_DATA, or ../shared/data) lose that
knowledge: the hands of every frame are put into slots in random order, as a
detector lists them. `assign_hands` gets them back. Its four weights are rounded
from regressions on half of the clips of each set, its other constants were chosen
on every fourth clip; the figures are of the clips that are not every fourth, so
half of these were seen in choosing four numbers. Beside it, two rules without memory: the hand further to the left of the picture is the right one
(a lone hand by the side of the picture it is on), and the order as given. Last,
real detections in detection order, against fits of the same videos.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signloom.pose.hands import assign_hands

Hands = NDArray[np.float32]
"""(frames, 2, 21, 2), ordered [left, right], NaN where a hand is not seen."""


def _slices(index: Path) -> list[slice]:
    with index.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [slice(int(r["offset"]), int(r["offset"]) + int(r["n_frames"])) for r in rows]


def google_isolated(data: Path) -> list[Hands]:
    """MediaPipe Holistic on phone videos, both kinds of dominant hand."""
    folder = data / "gislr_hello_thankyou"
    stored = np.load(folder / "landmarks_xy_f16.npz")
    at = {name: i for i, name in enumerate(stored["point_names"].tolist())}
    order = [[at[f"{side}_hand_{i}"] for i in range(21)] for side in ("left", "right")]
    points = stored["xy"].astype(np.float32)
    return [points[s][:, order] for s in _slices(folder / "index.csv")]


def wlasl_holistic(data: Path) -> list[Hands]:
    """MediaPipe Holistic on WLASL, at most 30 frames a clip."""
    folder = data / "wlasl50_holistic170"
    points = np.load(folder / "seq.npz")["x"][:, 44:].astype(np.float32)
    hands = points.reshape(-1, 2, 21, 3)[..., :2].copy()
    hands[(hands == 0).all(axis=(2, 3))] = np.nan
    return [hands[s] for s in _slices(folder / "index.csv")]


def wlasl_fitted(data: Path) -> list[Hands]:
    """SMPL-X fits to WLASL (256 × 256 pixels); a hand at the lower edge counts as not seen."""
    folder = data / "wlasl124_smplx"
    stored = np.load(folder / "pose.npz")
    hands = stored["kp2d_x16"][:, 64:106].astype(np.float32).reshape(-1, 2, 21, 2) / (16 * 256)
    hands[~stored["hand_valid"] | (hands[..., 1].mean(axis=2) > 0.92)] = np.nan
    return [hands[s] for s in _slices(folder / "index.csv")]


def as_detected(hands: Hands, rng: np.random.Generator) -> Hands:
    """The hands of each frame in random order, a lone hand in slot 0."""
    flip = rng.random(len(hands)) < 0.5
    slots = np.where(flip[:, None, None, None], hands[:, ::-1], hands)
    first_gone = np.isnan(slots[:, 0]).any(axis=(1, 2))
    slots[first_gone] = slots[first_gone][:, ::-1]
    return slots


def by_place(slots: Hands) -> Hands:
    """The rule without memory: who is further left in the picture is the right hand."""
    x = slots[..., 0].mean(axis=2)
    x = np.where(np.isnan(x), 1 - x[:, ::-1], x)  # an empty slot stands opposite the other
    out = slots.copy()
    out[x[:, 0] < x[:, 1]] = out[x[:, 0] < x[:, 1]][:, ::-1]
    return out


def score(
    truth: list[Hands], slots: list[Hands], rule: Callable[[Hands], Hands]
) -> dict[str, float]:
    """Shares right: of frames with a hand, of frames with two, of clips (every frame right, ≥ 90 %)."""
    frames, twos, clips = [], [], []
    start = time.perf_counter()
    named = [rule(s) for s in slots]
    seconds = time.perf_counter() - start
    for want, got in zip(truth, named, strict=True):
        seen = ~np.isnan(want).any(axis=(2, 3))
        right = ((want == got) | np.isnan(want) & np.isnan(got)).all(axis=(1, 2, 3))
        if seen.any():
            frames.append(right[seen.any(axis=1)])
            twos.append(right[seen.all(axis=1)])
            clips.append(frames[-1].mean())
    return {
        "clips": len(clips),
        "frames": sum(map(len, frames)),
        "frames_right": round(float(np.concatenate(frames).mean()), 4),
        "frames_of_two_right": round(float(np.concatenate(twos).mean()), 4),
        "clips_all_right": round(float(np.mean(np.array(clips) == 1)), 4),
        "clips_90_right": round(float(np.mean(np.array(clips) >= 0.9)), 4),
        "clips_per_second": round(len(truth) / seconds),
    }


def agreement_with_fits(data: Path) -> dict[str, float]:
    """The real slots of WLASL's hand clips against the SMPL-X fits of the same videos.

    The two were cut differently, so a fit is stretched to the clip's length and, per
    clip, moved and scaled onto it in x and y, taking for each frame the naming that fits
    better. Clips that do not come together (residual over 5 % of the picture, or a
    negative scale) are left out, and frames where both namings fit alike.
    """
    fits, clips = data / "wlasl124_smplx", data / "wlasl2000_hands"
    keypoints = np.load(fits / "pose.npz")["kp2d_x16"]
    detected = np.load(clips / "hands_xy_f16.npz")["xy"]
    at = {r: s for r, s in zip(_ids(clips), _slices(clips / "index.csv"), strict=True)}
    frames: list[NDArray[np.bool_]] = []
    shared = 0
    for name, fit in zip(_ids(fits), _slices(fits / "index.csv"), strict=True):
        if name not in at:
            continue
        shared += 1
        hands = assign_hands(detected[at[name]].astype(np.float32)).mean(axis=2)
        truth = keypoints[fit, 64:106].astype(np.float32).reshape(-1, 2, 21, 2).mean(axis=2)
        stretch = np.linspace(0, len(truth) - 1, len(hands)).round().astype(int)
        frames += _agreeing(hands, truth[stretch])
    return {
        "videos_in_both": shared,
        "clips": len(frames),
        "frames": sum(map(len, frames)),
        "frames_agree": round(float(np.concatenate(frames).mean()), 4),
        "clips_all_agree": round(float(np.mean([f.all() for f in frames])), 4),
    }


def _ids(folder: Path) -> list[str]:
    with (folder / "index.csv").open(newline="") as file:
        return [row["video_id"] for row in csv.DictReader(file)]


def _agreeing(hands: Hands, truth: Hands) -> list[NDArray[np.bool_]]:
    """[which clear frames agree], or [] where fit and clip do not come together; both (frames, 2, 2)."""
    seen = ~np.isnan(hands).any(axis=2)
    if seen.sum() < 10:
        return []
    best = (0.05**2, None)
    for start in (False, True):
        other = np.full(len(hands), start)
        for _ in range(15):
            named = np.where(other[:, None, None], truth[:, ::-1], truth)
            lines = [np.polyfit(named[..., k][seen], hands[..., k][seen], 1) for k in (0, 1)]
            placed = np.stack([np.polyval(lines[k], truth[..., k]) for k in (0, 1)], axis=-1)
            misses = [
                np.where(seen, ((hands - placed[:, ::way]) ** 2).sum(axis=2), 0).sum(axis=1)
                for way in (1, -1)
            ]
            other = misses[1] < misses[0]
        residual = float(np.minimum(*misses).sum() / seen.sum())
        if min(lines[0][0], lines[1][0]) > 0 and residual < best[0]:
            clear = np.abs(misses[0] - misses[1]) > 0.05**2 * seen.sum(axis=1)
            best = (residual, ~other[clear & seen.any(axis=1)])
    return [] if best[1] is None else [best[1]]


def measure(data: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Every set under every rule."""
    found = {}
    for read in (google_isolated, wlasl_holistic, wlasl_fitted):
        rng = np.random.default_rng(0)
        truth = [hands for i, hands in enumerate(read(data)) if i % 4]
        slots = [as_detected(hands, rng) for hands in truth]
        rules = {"assign_hands": assign_hands, "by place": by_place, "as given": lambda s: s}
        found[read.__name__] = {name: score(truth, slots, rule) for name, rule in rules.items()}
    found["wlasl_detections"] = {"assign_hands": agreement_with_fits(data)}
    return found


if __name__ == "__main__":
    default = os.environ.get("SIGNLOOM_DATA", "../shared/data")
    print(json.dumps(measure(Path(sys.argv[1] if len(sys.argv) > 1 else default)), indent=2))
