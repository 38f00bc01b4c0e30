"""CANCELLING: a switch that stops work from another thread."""

from ._handle import Handle
from ._library import WORK
from .status import checked


class Cancel:
    """A switch that stops load and Model.classify from another thread. (A session has Session.cancel.)

    One may be given to any number of calls, at once or one after another. See auricle_cancel.
    """

    __slots__ = ("_handle",)

    def __init__(self) -> None:
        self._handle = Handle(lambda place: checked(WORK.auricle_cancel_create(place)), WORK.auricle_cancel_free)

    def request(self) -> None:
        """Calls that were given this switch raise Cancelled as soon as the kernel of the network that is running ends.

        Calls that are given it later raise it at once. It stays on. Any thread. See auricle_cancel_request.
        """
        handle = self._handle
        checked(WORK.auricle_cancel_request(handle.pointer))


def handle_of(cancel: Cancel | None) -> Handle | None:
    """What the options of a call take; the caller keeps it while the call runs."""
    if cancel is None:
        return None
    if not isinstance(cancel, Cancel):
        raise TypeError(f"cancel is {type(cancel).__name__}: give an auricle.Cancel")
    return cancel._handle
