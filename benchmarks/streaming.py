"""How long a stream waits before it says a gloss: python -m benchmarks.streaming MODEL STORE.

MODEL is a ctc that reads in chunks (preset stream). Frames of each clip are pushed one by one into
`signloom.methods.ctc.Stream`, on one thread. A gloss has two delays, in seconds of the clip:

    sign    from the end of its sign to when it is said, for glosses of the output that alignment
            with the reference matches, where the corpus knows when signs end
    own     from the last frame that the whole clip's likeliest alignment of the output gives it

Beside them stand the stated look-ahead, the processor time of a frame as a share of the time that it
lasts (real-time factor: below 1 keeps up), and on how many clips the stream said what `translate` says of
the whole clip; where it did not on any, the exit code is 1. STORE may be a folder of .pose files,
which say nothing of signs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from signloom.cli.receipt import commit, hardware
from signloom.corpora.store import is_store, open_store
from signloom.data.clip import PoseClip
from signloom.data.files import writing
from signloom.data.sample import Sample, gloss_sentence
from signloom.errors import SignloomError, UsageError
from signloom.inference.translate import refuse_untrusted
from signloom.methods.ctc import Ctc, Stream
from signloom.methods.load import load
from signloom.pose.files import read_pose


@dataclass(frozen=True)
class Said:
    """What a stream made of a clip.

    glosses, times: what was said, and when on the clip's clock. late: how many of them only when
    the clip was over. pushes: seconds that each frame took, and the end.
    """

    glosses: tuple[str, ...]
    times: tuple[float, ...]
    late: int
    pushes: tuple[float, ...]


def streamed(model: Ctc, clip: PoseClip, beam: int | None) -> Said:
    """The clip, frame by frame."""
    stream = Stream(model, clip.fps, beam)
    glosses: list[str] = []
    times: list[float] = []
    pushes = []
    for frame in range(len(clip) + 1):
        one = clip.frames(slice(frame, frame + 1))
        started = time.process_time()
        new = stream.push(one) if len(one) else stream.finish()
        pushes.append(time.process_time() - started)
        glosses += new
        times += [min(frame + 1, len(clip)) / clip.fps] * len(new)
    return Said(tuple(glosses), tuple(times), len(new), tuple(pushes))


def own_ends(model: Ctc, clip: PoseClip, glosses: Sequence[str]) -> list[float]:
    """When each gloss is over in the likeliest alignment of all of them with the whole clip."""
    points, mask = model.preparation.padded([model.preparation.points(clip)])
    with torch.inference_mode():
        logits, there = model(points, mask)
    log_p = logits[0, : int(there.sum())].double().log_softmax(-1).numpy()
    labels = [model.codec.encode(gloss)[0] for gloss in glosses]
    ends = label_ends(log_p, labels, model.codec.pad)
    return [min((end + 1) * model.config.stride / clip.fps, clip.duration) for end in ends]


def label_ends(log_p: NDArray[np.float64], labels: Sequence[int], blank: int) -> list[int]:
    """The last frame of each label on the likeliest CTC path that reads ``labels``; (time, classes)."""
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]  # a blank between two labels may be left out
    never = np.full(len(states), -np.inf)
    score, came = never.copy(), np.zeros((len(log_p), len(states)), int)
    score[:2] = log_p[0, states[:2]]
    for frame in range(1, len(log_p)):
        back = np.stack([score, never, never])
        back[1, 1:] = score[:-1]
        back[2, 2:] = np.where(skips[2:], score[:-2], -np.inf)
        came[frame] = back.argmax(0)
        score = back.max(0) + log_p[frame, states]
    state = len(states) - 1 - int(len(labels) > 0 and score[-2] > score[-1])
    ends = [0] * len(labels)
    for frame in reversed(range(len(log_p))):
        if state % 2:
            ends[state // 2] = max(ends[state // 2], frame)
        state -= int(came[frame, state])
    return ends


def sign_delays(said: Said, sample: Sample) -> Iterator[float]:
    """Of each gloss that is right and whose sign's end is known: how long after it was said."""
    import jiwer

    true = gloss_sentence(span.gloss for span in sample.glosses)
    if not true or not said.glosses:
        return
    split = jiwer.Compose([jiwer.ReduceToListOfListOfWords()])
    found = jiwer.process_words(true, " ".join(said.glosses), split, split)
    for chunk in found.alignments[0]:
        if chunk.type != "equal":
            continue
        places = zip(
            range(chunk.ref_start_idx, chunk.ref_end_idx),
            range(chunk.hyp_start_idx, chunk.hyp_end_idx),
            strict=True,
        )
        for ours, theirs in places:
            if (span := sample.glosses[ours].span) is not None:
                yield said.times[theirs] - span.end


def measure(model: Ctc, samples: Iterator[Sample], beam: int | None) -> dict[str, Any]:
    """Every figure over the samples; clips without frames are passed over."""
    signs: list[float] = []
    own: list[float] = []
    pushes: list[float] = []
    seconds, clips, equal, glosses, late = 0.0, 0, 0, 0, 0
    look_ahead = 0.0
    for sample in samples:
        clip = sample.clip
        if not len(clip):
            continue
        look_ahead = max(look_ahead, Stream(model, clip.fps).look_ahead)
        said = streamed(model, clip, beam)
        whole = model.translate([clip], beam)[0].text
        clips, equal = clips + 1, equal + (" ".join(said.glosses) == whole)
        ends = own_ends(model, clip, said.glosses)
        own += [when - end for when, end in zip(said.times, ends, strict=True)]
        signs += sign_delays(said, sample)
        pushes += said.pushes
        seconds += clip.duration
        glosses, late = glosses + len(said.glosses), late + said.late
    if not clips:
        raise UsageError("there is no clip with frames to stream; give a split or folder with some")
    return {
        "clips": clips,
        "equal": equal,
        "glosses": glosses,
        "at_the_end": late,
        "look_ahead": round(look_ahead, 3),
        "sign": _spread(signs),
        "own": _spread(own),
        "real_time_factor": round(sum(pushes) / seconds, 5),
        "longest_push_ms": round(1e3 * max(pushes), 2),
    }


def _spread(delays: Sequence[float]) -> dict[str, float] | None:
    """How many, their median and 95th percentile in seconds; None for none."""
    if not delays:
        return None
    median, high = np.quantile(delays, [0.5, 0.95])
    return {"n": len(delays), "median": round(float(median), 3), "p95": round(float(high), 3)}


def samples_of(where: str, split: str, limit: int) -> Iterator[Sample]:
    """The first samples of a store's split, or of the .pose files of a folder by name."""
    if is_store(where):
        store = open_store(where, split)
        yield from (store[i] for i in range(min(limit, len(store))))
        return
    files = sorted(Path(where).glob("*.pose"))
    if not files:
        raise UsageError(f"{where} is no store, and has no .pose file; give one of both")
    yield from (Sample(file.stem, read_pose(file)) for file in files[:limit])


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where a stream said something else than the whole clip gives."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("model", help="checkpoint")
    parser.add_argument("store", help="store, or folder of .pose files")
    parser.add_argument("--split", default="test", help="(test)")
    parser.add_argument("--limit", type=int, default=200, help="clips, the first ones (200)")
    parser.add_argument("--beam", type=int, help="(the model's)")
    parser.add_argument("--allow-simulated", action="store_true", help="real clips too")
    parser.add_argument("-o", "--out", type=Path, help="JSON")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        model = load(asked.model)
        if not isinstance(model, Ctc):
            raise UsageError(f"{asked.model} does not stream; give a ctc trained in chunks")

        def trusted() -> Iterator[Sample]:
            for sample in samples_of(asked.store, asked.split, asked.limit):
                simulated = sample.clip.simulated
                refuse_untrusted(model, simulated, asked.allow_simulated, sample.id)
                yield sample

        found = measure(model, trusted(), asked.beam)
    except SignloomError as error:
        print(f"streaming: {error}", file=sys.stderr)
        return error.exit_code
    print(
        f"{found['clips']} clips, {found['glosses']} glosses, {found['at_the_end']} of them at the "
        f"end; the stream says what the whole clip gives on {found['equal']} of {found['clips']}"
    )
    print(f"look-ahead {found['look_ahead']:.2f} s")
    for name, of in (("sign", "the end of the sign"), ("own", "its last frame in the alignment")):
        if spread := found[name]:
            print(
                f"delay after {of}: median {spread['median']:.2f} s, 95th percentile "
                f"{spread['p95']:.2f} s (n {spread['n']})"
            )
    print(
        f"real-time factor {found['real_time_factor']:.4f}; the longest push "
        f"{found['longest_push_ms']:.1f} ms"
    )
    if asked.out:
        beam = asked.beam or model.config.beam
        said = {
            "model": model.name,
            "split": asked.split,
            "beam": beam,
            "chunk": model.config.chunk,
        }
        record = {"commit": commit(), "hardware": hardware(), **said, **found}
        with writing(asked.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n")
    return int(found["equal"] != found["clips"])


if __name__ == "__main__":
    sys.exit(main())
