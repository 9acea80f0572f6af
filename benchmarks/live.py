"""How far live text is behind the signing, and how many streams a core holds: python -m benchmarks.live.

Frames of simulated episodes are pushed one by one into `signloom.inference.stream`, on one thread, and the
clock is kept by what that costs: frame k arrives at k / fps, waits while the session is at work, and what comes
out does so when the processor has spent its time on it. A frame that stands in a final text has a delay
from its arrival to that text (covered), and a phrase one from its last frame (end). Beside them: the
stated look-ahead, the seconds of stream that a processor second handles, with and without provisional texts,
and how near the phrases are to those that `signloom segment` finds in the whole recording. Glosses are
timed with an untrained ctc (preset stream): what it says means nothing, what it costs does.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from signloom.cli.receipt import commit, hardware
from signloom.data.clip import PoseClip
from signloom.data.files import writing
from signloom.data.timing import Span
from signloom.errors import SignloomError
from signloom.inference.stream import Live, Said, live
from signloom.inference.translate import refuse_untrusted
from signloom.methods import ctc
from signloom.methods.load import load
from signloom.pose.activity import activity, track
from signloom.simulator.episode import SimulatedEpisodes

NEAR = 0.3
"""Seconds by which both ends of two phrases may differ that count as one."""
PROVISIONAL = 2.0
TEXTS = [" ".join(f"G{k}" for k in range(first, first + 50)) for first in range(0, 500, 50)]
"""What the untrained model has for glosses."""


def streamed(session: Live, clip: PoseClip) -> tuple[list[tuple[Said, float]], float]:
    """(what is said, when on the clip's clock), and the processor seconds of it all."""
    said: list[tuple[Said, float]] = []
    now = spent = 0.0
    for frame in range(len(clip) + 1):
        piece = clip.frames(slice(frame, frame + 1))
        now = max(now, min(frame + 1, len(clip)) / clip.fps)
        began = time.process_time()
        new = session.push(piece) if len(piece) else session.finish()
        took = time.process_time() - began
        now, spent = now + took, spent + took
        said += [(each, now) for each in new]
    return said, spent


def measured(
    model: Any, task: Any, clips: Sequence[PoseClip], provisional: float
) -> dict[str, Any]:
    """Delays and speed over the clips."""
    covered: list[float] = []
    ends: list[float] = []
    seconds = spent = look_ahead = 0.0
    for clip in clips:
        session = live(model, task, clip.layout, clip.fps, provisional=provisional)
        look_ahead = session.look_ahead
        said, took = streamed(session, clip)
        seconds, spent = seconds + clip.duration, spent + took
        for each, when in said:
            if each.final:
                first, last = each.span.frames(clip.fps)
                covered += [when - (frame + 1) / clip.fps for frame in range(first, last)]
                ends.append(when - each.span.end)
    return {
        "look_ahead": round(look_ahead, 3),
        "covered": _spread(covered),
        "end": _spread(ends),
        "stream_seconds_a_processor_second": round(seconds / spent, 2),
        "streams_on_two_cores": int(2 * seconds / spent),
    }


def like_segment(clips: Sequence[PoseClip], finals: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """How the live phrases compare with those of the whole recordings."""
    same = frames = both = alive = whole = 0
    for clip, spans in zip(clips, finals, strict=True):
        offline = activity(track([clip])).phrases()
        marks = np.zeros((2, len(clip)), bool)
        for row, found in zip(marks, (spans, offline), strict=True):
            for span in found:
                row[slice(*span.frames(clip.fps))] = True
        same, frames = same + int((marks[0] == marks[1]).sum()), frames + len(clip)
        alive, whole = alive + len(spans), whole + len(offline)
        both += sum(
            any(abs(a.start - b.start) <= NEAR and abs(a.end - b.end) <= NEAR for b in offline)
            for a in spans
        )
    return {
        "frames_alike": round(same / frames, 4),
        "phrases_live": alive,
        "phrases_whole": whole,
        "of_them_alike": both,
        "within": NEAR,
    }


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    median, high = np.quantile(values, [0.5, 0.95])
    return {"n": len(values), "median": round(float(median), 3), "p95": round(float(high), 3)}


def measure(model: Any, clips: Sequence[PoseClip]) -> dict[str, Any]:
    """Every figure."""
    phrases = []
    for clip in clips:
        session = live(model, "translate", clip.layout, clip.fps, translate=lambda *_: "")
        phrases.append([s.span for s in session.push(clip) + session.finish()])
    glossing = ctc.begin(ctc.PRESETS["stream"], TEXTS, 0).eval()
    return {
        "model": model.name,
        "episodes": len(clips),
        "seconds": round(sum(clip.duration for clip in clips), 2),
        "fps": clips[0].fps,
        "translate": measured(model, "translate", clips, 0.0),
        "translate_provisional": measured(model, "translate", clips, PROVISIONAL),
        "glosses_untrained": {
            name: value
            for name, value in measured(glossing, "glosses", clips, 0.0).items()
            if name not in ("covered", "end")
        },
        "like_segment": like_segment(clips, phrases),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--model", default="bundled", help="a translator (bundled)")
    parser.add_argument("--size", default="small", help="of the simulated vocabulary (small)")
    parser.add_argument("--episodes", type=int, default=2, help="test episodes, the first (2)")
    parser.add_argument(
        "--seconds", type=float, default=120.0, help="of each, from its start (120)"
    )
    parser.add_argument("-o", "--out", type=Path, help="JSON")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        model = load(asked.model)
        episodes = SimulatedEpisodes(asked.size, "test")
        cut = Span(0.0, asked.seconds)
        clips = [episodes[k].clip().cut(cut) for k in range(asked.episodes)]
        refuse_untrusted(model, all(clip.simulated for clip in clips))
        found = measure(model, clips)
    except SignloomError as error:
        print(f"live: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{found['episodes']} simulated episodes, {found['seconds']:.0f} s, model {model.name}")
    for name in ("translate", "translate_provisional", "glosses_untrained"):
        of = found[name]
        print(
            f"{name}: look-ahead {of['look_ahead']:.2f} s; {of['stream_seconds_a_processor_second']:.1f} "
            f"stream seconds a processor second, {of['streams_on_two_cores']} streams on two cores"
        )
        for what in ("covered", "end"):
            if spread := of.get(what):
                print(
                    f"    delay, {what}: median {spread['median']:.2f} s, 95th percentile "
                    f"{spread['p95']:.2f} s (n {spread['n']})"
                )
    near = found["like_segment"]
    print(
        f"against signloom segment: {near['frames_alike']:.1%} of frames alike; {near['of_them_alike']} of "
        f"{near['phrases_live']} live phrases are among its {near['phrases_whole']}, both ends within "
        f"{NEAR} s"
    )
    if asked.out:
        record = {"commit": commit(), "hardware": hardware(), **found}
        with writing(asked.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
