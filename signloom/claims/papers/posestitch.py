"""POSESTITCH-SLT: stitched sentences before real ones (spec §1)."""

from __future__ import annotations

from signloom.claims.arms import Test
from signloom.claims.papers import SENTENCES
from signloom.claims.records import Arm, Claim, Paper, Part, Scale

PAPER = Paper("posestitch", "POSESTITCH-SLT", "arXiv 2511.00270", "posestitch")

_SIMULATED = (
    "simulated: 500 fluent sentences of sim-sentences-v1 stand for the real ones (72 of the 342 "
    "words are kept out of them), stitched sim-words-v1 for the synthetic ones; 1,000 test sentences "
    "by signers that no training clip has"
)
SETTINGS: dict[str, dict[str, Scale]] = {
    "posestitch": {
        "tiny": Scale(
            "recipes/claims/posestitch-tiny.yaml",
            Test({"store": SENTENCES, "split": "test"}, 1_000),
            _SIMULATED,
            minutes=2.6,
        ),
        "small": Scale(
            "recipes/claims/posestitch-tiny.yaml",
            Test({"store": SENTENCES, "split": "test"}, 1_000),
            "simulated: as at tiny, with 2,000 fluent sentences, the preset small and 8,500 steps",
            minutes=50.0,
            settings=(
                "config.front=384", "config.width=192", "config.encoder_inner=512",
                "config.decoder_width=192", "config.decoder_inner=512", "config.vocabulary=1500",
                "data.train_limit=2000", "data.dev_limit=200", "curriculum.steps=7000",
                "training.steps=8500", "training.warmup=300", "training.validate_every=1700",
            ),
        ),
        "paper": Scale(
            "recipes/posestitch-isign.yaml",
            Test({"store": "${SIGNLOOM_STORES}/isign", "split": "test"}, 1_000_000),
            "iSign, with sentences of BPCC stitched from CISLR",
            minutes=1440.0,
            needs="iSign, CISLR and BPCC-ISL, which are their owners' to give, and a GPU",
        ),
    },
}  # fmt: skip

_WIDTHS = {
    size: (
        f"config.front={front}", f"config.width={width}", f"config.decoder_width={width}",
        f"config.encoder_inner={inner}", f"config.decoder_inner={inner}",
    )
    for size, front, width, inner in (("narrow", 96, 64, 128), ("wide", 384, 192, 512))
}  # fmt: skip

ARMS: tuple[Arm, ...] = (
    Arm("swo", "stitched in sentence order, annealed into real sentences"),
    Arm("none", "real sentences alone", ("data.synthetic=null",)),
    Arm("rwo", "stitched in random order, annealed", ("data.synthetic.order=rwo",)),
    Arm(
        "signed",
        "stitched in the order that rules make of a sentence (time first, topic before "
        "comment, wh-words last, adjectives after nouns, no articles, no copula), annealed",
        ("data.synthetic.order=signed",),
    ),
    Arm(
        "template",
        "stitched from template sentences as long as the real ones, in sentence order, annealed",
        ("data.synthetic.sentences={generated: {count: 20000, seed: 1}, lengths_of: '{train}'}",),
    ),
    Arm(
        "fixed",
        "stitched and real at one ratio throughout, the mean of the annealed one",
        ("curriculum.kind=fixed", "curriculum.cap={p}"),
    ),
    Arm(
        "disjoint",
        "stitched first, then real alone with a new optimiser and schedule; as many batches "
        "of each as the annealed run has",
        (
            "curriculum.kind=disjoint",
            "curriculum.steps={turn}",
            "curriculum.cap=1.0",
            "training.restart=true",
        ),
    ),
    *(
        Arm(f"{name}-{size}", f"as '{name}', {what}", (*_WIDTHS[size], *settings))
        for size, what in (("narrow", "a third of the parameters"), ("wide", "twice as many"))
        for name, settings in (("swo", ()), ("none", ("data.synthetic=null",)))
    ),
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "C1.1",
        "posestitch",
        "Pretraining on stitched sentences is much better than none.",
        (Part("ordered", ("swo", "none"), "BLEU-4", least=2.0, by=2.0),),
        ours="'Much' is read as more than 2 BLEU-4.",
    ),
    Claim(
        "C1.2",
        "posestitch",
        "Stitching in sentence order is better than in random order, and that better than none.",
        (Part("ordered", ("swo", "rwo", "none"), "BLEU-4", least=1.0),),
        ours="The paper's claim is the first half; the second is the order of its table.",
    ),
    Claim(
        "C1.3",
        "posestitch",
        "Annealing from stitched to real is better than a fixed mix, and that better than "
        "pretraining and finetuning apart.",
        (Part("ordered", ("swo", "fixed", "disjoint"), "BLEU-4", least=1.0),),
        ours="Ratio and turn are set so that all arms see as many real and as many stitched "
        "batches; the paper does not say what its own had.",
    ),
    Claim(
        "C1.4",
        "posestitch",
        "Stitching free text (BPCC) is better than stitching template sentences (BLiMP).",
        (Part("ordered", ("swo", "template"), "BLEU-4", least=1.0),),
        ours="At scales tiny and small, free text is the simulator's own training text.",
    ),
)

QUESTIONS: tuple[Claim, ...] = (
    Claim(
        "F1.1",
        "posestitch",
        "The more of a sentence's signs no real training sentence has, the worse it is translated.",
        (
            Part("falling", ("swo",), "content-F1", least=1.0),
            Part("falling", ("none",), "content-F1", least=1.0),
        ),
        ours="The paper names collapse on unknown words as a failure; both with and without "
        "stitching.",
    ),
    Claim(
        "F1.2",
        "posestitch",
        "Stitching helps at every size of the model.",
        tuple(
            Part("ordered", (f"swo{size}", f"none{size}"), "BLEU-4", least=1.0)
            for size in ("-narrow", "", "-wide")
        ),
        ours="Sizes up to BERT-base and GPT-2-medium are presets; those here are what a CPU "
        "trains in minutes.",
        scales=("tiny",),
    ),
    Claim(
        "F1.3",
        "posestitch",
        "Stitching in the order of rules that imitate a sign language's is better than in "
        "sentence order, and that better than in random order.",
        (Part("ordered", ("signed", "swo", "rwo"), "BLEU-4", least=1.0),),
        ours="The rules see English words and classes, no parse.",
    ),
    Claim(
        "F1.4",
        "posestitch",
        "Stitching lowers the repetition rate.",
        (Part("ordered", ("swo", "none"), "repetition-1", least=0.5),),
        ours="The paper names repetition loops as a failure.",
    ),
)
