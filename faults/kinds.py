"""The kinds of file that signloom reads: how a small whole one is made, and who reads it.

A kind lives in a folder of its own, in which one file at a time is damaged while the others
stay whole. Its reader may end in a SignloomError; anything else is a fault.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from signloom.data.clip import Origin, PoseClip
from signloom.data.cue import Cue
from signloom.data.layouts import HANDS42, PS76, SMPLX52, Layout
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
    "front": 8, "width": 8, "encoder_layers": 1, "encoder_heads": 2,
    "encoder_inner": 8, "decoder_width": 8, "decoder_layers": 1, "decoder_heads": 2,
    "decoder_inner": 8, "max_tokens": 8, "max_frames": 8, "encoder_positions": 8, "vocabulary": 300,
}  # fmt: skip


def _save(folder: Path, name: str, values: Mapping[str, Any], texts: Sequence[str]) -> list[str]:
    """A checkpoint of a method's preset tiny with other settings, and its files. Without the weights'
    sha256, behind which nothing else in the file would ever be looked at."""
    import torch

    from signloom.methods.method import method_named
    from signloom.training.checkpoint import save_checkpoint

    method = method_named(name)
    config = method.Config.of({**method.PRESETS["tiny"].to_json(), **values})
    model = method.begin(config, texts, 0)
    if name == "motion-vq":  # its codes are drawn from the first batch
        model.train()
        noise = np.random.default_rng(0).standard_normal((1, 64, model.config.inputs))
        model.vq(torch.from_numpy(noise.astype(np.float32)))
    described = {"name": "a", **model.described(), "simulated_only": True, "languages": ["sim-1"]}
    save_checkpoint(folder, described, model, model.tokenizer, "# a\n")
    config_file = folder / "config.json"
    said = json.loads(config_file.read_text())
    del said["weights"]["sha256"]
    config_file.write_text(json.dumps(said))
    names = ("config.json", "model.safetensors", "tokenizer.json")
    return [f"{folder.name}/{name}" for name in names if (folder / name).is_file()]


CHECKPOINT = ("training.checkpoint", "methods.load", "methods.settings")
"""Modules that read any checkpoint."""
CODES = {"codes": 8, "width": 8}


def _make_lslm(folder: Path) -> list[str]:
    """Its tokenizer stands in the same checkpoint; the folder it came from is no more."""
    _save(folder / "codes", "motion-vq", CODES, TEXTS)
    values = {
        "tokens": str(folder / "codes"), "vocabulary": 300, "language_width": 16, "language_layers": 1,
        "language_heads": 2, "language_inner": 16, "max_tokens": 4, "max_codes": 8, "beam": 2,
    }  # fmt: skip
    found = _save(folder / "c", "lslm", values, TEXTS)
    shutil.rmtree(folder / "codes")
    return found


def _asked(
    make: Callable[[Path], list[str]], module: str, layout: Layout, verb: str = "translate"
) -> Kind:
    """A checkpoint of a method, loaded and asked what it is for."""

    def read(folder: Path) -> None:
        from signloom.methods.load import load

        getattr(load(folder / "c"), verb)([clip(12, layout)])

    return Kind(make, read, (f"methods.{module}", *CHECKPOINT))


def _saved(
    name: str, values: Mapping[str, Any], texts: Sequence[str]
) -> Callable[[Path], list[str]]:
    return lambda folder: _save(folder / "c", name, values, texts)


def _read_codes(folder: Path) -> None:
    """Motion to codes and back."""
    from signloom.methods.load import load

    model = load(folder / "c")
    model.numbers(model.ids(model.read(Sample("a", clip(12, SMPLX52)))))


SIGNS = ("DOG SEE HOUSE", "CAT SLEEP", "RAIN NORTH")
SMALL = {"width": 8, "max_frames": 16}
MODELS: dict[str, Kind] = {
    "checkpoint": _asked(_saved("posestitch", TINY, TEXTS), "posestitch", PS76),
    "isolated": _asked(
        _saved("isolated", {"channels": 4, "width": 8, "layers": 1, "heads": 2, "head_width": 4}, TEXTS),
        "isolated", HANDS42, "recognize",
    ),
    "unified": _asked(
        _saved(
            "unified",
            {"channels": 4, "width": 8, "head_width": 4, "vocabulary": 300, "language_width": 8,
             "language_inner": 8, "language_layers": 1, "max_tokens": 4, "beam": 2},
            TEXTS,
        ),
        "unified", PS76,
    ),
    "autosign": _asked(
        _saved("autosign", {**SMALL, "layers": 1, "heads": 2, "inner": 8, "positions": 32, "max_tokens": 4}, SIGNS),
        "autosign", PS76,
    ),
    "ctc": _asked(_saved("ctc", {"max_frames": 16, "channels": [4, 8]}, SIGNS), "ctc", PS76),
    "semtext": _asked(
        _saved(
            "semtext",
            {**SMALL, "supervision": "none", "embedding": "", "encoder_layers": 1, "encoder_heads": 2,
             "encoder_inner": 8, "decoder_width": 8, "decoder_layers": 1, "decoder_heads": 2,
             "decoder_inner": 8, "vocabulary": 300, "max_tokens": 24, "beam": 2},
            TEXTS,
        ),
        "semtext", PS76,
    ),
    "motion-vq": Kind(
        _saved("motion-vq", CODES, TEXTS), _read_codes,
        ("methods.motion_tokens", *CHECKPOINT),
    ),
    "lslm": _asked(_make_lslm, "lslm", SMPLX52),
}  # fmt: skip
"""Checkpoints of every method; posestitch's is called checkpoint."""


def _make_onnx(folder: Path) -> list[str]:
    """The checkpoint's graphs; config.json has their sha256, so that a changed one is not even parsed."""
    from signloom.methods.exported import export
    from signloom.methods.load import load
    from signloom.training.checkpoint import read_checkpoint

    MODELS["checkpoint"].make(folder)
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


# --- arrays and tables that corpora are published as -----------------------------------------------


def _make_motion(folder: Path) -> list[str]:
    rng = np.random.default_rng(2)
    fits = (0.1 * rng.standard_normal((5, 182))).astype(np.float32)
    np.savez_compressed(folder / "a.npz", smplx=fits, fps=25)
    np.savez(folder / "b.npz", joints=rng.random((5, 52, 3), np.float32))
    return ["a.npz", "b.npz"]


def _read_motion(folder: Path) -> None:
    from signloom.corpora.smplx_files import read_motion

    _both(read_motion, folder / "a.npz", folder / "b.npz")


def _make_arrays(folder: Path) -> list[str]:
    """Fits of WLASL, hands of WLASL and Google's packed landmarks, each with its table."""
    rng = np.random.default_rng(3)
    fits, hands, points = folder / "fits", folder / "hands", folder / "points"
    for each in (fits, hands, points):
        each.mkdir()
    np.savez_compressed(
        fits / "pose.npz",
        kp2d_x16=rng.integers(0, 4000, (6, 106, 2), np.int16),
        conf_u8=rng.integers(0, 255, (6, 106), np.uint8),
        hand_valid=rng.random((6, 2)) > 0.5,
        frame_index=np.arange(6, dtype=np.int32),
        smplx_f16=(0.1 * rng.standard_normal((6, 182))).astype(np.float16),
    )
    (fits / "index.csv").write_text(
        "video_id,gloss,class_id,subset,in_wlasl100,in_wlasl300,n_frames,offset\n"
        "1,Book,7,train,1,1,3,0\n2,drink,8,val,0,1,3,3\n"
    )
    xy = rng.random((6, 2, 21, 2)).astype(np.float16)
    np.savez_compressed(hands / "hands_xy_f16.npz", xy=xy)
    (hands / "index.csv").write_text(
        "video_id,gloss,n_frames,offset,wlasl100,wlasl300,wlasl1000,wlasl2000\n"
        "1,Book,3,0,,,train,train\n2,drink,3,3,,,val,train\n"
    )
    names = [f"left_hand_{i}" for i in range(21)]
    np.savez_compressed(
        points / "landmarks_xy_f16.npz",
        xy=rng.random((6, 21, 2)).astype(np.float16),
        point_names=names,
    )
    (points / "train.csv").write_text(
        "path,participant_id,sequence_id,sign,offset,n_frames\n"
        "a/1.parquet,26734,1,TV,0,3\na/2.parquet,28656,2,hello,3,3\n"
    )
    return [str(file.relative_to(folder)) for file in sorted(folder.rglob("*.*"))]


def _read_arrays(folder: Path) -> None:
    from signloom.corpora import gislr, smplx_arrays
    from signloom.corpora.gislr import gislr as isolated_signs
    from signloom.corpora.wlasl_hands import WlaslHands
    from signloom.corpora.wlasl_smplx import wlasl_smplx

    for kept in (smplx_arrays._arrays, smplx_arrays._parameters, gislr._packed):
        kept.cache_clear()
    readers: tuple[Callable[[Path], Any], ...] = (
        lambda at: [*_sources(wlasl_smplx(at)), *_sources(wlasl_smplx(at, joints=True))],
        lambda at: [WlaslHands(at)],
        lambda at: _sources(isolated_signs(at)),
    )
    for reader, name in zip(readers, ("fits", "hands", "points"), strict=True):
        for source in reader(folder / name):
            for i in range(len(source)):
                assert np.isfinite(source[i].clip.points).all()


def _sources(corpus: Any) -> list[Any]:
    """A corpus's splits."""
    return list(corpus.sources(corpus.native_layout()).values())


def _make_published(folder: Path) -> list[str]:
    """A frame of OpenPose, a line of skels, a table of landmarks and a list as WLASL's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames = folder / "frames"
    frames.mkdir()
    person = {
        f"{part}_keypoints_2d": [1.5, 2.5, 0.5] * count
        for part, count in (("pose", 25), ("face", 70), ("hand_left", 21), ("hand_right", 21))
    }
    (frames / "a_000000000000_keypoints.json").write_text(json.dumps({"people": [person]}))
    numbers = np.random.default_rng(4).random((2, 151))
    numbers[:, -1] = (0, 0.5)
    line = " ".join(f"{n:.4f}" for n in numbers.ravel())
    (folder / "a.skels").write_text(line + "\n")
    rows = [(frame, i) for frame in range(2) for i in range(21)]
    table = {
        "frame": pa.array([frame for frame, _ in rows], pa.int16()),
        "type": ["left_hand"] * len(rows),
        "landmark_index": pa.array([i for _, i in rows], pa.int16()),
        **{axis: [i / 21 for _, i in rows] for axis in "xyz"},
    }
    pq.write_table(pa.table(table), folder / "a.parquet")
    (folder / "poses").mkdir()
    from signloom.pose.files import write_pose

    write_pose(clip(), folder / "poses" / "1.pose")
    taken = {"video_id": "1", "split": "train", "frame_start": 1, "frame_end": 4, "fps": 25}
    (folder / "WLASL_v0.3.json").write_text(json.dumps([{"gloss": "book", "instances": [taken]}]))
    return ["frames/a_000000000000_keypoints.json", "a.skels", "a.parquet", "WLASL_v0.3.json"]


def _read_published(folder: Path) -> None:
    from signloom.corpora.gislr import read_parquet
    from signloom.corpora.openpose import read_openpose
    from signloom.corpora.skels import line_starts, read_skels
    from signloom.corpora.wlasl import wlasl

    assert np.isfinite(read_openpose(folder / "frames").points).all()
    for at in line_starts(folder / "a.skels"):
        assert np.isfinite(read_skels(folder / f"a.skels@{at}").points).all()
    assert np.isfinite(read_parquet(folder / "a.parquet").points).all()
    for source in _sources(wlasl(folder)):
        _ = [source[i] for i in range(len(source))]


# --- what is kept between runs --------------------------------------------------------------------


def _make_kept(folder: Path) -> list[str]:
    """A folder of texts, targets of a sentence embedding, answers of a judge, classes of words."""
    from signloom.language.sentence_embedding import Embedding, Targets, _write, key_of
    from signloom.text.stream import write_texts

    write_texts(TEXTS, folder / "t")
    embedding = Embedding("a", "", "b" * 64, 4, True, 16)
    rows = {key_of(text): i for i, text in enumerate(TEXTS)}
    _write(folder / "e.safetensors", Targets(embedding, rows, np.ones((3, 4), np.float32)))
    answers = [
        {
            "model": "m",
            "prompt": "p",
            "hypothesis": "a",
            "reference": text,
            "round": 0,
            "answer": "7",
        }
        for text in TEXTS
    ]
    (folder / "j.jsonl").write_text("\n".join(map(json.dumps, answers)) + "\n")
    (folder / "c.tsv").write_text("# ours\nbread\tmass.food\nhouse\tnoun.place\n")
    return [
        *(str(file.relative_to(folder)) for file in sorted((folder / "t").iterdir())),
        *("e.safetensors", "j.jsonl", "c.tsv"),
    ]


def _read_kept(folder: Path) -> None:
    from signloom.language.sentence_embedding import Embedding, read_targets
    from signloom.metrics.judge import _Answers
    from signloom.text.classes import read_classes
    from signloom.text.stream import StoredTexts

    texts = StoredTexts(folder / "t")
    _ = [texts.get(i) for i in range(min(len(texts), 5))]
    found = read_targets(folder / "e.safetensors", Embedding("a", "", "b" * 64, 4, True, 16))
    assert found is None or np.isfinite(found.vectors).all()
    _Answers(folder / "j.jsonl", "m", "p")
    read_classes(folder / "c.tsv")


def _make_work(folder: Path) -> list[str]:
    """What an interrupted `prepare` has left behind to go on from, and results that are kept of items."""
    from signloom.corpora import prepare
    from signloom.corpora.manifest import manifest_sources

    _make_manifest(folder)
    sources = manifest_sources(folder / "m.tsv")

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with patch.object(prepare, "join", dies), suppress(KeyboardInterrupt):
        prepare.write_store(folder / "s", HANDS42, sources, description={})
    parts = folder / "s.parts"
    shutil.copytree(parts, folder / "begun")
    return [f"begun/{file.relative_to(parts)}" for file in sorted(parts.rglob("*.*"))]


def _read_work(folder: Path) -> None:
    """Goes on, from a copy."""
    from signloom.corpora.manifest import manifest_sources
    from signloom.corpora.prepare import write_store
    from signloom.corpora.store import open_store

    shutil.rmtree(folder / "s.parts", ignore_errors=True)
    shutil.rmtree(folder / "s", ignore_errors=True)
    shutil.copytree(folder / "begun", folder / "s.parts")
    sources = manifest_sources(folder / "m.tsv")
    write_store(folder / "s", HANDS42, sources, description={}, resume=True)
    store = open_store(folder / "s")
    assert [store[i].text for i in range(len(store))] == list(TEXTS)


# --- models of others -----------------------------------------------------------------------------


def _language(made: Callable[[Path], None], read: Callable[[Path], Any], *modules: str) -> Kind:
    """A language model as transformers writes it, and its tokenizer."""

    def make(folder: Path) -> list[str]:
        import torch

        torch.manual_seed(0)
        (folder / "m").mkdir()
        made(folder / "m")
        names = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
        return [f"m/{name}" for name in names if (folder / "m" / name).is_file()]

    return Kind(make, lambda folder: read(folder / "m"), ("language.pretrained", *modules))


def _make_t5(folder: Path) -> None:
    from signloom.language.t5 import T5Shape, build_t5, train_codec

    codec = train_codec(TEXTS, 100)
    shape = T5Shape(len(codec), 8, 4, 16, 1, 1, 2)
    model = build_t5(shape, 0, start=codec.start, pad=codec.pad, end=codec.end)
    model.save_pretrained(folder)
    codec.tokenizer.save(str(folder / "tokenizer.json"))


def _read_t5(folder: Path) -> None:
    from signloom.language.t5 import load_t5

    load_t5(folder)


def _make_llama(folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    from signloom.language.chat import build_llama, own_codec
    from signloom.text.tokenizer import END, START, train_bpe

    codec = own_codec(train_bpe(list(TEXTS), 100))
    build_llama(len(codec), 8, 1, 2, 16, 32, 0.0, codec.start or 0, codec.end).save_pretrained(
        folder
    )
    PreTrainedTokenizerFast(
        tokenizer_object=codec.tokenizer, bos_token=START, eos_token=END
    ).save_pretrained(folder)


def _read_llama(folder: Path) -> None:
    from signloom.language.chat import load_causal

    load_causal(str(folder))


def _make_bert(folder: Path) -> None:
    from transformers import BertConfig, BertModel

    from signloom.text.tokenizer import train_bpe

    tokenizer = train_bpe(list(TEXTS), 100)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=8, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=16, max_position_embeddings=24,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def _read_bert(folder: Path) -> None:
    from signloom.language.sentence_embedding import SentenceEmbedder

    assert np.isfinite(SentenceEmbedder(str(folder)).embed(TEXTS)).all()


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
    **MODELS,
    "onnx": Kind(_make_onnx, _read_onnx, ("methods.exported", "inference.onnx")),
    "state": Kind(_make_state, _read_state, ("training.resume",)),
    "predictions": Kind(_make_predictions, _read_predictions, ("inference.predictions",)),
    "report": Kind(_make_report, _read_report, ("corpora.episodes",)),
    "tokens": Kind(_make_tokens, _read_tokens, ("cli.tokens",)),
    "sentences": Kind(_make_sentences, _read_sentences, ("text.sentences",)),
    "lexicon": Kind(_make_lexicon, _read_lexicon, ("corpora.folder_lexicon", "corpora.tables")),
    "pickle": Kind(_make_pickle, _read_pickle, ("corpora.pickled",)),
    "motion": Kind(_make_motion, _read_motion, ("corpora.smplx_files", "corpora.arrays")),
    "arrays": Kind(
        _make_arrays,
        _read_arrays,
        ("corpora.arrays", "corpora.smplx_arrays", "corpora.wlasl_hands", "corpora.gislr"),
    ),
    "published": Kind(
        _make_published,
        _read_published,
        ("corpora.openpose", "corpora.skels", "corpora.gislr", "corpora.wlasl", "corpora.tables"),
    ),
    "kept": Kind(
        _make_kept,
        _read_kept,
        ("text.stream", "text.classes", "language.sentence_embedding", "metrics.judge"),
    ),
    "work": Kind(_make_work, _read_work, ("corpora.prepare", "data.spread")),
    "t5": _language(_make_t5, _read_t5, "language.t5"),
    "llama": _language(_make_llama, _read_llama, "language.chat"),
    "bert": _language(_make_bert, _read_bert, "language.sentence_embedding"),
    "video": Kind(_make_video, _read_video, ("extract.video",)),
}
