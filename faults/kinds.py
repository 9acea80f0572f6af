"""The kinds of file that signloom reads: how a small whole one is made, and who reads it.

A kind lives in a folder of its own, in which one file at a time is damaged while the others
stay whole. Its reader may end in a SignloomError; anything else is a fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from signloom.data.clip import Origin, PoseClip
from signloom.data.cue import Cue
from signloom.data.layouts import HANDS42, PS76, Layout
from signloom.data.lips import CROP, Lips
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Span

TEXTS = ("the dog sees a house", "a cat sleeps", "rain in the north")


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    make: fills an empty folder with a whole example, and gives the names of the files that are to be
        damaged, one at a time.
    read: reads the folder's example as a command does.
    modules: what is the parser, whose lines are counted; begin with what lies under signloom.
    """

    make: Callable[[Path], list[str]]
    read: Callable[[Path], Any]
    modules: tuple[str, ...]


def clip(frames: int = 6, layout: Layout = HANDS42) -> PoseClip:
    """A clip drawn at random, with some keypoints missing."""
    rng = np.random.default_rng(frames)
    points = rng.random((frames, len(layout), 3)).astype(np.float32) * 100
    seen = (rng.random((frames, len(layout))) > 0.2).astype(np.float32)
    origin = Origin("simulator", "1", {"seed": 1})
    return PoseClip(points, seen, 25.0, layout, "clip", origin, (640, 480))


def lips(frames: int = 2) -> Lips:
    pixels = np.random.default_rng(1).integers(0, 255, (frames, CROP, CROP), np.uint8)
    return Lips(pixels, np.ones(frames, bool), 25.0, "clip", Origin("simulator", "1", {}))


# --- poses -----------------------------------------------------------------------------------


def _make_pose(folder: Path) -> list[str]:
    from signloom.pose.files import write_pose

    write_pose(clip(), folder / "a.pose")
    return ["a.pose"]


def _read_pose(folder: Path) -> None:
    from signloom.pose.files import read_header, read_pose, read_slices

    header = read_header(folder / "a.pose")
    whole = read_pose(folder / "a.pose")
    assert len(whole) == header.frames
    assert np.isfinite(whole.points).all()
    for part in read_slices(folder / "a.pose", max(header.duration / 2, 1e-3)):
        assert len(part) <= header.frames
        break
    read_pose(folder / "a.pose", Span(0.0, 0.05))


def _make_lips(folder: Path) -> list[str]:
    from signloom.pose.lip_files import write_lips

    write_lips(lips(), folder / "a.lips.safetensors")
    return ["a.lips.safetensors"]


def _read_lips(folder: Path) -> None:
    from signloom.pose.lip_files import read_lips

    read_lips(folder / "a.lips.safetensors")


# --- subtitles -------------------------------------------------------------------------------

ENDINGS = {
    "vtt": ".vtt", "srt": ".srt", "ass": ".ass", "ttml": ".ttml", "json": ".json", "eaf": ".eaf",
    "textgrid": ".TextGrid",
}  # fmt: skip


def _subtitles(format: str) -> Kind:
    """The reader also gives the file new times, and reads as many cues in what comes of it."""
    name = f"a{ENDINGS[format]}"

    def make(folder: Path) -> list[str]:
        from signloom.text.subtitles import compose

        cues = [
            Cue(Span(i + 0.5, i + 1.25), f"{text} & <{i}>", str(i)) for i, text in enumerate(TEXTS)
        ]
        (folder / name).write_bytes(compose(cues, format))
        return [name]

    def read(folder: Path) -> None:
        from signloom.text.subtitles import parse_subtitles, read_subtitles, retimed

        found = read_subtitles(folder / name)
        moved = [Span(cue.span.start + 1, cue.span.end + 1) for cue in found.cues]
        again = retimed(found, moved)
        if format not in ("eaf", "textgrid"):  # which have a tier more now
            assert len(parse_subtitles(again, format).cues) == len(found.cues)

    shared = ("text.subtitles", "text.formats.parsed", "text.formats.source", "text.formats.times")
    markup = ("text.formats.markup",) if format in ("eaf", "ttml") else ()
    own = f"text.formats.{'json_cues' if format == 'json' else format}"
    return Kind(make, read, (own, *markup, *shared))


# --- stores, tables, recipes -------------------------------------------------------------------


def _make_store(folder: Path) -> list[str]:
    from signloom.corpora.store import StoreWriter

    with StoreWriter(folder / "s", HANDS42) as writer:
        for i, text in enumerate(TEXTS):
            glosses = (GlossSpan("DOG", Span(0.0, 0.1)),)
            sample = Sample(str(i), clip(3 + i), text, glosses, "ann", "sim-1", False, None)
            writer.add(sample, "train" if i else "dev")
    return ["s/index.json", "s/train-00000.arrow"]


def _read_store(folder: Path) -> None:
    from signloom.corpora.store import open_store

    store = open_store(folder / "s")
    store.texts()
    store.glosses()
    _ = store.origin, store.simulated
    for i in range(len(store)):
        assert np.isfinite(store[i].clip.points).all()


def _make_manifest(folder: Path) -> list[str]:
    from signloom.pose.files import write_pose

    write_pose(clip(), folder / "a.pose")
    columns = "path\ttext\tstart\tend\tgloss\tsigner\tsplit\tlanguage\tid"
    rows = [f"a.pose\t{text}\t0\t0.2\tDOG HOUSE\tann\ttrain\tase\t{text}" for text in TEXTS]
    (folder / "m.tsv").write_text("\n".join([columns, *rows]) + "\n")
    (folder / "m.csv").write_text(
        'path,text,gloss\na.pose,"a ""dog"", here","DOG HERE"\na.pose,"two\nlines",\n'
    )
    lines = [
        {"path": "a.pose", "text": "dog", "gloss": [["DOG", 0, 0.1]], "id": "1"},
        {"path": "a.pose", "text": "cat", "start": 0, "end": 0.2, "glosses": ["CAT"], "id": "2"},
    ]
    (folder / "m.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return ["m.tsv", "m.csv", "m.jsonl"]


def _read_manifest(folder: Path) -> None:
    from signloom.corpora.manifest import manifest_sources, unread_columns
    from signloom.errors import SignloomError

    wrong = None
    for file in ("m.tsv", "m.csv", "m.jsonl"):
        try:
            unread_columns(folder / file)
            for source in manifest_sources(folder / file).values():
                for i in range(min(len(source), 3)):
                    _ = source[i]
        except SignloomError as error:
            wrong = error
    if wrong is not None:
        raise wrong


RECIPE = """\
name: a
method: posestitch
preset: tiny
config: {width: 96, steps: [1, 2], fps: 25}
data:
  train: {store: s, split: train}
  train_each: 3
  synthetic: {stitched: "sim:tiny", sentences: {texts_of: "sim:tiny", coverage: 0.5, one_word: 2}}
  dev: {mixed: [{percent: 100, source: {simulated: sentences, size: tiny, split: dev}}]}
curriculum: {kind: annealed_cap, steps: 200, cap: 0.85}
training:
  batch: 16
  lr: 1.0e-3
  stages: [{name: one, steps: 3, lr: 0.1}, {name: two, steps: 4, train: ["decoder*"]}]
seed: 1
"""


def _make_recipe(folder: Path) -> list[str]:
    (folder / "r.yaml").write_text(RECIPE)
    return ["r.yaml"]


def _read_recipe(folder: Path) -> None:
    from signloom.methods.recipe import read_recipe

    read_recipe(folder / "r.yaml").hash()


# --- models ------------------------------------------------------------------------------------

TINY = {
    "preset": "tiny", "front": 8, "width": 8, "encoder_layers": 1, "encoder_heads": 2,
    "encoder_inner": 8, "decoder_width": 8, "decoder_layers": 1, "decoder_heads": 2,
    "decoder_inner": 8, "max_tokens": 8, "max_frames": 8, "encoder_positions": 8, "vocabulary": 300,
}  # fmt: skip


def _make_checkpoint(folder: Path) -> list[str]:
    """Without the weights' sha256, behind which nothing else in the file would ever be looked at."""
    from signloom.methods.method import method_named
    from signloom.training.checkpoint import save_checkpoint

    method = method_named("posestitch")
    values = {key: value for key, value in TINY.items() if key != "preset"}
    config = method.Config.of({**method.PRESETS["tiny"].to_json(), **values})
    model = method.begin(config, TEXTS, 0)
    described = {"name": "a", **model.described(), "simulated_only": True, "languages": ["sim-1"]}
    save_checkpoint(folder / "c", described, model, model.tokenizer, "# a\n")
    config_file = folder / "c" / "config.json"
    said = json.loads(config_file.read_text())
    del said["weights"]["sha256"]
    config_file.write_text(json.dumps(said))
    return ["c/config.json", "c/model.safetensors", "c/tokenizer.json"]


def _read_checkpoint(folder: Path) -> None:
    from signloom.methods.load import load

    load(folder / "c").translate([clip(6, PS76)])


def _make_onnx(folder: Path) -> list[str]:
    """The checkpoint's graphs, without their sha256."""
    from signloom.methods.exported import export
    from signloom.methods.load import load
    from signloom.training.checkpoint import read_checkpoint

    _make_checkpoint(folder)
    export(load(folder / "c"), read_checkpoint(folder / "c"), folder / "o", False)
    return ["o/config.json", "o/encoder.onnx", "o/tokenizer.json"]


def _read_onnx(folder: Path) -> None:
    from signloom.methods.load import load

    load(folder / "o", onnx=True).translate([clip(6, PS76)])


def _make_state(folder: Path) -> list[str]:
    import torch

    from signloom.training.resume import Progress, save_state

    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    for step in (1, 2):
        save_state(folder / "states", Progress(step, fingerprint="f"), model, optimizer)
    state = "states/00000002"
    return [f"{state}/state.json", f"{state}/tensors.safetensors", "states/last"]


def _read_state(folder: Path) -> None:
    """The newest state that is whole is taken: never one that was damaged."""
    import torch

    from signloom.training.resume import load_state, newest_state

    found = newest_state(folder / "states")
    assert found is not None
    assert found[1].step in (1, 2)
    model = torch.nn.Linear(3, 2)
    load_state(found[0], model, torch.optim.AdamW(model.parameters()))


# --- what commands write about results -----------------------------------------------------------


def _make_predictions(folder: Path) -> list[str]:
    from signloom.inference.predictions import predictions, write_predictions

    ids = ["1", "2", "3"]
    found = predictions(ids, ["a"] * 3, TEXTS, TEXTS[::-1], "m", "test")
    write_predictions(folder / "p.jsonl", found)
    return ["p.jsonl"]


def _read_predictions(folder: Path) -> None:
    from signloom.inference.predictions import read_predictions

    read_predictions(folder / "p.jsonl")


KINDS: dict[str, Kind] = {
    "pose": Kind(_make_pose, _read_pose, ("pose.header", "pose.files")),
    "lips": Kind(_make_lips, _read_lips, ("pose.lip_files",)),
    **{format: _subtitles(format) for format in ENDINGS},
    "store": Kind(_make_store, _read_store, ("corpora.store",)),
    "manifest": Kind(
        _make_manifest, _read_manifest, ("corpora.manifest", "corpora.tables", "corpora.entries")
    ),
    "recipe": Kind(_make_recipe, _read_recipe, ("methods.recipe", "methods.settings")),
    "checkpoint": Kind(
        _make_checkpoint,
        _read_checkpoint,
        ("training.checkpoint", "methods.load", "methods.settings"),
    ),
    "onnx": Kind(_make_onnx, _read_onnx, ("methods.exported", "inference.onnx")),
    "state": Kind(_make_state, _read_state, ("training.resume",)),
    "predictions": Kind(_make_predictions, _read_predictions, ("inference.predictions",)),
}
