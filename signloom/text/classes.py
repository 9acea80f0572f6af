"""Word classes of English: what the order rules and the sentence generator know about words.

A table is a list of lines ``word<TAB>class``; a word may have several:

    noun.KIND           a thing that is counted: noun.person, noun.food, noun.place, …
    mass.KIND           one that is not: no plural, no "a"
    verb.KIND>KINDS     who does it, to what: verb.person>food,drink; nothing after > is intransitive
    state.KIND>KINDS    the same for a verb without a progressive: know, need
    goal.KIND           goes to a place; give.KIND>KINDS gives it to a person
    think.KIND          that something is so; want.KIND to do something
    adjective.KIND      of a kind of noun; absolute.KIND without degrees (dead, wooden)
    name.m, name.f      first names
    and, each without a kind: adverb, frequency, number, quantifier, past, present, future,
    here (adverbs of place), modal, wh, pronoun, possessive, preposition, article, copula, link;
    and item and act: nouns and verbs of which no sentence is made, for the order rules alone

The list shipped is ours (v1).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from signloom.errors import MediaError, UsageError, nearest
from signloom.text.forms import bases

SIMPLE = (
    "adverb frequency number quantifier past present future here modal wh pronoun possessive "
    "preposition article copula link item act"
).split()
KINDED = "noun mass verb state goal give think want adjective absolute name".split()

_NOUNS = {
    "person": "man woman child boy girl baby friend neighbor student teacher mother father brother "
    "sister son daughter uncle aunt grandmother grandfather cousin husband wife parent nephew niece "
    "doctor nurse farmer driver cook worker waiter baker butcher painter singer dancer actor writer "
    "lawyer engineer dentist pilot sailor gardener mechanic electrician secretary manager scientist "
    "librarian photographer musician guard detective interpreter principal professor president "
    "judge king queen prince princess soldier policeman firefighter senator minister priest visitor "
    "stranger customer tourist player hero beginner patient partner witness volunteer adult "
    "teenager guest boss leader member person roommate girlfriend boyfriend player accountant "
    "surgeon physician psychologist robber thief clown twin owner expert coach tutor host director "
    "assistant kid lady nun preacher magician poet mayor journalist officer",
    "animal": "dog cat horse bird cow pig sheep goat duck rabbit mouse bear wolf fox lion tiger "
    "elephant monkey snake frog bee spider butterfly owl deer turtle giraffe squirrel whale gorilla "
    "kangaroo raccoon skunk rooster alligator dolphin eagle moose rat turkey worm mosquito camel "
    "dragon donkey hen zebra swan dinosaur octopus pet insect chicken",
    "food": "apple egg potato tomato orange onion carrot cake banana pear lemon peach cherry melon "
    "cucumber mushroom nut sandwich pizza sausage cookie pie cabbage pumpkin salad strawberry "
    "watermelon hamburger pickle snack vegetable fruit meal pancake bean plum grape",
    "thing": "bag key phone ball lamp clock picture umbrella box camera watch ring candle mirror "
    "pillow blanket basket wallet toy doll balloon kite bottle brush rope battery coin stamp ticket "
    "flag gift pencil pen envelope necklace knife spoon fork pot hammer saw needle drill shovel "
    "ladder bucket cup bowl glass plate chair table bed sofa desk shelf curtain computer machine "
    "radio television printer robot keyboard telescope microphone telephone laptop helmet tool "
    "earring diamond towel tissue toothbrush straw wheelchair camera statue scissor bone award "
    "trophy medal badge card napkin tent parachute",
    "clothing": "coat hat shirt shoe dress sock glove scarf jacket sweater skirt belt boot tie suit "
    "cap uniform blouse sandal apron",
    "reading": "book letter newspaper magazine poem story novel map dictionary report contract article "
    "menu poster message note diary email paper text document list",
    "vehicle": "car bus train bicycle boat airplane plane ship truck taxi motorcycle helicopter "
    "ambulance subway wagon tractor van",
    "place": "house city garden park kitchen village forest bathroom bedroom factory castle museum "
    "library hospital tunnel garage zoo church tent school market station airport restaurant shop "
    "bank theater hotel stadium pharmacy office gym university farm store college dorm town beach "
    "island hill mountain street road bridge tower room hallway basement court jail prison temple "
    "apartment building bakery cinema harbor border",
    "nature": "tree flower river leaf stone star cloud rose lake mountain branch rock ocean "
    "waterfall sunset rainbow valley desert",
    "event": "party meeting lesson wedding concert game festival exam competition holiday trip match "
    "election conference test class funeral parade birthday tournament workshop lecture presentation "
    "interview appointment vacation movie play",
    "idea": "law plan problem decision idea question answer rule reason result mistake dream "
    "secret goal project program agreement opinion principle policy theory example accident crisis "
    "tax vote budget change price promise custom joke language word sentence",
}
_MASS = {
    "food": "bread soup rice meat cheese sugar salt butter honey pasta chocolate corn popcorn candy "
    "sauce jam lettuce",
    "drink": "water coffee tea milk juice wine beer soda lemonade medicine alcohol",
    "subject": "mathematics math history music science art geography biology algebra geometry physics "
    "philosophy grammar linguistics psychology technology english",
    "sport": "football tennis chess basketball hockey volleyball golf baseball soccer",
    "idea": "advice information evidence research",
    "thing": "money furniture jewelry soap",
    "weather": "weather",
}
_VERBS = """
person>food: eat cook prepare taste bake fry burn serve share chew order cut peel slice
person>drink: drink pour spill order
person>thing,clothing,food,drink,vehicle,reading: buy sell choose steal
person>reading: read write print copy translate publish study
person>clothing: wear wash iron fold sew
person>thing: lose carry hide break wrap paint collect drop throw catch hold touch lift push pull
person>person,animal: help meet hug follow call trust scare feed visit watch teach blame thank
person>thing,vehicle: repair clean fix rent borrow use
person>vehicle: drive park wash
person>subject: learn teach study
person>sport: play practice watch
person>event: enjoy celebrate organize postpone cancel attend
person>place: visit clean leave paint
person>idea: discuss explain announce describe accept support change reject solve
person>nature: draw photograph admire
animal>food: eat steal smell
animal>animal,person: chase bite follow attack
person>: sleep work run swim laugh cry dance sing wait smile jump rest cough sneeze dream shout whisper kneel climb exercise shave relax listen argue travel study pray
animal>: jump run sleep swim hide drown drink
"""
_STATES = """
person>thing,clothing,food,drink,vehicle,reading,animal: need want like love hate have
person>person,animal,thing,vehicle,nature,place: see
person>person: know love remember hate respect miss
person>idea,subject: understand know remember forget
person>place: like remember know
"""
_GOALS = {"person": "go walk travel return hurry fly run rush", "animal": "walk run return"}
_GIVES = """
person>thing,reading,clothing,food: give show send bring offer lend sell
"""
_THINKS = {"person": "think believe say know hope explain announce claim imagine"}
_WANTS = {"person": "want try like need hope plan refuse decide learn love hate promise forget"}
_ADJECTIVES = {
    "person": "happy tired old young sick hungry strong sad angry kind busy nervous proud shy polite "
    "brave lazy clever famous lonely thirsty calm honest friendly rich poor jealous curious rude "
    "patient quiet tall funny serious smart stupid bored excited healthy weak beautiful careful "
    "selfish stubborn grateful jealous popular innocent guilty sleepy responsible",
    "animal": "hungry big small wild fast slow dangerous old young strong thirsty beautiful",
    "thing": "big new small old heavy expensive cheap beautiful long clean dirty soft hard light thin "
    "thick strange useful ugly wide narrow",
    "clothing": "new old expensive cheap beautiful clean dirty warm ugly",
    "food": "good hot cold fresh sweet bad salty sour delicious",
    "drink": "good hot cold fresh sweet bitter warm",
    "reading": "good new long boring short interesting important famous difficult easy",
    "vehicle": "big new old fast slow expensive cheap dirty",
    "place": "big quiet new old crowded famous dangerous noisy safe beautiful small dark",
    "nature": "big beautiful old small tall",
    "event": "long boring short beautiful important successful interesting strange",
    "idea": "important new difficult secret serious good bad simple interesting dangerous easy",
    "subject": "difficult easy interesting boring important",
    "sport": "difficult easy dangerous popular",
    "weather": "cold warm hot wet terrible beautiful",
}
_ABSOLUTE = {
    "person": "deaf blind married pregnant",
    "thing": "red blue green white black yellow brown pink purple square empty full broken wooden",
    "clothing": "red blue green white black yellow brown pink purple",
    "vehicle": "red blue green white black yellow",
}
_SIMPLE = {
    "adverb": "quickly slowly carefully quietly loudly happily secretly suddenly together alone again",
    "frequency": "always often sometimes usually rarely never seldom",
    "number": "two three four five six seven eight nine ten eleven twelve twenty hundred thousand one",
    "quantifier": "many some all few several most every each no any both another",
    "past": "yesterday recently ago earlier last",
    "present": "today now currently tonight",
    "future": "tomorrow soon later next",
    "here": "here there outside inside upstairs downstairs",
    "modal": "can must should will may might could would cannot",
    "wh": "who what where when why how which whose",
    "pronoun": "i you he she it we they me him her us them someone everyone",
    "possessive": "my your his her our their its",
    "preposition": "in on at to from with without near behind under for by of about after before "
    "through over into",
    "article": "a an the",
    "copula": "am is are was were be been being 's 're 'm",
    "link": "and or but because if when while that than",
    "item": "thing way time day week month year hour minute morning evening afternoon night hand head "
    "eye ear face foot arm leg heart body mouth nose finger people family group team country world "
    "state government company job work school home place name number part side point end food "
    "breakfast lunch dinner weather rain snow wind sun storm fire air color price money reason idea "
    "story news sign word language voice life death health pain war peace love help question "
    "science ice cream kind piece line pair middle north south east west",
    "act": "make get take find tell ask put keep let speak talk feel become begin start stop look turn "
    "move live happen pay hear stand sit lie meet fall grow win spend check mix add remove open "
    "close finish continue allow agree care marry die rain snow melt measure pick choose place set "
    "join follow press hit kick bend stretch breathe count compare connect create destroy develop "
    "do enter escape exist fight fill fit gather guess hang happen improve include invite kill kiss "
    "lead mean mention notice offer order own pass point prevent protect receive recognize relate "
    "replace reply request rescue rest save seem appear share shoot spell stay suggest support "
    "surprise thank tie train treat vote wonder worry explain express feel become",
}
_NAMES = {
    "m": "Adam Ben David Eric Frank George Henry Jack Kevin Leo Mark Nick Oscar Paul Robert Sam Tom",
    "f": "Alice Anna Carla Diana Emma Helen Irene Julia Karen Laura Maria Nina Olivia Rachel Sara Tina",
}


_TAGS = {
    "mass": "noun", "item": "noun", "absolute": "adjective",
    **dict.fromkeys(("state", "goal", "give", "think", "want", "act"), "verb"),
}  # fmt: skip


@dataclass(frozen=True)
class Verb:
    """A verb as it is used: by whom, on what (no kind: intransitive)."""

    lemma: str
    subject: str
    objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Classes:
    """A table of word classes.

    nouns, mass, adjectives, absolute, goals, thinks, wants: kind → words.
    verbs, states, gives: what is done by whom to what. simple: class → words. names: m, f → names.
    """

    name: str
    nouns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mass: dict[str, tuple[str, ...]] = field(default_factory=dict)
    verbs: tuple[Verb, ...] = ()
    states: tuple[Verb, ...] = ()
    gives: tuple[Verb, ...] = ()
    goals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    thinks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    wants: dict[str, tuple[str, ...]] = field(default_factory=dict)
    adjectives: dict[str, tuple[str, ...]] = field(default_factory=dict)
    absolute: dict[str, tuple[str, ...]] = field(default_factory=dict)
    simple: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def words(self) -> Iterator[tuple[str, str]]:
        """(word, class) of everything in the table, in the notation of its lines."""
        for name, of in (
            ("noun", self.nouns), ("mass", self.mass), ("goal", self.goals), ("think", self.thinks),
            ("want", self.wants), ("adjective", self.adjectives), ("absolute", self.absolute),
            ("name", self.names),
        ):  # fmt: skip
            for kind, words in of.items():
                yield from ((word, f"{name}.{kind}") for word in words)
        for name, verbs in (("verb", self.verbs), ("state", self.states), ("give", self.gives)):
            for verb in verbs:
                yield verb.lemma, f"{name}.{verb.subject}>{','.join(verb.objects)}"
        for kind, words in self.simple.items():
            yield from ((word, kind) for word in words)

    def tags(self) -> dict[str, frozenset[str]]:
        """word (lower case) → its classes, without kinds; every kind of verb is 'verb'."""
        found: dict[str, set[str]] = {}
        for word, label in self.words():
            name = label.partition(".")[0]
            name = _TAGS.get(name, name)
            found.setdefault(word.lower(), set()).add(name)
        return {word: frozenset(names) for word, names in found.items()}


def classes_of(lines: Iterable[tuple[str, str]], name: str) -> Classes:
    """The table of (word, class) pairs. Raises UsageError for an unknown class or a verb without '>'."""
    kinded: dict[str, dict[str, dict[str, None]]] = {}
    simple: dict[str, dict[str, None]] = {}
    verbs: dict[str, dict[Verb, None]] = {"verb": {}, "state": {}, "give": {}}
    for word, label in lines:
        kind, dot, rest = label.partition(".")
        if kind in verbs and dot:
            subject, arrow, objects = rest.partition(">")
            if not arrow or not subject:
                raise UsageError(
                    f"{name}: '{word}' has the class '{label}', expected who does it and to what, "
                    "such as verb.person>food, or verb.person> where there is no object"
                )
            verbs[kind][Verb(word, subject, tuple(filter(None, objects.split(","))))] = None
        elif kind in KINDED and dot and rest:
            kinded.setdefault(kind, {}).setdefault(rest, {})[word] = None
        elif label in SIMPLE:
            simple.setdefault(label, {})[word] = None
        else:
            raise UsageError(
                f"{name}: '{word}' has the unknown class '{label}'{nearest(kind, [*KINDED, *SIMPLE])}; "
                f"the classes are {', '.join(f'{k}.KIND' for k in KINDED)}, {', '.join(SIMPLE)}"
            )

    def of(kind: str) -> dict[str, tuple[str, ...]]:
        return {rest: tuple(words) for rest, words in kinded.get(kind, {}).items()}

    return Classes(
        name, of("noun"), of("mass"), tuple(verbs["verb"]), tuple(verbs["state"]),
        tuple(verbs["give"]), of("goal"), of("think"), of("want"), of("adjective"), of("absolute"),
        {kind: tuple(words) for kind, words in simple.items()}, of("name"),
    )  # fmt: skip


def read_classes(path: str | os.PathLike[str]) -> Classes:
    """A table from a file, UTF-8, one ``word<TAB>class`` a line; # begins a comment line.

    Raises MediaError where it cannot be read, UsageError for a line that is none of the table's.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MediaError(
            f"the word classes in {file} cannot be read: {error}; expected UTF-8 text with "
            "word<TAB>class a line"
        ) from None
    pairs = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        word, tab, label = line.rstrip("\r").partition("\t")
        if not tab or not word.strip() or not label.strip():
            raise UsageError(
                f"{file}, line {number}: '{line[:60]}' is no word and class; expected "
                "word<TAB>class, such as bread<TAB>mass.food"
            )
        pairs.append((word.strip(), label.strip()))
    if not pairs:
        raise UsageError(f"{file} lists no word; expected word<TAB>class a line")
    return classes_of(pairs, file.name)


@cache
def english() -> Classes:
    """The list that is shipped: some 1,200 English words."""
    return classes_of(_shipped(), "english-v1")


def _shipped() -> Iterator[tuple[str, str]]:
    for name, of in (
        ("noun", _NOUNS), ("mass", _MASS), ("goal", _GOALS), ("think", _THINKS), ("want", _WANTS),
        ("adjective", _ADJECTIVES), ("absolute", _ABSOLUTE), ("name", _NAMES),
    ):  # fmt: skip
        for kind, words in of.items():
            yield from ((word, f"{name}.{kind}") for word in words.split())
    for name, text in (("verb", _VERBS), ("state", _STATES), ("give", _GIVES)):
        for line in text.strip().split("\n"):
            frame, _, words = line.partition(":")
            yield from ((word, f"{name}.{frame}") for word in words.split())
    for kind, words in _SIMPLE.items():
        yield from ((word, kind) for word in words.split())


class Tagger:
    """Says what class a word is of, through its base forms; '' where the table lacks it."""

    def __init__(self, classes: Classes | None = None) -> None:
        self._tags = (classes or english()).tags()

    def __call__(self, word: str) -> frozenset[str]:
        """The classes of a word (lower case) and of its bases: "saw" is a noun and a verb.

        An entry of several words that the table lacks has the classes of its last one.
        """
        found = frozenset[str]().union(*(self._tags.get(base, ()) for base in bases(word)))
        return self(word.rpartition(" ")[2]) if not found and " " in word else found
