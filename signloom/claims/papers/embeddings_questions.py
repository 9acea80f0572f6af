"""Our questions beside "Lost in Translation, Found in Embeddings": alignment, and other languages.

What they are trained on is made by `claims.stores`, and for F3.8 by `claims.gloss_stores`.
"""

from __future__ import annotations

from signloom.claims.arms import Test
from signloom.claims.papers import EPISODES, FEATURES, LABELLED, OTHER, SENTENCES, UNIFIED, WHOLE
from signloom.claims.records import Arm, Claim, Part, Scale

SETTINGS: dict[str, dict[str, Scale]] = {
    "cut sentences": {
        "tiny": Scale(
            UNIFIED,
            Test({"store": f"{FEATURES}/cut-signing", "split": "test"}, 1_000),
            "simulated: the sentences of 40 training episodes of sim-episodes-v1 small, cut out by "
            "the times of each arm; those of 40 test episodes of two minutes each, by signers that no "
            "training clip has, cut out by the true times",
            minutes=4.0,
            settings=(
                f"data.train={{store: {FEATURES}/cut-signing}}",
                f"data.dev={{store: {FEATURES}/cut-signing, split: dev}}",
                "data.dev_limit=100", "training.batch=32", "training.steps=900",
            ),
        ),
    },
    "own labels": {
        "tiny": Scale(
            WHOLE,
            Test({"store": SENTENCES, "split": "test"}, 50, f"{EPISODES}/test"),
            "simulated: windows of 40 training episodes of sim-episodes-v1 small, and of 8 dev "
            "episodes, whose cues lie where the program put them; true cues of 40 test episodes of "
            "two minutes each, by signers that no training clip has",
            minutes=7.0,
            settings=(
                f"data.train={{episodes: {LABELLED}/train}}",
                f"data.dev={{episodes: {LABELLED}/dev}}",
                "training.batch=8", "training.metric=IoU",
                "training.stages=[{name: read, steps: 900, train: ['bridge.*', 'language.*']}]",
            ),
        ),
    },
    "second language": {
        "tiny": Scale(
            WHOLE,
            Test({"store": OTHER, "split": "test"}, 1_000),
            "simulated: 500 sentences of sim-sentences-v1 small in a second language (seed 2: "
            "other signs, letters and signers, the same English words), beside the 20,000 of the first; "
            "1,000 test sentences of the second by signers that no training clip has",
            minutes=7.0,
            settings=(
                f"data.train={{store: {OTHER}}}", "data.train_limit=500",
                f"data.dev={{store: {OTHER}, split: dev}}",
                "data.dev_limit=100", "training.batch=32",
            ),
        ),
    },
}  # fmt: skip

ARMS: tuple[Arm, ...] = (
    *(
        Arm(
            f"cut by {times}",
            f"sentences cut out {what}",
            (f"data.train={{store: {FEATURES}/cut-{times}}}",),
        )
        for times, what in (
            ("speech", "when they are said, as subtitles come"),
            ("program", "where the program puts them, without a model"),
            ("recogniser", "where it puts them with the signs that the bundled recogniser spots"),
            ("signing", "when they are signed"),
        )
    ),
    Arm("student", "has learnt when cues are signed from the program's own placements"),
    Arm(
        "student in the program",
        "'student', whose answers the program weighs beside all else",
        reading="in the program",
    ),
    Arm("program alone", "the program that labelled, without a model", reading="program alone"),
    Arm(
        "learnt graph",
        "'full' with the paper's graph, a part of which is learnt, and whole temporal convolutions",
        ("config.adaptive=true", "config.factored=false"),
    ),
    *(
        Arm(
            f"{translated} to {100 - translated}",
            f"'unified' with {translated} % of sentences to translate and {100 - translated} % of windows to align",
            (
                f"data.train={{mixed: [{{percent: {translated}, source: {{store: {FEATURES}/sentences}}}}, "
                f"{{percent: {100 - translated}, source: {{episodes: {FEATURES}/train}}}}]}}",
            ),
        )
        for translated in (50, 95)
    ),
    Arm(
        "end to end, no signs learnt",
        "likewise, from a random backbone",
        ("init=null", "training.stages=[{name: whole, steps: {steps}}]"),
    ),
    Arm(
        "second alone",
        "from random weights, 700 steps on the second language",
        ("init=null", "training.stages=[{name: second, steps: 700}]"),
    ),
    Arm(
        "first, then second",
        "the backbone has learnt words of the first language; 450 steps on its sentences, 250 on "
        "those of the second",
        (
            f"training.stages=[{{name: first, steps: 450, data: {{store: {SENTENCES}}}}}, "
            "{name: second, steps: 250}]",
        ),
    ),
    Arm(
        "first alone",
        "likewise, 700 steps on the first language, none on the second",
        (
            f"data.train={{store: {SENTENCES}}}",
            "data.train_limit=null",
            f"data.dev={{store: {SENTENCES}, split: dev}}",
            "training.stages=[{name: first, steps: 700}]",
        ),
    ),
)

QUESTIONS: tuple[Claim, ...] = (
    Claim(
        "F3.5",
        "embeddings",
        "The better sentences are aligned that a model is trained on, the better it translates.",
        (
            Part(
                "ordered",
                ("cut by signing", "cut by program", "cut by speech"),
                "BLEU-4",
                least=0.3,
            ),
            Part("ordered", ("cut by recogniser", "cut by program"), "BLEU-4", least=0.3),
        ),
        ours="The paper trains on better aligned subtitles too (its ladder, step 5). The program's "
        "F1@.50 is 80 without a model and 96 with the bundled recogniser, that of speech 9 "
        "(results/alignment-small-test.json).",
        base="cut sentences",
        scales=("tiny",),
    ),
    *(
        Claim(
            id,
            "embeddings",
            statement,
            (Part("ordered", (arm, "program alone"), "F1@.50", least=1.0),),
            ours=ours,
            base="own labels",
            scales=("tiny",),
        )
        for id, statement, arm, ours in (
            (
                "F3.6",
                "A model that learnt to align from the program's placements beats that program.",
                "student",
                "As the paper places cues, by plateaus and one path; the checkpoint is chosen by "
                "placements of the program too, and only the test cues are true.",
            ),
            (
                "F3.7",
                "That program with what the model says beats the program alone.",
                "student in the program",
                "The same trained model.",
            ),
        )
    ),
    Claim(
        "F3.8",
        "embeddings",
        "Pretraining on one simulated sign language helps another that has few sentences, and does "
        "not do without them.",
        (
            Part(
                "ordered",
                ("first, then second", "second alone", "first alone"),
                "BLEU-4",
                least=0.3,
            ),
        ),
        ours="As many steps in all three; the paper goes from British to American signing.",
        base="second language",
        scales=("tiny",),
    ),
    Claim(
        "F3.9",
        "embeddings",
        "A graph that stands still and factored temporal convolutions, which halve the cost, recognise "
        "as well.",
        (Part("equivalent", ("full", "learnt graph"), "top-1", least=1.0),),
        ours="Ours: .185 against .412 GMAC a frame at the paper's size (results/backbone-cost.json).",
        base="isolated",
        scales=("tiny",),
    ),
    Claim(
        "F3.10",
        "embeddings",
        "Of mixes of both tasks, 80 to 20 translates better than 50 to 50, and aligns better than 95 to 5.",
        (
            Part("ordered", ("unified", "50 to 50"), "BLEU-4", least=0.3),
            Part("ordered", ("unified", "95 to 5"), "F1@.50", least=1.0),
        ),
        ours="The paper mixes 80 to 20 and names no other; as many steps and samples in all three.",
        scales=("tiny",),
    ),
    Claim(
        "F3.11",
        "embeddings",
        "A backbone that has learnt single signs helps, even where it learns on end to end.",
        (Part("ordered", ("end to end", "end to end, no signs learnt"), "BLEU-4", least=0.3),),
        ours="The paper always begins with recognition of single signs.",
        base="unified, whole",
        scales=("tiny",),
    ),
)
