"""Frame features of signjoey: tensors come back as numbers without torch being asked, into a store and a model."""

from __future__ import annotations

import dataclasses
import gzip
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.cli.main import main
from signloom.corpora.pickled import read_pickle
from signloom.corpora.signjoey import signjoey
from signloom.corpora.store import open_store
from signloom.data.clip import PoseClip
from signloom.data.features import features_clip, features_of
from signloom.data.layouts import PS76, features_layout, layout_named
from signloom.errors import MediaError, UsageError
from signloom.methods.semtext import PRESETS, Config, begin
from signloom.pose.convert import convert
from signloom.pose.files import read_pose, write_pose
from tests.language.test_sentence_embedding import small

TEXTS = ["Tomorrow it will rain.", "They see a red house.", "Bread", "Tomorrow it rains."]
WIDTH = 8


def sample(which: int, sign: Any = None) -> dict[str, Any]:
    rng = np.random.default_rng(which)
    numbers = torch.tensor(rng.standard_normal((20 + which, WIDTH)), dtype=torch.float32)
    return {"name": f"train/{which}", "signer": f"Signer0{which}", "gloss": "MORGEN REGEN",
            "text": TEXTS[which % 4] + "\n", "sign": numbers if sign is None else sign}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As published: gzip, protocol 2, tensors; one file packed in no way, with arrays."""
    place = tmp_path / "features"
    place.mkdir()
    with gzip.open(place / "phoenix14t.pami0.train", "wb") as file:
        pickle.dump([sample(i) for i in range(4)], file, protocol=2)
    dev = sample(5)
    dev["sign"] = dev["sign"].numpy()
    (place / "phoenix14t.pami0.dev").write_bytes(pickle.dumps([dev]))
    return place


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    "kind", ["float32", "float64", "float16", "int64", "int32", "uint8", "int8"]
)
def test_a_tensor_is_the_array_of_its_numbers(tmp_path: Path, kind: str) -> None:
    whole = torch.arange(24).reshape(2, 3, 4).to(getattr(torch, kind))
    views = [whole, whole[1], whole[:, 1:, ::2], whole.transpose(0, 2), whole[:0], whole[0, 0, 0]]
    for protocol in (2, 4):
        (tmp_path / "t.pkl").write_bytes(pickle.dumps(views, protocol=protocol))
        for tensor, array in zip(views, read_pickle(tmp_path / "t.pkl"), strict=True):
            np.testing.assert_array_equal(array, tensor.numpy())
            assert array.dtype == tensor.numpy().dtype


DUMPED = pickle.dumps(torch.arange(6.0).reshape(2, 3), protocol=4)
"""Once: torch does not always write it in as many bytes."""


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_damage_to_a_tensor_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytearray(DUMPED)
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "damaged.pkl"
    file.write_bytes(whole)
    with suppress(MediaError):
        read_pickle(file)


class Reaching:
    """A tensor that claims numbers beyond its storage, or a storage that is none."""

    def __init__(self, shape: tuple[int, ...], strides: tuple[int, ...], kind: Any = None) -> None:
        self.shape, self.strides, self.kind = shape, strides, kind

    def __reduce__(self) -> Any:
        storage = self.kind if self.kind is not None else torch.arange(4.0).storage()
        return torch._utils._rebuild_tensor_v2, (storage, 0, self.shape, self.strides, False, {})


@pytest.mark.filterwarnings("ignore:TypedStorage")
def test_a_tensor_that_reaches_beyond_its_numbers_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.pkl"
    for wrong in (Reaching((5,), (1,)), Reaching((2,), (4,)), Reaching((10**6, 4), (0, 1)),
                  Reaching((-1,), (1,)), Reaching((1,), (1,), kind=[1.0])):  # fmt: skip
        file.write_bytes(pickle.dumps([wrong]))
        with pytest.raises(MediaError, match=r"t\.pkl cannot be read as a pickle .*a tensor"):
            read_pickle(file)
    file.write_bytes(pickle.dumps(torch.zeros(2, dtype=torch.bfloat16)))
    with pytest.raises(MediaError, match=r"asks for 'torch\.BFloat16Storage'"):
        read_pickle(file)


def test_the_samples_are_there_with_their_splits(folder: Path) -> None:
    corpus = signjoey(folder)
    assert corpus.native_layout() is features_layout(WIDTH)
    sources = corpus.sources(corpus.native_layout())
    assert {split: len(each) for split, each in sources.items()} == {"dev": 1, "train": 4}
    found = sources["train"][1]
    assert (found.id, found.signer, found.text) == ("train/1", "Signer01", TEXTS[1])
    assert [span.gloss for span in found.glosses] == ["MORGEN", "REGEN"]
    assert (found.clip.fps, found.clip.simulated) == (25, False)
    np.testing.assert_array_equal(features_of(found.clip), sample(1)["sign"].numpy())


def test_what_a_sample_does_not_say_is_no_word(tmp_path: Path) -> None:
    """How2Sign has no glosses: None is not the gloss 'None'."""
    silent = {**sample(0), "gloss": None, "signer": None, "text": None}
    without = {name: sample(1)[name] for name in ("name", "text", "sign")}
    (tmp_path / "how2sign.train").write_bytes(pickle.dumps([silent, without]))
    for entry, text in zip(signjoey(tmp_path).sources(features_layout(WIDTH))["train"].entries, ["", TEXTS[1]], strict=True):  # type: ignore[attr-defined]  # fmt: skip
        assert (entry.text, entry.glosses, entry.signer) == (text, (), "")


def test_features_go_through_a_store_and_a_file(folder: Path, tmp_path: Path) -> None:
    assert run("prepare", "signjoey", folder, "-o", tmp_path / "store") == 0
    kept = open_store(tmp_path / "store", "train")[2].clip
    wanted = sample(2)["sign"].numpy()
    assert np.abs(features_of(kept) - wanted).max() <= np.abs(wanted).max() / 65_000
    write_pose(kept, tmp_path / "two.pose")
    again = read_pose(tmp_path / "two.pose")
    assert again.layout is layout_named("features-8")
    np.testing.assert_array_equal(features_of(again), features_of(kept))


def reading_features(embedding: Path) -> Config:
    return dataclasses.replace(
        PRESETS["tiny"], layout=f"features-{WIDTH}", parts=("features",), coordinates=3,
        normalizer="none", local_hands=False, channels=(), stride=1, sem_weight=1.0,
        embedding=str(embedding), encoder_positions=400,
    )  # fmt: skip


def test_semtext_learns_from_features(folder: Path, tmp_path: Path) -> None:
    """Four clips by heart, and not one another's."""
    from tests.methods.test_semtext import learn, said

    corpus = signjoey(folder)
    samples = [*corpus.sources(corpus.native_layout())["train"]]  # type: ignore[call-overload]
    model = learn(begin(reading_features(small(tmp_path / "model")), TEXTS, 1), 60, samples)
    clips = [each.clip for each in samples]
    assert said(model, clips) == TEXTS
    assert sum(a == b for a, b in zip(said(model, clips[1:] + clips[:1]), TEXTS, strict=True)) <= 1
    with pytest.raises(
        UsageError, match="'features-9' does not convert to 'features-8': numbers of frame"
    ):
        model.translate([features_clip(np.zeros((20, 9), np.float32), 25.0)])
    keypoints = PoseClip(np.zeros((9, 76, 3), np.float32), np.ones((9, 76), np.float32), 25.0, PS76)
    with pytest.raises(UsageError, match="layout 'ps76' does not convert to 'features-8'"):
        model.translate([keypoints])
    with pytest.raises(UsageError, match="layout 'features-8' does not convert to 'ps76'"):
        convert(clips[0], PS76)


def test_settings_that_do_not_go_with_features(tmp_path: Path) -> None:
    config = reading_features(tmp_path)
    for change in ({"normalizer": "isharah_frame"}, {"coordinates": 2}, {"layout": "ps76", "parts": ["body"]}):  # fmt: skip
        with pytest.raises(UsageError, match="need normalizer 'none' and 3 coordinates"):
            Config.of({**config.to_json(), **change})
    with pytest.raises(UsageError, match=r"those of layout 'features-8', which has features"):
        Config.of({**config.to_json(), "parts": ["body"]})
    with pytest.raises(UsageError, match="no layout 'features-0'"):
        layout_named("features-0")


def test_what_is_no_file_of_features_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no file whose name says train, dev, val or test"):
        signjoey(tmp_path)
    dev = folder / "phoenix14t.pami0.dev"
    dev.write_bytes(pickle.dumps([{"name": "a", "text": "b"}]))
    with pytest.raises(
        MediaError, match=r"dev holds a list of 1, expected a list of dicts with name, sign, text"
    ):
        signjoey(folder)
    infinite = torch.full((3, WIDTH), float("inf"))
    dev.write_bytes(pickle.dumps([sample(0, infinite), sample(1, torch.zeros(3, 9))]))
    found = signjoey(folder).sources(features_layout(WIDTH))["dev"]
    with pytest.raises(MediaError, match="hold numbers that are not finite"):
        found[0]
    with pytest.raises(
        MediaError, match=r"sample 1: features of shape \(3, 9\), expected \(frames, 8\)"
    ):
        found[1]
