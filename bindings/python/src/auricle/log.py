"""LOG: messages of the library."""

import enum
from collections.abc import Callable

from ._library import LOG_FUNCTION, WORK
from .status import checked


class LogLevel(enum.IntEnum):
    """How important a message is. AURICLE_LOG_ERROR and so on."""

    #: Something did not work.
    ERROR = 1
    #: It works, but not as it should.
    WARNING = 2
    #: What was opened and loaded.
    INFO = 3
    #: Details.
    DEBUG = 4


_function: Callable[[LogLevel, str], object] | None = None


def _emit(_user: object, level: int, message: bytes) -> None:
    function = _function
    if function is not None:
        function(LogLevel(level), message.decode("utf-8", "replace"))


# One for the library, for the life of the process: a call of it may still be running when another is set.
_EMIT = LOG_FUNCTION(_emit)


def set_log(function: Callable[[LogLevel, str], object] | None, level: LogLevel = LogLevel.WARNING) -> None:
    """Sends messages up to `level` to `function(level, message)`; None: messages go nowhere, as at the start.

    It is called on whatever thread has something to say, by several at once. What it raises goes to sys.unraisablehook.
    Nothing is logged by pushing. See auricle_set_log.
    """
    global _function
    if function is not None and not callable(function):
        raise TypeError(f"function is {type(function).__name__}: give what can be called with a level and a message")
    if function is not None:
        level = LogLevel(level)
        _function = function
        checked(WORK.auricle_set_log(_EMIT, None, level))
    else:
        checked(WORK.auricle_set_log(LOG_FUNCTION(), None, 0))
        _function = None
