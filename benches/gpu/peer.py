"""The same networks through Python's onnxruntime, and whole streams with torchaudio's features: the peers of benches/gpu.md.

    peer.py windows PROVIDER THREADS BATCH,… MODEL.onnx
    peer.py streams PROVIDER COUNT SECONDS MODEL.onnx     features of the bundled network, one stream after another and all together
PROVIDER is CPUExecutionProvider, CUDAExecutionProvider, …"""
import statistics
import sys
import time

import numpy as np
import onnxruntime


def session(provider, threads, model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    own = {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"} if provider.startswith("CUDA") else {}
    made = onnxruntime.InferenceSession(model, options, providers=[(provider, own)])
    assert made.get_providers()[0] == provider, made.get_providers()
    return made


def windows(provider, threads, batches, model):
    made = session(provider, int(threads), model)
    given = made.get_inputs()[0]
    for batch in map(int, batches.split(",")):
        sizes = [batch if k == 0 else d for k, d in enumerate(given.shape)]
        data = np.random.default_rng(0).standard_normal(sizes).astype(np.float32)
        for _ in range(3):
            made.run(None, {given.name: data})
        times, end = [], time.perf_counter() + 2
        while (time.perf_counter() < end and len(times) < 500) or len(times) < 3:
            start = time.perf_counter()
            made.run(None, {given.name: data})
            times.append(time.perf_counter() - start)
        rate = batch / statistics.median(times)
        print(f"python  {provider}, {threads} threads, {model}: {batch} at a time: {rate:.0f} windows/s", flush=True)


def streams(provider, count, seconds, model):
    import torch
    import torchaudio

    count, rate = int(count), 16000
    device = "cuda" if provider.startswith("CUDA") else "cpu"
    made = session(provider, 1, model)
    given = made.get_inputs()[0]
    _, _, bins, rows = given.shape
    mel = torchaudio.transforms.MelSpectrogram(rate, n_fft=1024, hop_length=256, n_mels=bins).to(device)
    length = (rows - 1) * 256
    rings = torch.zeros(count, length)
    new = torch.randn(count, rate // 4) * 0.1

    def features(pcm):
        return (mel(pcm.to(device)) + 1e-6).log()[..., :rows]

    def tick(together):
        rings[:, :-rate // 4] = rings[:, rate // 4:].clone()
        rings[:, -rate // 4:] = new
        if together:
            made.run(None, {given.name: features(rings)[:, None].cpu().numpy()})
        else:
            for ring in rings:
                made.run(None, {given.name: features(ring)[None, None].cpu().numpy()})

    for together in (False, True):
        tick(together)
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < float(seconds):
            tick(together)
            done += count
        speed = done / (time.perf_counter() - start)
        how = "all together" if together else "one after another"
        print(f"python  streams {provider:<22} {model}: {count} streams {how}: {speed:.0f} windows/s = {speed / 4:.0f} streams")


{"windows": windows, "streams": streams}[sys.argv[1]](*sys.argv[2:])
