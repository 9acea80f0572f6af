"""signloom language: texts in; a model out that transformers and load_t5 read, and that has learnt."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, T5ForConditionalGeneration

from signloom.cli.main import main
from signloom.language.adapters import adapt, adapter_tensors
from signloom.language.t5 import load_t5
from signloom.methods.pretrain import Denoising, Wanted, pretrain
from signloom.methods.sources import Texts

PEOPLE = ("the woman", "the man", "my brother", "our teacher", "a child")
DOES = ("sees", "likes", "washes", "forgets", "sells")
THINGS = ("the red house", "two cars", "a small dog", "the old tree", "her book", "4 cats")
WHEN = ("today", "on Monday", "again", "in the morning", "at 10")
SENTENCES = tuple(
    f"{who.capitalize()} {does} {what} {when}."
    for who in PEOPLE
    for does in DOES
    for what in THINGS
    for when in WHEN
)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "sentences.tsv"
    path.write_text("name\tsaid\n" + "".join(f"{i}\t{s}\n" for i, s in enumerate(SENTENCES)))
    return path


@pytest.fixture(scope="module")
def trained(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language") / "model"
    options = "--column said --size tiny --steps 150 --batch 16 --lr 5e-3 --vocabulary 200"
    main_ok(f"language {texts} {texts} -o {folder} {options} --dtype float16")
    return folder


def main_ok(line: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code in (0, None)


def refused(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_it_has_learnt_more_than_frequencies(trained: Path) -> None:
    record = json.loads((trained / "pretraining.json").read_text())
    assert record["loss"]["held_out"] < record["loss"]["unigram"] - 0.4
    assert record["sentences"] == len(SENTENCES)  # each once
    assert record["named"] == ["sentences.tsv", "sentences.tsv"]
    assert 0 < record["measured_on"] < 0.06 * record["learnt_from"]
    assert f"| {record['loss']['held_out']:.3f} |" in (trained / "README.md").read_text()


def test_transformers_and_load_t5_read_the_same_model(trained: Path) -> None:
    found = load_t5(trained)
    plain = T5ForConditionalGeneration.from_pretrained(trained, dtype=torch.float32)
    codec, tokenizer = found.codec, AutoTokenizer.from_pretrained(trained)
    text = "The man likes 4 cats again."
    assert tokenizer(text)["input_ids"] == [*codec.encode(text), codec.end]
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id) == (codec.pad, codec.end)
    ids = torch.tensor([codec.encode(text)])
    with torch.no_grad():
        ours = found.model(input_ids=ids, decoder_input_ids=ids).logits
        theirs = plain.eval()(input_ids=ids, decoder_input_ids=ids).logits
    assert torch.equal(ours, theirs)
    assert plain.generation_config.decoder_start_token_id == codec.start
    assert plain.generation_config.eos_token_id == codec.end
    stored = load_file(trained / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    adapted = adapt(found.model, "dora", found.base)  # it is a base to stand on
    assert adapter_tensors(adapted)


def test_a_log_holds_no_bars_of_a_model_that_is_read(trained: Path) -> None:
    """What is said on a stderr that is no terminal while a command reads a model through transformers."""
    code = (
        "import sys; from signloom.cli import main; from signloom.language.t5 import load_t5; "
        "main.build = lambda verb: lambda args: load_t5(args[0]); main.main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(trained)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_more_is_cut_out_where_it_learns_than_where_it_is_measured(trained: Path) -> None:
    found = load_t5(trained)
    model = Denoising(found.model, found.codec, density=0.5)
    sample = Texts(SENTENCES)[0]
    length = len(found.codec.encode(sample.text))
    for train, share in ((True, 0.5), (False, 0.15)):
        left, _ = model.example(sample, np.random.default_rng(0), train)
        kept = [t for t in left if t not in {*found.codec.sentinels, found.codec.end}]
        assert length - len(kept) == round(length * share)


def test_by_infilling_the_whole_sentence_is_written_and_what_is_read_is_copied(
    texts: Path, tmp_path: Path
) -> None:
    """Behind another sentence the same words cost far more."""
    folder = tmp_path / "model"
    options = "--column said --size tiny --steps 150 --batch 16 --lr 5e-3 --vocabulary 200"
    main_ok(f"language {texts} -o {folder} {options} --objective infilling")
    record = json.loads((folder / "pretraining.json").read_text())
    assert record["objective"] == "infilling"
    assert record["loss"]["held_out"] < record["loss"]["unigram"] - 2.0
    assert "text infilling" in (folder / "README.md").read_text()
    found = load_t5(folder)
    model = Denoising(found.model.eval(), found.codec, objective="infilling")
    samples = Texts(SENTENCES)
    cut = Denoising(found.model, found.codec)
    pairs = []
    for i in range(0, 600, 25):
        left, out = model.example(samples[i], np.random.default_rng(i), False)
        assert left == cut.example(samples[i], np.random.default_rng(i), False)[0]
        assert out == [*found.codec.encode(SENTENCES[i]), found.codec.end]
        pairs.append((left, out))
    wrong = [(left, out) for (left, _), (_, out) in zip(pairs, pairs[1:] + pairs[:1], strict=True)]
    with torch.no_grad():
        right, other = (
            float(loss.total) / float(loss.count)
            for loss in (model.loss(model.collate(p)) for p in (pairs, wrong))
        )
    assert other > right + 1.0


def test_a_resumed_run_ends_in_the_same_weights(tmp_path: Path) -> None:
    """Killed after its second state; at the first step of the third stretch it goes on."""
    wanted = Wanted(SENTENCES, ("made up",), size="tiny", steps=6, batch=4, vocabulary=200)
    pretrain(wanted, tmp_path / "whole")
    cut = tmp_path / "cut"

    class Killed(BaseException):
        pass

    def kill(self: object, step: int, *_: object) -> None:
        if step == 3:
            raise Killed

    from signloom.training.report import Reporter

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reporter, "step", kill)
        with pytest.raises(Killed):
            pretrain(wanted, cut)
    assert (cut / "run" / "states" / "last").read_text() == "00000002"
    pretrain(wanted, cut, resume=True)
    for name in ("model.safetensors", "tokenizer.json", "pretraining.json"):
        assert (cut / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_what_cannot_be_done_is_said(
    trained: Path, texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert "holds something already" in refused(f"language sim:tiny -o {trained}", capsys)
    assert "give one of them" in refused(
        f"language sim:tiny -o {trained} --resume --overwrite", capsys
    )
    assert "begun with another recipe" in refused(
        f"language sim:tiny -o {trained} --resume --size tiny", capsys
    )
    assert "no column 'text'" in refused(f"language {texts} -o {out}", capsys)
    assert "there is no size 'tinny' (did you mean 'tiny'?)" in refused(
        f"language sim:tiny -o {out} --size tinny", capsys
    )
    assert "expected float32 or float16" in refused(
        f"language sim:tiny -o {out} --dtype int8", capsys
    )
    assert "expected a share between 0 and 1" in refused(
        f"language sim:tiny -o {out} --density 1", capsys
    )
    assert "objective 'infil' is unknown; expected spans or infilling" in refused(
        f"language sim:tiny -o {out} --objective infil", capsys
    )
    few = tmp_path / "few.txt"
    few.write_text("Only one sentence here.\n")
    assert "1 sentences are too few" in refused(f"language {few} -o {out} --vocabulary 100", capsys)
    (out / "mine").mkdir(parents=True)
    assert "is no folder of 'signloom language', so it is not replaced" in refused(
        f"language sim:tiny -o {out} --overwrite", capsys
    )
    assert (out / "mine").is_dir()
