"""Draw simulated signs and faces as strips of frames: python -m benchmarks.draw_simulator [folder].

Needs matplotlib (a development tool of the project, not a dependency).
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from signloom.data.clip import PoseClip
from signloom.data.layouts import HAND_EDGES
from signloom.simulator.body import all_handshapes, hand_points
from signloom.simulator.camera import camera_of, tracker_of
from signloom.simulator.perform import Performed, perform
from signloom.simulator.phonology import HANDSHAPES, draws, letter_sign, sign_of
from signloom.simulator.render import render
from signloom.simulator.signer import signer_of

COLOUR = {"body": "0.35", "face": "0.55", "left_hand": "tab:orange", "right_hand": "tab:blue"}


def draw(axes: Axes, clip: PoseClip, frame: int, face_points: bool = False) -> None:
    """One frame of a clip as lines."""
    points, layout = clip.points[frame], clip.layout
    seen = clip.confidence[frame] > 0.3
    for part, colour in COLOUR.items():
        ends = [
            (a, b)
            for a, b in layout.edges
            if layout.articulators[a] == part and seen[a] and seen[b]
        ]
        lines = [points[list(pair), :2] for pair in ends]
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.7))
    if face_points:
        at = points[layout.part("face"), :2]
        axes.scatter(at[:, 0], at[:, 1], s=1, color="0.3")
    axes.set_aspect("equal")
    axes.axis("off")


def strip(axes: np.ndarray, clip: PoseClip, title: str, skip: int = 0) -> None:
    """Frames of a clip, evenly spaced, one to an axes."""
    width, height = clip.size
    for axis, frame in zip(
        axes, np.linspace(skip, len(clip) - 1 - skip, len(axes)).astype(int), strict=True
    ):
        draw(axis, clip, int(frame))
        axis.set_xlim(0.1 * width, 0.9 * width)
        axis.set_ylim(height, 0)
    axes[0].set_title(title, fontsize=7, loc="left")


def signed(words: list[str], signer: int, citation: bool) -> PoseClip:
    rng = draws("drawing", *words, signer)
    who = signer_of(1, signer)
    performance = perform([Performed(sign_of(w, 1)) for w in words], who, rng, citation=citation)
    return render(performance, who, camera_of(rng), tracker_of(rng), rng)


def draw_signs(path: Path) -> None:
    words = ["house", "rain", "mother", "read", "city", "slow"]
    figure, grid = plt.subplots(2 * len(words), 9, figsize=(8, 10))
    for row, word in enumerate(words):
        for other in (0, 1):
            clip = signed([word], 3 + 4 * other, True)
            strip(
                grid[2 * row + other],
                clip,
                f"{word}, signer {3 + 4 * other}, {len(clip)} frames",
                6,
            )
    save(figure, path)


def draw_sentence(path: Path) -> None:
    figure, grid = plt.subplots(4, 12, figsize=(10, 4))
    clip = signed(["yesterday", "mother", "house", "big", "see"], 5, False)
    middle = len(clip) - 1
    for axis, frame in zip(grid.ravel(), np.linspace(0, middle, 48).astype(int), strict=True):
        draw(axis, clip, int(frame))
        axis.set_xlim(0.1 * clip.size[0], 0.9 * clip.size[0])
        axis.set_ylim(clip.size[1], 0)
        axis.set_title(f"{frame / clip.fps:.2f} s", fontsize=5)
    save(figure, path)


def draw_handshapes(path: Path) -> None:
    figure, grid = plt.subplots(4, 11, figsize=(11, 5))
    hands = hand_points(all_handshapes(), np.ones(5))
    for axis, shape, hand in zip(grid.ravel(), HANDSHAPES, hands, strict=True):
        # Seen from the palm, a little from the thumb's side.
        x = -hand[:, 1] * 0.85 + hand[:, 2] * 0.5
        y = hand[:, 0]
        for a, b in HAND_EDGES:
            axis.plot([x[a], x[b]], [y[a], y[b]], color="tab:blue", linewidth=1)
        axis.set_aspect("equal")
        axis.set_xlim(-0.5, 0.6)
        axis.set_ylim(-0.05, 1.05)
        axis.axis("off")
        axis.set_title(shape.name, fontsize=7)
    save(figure, path)


def draw_faces(path: Path) -> None:
    figure, grid = plt.subplots(2, 6, figsize=(10, 4.4))
    for row, signer in enumerate((2, 5)):
        clip = signed(["mama", "foto", "piece"], signer, True)
        face = clip.part("face")
        for axis, frame in zip(
            grid[row], np.linspace(8, len(clip) - 9, 6).astype(int), strict=True
        ):
            draw(axis, clip, int(frame), face_points=True)
            at = clip.points[frame, face, :2]
            low, high = at.min(0), at.max(0)
            axis.set_xlim(low[0] - 8, high[0] + 8)
            axis.set_ylim(high[1] + 8, low[1] - 8)
    save(figure, path)


def draw_letters(path: Path) -> None:
    figure, grid = plt.subplots(2, 10, figsize=(10, 2.6))
    who, rng = signer_of(1, 3), draws("drawing letters")
    signs = [Performed(letter_sign(ch, 1), kind="letter") for ch in "anna"]
    clip = render(perform(signs, who, rng), who, camera_of(rng), tracker_of(rng), rng)
    strip(grid[0], clip, "a-n-n-a, fingerspelled", 6)
    strip(grid[1], signed(["rain"], 11, False), "rain, fluent", 2)
    save(figure, path)


def save(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout(pad=0.3)
    figure.savefig(path, dpi=78)
    plt.close(figure)
    print(f"{path} {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    draw_signs(folder / "simulated-signs.png")
    draw_sentence(folder / "simulated-sentence.png")
    draw_handshapes(folder / "simulated-handshapes.png")
    draw_faces(folder / "simulated-faces.png")
    draw_letters(folder / "simulated-letters.png")


if __name__ == "__main__":
    main()
