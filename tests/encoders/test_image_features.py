"""Frame features: pooling is what it says, a video's pictures in order become a clip, weights load whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import ViTConfig, ViTModel

from signloom.cli.main import main
from signloom.data.features import features_of
from signloom.encoders.image_features import ImageFeatures, pooled
from signloom.errors import MediaError, UsageError
from signloom.pose.files import read_pose
from tests.extract.videos import coded, write_video

PROCESSOR = {
    "image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32},
    "do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
}  # fmt: skip


@pytest.fixture(scope="module")
def vision(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vision transformer of random weights, as transformers writes it."""
    folder = tmp_path_factory.mktemp("vision")
    torch.manual_seed(0)
    config = ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
                       intermediate_size=16, image_size=32, patch_size=8)  # fmt: skip
    ViTModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return folder


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def test_poolings_are_what_they_say() -> None:
    places = torch.arange(2 * 3 * 4 * 4.0).reshape(2, 3, 4, 4)  # (B, D, H, W)
    first = torch.full((2, 1, 3), -1.0)
    states = torch.cat([first, first - 1, places.flatten(2).transpose(1, 2)], 1)
    assert torch.equal(pooled(states, "cls"), first[:, 0])
    for given in (states, places):
        torch.testing.assert_close(pooled(given, "mean"), places.mean((2, 3)))
        fields = pooled(given, "spatial").reshape(2, 2, 2, 3)
        torch.testing.assert_close(fields[:, 1, 0], places[:, :, 2:, :2].mean((2, 3)))
    for given in (places, states[:, 2:]):
        with pytest.raises(UsageError, match="this model has none; give one of mean, spatial"):
            pooled(given, "cls")


def test_a_picture_alone_is_what_it_is_among_others(vision: Path) -> None:
    model = ImageFeatures(str(vision), "mean")
    assert model.side == 32
    pictures = np.random.default_rng(0).integers(0, 256, (5, 40, 48, 3)).astype(np.uint8)
    alone = np.concatenate([model(picture[None]) for picture in pictures])
    np.testing.assert_allclose(model(pictures, rows=2), alone, atol=1e-5)
    whole = ViTModel.from_pretrained(vision).eval()
    with torch.no_grad():  # white is (255 / 255 − .5) / .5 = 1
        states = whole(pixel_values=torch.ones(1, 3, 32, 32)).last_hidden_state
    white = np.full((1, 40, 48, 3), 255, np.uint8)
    np.testing.assert_allclose(model(white), states[:, 1:].mean(1).numpy(), atol=1e-5)


def test_a_video_becomes_a_clip_of_features(
    vision: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_video(tmp_path / "one.mp4", coded([1, 9, 17, 25, 3, 11, 19]))
    (tmp_path / "two.mp4").write_text("no video")
    asked = ("extract", video, tmp_path / "two.mp4", "--features", vision)
    assert run(*asked, "--pooling", "spatial", "-o", tmp_path / "poses") == 3
    assert "two.mp4" in (tmp_path / "poses" / "quarantine.tsv").read_text()
    clip = read_pose(tmp_path / "poses" / "one.pose")
    assert (clip.layout.name, len(clip), clip.fps) == ("features-32", 7, 10)
    assert clip.origin.extractor == "image-features"
    assert clip.origin.settings["pooling"] == "spatial"
    wanted = ImageFeatures(str(vision), "spatial")(np.stack(coded([1, 9, 17, 25, 3, 11, 19])))
    found = features_of(clip)
    apart = np.linalg.norm(found[:, None] - wanted[None], axis=-1)
    assert (apart.argmin(1) == np.arange(7)).all()  # each picture is nearest to itself
    assert run("extract", video, "--features", vision, "--lips", "-o", tmp_path / "x") == 2
    assert "leave out --lips" in capsys.readouterr().err


def test_pictures_that_do_not_go_with_the_model_are_refused(vision: Path, tmp_path: Path) -> None:
    """Of 4 × 6 patches and [CLS] nobody could tell 5 × 5 patches."""
    wide = ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
                     intermediate_size=16, image_size=(32, 48), patch_size=8)  # fmt: skip
    ViTModel(wide).save_pretrained(tmp_path)
    picture = np.zeros((1, 40, 48, 3), np.uint8)
    for size, says in (
        ({"height": 32, "width": 48}, "is shown pictures of 48×32 pixels, expected square ones"),
        ({"height": 48, "width": 48}, r"does not take the pictures of 48×48 pixels .*\(.*match"),
    ):
        said = json.dumps({**PROCESSOR, "size": size})
        (tmp_path / "preprocessor_config.json").write_text(said)
        with pytest.raises(UsageError, match=says):
            ImageFeatures(str(tmp_path))(picture)


def test_a_model_that_is_not_whole_is_refused(vision: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"the vision model '.*nowhere' cannot be read"):
        ImageFeatures(str(tmp_path / "nowhere"))
    for file in vision.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(vision / "model.safetensors")
    name = next(name for name in weights if name.endswith("layernorm.weight"))
    del weights[name]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(MediaError, match=r"leave 1 tensors of the vision model random.*layernorm"):
        ImageFeatures(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(MediaError, match=r"the vision model '.*' cannot be read \(.*header"):
        ImageFeatures(str(tmp_path))
