"""The 29 claims of the five papers, and our four questions beside the first (spec §1–§5).

A claim of a method that is not here yet is listed with what it needs; its parts say how it
will be decided. Margins and least differences are ours, none of the papers names one.
"""

from __future__ import annotations

from signloom.claims.arms import Test
from signloom.claims.measures import ALIGNMENT
from signloom.claims.records import Arm, Claim, Paper, Part, Scale
from signloom.errors import UsageError, nearest

POSESTITCH = Paper("posestitch", "POSESTITCH-SLT", "arXiv 2511.00270", "posestitch")
AUTOSIGN = Paper("autosign", "AutoSign", "arXiv 2507.19840", "autosign")
LITFIE = Paper(
    "embeddings", "Lost in Translation, Found in Embeddings", "arXiv 2512.08040", "unified"
)
SEM = Paper("semtext", "sign2(sem+text)", "arXiv 2510.19367", "semtext")
LSLM = Paper("lslm", "LSLM", "arXiv 2511.08535", "lslm")
PAPERS = {paper.name: paper for paper in (POSESTITCH, AUTOSIGN, LITFIE, SEM, LSLM)}

_STORE = "runs/claims/stores/sim-sentences-small"
_EPISODES = "runs/claims/episodes"
_SIMULATED = (
    "simulated: 500 fluent sentences of sim-sentences-v1 stand for the real ones (72 of the 342 "
    "words are kept out of them), stitched sim-words-v1 for the synthetic ones; 1,000 test sentences "
    "by signers that no training clip has"
)
SETTINGS: dict[str, dict[str, Scale]] = {
    "posestitch": {
        "tiny": Scale(
            "recipes/claims/posestitch-tiny.yaml",
            Test({"store": _STORE, "split": "test"}, 1_000),
            _SIMULATED,
            minutes=2.6,
        ),
        "small": Scale(
            "recipes/claims/posestitch-tiny.yaml",
            Test({"store": _STORE, "split": "test"}, 1_000),
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
    "unified": {
        "tiny": Scale(
            "recipes/claims/unified-tiny.yaml",
            Test({"store": _STORE, "split": "test"}, 1_000, f"{_EPISODES}/test"),
            "simulated: sim-sentences-v1 small and, a fifth of the samples, windows of sim-episodes-v1 "
            "small; 1,000 test sentences, and 40 test episodes of two minutes each, by signers that "
            "no training clip has",
            minutes=7.0,
        ),
    },
}  # fmt: skip
"""Method → scale → what its arms start from."""

_WIDTHS = {
    size: (
        f"config.front={front}", f"config.width={width}", f"config.decoder_width={width}",
        f"config.encoder_inner={inner}", f"config.decoder_inner={inner}",
    )
    for size, front, width, inner in (("narrow", 96, 64, 128), ("wide", 384, 192, 512))
}  # fmt: skip

ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
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
            (
                "data.synthetic.sentences={generated: {count: 20000, seed: 1}, "
                "lengths_of: '{train}'}",
            ),
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
                    "config.language=runs/claims/language",
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
            (f"data.train={{store: {_STORE}}}", "training.batch=32"),
        ),
        Arm(
            "alignment alone",
            "without sentences to translate: as many steps, each on as many windows",
            (
                f"data.train={{episodes: {_EPISODES}/train}}",
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
                f"data.train={{mixed: [{{percent: 80, source: {{store: {_STORE}}}}}, {{percent: 20, "
                f"source: {{episodes: {_EPISODES}/train, seconds: 10}}}}]}}",
                f"data.dev={{store: {_STORE}, split: dev}}",
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
        *(
            Arm(f"{name}-{size}", f"as '{name}', {what}", (*_WIDTHS[size], *settings))
            for size, what in (("narrow", "a third of the parameters"), ("wide", "twice as many"))
            for name, settings in (("swo", ()), ("none", ("data.synthetic=null",)))
        ),
    )
}
"""Every arm that is not its scale's base alone says what it changes."""

CLAIMS: dict[str, Claim] = {
    claim.id: claim
    for claim in (
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
        Claim(
            "C2.1",
            "autosign",
            "Body and hands are the best choice of articulators.",
            (
                Part("ordered", ("body+hands", "hands"), "WER", least=1.0),
                Part("ordered", ("body+hands", "hands+face"), "WER", least=1.0),
                Part("ordered", ("body+hands", "all"), "WER", least=1.0),
            ),
            needs="arms of AutoSign, and WER as a measure",
        ),
        Claim(
            "C2.2",
            "autosign",
            "Adding the face does not help with signers that training has not seen.",
            (Part("equivalent", ("all", "body+hands"), "WER", least=1.0),),
            needs="arms of AutoSign, and WER as a measure",
            ours="Read as: no difference of 1 point of WER or more.",
        ),
        Claim(
            "C2.3",
            "autosign",
            "Compressing frames by 1D convolutions beats raw frames.",
            (Part("ordered", ("cnn", "raw"), "WER", least=1.0),),
            needs="arms of AutoSign, and WER as a measure",
        ),
        Claim(
            "C2.4",
            "autosign",
            "Starting the decoder from AraGPT2 beats random weights.",
            (Part("ordered", ("aragpt2", "random"), "WER", least=1.0),),
            needs="arms of AutoSign, WER as a measure, and the weights of AraGPT2-base",
            ours="Ours: the released code may never load the pretrained weights.",
        ),
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
            needs="arms that fuse a recogniser of pose and one of lips",
        ),
        *(
            Claim(f"C3.{n}", "embeddings", statement, parts, ours=ours, scales=("tiny",))
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
                    "α as in the paper's table, 16 at rank 4 and 64 at rank 32.",
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
                        Part("ordered", ("unified", "hard"), metric, least=0.3)
                        for metric in ALIGNMENT
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
            (Part("ordered", ("windowed", "dense"), "memory", least=3.0, by=3.0),),
            needs="a verdict on what is measured once and has no seeds (measured: 4.3 and 7.4 times "
            "less, results/dense-features.json)",
            ours="Read as: less than a third of the memory (the factor is the metric).",
        ),
        Claim(
            "C4.1",
            "semtext",
            "Sentence embeddings as a target are better than plain translation without glosses.",
            (Part("ordered", ("sem", "plain"), "BLEU-4", least=1.0),),
            needs="method sign2(sem+text)",
        ),
        Claim(
            "C4.2",
            "semtext",
            "Learning both at once is better than the pipeline (p < .05).",
            (Part("ordered", ("multitask", "pipeline"), "BLEU-4", least=1.0),),
            needs="method sign2(sem+text)",
        ),
        Claim(
            "C4.3",
            "semtext",
            "Starting from mBART is better than from scratch.",
            (Part("ordered", ("mbart", "scratch"), "BLEU-4", least=1.0),),
            needs="method sign2(sem+text) and the weights of mBART-large",
        ),
        Claim(
            "C4.4",
            "semtext",
            "One-language and many-language sentence embeddings do not differ.",
            (Part("equivalent", ("monolingual", "multilingual"), "BLEU-4", least=1.0),),
            needs="method sign2(sem+text) and the weights of both sentence encoders",
            ours="'No significant difference' is tested as equivalence within 1 BLEU-4.",
        ),
        Claim(
            "C5.1",
            "lslm",
            "A codebook of 1,024 has the best FID.",
            (
                Part("ordered", ("1024 codes", "512 codes"), "FID", least=0.1),
                Part("ordered", ("1024 codes", "1528 codes"), "FID", least=0.1),
            ),
            needs="method LSLM",
        ),
        Claim(
            "C5.2",
            "lslm",
            "Direct alignment with instruction tuning of the language model alone has the best semantics.",
            (Part("ordered", ("direct, LLM only", "joint"), "CIDEr-D", least=1.0),),
            needs="method LSLM",
        ),
        Claim(
            "C5.3",
            "lslm",
            "Joint alignment has the lower word error rate.",
            (Part("ordered", ("joint", "direct, LLM only"), "WER", least=1.0),),
            needs="method LSLM",
        ),
        Claim(
            "C5.4",
            "lslm",
            "Llama is better than Qwen, and inserts fewer words.",
            (
                Part("ordered", ("llama", "qwen"), "CIDEr-D", least=1.0),
                Part("ordered", ("llama", "qwen"), "insertions", least=1.0),
            ),
            needs="method LSLM and the weights of Llama-3.2-3B and Qwen2.5-3B",
        ),
        Claim(
            "C5.5",
            "lslm",
            "A learnt projection is better than extending the vocabulary, as MotionGPT does.",
            (Part("ordered", ("projection", "vocabulary"), "CIDEr-D", least=1.0),),
            needs="method LSLM",
        ),
    )
}
"""The papers' claims, C1.1 to C5.5."""

QUESTIONS: dict[str, Claim] = {
    claim.id: claim
    for claim in (
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
}
"""Our own questions beside the claims, decided the same way."""

ALL: dict[str, Claim] = {**CLAIMS, **QUESTIONS}


def claim_named(name: str) -> Claim:
    """The claim or question of that id, in any case. Raises UsageError naming the nearest."""
    found = ALL.get(name.upper())
    if found is None:
        raise UsageError(
            f"there is no claim '{name}'{nearest(name.upper(), list(ALL))}; "
            "`signloom claims list` shows all of them"
        )
    return found


def scales_of(claim: Claim) -> dict[str, Scale]:
    """Scale → what the claim's arms start from; {} for one that cannot be run yet."""
    return {} if claim.needs else SETTINGS.get(claim.base or PAPERS[claim.paper].method, {})
