"""LSLM: a codebook of signs for a large language model (spec §5)."""

from __future__ import annotations

from signloom.claims.arms import Test
from signloom.claims.papers import CODES, MOTION, WORDS_IN_SPACE
from signloom.claims.records import Arm, Claim, Paper, Part, Scale

PAPER = Paper("lslm", "LSLM", "arXiv 2511.08535", "lslm")

_TEST = {"store": MOTION, "split": "test"}

SETTINGS: dict[str, dict[str, Scale]] = {
    "motion-vq": {
        "tiny": Scale(
            "recipes/claims/motion-vq-tiny.yaml",
            Test(_TEST, 1_000, encoder="runs/claims/motion-features/best"),
            "simulated: joints in space of sim-sentences-v1 small, 20,000 training sentences; 1,000 test "
            "sentences by signers that no training clip has",
            minutes=3.0,
        ),
    },
    "lslm": {
        "tiny": Scale(
            "recipes/claims/lslm-tiny.yaml",
            Test(_TEST, 300),
            "simulated: joints in space of sim-sentences-v1 small, 20,000 training sentences, which a Llama of "
            "0.2 M parameters has read before; 300 test sentences by signers that no training clip has",
            minutes=4.0,
        ),
    },
}

_PHI, _LLM = ("motion.*",), ("language.*",)
_ALL = (*_PHI, *_LLM)
_ALIGN, _INSTRUCT = 1_500, 500


def _stages(
    align: tuple[tuple[int, tuple[str, ...]], ...], instruct: tuple[str, ...], store: str = CODES
) -> str:
    """The setting that makes these the stages: alignment in its parts (steps, what learns), instructions."""
    made = [
        f"{{name: align-{n}, steps: {steps}, schedule: cosine, train: {list(train)}}}"
        for n, (steps, train) in enumerate(align)
    ]
    source = f"{{instructed: {{store: {store}, split: train}}}}"
    made.append(
        f"{{name: instruct, steps: {_INSTRUCT}, lr: 5.0e-4, schedule: cosine, train: {list(instruct)}, "
        f"data: {source}}}"
    )
    return f"training.stages=[{', '.join(made)}]"


_DIRECT = ((_ALIGN, _PHI),)
_JOINT = ((_ALIGN, _ALL),)
_STAGED = ((300, _PHI), (_ALIGN - 300, _ALL))
_FEW = (
    "data.train_limit=500",
    f"training.stages=[{{name: joint, steps: {_ALIGN}, schedule: cosine, train: {list(_ALL)}}}]",
)


def _stitched(order: str) -> tuple[str, ...]:
    """The settings that add sentences stitched in this order to a few real ones, and fade them out."""
    return (
        *_FEW,
        f"data.synthetic={{stitched: '{WORDS_IN_SPACE}:train', sentences: {{texts_of: {MOTION}}}, "
        f"order: {order}, trim: true, longest: 1.0, blend: 0.1}}",
        f"curriculum={{kind: annealed_cap, steps: {_ALIGN}, cap: 0.85}}",
    )


def _from(store: str) -> tuple[str, str]:
    """The settings of 'joint, LLM' that make this what is learnt from."""
    return f"data.train={{store: {store}, split: train}}", _stages(_JOINT, _LLM, store)


_PICTURE = ("config.tokens=runs/claims/motion-vq-picture/best", *_from(f"{CODES}-picture"))
_NOISE = ("config.tokens=runs/claims/motion-vq-noise/best", *_from(MOTION))

ARMS: tuple[Arm, ...] = (
    Arm("1024 codes", "one codebook of 1,024"),
    Arm("512 codes", "of 512", ("config.codes=512",)),
    Arm("1528 codes", "of 1,528", ("config.codes=1528",)),
    Arm("direct, LLM", "φ learns alone, then the LM alone is instructed", (_stages(_DIRECT, _LLM),)),
    Arm("direct, all", "φ learns alone, then both are instructed", (_stages(_DIRECT, _ALL),)),
    Arm("joint, LLM", "φ and LM learn, then the LM alone is instructed"),
    Arm("joint, all", "φ and LM learn, then both are instructed", (_stages(_JOINT, _ALL),)),
    Arm("staged, LLM", "φ for 300 steps, then both; the LM alone is instructed", (_stages(_STAGED, _LLM),)),
    Arm("staged, all", "φ for 300 steps, then both; both are instructed", (_stages(_STAGED, _ALL),)),
    Arm("words", "'joint, LLM' with an embedding a code in place of φ", ("config.reading=vocabulary",)),
    Arm("before rounding", "'joint, LLM' that reads what the tokenizer's encoder gives before it is a code",
        ("config.reading=latents", *_from(MOTION))),
    *(Arm(f"noise {n}°", f"'joint, LLM' tested with σ {n}° on every rotation", reading=f"noise {n}")
      for n in (2, 5, 10)),
    Arm("shaken", "'joint, LLM' on a tokenizer that learnt with 20 mm of noise", _NOISE),
    Arm("shaken, noise 5°", "the same, tested with σ 5°", _NOISE, "noise 5"),
    Arm("few", "500 signed sentences; φ and LM learn, no instructions", _FEW),
    Arm("few, stitched", "beside them words stitched in sentence order", _stitched("swo")),
    Arm("few, stitched by rules",
        "beside them words stitched in an order by rules (time first, adjectives after nouns, …)",
        _stitched("signed")),
    Arm("turned 30°", "'joint, LLM' tested from 30° aside", reading="turned 30"),
    Arm("picture", "'joint, LLM' on a tokenizer that reads what the camera sees", _PICTURE),
    Arm("picture, turned 30°", "the same, tested from 30° aside", _PICTURE, "turned 30"),
)  # fmt: skip

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "C5.1",
        "lslm",
        "A codebook of 1,024 has the best FID.",
        (
            Part("ordered", ("1024 codes", "512 codes"), "FID", least=1.0),
            Part("ordered", ("1024 codes", "1528 codes"), "FID", least=1.0),
        ),
        ours="The paper names no encoder; here it is a tokenizer of its own, whose features before rounding "
        "are compared. A code is dead below the same share of an even load in each arm.",
        scales=("tiny",),
        base="motion-vq",
    ),
    Claim(
        "C5.2",
        "lslm",
        "Direct alignment with instruction tuning of the language model alone has the best semantics.",
        tuple(
            Part("ordered", ("direct, LLM", other), "CIDEr-D", least=0.1)
            for other in ("direct, all", "joint, LLM", "joint, all", "staged, LLM", "staged, all")
        ),
        ours="The language model has 0.2 M parameters and has read these sentences; it is trained whole, not "
        "by LoRA.",
        scales=("tiny",),
    ),
    Claim(
        "C5.3",
        "lslm",
        "Joint alignment has the lower word error rate.",
        (
            Part("ordered", ("joint, LLM", "direct, LLM"), "WER", least=1.0),
            Part("ordered", ("joint, all", "direct, all"), "WER", least=1.0),
        ),
        scales=("tiny",),
    ),
    Claim(
        "C5.4",
        "lslm",
        "Llama is better than Qwen, and inserts fewer words.",
        (
            Part("ordered", ("llama", "qwen"), "CIDEr-D", least=0.1),
            Part("ordered", ("llama", "qwen"), "insertions", least=1.0),
        ),
        needs="the weights of Llama-3.2-3B and Qwen2.5-3B",
    ),
    Claim(
        "C5.5",
        "lslm",
        "A learnt projection is better than extending the vocabulary, as MotionGPT does.",
        (Part("ordered", ("joint, LLM", "words"), "CIDEr-D", least=0.1),),
        scales=("tiny",),
    ),
)

QUESTIONS: tuple[Claim, ...] = (
    Claim(
        "F5.1",
        "lslm",
        "Where few sentences are signed, words stitched in between help, and in an order by a sign "
        "language's rules more than in sentence order.",
        (Part("ordered", ("few, stitched by rules", "few, stitched", "few"), "BLEU-4", least=1.0),),
        ours="The paper asks for augmentation that knows the language; the rules are those of F1.3. The "
        "tokenizer has seen all motions, and the language model has read all sentences.",
        scales=("tiny",),
    ),
    Claim(
        "F5.3",
        "lslm",
        "The worse the fits, the worse the translation: noise of 2°, 5° and 10° on every rotation.",
        (
            Part(
                "ordered", ("joint, LLM", "noise 2°", "noise 5°", "noise 10°"), "BLEU-4", least=1.0
            ),
        ),
        ours="Drawn anew in each frame and joint; what hangs on a joint turns along.",
        scales=("tiny",),
    ),
    Claim(
        "F5.8",
        "lslm",
        "From 30° aside joints in space are read better than the picture, which loses by it.",
        (
            Part("ordered", ("turned 30°", "picture, turned 30°"), "BLEU-4", least=1.0),
            Part("ordered", ("picture", "picture, turned 30°"), "BLEU-4", least=1.0),
        ),
        ours="The picture is the same joints as the training camera sees them, without depth, through the "
        "same encoder.",
        scales=("tiny",),
    ),
    Claim(
        "F5.9",
        "lslm",
        "Under noise of 5° a tokenizer that learnt with noise is the better one.",
        (Part("ordered", ("shaken, noise 5°", "noise 5°"), "BLEU-4", least=1.0),),
        scales=("tiny",),
    ),
    Claim(
        "F5.10",
        "lslm",
        "Codes are translated as well as the same motion before it is rounded to them.",
        (Part("equivalent", ("joint, LLM", "before rounding"), "BLEU-4", least=1.0),),
        ours="What discretisation costs the translation; the goal was at most a fifth of the score.",
        scales=("tiny",),
    ),
)
