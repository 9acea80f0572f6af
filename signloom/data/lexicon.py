"""The lexicon record: word → clips. Whoever reads one (a folder, a store, the simulator) gives this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from signloom.data.clip import PoseClip
from signloom.errors import UsageError, nearest


@dataclass(frozen=True)
class Lexicon:
    """Word → clips, read when asked for.

    words: word (lower case) → how many clips it has.
    read: (word, n) → its n-th clip, 0 ≤ n < words[word]. Pure: the same
        (word, n) gives the same clip.
    letters: letter → clips of its fingerspelling, in the same manner, where there are any.
    """

    name: str
    language: str
    words: Mapping[str, int]
    read: Callable[[str, int], PoseClip]
    letters: Mapping[str, int] = field(default_factory=dict)
    read_letter: Callable[[str, int], PoseClip] | None = None

    def __contains__(self, word: str) -> bool:
        return word.lower() in self.words

    def __len__(self) -> int:
        return len(self.words)

    def clip(self, word: str, n: int = 0) -> PoseClip:
        """The n-th clip of ``word`` (n wraps around). Raises UsageError for an unknown word."""
        word = word.lower()
        if word not in self.words:
            raise UsageError(
                f"lexicon '{self.name}' ({len(self)} words) has no word '{word}'"
                + nearest(word, list(self.words))
            )
        return self.read(word, n % self.words[word])
