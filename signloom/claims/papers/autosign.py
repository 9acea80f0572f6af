"""AutoSign: one decoder over compressed frames (spec §2)."""

from __future__ import annotations

from signloom.claims.arms import Test
from signloom.claims.papers import CROSSED, OTHER, SENTENCES
from signloom.claims.records import Arm, Claim, Paper, Part, Scale

PAPER = Paper("autosign", "AutoSign", "arXiv 2507.19840", "autosign")

_BASE = "recipes/claims/autosign-tiny.yaml"
_TEST = Test({"store": SENTENCES, "split": "test"}, 1_000)
_BY = "1,000 test sentences by signers that no training clip has, almost all of them unseen"

SETTINGS: dict[str, dict[str, Scale]] = {
    "autosign": {
        "tiny": Scale(
            _BASE,
            _TEST,
            f"simulated: the glosses of sim-sentences-v1 small, 20,000 training sentences; {_BY}",
            minutes=8.0,
        ),
        "small": Scale(
            _BASE,
            _TEST,
            "simulated: as at tiny, with the preset small and 8,500 steps",
            minutes=50.0,
            settings=(
                "preset=small", "data.dev_limit=200", "training.steps=8500", "training.lr=8.0e-4",
                "training.warmup=300", "training.validate_every=1700",
            ),
        ),
        "paper": Scale(
            "recipes/autosign-isharah.yaml",
            Test({"store": "${SIGNLOOM_STORES}/isharah-si", "split": "dev"}, 1_000_000),
            "Isharah-1000, signer-independent; on dev, whose glosses are published",
            minutes=2_880.0,
            needs="Isharah-1000, which is its owners' to give, the weights of AraGPT2-base, and a GPU",
        ),
    },
    "another language": {
        "tiny": Scale(
            _BASE,
            Test({"store": OTHER, "split": "test"}, 1_000),
            "simulated: 8,000 sentences in a second language (the same glosses, signed otherwise); "
            "1,000 test sentences by signers that no training clip has",
            minutes=8.0,
            settings=(
                f"data.train={{store: {OTHER}, split: train}}",
                f"data.dev={{store: {OTHER}, split: dev}}",
            ),
        ),
    },
}  # fmt: skip


def _mixed(split: str) -> str:
    """Four fifths of the samples from the base's store, one from a split of CROSSED."""
    return (
        f"data.train={{mixed: [{{percent: 80, source: {{store: {SENTENCES}}}}}, "
        f"{{percent: 20, source: {{store: {CROSSED}, split: {split}}}}}]}}"
    )


_FEW = (
    "data.train_limit=2000",
    "training.validate_every=300",
    "config.dropout=0.1",
    "config.decoder_dropout=0.1",
)
"""36 readings of 2,000 clips would only be learnt by heart: with dropout, and looked at often."""

ARMS: tuple[Arm, ...] = (
    Arm("body+hands", "body and both hands"),
    Arm("hands", "both hands", ("config.parts=[left_hand, right_hand]",)),
    Arm("body", "the body, wrists included", ("config.parts=[body]",)),
    Arm("face", "the face", ("config.parts=[face]",)),
    Arm("hands+face", "both hands and the face", ("config.parts=[left_hand, right_hand, face]",)),
    Arm("body+face", "body and face", ("config.parts=[body, face]",)),
    Arm("all", "body, both hands and face", ("config.parts=[body, left_hand, right_hand, face]",)),
    Arm("cnn", "two convolutions, four frames become one"),
    Arm(
        "raw",
        "frames as they are, each through one linear layer, with positions for all of them",
        ("config.channels=[]", "config.stride=1", "config.positions=1024"),
    ),
    Arm("stride 1", "'cnn' without stride", ("config.stride=1", "config.positions=424")),
    Arm("stride 2", "two frames become one", ("config.stride=2", "config.positions=224")),
    Arm("stride 8", "eight frames become one", ("config.stride=8",)),
    Arm("CNN-3", "three convolutions", ("config.channels=[192, 96, 96]",)),
    Arm(
        "BiLSTM",
        "one convolution, and a BiLSTM of two layers behind it",
        ("config.channels=[96]", "config.context=bilstm"),
    ),
    Arm(
        "Transformer",
        "one convolution, and a Transformer encoder of two layers behind it",
        ("config.channels=[96]", "config.context=transformer"),
    ),
    Arm("2D", "x and y, in shoulder widths", ("config.normalizer=shoulder",)),
    Arm("3D", "'2D' with z", ("config.normalizer=shoulder", "config.coordinates=3")),
    Arm("autosign", "the decoder alone, beam 3"),
    Arm(
        "joint",
        "with a CTC loss on the compressed frames beside, .3 of the whole",
        ("config.ctc=0.3",),
    ),
    Arm(
        "ctc",
        "CTC on the same convolutions, a BiLSTM of two layers behind them, beam 5",
        ("method=ctc", "config.context_layers=2"),
    ),
    Arm("few, random", "2,000 signed sentences, the decoder from random weights", _FEW),
    Arm(
        "few, pretrained",
        "2,000 signed sentences, the decoder has read the glosses of 20,000",
        (*_FEW, "config.decoder_pretrained=runs/claims/gloss-decoder", "config.vocabulary=decoder"),
    ),
    Arm("neither seen", "training has neither the test's signers nor its sentences"),
    Arm(
        "signers seen",
        "a fifth of the samples are other sentences by the test's signers",
        (_mixed("signers"),),
    ),
    Arm(
        "sentences seen",
        "a fifth of the samples are the test's sentences by other signers",
        (_mixed("sentences"),),
    ),
)

_OTHERS = ("hands", "body", "face", "hands+face", "body+face", "all")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "C2.1",
        "autosign",
        "Body and hands are the best choice of articulators.",
        tuple(Part("ordered", ("body+hands", other), "WER", least=1.0) for other in _OTHERS),
    ),
    Claim(
        "C2.2",
        "autosign",
        "Adding the face does not help with signers that training has not seen.",
        (Part("equivalent", ("all", "body+hands"), "WER", least=1.0),),
        ours="Read as: no difference of 1 point of WER or more.",
    ),
    Claim(
        "C2.3",
        "autosign",
        "Compressing frames by 1D convolutions beats raw frames.",
        (Part("ordered", ("cnn", "raw"), "WER", least=1.0),),
    ),
    Claim(
        "C2.4",
        "autosign",
        "Starting the decoder from AraGPT2 beats random weights.",
        (Part("ordered", ("aragpt2", "random"), "WER", least=1.0),),
        needs="the weights of AraGPT2-base; F2.6 asks it of a decoder that is pretrained here",
        ours="Ours: the released code may never load the pretrained weights.",
    ),
)

QUESTIONS: tuple[Claim, ...] = (
    Claim(
        "F2.1",
        "autosign",
        "In another sign language, too, compressed frames beat raw ones.",
        (Part("ordered", ("cnn", "raw"), "WER", least=1.0),),
        ours="The paper has one language. Another one here is the simulator's with other signs for the "
        "same glosses; its 8,000 sentences are read nine times.",
        scales=("tiny",),
        base="another language",
    ),
    Claim(
        "F2.2",
        "autosign",
        "Depth helps: x, y and z beat x and y.",
        (Part("ordered", ("3D", "2D"), "WER", least=1.0),),
        ours="In shoulder widths, for the paper's normaliser leaves no z. Depth is what a tracker guesses "
        "from one camera; that of hands is told from their wrists and shifted as the shoulders' is.",
        scales=("tiny", "small"),
    ),
    Claim(
        "F2.3",
        "autosign",
        "Two convolutions that make one frame of four are the best encoder and the best rate.",
        tuple(
            Part("ordered", ("cnn", other), "WER", least=1.0)
            for other in ("stride 1", "stride 2", "stride 8", "CNN-3", "BiLSTM", "Transformer")
        ),
        ours="Failing means that another one is no worse; what each costs stands beside it.",
        scales=("tiny",),
    ),
    Claim(
        "F2.4",
        "autosign",
        "Of single articulators the hands say most, then the body, then the face; hands alone say more "
        "than body and face together.",
        (
            Part("ordered", ("hands", "body", "face"), "WER", least=1.0),
            Part("ordered", ("hands", "body+face"), "WER", least=1.0),
        ),
        ours="With the paper's normaliser hands do not know where they are; the body's wrists do.",
    ),
    Claim(
        "F2.5",
        "autosign",
        "A decoder without an alignment beats CTC on the same convolutions, and both losses together "
        "beat the decoder alone.",
        (
            Part("ordered", ("autosign", "ctc"), "WER", least=1.0),
            Part("ordered", ("joint", "autosign"), "WER", least=1.0),
        ),
        ours="The paper's comparison is with published systems; what each costs stands beside it.",
    ),
    Claim(
        "F2.6",
        "autosign",
        "Where few sentences are signed, a decoder that has read glosses beats a random one.",
        (Part("ordered", ("few, pretrained", "few, random"), "WER", least=1.0),),
        ours="C2.4 at our scale; both arms know all glosses.",
        scales=("tiny",),
    ),
    Claim(
        "F2.7",
        "autosign",
        "To have seen the sentences of the test is worth more than to have seen its signers, and that "
        "more than nothing.",
        (Part("ordered", ("sentences seen", "signers seen", "neither seen"), "WER", least=1.0),),
        ours="All arms read one test split: how much harder unseen sentences are than unseen signers, "
        "which corpora's splits (Isharah's SI and US) cannot say, for each has a test of its own.",
        scales=("tiny",),
    ),
)
