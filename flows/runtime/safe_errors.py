"""What may be said of an error: never a value of a row.

The message of another library's error may quote one ("could not convert 'AB123456C'"), so only its kind and the lines
of code it passed are told. Our own errors say nothing of rows, and are told whole.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass

OWN_PACKAGES = ("flows", "schemas")


class StepFailed(Exception):  # noqa: N818 - what happened, not a kind of defect
    """A step broke on another library's error, told without its message."""

    def __init__(self, safe_message: str, frames: str, kind: str) -> None:
        super().__init__(safe_message)
        self.frames, self.kind = frames, kind


def is_own(error: BaseException) -> bool:
    """Whether an error is one of ours, whose message is free of data."""
    return type(error).__module__.partition(".")[0] in OWN_PACKAGES


def safe_message(error: BaseException) -> str:
    """What to say of an error, in one line."""
    if is_own(error):
        return str(error)
    if isinstance(error, OSError):
        return ": ".join(str(part) for part in (error.strerror or type(error).__name__, error.filename) if part)
    return f"an error of the kind {type(error).__name__}"


def frames_of(error: BaseException) -> str:
    """The lines of code an error passed through."""
    passed = "".join(traceback.format_tb(error.__traceback__))
    return passed + error.frames if isinstance(error, StepFailed) else passed


def safe_error(error: Exception) -> Exception:
    """The error itself where its message may be told; otherwise one that says only what kind it was."""
    if is_own(error) or isinstance(error, OSError):
        return error
    return StepFailed(safe_message(error), frames_of(error), type(error).__name__)


@dataclass(frozen=True)
class Fault:
    """What the log may hold of an error: its kind, what may be said of it, and the lines of code it passed through."""

    kind: str
    message: str
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> Fault:
        """An error, as the log may hold it. It names no path: that may be the name of a sender's file."""
        kind = error.kind if isinstance(error, StepFailed) else type(error).__name__
        said = error.strerror or "" if isinstance(error, OSError) and not is_own(error) else safe_message(error)
        return cls(kind, said, frames_of(error))
