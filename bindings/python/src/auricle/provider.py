"""PROVIDERS: what runs a network inside ONNX Runtime: the CPU, unless load names others. docs/providers.md has them.

Nothing falls back in silence: a provider that is required runs the network, or there is no model.
"""

import ctypes
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from . import _library
from ._handle import text

#: AURICLE_REQUIRED, AURICLE_PREFERRED.
NEED: dict[str, int] = {"required": 0, "preferred": 1}


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that a model is to run on. See auricle_provider."""

    #: "cpu", "cuda", "tensorrt", "coreml" and so on; or the path of a plug-in provider's library, which is code that this process
    #: will run.
    name: str
    #: "required": loading fails where it cannot run the whole network. "preferred": the next in the list does then, in the end the
    #: CPU; Model.describe says what became of it.
    need: Literal["required", "preferred"] = "required"
    #: Options of the provider, as JSON or as what becomes it; None: the defaults.
    options_json: str | Mapping[str, Any] | None = None


def array_of(providers: Sequence[Provider]) -> Any:
    """What the options of loading take."""
    array = (_library.Provider * len(providers))()
    for place, provider in zip(array, providers, strict=True):
        if not isinstance(provider, Provider):
            raise TypeError(f"a provider is {type(provider).__name__}: give an auricle.Provider")
        if provider.need not in NEED:
            raise ValueError(f"need is {provider.need!r}; valid {', '.join(NEED)}")
        options = provider.options_json
        if isinstance(options, Mapping):
            options = json.dumps(options)
        place.struct_size, place.need = ctypes.sizeof(_library.Provider), NEED[provider.need]
        place.name = text("name", provider.name.encode())
        place.options_json = None if options is None else text("options_json", options.encode())
    return array


class Progress:
    """Tells a Python function how far a load has come. What it raises stops the load, and is raised again by it."""

    def __init__(self, function: Callable[[str, float], object]) -> None:
        if not callable(function):
            raise TypeError(f"progress is {type(function).__name__}: give what can be called with a stage and a share")
        self.raised: BaseException | None = None

        def call(_user: object, stage: bytes, done: float) -> int:
            try:
                function(stage.decode(), done)
            except BaseException as error:
                self.raised = error
                return 1
            return 0

        self.c = _library.PROGRESS_FUNCTION(call)
