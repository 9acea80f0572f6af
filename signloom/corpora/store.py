"""The store: a prepared corpus as a folder of memory-mapped Arrow files.

    index.json            format, layout in full, origins, splits, shards with size and sha256
    train-00000.arrow …   one record batch each, one row a sample; a run of RUN samples of a split fills
                          one, or several where they are large (train-00000-1.arrow …)
    quarantine.tsv        id, split, reason of the clips that could not be read; only where some could not

Points are int16 with one scale per articulator and axis of a clip, so a
coordinate is off by at most 1/65,534 of the largest one of its articulator
(0.01 pixels in a picture of 640). Zero stays exactly zero: a missing keypoint
needs no mask. Confidence is uint8, and what was seen never rounds to unseen.

Shards with samples that have lips have three columns more (LIPS), null where a sample has none:
the crops as they are, 9 kB a frame. Who does not ask for lips does not read them.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from signloom.corpora.entries import LeftOut
from signloom.corpora.tables import read_table
from signloom.data.clip import Origin, PoseClip
from signloom.data.files import writing, writing_folder
from signloom.data.layouts import LAYOUTS, Layout
from signloom.data.lips import CROP, Lips
from signloom.data.sample import GlossSpan, Sample, gloss_sentence, single_gloss
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError, nearest

FORMAT = "signloom-store"
VERSION = 1
INDEX = "index.json"
QUARANTINE = "quarantine.tsv"
SHARD_BYTES = 64 * 2**20
"""A shard is closed when its points, confidences and lips reach this."""
RUN = 256
"""A shard is closed after so many samples of its split at the latest: where one run of samples ends and
the next begins depends on nothing else, so that many processes can write runs of one store."""

GLOSSES = pa.list_(
    pa.struct([("gloss", pa.utf8()), ("start", pa.float64()), ("end", pa.float64())])
)
SCHEMA = pa.schema(
    [
        ("id", pa.utf8()),
        ("text", pa.utf8()),
        ("glosses", GLOSSES),
        ("signer", pa.utf8()),
        ("language", pa.utf8()),
        ("stitched", pa.bool_()),
        ("clip", pa.utf8()),
        ("origin", pa.utf8()),
        ("fps", pa.float64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("frames", pa.int32()),
        ("scale", pa.binary()),
        ("points", pa.large_binary()),
        ("confidence", pa.large_binary()),
    ]
)

LIPS = pa.schema(
    [("lips", pa.large_binary()), ("lips_present", pa.binary()), ("lips_origin", pa.utf8())]
)
"""uint8 (frames, 96, 96), uint8 (frames,) of 0 and 1, and JSON; rate and number of frames are the clip's."""
PREVIOUS = pa.schema([("previous", pa.utf8())])
"""Of shards in which a sample has one."""

LARGEST = 1e33
"""A scale from here on makes coordinates that are not finite."""

Row = dict[str, Any]


def quantise(points: NDArray[np.float32], layout: Layout) -> tuple[NDArray[np.int16], NDArray]:
    """(frames, keypoints, 3) → int16 of the same shape, and its scale (articulators, 3).

    |point − int16 · scale| ≤ scale / 2.
    """
    parts = layout.parts.values()
    scale = np.ones((len(parts), 3), np.float32)
    whole = np.zeros(points.shape, np.int16)
    for i, part in enumerate(parts):
        largest = np.abs(points[:, part]).max(axis=(0, 1), initial=0)
        scale[i] = np.where(largest > 0, largest / np.float32(32767), 1)
        whole[:, part] = np.rint(points[:, part] / scale[i]).clip(-32767, 32767)
    return whole, scale


def encode(sample: Sample) -> Row:
    """A sample as a row of the store; picklable, so that worker processes can make rows.

    Raises MediaError where its lips have not the clip's frames.
    """
    clip = sample.clip
    points, scale = quantise(clip.points, clip.layout)
    confidence = np.rint(clip.confidence * 255).astype(np.uint8)
    confidence[(confidence == 0) & (clip.confidence > 0)] = 1
    return {
        "id": sample.id,
        "text": sample.text,
        "glosses": [
            {
                "gloss": gloss.gloss,
                "start": gloss.span.start if gloss.span else None,
                "end": gloss.span.end if gloss.span else None,
            }
            for gloss in sample.glosses
        ],
        "signer": sample.signer,
        "language": sample.language,
        "stitched": sample.stitched,
        "clip": clip.id,
        "origin": json.dumps(clip.origin.to_json(), sort_keys=True),
        "fps": clip.fps,
        "width": clip.size[0],
        "height": clip.size[1],
        "frames": len(clip),
        "scale": scale.tobytes(),
        "points": points.tobytes(),
        "confidence": confidence.tobytes(),
        **_encoded_lips(sample),
        **({"previous": sample.previous} if sample.previous else {}),
    }


def _encoded_lips(sample: Sample) -> Row:
    if sample.lips is None:
        return {}
    lips = sample.lips.aligned_with(sample.clip)
    return {
        "lips": lips.frames.tobytes(),
        "lips_present": lips.present.astype(np.uint8).tobytes(),
        "lips_origin": json.dumps(lips.origin.to_json(), sort_keys=True),
    }


@dataclass(frozen=True)
class Part:
    """What a run of samples left in a store's folder: its shards as the index lists them.

    origins: of its clips, each once, as JSON. left_out: (id, reason) of what could not be read.
    """

    split: str
    shards: tuple[dict[str, Any], ...]
    origins: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Part:
        left_out = tuple(LeftOut(**clip) for clip in value["left_out"])
        return cls(value["split"], tuple(value["shards"]), tuple(value["origins"]), left_out)

    def is_whole(self, folder: Path) -> bool:
        """Whether its shards lie in the folder as they were written."""
        return all(_sha256(folder / shard["file"]) == shard["sha256"] for shard in self.shards)


class RunWriter:
    """Writes the shards of one run of samples, number ``run`` of its split, into a store's folder.

    Any number of processes fill a folder so, a run each; ``join`` makes a store of it.
    Raises UsageError where the split's name is no name, or a sample has another layout.
    """

    def __init__(self, folder: Path, layout: Layout, split: str, run: int) -> None:
        if not split or not split.replace("-", "").replace("_", "").isalnum():
            raise UsageError(
                f"a split is named '{split}'; use letters, digits, - and _ ('train', 'dev', 'test')"
            )
        self.folder, self.layout, self.split = folder, layout, split
        self._name = f"{split}-{run:05d}"
        self._rows: list[Row] = []
        self._bytes = self.samples = 0
        self._shards: list[dict[str, Any]] = []
        self._origins: dict[str, None] = {}
        self._left_out: list[LeftOut] = []

    def add(self, sample: Sample) -> None:
        if sample.clip.layout != self.layout:
            raise UsageError(
                f"sample '{sample.id}' is in layout '{sample.clip.layout.name}', but the store "
                f"holds '{self.layout.name}'; convert the clip first"
            )
        row = encode(sample)
        self._rows.append(row)
        self._origins.setdefault(row["origin"])
        self.samples += 1
        self._bytes += sum(len(row.get(column, b"")) for column in ("points", "confidence", "lips"))
        if self._bytes >= SHARD_BYTES:
            self._close_shard()

    def leave_out(self, id: str, reason: str) -> None:
        """Lists a clip that cannot be read."""
        self._left_out.append(LeftOut(id, self.split, reason))

    def close(self) -> Part:
        """Writes what is left, and says what the run holds."""
        if self._rows:
            self._close_shard()
        return Part(self.split, tuple(self._shards), tuple(self._origins), tuple(self._left_out))

    def _close_shard(self) -> None:
        rows, self._rows, self._bytes = self._rows, [], 0
        more = f"-{len(self._shards)}" if self._shards else ""
        file = self.folder / f"{self._name}{more}.arrow"
        with_lips = sum("lips" in row for row in rows)
        schema = _schema({name for row in rows for name in row})
        batch = pa.RecordBatch.from_pylist(rows, schema=schema)
        with writing(file, overwrite=True) as part:
            with pa.OSFile(str(part), "wb") as out, pa.ipc.new_file(out, schema) as writer:
                writer.write_batch(batch)
        self._shards.append(
            {
                "file": file.name,
                "split": self.split,
                "samples": len(rows),
                **({"lips": with_lips} if with_lips else {}),
                "frames": sum(row["frames"] for row in rows),
                "bytes": file.stat().st_size,
                "sha256": file_sha256(file),
            }
        )


def join(
    folder: Path,
    layout: Layout,
    parts: Sequence[Part],
    description: Mapping[str, Any],
    absent: Sequence[LeftOut] = (),
    path: Path | None = None,
) -> list[LeftOut]:
    """Makes a store of a folder that holds the shards of ``parts``, which are given in the order of their runs.

    absent: clips of the corpus that have no file. path: where the store will lie in the end, for errors.
    Returns what is left out: the absent clips, and those that the parts could not read.
    Raises MediaError naming a shard that is not as it was written; where no clip could be read;
    UsageError where there is no sample.
    """
    shards = [shard for part in parts for shard in part.shards]
    left_out = [*absent, *(clip for part in parts for clip in part.left_out)]
    if not shards:
        raise _nothing(path or folder, left_out)
    for shard in shards:
        _check_shard(folder / shard["file"], shard)
    about = dict(description)
    if left_out:
        about["left_out"] = len(left_out)
        _write_quarantine(folder / QUARANTINE, left_out)
    splits = dict.fromkeys(part.split for part in parts if part.shards)

    def total(split: str, what: str) -> int:
        return sum(shard[what] for shard in shards if shard["split"] == split)

    index = {
        "format": FORMAT,
        "version": VERSION,
        "layout": layout_to_json(layout),
        "origins": [json.loads(o) for o in dict.fromkeys(o for p in parts for o in p.origins)],
        "description": about,
        "splits": {split: total(split, "samples") for split in splits},
        "frames": {split: total(split, "frames") for split in splits},
        "shards": [shard for split in splits for shard in shards if shard["split"] == split],
    }
    with writing(folder / INDEX, overwrite=True) as part:
        part.write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return left_out


def _check_shard(file: Path, shard: Mapping[str, Any]) -> None:
    """Raises MediaError where the file is not there, or its bytes are not those that were written."""
    found = _sha256(file)
    if found != shard["sha256"]:
        raise MediaError(
            f"{file} has sha256 {found[:12]}…, expected {shard['sha256'][:12]}…: the file has "
            "changed; prepare the store again"
        )


def _sha256(file: Path) -> str:
    return file_sha256(file) if file.is_file() else "none"


def _write_quarantine(file: Path, left_out: Sequence[LeftOut]) -> None:
    lines = ["id\tsplit\treason"]
    lines += [
        "\t".join(" ".join(cell.split()) for cell in (clip.id, clip.split, clip.reason))
        for clip in left_out
    ]
    with writing(file, overwrite=True) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")


class StoreWriter:
    """Writes a store; it appears at ``path`` when the ``with`` block ends well, or not at all.

    description: whatever should travel with the corpus (name, version, licence, command).

    Raises UsageError if ``path`` exists and ``overwrite`` is off, if a sample
    has another layout, and at the end if nothing was added.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        layout: Layout,
        overwrite: bool = False,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        self.path, self.layout, self.overwrite = Path(path), layout, overwrite
        self.description = dict(description or {})
        self._runs: dict[str, RunWriter] = {}
        self._parts: dict[str, list[Part]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> StoreWriter:
        refuse_no_store(self.path, self.overwrite)
        self._folder = self._stack.enter_context(writing_folder(self.path, self.overwrite))
        return self

    def __exit__(self, *error: Any) -> None:
        with self._stack:
            if error[0] is not None:
                self._stack.__exit__(*error)
                return
            for split, run in self._runs.items():
                self._parts[split].append(run.close())
            parts = [part for of in self._parts.values() for part in of]
            join(self._folder, self.layout, parts, self.description, path=self.path)

    def add(self, sample: Sample, split: str) -> None:
        """Adds a sample to a split ('train', 'dev', …); order is kept within a split."""
        run = self._runs.get(split)
        if run is None or run.samples == RUN:
            done = self._parts.setdefault(split, [])
            if run is not None:
                done.append(run.close())
            run = self._runs[split] = RunWriter(self._folder, self.layout, split, len(done))
        run.add(sample)


def refuse_no_store(path: Path, overwrite: bool) -> None:
    """Raises UsageError where ``path`` would be replaced and is no store."""
    if overwrite and path.exists() and not is_store(path):
        raise UsageError(f"{path} is no store, so it is not replaced; choose another name")


def _nothing(path: Path, left_out: Sequence[LeftOut]) -> UsageError | MediaError:
    """Why there is nothing to write."""
    if left_out:
        first = left_out[0]
        return MediaError(
            f"nothing to write to the store {path}: none of {len(left_out)} clips can be read; the "
            f"first, '{first.id}': {first.reason}"
        )
    return UsageError(
        f"nothing to write to the store {path}: no sample was added; "
        "check the source and its filters"
    )


class Store:
    """The samples of a store, or of one split of it, by index. A SampleSource; made by ``open_store``.

    It maps its shards into memory when they are first read, and pickles as its path.
    """

    def __init__(
        self, path: Path, split: str | None, index: Mapping[str, Any], lips: bool = False
    ) -> None:
        self.path, self.split, self._index, self._lips = path, split, index, lips
        self.layout = layout_from_json(index["layout"])
        self.splits: dict[str, int] = dict(index["splits"])
        self._shards = [s for s in index["shards"] if split is None or s["split"] == split]
        self._ends = list(accumulate(shard["samples"] for shard in self._shards))
        parts = list(self.layout.parts)
        self._part_of = np.array([parts.index(a) for a in self.layout.articulators], np.int64)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __reduce__(self) -> tuple[Any, ...]:
        return open_store, (self.path, self.split, self._lips)

    @property
    def origin(self) -> Origin:
        """Who made the clips; where several did, the first."""
        return Origin.from_json(self._index["origins"][0])

    @property
    def simulated(self) -> bool:
        """Whether all of the clips are simulated."""
        return all(Origin.from_json(origin).simulated for origin in self._index["origins"])

    def texts(self) -> list[str]:
        """The text of every sample in order, without reading points."""
        return self._column("text")

    def glosses(self) -> list[str]:
        """The glosses of every sample in order, as one text each, without reading points."""
        return [gloss_sentence(g["gloss"] for g in row) for row in self._column("glosses")]

    def single_glosses(self) -> list[str]:
        """What every sample is to be recognised as (`data.sample.gloss_of`), without reading points."""
        rows = zip(self._column("text"), self._column("glosses"), strict=True)
        return [single_gloss(text, [g["gloss"] for g in row]) for text, row in rows]

    def ids(self) -> list[str]:
        """The id of every sample in order, without reading points."""
        return self._column("id")

    def blanks(self) -> Iterator[PoseClip]:
        """The clip of every sample in order as long as it is, with nothing seen in it: no points are read.

        Raises MediaError where one is damaged.
        """
        zero, width = np.float32(0), len(self.layout)
        columns = (self._column(name) for name in ("frames", "fps", "origin"))
        for index, (frames, fps, origin) in enumerate(zip(*columns, strict=True)):
            if not (frames is not None and frames >= 0 and fps is not None and 0 < fps < math.inf):
                raise MediaError(
                    f"sample {index} of the store {self.path} is damaged ({frames} frames at {fps} a "
                    "second); prepare the store again"
                )
            yield PoseClip.trusted(
                points=np.broadcast_to(zero, (frames, width, 3)),
                confidence=np.broadcast_to(zero, (frames, width)),
                fps=fps,
                layout=self.layout,
                id="",
                origin=_origin(origin),
                size=(0, 0),
            )

    def left_out(self) -> list[LeftOut]:
        """The clips of the corpus that could not be read when the store was made."""
        if not (self.path / QUARANTINE).is_file():
            return []
        rows = read_table(self.path / QUARANTINE, ("id", "split", "reason"))
        found = [LeftOut(row["id"], row["split"], row["reason"]) for _, row in rows]
        return [clip for clip in found if self.split in (None, clip.split)]

    def describe(self) -> dict[str, Any]:
        """What is in the store, for people and for JSON."""
        return {
            "store": str(self.path),
            "layout": self.layout.name,
            "keypoints": len(self.layout),
            "splits": self.splits,
            "frames": dict(self._index["frames"]),
            "lips": {split: self.with_lips(split) for split in self.splits},
            "bytes": sum(shard["bytes"] for shard in self._index["shards"]),
            "origins": list(self._index["origins"]),
            "simulated": self.simulated,
            "description": dict(self._index["description"]),
        }

    def with_lips(self, split: str | None) -> int:
        """How many samples of a split (None: of all) have lips."""
        shards = self._index["shards"]
        return sum(s.get("lips", 0) for s in shards if split in (None, s["split"]))

    def verify(self) -> None:
        """Reads every shard. Raises MediaError naming the first whose bytes have changed."""
        for shard in self._shards:
            _check_shard(self.path / shard["file"], shard)

    def __getitem__(self, index: int) -> Sample:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of a store of {len(self)}")
        index %= len(self)
        shard = bisect_right(self._ends, index)
        row = index - (self._ends[shard - 1] if shard else 0)
        try:
            return self._sample(self._batches[shard], row)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise MediaError(
                f"sample {index} of the store {self.path} is damaged ({error}); prepare the store again"
            ) from error

    def _sample(self, batch: Mapping[str, pa.Array], row: int) -> Sample:
        def value(name: str) -> Any:
            return batch[name][row].as_py()

        return Sample(
            id=value("id"),
            clip=self._clip(batch, row),
            text=value("text"),
            glosses=tuple(
                GlossSpan(
                    gloss["gloss"],
                    None if gloss["start"] is None else Span(gloss["start"], gloss["end"]),
                )
                for gloss in value("glosses")
            ),
            signer=value("signer"),
            language=value("language"),
            stitched=value("stitched"),
            lips=self._mouths(batch, row) if self._lips and "lips" in batch else None,
            previous=(value("previous") or "") if "previous" in batch else "",
        )

    def _clip(self, batch: Mapping[str, pa.Array], row: int) -> PoseClip:
        shape = (batch["frames"][row].as_py(), len(self.layout), 3)
        scale = np.frombuffer(batch["scale"][row].as_buffer(), np.float32).reshape(-1, 3)
        fps = batch["fps"][row].as_py()
        if not (np.abs(scale).max(initial=0) < LARGEST and 0 < fps < math.inf):
            raise ValueError(f"its scale is {scale.tolist()} and its rate {fps}")
        points = np.frombuffer(batch["points"][row].as_buffer(), np.int16).astype(np.float32)
        points = points.reshape(shape)
        points *= scale[self._part_of]
        whole = np.frombuffer(batch["confidence"][row].as_buffer(), np.uint8)
        confidence = whole.astype(np.float32).reshape(shape[:2])
        confidence *= np.float32(1 / 255)
        return PoseClip.trusted(
            points=points,
            confidence=confidence,
            fps=fps,
            layout=self.layout,
            id=batch["clip"][row].as_py(),
            origin=_origin(batch["origin"][row].as_py()),
            size=(batch["width"][row].as_py(), batch["height"][row].as_py()),
        )

    def _mouths(self, batch: Mapping[str, pa.Array], row: int) -> Lips | None:
        if not batch["lips"][row].is_valid:
            return None
        pixels = np.frombuffer(batch["lips"][row].as_buffer(), np.uint8)
        present = np.frombuffer(batch["lips_present"][row].as_buffer(), np.uint8)
        return Lips(
            pixels.reshape(-1, CROP, CROP),
            present != 0,
            batch["fps"][row].as_py(),
            batch["clip"][row].as_py(),
            _origin(batch["lips_origin"][row].as_py()),
        )

    @cached_property
    def _batches(self) -> _Batches:
        return _Batches(self.path, self._shards)

    def _column(self, name: str) -> list[Any]:
        return [v for i in range(len(self._shards)) for v in self._batches[i][name].to_pylist()]


class _Batches:
    """The record batches of the shards, each mapped when first asked for."""

    def __init__(self, path: Path, shards: list[dict[str, Any]]) -> None:
        self._path, self._shards = path, shards
        self._open: dict[int, dict[str, pa.Array]] = {}

    def __getitem__(self, shard: int) -> dict[str, pa.Array]:
        if shard not in self._open:
            file = self._path / self._shards[shard]["file"]
            try:
                self._open[shard] = _columns(file, self._shards[shard]["samples"])
            except (OSError, ValueError, LookupError, pa.ArrowException) as error:
                said = " ".join(str(error).split())
                raise MediaError(
                    f"{file} cannot be read as Arrow ({said}); prepare the store again"
                ) from None
        return self._open[shard]


def _schema(names: set[str]) -> pa.Schema:
    """That of a shard in which samples have these columns."""
    more = [field for part in (LIPS, PREVIOUS) if part.names[0] in names for field in part]
    return pa.schema([*SCHEMA, *more])


def _columns(file: Path, samples: int) -> dict[str, pa.Array]:
    """The columns of a shard, mapped. Raises ArrowInvalid or ValueError where it is damaged.

    A length or an offset that is wrong would otherwise end the process once it is followed.
    """
    with pa.memory_map(str(file)) as mapped:  # what is read keeps the map, not the file
        batch = pa.ipc.open_file(mapped).get_batch(0)
    batch.validate(full=True)
    schema = _schema(set(batch.schema.names))
    if not batch.schema.equals(schema) or batch.num_rows != samples:
        raise ValueError(f"it has {batch.num_rows} rows, expected {samples}, or other columns")
    return {name: batch.column(name) for name in schema.names}


def is_store(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` is a folder that a store was written to."""
    try:
        return json.loads((Path(path) / INDEX).read_text("utf-8")).get("format") == FORMAT
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def open_store(path: str | os.PathLike[str], split: str | None = None, lips: bool = False) -> Store:
    """Opens a store: one split of it, or all of them one after another.

    lips: whether samples carry the mouth crops that the store keeps, which are most of its bytes.

    Raises MediaError where the folder is no store, is newer than this version
    reads, or misses bytes; UsageError naming the nearest split, or where lips are asked
    for and no sample has them.
    """
    folder = Path(path)
    if not is_store(folder):
        raise MediaError(
            f"{folder} is no signloom store (expected a folder with an {INDEX}); "
            "make one with 'signloom prepare'"
        )
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        if int(index["version"]) <= VERSION:
            _check_index(index)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise MediaError(
            f"{folder / INDEX} is damaged ({type(error).__name__}: {error}); prepare the store again"
        ) from error
    if index["version"] > VERSION:
        raise MediaError(
            f"the store {folder} has format version {index['version']}, but this signloom reads "
            f"up to {VERSION}; update signloom or prepare the store again"
        )
    if split is not None and split not in index["splits"]:
        raise UsageError(
            f"the store {folder} has no split '{split}'{nearest(split, list(index['splits']))}; "
            f"it has {', '.join(index['splits'])}"
        )
    for shard in index["shards"]:
        file = folder / shard["file"]
        size = file.stat().st_size if file.exists() else 0
        if size != shard["bytes"]:
            raise MediaError(
                f"{file} has {size} bytes, expected {shard['bytes']}: it was cut short; "
                "copy or prepare the store again"
            )
    store = Store(folder, split, index, lips)
    if lips and not store.with_lips(split):
        of = f"split '{split}' of " if split else ""
        raise UsageError(
            f"{of}the store {folder} holds no mouth crops, expected lips beside its poses; prepare "
            "it with lips (--lips, or a manifest with a column 'lips')"
        )
    return store


def _check_index(index: Any) -> None:
    """Raises where the index lacks what reading needs, or names a shard outside its folder."""
    layout_from_json(index["layout"])
    dict(index["description"])
    if not [Origin.from_json(origin) for origin in index["origins"]]:
        raise ValueError("it names no origin")
    for of in ("splits", "frames"):
        for split, count in index[of].items():
            _check_count(f"the {of} of '{split}' are", count)
    for shard in index["shards"]:
        file = shard["file"]
        if Path(file).name != file:
            raise ValueError(f"the shard '{file}' lies outside the store")
        _check_count(f"the lips of shard '{file}' are", shard.get("lips", 0))
        for counted in ("bytes", "samples", "frames"):
            _check_count(f"the {counted} of shard '{file}' are", shard[counted])
        if shard["split"] not in index["splits"] or not isinstance(shard["sha256"], str):
            raise ValueError(
                f"the shard '{file}' is of split {shard['split']!r}, sha256 {shard['sha256']!r}"
            )


def _check_count(what: str, count: Any) -> None:
    if type(count) is not int or not 0 <= count < 1 << 62:
        raise ValueError(f"{what} {count!r}")


def layout_to_json(layout: Layout) -> dict[str, Any]:
    """All there is to a layout, so that one derived from a file's header comes back."""
    return {
        "name": layout.name,
        "keypoints": list(layout.keypoints),
        "articulators": list(layout.articulators),
        "edges": [list(edge) for edge in layout.edges],
        "mirror": list(layout.mirror),
        "depth": layout.depth,
    }


def layout_from_json(value: Mapping[str, Any]) -> Layout:
    """The layout described; the named one itself where it is the same."""
    layout = Layout(
        value["name"],
        tuple(value["keypoints"]),
        tuple(value["articulators"]),
        tuple((a, b) for a, b in value["edges"]),
        tuple(value["mirror"]),
        value["depth"],
    )
    named = LAYOUTS.get(layout.name)
    return named if named == layout and named is not None else layout


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1024)
def _origin(text: str) -> Origin:
    return Origin.from_json(json.loads(text))
