"""sign2(sem+text): sentence embeddings as a target (spec §4)."""

from __future__ import annotations

from signloom.claims.arms import Test
from signloom.claims.papers import SENTENCES
from signloom.claims.records import Arm, Claim, Paper, Part, Scale

PAPER = Paper("semtext", "sign2(sem+text)", "arXiv 2510.19367", "semtext")

SETTINGS: dict[str, dict[str, Scale]] = {
    "semtext": {
        "tiny": Scale(
            "recipes/claims/semtext-tiny.yaml",
            Test({"store": SENTENCES, "split": "test"}, 1_000),
            "simulated: sim-sentences-v1 small, 20,000 training sentences, their embeddings by "
            "all-MiniLM-L6-v2; 1,000 test sentences by signers that no training clip has, almost all "
            "of them unseen",
            minutes=8.0,
        ),
    },
}


_OWN = f"{{texts: [{SENTENCES}]}}"
_INSTRUCTIONS = '{texts: ["${SIGNLOOM_DATA}/text/how2sign.train.tsv.gz"], shortest: 3, longest: 15}'


def _stages(*stages: tuple[str, int, tuple[str, ...]], texts: str = _OWN) -> str:
    """The setting that makes these the stages; 'sem2text' is taught by sentences alone, the store's at first."""
    made = []
    for name, steps, train in stages:
        more = "schedule: cosine, " if name == stages[-1][0] else ""
        more += f"data: {texts}, " if name == "sem2text" else ""
        patterns = ", ".join(f'"{pattern}"' for pattern in train)
        made.append(f"{{name: {name}, steps: {steps}, {more}train: [{patterns}]}}")
    return f"training.stages=[{', '.join(made)}]"


_SIGN, _TEXT, _GLOSS = ("sign2sem.*",), ("sem2text.*",), ("sign2sem.*", "gloss_head.*")
_PLAIN = (
    "config.supervision=none",
    _stages(("sem2text", 1_000, _TEXT), ("both", 3_000, ("*",))),
)
_FEW, _SOME = "data.train_limit=2000", "data.train_limit=6000"

ARMS: tuple[Arm, ...] = (
    Arm("sem", "sentence embeddings supervise, in three phases; the decoder reads the states"),
    Arm("multitask", "the same: sign2sem, sem2text, then both at once"),
    Arm("plain", "nothing supervises but the text; the signed phases are one", _PLAIN),
    Arm(
        "sem, at once",
        "sentence embeddings supervise beside the text in all signed steps, without a phase of their own",
        (_stages(("sem2text", 1_000, _TEXT), ("both", 3_000, ("*",))),),
    ),
    Arm(
        "gloss",
        "glosses supervise by CTC in place of sentence embeddings",
        (
            "config.supervision=gloss",
            _stages(
                ("sign2gloss", 1_500, _GLOSS), ("sem2text", 1_000, _TEXT), ("both", 1_500, ("*",))
            ),
        ),
    ),
    Arm(
        "pipeline",
        "sign2sem for all signed steps, sem2text apart from it; the decoder reads the embedding",
        (
            "config.reads=embedding",
            _stages(("sem2text", 1_000, _TEXT), ("sign2sem", 3_000, _SIGN)),
        ),
    ),
    Arm(
        "bottleneck",
        "'multitask' with a decoder that reads the one predicted embedding",
        ("config.reads=embedding",),
    ),
    Arm("read by 2", "two frames become one", ("config.stride=2", "config.encoder_positions=200")),
    Arm("read by 8", "eight frames become one", ("config.stride=8",)),
    Arm(
        "has read instructions",
        "'sem', whose decoder has read the English of How2Sign in place of the simulated sentences",
        (
            _stages(
                ("sign2sem", 1_500, _SIGN),
                ("sem2text", 1_000, _TEXT),
                ("both", 1_500, ("*",)),
                texts=_INSTRUCTIONS,
            ),
        ),
    ),
    Arm(
        "has read nothing",
        "'sem', whose decoder has read nothing before it translates",
        (_stages(("sign2sem", 1_500, _SIGN), ("both", 1_500, ("*",))),),
    ),
    Arm("few, sem", "'sem' with 2,000 signed sentences", (_FEW,)),
    Arm("few, plain", "'plain' with 2,000 signed sentences", (*_PLAIN, _FEW)),
    Arm("some, sem", "'sem' with 6,000 signed sentences", (_SOME,)),
    Arm("some, plain", "'plain' with 6,000 signed sentences", (*_PLAIN, _SOME)),
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "C4.1",
        "semtext",
        "Sentence embeddings as a target are better than plain translation without glosses.",
        (Part("ordered", ("sem", "plain"), "BLEU-4", least=1.0),),
        scales=("tiny",),
    ),
    Claim(
        "C4.2",
        "semtext",
        "Learning both at once is better than the pipeline (p < .05).",
        (Part("ordered", ("multitask", "pipeline"), "BLEU-4", least=1.0),),
        scales=("tiny",),
    ),
    Claim(
        "C4.3",
        "semtext",
        "Starting from mBART is better than from scratch.",
        (Part("ordered", ("mbart", "scratch"), "BLEU-4", least=1.0),),
        needs="the weights of facebook/mbart-large-cc25",
    ),
    Claim(
        "C4.4",
        "semtext",
        "One-language and many-language sentence embeddings do not differ.",
        (Part("equivalent", ("monolingual", "multilingual"), "BLEU-4", least=1.0),),
        needs="the weights of paraphrase-MiniLM-L3-v2 and paraphrase-multilingual-MiniLM-L12-v2",
        ours="'No significant difference' is tested as equivalence within 1 BLEU-4.",
    ),
)

QUESTIONS: tuple[Claim, ...] = (
    Claim(
        "F4.2",
        "semtext",
        "Of frames drawn together by 2, 4 and 8, by 4 is the best.",
        (
            Part("ordered", ("sem", "read by 2"), "BLEU-4", least=1.0),
            Part("ordered", ("sem", "read by 8"), "BLEU-4", least=1.0),
        ),
        ours="The paper's extractor of frame features is not known; here frames are keypoints, and what "
        "can be chosen is how they are pooled.",
        scales=("tiny",),
    ),
    Claim(
        "F4.3",
        "semtext",
        "A decoder that has read another domain helps, and one that has read its own helps more.",
        (
            Part(
                "ordered", ("sem", "has read instructions", "has read nothing"), "BLEU-4", least=1.0
            ),
        ),
        ours="The paper asks it of weather and instructions; its weather is German, and the sentence "
        "embedding at hand reads English: here from instructions (How2Sign's text) to simulated sentences.",
        scales=("tiny",),
    ),
    Claim(
        "F4.4",
        "semtext",
        "Where few sentences are signed, sentence embeddings as a target help too.",
        (
            Part("ordered", ("few, sem", "few, plain"), "BLEU-4", least=1.0),
            Part("ordered", ("some, sem", "some, plain"), "BLEU-4", least=1.0),
        ),
        ours="All arms have read all 20,000 sentences as text; 20,000 signed ones are C4.1's.",
        scales=("tiny",),
    ),
    Claim(
        "F4.7",
        "semtext",
        "Glosses supervise better than sentence embeddings, and these better than nothing.",
        (Part("ordered", ("gloss", "sem", "plain"), "BLEU-4", least=1.0),),
        ours="The paper's title, with one encoder and the same data: how much of the gap that glosses "
        "leave does meaning close?",
        scales=("tiny",),
    ),
    Claim(
        "F4.8",
        "semtext",
        "A decoder that reads the states beats one that reads the predicted embedding alone.",
        (Part("ordered", ("multitask", "bottleneck"), "BLEU-4", least=1.0),),
        ours="The seed names no variant; spec §4 gives both.",
        scales=("tiny",),
    ),
    Claim(
        "F4.9",
        "semtext",
        "Sentence embeddings beside the text from the first signed step on are better than before it, and "
        "than none.",
        (
            Part("ordered", ("sem, at once", "sem"), "BLEU-4", least=1.0),
            Part("ordered", ("sem, at once", "plain"), "BLEU-4", least=1.0),
        ),
        ours="As many signed steps in all three; the paper learns the embedding first.",
        scales=("tiny",),
    ),
)
