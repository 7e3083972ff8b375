"""Messages of errors that are safe to show and log: they never quote a value of a row.

The message of another library's error may quote one ("could not convert 'AB123456C'"), so only its class and traceback
are shown. The project's own exceptions never have values in their messages, and are shown whole.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass

OWN_PACKAGES = ("flows", "schemas")


class StepFailed(Exception):  # noqa: N818 - what happened, not a kind of defect
    """A step failed with another library's error, which is replaced by this one without its message."""

    def __init__(self, safe_message: str, frames: str, kind: str) -> None:
        super().__init__(safe_message)
        self.frames, self.kind = frames, kind


def is_own(error: BaseException) -> bool:
    """Whether an error is one of the project's own, whose messages are free of data."""
    return type(error).__module__.partition(".")[0] in OWN_PACKAGES


def safe_message(error: BaseException) -> str:
    """A safe message for an error, in one line."""
    if is_own(error):
        return str(error)
    if isinstance(error, OSError):  # its text is the system's own, and an operator needs the path
        return ": ".join(str(part) for part in (error.strerror or type(error).__name__, error.filename) if part)
    return f"an error of the kind {type(error).__name__}"


def frames_of(error: BaseException) -> str:
    """The frames of an error's traceback as text, with those of the error that a StepFailed replaced."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return frames + error.frames if isinstance(error, StepFailed) else frames


def safe_error(error: Exception) -> Exception:
    """The error itself if its message is safe, or else a StepFailed that names only its class."""
    if is_own(error) or isinstance(error, OSError):
        return error
    return StepFailed(safe_message(error), frames_of(error), type(error).__name__)


@dataclass(frozen=True)
class LoggedError:
    """An error as it is logged: the name of its class, a safe message, and its traceback."""

    kind: str
    message: str
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> LoggedError:
        """An error as it may be logged. No path is named: it may have the name of a sender's file."""
        kind = error.kind if isinstance(error, StepFailed) else type(error).__name__
        message = error.strerror or "" if isinstance(error, OSError) and not is_own(error) else safe_message(error)
        return cls(kind, message, frames_of(error))
