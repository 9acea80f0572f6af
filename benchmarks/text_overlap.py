"""How near the sentences to stitch are to those of the test: python -m benchmarks.text_overlap.

The two kinds of text of claim C1.4 at scale tiny: the simulator's own training sentences
("free text") and template sentences of like lengths. Printed: how many of the lexicon's
words each uses, and the share of the n-grams of 1,000 test references that it has, both
from 4,000 sentences, evenly spaced.
"""

from __future__ import annotations

from collections.abc import Sequence

from signloom.simulator.corpora import SimulatedSentences
from signloom.simulator.lexicon import vocabulary
from signloom.text.clean import words_of
from signloom.text.forms import match
from signloom.text.grammar import GeneratedSentences
from signloom.text.sentences import covered
from signloom.text.stream import LengthMatched, lengths_of

LOOKED_AT = 4_000


def grams(texts: Sequence[str], order: int) -> list[tuple[str, ...]]:
    """Every n-gram of words, in order, repeats included."""
    split = [words_of(text) for text in texts]
    return [tuple(w[i : i + order]) for w in split for i in range(len(w) - order + 1)]


def main() -> None:
    lexicon = set(vocabulary("small").lemmas)
    training = SimulatedSentences("small", "train").texts()
    references = SimulatedSentences("small", "test").texts()
    templates = GeneratedSentences(sorted(lexicon), 20_000, 1)
    kinds: dict[str, Sequence[str]] = {
        "free text": list(covered(training, lexicon, 0.8)),
        "template": LengthMatched(templates, lengths_of(training)),
    }
    for name, source in kinds.items():
        step = len(source) // LOOKED_AT
        texts = [source[i * step] for i in range(LOOKED_AT)]
        used = {m.entry for t in texts for m in match(words_of(t), lexicon) if m.entry}
        shares = []
        for order in (1, 2, 3, 4):
            have, wanted = set(grams(texts, order)), grams(references, order)
            shares.append(f"{sum(gram in have for gram in wanted) / len(wanted):.0%}")
        print(
            f"{name:<10} uses {len(used)} of {len(lexicon)} words; has "
            f"{', '.join(shares)} of the references' 1-, 2-, 3-, 4-grams"
        )


if __name__ == "__main__":
    main()
