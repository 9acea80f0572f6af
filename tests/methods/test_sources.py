"""Sources of a recipe: streams of sentences that are never listed, orders and joining by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signloom.corpora.store import StoreWriter
from signloom.data.clip import PoseClip
from signloom.data.cue import Cue
from signloom.data.layouts import HANDS42, PS76
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.methods import sources
from signloom.methods.recipe import read_recipe
from signloom.methods.sources import (
    FromEpisodes,
    FromInstructed,
    FromLexicon,
    FromStore,
    Sentences,
    corpus_texts,
    open_lexicon,
    open_source,
    sentences_of,
    texts_of,
)
from signloom.pose.files import write_pose
from signloom.simulator.corpora import SimulatedSentences
from signloom.stitch.joining import FLUENT
from signloom.text.clean import words_of
from signloom.text.phrasings import PHRASINGS
from signloom.text.stream import write_texts
from signloom.text.subtitles import compose

TINY = "sim:tiny"


def wanted(**fields: Any) -> Sentences:
    return Sentences.model_validate(fields)


def test_a_generated_stream_is_opened_and_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    lexicon = open_lexicon(TINY)
    generated = {"count": 5_000, "seed": 4}
    kept = sentences_of(wanted(generated=generated, held_out=0.02, one_word=2), lexicon)
    held = sentences_of(wanted(generated=generated, held_out=0.02, part="held"), lexicon)
    assert not isinstance(kept, list)
    assert (len(kept), len(held)) == (2 * len(lexicon) + 4_900, 100)
    assert kept[0] == kept[len(lexicon)] == sorted(lexicon.words)[0]
    assert set(held).isdisjoint(kept[2 * len(lexicon) : 500])
    source = FromLexicon(stitched=TINY, sentences=wanted(generated=generated), rounds=1)
    stream = open_source(source, PS76, None)
    assert len(stream) == 5_000
    assert stream[4_999].text == sentences_of(wanted(generated=generated), lexicon)[4_999]
    monkeypatch.setattr(sources, "TEXTS", 30)
    assert len(texts_of(source, PS76)) == 30
    with pytest.raises(
        UsageError, match=r"9,000,000 sentences are wanted, and this vocabulary of 63"
    ):
        sentences_of(wanted(generated={"count": 9_000_000}), lexicon)


@pytest.mark.parametrize("phrasings", ["kept", "wide", "held"])
def test_a_tokenizer_reads_what_may_be_asked_and_nothing_that_is_measured(phrasings: str) -> None:
    simulated = {"simulated": "sentences", "size": "tiny", "split": "dev"}
    source = FromInstructed.model_validate({"instructed": simulated, "phrasings": phrasings})
    read = {*texts_of(source, PS76), *corpus_texts("instructions:wide")}
    for family in PHRASINGS.values():
        assert not read & {*family.held, *family.fresh}
    told = set(texts_of(source, PS76))
    assert (set(PHRASINGS["count"].more) < told) == (phrasings == "wide")
    assert set(PHRASINGS["count"].kept) < told


@pytest.mark.parametrize(
    ("name", "glosses"), [("instructions:held", False), ("instructions:wide", True)]
)
def test_only_what_may_be_learnt_is_a_text(name: str, glosses: bool) -> None:
    with pytest.raises(UsageError, match=f"of '{name}'; expected instructions:wide"):
        corpus_texts(name, glosses=glosses)


def test_stored_texts_and_lengths_of_a_target(tmp_path: Path) -> None:
    lexicon = open_lexicon(TINY)
    write_texts(["the dog sleeps", "a child", "water"], tmp_path / "t")
    stored = sentences_of(wanted(stored=str(tmp_path / "t")), lexicon)
    assert list(stored) == ["the dog sleeps", "a child", "water"]
    (tmp_path / "target.txt").write_text("one two three\nfour five six\n")
    for target in ({"path": str(tmp_path / "target.txt")}, str(tmp_path / "target.txt")):
        matched: Sequence[str] = sentences_of(
            wanted(generated={"count": 2_000}, lengths_of=target), lexicon
        )
        assert {len(words_of(matched[i])) for i in range(0, 2_000, 100)} == {3}
    listed = sentences_of(wanted(texts_of=TINY, coverage=0.8, lengths_of=TINY), lexicon)
    assert 200 < len(listed) < 400
    bare = replace(lexicon, name="none", letters={})
    with pytest.raises(UsageError, match="names are spelled, and lexicon 'none' has no letters"):
        sentences_of(wanted(generated={"names": True}), bare)


def test_a_recipe_that_says_nothing_new_keeps_its_hash() -> None:
    source = FromLexicon(stitched=TINY, sentences=wanted(texts_of=TINY))
    assert set(source.model_dump()) == {"stitched", "sentences", "order", "alone", "rounds", "seed"}
    assert set(source.model_dump()["sentences"]) == {
        "files", "texts_of", "clauses", "coverage", "shortest", "longest", "held_out", "part",
        "one_word",
    }  # fmt: skip
    said = FromLexicon(
        stitched=TINY,
        sentences=wanted(stored="x"),
        order="signed",
        trim=True,
        longest=0.8,
        blend=0.2,
    )
    again = FromLexicon.model_validate(said.model_dump(mode="json"))
    assert again == said
    assert again.order.startswith("drop-articles,")
    opened = open_source(
        FromLexicon(stitched=TINY, sentences=wanted(texts_of=TINY, coverage=0.5), trim=True, longest=0.8, blend=0.2),
        PS76, None,
    )  # fmt: skip
    assert opened.joining == FLUENT  # type: ignore[attr-defined]


def test_lips_are_read_where_a_source_says_so(tmp_path: Path) -> None:
    assert set(FromStore(store="x").model_dump()) == {"store", "split"}
    assert set(FromEpisodes(episodes="x").model_dump()) == {"episodes", "seconds", "seed"}
    seen = SimulatedSentences("tiny", "dev", HANDS42, lips=True)[3]
    with StoreWriter(tmp_path / "s", HANDS42) as writer:
        writer.add(seen, "train")
        writer.add(replace(seen, lips=None), "dev")
    store = str(tmp_path / "s")
    opened = open_source(FromStore(store=store, lips=True), HANDS42, None)[0]
    assert opened.lips is not None
    np.testing.assert_array_equal(opened.lips.frames, seen.lips.frames)  # type: ignore[union-attr]
    assert open_source(FromStore(store=store), HANDS42, None)[0].lips is None
    with pytest.raises(UsageError, match=r"split 'dev' of the store .* holds no mouth crops"):
        open_source(FromStore(store=store, split="dev", lips=True), HANDS42, None)
    windows = open_source(FromEpisodes(episodes=store, lips=True), HANDS42, None)
    assert windows.lips  # type: ignore[attr-defined]


def test_an_unknown_order_in_a_recipe_is_named() -> None:
    recipe = Path(__file__).parents[2] / "recipes" / "posestitch-sim-tiny.yaml"
    with pytest.raises(UsageError, match=r"no order rule 'topic-coment' \(did you mean 'topic-comment'"):  # fmt: skip
        read_recipe(recipe, ["data.synthetic.order=swo,topic-coment"])
    found = read_recipe(recipe, ["data.synthetic.order=wh-final,drop-articles"])
    assert found.data.synthetic is not None
    assert found.data.synthetic.order == "wh-final,drop-articles"  # type: ignore[union-attr]


def episodes(folder: Path) -> Path:
    """Two episodes of keypoints that count frames, each cue said two seconds before it is signed."""
    folder.mkdir()
    for name in ("a", "b"):
        points = np.zeros((1_000, 42, 3), np.float32)
        points[:, :, 0] = np.arange(1_000)[:, None]
        clip = PoseClip(points, np.ones(points.shape[:2], np.float32), 25.0, HANDS42)
        write_pose(clip, folder / f"{name}.pose")
        seen = [Cue(Span(at, at + 2.0), f"Sentence {name} {at:g}.") for at in (12.0, 22.0)]
        said = [Cue(cue.span.shifted(-2.0), cue.text) for cue in seen]
        for kind, cues in (("speech", said), ("signing", seen), ("mine", said)):
            (folder / f"{name}.{kind}.vtt").write_bytes(compose(cues, "vtt"))
    (folder / "list.json").write_text('{"train": ["a", "c"], "public_test": ["b"], "val": ["c"]}')
    return folder


def test_episodes_ask_when_or_what_of_the_split_that_is_listed(tmp_path: Path) -> None:
    folder = episodes(tmp_path / "episodes")
    listed = {"episodes": str(folder), "listed": str(folder / "list.json")}
    source = FromEpisodes(**listed, split="train", ask="what", jitter=0.0, rounds=2)
    found = open_source(source, HANDS42, None)
    assert [found[i].id for i in range(len(found))] == ["a-1", "a-2"] * 2
    assert texts_of(source, HANDS42) == ["Sentence a 12.", "Sentence a 22."]
    assert found[0].span is None
    assert (found[0].clip.points[0, 0, 0], len(found[0].clip)) == (300, 50)
    spoken = FromEpisodes(**listed, split="test", ask="what", signed="mine", lag=1.0, jitter=0.0)
    (first, _) = (open_source(spoken, HANDS42, None)[i] for i in range(2))
    assert (first.id, first.clip.points[0, 0, 0]) == ("b-1", 275)
    when = FromEpisodes(**listed, split="test", seconds=8.0, lag=2.0, jitter=0.0)
    sample = open_source(when, HANDS42, None)[0]
    assert (sample.id, sample.span, sample.prior) == ("b-1", Span(3.0, 5.0), Span(1.0, 3.0))
    both = FromEpisodes(episodes=str(folder))
    assert len(open_source(both, HANDS42, None)) == 4
    assert set(both.model_dump()) == {"episodes", "seconds", "seed"}  # recipes keep their hash
    with pytest.raises(UsageError, match=r"lists no episode of split 'dev'; it has train, test"):
        texts_of(FromEpisodes(**listed, split="dev"), HANDS42)
    (folder / "list.json").write_text('{"train": ["z"]}')
    with pytest.raises(UsageError, match="none of the 1 episodes that are listed is in"):
        texts_of(FromEpisodes(**listed, split="train"), HANDS42)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"ask": "what", "seconds": 8.0},
            "has no window and no spoken subtitles; leave seconds and spoken",
        ),
        ({"listed": "list.json"}, "listed and split go together; give both, or neither"),
    ],
)
def test_episodes_that_contradict_themselves_are_refused(
    said: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        FromEpisodes(episodes="e", **said)
