"""Simulated beside real hand motion: python -m benchmarks.simulated_vs_real FOLDER [clips].

FOLDER holds WLASL's hands (hands_xy_f16.npz, index.csv): two detected hands a
frame, 21 xy each in pictures, NaN where none was found. Prints a table of
statistics and how well a classifier tells windows of simulated from windows of
real hand motion (AUC, 5 folds by clip), with the features that give it away.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signloom.data.layouts import HANDS42
from signloom.simulator.camera import camera_of, tracker_of
from signloom.simulator.perform import Performed, perform
from signloom.simulator.phonology import draws, sign_of
from signloom.simulator.render import render
from signloom.simulator.signer import signer_of

WINDOW = 16
TIPS, KNUCKLES = [4, 8, 12, 16, 20], [5, 9, 13, 17]
BONES = {
    "palm": [(0, 5), (0, 9), (0, 13), (0, 17)],
    "first bones": [(5, 6), (9, 10), (13, 14), (17, 18)],
    "last bones": [(7, 8), (11, 12), (15, 16), (19, 20)],
    "thumb": [(1, 2), (2, 3), (3, 4)],
}
Array = NDArray[np.float64]


def real_clips(folder: Path, count: int) -> list[Array]:
    """(frames, 2, 21, 2) of training clips, evenly chosen."""
    rows = [r for r in csv.DictReader((folder / "index.csv").open()) if r["subset"] == "train"]
    xy = np.load(folder / "hands_xy_f16.npz")["xy"]
    chosen = [rows[i] for i in np.linspace(0, len(rows) - 1, count).astype(int)]
    return [
        xy[int(r["offset"]) : int(r["offset"]) + int(r["n_frames"])].astype(float) for r in chosen
    ]


def simulated_clips(count: int) -> list[Array]:
    """(frames, 2, 21, 2) of simulated dictionary signs, in pictures, NaN where lost."""
    clips = []
    for i in range(count):
        rng = draws("simulated or real", i)
        signer = signer_of(99, i % 60)
        performance = perform([Performed(sign_of(f"word {i}", 1))], signer, rng, citation=True)
        clip = render(performance, signer, camera_of(rng), tracker_of(rng), rng, HANDS42)
        points = (clip.points[..., :2] / clip.size).astype(float)
        points[~clip.present] = np.nan
        clips.append(points.reshape(-1, 2, 21, 2).astype(np.float16).astype(float))
    return clips


def runs(clip: Array) -> list[Array]:
    """The stretches (frames ≥ WINDOW, 21, 2) in which one hand stays found and does not jump."""
    found = []
    for hand in range(2):
        points = clip[:, hand]
        seen = ~np.isnan(points[:, 0, 0])
        size = np.nanmedian(_size(points[seen])) if seen.any() else 1.0
        jump = np.linalg.norm(np.diff(points[:, 0], axis=0, prepend=points[:1, 0]), axis=-1) > size
        breaks = np.flatnonzero(~seen | jump)
        for first, last in zip(np.r_[-1, breaks], np.r_[breaks, len(points)], strict=True):
            if last - first - 1 >= WINDOW:
                found.append(points[first + 1 : last])
    return found


def _size(points: Array) -> Array:
    return np.linalg.norm(points[..., 9, :] - points[..., 0, :], axis=-1)


def motion_features(window: Array) -> dict[str, float]:
    """What is told of a (16, 21, 2) window; lengths in palms (wrist to middle knuckle), a frame."""
    hand = (window - window[:, :1].mean(0)) / np.median(_size(window))
    wrist, local = hand[:, 0], hand - hand[:, :1]
    features: dict[str, float] = {}
    for name, track in (
        ("wrist", wrist[:, None]),
        ("knuckles", local[:, KNUCKLES]),
        ("tips", local[:, TIPS]),
    ):
        velocity = np.diff(track, axis=0)
        speed = np.linalg.norm(velocity, axis=-1).mean(1)
        change = np.linalg.norm(np.diff(velocity, axis=0), axis=-1).mean(1)
        rough = track[2:-2] - (track[:-4] + track[1:-3] + track[2:-2] + track[3:-1] + track[4:]) / 5
        fine = np.diff(track, 3, axis=0)
        power = (np.abs(np.fft.rfft(fine, axis=0)) ** 2).sum((1, 2))
        features |= {
            f"{name} speed": float(speed.mean()),
            f"{name} top speed": float(speed.max()),
            f"{name} least speed": float(speed.min()),
            f"{name} acceleration": float(np.median(change)),
            f"{name} roughness": float(np.sqrt((rough**2).mean())),
            f"{name} fine noise": float(np.median(np.abs(fine))),
            f"{name} noise colour": float(power[5:].sum() / max(power.sum(), 1e-12)),
        }
    size = _size(hand)
    features["size change"] = float(size.std())
    together = np.diff(local[:, TIPS], axis=0)
    whole = np.linalg.norm(together.mean(1), axis=-1).mean()
    features["fingers together"] = float(
        whole / max(np.linalg.norm(together, axis=-1).mean(), 1e-9)
    )
    for name, bones in BONES.items():
        lengths = np.stack([np.linalg.norm(hand[:, a] - hand[:, b], axis=-1) for a, b in bones])
        features[f"{name} spread"] = float(
            (lengths.std(1) / np.maximum(lengths.mean(1), 1e-6)).mean()
        )
    return features


def shape_features(window: Array) -> dict[str, float]:
    """How the hand looks in the middle of a window, beside how it moves."""
    hand = window[WINDOW // 2]
    hand = (hand - hand[0]) / max(_size(hand), 1e-6)
    features = {
        f"{name} length": float(np.mean([np.linalg.norm(hand[a] - hand[b]) for a, b in bones]))
        for name, bones in BONES.items()
    }
    features |= {"fingers point x": abs(float(hand[9, 0])), "fingers point y": float(hand[9, 1])}
    features |= {f"tip {i} reach": float(np.linalg.norm(hand[i])) for i in TIPS}
    return features


def windows(clips: list[Array]) -> tuple[list[Array], list[int]]:
    found, owner = [], []
    for number, clip in enumerate(clips):
        for run in runs(clip):
            for start in range(0, len(run) - WINDOW + 1, WINDOW):
                found.append(run[start : start + WINDOW])
                owner.append(number)
    return found, owner


def statistics(clips: list[Array]) -> dict[str, float]:
    """What the table shows of one set of clips."""
    seen = [~np.isnan(clip[:, :, 0, 0]) for clip in clips]
    hands = np.concatenate([s.sum(1) for s in seen])
    active = np.concatenate(
        [s[s.any(1).argmax() : len(s) - s[::-1].any(1).argmax()] for s in seen if s.any()]
    )
    found, _ = windows(clips)
    table = {
        "frames a clip (median)": float(np.median([len(c) for c in clips])),
        "frames with no hand": float((hands == 0).mean()),
        "frames with one hand": float((hands == 1).mean()),
        "frames with two hands": float((hands == 2).mean()),
        "no hand between first and last seen": float((~active.any(1)).mean()),
        "frames a gap lasts (mean)": float(np.mean([g for s in seen for g in _gaps(s)] or [0])),
    }
    rows = [motion_features(w) for w in found]
    for name in (
        "wrist speed", "wrist top speed", "wrist acceleration", "wrist fine noise",
        "wrist noise colour", "knuckles fine noise", "tips speed", "tips fine noise",
        "tips noise colour", "size change", "palm spread", "first bones spread",
        "last bones spread", "thumb spread",
    ):  # fmt: skip
        values = [row[name] for row in rows]
        low, middle, high = np.percentile(values, (10, 50, 90))
        table[f"{name} p10"], table[f"{name} p50"], table[f"{name} p90"] = low, middle, high
    return table


def _gaps(seen: NDArray[np.bool_]) -> list[int]:
    """Lengths of the stretches in which a hand that comes back is lost."""
    found = []
    for hand in seen.T:
        at = np.flatnonzero(hand)
        found += [int(gap) - 1 for gap in np.diff(at) if gap > 1]
    return found


def compare(
    real: list[Array], simulated: list[Array], shape: bool
) -> tuple[float, list[tuple[str, float]], int]:
    """AUC over 5 folds by clip, the features that single-handedly tell most, and the windows."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict

    table, labels, groups = [], [], []
    for label, clips in enumerate((real, simulated)):
        found, owner = windows(clips)
        for window, number in zip(found, owner, strict=True):
            row = motion_features(window)
            table.append(row | shape_features(window) if shape else row)
            labels.append(label)
            groups.append(number * 2 + label)
    values = np.array([list(row.values()) for row in table])
    model = HistGradientBoostingClassifier(max_iter=120, random_state=0)
    scores = cross_val_predict(
        model, values, labels, groups=groups, cv=GroupKFold(5), method="predict_proba"
    )[:, 1]
    single = {name: roc_auc_score(labels, values[:, i]) for i, name in enumerate(table[0])}
    telling = sorted(single.items(), key=lambda item: -abs(item[1] - 0.5))
    return float(roc_auc_score(labels, scores)), telling[:8], len(labels)


def main() -> None:
    folder = Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    real, simulated = real_clips(folder, count), simulated_clips(count)
    print(f"| {count} clips each | real | simulated |\n|---|---|---|")
    one, other = statistics(real), statistics(simulated)
    for name in one:
        print(f"| {name} | {one[name]:.4g} | {other[name]:.4g} |")
    for shape in (False, True):
        auc, telling, number = compare(real, simulated, shape)
        what = "motion and shape" if shape else "motion"
        print(f"\nAUC, {what}: {auc:.3f} ({number} windows of {WINDOW} frames, 5 folds by clip)")
        print(
            "gives it away (AUC alone; above 0.5: more in simulated): "
            + ", ".join(f"{n} {a:.2f}" for n, a in telling)
        )


if __name__ == "__main__":
    main()
