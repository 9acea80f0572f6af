"""The frozen corpora: probe hashes of what sim-words-v1, sim-sentences-v1, sim-episodes-v1 are.

Figures name the corpus they were measured on. A change that alters one of these hashes
makes another corpus: give it a new version, never a new hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import pytest

from signloom.data.layouts import HOLISTIC
from signloom.data.sample import Sample
from signloom.data.timing import Span
from signloom.simulator.corpora import SPLITS, SimulatedSentences, SimulatedWords
from signloom.simulator.episode import Episode, SimulatedEpisodes
from signloom.simulator.lexicon import SIZES
from signloom.simulator.signed import Token
from tests.simulator.test_grammar import unchecked

PROBES = {"train": (0, 11, 399), "dev": (0, 42), "test": (1, 99)}
TEXTS = 100
"""Leading sentences of a split whose text and glosses are hashed too."""

FROZEN: dict[str, str] = {
    "sim-sentences-v1 tiny train": "7e7cb4d3a3ca974bcb8c1b1d4d3f55914d469347cbc7333bf4adfc3e0a853cd6",
    "sim-sentences-v1 tiny train texts": "623ee258d96e5016e9cfb40d6bfdc363a66a35f2c5b3f422863cfb1eaaba2ed3",
    "sim-words-v1 tiny train": "2b5349c0f3fcf257a484438424f4eb1d4733d1e55e541c1d758981c8de354405",
    "sim-sentences-v1 tiny dev": "fc3b8a61669cfee8f71b3a9929f0a5efcf64fd7c1852e0a9d4481ee8aad2c18c",
    "sim-sentences-v1 tiny dev texts": "21150305bef7d173f02b7b300d2d22fc2493e14195475e7a5d826dd0f064ff1f",
    "sim-words-v1 tiny dev": "ecc3892e92e9b311b0664d7c5a413714fb35f423086ba641afd9da5dbc1c56ac",
    "sim-sentences-v1 tiny test": "6caabd113dfe4f25458630fb63109aac0b2670007a44f06d4fba4eeda6d17474",
    "sim-sentences-v1 tiny test texts": "fa28d42c79e03e3142ef7592c9df60174ab63aefcd68d6127c79e81fc395e631",
    "sim-words-v1 tiny test": "17d55270f23c07d445c96fabaaefc35635526a624248dd1d811f592d151eaad2",
    "sim-sentences-v1 small train": "294994473f3adf6136e023bf308822f59cb970c056b200fdf2281a7f103c079c",
    "sim-sentences-v1 small train texts": "ae9875db69cbccb9d10ab78106fe302a2f7fcafd3a1503fcd2afb9394abdf7ab",
    "sim-words-v1 small train": "9c4feca6490ed5b59fe9e17c08c5acd307eef5688fce2b7d4b68a3d0355da213",
    "sim-sentences-v1 small dev": "ff66a848af0dec22df72c68a8f736e24462daddebc828e8f06f91938872016ca",
    "sim-sentences-v1 small dev texts": "a26d881e4406b0cb277766e8785a52673344a927503cd6ec4c67a611c4e192a9",
    "sim-words-v1 small dev": "84268c4a717247a4317fe3836cdc901d21624cc7a81f5bbe365abe2f6a87194f",
    "sim-sentences-v1 small test": "fddc688509da7ba15ad8d4936eae846a2af3e39d0c943d731adca387a9d5fab6",
    "sim-sentences-v1 small test texts": "8e3a67f56b63779164672801699ea70923a78a678c53284e8fddc27abf21118e",
    "sim-words-v1 small test": "221ec0af36d05422aeb7dcc968fe2644ec26d43bb3a53f5c78ff2a6cf81eac1e",
    "sim-sentences-v1 base train": "d19d4fadbb68154ff05024256dcffe800f47c670c528d53d7a054a51312fb0a2",
    "sim-sentences-v1 base train texts": "01bca5e911abb3b6c293ffc2f327225e8a10f8afab03e96b152c2e5cc17d3659",
    "sim-words-v1 base train": "3e32eabe36d45a76909b98e18e59fee1a39f100136204a4f42b613fff02dbd36",
    "sim-sentences-v1 base dev": "3ffab0e5980094442859b144abbd8e37d7006500c17403ced069a830ff5d4eb7",
    "sim-sentences-v1 base dev texts": "08ef52629a5e01e77c3c9093a0fe2d5a784d7cbd0e8917dbbe5cbb1a18b69515",
    "sim-words-v1 base dev": "c99457c44d66fe5874835e5b848a69f02192c46088430055b9c1a7513bc9c77e",
    "sim-sentences-v1 base test": "0fbf79015b8cfd644ee1788e26d83c5c0c4a62dd86bfea9eec518f217b207509",
    "sim-sentences-v1 base test texts": "b08e8eb6d4e82b7e17b116a375e6050e825b4f41478b79575b9e032c3665f5ca",
    "sim-words-v1 base test": "4c965ca512f55e416811d39b85fd747f59ec5ece72128645fd8042e3234659cf",
}

EPISODES = {"tiny": {"train": 3, "dev": 1, "test": 0}, "small": {"train": 7, "dev": 3, "test": 8}}
"""The episode of each size and split that is a probe; base is long, and its times suffice."""
FROZEN_EPISODES: dict[str, str] = {
    "sim-episodes-v1 tiny train": "6ebc9155406c5de9b16df6a38f8e997ca9ae24ab441d538f033d59e190618325",
    "sim-episodes-v1 tiny dev": "29b8a2a2ef4e3dd9a0c8dee17eca90aa0a5cffd057d7ea14e39e4268c502fcb2",
    "sim-episodes-v1 tiny test": "7a98114d02e8f3c1dd9b192dc9e30ce02e0dbc5d36566a320243fd20d6d228b5",
    "sim-episodes-v1 small train": "0f0d668d5d95591fd5696e1c7c608a8126f1e12e47c3d87318d3d055b0fd4a4a",
    "sim-episodes-v1 small dev": "111212d00b39d6e8c35133150fc552143c3342230d28308b74693c7bd298d08e",
    "sim-episodes-v1 small test": "1e85f2667bf5bca5eac0f5c3697bf51ea6ac1c953e78eeb20819e5d8f915aef5",
    "sim-episodes-v1 base test": "99a35f84cff5fde89b41a93141967a53fd61d85f36c1537554bb54f7b2e3792d",
}


def digest(samples: Iterable[Sample]) -> str:
    """A hash of points (to a thousandth), confidence, texts, glosses with spans, and signers."""
    found = hashlib.sha256()
    for sample in samples:
        facts = [sample.id, sample.text, sample.signer, sample.language, sample.clip.layout.name]
        facts += [
            f"{g.gloss} {g.span.start:.2f} {g.span.end:.2f}" for g in sample.glosses if g.span
        ]
        found.update("\n".join(facts).encode())
        clip = sample.clip
        found.update(f"{clip.fps} {clip.size} {clip.points.shape} {clip.origin.version}".encode())
        found.update(np.rint(clip.points.astype(np.float64) * 1000).astype("<i8").tobytes())
        found.update(np.rint(clip.confidence.astype(np.float64) * 1000).astype("<i8").tobytes())
    return found.hexdigest()


def ms(seconds: float) -> int:
    return round(1000 * seconds)


def episode_digest(episode: Episode, film: bool = True) -> str:
    """A hash of an episode's times (ms), texts and conditions, and of eight seconds of its clip."""
    facts = [episode.id, episode.signer, episode.language, str(episode.frames)]
    facts += [f"{name} {value}" for name, value in sorted(episode.conditions.items())]
    for i, (said, signed) in enumerate(zip(episode.speech, episode.signing, strict=True)):
        times = (*(ms(t) for t in (said.span.start, said.span.end)), *edges(signed.span))
        facts.append(f"{times} {episode.kinds[i]} {said.text}|{signed.text}")
    for one in episode.sentences:
        facts.append(f"{edges(one.span)} {one.cues} {one.text}")
        facts += [f"{g.gloss} {edges(g.span)}" for g in one.glosses if g.span]
    facts += [f"{edges(span)}" for span in episode.activity]
    facts += [f"{rest.kind} {edges(rest.span)}" for rest in episode.rests]
    found = hashlib.sha256("\n".join(facts).encode())
    if film:  # across the edge of the pieces that are rendered
        clip = episode.clip(Span(36, 44))
        found.update(f"{clip.fps} {clip.size} {clip.points.shape} {clip.origin.version}".encode())
        found.update(np.rint(clip.points.astype(np.float64) * 1000).astype("<i8").tobytes())
        found.update(np.rint(clip.confidence.astype(np.float64) * 1000).astype("<i8").tobytes())
    return found.hexdigest()


def edges(span: Span) -> tuple[int, int]:
    return ms(span.start), ms(span.end)


def episode_probes() -> dict[str, str]:
    """Name of a probe → its hash."""
    found = {
        f"sim-episodes-v1 {size} {split}": episode_digest(SimulatedEpisodes(size, split)[i])
        for size, probed in EPISODES.items()
        for split, i in probed.items()
    }
    base = SimulatedEpisodes("base", "test")
    found["sim-episodes-v1 base test"] = episode_digest(base[1], film=False)
    return found


def told(token: Token) -> str:
    shown = f"{token.gloss} {token.repeat} {token.brows} {token.head}"
    return shown + " ." * token.pause


def texts_digest(source: SimulatedSentences) -> str:
    said = [source.sentence(i) for i in range(TEXTS)]
    lines = [f"{s.text}|{s.brow}|{s.domain}|" + " ".join(map(told, s.tokens)) for s in said]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def probes() -> dict[str, str]:
    """Name of a probe → its hash, over every corpus, size and split."""
    found = {}
    for size in SIZES:
        for split in SPLITS:
            sentences = SimulatedSentences(size, split, HOLISTIC)
            words = SimulatedWords(size, split, HOLISTIC)
            found[f"sim-sentences-v1 {size} {split}"] = digest(sentences[i] for i in PROBES[split])
            found[f"sim-sentences-v1 {size} {split} texts"] = texts_digest(sentences)
            found[f"sim-words-v1 {size} {split}"] = digest(
                words[i] for i in (PROBES[split][0], len(words) // 2, len(words) - 1)
            )
    return found


@pytest.fixture(scope="module")
def now() -> dict[str, str]:
    with unchecked():
        return probes() | episode_probes()


@pytest.mark.parametrize("name", FROZEN | FROZEN_EPISODES)
def test_a_corpus_is_what_it_was_when_it_was_frozen(name: str, now: dict[str, str]) -> None:
    assert now[name] == (FROZEN | FROZEN_EPISODES)[name], (
        f"{name} has changed: it needs a new version"
    )


def test_every_corpus_size_and_split_is_guarded(now: dict[str, str]) -> None:
    assert set(FROZEN | FROZEN_EPISODES) == set(now)
