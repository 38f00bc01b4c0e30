"""Writes normal.json: what scikit-learn's LedoitWolf makes of the windows of tests/trainer/normal.rs. Needs scikit-learn."""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.covariance import LedoitWolf

state = 1


def sample():
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return np.float32(np.float32(state >> 32) / np.float32(2147483648.0)) - np.float32(1.0)


windows = []
for _ in range(40):
    x = [np.float32(sample()) for _ in range(6)]
    f = np.float32
    windows.append(
        [x[0] + f(3), x[0] + f(0.2) * x[1], f(2) * x[2], x[3] - x[2], f(0.1) * x[4], x[5] + x[0] - f(1)]
    )
fit = LedoitWolf().fit(np.array(windows, np.float64))
out = {
    "by": f"scikit-learn {sklearn.__version__}",
    "shrinkage": fit.shrinkage_,
    "distances": np.sqrt(fit.mahalanobis(np.array(windows, np.float64))).tolist(),
}
(pathlib.Path(__file__).parent / "normal.json").write_text(json.dumps(out, indent=1) + "\n")
