"""The store gives back what was put in, to a stated error, and says what is wrong with it."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.corpora import store as store_module
from signloom.corpora.store import StoreWriter, encode, open_store, quantise
from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC, PS76, Layout
from signloom.data.lips import Lips
from signloom.data.sample import GlossSpan, Sample, SampleSource
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError

OWN = Layout("header-5", tuple(f"BODY:{i}" for i in range(5)), ("body",) * 5, ((0, 1), (1, 4)))


def sample(n: int, layout: Layout = HANDS42, frames: int = 7, **fields: object) -> Sample:
    """A sample drawn from ``n``, a third of its keypoints missing, world points in metres."""
    rng = np.random.default_rng(n)
    points = rng.normal(600, 200, (frames, len(layout), 3)).astype(np.float32)
    points[:, layout.part("world")] /= 1000
    confidence = np.clip(rng.random((frames, len(layout))) * 1.5 - 0.5, 0, 1).astype(np.float32)
    clip = PoseClip(points, confidence, 25.0 + n, layout, id=f"clip{n}", size=(1280, 720))
    return Sample(f"s{n}", clip, **({"text": f"text {n}"} | fields))  # type: ignore[arg-type]


def write(path: Path, count: int = 5, layout: Layout = HANDS42) -> Path:
    with StoreWriter(path, layout, description={"name": "made up"}) as writer:
        for n in range(count):
            writer.add(sample(n, layout), "train" if n % 2 == 0 else "dev")
    return path


@pytest.mark.parametrize("layout", [HOLISTIC, PS76, OWN], ids=lambda layout: layout.name)
def test_a_sample_comes_back(tmp_path: Path, layout: Layout) -> None:
    given_ = sample(
        3,
        layout,
        text="Grüß dich, 你好",
        glosses=(GlossSpan("HELLO", Span(0.1, 0.2)), GlossSpan("YOU")),
        signer="anna",
        language="ase",
        stitched=True,
    )
    with StoreWriter(tmp_path / "s", layout) as writer:
        writer.add(given_, "train")
    store = open_store(tmp_path / "s")
    assert isinstance(store, SampleSource)
    got = store[0]
    for name in ("id", "text", "glosses", "signer", "language", "stitched"):
        assert getattr(got, name) == getattr(given_, name)
    for name in ("id", "fps", "layout", "size", "origin"):
        assert getattr(got.clip, name) == getattr(given_.clip, name)
    for part in layout.parts.values():
        largest = np.abs(given_.clip.points[:, part]).max(axis=(0, 1))
        error = np.abs(got.clip.points[:, part] - given_.clip.points[:, part]).max(axis=(0, 1))
        assert (error <= largest / 65_534 * 1.01).all()
    assert np.abs(got.clip.confidence - given_.clip.confidence).max() <= 1 / 255
    # What the record demands holds without being checked again.
    again = PoseClip(got.clip.points, got.clip.confidence, 25.0, layout)
    assert np.array_equal(again.points, got.clip.points)
    assert np.array_equal(got.clip.present, given_.clip.present)
    assert not got.clip.points.flags.writeable


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.floats(-1e6, 1e6, width=32).filter(lambda x: x == 0 or abs(x) > 1e-30),
        min_size=15,
        max_size=15,
    )
)
def test_quantising_keeps_within_half_a_step(values: list[float]) -> None:
    points = np.array(values, np.float32).reshape(1, 5, 3)
    whole, scale = quantise(points, OWN)
    assert (whole[points == 0] == 0).all()
    error = np.abs(whole.astype(np.float64) * scale[0] - points)
    assert (error <= scale[0] * 0.501).all()


def test_what_was_seen_stays_seen() -> None:
    clip = PoseClip(np.ones((1, 5, 3), np.float32), np.full((1, 5), 1e-4, np.float32), 25.0, OWN)
    assert set(encode(Sample("a", clip))["confidence"]) == {1}


def test_splits_order_and_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "SHARD_BYTES", 3 * 7 * 42 * 7)
    path = write(tmp_path / "s", 20)
    assert len(list(path.glob("train-*.arrow"))) == 4
    train, both = open_store(path, "train"), open_store(path)
    assert train.splits == {"train": 10, "dev": 10}
    assert train.ids() == [f"s{n}" for n in range(0, 20, 2)]
    assert [train[i].text for i in range(len(train))] == train.texts()
    assert [s.id for s in both] == both.ids() == train.ids() + open_store(path, "dev").ids()
    assert train[-1].id == "s18"
    with pytest.raises(IndexError):
        train[10]
    both.verify()


def test_it_pickles_as_its_path(tmp_path: Path) -> None:
    store = open_store(write(tmp_path / "s"), "dev")
    _ = store[0]
    data = pickle.dumps(store)
    assert len(data) < 400
    again = pickle.loads(data)
    assert again.ids() == store.ids()
    assert np.array_equal(again[1].clip.points, store[1].clip.points)


def test_simulated_only_if_all_of_it_is(tmp_path: Path) -> None:
    simulated = sample(1)
    object.__setattr__(simulated.clip, "origin", Origin(SIMULATED, "sim-words-v1"))
    for name, others in (("only", []), ("mixed", [sample(2)])):
        with StoreWriter(tmp_path / name, HANDS42) as writer:
            for each in [simulated, *others]:
                writer.add(each, "train")
        assert open_store(tmp_path / name).simulated is (name == "only")
    assert open_store(tmp_path / "only")[0].clip.simulated


def fail(path: Path, overwrite: bool = False) -> None:
    """A writer that is stopped in the middle."""
    with StoreWriter(path, HANDS42, overwrite) as writer:
        writer.add(sample(9), "train")
        raise RuntimeError("stop")


def test_nothing_is_left_of_a_store_that_failed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"stop"):
        fail(tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


def test_an_older_store_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "s", 2)
    with pytest.raises(UsageError, match=r"exists already.*--overwrite"):
        write(path)
    with pytest.raises(RuntimeError, match=r"stop"):
        fail(path, overwrite=True)
    assert open_store(path).ids() == ["s0", "s1"]
    with StoreWriter(path, HANDS42, overwrite=True) as writer:
        writer.add(sample(9), "train")
    assert open_store(path).ids() == ["s9"]


def test_errors_of_writing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no sample was added"), StoreWriter(tmp_path / "a", OWN):
        pass
    with (
        pytest.raises(UsageError, match=r"'s1' is in layout 'hands42'.*holds 'ps76'; convert"),
        StoreWriter(tmp_path / "b", PS76) as writer,
    ):
        writer.add(sample(1), "train")
    with (
        pytest.raises(UsageError, match=r"named '\.\./x'; use letters"),
        StoreWriter(tmp_path / "c", HANDS42) as writer,
    ):
        writer.add(sample(1), "../x")
    assert list(tmp_path.iterdir()) == []


def test_errors_of_reading(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"is no signloom store.*signloom prepare"):
        open_store(tmp_path)
    path = write(tmp_path / "s")
    with pytest.raises(UsageError, match=r"no split 'trian' \(did you mean 'train'\?\)"):
        open_store(path, "trian")

    shard = path / "dev-00000.arrow"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-100] + bytes(100))
    with pytest.raises(MediaError, match=r"dev-00000.arrow has sha256.*has changed"):
        open_store(path).verify()
    with pytest.raises(MediaError, match=r"cannot be read as Arrow"):
        open_store(path, "dev")[0]
    shard.write_bytes(whole[:-1])
    with pytest.raises(
        MediaError, match=rf"{len(whole) - 1} bytes, expected {len(whole)}: .*short"
    ):
        open_store(path)

    index = json.loads((path / "index.json").read_text())
    (path / "index.json").write_text(json.dumps(index | {"version": 99}))
    with pytest.raises(MediaError, match=r"format version 99.*reads up to 1; update signloom"):
        open_store(path)
    first = index["shards"][0]
    for wrong, message in (
        ({"origins": []}, "it names no origin"),
        ({"splits": {"train": "3"}}, "the splits of 'train' are '3'"),
        ({"frames": None}, "AttributeError"),
        ({"shards": [{**first, "samples": -1}]}, "the samples of shard '.*' are -1"),
        ({"shards": [{k: v for k, v in first.items() if k != "sha256"}]}, "KeyError: 'sha256'"),
        ({"shards": [{**first, "split": "other"}]}, "is of split 'other'"),
    ):
        (path / "index.json").write_text(json.dumps(index | wrong))
        with pytest.raises(MediaError, match=rf"index\.json is damaged .*{message}.*prepare the"):
            open_store(path)


def test_only_a_store_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="is no store, so it is not replaced"):
        with StoreWriter(tmp_path, HANDS42, overwrite=True) as writer:
            writer.add(sample(0), "train")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def lips(n: int, frames: int = 7) -> Lips:
    """Crops drawn from ``n``, at the rate of ``sample(n)``, the third absent."""
    pixels = np.random.default_rng(n).integers(1, 256, (frames, 96, 96)).astype(np.uint8)
    return Lips(pixels, np.arange(frames) != 2, 25.0 + n, f"clip{n}", Origin("signloom-lips", "1"))


def test_lips_come_back_where_they_are_asked_for(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(store_module, "SHARD_BYTES", 150_000)  # two samples with lips a shard
    with StoreWriter(tmp_path / "s", HANDS42) as writer:
        for n in range(5):
            writer.add(replace(sample(n), lips=lips(n) if n % 3 else None), "train")
        writer.add(sample(7), "dev")
    store = open_store(tmp_path / "s", "train", lips=True)
    assert open_store(tmp_path / "s").describe()["lips"] == {"train": 3, "dev": 0}
    again = pickle.loads(pickle.dumps(store))
    for n in range(5):
        assert open_store(tmp_path / "s", "train")[n].lips is None
        for got in (store[n].lips, again[n].lips):
            if not n % 3:
                assert got is None
                continue
            np.testing.assert_array_equal(got.frames, lips(n).frames)
            np.testing.assert_array_equal(got.present, lips(n).present)
            assert (got.id, got.fps, got.origin) == (f"clip{n}", 25.0 + n, lips(n).origin)
            got.aligned_with(store[n].clip)
    with pytest.raises(UsageError, match=r"split 'dev' of the store .* holds no mouth crops"):
        open_store(tmp_path / "s", "dev", lips=True)


def test_a_store_without_lips_is_what_it_was_before_there_were_any(tmp_path: Path) -> None:
    path = write(tmp_path / "s")
    index = json.loads((path / "index.json").read_text())
    assert all("lips" not in shard for shard in index["shards"])
    schema = pa.ipc.open_file(pa.memory_map(str(path / "train-00000.arrow"))).schema
    assert schema.names[-1] == "confidence"
    with pytest.raises(UsageError, match=r"the store .* holds no mouth crops"):
        open_store(path, lips=True)


def test_the_text_before_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside samples that have none, in shards with lips and without."""
    monkeypatch.setattr(store_module, "SHARD_BYTES", 150_000)
    with StoreWriter(tmp_path / "s", HANDS42) as writer:
        for n in range(6):
            mouths = lips(n) if n > 2 else None
            before = f"text {n - 1}" if n % 2 else ""
            writer.add(replace(sample(n), previous=before, lips=mouths), "train")
    store = open_store(tmp_path / "s")
    assert len(store.describe()["splits"]) == 1
    store.verify()
    assert [s.previous for s in store] == ["", "text 0", "", "text 2", "", "text 4"]
    assert open_store(tmp_path / "s", lips=True)[5].previous == "text 4"


def test_lips_of_another_length_or_rate_than_the_clip_are_not_kept() -> None:
    for wrong in (lips(3, frames=6), lips(4)):
        with pytest.raises(MediaError, match="expected one crop for each frame"):
            encode(replace(sample(3), lips=wrong))
