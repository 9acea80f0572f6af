"""What `inspect` says of embeddings: planted meanings are found, planted conflicts too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.layouts import PS76
from signloom.data.sample import Sample
from signloom.errors import UntrustedResultError, UsageError
from signloom.inference.embeddings import Embeds, inspect, pictures
from signloom.web.embeddings_report import render
from tests.methods.test_posestitch import smooth_clip

WORDS = [f"text {i}" for i in range(12)]


class Planted:
    """Knows a clip by its length; its losses pull a weight together, apart, or at right angles."""

    name, simulated_only, layout = "planted", False, PS76

    def __init__(self, learns: bool = True) -> None:
        self.learns_embeddings = learns
        self.weights = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))]

    def embed_clips(self, clips: Sequence[PoseClip]) -> np.ndarray:
        return self.embed_texts([f"text {len(clip) - 10}" for clip in clips])

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([np.eye(16, dtype=np.float32)[int(text.split()[1])] for text in texts])

    def both_losses(self, samples: Sequence[Sample]) -> tuple[Tensor, Tensor]:
        first, second = self.weights
        return 2 * first.sum() + second[0], first.sum() - second[0]

    def shared(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {"together": self.weights[:1], "apart": self.weights[1:]}


def refuse(samples: Sequence[Sample]) -> tuple[Tensor, Tensor]:
    raise UsageError(f"the text of sample '{samples[0].id}' has 70 tokens")


def corpus(turned: int = 0) -> list[Sample]:
    """Twelve clips; text i belongs to a clip of i + 10 frames, or the texts are turned round by so many."""
    return [
        Sample(str(i), smooth_clip(i, 10 + i), WORDS[(i + turned) % len(WORDS)]) for i in range(12)
    ]


def test_what_is_planted_is_seen() -> None:
    assert isinstance(Planted(), Embeds)
    found = inspect(Planted(), corpus(), 100)  # type: ignore[arg-type]
    assert found.to_text.recall == found.to_clip.recall == {1: 100, 5: 100, 10: 100}
    assert found.to_text.chance[1] == pytest.approx(100 / 12)
    assert (found.own, found.other) == (1, 0)
    assert all(each.rank == 1 for each in found.neighbours)
    assert found.neighbours[3].nearest[0] == ("text 3", 1)
    turned = inspect(Planted(), corpus(turned=1), 100)  # type: ignore[arg-type]
    assert turned.to_text.recall[1] == turned.own == 0


def test_two_clips_of_one_text_both_count() -> None:
    samples = corpus()
    samples[1] = Sample("again", smooth_clip(0, 10), WORDS[0])
    found = inspect(Planted(), samples, 100)  # type: ignore[arg-type]
    assert (found.to_text.candidates, found.to_clip.candidates) == (11, 12)
    assert found.to_text.recall[1] == found.to_clip.recall[1] == 100


def test_gradients_that_agree_and_that_do_not() -> None:
    found = inspect(Planted(), corpus(), 100).agreement  # type: ignore[arg-type]
    assert found is not None
    assert found.parts == {"together": pytest.approx(1), "apart": pytest.approx(-1)}
    assert found.cosines == (pytest.approx((2 + 2 - 1) / np.sqrt((4 + 4 + 1) * 3)),)
    assert found.ratio == pytest.approx(np.sqrt(9 / 3))
    assert found.clips == 12
    assert inspect(Planted(), corpus(), 100, batches=0).agreement is None  # type: ignore[arg-type]


def test_pca_is_the_plane_in_which_points_lie() -> None:
    rng = np.random.default_rng(0)
    flat, turn = rng.standard_normal((20, 2)), np.linalg.qr(rng.standard_normal((8, 8)))[0]
    high = (flat @ turn[:2] + 5).astype(np.float32)
    pca, tsne = pictures(high[:10], high[10:])
    found = np.concatenate([pca.found, pca.wanted])
    apart = [np.linalg.norm(each[:, None] - each[None], axis=-1) for each in (flat, found)]
    np.testing.assert_allclose(*apart, atol=1e-4)
    assert (pca.method, tsne.method) == ("PCA", "t-SNE")
    assert "100 %" in pca.said
    assert tsne.found.shape == tsne.wanted.shape == (10, 2)


def test_without_scikit_learn_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = inspect(Planted(), corpus(), 100, batches=0)  # type: ignore[arg-type]
    assert [picture.method for picture in found.pictures] == ["PCA"]
    page = render(found, {"model": "planted", "store": "none", "split": "test"})
    assert "t-SNE is left out: it needs scikit-learn" in page


def test_what_cannot_be_looked_at_is_refused() -> None:
    with pytest.raises(UsageError, match="'planted' was not taught where sentence embeddings lie"):
        inspect(Planted(learns=False), corpus(), 100)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="2 clips with a text are too few"):
        inspect(Planted(), corpus(), 2)  # type: ignore[arg-type]
    wordy = Planted()
    wordy.both_losses = refuse  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="has 70 tokens; or show the page without gradients"):
        inspect(wordy, corpus(), 100)  # type: ignore[arg-type]
    knows_little = Planted()
    knows_little.simulated_only = True
    with pytest.raises(UntrustedResultError, match="sample '0' is not simulated"):
        inspect(knows_little, corpus(), 100)  # type: ignore[arg-type]
