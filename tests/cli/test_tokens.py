"""signloom tokens: files in, ids out, joints again; nothing overwritten, no codes of another checkpoint."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.corpora.smplx_files import read_motion
from signloom.corpora.store import StoreWriter
from signloom.data.layouts import SMPLX52
from signloom.data.sample import Sample
from signloom.errors import MediaError
from signloom.methods import motion_tokens
from signloom.pose.files import write_pose
from signloom.training.checkpoint import save_checkpoint
from tests.methods.motions import motion, parameters


def run(*arguments: object) -> int:
    """The exit code of the command."""
    with pytest.raises(SystemExit) as stopped:
        main([str(a) for a in arguments])
    return int(stopped.value.code or 0)


def save(folder: Path, seed: int, **more: Any) -> Path:
    import dataclasses

    config = dataclasses.replace(motion_tokens.PRESETS["tiny"], **more)
    model = motion_tokens.begin(config, [], seed)
    import torch

    model.measure(torch.from_numpy(model.preparation.numbers(motion(0))))
    model.vq.codebook.start(torch.randn(64, 32))  # type: ignore[operator]
    save_checkpoint(folder, model.described(), model)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    return save(folder / "one", 0), save(folder / "two", 1, reads="whole")


def test_there_and_back_through_either_kind_of_file(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    write_pose(motion(1, 41), tmp_path / "a.pose")
    np.savez(tmp_path / "b.npz", smplx=parameters(2, 30), fps=25.0)
    np.savez(tmp_path / "c.npz", joints=motion(3, 20).points)
    inputs = [tmp_path / name for name in ("a.pose", "b.npz", "c.npz")]
    for model, names in zip(models, (38, 52), strict=True):
        found = []
        for kind in ("json", "npz"):
            told, back = tmp_path / f"{names}.tokens.{kind}", tmp_path / f"{names}.joints.{kind}"
            assert run("tokens", "encode", *inputs, "--model", model, "-o", told) == 0
            assert run("tokens", "decode", told, "--model", model, "-o", back) == 0
            if kind == "json":
                said = json.loads(told.read_text())
                assert [len(clip["ids"]) for clip in said["clips"]] == [10, 7, 4]
                assert not said["clips"][0]["simulated"]
                again = json.loads(back.read_text())
                found.append(np.array(again["clips"][0]["joints"]))
            else:
                with np.load(back) as archive:
                    found.append(archive["joints_0"])
                    assert json.loads(str(archive["told"]))["names"] == again["names"]
        assert found[0].shape == (40, names, 3)
        np.testing.assert_allclose(found[0], found[1], atol=1e-6)
        assert len(again["names"]) == names
    assert run("tokens", "encode", inputs[0], "--model", models[0], "-o", told) == 2
    overwriting = ("tokens", "encode", inputs[0], "--model", models[0], "-o", told, "--overwrite")
    assert run(*overwriting) == 0


def test_joints_that_are_given_stand_for_those_of_the_neutral_skeleton(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    fits, joints = parameters(2, 30), motion(3, 30).points
    found = []
    for name, arrays in (
        ("both", {"smplx": fits, "joints": joints}),
        ("given", {"joints": joints}),
        ("FITS", {"smplx": fits}),
    ):
        file = tmp_path / (f"{name}.NPZ" if name.isupper() else f"{name}.npz")
        with file.open("wb") as raw:
            np.savez(raw, **arrays)
        out = tmp_path / f"{name}.json"
        assert run("tokens", "encode", file, "--model", models[0], "-o", out) == 0
        found.append(json.loads(out.read_text())["clips"][0]["ids"])
    assert found[0] == found[1] != found[2]


def test_bad_input_is_named(
    models: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tokens.json"
    nan = parameters(0, 12)
    nan[7, 60] = np.nan
    wrong = {
        "nan": ({"smplx": nan}, "frame 7: the rotation of joint 20 (left_wrist) is not a number"),
        "width": ({"smplx": np.zeros((5, 160))}, "have shape (5, 160), expected (frames, 182)"),
        "joints": ({"joints": np.zeros((5, 22, 3))}, "joints have shape (5, 22, 3), expected"),
        "none": ({"x": np.zeros(3)}, "it holds neither 'smplx' nor 'joints'"),
        "empty": ({"joints": np.zeros((0, 52, 3))}, "it has 0 frames at 25 fps"),
    }
    for name, (arrays, message) in wrong.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
        assert (
            run("tokens", "encode", tmp_path / f"{name}.npz", "--model", models[0], "-o", out) == 3
        )
        assert message in capsys.readouterr().err
    for written in (b"no archive", b""):
        (tmp_path / "text.npz").write_bytes(written)
        assert run("tokens", "encode", tmp_path / "text.npz", "--model", models[0], "-o", out) == 3
    with (tmp_path / "text.npz").open("wb") as file:
        np.save(file, parameters(0, 4))
    assert run("tokens", "encode", tmp_path / "text.npz", "--model", models[0], "-o", out) == 3
    assert "text.npz cannot be read as a motion" in capsys.readouterr().err
    np.savez(tmp_path / "good.npz", smplx=parameters(0, 12))
    good = ("tokens", "encode", tmp_path / "good.npz", "--model")
    assert run(*good, models[0], "-o", tmp_path / "a.txt") == 2
    assert run(*good, "bundled", "-o", out) == 2
    assert "bundled has no tokenizer of motion" in capsys.readouterr().err
    assert run(*good, models[0], "-o", out) == 0
    back = tmp_path / "again.npz"
    assert run("tokens", "decode", out, "--model", models[1], "-o", back) == 3
    assert "would be other movements; give the checkpoint that wrote it" in capsys.readouterr().err
    said = json.loads(out.read_text())
    said["clips"][0]["ids"][0] = 64
    out.write_text(json.dumps(said))
    assert run("tokens", "decode", out, "--model", models[0], "-o", back) == 2
    assert "the codebook has 0 to 63" in capsys.readouterr().err
    told, clip = said["codebook"], {"ids": [1], "input": "x", "simulated": False}
    for wrong_file in (
        "{", "[]", {"codebook": told, "clips": [clip]},
        {"format": 2, "codebook": told, "clips": [clip]},
        {"format": 1, "codebook": 5, "clips": [clip]},
        *({"format": 1, "codebook": told, "clips": [{**clip, **other}]}
          for other in ({"ids": ["a"]}, {"ids": [10**30]}, {"input": None}, {"simulated": "no"})),
    ):  # fmt: skip
        out.write_text(wrong_file if isinstance(wrong_file, str) else json.dumps(wrong_file))
        assert run("tokens", "decode", out, "--model", models[0], "-o", back) == 3
        assert "holds no tokens of motion" in capsys.readouterr().err
    assert not back.exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"joints": np.full((4, 52, 3), 1e39)}, "of which 4 have joints that are no numbers"),
        ({"joints": np.full((4, 52, 3), "1")}, "'joints' is no array of numbers"),
        ({"smplx": parameters(0, 4) + 0j}, "'smplx' is no array of numbers"),
        ({"smplx": parameters(0, 4), "joints": motion(0, 3).points}, "are 3 frames and its"),
        ({"smplx": parameters(0, 4), "fps": np.inf}, "its 'fps' is [inf], expected one number"),
        ({"smplx": parameters(0, 4), "fps": 1e-9}, "expected one number of 1 to 1000"),
        ({"smplx": parameters(0, 4), "fps": [25.0, 25.0]}, "its 'fps' is [25.0, 25.0]"),
        ({"smplx": parameters(0, 4), "fps": "fast"}, "'fps' is no array of numbers"),
    ],
)
def test_files_that_hold_no_motion(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(MediaError, match=re.escape(message)):
        read_motion(tmp_path / "a.npz")


def test_a_tokenizer_does_not_translate(
    models: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pose(motion(1, 41), tmp_path / "a.pose")
    assert run("translate", tmp_path / "a.pose", "--model", models[0]) == 2
    assert "does not translate" in capsys.readouterr().err
    assert run("translate", tmp_path / "a.pose", "--instruction", "Keywords only.") == 2
    assert "takes no instruction" in capsys.readouterr().err
    assert run("translate", tmp_path / "a.pose", "--previous", "It rained.") == 2
    assert "has not learnt with the sentence before; leave it out" in capsys.readouterr().err


def test_what_codes_say_of_signs_beside_chance(
    models: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("tokens", "meaning", "sim:tiny", "--model", models[0], "--limit", 12)
    assert run(*asked, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["samples"], said["simulated"]) == (12, True)
    everyone = said["all"]
    assert everyone["occurrences"] > everyone["signs"] > 1
    assert 0 < everyone["chance"] < 100
    assert 0 <= everyone["same"] <= 1
    assert set(said) >= {"all", "other signers", "commit", "hardware"}
    assert run(*asked) == 0
    assert "an instrument, not a sign language" in capsys.readouterr().out


def test_a_sign_s_codes_are_those_of_its_time(models: tuple[Path, Path]) -> None:
    from signloom.data.sample import GlossSpan, Sample
    from signloom.data.timing import Span
    from signloom.methods.load import load

    model = load(models[0])
    clip = motion(4, 41)
    whole = motion_tokens.signs_of(model, Sample("a", clip, "BOOK"))[0]
    assert (whole.gloss, len(whole.codes)) == ("BOOK", 10)
    second = 4 / model.config.fps
    spans = (("A", 0, 4), ("B", 4, 10), ("C", 9.6, 9.9))
    glosses = tuple(GlossSpan(g, Span(second * a, second * b)) for g, a, b in spans)
    parts = motion_tokens.signs_of(model, Sample("a", clip, "", glosses))
    assert [(p.gloss, p.codes) for p in parts] == [("A", whole.codes[:4]), ("B", whole.codes[4:])]
    assert not motion_tokens.signs_of(
        model, Sample("a", clip, "", (GlossSpan("A"), GlossSpan("B")))
    )


def test_a_tokenizer_without_codes_writes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save(tmp_path / "early", 0, late=30)
    write_pose(motion(1, 41), tmp_path / "a.pose")
    with StoreWriter(tmp_path / "store", SMPLX52) as writer:
        writer.add(Sample("a", motion(1, 41), "a"), "test")
    encode = ("tokens", "encode", "--model", model)
    for arguments in (
        (*encode, tmp_path / "a.pose", "-o", tmp_path / "a.json"),
        (*encode, tmp_path / "store", "-o", tmp_path / "codes"),
        ("tokens", "meaning", tmp_path / "store", "--model", model),
    ):
        assert run(*arguments) == 2
        assert "early has no codes yet: they begin after 30 steps" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"early", "a.pose", "store"}
