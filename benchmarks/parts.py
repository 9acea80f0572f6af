"""Each part of a model against the limit of the machine, or the naive form of itself: python -m benchmarks.parts.

Seconds are processor time of one thread, the least of three turns. Limits are measured in the same
run: FLOP peak as a matrix product of 1,024 × 1,024, memory bandwidth as a copy of 128 MiB. Each row runs in
a process of its own, whose peak memory is told.

Encoders: multiply–adds of a forward pass (`encoders.cost`), two for each, over its seconds, against the
peak; how seconds grow with frames and with the batch (1.00: in proportion). Dense features: frames encoded once
against the whole backbone in each window, growing with frames. Store: bytes of points read a second against the
bandwidth, growing with the length of clips. Decoders: beam 3 with the key–value cache against without it,
growing with tokens, clips and vocabulary; CTC prefix beam against one that looks at all labels. Metrics: BLEU with
its interval against sacreBLEU's own bootstrap, chrF against sacreBLEU alone, WER against jiwer's own way through two
lists, ROUGE-L, CIDEr and the scores of alignment against the plain form of their definitions; how they grow
with pairs, or with the length of an episode.
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


def agcn() -> None:
    from signloom.encoders.agcn import AgcnBlock
    from signloom.encoders.graph import articulator_edges, partitions

    joints = len(PS76.part("right_hand"))

    def made() -> tuple[torch.nn.Module, Callable[[int, int], Run]]:
        graph = partitions(joints, articulator_edges(PS76, "right_hand"))
        model = AgcnBlock(32, 32, torch.from_numpy(graph))

        def passing(batch: int, frames: int) -> Run:
            x, mask = torch.randn(batch, frames, joints, 32), torch.ones(batch, frames).bool()
            return lambda: model(x, mask)

        return model, passing

    encoder("adaptive graph convolution (a hand, 32)", made)


def bert() -> None:
    from signloom.language.seq2seq import bert_encoder

    def made() -> tuple[torch.nn.Module, Callable[[int, int], Run]]:
        model = bert_encoder(192, 2, 4, 512, 256, 0.0)

        def passing(batch: int, frames: int) -> Run:
            x, mask = torch.randn(batch, frames, 192), torch.ones(batch, frames)
            return lambda: model(inputs_embeds=x, attention_mask=mask)

        return model, passing

    encoder("BERT (192)", made)


def compression() -> None:
    from signloom.encoders.compression import Compression, Context

    def reader(context: Context) -> tuple[torch.nn.Module, Callable[[int, int], Run]]:
        model = Compression(152, (128, 192), 4, context)

        def passing(batch: int, frames: int) -> Run:
            x, mask = torch.randn(batch, frames, 152), torch.ones(batch, frames).bool()
            return lambda: model(x, mask)

        return model, passing

    encoder("convolutions by 4 (192)", lambda: reader("none"))
    encoder("convolutions by 4 and a BiLSTM", lambda: reader("bilstm"))
    encoder("convolutions by 4 and a Transformer", lambda: reader("transformer"))
    encoder("convolutions by 4 and dilated ones", lambda: reader("dilated"))


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
    lengths = (50, 100, 200)

    def clip(frames: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.randn(1, frames, len(PS76), 3), torch.ones(1, frames).bool()

    def once(points: torch.Tensor, mask: torch.Tensor) -> None:
        frames = torch.cat([*model.articulators(points, mask).values()], -1)
        sliding(model.conformer, frames, mask)

    with torch.inference_mode():
        ours = [seconds(lambda given=clip(frames): once(*given)) for frames in lengths]
        naive = seconds(lambda given=clip(lengths[1]): sliding_whole(model, *given))
    ratio("dense features", naive / ours[1], "the whole backbone in each window, over frames once")
    print(f"dense features, frames {growth(lengths, ours)}", flush=True)


# --- the store, decoders, metrics ----------------------------------------------------------------


def store_read() -> None:
    from signloom.corpora.store import StoreWriter, open_store
    from signloom.data.clip import PoseClip
    from signloom.data.sample import Sample

    rng = np.random.default_rng(0)
    limit, lengths, took = bandwidth(), (25, 125, 625), []
    for frames in lengths:
        with tempfile.TemporaryDirectory() as folder:
            with StoreWriter(Path(folder) / "s", PS76) as writer:
                for n in range(100):
                    points = rng.normal(600, 100, (frames, len(PS76), 3)).astype(np.float32)
                    clip = PoseClip(points, np.ones(points.shape[:2], np.float32), 25, PS76)
                    writer.add(Sample(str(n), clip, text="cold"), "train")
            store = open_store(Path(folder) / "s")
            took.append(seconds(lambda store=store: [store[n] for n in range(100)]) / 100)
    moved = 125 * len(PS76) * (7 + 16)  # read as int16 and uint8, written as float32
    said = f"of the bandwidth of {limit / 1e9:.1f} GB/s, read and written, clips of 125 frames"
    ratio("store read", moved / took[1] / limit, said)
    print(f"store read, frames of a clip {growth(lengths, took)}", flush=True)


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
            by_batch = [
                min(decoded(model, features.repeat(n, 1, 1), 20, True) for _ in range(TURNS))
                for n in (1, 4)
            ]
            print(f"seq2seq decoder, clips {growth((8, 32), by_batch)}")
    by_size = [times[size, 20] for size in vocabularies]
    print(f"seq2seq decoder, vocabulary {growth(vocabularies, by_size)}", flush=True)


def generating(name: str, model: torch.nn.Module, given: dict[str, torch.Tensor]) -> None:
    """The rows of a decoder of transformers: 30 tokens, beam 3, with its cache and without."""
    model.eval()
    tokens, clips = (10, 20, 30), (1, 4)

    def generated(cached: bool, length: int = tokens[-1], batch: int = clips[-1]) -> Run:
        some = {key: value[:batch] for key, value in given.items()}
        return lambda: model.generate(  # type: ignore[operator]
            **some, num_beams=3, min_new_tokens=length, max_new_tokens=length, use_cache=cached
        )

    with torch.inference_mode():
        ours = [seconds(generated(True, length)) for length in tokens]
        alone = seconds(generated(True, batch=1))
        naive = seconds(generated(False))
    ratio(name, naive / ours[-1], f"without the cache over with it, {tokens[-1]} tokens")
    print(f"{name}, tokens {growth(tokens, ours)}")
    print(f"{name}, clips {growth(clips, (alone, ours[-1]))}", flush=True)


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
    clips = (2, 8)
    prefix = torch.randn(clips[-1], before, width)
    there = torch.ones(clips[-1], before, dtype=torch.bool)
    rows, mask = prefix.repeat_interleave(3, 0), there.repeat_interleave(3, 0)

    def anew(tokens: torch.Tensor, parents: torch.Tensor | None) -> torch.Tensor:
        return decoder(rows, mask, tokens)[:, -1]

    def searched(length: int, cached: bool, batch: int = clips[-1]) -> Run:
        start = torch.zeros(batch, 1, dtype=torch.long)
        return lambda: beam_search(
            decoder.stepper(prefix[:batch], there[:batch], 3) if cached else anew,
            start,
            -1,
            3,
            length + 1,
            no_repeat=0,
        )

    lengths = (10, 20, 40)
    with torch.inference_mode():
        ours = [seconds(searched(length, True)) for length in lengths]
        few = seconds(searched(lengths[-1], True, clips[0]))
        naive = seconds(searched(lengths[-1], False))
    ratio(name, naive / ours[-1], f"without the cache over with it, {lengths[-1]} tokens")
    print(f"{name}, tokens {growth(lengths, ours)}")
    print(f"{name}, clips {growth(clips, (few, ours[-1]))}", flush=True)


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

    a, b = drawn_pairs()
    pairs = (250, 500, 1000)
    ours = [seconds(lambda n=n: [c.score() for c in count_bleu(a[:n], b[:n])]) for n in pairs]
    peer = seconds(lambda: BLEU().corpus_score(a, [b], n_bootstrap=1000))
    said = "sacreBLEU's bootstrap, over BLEU-1…4 with theirs"
    ratio("BLEU with its interval", peer / ours[-1], said)
    print(f"BLEU with its interval, pairs {growth(pairs, ours)}")
    ours = [seconds(lambda n=n: [c.score() for c in count_chrf(a[:n], b[:n])]) for n in pairs]
    peer = seconds(lambda: CHRF().corpus_score(a, [b]))
    said = "sacreBLEU's chrF2 without one, over ours with it"
    ratio("chrF with its interval", peer / ours[-1], said)
    print(f"chrF with its interval, pairs {growth(pairs, ours)}", flush=True)


def drawn_pairs() -> tuple[list[str], list[str]]:
    """A thousand pairs of sentences of nine words."""
    rng = np.random.default_rng(2)
    words = ["the", "rain", "house", "mother", "was", "cold", "red", "we", "saw", "eats"]
    first, second = ([" ".join(rng.choice(words, 9)) for _ in range(1000)] for _ in range(2))
    return first, second


def word_metrics() -> None:
    """WER, ROUGE-L and CIDEr with their intervals, against the plain form of each without one."""
    import jiwer

    from signloom.metrics.cider import count_cider
    from signloom.metrics.recognition import count_recognition
    from signloom.metrics.rouge import count_rouge

    a, b = drawn_pairs()
    pairs = (250, 500, 1000)
    plain: dict[str, tuple[Callable[[list[str], list[str]], Any], Run, str]] = {
        "WER with its interval": (
            lambda a, b: [counts.score() for counts in count_recognition(a, b)],
            lambda: jiwer.process_words(b, a).wer,
            "jiwer without one, over ours with it",
        ),
        "ROUGE-L with its interval": (
            lambda a, b: count_rouge(a, b).score(),
            lambda: [common_by_table(x.split(), y.split()) for x, y in zip(a, b, strict=True)],
            "the textbook's table, over ours with it",
        ),
        "CIDEr with its interval": (
            lambda a, b: count_cider(a, b, "space").score(),
            lambda: cider_by_vectors([x.split() for x in a], [y.split() for y in b]),
            "vectors over all n-grams, over ours with it",
        ),
    }
    for name, (ours, naive, said) in plain.items():
        took = [seconds(lambda n=n, ours=ours: ours(a[:n], b[:n])) for n in pairs]
        ratio(name, seconds(naive) / took[-1], said)
        print(f"{name}, pairs {growth(pairs, took)}", flush=True)


def common_by_table(first: list[str], second: list[str]) -> int:
    """The longest common subsequence, by a table of all prefixes."""
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            both = table[i][j] + 1
            table[i + 1][j + 1] = both if one == other else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def cider_by_vectors(hypotheses: list[list[str]], references: list[list[str]]) -> float:
    """CIDEr-D with a vector over all n-grams for each sentence."""
    likeness = np.zeros(len(references))
    for n in range(1, 5):
        grams = [
            [[tuple(words[i : i + n]) for i in range(len(words) - n + 1)] for words in side]
            for side in (hypotheses, references)
        ]
        column = {g: i for i, g in enumerate(dict.fromkeys(g for s in grams for c in s for g in c))}
        got, wanted = (np.zeros((len(side), len(column)), np.float32) for side in grams)
        for counts, side in ((got, grams[0]), (wanted, grams[1])):
            for row, sentence in zip(counts, side, strict=True):
                for gram in sentence:
                    row[column[gram]] += 1
        rarity = np.log(len(references)) - np.log(np.maximum((wanted > 0).sum(0), 1))
        got, wanted = got * rarity, wanted * rarity
        lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(wanted, axis=1)
        likeness += (np.minimum(got, wanted) * wanted).sum(1) / np.maximum(lengths, 1e-9)
    apart = np.array([len(h) - len(r) for h, r in zip(hypotheses, references, strict=True)])
    return float((10 * np.exp(-(apart**2) / 72) * likeness / 4).mean())


def alignment_metrics() -> None:
    """The scores of episodes of a quarter to a whole hour, against their definitions in loops."""
    from signloom.data.cue import Cue
    from signloom.data.timing import Span
    from signloom.metrics.alignment import AlignedEpisode, score_alignment
    from tests.metrics.test_alignment import literal

    def episode(minutes: int) -> AlignedEpisode:
        starts = np.arange(0, 60 * minutes, 4.0)
        truth = tuple(Cue(Span(s, s + 3), "a", str(i)) for i, s in enumerate(starts))
        moved = np.random.default_rng(0).normal(0, 0.5, len(starts)) + starts + 1
        found = tuple(Cue(Span(s, s + 3), "a", str(i)) for i, s in enumerate(moved))
        return AlignedEpisode("a", found, truth, None)

    lengths = (15, 30, 60)
    ours = [seconds(lambda e=episode(minutes): score_alignment([e])) for minutes in lengths]
    quarter = episode(lengths[0])
    naive = seconds(lambda: literal([quarter], "later", 25.0, "bull"))
    ratio("scores of an alignment", naive / ours[0], "the definitions in loops, over ours")
    print(f"scores of an alignment, minutes of episode {growth(lengths, ours)}", flush=True)


PARTS = (
    pose_backbone, agcn, conformer, recurrent, bert, compression, lips, auto_avsr, motion_codes,
    dense_features, store_read, decoder, t5_decoder, mbart_decoder, gpt2_decoder, llama_decoder,
    ctc_decoder, metrics, word_metrics, alignment_metrics,
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
