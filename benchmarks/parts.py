"""Each part of a model against the limit of the machine, or the naive form of itself: python -m benchmarks.parts.

Seconds are processor time of one thread, the least of three turns. Limits are measured in the same
run: FLOP peak as a matrix product of 1,024 × 1,024, memory bandwidth as a copy of 128 MiB. Each row runs in
a process of its own, whose peak memory is told.

Encoders and dense features: multiply–adds of a forward pass (`encoders.cost`), two for each, over its
seconds, against the peak; how seconds grow with frames and with the batch (1.00: in proportion). Store: bytes of points
read a second against the bandwidth. Decoders: beam 3 with the key–value cache against without it, growing with
tokens and vocabulary; CTC prefix beam against one that looks at all labels. Metrics: BLEU with its interval, against
sacreBLEU's own bootstrap; chrF against sacreBLEU alone.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ratio import growth, ratio
from signloom.data.layouts import HANDS42, PS76

TURNS = 3
FRAMES, BATCHES = (32, 64, 128, 256), (1, 4)
Run = Callable[[], object]


def seconds(run: Run) -> float:
    """Processor seconds of a call, the least of some turns behind one that warms up."""
    run()
    turns = []
    for _ in range(TURNS):
        started = time.process_time()
        run()
        turns.append(time.process_time() - started)
    return max(min(turns), 1e-9)


def peak() -> float:
    """FLOP a second of a large matrix product."""
    a = torch.randn(1024, 1024)
    return 2 * 1024**3 / seconds(lambda: a @ a)


def bandwidth() -> float:
    """Bytes a second that a copy reads and writes."""
    a = np.ones(16 * 2**20)
    b = np.empty_like(a)
    return 2 * a.nbytes / seconds(lambda: np.copyto(b, a))


# --- encoders ------------------------------------------------------------------------------------


def encoder(
    name: str, made: Callable[[], tuple[torch.nn.Module, Callable[[int, int], Run]]]
) -> None:
    """The rows of one encoder; ``made`` gives it and (batch, frames) → a forward pass."""
    from signloom.encoders.cost import gmac

    torch.manual_seed(0)
    model, passing = made()
    model.eval()
    limit = peak()
    with torch.inference_mode():
        by_frames = [seconds(passing(1, frames)) for frames in FRAMES]
        by_batch = [seconds(passing(batch, 64)) for batch in BATCHES]
    done = 2e9 * gmac(passing(1, 128)) / by_frames[FRAMES.index(128)]
    ratio(name, done / limit, f"of the FLOP peak of {limit / 1e9:.0f} GFLOP/s, 128 frames")
    print(f"{name}, frames {growth(FRAMES, by_frames)}")
    print(f"{name}, clips of 64 frames {growth(BATCHES, by_batch)}", flush=True)


def pose_backbone() -> None:
    from signloom.encoders.pose_backbone import PoseBackbone

    def made() -> tuple[torch.nn.Module, Callable[[int, int], Run]]:
        model = PoseBackbone(PS76, channels=16, multipliers=(1, 2), width=128, layers=2)

        def passing(batch: int, frames: int) -> Run:
            points, mask = (
                torch.randn(batch, frames, len(PS76), 3),
                torch.ones(batch, frames).bool(),
            )
            return lambda: model(points, mask)

        return model, passing

    encoder("pose backbone (AGCN and Conformer, ps76)", made)


def conformer() -> None:
    from signloom.encoders.conformer import Conformer

    def made() -> tuple[torch.nn.Module, Callable[[int, int], Run]]:
        model = Conformer(128, 256, 2)

        def passing(batch: int, frames: int) -> Run:
            x, mask = torch.randn(batch, frames, 128), torch.ones(batch, frames).bool()
            return lambda: model(x, mask)

        return model, passing

    encoder("Conformer (256)", made)


def recurrent() -> None:
    from signloom.encoders.recurrent import RecurrentBackbone

    def made() -> tuple[torch.nn.Module, Callable[[int, int], Run]]:
        model = RecurrentBackbone(HANDS42, 3, 192)

        def passing(batch: int, frames: int) -> Run:
            points = torch.randn(batch, frames, len(HANDS42), 3)
            return lambda: model(points)

        return model, passing

    encoder("convolutions and a GRU (hands42)", made)


def lips() -> None:
    from signloom.encoders.lip_backbone import SmallLipEncoder

    def made() -> tuple[torch.nn.Module, Callable[[int, int], Run]]:
        model = SmallLipEncoder()

        def passing(batch: int, frames: int) -> Run:
            pictures, mask = torch.rand(batch, frames, 88, 88), torch.ones(batch, frames).bool()
            return lambda: model(pictures, mask)

        return model, passing

    encoder("small lip encoder", made)


def auto_avsr() -> None:
    from signloom.encoders.auto_avsr import AutoAvsrEncoder

    def made() -> tuple[torch.nn.Module, Callable[[int, int], Run]]:
        model = AutoAvsrEncoder()

        def passing(batch: int, frames: int) -> Run:
            pictures, mask = torch.rand(batch, frames, 88, 88), torch.ones(batch, frames).bool()
            return lambda: model(pictures, mask)

        return model, passing

    encoder("lip encoder of Auto-AVSR's size", made)


def motion_codes() -> None:
    from signloom.encoders.motion_vq import MotionVq

    def made() -> tuple[torch.nn.Module, Callable[[int, int], Run]]:
        model = MotionVq(width=128, codes=256)

        def passing(batch: int, frames: int) -> Run:
            motion = torch.randn(batch, frames, 623)
            return lambda: model.encode(motion)

        return model, passing

    encoder("motion tokenizer", made)


def dense_features() -> None:
    """Features of every second frame: frames encoded once against the backbone in each window."""
    from signloom.encoders.pose_backbone import PoseBackbone
    from signloom.encoders.sliding import sliding, sliding_whole

    torch.manual_seed(0)
    model = PoseBackbone(PS76, channels=16, multipliers=(1, 2), width=128, layers=2).eval()
    mask = torch.ones(1, 100).bool()
    points = torch.randn(1, 100, len(PS76), 3)

    def once() -> None:
        frames = torch.cat([*model.articulators(points, mask).values()], -1)
        sliding(model.conformer, frames, mask)

    with torch.inference_mode():
        ours = seconds(once)
        naive = seconds(lambda: sliding_whole(model, points, mask))
    ratio("dense features", naive / ours, "the whole backbone in each window, over frames once")


# --- the store, decoders, metrics ----------------------------------------------------------------


def store_read() -> None:
    from signloom.corpora.store import StoreWriter, open_store
    from signloom.data.clip import PoseClip
    from signloom.data.sample import Sample

    rng = np.random.default_rng(0)
    limit = bandwidth()
    with tempfile.TemporaryDirectory() as folder:
        with StoreWriter(Path(folder) / "s", PS76) as writer:
            for n in range(200):
                points = rng.normal(600, 100, (125, len(PS76), 3)).astype(np.float32)
                clip = PoseClip(points, np.ones(points.shape[:2], np.float32), 25, PS76)
                writer.add(Sample(str(n), clip, text="cold"), "train")
        store = open_store(Path(folder) / "s")
        took = seconds(lambda: [store[n] for n in range(200)])
    moved = 200 * 125 * len(PS76) * (7 + 16)  # read as int16 and uint8, written as float32
    said = f"of the bandwidth of {limit / 1e9:.1f} GB/s, read and written, clips of 125 frames"
    ratio("store read", moved / took / limit, said)


def decoder() -> None:
    """A seq2seq decoder (posestitch small) by tokens and by vocabulary."""
    from dataclasses import replace

    from benchmarks.decoding import FRAMES as MEMORY
    from benchmarks.decoding import seconds as decoded
    from signloom.methods.posestitch import PRESETS, build, feature_count
    from signloom.text.tokenizer import train_bpe

    torch.manual_seed(0)
    tokens, vocabularies = (10, 20, 40), (500, 2000, 8000)
    config = replace(PRESETS["small"], max_tokens=64)
    times: dict[tuple[int, int], float] = {}
    for size in vocabularies:
        tokenizer = train_bpe(["the weather is cold today"], 100, 1)
        tokenizer.add_tokens([f"word{i}" for i in range(size - tokenizer.get_vocab_size())])
        model = build(config, tokenizer).eval()
        features = torch.randn(8, MEMORY, feature_count(config))
        for length in tokens if size == vocabularies[0] else tokens[1:2]:
            times[size, length] = min(decoded(model, features, length, True) for _ in range(TURNS))
        if size == vocabularies[0]:
            plain = min(decoded(model, features, 40, False) for _ in range(TURNS))
            ratio(
                "seq2seq decoder",
                plain / times[size, 40],
                "without the cache over with it, 40 tokens",
            )
            lengths = [times[size, length] for length in tokens]
            print(f"seq2seq decoder, tokens {growth(tokens, lengths)}")
    by_size = [times[size, 20] for size in vocabularies]
    print(f"seq2seq decoder, vocabulary {growth(vocabularies, by_size)}", flush=True)


def generating(name: str, model: torch.nn.Module, given: dict[str, torch.Tensor]) -> None:
    """The row of a decoder of transformers: 30 tokens, beam 3, with its cache and without."""
    model.eval()

    def generated(cached: bool) -> Run:
        return lambda: model.generate(  # type: ignore[operator]
            **given, num_beams=3, min_new_tokens=30, max_new_tokens=30, use_cache=cached
        )

    with torch.inference_mode():
        ours, naive = seconds(generated(True)), seconds(generated(False))
    ratio(name, naive / ours, "without the cache over with it, 30 tokens")


def t5_decoder() -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(
        vocab_size=2000, d_model=256, d_ff=512, d_kv=64, num_layers=2, num_heads=4,
        decoder_start_token_id=0, eos_token_id=1, pad_token_id=0,
    )  # fmt: skip
    heard = {"inputs_embeds": torch.randn(4, 40, 256)}
    generating("T5 decoder", T5ForConditionalGeneration(config), heard)


def mbart_decoder() -> None:
    from transformers import MBartConfig, MBartForConditionalGeneration

    torch.manual_seed(0)
    config = MBartConfig(
        vocab_size=2000, d_model=256, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=512,
        decoder_ffn_dim=512, encoder_attention_heads=4, decoder_attention_heads=4,
    )  # fmt: skip
    heard = {"inputs_embeds": torch.randn(4, 40, 256)}
    generating("mBART decoder", MBartForConditionalGeneration(config), heard)


def behind(name: str, model: Any, before: int) -> None:
    """The row of a causal decoder behind a prefix, in our beam search: its cache, and the whole anew each time."""
    from signloom.language.beam import beam_search
    from signloom.language.causal import Prefixed

    decoder = Prefixed(model.eval())
    width = model.get_input_embeddings().embedding_dim
    prefix, there = torch.randn(8, before, width), torch.ones(8, before, dtype=torch.bool)
    rows, mask = prefix.repeat_interleave(3, 0), there.repeat_interleave(3, 0)

    def anew(tokens: torch.Tensor, parents: torch.Tensor | None) -> torch.Tensor:
        return decoder(rows, mask, tokens)[:, -1]

    def searched(length: int, cached: bool) -> Run:
        start = torch.zeros(8, 1, dtype=torch.long)
        return lambda: beam_search(
            decoder.stepper(prefix, there, 3) if cached else anew,
            start,
            -1,
            3,
            length + 1,
            no_repeat=0,
        )

    lengths = (10, 20, 40)
    with torch.inference_mode():
        ours = [seconds(searched(length, True)) for length in lengths]
        naive = seconds(searched(lengths[-1], False))
    ratio(name, naive / ours[-1], f"without the cache over with it, {lengths[-1]} tokens")
    print(f"{name}, tokens {growth(lengths, ours)}", flush=True)


def gpt2_decoder() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=400, n_embd=192, n_layer=3, n_head=4, bos_token_id=1, eos_token_id=2
    )
    behind("GPT-2 decoder behind 40 frames", GPT2LMHeadModel(config), 40)


def llama_decoder() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=1500, hidden_size=192, intermediate_size=512, num_hidden_layers=4,
        num_attention_heads=4,
    )  # fmt: skip
    behind("Llama decoder behind 60 codes", LlamaForCausalLM(config), 60)


def ctc_decoder() -> None:
    """The beam that tries the 20 likeliest labels of a frame, against the one that tries all."""
    from signloom.language.ctc import PrefixBeam

    torch.manual_seed(0)
    sizes = (100, 400, 1600)
    ours, naive = [], []
    for size in sizes:
        log_p = (4 * torch.randn(50, size)).log_softmax(-1)
        for times, classes in ((ours, 20), (naive, 0)):
            times.append(seconds(lambda log_p=log_p, n=classes: PrefixBeam(0, 10, n).take(log_p)))
    ratio("CTC prefix beam", naive[1] / ours[1], "all labels over the 20 likeliest, 400 labels")
    print(f"CTC prefix beam, labels {growth(sizes, ours)}", flush=True)


def metrics() -> None:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    from signloom.metrics.translation import count_bleu, count_chrf

    rng = np.random.default_rng(2)
    words = ["the", "rain", "house", "mother", "was", "cold", "red", "we", "saw", "eats"]
    a, b = ([" ".join(rng.choice(words, 9)) for _ in range(1000)] for _ in range(2))
    ours = seconds(lambda: [counts.score() for counts in count_bleu(a, b)])
    peer = seconds(lambda: BLEU().corpus_score(a, [b], n_bootstrap=1000))
    ratio("BLEU with its interval", peer / ours, "sacreBLEU's bootstrap, over BLEU-1…4 with theirs")
    ours = seconds(lambda: [counts.score() for counts in count_chrf(a, b)])
    peer = seconds(lambda: CHRF().corpus_score(a, [b]))
    ratio("chrF with its interval", peer / ours, "sacreBLEU's chrF2 without one, over ours with it")


PARTS = (
    pose_backbone, conformer, recurrent, lips, auto_avsr, motion_codes, dense_features,
    store_read, decoder, t5_decoder, mbart_decoder, gpt2_decoder, llama_decoder, ctc_decoder, metrics,
)  # fmt: skip


def _alone(part: Callable[[], None], out: Connection) -> None:
    torch.set_num_threads(1)
    part()
    out.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)


def main() -> int:
    """Each part in a process of its own; 1 where one of them failed."""
    context, failed = multiprocessing.get_context("spawn"), 0
    for part in PARTS:
        ours, theirs = context.Pipe()
        process = context.Process(target=_alone, args=(part, theirs))
        process.start()
        theirs.close()
        try:
            print(f"{part.__name__}: peak memory {ours.recv():.0f} MiB", flush=True)
        except EOFError:
            failed = 1
        process.join()
    return failed


if __name__ == "__main__":
    sys.exit(main())
