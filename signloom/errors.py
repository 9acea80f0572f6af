"""What can go wrong for a user, and the exit code the command line gives it.

An error names the thing, what was got, what was expected and what to do next.
"""


class SignloomError(Exception):
    """Base of every error that is the user's to read; the message is the whole story."""

    exit_code = 1


class UsageError(SignloomError):
    """The request is wrong: an unknown name, a clash of options, an output that exists (exit 2)."""

    exit_code = 2


class MediaError(SignloomError):
    """A video, pose file, store or checkpoint cannot be read (exit 3)."""

    exit_code = 3


class OverLimitError(MediaError):
    """A recording is longer or larger than is allowed (exit 3)."""


class NoNumbersError(MediaError):
    """What a model computes is NaN or infinite (exit 3)."""

    def __init__(self, what: str):
        """what: computed, as "the model's probabilities"."""
        super().__init__(
            f"{what} are no numbers, so there is nothing to write; its weights are damaged or its "
            "training went wrong: copy the checkpoint again, or train it anew"
        )


class MissingExtraError(MediaError):
    """An optional part of signloom is not installed (exit 3)."""

    def __init__(self, what: str, extra: str):
        super().__init__(
            f"{what} needs the optional part '{extra}', which is not installed; "
            f"install it with: pip install 'signloom[{extra}]'"
        )


class SubtitleError(SignloomError):
    """A subtitle file cannot be read (exit 4)."""

    exit_code = 4


class UntrustedResultError(SignloomError):
    """A result would not be worth trusting, so none is given (exit 5)."""

    exit_code = 5


def one_line(error: BaseException) -> str:
    """What a library raised of a damaged file, for a message of ours."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def nearest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """' (did you mean …?)' for an unknown name, or '' where nothing is near."""
    import difflib

    found = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean '{found[0]}'?)" if found else ""
