"""What the programs of the bindings' pages hear in their tests."""

import math
import pathlib
import wave


def record(path: pathlib.Path) -> None:
    """3 s, stereo, 16 bit: a tone that comes and goes."""
    frames = range(3 * 44_100)
    tone = [int(8000 * math.sin(i * 0.05 * (1 + i / 60_000)) * abs(math.sin(i / 20_000))) for i in frames]
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) * 2 for sample in tone))
