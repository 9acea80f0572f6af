"""How near each order of stitching comes to the fluent order of signs: python -m benchmarks.sign_order.

Kendall's rank correlation between the signs as an order rule puts them and as the
fluent sentence has them, over every pair of signs that both have, 1,000 test sentences of
sim-sentences-v1 small. 1 = the same order, 0 = no relation, -1 = turned round. It says
what "sentence order" is worth in a language whose grammar is not English.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from signloom.simulator.corpora import SimulatedSentences
from signloom.simulator.lexicon import gloss_of, vocabulary
from signloom.text.clean import words_of
from signloom.text.forms import match
from signloom.text.order import PRESETS, RULES, order_named, tagger, tokens_of

COUNT = 1_000


def agreement(name: str) -> tuple[float, int]:
    """(Kendall's correlation in the mean over pairs, how many pairs) of an order."""
    order, corpus = order_named(name), SimulatedSentences("small", "test")
    lexicon = set(vocabulary("small").lemmas)
    rng = np.random.default_rng(0)
    agreeing = pairs = 0
    for index in range(COUNT):
        said = corpus.sentence(index)
        places: dict[str, int] = {}
        for place, token in enumerate(said.tokens):
            places.setdefault(token.gloss, place)
        stitched = order(tokens_of(match(words_of(said.text), lexicon), tagger()))
        glosses = [gloss_of(token.entry) for token in stitched if token.entry]
        if order.shuffle:
            glosses = [glosses[i] for i in rng.permutation(len(glosses))]
        both = [gloss for gloss in dict.fromkeys(glosses) if gloss in places]
        for first, second in combinations(both, 2):
            agreeing += 1 if places[first] < places[second] else -1
            pairs += 1
    return agreeing / pairs, pairs


def main() -> None:
    for name in (*PRESETS, *RULES):
        found, pairs = agreement(name)
        print(f"{name:<22} tau {found:+.2f}  ({pairs:,} pairs, {COUNT:,} sentences)")


if __name__ == "__main__":
    main()
