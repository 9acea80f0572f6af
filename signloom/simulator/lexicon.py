"""The simulated lexicon: which words there are at each size, and the sign of each.

The master list puts the words of ``tiny`` first, then those that ``small`` adds, then those
of ``base``: a word keeps its place, and with it its sign, in every size. By its place alone
a word is the minimal pair of an earlier one (three in 25), or its manual homonym, told
apart by the mouthing only (one in 33).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from signloom.errors import UsageError, nearest
from signloom.simulator import words
from signloom.simulator.phonology import Sign, homonym, minimal_pair, point_sign, sign_of

Size = Literal["tiny", "small", "base"]
SIZES: tuple[str, ...] = get_args(Size)

POINTS = {"i": "self", "you": "you", "he": "right", "she": "left", "we": "near", "they": "far"}
"""Pronoun → the place that is pointed at."""

Relation = Literal["plain", "pair", "homonym"]


@dataclass(frozen=True)
class Noun:
    """A noun of one class; mass nouns have no plural."""

    lemma: str
    kind: str
    mass: bool


@dataclass(frozen=True)
class Verb:
    """A verb in one frame: who does it, and to what ('' for no object, 'goal', 'to:class')."""

    lemma: str
    domain: str
    subject: str
    object: str
    stative: bool


@dataclass(frozen=True)
class Adjective:
    """An adjective as it fits one class of nouns."""

    lemma: str
    kind: str
    graded: bool


@dataclass(frozen=True)
class Vocabulary:
    """The words of one size, by class; ``lemmas`` in the order of the master list."""

    size: Size
    lemmas: tuple[str, ...]
    nouns: dict[str, tuple[Noun, ...]]
    verbs: dict[str, tuple[Verb, ...]]
    adjectives: dict[str, tuple[Adjective, ...]]
    lists: dict[str, tuple[str, ...]]
    names: tuple[str, ...]

    def __contains__(self, lemma: object) -> bool:
        return lemma in self._known

    @property
    def _known(self) -> frozenset[str]:
        return _known(self.size)

    def kinds(self, group: str) -> tuple[Noun, ...]:
        """The nouns of a group of classes, or of one class."""
        return tuple(n for kind in words.GROUPS.get(group, (group,)) for n in self.nouns[kind])


_LISTS = (
    "ADVERBS FREQUENCIES NUMBERS QUANTIFIERS MODALS CONTROLS REPORTS DAYS PERIODS PORTION CONTAIN "
    "NEAR WHS MARKERS PRONOUNS POSSESSIVES"
).split()


def _tiers(line: str) -> list[list[str]]:
    parts = [part.split() for part in line.split("|")]
    return parts + [[] for _ in range(3 - len(parts))]


def _upto(line: str, size: str) -> list[str]:
    return [word for tier in _tiers(line)[: SIZES.index(size) + 1] for word in tier]


def _lines() -> Iterator[str]:
    yield from words.NOUNS.values()
    yield from (frame[3] for frame in words.VERBS)
    yield from words.ADJECTIVES.values()
    yield from (getattr(words, name) for name in _LISTS)
    yield from words.TIMES.values()


@cache
def master_list() -> tuple[str, ...]:
    """Every lemma once, ``tiny`` first, ``base`` last."""
    found: dict[str, None] = {}
    for tier in range(3):
        for line in _lines():
            found |= dict.fromkeys(word.rstrip("~*") for word in _tiers(line)[tier])
    return tuple(found)


def size_named(name: str) -> Size:
    """The size of that name. Raises UsageError naming the nearest."""
    for size in get_args(Size):
        if size == name:
            return size
    raise UsageError(
        f"there is no size '{name}'{nearest(name, SIZES)}; the sizes are {', '.join(SIZES)}"
    )


@cache
def _known(size: str) -> frozenset[str]:
    return frozenset(word.rstrip("~*") for line in _lines() for word in _upto(line, size))


@cache
def vocabulary(size: str = "small") -> Vocabulary:
    """The words of a size. Raises UsageError for an unknown one."""
    size = size_named(size)
    nouns = {
        kind: tuple(Noun(w.rstrip("~"), kind, w.endswith("~")) for w in _upto(line, size))
        for kind, line in words.NOUNS.items()
    }
    verbs: dict[str, list[Verb]] = {}
    for domain, subject, target, line in words.VERBS:
        verbs.setdefault(domain, []).extend(
            Verb(w.rstrip("*"), domain, subject, target, w.endswith("*")) for w in _upto(line, size)
        )
    adjectives = {
        kind: tuple(Adjective(w.rstrip("*"), kind, not w.endswith("*")) for w in _upto(line, size))
        for kind, line in words.ADJECTIVES.items()
    }
    lists = {name: tuple(_upto(getattr(words, name), size)) for name in _LISTS}
    lists |= {f"TIMES.{tense}": tuple(_upto(line, size)) for tense, line in words.TIMES.items()}
    return Vocabulary(
        size=size,
        lemmas=tuple(w for w in master_list() if w in _known(size)),
        nouns=nouns,
        verbs={domain: tuple(found) for domain, found in verbs.items()},
        adjectives=adjectives,
        lists=lists,
        names=tuple(_upto(words.NAMES, size)),
    )


def gloss_of(lemma: str) -> str:
    """Upper case; pronouns are pointing: IX-right."""
    return f"IX-{POINTS[lemma]}" if lemma in POINTS else lemma.upper()


@cache
def relation(lemma: str) -> tuple[Relation, str]:
    """Whether a word's sign is its own, or made from that of another word, and of which."""
    listed = [w for w in master_list() if w not in POINTS]
    at = listed.index(lemma)
    kind = _relation_at(at)
    if kind == "plain":
        return kind, lemma
    partner = at - (5 if kind == "pair" else 20)
    while _relation_at(partner) != "plain":
        partner -= 1
    return kind, listed[partner]


def _relation_at(at: int) -> Relation:
    if at % 33 == 22:
        return "homonym"
    return "pair" if at % 25 in (8, 16, 24) else "plain"


@cache
def lemma_sign(lemma: str, language_seed: int = 1) -> Sign:
    """The sign of a word of the master list. Raises UsageError for another word."""
    if lemma in POINTS:
        return point_sign(POINTS[lemma])
    if lemma not in master_list():
        raise UsageError(
            f"the simulated lexicon ({len(master_list())} words) has no word '{lemma}'"
            + nearest(lemma, master_list())
        )
    kind, partner = relation(lemma)
    if kind == "plain":
        return sign_of(lemma, language_seed)
    original = sign_of(partner, language_seed)
    if kind == "homonym":
        return homonym(original, lemma)
    return minimal_pair(original, lemma, language_seed)
