"""signloom info: what a pose file, file of lips, video, store or checkpoint is."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Annotated, Any

import typer

from signloom.errors import MediaError

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def run(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A .pose file, .lips.safetensors, video, store, checkpoint folder or hub id.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Describe a pose file, file of lips, video, store or checkpoint."""
    described = describe(file)
    if as_json:
        typer.echo(json.dumps(described, indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(_lines(described)))


def describe(file: str) -> dict[str, Any]:
    """What ``file`` is; "kind" is "pose", "lips", "video", "store" or "checkpoint".

    Raises MediaError where it is none of them, or is damaged.
    """
    path = Path(file)
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        if HUB_ID.fullmatch(file) and not path.parent.exists():
            return _checkpoint(file)
        raise MediaError(
            f"{file} does not exist; expected a .pose file, a video, a store or a checkpoint "
            "(a folder, or a hub id such as 'org/name'); check the path"
        )
    if path.suffix.lower() == ".pose" or _begins_as_pose(path):
        return _pose(path)
    if path.suffix.lower() == ".safetensors":
        return _lips(path)
    return _video(path)


def _begins_as_pose(path: Path) -> bool:
    """Whether the file starts with the version number of a `.pose` file, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) in (struct.pack("<f", 0.1), struct.pack("<f", 0.2))


def _pose(path: Path) -> dict[str, Any]:
    from signloom.pose.files import read_header, read_pose

    info, clip = read_header(path), read_pose(path)
    return {
        "kind": "pose",
        "file": str(path),
        "id": clip.id,
        "layout": clip.layout.name,
        "keypoints": len(clip.layout),
        "parts": {part: len(at) for part, at in clip.layout.parts.items()},
        "depth": clip.layout.depth,
        "frames": len(clip),
        "fps": round(clip.fps, 4),
        "duration": round(clip.duration, 4),
        "size": list(clip.size),
        "version": info.version,
        "people": info.people,
        "seen": {
            part: round(float(clip.present[:, at].any(axis=1).mean()), 4)
            for part, at in clip.layout.parts.items()
        },
        "origin": clip.origin.to_json(),
        "simulated": clip.simulated,
    }


def _lips(path: Path) -> dict[str, Any]:
    from signloom.data.lips import CROP
    from signloom.pose.lip_files import read_lips_header

    header = read_lips_header(path)
    return {
        "kind": "lips",
        "file": str(path),
        "id": header.id,
        "frames": header.frames,
        "fps": round(header.fps, 4),
        "duration": round(header.frames / header.fps, 4),
        "size": [CROP, CROP],
        "origin": header.origin.to_json(),
        "simulated": header.origin.simulated,
    }


def _video(path: Path) -> dict[str, Any]:
    from signloom.extract.video import probe

    info = probe(path)
    return {
        "kind": "video",
        "file": str(path),
        "codec": info.codec,
        "size": [info.width, info.height],
        "rotation": info.rotation,
        "frames": info.frames,
        "fps": round(info.fps, 4),
        "duration": round(info.duration, 4),
        "variable": info.variable,
    }


def _folder(path: Path) -> dict[str, Any]:
    from signloom.corpora.store import is_store, open_store

    if is_store(path):
        return {"kind": "store", "file": str(path), **open_store(path).describe()}
    if (path / "config.json").is_file():
        return _checkpoint(str(path))
    raise MediaError(
        f"{path} is a folder, and neither a store nor a checkpoint; "
        "expected one that 'signloom prepare' or 'signloom train' wrote, or a single file"
    )


def _checkpoint(file: str) -> dict[str, Any]:
    from signloom.training.checkpoint import read_checkpoint

    return {"kind": "checkpoint", "file": file, **read_checkpoint(file).config}


def _lines(described: dict[str, Any]) -> list[str]:
    """One line a fact; shares as percentages, nested facts indented."""
    if described["kind"] == "pose":
        described = _pose_in_words(described)
    wide = max(map(len, described)) + 2
    lines = []
    for name, value in described.items():
        text = _text(value)
        indented = text.replace("\n", "\n" + " " * wide)
        lines.append(f"{name:{wide}}{indented}".rstrip())
    return lines


def _pose_in_words(d: dict[str, Any]) -> dict[str, Any]:
    origin = d["origin"]
    settings = ", ".join(f"{k}={_text(v)}" for k, v in origin["settings"].items())
    made = " ".join(filter(None, (origin["extractor"], origin["version"])))
    depth = {"none": "in the plane", "relative": "relative depth", "metric": "metric depth"}
    return {
        "kind": f"pose file, version {d['version']}",
        "file": d["file"],
        "id": d["id"],
        "layout": f"{d['layout']}: {d['keypoints']} keypoints, {depth[d['depth']]}",
        "time": f"{d['frames']} frames at {d['fps']:g} a second = {d['duration']:.2f} s",
        "picture": f"{d['size'][0]} × {d['size'][1]}",
        "people": d["people"],
        "made by": made + (f" ({settings})" if settings else ""),
        "simulated": d["simulated"],
        "seen in": "\n".join(
            f"{100 * share:5.1f} % of frames: {part.replace('_', ' ')} ({d['parts'][part]} keypoints)"
            for part, share in d["seen"].items()
        ),
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "\n".join(
            f"{name}: {_text(inner)}".replace("\n", "\n  ") for name, inner in value.items()
        )
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)
