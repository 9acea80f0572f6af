"""The simulated mouth: frozen, apart from the pose, and telling what the hands do not."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from signloom.cli.main import main
from signloom.corpora.store import open_store
from signloom.data.layouts import HANDS42
from signloom.pose.files import read_pose
from signloom.pose.lip_files import beside, read_lips
from signloom.simulator.camera import camera_of
from signloom.simulator.corpora import (
    SENTENCES,
    SimulatedSentences,
    SimulatedWords,
    signer_numbered,
)
from signloom.simulator.face import CHANNELS, mean_face, movements
from signloom.simulator.lexicon import POINTS, lemma_sign, relation, vocabulary
from signloom.simulator.lips import PIXELS, lips_of
from signloom.simulator.perform import Performance, Performed, perform
from signloom.simulator.phonology import VISEMES, draws

FROZEN = {
    "words tiny train 0": "fb39f422998e476cdbf9a848456a8527",
    "words small dev 700": "2bb1b8aca83e651f4cf2a574b17579b4",
    "words base test 2000": "af305aa3194c6e0e306cf1d9166a9dd0",
    "sentences tiny train 11": "bb443aaa9bc0616d5735f129d71a2c87",
    "sentences small dev 42": "15af2e98283e404594492668d3dc900c",
    "sentences base test 99": "adc5fca93a6187ca8fefafb4ae0b0b2c",
}
"""A change that alters one of these makes other lips: give them a new version, never a new hash."""


def digest(frames: NDArray[np.uint8]) -> str:
    return hashlib.sha256(f"{frames.shape}".encode() + frames.tobytes()).hexdigest()[:32]


@pytest.mark.parametrize("name", FROZEN)
def test_lips_are_what_they_were_when_they_were_frozen(name: str) -> None:
    kind, size, split, index = name.split()
    corpus = {"words": SimulatedWords, "sentences": SimulatedSentences}[kind]
    lips = corpus(size, split, HANDS42, lips=True)[int(index)].lips
    assert lips is not None
    assert digest(lips.frames) == FROZEN[name]


def test_a_sample_is_the_same_with_lips_or_without() -> None:
    for corpus in (SimulatedWords, SimulatedSentences):
        plain, seen = corpus("tiny", "dev")[3], corpus("tiny", "dev", lips=True)[3]
        assert plain.lips is None
        np.testing.assert_array_equal(plain.clip.points, seen.clip.points)
        assert (plain.id, plain.text, plain.glosses) == (seen.id, seen.text, seen.glosses)
        assert seen.lips is not None
        assert seen.lips.aligned_with(seen.clip).present.all()
        assert seen.lips.origin.simulated
        assert seen.lips.origin.version == "sim-lips-v1"


def test_sources_stay_what_they_were() -> None:
    assert SimulatedWords("tiny") == SimulatedWords("tiny", lips=False)
    assert SimulatedWords("tiny") != SimulatedWords("tiny", lips=True)
    old = SimulatedSentences("tiny", "dev")
    state = {k: v for k, v in vars(old).items() if k != "lips"}  # pickled before there were lips
    read = object.__new__(SimulatedSentences)
    vars(read).update(state)
    assert read == old == pickle.loads(pickle.dumps(old))
    assert hash(read) == hash(old)


def still(state: tuple[float, ...], frames: int = 1) -> Performance:
    """A head that does not move, with its mouth in one state."""

    def none(*shape: int) -> NDArray[np.float64]:
        return np.zeros((frames, *shape))

    face = none(len(CHANNELS))
    face[:, : len(state)] = state
    return Performance(25.0, none(2, 3), none(2, 6), none(2, 16), face, none(3), none(3), ())


def picture(viseme: str, signer: int, time: int) -> NDArray[np.float32]:
    """The middle of one crop, freed of level and slope of the light on the skin around the mouth."""
    rng = draws("test", viseme, signer, time)
    lips = lips_of(still(VISEMES[viseme]), signer_numbered(1, signer), camera_of(rng), rng)
    seen = lips.seen()[0, 24:68, 12:76].reshape(22, 2, 32, 2).mean((1, 3))
    y, x = np.mgrid[: seen.shape[0], : seen.shape[1]]
    plane = np.stack([np.ones_like(x), x, y], -1).reshape(-1, 3)
    skin = np.ones(seen.shape, bool)
    skin[4:-4, 4:-4] = False
    light = np.linalg.lstsq(plane[skin.ravel()], seen[skin], rcond=None)[0]
    rest = seen.ravel() - plane @ light
    return rest / np.linalg.norm(rest)


def test_visemes_of_two_signers_can_be_told_apart_in_other_light() -> None:
    """Nearest centroid over (viseme, signer), in light and noise that it has not seen; chance is 1 in 14."""
    known = [(viseme, signer) for viseme in VISEMES for signer in (0, 1)]
    centroids = np.array([np.mean([picture(*k, time) for time in range(6)], 0) for k in known])
    hits = [
        known[int(((centroids - picture(viseme, signer, time)) ** 2).sum(1).argmin())][0] == viseme
        for viseme, signer in known
        for time in range(100, 103)
    ]
    assert np.mean(hits) >= 0.9


def test_homonyms_differ_in_lips_and_not_in_hands() -> None:
    signs = [word for word in vocabulary("small").lemmas if word not in POINTS]
    lemmas = [word for word in signs if relation(word)[0] == "homonym"][:4]
    assert lemmas
    for lemma in lemmas:
        signer = signer_numbered(1, 3)
        camera = camera_of(draws("camera"))
        signs = [Performed(lemma_sign(word)) for word in (lemma, relation(lemma)[1])]
        ours, theirs = (perform([sign], signer, draws("a"), citation=True) for sign in signs)
        for hands in ("wrists", "turns", "shapes"):
            np.testing.assert_array_equal(getattr(ours, hands), getattr(theirs, hands))
        mouths = [lips_of(p, signer, camera, draws("b")).frames.astype(int) for p in (ours, theirs)]
        apart = np.abs(mouths[0] - mouths[1])  # in greys, with the same light and noise in both
        assert apart.max() > 40
        assert not apart[:, :20].any()  # above the mouth they are one


def test_lips_stand_where_the_face_mesh_has_them() -> None:
    """Dark lips on light skin: their lowest row and outermost columns follow the mesh's own points."""
    signer = signer_numbered(1, 1)
    rest = mean_face()
    for state in ("aa", "oo", "ee", "mbp"):
        moved = rest + np.tensordot(VISEMES[state], movements()[:4], 1)
        width = (moved[61, 0] - moved[291, 0]) * PIXELS
        drop = (rest[17, 1] - moved[17, 1]) * PIXELS
        pictures = [
            lips_of(still(s, 8), signer, camera_of(draws("c")), draws("d")).frames.mean(0)
            for s in (VISEMES[state], VISEMES["rest"])
        ]
        row = int(np.rint(47.5 + (rest[61, 1] - moved[61, 1]) * PIXELS))
        dark = pictures[0][row - 2 : row + 3].min(0) < pictures[0][:10].mean() - 25
        columns = np.flatnonzero(dark)
        assert abs(columns[-1] - columns[0] + 1 - width) < 7
        lows = [np.flatnonzero(p[:, 44:52].mean(1) < p[:10].mean() - 25).max() for p in pictures]
        assert abs((lows[0] - lows[1]) - drop) < 3.5


def test_commands_write_lips_beside_clips_and_into_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SENTENCES["tiny"], "dev", 8)

    def run(*arguments: object) -> int:
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments)])
        return int(stop.value.code or 0)

    same = ("--size", "tiny", "--layout", "hands42", "--lips", "-o")
    expected = SimulatedWords("tiny", "train", HANDS42, lips=True)[1]
    assert run("simulate", "words", "--index", 1, *same, tmp_path) == 0
    pose = tmp_path / "sim-words-v1-tiny-train-000001.pose"
    lips = read_lips(beside(pose)).aligned_with(read_pose(pose))
    np.testing.assert_array_equal(lips.frames, expected.lips.frames)
    assert (lips.id, lips.origin) == (expected.lips.id, expected.lips.origin)
    plain = ("--size", "tiny", "--layout", "hands42", "-o", tmp_path)
    assert run("simulate", "words", "--index", 1, "--overwrite", *plain) == 0
    assert (pose.is_file(), beside(pose).exists()) == (True, False)
    assert run("prepare", "sim-sentences-v1", "--split", "dev", *same, tmp_path / "s") == 0
    store = open_store(tmp_path / "s", "dev", lips=True)
    assert store.describe()["description"]["lips"] == "sim-lips-v1"
    expected = SimulatedSentences("tiny", "dev", HANDS42, lips=True)[7]
    np.testing.assert_array_equal(store[7].lips.frames, expected.lips.frames)
    assert store[7].lips.origin == expected.lips.origin
