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

    def read(file: Path) -> None:
        unread_columns(file)
        for source in manifest_sources(file).values():
            for i in range(min(len(source), 3)):
                _ = source[i]

    _both(read, *(folder / name for name in ("m.tsv", "m.csv", "m.jsonl")))


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
    """The checkpoint's graphs; config.json has their sha256, so that a changed one is not even parsed."""
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


def _make_report(folder: Path) -> list[str]:
    from signloom.pose.files import write_pose

    write_pose(clip(50), folder / "a.pose")
    cues = [
        {"number": n, "text": text, "new": {"start": n / 2, "end": n / 2 + 0.4}, "confidence": 0.9,
         "flags": ["low"]}
        for n, text in enumerate(TEXTS, start=1)
    ]  # fmt: skip
    (folder / "a.report.json").write_text(
        json.dumps({"duration": 2.0, "timecode": 0, "cues": cues})
    )
    return ["a.report.json"]


def _read_report(folder: Path) -> None:
    from signloom.corpora.episodes import read_report

    read_report(folder / "a.report.json", folder / "a.pose")


def _make_tokens(folder: Path) -> list[str]:
    from signloom.cli.tokens import _write

    clips = [{"input": "a.pose", "simulated": True, "ids": [1, 2, 3]}]
    told = {"format": 1, "codebook": "a" * 64, "fps": 25.0, "clips": clips}
    for name in ("a.json", "a.npz"):
        _write(folder / name, told, False)
    return ["a.json", "a.npz"]


def _read_tokens(folder: Path) -> None:
    from signloom.cli.tokens import _tokens

    _both(_tokens, folder / "a.json", folder / "a.npz")


def _both(read: Callable[[Path], Any], *files: Path) -> None:
    """Reads all files; raises what was wrong with the last that could not be read."""
    from signloom.errors import SignloomError

    wrong = None
    for file in files:
        try:
            read(file)
        except SignloomError as error:
            wrong = error
    if wrong is not None:
        raise wrong


# --- texts, lexicons, published pickles, videos --------------------------------------------------


def _make_sentences(folder: Path) -> list[str]:
    import gzip
    import zipfile

    plain = "\n".join(TEXTS) + "\n"
    (folder / "a.txt").write_text(plain)
    (folder / "a.tsv").write_text("id\ttext\n" + "".join(f"1\t{text}\n" for text in TEXTS))
    (folder / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    (folder / "a.txt.gz").write_bytes(gzip.compress(plain.encode() * 20, mtime=0))
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", plain * 20)
    return ["a.txt", "a.tsv", "a.jsonl", "a.txt.gz", "a.zip"]


def _read_sentences(folder: Path) -> None:
    from signloom.text.sentences import read_sentences

    names = ("a.txt", "a.tsv", "a.jsonl", "a.txt.gz", "a.zip")
    _both(lambda file: list(read_sentences(file)), *(folder / name for name in names))


def _make_lexicon(folder: Path) -> list[str]:
    from signloom.pose.files import write_pose

    write_pose(clip(), folder / "a.pose")
    columns = "path,spoken_language,signed_language,start,end,words,glosses,priority"
    rows = 'a.pose,en,one,0,0,dog,DOG,0\na.pose,en,one,40,160,"cat",CAT,1\n'
    (folder / "index.csv").write_text(f"{columns}\n{rows}")
    return ["index.csv", "a.pose"]


def _read_lexicon(folder: Path) -> None:
    from signloom.corpora.folder_lexicon import folder_lexicon

    lexicon = folder_lexicon(folder)
    for word in lexicon.words:
        lexicon.clip(word)


def _make_pickle(folder: Path) -> list[str]:
    import gzip
    import pickle

    samples = [
        {"name": str(i), "signer": "ann", "gloss": "A B", "text": text, "sign": np.ones((2, 4))}
        for i, text in enumerate(TEXTS)
    ]
    (folder / "a.pkl").write_bytes(pickle.dumps(samples, 4))
    (folder / "b.pkl.gz").write_bytes(gzip.compress(pickle.dumps(samples, 2), mtime=0))
    return ["a.pkl", "b.pkl.gz"]


def _read_pickle(folder: Path) -> None:
    from signloom.corpora.pickled import read_pickle

    _both(read_pickle, folder / "a.pkl", folder / "b.pkl.gz")


def _make_video(folder: Path) -> list[str]:
    from tests.extract.videos import coded, write_video

    for name in ("a.mp4", "a.webm", "a.gif"):
        write_video(folder / name, coded(range(10)))
    return ["a.mp4", "a.webm", "a.gif"]


def _read_video(folder: Path) -> None:
    """What extraction asks of its other process before it looks for anybody: the first pictures."""
    from signloom.extract.pictures import pictures
    from signloom.extract.video import probe

    def read(file: Path) -> None:
        for _ in pictures(file, probe(file), 32):
            pass

    _both(read, *(folder / name for name in ("a.mp4", "a.webm", "a.gif")))


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
    "report": Kind(_make_report, _read_report, ("corpora.episodes",)),
    "tokens": Kind(_make_tokens, _read_tokens, ("cli.tokens",)),
    "sentences": Kind(_make_sentences, _read_sentences, ("text.sentences",)),
    "lexicon": Kind(_make_lexicon, _read_lexicon, ("corpora.folder_lexicon", "corpora.tables")),
    "pickle": Kind(_make_pickle, _read_pickle, ("corpora.pickled",)),
    "video": Kind(_make_video, _read_video, ("extract.video",)),
}
