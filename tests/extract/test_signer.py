"""Which of the people in the picture is taken for the signer."""

from __future__ import annotations

import numpy as np

from signloom.extract.signer import Sighting, choose, tiles

SIZE = (1280, 720)


def seen(
    at: tuple[float, float], shoulders: float, moving: float, pictures: range
) -> list[Sighting]:
    """A person whose wrists travel ``moving`` shoulder widths."""
    rng = np.random.default_rng(1)
    centre = np.array(at)
    return [
        Sighting(
            p,
            centre + rng.normal(0, 2, 2),
            shoulders,
            centre
            + shoulders * (np.array([[0.5, 1.0], [-0.5, 1.0]]) + moving * rng.normal(0, 1, (2, 2))),
        )
        for p in pictures
    ]


def test_the_one_whose_hands_move_is_the_signer() -> None:
    speaker = seen((400.0, 300.0), 200.0, 0.02, range(8))
    interpreter = seen((1100.0, 560.0), 80.0, 0.4, range(8))
    passer_by = seen((700.0, 300.0), 250.0, 0.5, range(2))
    both = sorted(speaker + interpreter + passer_by, key=lambda s: s.picture)
    box = choose(both, 8, SIZE)
    assert box is not None
    x, y, w, h = box
    assert x > 700
    assert x + w > 1180
    assert x + w <= 1280
    assert y < 560 < y + h <= 720


def test_nobody_and_a_lone_large_signer_get_the_whole_picture() -> None:
    assert choose([], 8, SIZE) is None
    assert choose(seen((640.0, 300.0), 250.0, 0.3, range(8)), 8, SIZE) is None
    assert choose(seen((640.0, 300.0), 60.0, 0.3, range(8)), 8, SIZE) is not None


def test_tiles_cover_the_picture() -> None:
    covered = np.zeros((101, 203), bool)
    for x, y, w, h in list(tiles(203, 101))[1:]:
        assert x + w <= 203
        assert y + h <= 101
        covered[y : y + h, x : x + w] = True
    assert covered[:-1].mean() > 0.99
