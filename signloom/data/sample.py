"""A sample: a clip with what is known of it; and the face that every source of samples shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from signloom.data.clip import PoseClip
from signloom.data.lips import Lips
from signloom.data.timing import Span


@dataclass(frozen=True)
class GlossSpan:
    """A sign as annotated: its gloss, and when it is signed (seconds) where that is known."""

    gloss: str
    span: Span | None = None


def gloss_sentence(glosses: Iterable[str]) -> str:
    """Glosses as one text, a space between them; what is inside a gloss becomes "-".

    >>> gloss_sentence(["TOMORROW", "ICE CREAM"])
    'TOMORROW ICE-CREAM'
    """
    return " ".join("-".join(gloss.split()) for gloss in glosses)


@dataclass(frozen=True)
class Sample:
    """What one training or test item is."""

    id: str
    clip: PoseClip
    text: str = ""
    glosses: tuple[GlossSpan, ...] = ()
    signer: str = ""
    language: str = ""
    """Signed language, ISO 639-3 (``ase``) or a simulated one (``sim-1``)."""
    stitched: bool = False
    """Whether the clip was stitched from word clips rather than signed as one."""
    lips: Lips | None = None
    """The signer's mouth, one crop for each frame of the clip; None where the source has none."""
    span: Span | None = None
    """When in the clip the text is signed (seconds of the clip): such a sample asks *when*, and
    its clip holds more than the text. None: the text is what the whole clip says."""
    prior: Span | None = None
    """When the text is said, on the clip's clock; may lie outside the clip. None: not known."""
    previous: str = ""
    """The text before this one, where it is known."""
    instruction: str = ""
    """What is to be done with the signing; the text is then what is answered. "": it is translated."""


def gloss_of(sample: Sample) -> str:
    """What a sample of one sign is to be recognised as: `single_gloss` of what is known of it."""
    return single_gloss(sample.text, [span.gloss for span in sample.glosses])


def single_gloss(text: str, glosses: Sequence[str]) -> str:
    """The text, or where there is none the one gloss; "" where there are several, or none.

    >>> single_gloss(" book ", ["TREE"]), single_gloss("", ["TREE"]), single_gloss("", ["A", "B"])
    ('book', 'TREE', '')
    """
    if text.strip() or len(glosses) != 1:
        return text.strip()
    return glosses[0].strip()


@runtime_checkable
class SampleSource(Protocol):
    """Samples by index. ``source[i]`` depends on i and on how the source was made, on nothing else.

    A stream without end gives a large length. A source pickles cheaply (a path,
    a seed), so that worker processes can hold one each.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...
