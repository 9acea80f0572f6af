"""LSLM: a codebook of signs for a large language model (spec §5)."""

from __future__ import annotations

from signloom.claims.records import Arm, Claim, Paper, Part, Scale

PAPER = Paper("lslm", "LSLM", "arXiv 2511.08535", "lslm")
SETTINGS: dict[str, dict[str, Scale]] = {}
ARMS: tuple[Arm, ...] = ()

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "C5.1",
        "lslm",
        "A codebook of 1,024 has the best FID.",
        (
            Part("ordered", ("1024 codes", "512 codes"), "FID", least=0.1),
            Part("ordered", ("1024 codes", "1528 codes"), "FID", least=0.1),
        ),
        needs="recipes of its arms, and a Fréchet distance of motion",
    ),
    Claim(
        "C5.2",
        "lslm",
        "Direct alignment with instruction tuning of the language model alone has the best semantics.",
        (Part("ordered", ("direct, LLM only", "joint"), "CIDEr-D", least=1.0),),
        needs="recipes of its arms",
    ),
    Claim(
        "C5.3",
        "lslm",
        "Joint alignment has the lower word error rate.",
        (Part("ordered", ("joint", "direct, LLM only"), "WER", least=1.0),),
        needs="recipes of its arms",
    ),
    Claim(
        "C5.4",
        "lslm",
        "Llama is better than Qwen, and inserts fewer words.",
        (
            Part("ordered", ("llama", "qwen"), "CIDEr-D", least=1.0),
            Part("ordered", ("llama", "qwen"), "insertions", least=1.0),
        ),
        needs="recipes of its arms and the weights of Llama-3.2-3B and Qwen2.5-3B",
    ),
    Claim(
        "C5.5",
        "lslm",
        "A learnt projection is better than extending the vocabulary, as MotionGPT does.",
        (Part("ordered", ("projection", "vocabulary"), "CIDEr-D", least=1.0),),
        needs="recipes of its arms",
    ),
)

QUESTIONS: tuple[Claim, ...] = ()
