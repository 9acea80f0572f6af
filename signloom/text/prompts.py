"""What a language model is told before and after the signing, for each task.

The paper does not print its prompts (arXiv 2512.08040 §3.2); the wording is ours [D]. A prompt
is (prefix, suffix): the signing's embeddings stand between them.
"""

from __future__ import annotations

from signloom.errors import UsageError


def slt_prompt(signed: str = "", spoken: str = "English", previous: str = "") -> tuple[str, str]:
    """Translate: (prefix, suffix). signed, spoken: names of languages; "" = just 'signing'.

    previous: the sentence before, "" = do not tell.

    >>> slt_prompt()
    ('Translate the signing into English. Signing:', 'Translation:')
    """
    into = _one_line(spoken)
    if not into:
        raise UsageError(
            "a translation prompt names no language to translate into; give its name, as 'English'"
        )
    task = f"Translate the {_one_line(signed) or 'signing'} into {into}."
    return _joined(task, _context(previous), "Signing:"), "Translation:"


def ssa_prompt(
    text: str,
    audio: tuple[int, int] | None = None,
    previous: str = "",
    signed: str = "",
    frames: int = 500,
) -> tuple[str, str]:
    """When is ``text`` signed: (prefix, suffix).

    audio: the first frame and the one past the last while it is said, counted from the window's
    first frame and clamped to its ``frames``; None = do not tell. It is written as the answer is,
    three digits each. previous, signed: as in ``slt_prompt``.

    Raises UsageError for an empty text, and for an audio timing that ends before it starts.

    >>> ssa_prompt("It rains.", audio=(37, 142))
    ('Find when this sentence is signed: It rains. Audio timing: 037-142. Signing:', 'Frames:')
    """
    asked = _sentence(text)
    if not asked:
        raise UsageError("an alignment prompt asks for an empty text; leave such cues out")
    timing = ""
    if audio is not None:
        if audio[1] < audio[0]:
            raise UsageError(
                f"the audio timing of '{asked}' is frames {audio[0]} to {audio[1]}, "
                "expected a start that is not after the end"
            )
        start, end = (min(max(frame, 0), frames - 1) for frame in audio)
        timing = f"Audio timing: {start:03d}-{end:03d}."
    language = f" in {_one_line(signed)}" if _one_line(signed) else ""
    task = f"Find when this sentence is signed{language}: {asked}"
    return _joined(task, _context(previous), timing, "Signing:"), "Frames:"


def _context(previous: str) -> str:
    before = _sentence(previous)
    return f"Previous sentence: {before}" if before else ""


def _sentence(text: str) -> str:
    """On one line, with a full stop where it ends without a mark."""
    line = _one_line(text)
    return line if not line or line.rstrip("\"'”’»)")[-1:] in tuple(".!?…。！？।") else f"{line}."


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
