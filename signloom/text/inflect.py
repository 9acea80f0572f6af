"""English word forms made: plurals, tenses, participles, "an". The way back is ``text.forms``."""

from __future__ import annotations

_PLURALS = dict(
    pair.split(":")
    for pair in (
        "man:men woman:women child:children foot:feet tooth:teeth mouse:mice person:people "
        "sheep:sheep fish:fish deer:deer knife:knives wife:wives life:lives leaf:leaves wolf:wolves "
        "scarf:scarves shelf:shelves thief:thieves half:halves potato:potatoes tomato:tomatoes "
        "hero:heroes mosquito:mosquitoes policeman:policemen crisis:crises grandchild:grandchildren "
        "moose:moose"
    ).split()
)
_PASTS = {
    base: forms.split(",")
    for base, forms in (
        entry.split(":")
        for entry in (
            "eat:ate,eaten drink:drank,drunk buy:bought,bought sell:sold,sold read:read,read "
            "write:wrote,written wear:wore,worn lose:lost,lost hide:hid,hidden break:broke,broken "
            "throw:threw,thrown catch:caught,caught see:saw,seen find:found,found draw:drew,drawn "
            "meet:met,met know:knew,known feed:fed,fed wake:woke,woken drive:drove,driven "
            "build:built,built teach:taught,taught understand:understood,understood have:had,had "
            "spend:spent,spent leave:left,left sleep:slept,slept run:ran,run swim:swam,swum "
            "sing:sang,sung fall:fell,fallen bite:bit,bitten go:went,gone fly:flew,flown "
            "give:gave,given show:showed,shown send:sent,sent bring:brought,brought lend:lent,lent "
            "cut:cut,cut freeze:froze,frozen hold:held,held hang:hung,hung shake:shook,shaken "
            "bend:bent,bent win:won,won come:came,come say:said,said think:thought,thought "
            "steal:stole,stolen choose:chose,chosen put:put,put kneel:knelt,knelt tell:told,told "
            "take:took,taken make:made,made get:got,gotten feel:felt,felt keep:kept,kept "
            "pay:paid,paid hear:heard,heard stand:stood,stood sit:sat,sat speak:spoke,spoken "
            "forget:forgot,forgotten ride:rode,ridden grow:grew,grown begin:began,begun "
            "become:became,become lie:lay,lain fight:fought,fought hit:hit,hit let:let,let "
            "shut:shut,shut hurt:hurt,hurt cost:cost,cost put:put,put"
        ).split()
    )
}
_DOUBLED = frozenset(
    "run swim jog stop plan chop cut put sit get win hug drop wrap rub shop spit begin forget grab "
    "let hit shut nod beg spin skip slip trip hop knit admit permit refer".split()
)
_VOWELS = frozenset("aeiou")
_AN = ("hour", "honest", "honor")
_A = ("university", "uniform", "unique", "european", "useful", "one", "united", "usual")


def article(word: str) -> str:
    """'a' or 'an', by the sound that ``word`` begins with."""
    word = word.lower()
    if word.startswith(_AN):
        return "an"
    return "an" if word[0] in _VOWELS and not word.startswith(_A) else "a"


def plural(noun: str) -> str:
    """The plural; of an entry of several words, that of its last."""
    first, space, last = noun.rpartition(" ")
    return first + space + (_PLURALS.get(last) or _with_s(last))


def third_person(verb: str) -> str:
    """'eats' of eat."""
    return {"have": "has"}.get(verb) or _with_s(verb)


def past(verb: str) -> str:
    """'ate' of eat."""
    return _PASTS[verb][0] if verb in _PASTS else _with_ed(verb)


def participle(verb: str) -> str:
    """'eaten' of eat."""
    return _PASTS[verb][1] if verb in _PASTS else _with_ed(verb)


def gerund(verb: str) -> str:
    """'eating' of eat."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return verb + verb[-1] * (verb in _DOUBLED) + "ing"


def _with_s(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word in ("go", "do"):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def _with_ed(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2:-1] not in _VOWELS:
        return verb[:-1] + "ied"
    return verb + verb[-1] * (verb in _DOUBLED) + "ed"
