"""The order of signs: small rules on the words of a sentence, and presets made of them.

A rule takes the tokens of a sentence and gives them back in another order, or fewer of them.
Rules look at words and their classes only, no parser: where a sentence is not of the kind
they know they leave it alone. What they imitate is what grammars of sign languages describe:
time first, topic before comment, wh-words last (Neidle et al. 2000 and Sandler and
Lillo-Martin 2006 for ASL; Zeshan 2003 for Indo-Pakistani Sign Language), adjectives after
their noun, no copula and no articles.

"swo" (the sentence's word order) has no rule; "rwo" shuffles, as in POSESTITCH-SLT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from signloom.errors import UsageError, nearest
from signloom.text.classes import Tagger
from signloom.text.forms import Match


@dataclass(frozen=True)
class Token:
    """Some words of a sentence, the lexicon's entry for them (None where there is none), their classes."""

    words: tuple[str, ...]
    entry: str | None = None
    classes: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def is_a(self, *classes: str) -> bool:
        """Whether one of the classes is among the token's."""
        return not self.classes.isdisjoint(classes)


Tokens = tuple[Token, ...]
Rule = Callable[[Tokens], Tokens]

DAYS = frozenset("monday tuesday wednesday thursday friday saturday sunday".split())
SPANS = frozenset(
    "day week month year night morning evening afternoon weekend summer winter spring autumn fall "
    "century hour minute second".split()
)
TIMES = frozenset(
    "yesterday today tomorrow tonight now recently currently soon later earlier someday nowadays".split()
)
_POINTING = frozenset("last next this every all".split())
_AUXILIARY = frozenset(
    "do does did is are was were am can could will would should must may might has have had shall".split()
)
_ASKING = frozenset("who whom what where when why how which whose".split())
_WITH_HOW = frozenset("many much long old far often big tall".split())
_CLAUSE = frozenset("and but because if when while that than or so".split())
_PERSONS = frozenset("i you he she it we they me him her us them".split())


def tokens_of(matches: Sequence[Match], tagger: Tagger) -> Tokens:
    """The tokens of a sentence that was matched with a vocabulary (``text.forms.match``)."""
    return tuple(Token(m.words, m.entry, _classes(m, tagger)) for m in matches)


def _classes(found: Match, tagger: Tagger) -> frozenset[str]:
    known = tagger(" ".join(found.words))
    return known or (tagger(found.entry) if found.entry else known)


def time_first(tokens: Tokens) -> Tokens:
    """Expressions of time go to the front, in their order: "I saw him last week" → last week I saw him.

    Words such as yesterday, days with or without "on", "last week", "in the morning".
    """
    spans = _time_spans(tokens)
    inside = {i for first, last in spans for i in range(first, last)}
    front = [t for first, last in spans for t in tokens[first:last]]
    return (*front, *(t for i, t in enumerate(tokens) if i not in inside))


def _time_spans(tokens: Tokens) -> list[tuple[int, int]]:
    found = []
    at = 0
    while at < len(tokens):
        end = _time_ends(tokens, at)
        if end:
            found.append((at, end))
        at = end or at + 1
    return found


def _time_ends(tokens: Tokens, at: int) -> int:
    """Where an expression of time that begins at ``at`` ends; 0 where none begins."""

    def text(i: int) -> str:
        return tokens[i].text if i < len(tokens) else ""

    def bare(i: int) -> str:
        return text(i).removesuffix("s")

    here = text(at)
    if here in TIMES or here in DAYS or bare(at) in DAYS:
        return at + 1
    if here == "on" and (text(at + 1) in DAYS or bare(at + 1) in DAYS):
        return at + 2
    if here in _POINTING and (text(at + 1) in SPANS or text(at + 1) in DAYS):
        return at + 2
    if here in ("in", "at", "during"):
        after = at + 1 + (text(at + 1) in ("the", "a"))
        if text(after) in SPANS:
            return after + 1
    if tokens[at].is_a("number") and bare(at + 1) in SPANS and text(at + 2) == "ago":
        return at + 3
    head, _, tail = here.rpartition(" ")  # an entry of several words, such as "last week"
    if head in _POINTING and tail in SPANS:
        return at + 1
    return 0


def wh_final(tokens: Tokens) -> Tokens:
    """The wh-word of a question goes last: "what do you want" → do you want what.

    It stands first (after an expression of time, or "and", or a preposition that goes with it), and
    an auxiliary follows, or with who, what, which and whose a verb or a noun; "when it rains …" asks
    nothing. "how many" and the like go together.
    """
    first = 0
    while (end := _time_ends(tokens, first) if first < len(tokens) else 0) or (
        first < len(tokens) and tokens[first].text in ("and", "but", "so")
    ):
        first = end or first + 1
    start = first
    if first + 1 < len(tokens) and tokens[first].is_a("preposition"):
        if tokens[first + 1].text in _ASKING:
            first += 1
    if first >= len(tokens) or tokens[first].text not in _ASKING:
        return tokens
    end = first + 1
    if tokens[first].text == "how" and end < len(tokens) and tokens[end].text in _WITH_HOW:
        end += 1
    if end >= len(tokens) or not _asks(tokens, first, end):
        return tokens
    return (*tokens[:start], *tokens[end:], *tokens[start:end])


def _asks(tokens: Tokens, first: int, end: int) -> bool:
    follows = tokens[end]
    if follows.text in _PERSONS:
        return False
    if follows.text in _AUXILIARY or end > first + 1:
        return True
    who = tokens[first].text in ("who", "what", "which", "whose")
    return who and follows.is_a("verb", "noun", "number", "adjective")


def adjective_after_noun(tokens: Tokens) -> Tokens:
    """Adjectives before a noun go behind it, in their order: "a big red car" → a car big red."""
    found: list[Token] = []
    waiting: list[Token] = []
    for at, token in enumerate(tokens):
        noun = token.is_a("noun")
        follows = at + 1 < len(tokens) and tokens[at + 1].is_a("noun", "adjective")
        if (
            token.is_a("adjective")
            and follows
            and not (noun and not waiting and _heads(tokens, at))
        ):
            waiting.append(token)
            continue
        found.append(token)
        if not (noun and follows and tokens[at + 1].is_a("noun")):
            found += waiting
            waiting = []
    return (*found, *waiting)


def _heads(tokens: Tokens, at: int) -> bool:
    """Whether a word that may be noun or adjective is rather the noun: an adjective is before it."""
    return at > 0 and tokens[at - 1].is_a("adjective")


def topic_comment(tokens: Tokens) -> Tokens:
    """The object goes to the front as the topic: "I like the red car" → the red car I like.

    In a sentence of one clause, subject–verb–object: one verb, before it a noun or pronoun, behind it
    one noun with what belongs to it. Questions, and sentences with a link (and, because, that, …),
    no object or two, stay as they are.
    """
    times = {i for first, last in _time_spans(tokens) for i in range(first, last)}
    places = [i for i in range(len(tokens)) if i not in times]
    if any(tokens[i].text in _CLAUSE or tokens[i].text in _ASKING for i in places):
        return tokens
    if places and tokens[places[0]].text in _AUXILIARY:
        return tokens
    verb = next((n for n, i in enumerate(places) if n and _is_verb(tokens, i)), None)
    if verb is None or any(_is_verb(tokens, i) for i in places[verb + 1 :]):
        return tokens
    before = places[:verb]
    if not any(tokens[i].is_a("noun", "pronoun", "name") or not tokens[i].classes for i in before):
        return tokens
    object_: list[int] = []
    for i in places[verb + 1 :]:
        token = tokens[i]
        if object_ and not tokens[object_[-1]].is_a("noun"):
            open_ = True  # an article or adjective waits for its noun
        else:
            open_ = not object_ or token.is_a("noun")
        belongs = token.is_a("article", "possessive", "adjective", "number", "quantifier", "noun")
        if not (open_ and (belongs or token.text in ("this", "these", "those"))):
            break
        object_.append(i)
    if not object_ or not tokens[object_[-1]].is_a("noun"):
        return tokens
    rest = [i for i in places if i > object_[-1]]
    if rest and tokens[rest[0]].is_a("article", "possessive", "noun", "pronoun"):
        return tokens  # a second object: who is given what is not told by words alone
    moved = set(object_)
    first = places[0]
    return (
        *tokens[:first],
        *(tokens[i] for i in object_),
        *(t for i, t in enumerate(tokens) if i >= first and i not in moved),
    )


def _is_verb(tokens: Tokens, at: int) -> bool:
    """Whether a token is the verb: the class says so, and no article or adjective makes a noun of it."""
    token = tokens[at]
    if not token.is_a("verb"):
        return False
    if not token.is_a("noun", "adjective"):
        return True
    return not (at and tokens[at - 1].is_a("article", "possessive", "adjective", "number"))


def drop_articles(tokens: Tokens) -> Tokens:
    """Without a, an and the."""
    return tuple(t for t in tokens if t.text not in ("a", "an", "the"))


def drop_copula(tokens: Tokens) -> Tokens:
    """Without am, is, are, was, were, be, been and being."""
    copula = ("am", "is", "are", "was", "were", "be", "been", "being")
    return tuple(t for t in tokens if t.text not in copula)


RULES: dict[str, Rule] = {
    "time-first": time_first,
    "topic-comment": topic_comment,
    "wh-final": wh_final,
    "adjective-after-noun": adjective_after_noun,
    "drop-copula": drop_copula,
    "drop-articles": drop_articles,
}
SHUFFLE = "rwo"
PRESETS: dict[str, tuple[str, ...]] = {
    "swo": (),
    SHUFFLE: (SHUFFLE,),
    "signed": (
        "drop-articles", "drop-copula", "topic-comment", "adjective-after-noun", "wh-final",
        "time-first",
    ),
}  # fmt: skip
"""signed: every rule, in an order in which none undoes another."""


@dataclass(frozen=True)
class Order:
    """Rules to apply one after another, and whether the signs are shuffled at the end.

    names: as in ``RULES``; shuffle: RWO.
    """

    names: tuple[str, ...] = ()
    shuffle: bool = False

    @property
    def name(self) -> str:
        """The names, as ``order_named`` reads them."""
        return ",".join([*self.names, *[SHUFFLE] * self.shuffle]) or "swo"

    def __call__(self, tokens: Tokens) -> Tokens:
        """The tokens after all rules (the shuffle is the stitcher's, on what is signed)."""
        for name in self.names:
            tokens = RULES[name](tokens)
        return tokens


@cache
def order_named(name: str) -> Order:
    """The order of that name: a preset, or names of rules and presets with commas between.

    Raises UsageError for an unknown name, with the nearest.
    """
    names: list[str] = []
    for part in (p.strip().lower() for p in name.split(",")):
        if part in PRESETS:
            names += PRESETS[part]
        elif part in RULES:
            names.append(part)
        else:
            known = [*PRESETS, *RULES]
            raise UsageError(
                f"there is no order rule '{part}'{nearest(part, known)}; the presets are "
                f"{', '.join(PRESETS)}, the rules {', '.join(RULES)}, with commas between"
            )
    return Order(tuple(n for n in names if n != SHUFFLE), SHUFFLE in names)


@cache
def tagger() -> Tagger:
    """The tagger of the list that is shipped, made once."""
    return Tagger()


def ordered(words: Sequence[str], order: str | Order) -> list[str]:
    """The words of a sentence under an order's rules, no lexicon needed: to try a rule.

    >>> ordered(["what", "is", "your", "name"], "wh-final,drop-copula")
    ['your', 'name', 'what']
    """
    chosen = order_named(order) if isinstance(order, str) else order
    tokens = tokens_of([Match((word,), None) for word in words], tagger())
    return [token.text for token in chosen(tokens)]
