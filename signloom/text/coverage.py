"""Which words of a corpus a lexicon covers: types, tokens, sentences, and what is missing most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from signloom.errors import UsageError
from signloom.text.clean import words_of
from signloom.text.forms import UNSIGNED, match


@dataclass(frozen=True)
class CoverageReport:
    """What a vocabulary covers of a corpus.

    Words without a sign of their own (``forms.UNSIGNED``) count neither as covered nor as
    missed, unless the vocabulary has them: ``unsigned`` of the ``words`` read. The others are
    tokens, or types where each counts once. A sentence is fully covered when it has a covered
    word and no missed one; ``reaching`` of them reach the threshold.
    inflected: of the covered tokens, those an entry stands for as their base form ("walked" →
    "walk"), with the most frequent of them. spellable: of the missed tokens, those that letters
    could spell. unused: entries that no word of the corpus calls for.
    """

    sentences: int
    fully: int
    reaching: int
    threshold: float
    nothing: int
    words: int
    unsigned: int
    tokens: int
    tokens_covered: int
    types: int
    types_covered: int
    inflected: int
    inflections: tuple[tuple[str, str, int], ...]
    spellable: int
    missed: tuple[tuple[str, int], ...]
    entries: int
    entries_used: int

    def to_json(self) -> dict[str, Any]:
        """Plain values, shares beside their counts."""

        def share(part: int, whole: int) -> float:
            return round(part / whole, 6) if whole else 0.0

        return {
            "sentences": {
                "count": self.sentences,
                "fully_covered": self.fully,
                "fully_covered_share": share(self.fully, self.sentences),
                "threshold": self.threshold,
                "reaching_threshold": self.reaching,
                "nothing_covered": self.nothing,
            },
            "words": self.words,
            "unsigned": self.unsigned,
            "tokens": {
                "count": self.tokens,
                "covered": self.tokens_covered,
                "share": share(self.tokens_covered, self.tokens),
                "by_inflection": self.inflected,
                "spellable": self.spellable,
            },
            "types": {
                "count": self.types,
                "covered": self.types_covered,
                "share": share(self.types_covered, self.types),
            },
            "lexicon": {"entries": self.entries, "used": self.entries_used},
            "inflections": [
                {"word": word, "entry": entry, "count": count}
                for word, entry, count in self.inflections
            ],
            "missed": [{"word": word, "count": count} for word, count in self.missed],
        }


def coverage_report(
    sentences: Iterable[str],
    vocabulary: Collection[str],
    forms: bool = True,
    letters: Collection[str] = (),
    threshold: float = 0.9,
    most: int = 20,
) -> CoverageReport:
    """What ``vocabulary`` covers of the sentences, which are read once and not kept.

    forms: whether an entry stands for its inflections, as in ``stitch``.
    letters: what can be spelled with. most: how many missed words and inflections are named.

    Raises UsageError where the vocabulary is empty or there is no sentence with a word.
    """
    if not vocabulary:
        raise UsageError("the vocabulary is empty: no word of a corpus can be covered")
    known = vocabulary if isinstance(vocabulary, set | frozenset | dict) else frozenset(vocabulary)
    covered: Counter[tuple[tuple[str, ...], str]] = Counter()
    missed: Counter[str] = Counter()
    total = fully = reaching = nothing = unsigned = 0
    for sentence in sentences:
        words = words_of(sentence)
        if not words:
            continue
        total += 1
        hit = miss = 0
        for found in match(words, known, forms):
            if found.entry is not None:
                covered[found.words, found.entry] += 1
                hit += len(found.words)
            elif found.words[0] in UNSIGNED:
                unsigned += 1
            else:
                missed[found.words[0]] += 1
                miss += 1
        fully += bool(hit) and not miss
        nothing += not hit
        reaching += bool(hit) and hit / (hit + miss) >= threshold
    if not total:
        raise UsageError("the corpus has no sentence with a word in it; check the file and column")
    tokens_covered = sum(len(words) * n for (words, _), n in covered.items())
    changed = Counter(
        {
            (" ".join(words), entry): n
            for (words, entry), n in covered.items()
            if " ".join(words) != entry
        }
    )
    spelling = frozenset(letters)
    spelled = sum(n for w, n in missed.items() if all(c in spelling for c in w if c.isalnum()))
    types = {word for words, _ in covered for word in words}
    tokens = tokens_covered + sum(missed.values())
    return CoverageReport(
        sentences=total,
        fully=fully,
        reaching=reaching,
        threshold=threshold,
        nothing=nothing,
        words=tokens + unsigned,
        unsigned=unsigned,
        tokens=tokens,
        tokens_covered=tokens_covered,
        types=len(types | set(missed)),
        types_covered=len(types),
        inflected=sum(changed.values()),
        inflections=tuple((word, entry, n) for (word, entry), n in _most(changed, most)),
        spellable=spelled if spelling else 0,
        missed=tuple(_most(missed, most)),
        entries=len(known),
        entries_used=len({entry for _, entry in covered}),
    )


def _most(counted: Counter[Any], most: int) -> list[tuple[Any, int]]:
    """The most frequent, those of one frequency in alphabetical order."""
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:most]
