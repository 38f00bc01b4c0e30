"""OUTPUTS: what a model gives. The first output is what Session.read and Model.classify give."""

import ctypes
import enum
from dataclasses import dataclass

from . import _library
from ._library import QUICK
from .status import checked


class OutputKind(enum.IntEnum):
    """What the numbers of an output are. AURICLE_SCORES and so on."""

    #: A score for each of its classes.
    SCORES = 1
    #: A vector: sounds that are alike have vectors that are.
    EMBEDDING = 2
    #: Other numbers.
    VALUES = 3


@dataclass(frozen=True, slots=True)
class Output:
    """What an output is. See auricle_output."""

    #: The manifest's, else the tensor's.
    name: str
    kind: OutputKind
    #: Values that it has for each result: of scores the number of classes.
    size: int
    #: From one result to the next, seconds, if the network answers for many moments of a window; else 0.
    hop_seconds: float
    #: Labels of its classes; none unless it has scores.
    labels: tuple[str, ...]


def outputs_of(model: int | None) -> tuple[Output, ...]:
    """All outputs of a model, by its pointer."""
    return tuple(_output(model, index) for index in range(QUICK.auricle_model_output_count(model)))


def _output(model: int | None, index: int) -> Output:
    found = _library.Output(ctypes.sizeof(_library.Output))
    checked(QUICK.auricle_model_output(model, index, ctypes.byref(found)))
    kind = OutputKind(found.kind)
    count = found.size if kind is OutputKind.SCORES else 0
    labels = (QUICK.auricle_model_output_label(model, index, k) for k in range(count))
    return Output(
        QUICK.auricle_model_output_name(model, index).decode("utf-8", "replace"),
        kind,
        found.size,
        found.hop_seconds,
        tuple(label.decode("utf-8", "replace") for label in labels),
    )
