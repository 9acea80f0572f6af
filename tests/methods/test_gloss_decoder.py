"""A decoder learnt from glosses alone: better than chance, and AutoSign begins with all of it."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from signloom.cli.main import main
from signloom.data.sample import Sample
from signloom.errors import UsageError
from signloom.language.chat import load_causal
from signloom.methods.autosign import PRESETS, begin
from signloom.methods.gloss_codec import codec_of, gloss_tokenizer
from signloom.methods.gloss_decoder import NextToken, Wanted, nats, pretrain_decoder
from signloom.methods.pretrain import RECORD
from signloom.methods.sources import NO_KEYPOINTS, Texts

WHO, WHAT = ("BOY", "GIRL", "DOG", "MAN", "CAT"), ("HOUSE", "TREE", "CAR", "BOOK", "DOOR", "CUP")
DOES, WHEN = ("SEE", "LIKE", "WANT", "FIND", "DRAW"), ("NOW", "AGAIN", "TODAY", "LATER")
SENTENCES = [f"{a} {b} {c} {d}" for a in WHO for b in WHAT for c in DOES for d in WHEN]
BATCH = Texts(tuple(SENTENCES[:4]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("decoder")
    (root / "glosses.txt").write_text("\n".join(SENTENCES))
    with pytest.raises(SystemExit) as ended:
        main(["language", str(root / "glosses.txt"), "-o", str(root / "model"), "--kind", "decoder",
              "--size", "tiny", "--steps", "60", "--batch", "16", "--lr", "3e-3"])  # fmt: skip
    assert ended.value.code in (0, None)
    return root / "model"


def test_it_knows_the_order_of_glosses_and_no_more(folder: Path) -> None:
    """With the order known 5·6·5·4 texts remain: ln 600 nats over four glosses and the end."""
    record = json.loads((folder / RECORD).read_text())
    assert record["tokens"] == 24
    best, chance = math.log(600) / 5, math.log(24)
    assert best - 0.1 < record["loss"]["held_out"] < best + 0.25 < chance


def test_autosign_begins_with_all_of_it_and_its_tokens(folder: Path) -> None:
    config = dataclasses.replace(
        PRESETS["tiny"], decoder_pretrained=str(folder), vocabulary="decoder"
    )
    model = begin(config, [], 3)
    assert model.described()["decoder"]["filled"] == 1.0
    assert set(model.tokenizer.get_vocab()) >= {"BOY", "<pad>", "<s>", "</s>"}
    again = NextToken(model.writer.decoder.eval(), model.codec, 20)
    held = json.loads((folder / RECORD).read_text())["loss"]["held_out"]
    assert nats(again, SENTENCES) == pytest.approx(held, abs=0.1)
    fresh = begin(PRESETS["tiny"], SENTENCES, 3)
    assert nats(NextToken(fresh.writer.decoder.eval(), fresh.codec, 20), SENTENCES) > held + 1


def test_texts_stand_anywhere_while_it_learns_and_at_the_start_when_measured() -> None:
    torch.manual_seed(0)
    fresh = begin(PRESETS["tiny"], SENTENCES, 3)
    model = NextToken(fresh.writer.decoder.eval(), codec_of(gloss_tokenizer(SENTENCES)), 3)
    rng = np.random.default_rng(0)
    drawn = [model.example(BATCH[i % 4], rng, True) for i in range(400)]
    firsts = [first for _, first in drawn]
    assert (min(firsts), max(firsts)) == (0, 128 - 4)  # <s> and three glosses fit, up to the last
    assert {model.example(BATCH[0], rng, False)[1] for _ in range(5)} == {0}
    short = model.example(Sample("s", BATCH[0].clip, "BOY"), rng, False)
    batch = model.collate([(drawn[0][0], 7), short])
    assert batch.places.tolist() == [[7, 8, 9, 10], [0, 1, 1, 1]]
    assert batch.labels[1].tolist()[2:] == [-100, -100]
    alone = model.loss(model.collate([short]))
    both = model.loss(batch)
    first = model.loss(model.collate([(drawn[0][0], 7)]))
    assert both.total.item() == pytest.approx(alone.total.item() + first.total.item(), rel=1e-5)
    assert both.count == alone.count + first.count == 6
    long = model.example(Sample("l", BATCH[0].clip, "BOY " * 5), rng, False)[0]
    assert long == [model.codec.start, *model.codec.encode("BOY " * 4)], "its end is not learnt"
    assert BATCH[0].clip.layout is NO_KEYPOINTS


def test_what_it_cannot_learn_from_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=r"no decoder of size 'smal' \(did you mean 'small'"):
        Wanted(("A B",), ("x",), "smal")
    with pytest.raises(UsageError, match="1 texts are too few"):
        pretrain_decoder(Wanted(("A B",), ("x",), "tiny"), tmp_path / "few")
    (tmp_path / "a.txt").write_text("A B\n")
    with pytest.raises(SystemExit) as ended:
        main(["language", str(tmp_path / "a.txt"), "-o", str(tmp_path / "o"), "--kind", "decoder",
              "--density", "0.5"])  # fmt: skip
    assert ended.value.code == 2
    assert "go with --kind t5" in capsys.readouterr().err


def test_a_llama_that_has_read_texts_is_what_lslm_stands_on(tmp_path: Path) -> None:
    texts = [f"the {a} will {c} the {b}." for a in WHO for b in WHAT for c in DOES]
    wanted = Wanted(tuple(t.lower() for t in texts), ("x",), "tiny", 30, 16, 3e-3, 200, 1, "llama")
    pretrain_decoder(wanted, tmp_path)
    record = json.loads((tmp_path / RECORD).read_text())
    assert record["family"] == "llama"
    assert record["loss"]["held_out"] < 0.7 * math.log(record["tokens"])
    found = load_causal(str(tmp_path))
    assert found.base.filled == 1.0
    assert found.codec.decode(found.codec.encode("the dog will see the tree.")).startswith(
        "the dog"
    )
    assert found.codec.encode("Keywords") != []
    again = NextToken(found.model, codec_of(found.codec.tokenizer), 64)
    assert nats(again, wanted.texts) == pytest.approx(record["loss"]["held_out"], abs=0.2)
    with pytest.raises(UsageError, match=r"no llama of size 'base'.*presets of LSLM"):
        dataclasses.replace(wanted, size="base")
