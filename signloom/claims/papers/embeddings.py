"""Lost in Translation, Found in Embeddings: one model translates and aligns (spec §3)."""

from __future__ import annotations

from signloom.claims.arms import Test
from signloom.claims.measured import Measured
from signloom.claims.measures import ALIGNMENT
from signloom.claims.papers import (
    EPISODES,
    FEATURES,
    SENTENCES,
    UNIFIED,
    WHOLE,
    embeddings_questions,
)
from signloom.claims.records import Arm, Claim, Paper, Part, Scale

PAPER = Paper(
    "embeddings", "Lost in Translation, Found in Embeddings", "arXiv 2512.08040", "unified"
)

_SEEN = (
    "simulated: sim-sentences-v1 small and, a fifth of the samples, windows of sim-episodes-v1 small; "
    "1,000 test sentences, and 40 test episodes of two minutes each, by signers that no training clip has"
)

SETTINGS: dict[str, dict[str, Scale]] = {
    "isolated": {
        "tiny": Scale(
            "recipes/claims/isolated-tiny.yaml",
            Test({"store": "runs/claims/stores/sim-words-small", "split": "test"}, 1_026),
            "simulated: the 4,104 training clips of sim-words-v1 small (342 words); 1,026 test clips "
            "by signers that no training clip has",
            minutes=3.0,
        ),
        "paper": Scale(
            "recipes/claims/isolated-tiny.yaml",
            Test({"store": "${SIGNLOOM_STORES}/bobsl-sign", "split": "val"}, 1_000_000),
            "BOBSL-SIGN, 3.5 M clips of 8,000 pseudo-glosses",
            minutes=14_400.0,
            settings=("preset=paper",),
            needs="BOBSL, which is its owner's to give, and GPUs",
        ),
    },
    "pose and lips": {
        "tiny": Scale(
            "recipes/claims/isolated-tiny.yaml",
            Test({"simulated": "words", "size": "small", "split": "test", "lips": True}, 1_026),
            "simulated: the clips of sim-words-v1 small, of C3.1, with drawn mouths (sim-lips-v1)",
            minutes=10.0,
            partner="recipes/claims/isolated-lips-tiny.yaml",
        ),
    },
    "dense features": {
        "tiny": Scale(
            "benchmarks/dense_features.py",
            Test({"simulated": "sentences", "size": "small"}, 1),
            "60 frames of sim-sentences-v1 small in mp203, the backbone at the paper's size with "
            "random weights",
            minutes=1.0,
        ),
    },
    "unified": {
        "tiny": Scale(
            UNIFIED,
            Test({"store": f"{FEATURES}/sentences", "split": "test"}, 1_000, f"{FEATURES}/test"),
            f"{_SEEN}; the backbone stands still, and its features are stored",
            minutes=4.0,
        ),
    },
    "unified, whole": {
        "tiny": Scale(
            WHOLE,
            Test({"store": SENTENCES, "split": "test"}, 1_000, f"{EPISODES}/test"),
            _SEEN,
            minutes=9.0,
        ),
    },
    **embeddings_questions.SETTINGS,
}  # fmt: skip

ARMS: tuple[Arm, ...] = (
    Arm("full", "all four parts of the pose backbone"),
    Arm("no-contrast", "without the contrastive loss", ("config.contrastive=0.0",)),
    Arm(
        "no-auxiliary",
        "and without the articulators' own losses",
        ("config.contrastive=0.0", "config.auxiliary=0.0"),
    ),
    Arm(
        "no-mask",
        "and without masked articulators",
        ("config.contrastive=0.0", "config.auxiliary=0.0", "config.masked=0"),
    ),
    Arm(
        "no-aggregation",
        "and with the mean over joints in place of the projection",
        (
            "config.contrastive=0.0",
            "config.auxiliary=0.0",
            "config.masked=0",
            "config.aggregation=mean",
        ),
    ),
    Arm(
        "unified",
        "Sliding Perceiver, both tasks, soft digits, windows of 20 s, the backbone standing "
        "still, beam 5, plateau .2",
    ),
    Arm("shuffle", "token shuffle as the mapping", ("config.bridge=shuffle",)),
    Arm("convolution", "convolutions as the mapping", ("config.bridge=conv",)),
    Arm("mlp", "an MLP as the mapping", ("config.bridge=mlp",)),
    *(
        Arm(
            f"{kind} {rank}",
            f"a pretrained T5 that learns by {name} of rank {rank}, α {alpha}",
            (
                "config.language=runs/claims/language-infilled",
                "training.lr=5.0e-3",
                f"config.adapter={kind}",
                f"config.rank={rank}",
                f"config.alpha={alpha}.0",
            ),
        )
        for kind, name, rank, alpha in (
            ("dora", "DoRA", 32, 64),
            ("dora", "DoRA", 4, 16),
            ("lora", "LoRA", 4, 16),
        )
    ),
    Arm(
        "translation alone",
        "without windows to align: as many steps, each on as many sentences",
        (f"data.train={{store: {FEATURES}/sentences}}", "training.batch=32"),
    ),
    Arm(
        "alignment alone",
        "without sentences to translate: as many steps, each on as many windows",
        (
            f"data.train={{episodes: {FEATURES}/train}}",
            "training.batch=8",
            "training.metric=IoU",
        ),
    ),
    Arm("hard", "digits learnt as tokens alone", ("config.soft=0.0",)),
    Arm(
        "10 s",
        "windows of 10 s",
        (
            "config.window=10.0",
            f"data.train={{mixed: [{{percent: 80, source: {{store: {SENTENCES}}}}}, {{percent: 20, "
            f"source: {{episodes: {EPISODES}/train, seconds: 10}}}}]}}",
            f"data.dev={{store: {SENTENCES}, split: dev}}",
            "data.dev_limit=100",
        ),
    ),
    Arm(
        "end to end",
        "the backbone learns too, from the first step on",
        ("training.stages=[{name: whole, steps: {steps}}]",),
    ),
    Arm("greedy", "'unified' without a beam", reading="greedy"),
    Arm("plateau 0", "'unified' with plateaus of no width", reading="plateau 0"),
    Arm("plateau .4", "'unified' with wider plateaus", reading="plateau .4"),
    Arm("pose", "pose alone, on clips whose lips are known"),
    *(
        Arm(
            f"fused .{n}",
            f"its logits count .{n}, those of a recogniser of lips the rest",
            reading=f"fused .{n}",
        )
        for n in (5, 7, 9)
    ),
    *embeddings_questions.ARMS,
)

CLAIMS: tuple[Claim, ...] = (
    *(
        Claim(
            f"C3.{n}",
            "embeddings",
            statement,
            (Part("ordered", arms, "top-1", least=1.0),),
            ours="Parts are taken away one after another, as in the paper's table; at tiny the "
            "masked articulators are up to two of four, in 30 % of the clips.",
            base="isolated",
            scales=("tiny", "paper"),
        )
        for n, statement, arms in (
            (1, "The contrastive loss helps the pose backbone.", ("full", "no-contrast")),
            (2, "The articulators' own losses help it.", ("no-contrast", "no-auxiliary")),
            (3, "Masking articulators in training helps it.", ("no-auxiliary", "no-mask")),
            (4, "Joint aggregation helps it.", ("no-mask", "no-aggregation")),
        )
    ),
    Claim(
        "C3.5",
        "embeddings",
        "Pose and lips complement each other, and .7 / .3 is the best way to weigh them.",
        (
            Part("ordered", ("fused .7", "pose"), "top-1", least=0.5),
            Part("ordered", ("fused .7", "fused .5"), "top-1", least=0.5),
            Part("ordered", ("fused .7", "fused .9"), "top-1", least=0.5),
        ),
        ours="Logits are mixed as they are; the pose recogniser is 'full' of C3.1.",
        base="pose and lips",
        scales=("tiny",),
    ),
    *(
        Claim(
            f"C3.{n}",
            "embeddings",
            statement,
            parts,
            ours=ours,
            scales=("tiny",),
            base="unified, whole" if n == 11 else "",
        )
        for n, statement, parts, ours in (
            (
                6,
                "As a mapping, Perceiver is better than token shuffle, that than convolution, "
                "that than MLP.",
                (
                    Part(
                        "ordered",
                        ("unified", "shuffle", "convolution", "mlp"),
                        "BLEU-4",
                        least=0.3,
                    ),
                ),
                "All give a token for every two features; the paper's MLP may give two.",
            ),
            (
                7,
                "DoRA is better than LoRA, and a higher rank helps.",
                (
                    Part("ordered", ("dora 32", "dora 4"), "BLEU-4", least=0.3),
                    Part("ordered", ("dora 4", "lora 4"), "BLEU-4", least=0.1),
                ),
                "α as in the paper's table, 16 at rank 4 and 64 at rank 32; the T5 has learnt the simulated "
                "training sentences by infilling: on one that had learnt by span corruption, no arm read anything.",
            ),
            (
                8,
                "Learning alignment beside translation leaves translation as it was and improves "
                "alignment.",
                (
                    Part("equivalent", ("unified", "translation alone"), "BLEU-4", least=0.5),
                    Part("ordered", ("unified", "alignment alone"), "F1@.50", least=1.0),
                ),
                "Each task alone has as many steps, and as many samples of its own in each.",
            ),
            (
                9,
                "Soft decoding of the digits improves every alignment score.",
                tuple(
                    Part("ordered", ("unified", "hard"), metric, least=0.3) for metric in ALIGNMENT
                ),
                "",
            ),
            (
                10,
                "A plateau of .2 is the best, and the scores are flat around it.",
                (
                    Part("equivalent", ("unified", "plateau 0"), "F1@.50", least=0.5),
                    Part("equivalent", ("unified", "plateau .4"), "F1@.50", least=0.5),
                ),
                "Flat is tested as equivalence within half a point, of one trained model.",
            ),
            (
                11,
                "Longer context, training end to end and beam search each help.",
                (
                    Part("ordered", ("unified", "10 s"), "F1@.50", least=1.0),
                    Part("ordered", ("end to end", "unified"), "BLEU-4", least=0.3),
                    Part("ordered", ("unified", "greedy"), "BLEU-4", least=0.3),
                ),
                "Context is what alignment sees around a cue: sentences to translate are cut out, "
                "and simulated ones know nothing of their neighbours.",
            ),
        )
    ),
    Claim(
        "C3.12",
        "embeddings",
        "Windows in the Conformer alone take about a fifth of the memory.",
        ours="Read as: at most a third of the memory, forward and in a training step.",
        base="dense features",
        scales=("tiny",),
        measured=Measured(
            "python -m benchmarks.dense_features -o results/dense-features.json",
            "results/dense-features.json",
            ("forward", "training step"),
            more="graphs in each window",
            less="graphs once",
            figure="peak_gb",
            unit="GB",
            least=3.0,
        ),
    ),
)

QUESTIONS: tuple[Claim, ...] = embeddings_questions.QUESTIONS
