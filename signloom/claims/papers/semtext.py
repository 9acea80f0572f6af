"""sign2(sem+text): sentence embeddings as a target (spec §4)."""

from __future__ import annotations

from signloom.claims.records import Arm, Claim, Paper, Part, Scale

PAPER = Paper("semtext", "sign2(sem+text)", "arXiv 2510.19367", "semtext")
SETTINGS: dict[str, dict[str, Scale]] = {}
ARMS: tuple[Arm, ...] = ()

CLAIMS: tuple[Claim, ...] = (
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
)

QUESTIONS: tuple[Claim, ...] = ()
