#!/usr/bin/env bash
# The figures of benches/gpu.md, on a machine with an NVIDIA GPU that reaches no network, in at most 8 minutes:
#     benches/gpu/run.sh FOLDER probe      25 s: does the provider load, does it run one model
#     benches/gpu/run.sh FOLDER main       everything
#     benches/gpu/run.sh FOLDER dry        the same program on the CPU of this machine, a second a step (no GPU is needed)
# FOLDER holds (benches/gpu.md says how each is made):
#     gpu                    the program benches/gpu/main.rs, built with --release
#     runtime/               ONNX Runtime's libraries, with CUDA's provider for this GPU, as .so or .so.xz
#     python/onnxruntime/    the package onnxruntime-gpu without those libraries (its own .so may be .xz)
#     models/*.onnx          networks with their manifests
# NVIDIA's libraries are those of the Python that has PyTorch.
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=$(cd "$1" && pwd) step=$2
bundled=models/esc10.onnx failed=0
python=$(command -v python3)

say() { printf '\n== %s (%s s)\n' "$*" "$SECONDS"; }

# `try SECONDS COMMAND…`: a step that fails is named, and the others go on.
try() {
    local limit=$1
    shift
    timeout "$limit" "$@" 2>"$folder/errors" || {
        echo "FAILED with $?: $*"
        tail -n 6 "$folder/errors"
        failed=1
        return 1
    }
}

export folder python
export ORT_DYLIB_PATH=${ORT_DYLIB_PATH:-$folder/runtime/libonnxruntime.so.1.28.0}

unpack() {
    local file
    for file in "$folder"/runtime/*.xz "$folder"/python/onnxruntime/capi/*.xz; do
        [ -e "$file" ] && { xz -dkfT4 "$file" 2>/dev/null || "$python" -c 'import lzma, shutil, sys
shutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[1][:-3], "wb"))' "$file"; } &
    done
    wait
    # Both runtimes are to use the same provider, and find NVIDIA's libraries beside it.
    local site library
    site=$("$python" -c 'import importlib.util as u, pathlib; print(pathlib.Path(u.find_spec("torch").origin).parent.parent)' 2>/dev/null)
    for library in "$site"/nvidia/*/lib/lib*.so.*; do
        [ -e "$library" ] && ln -sf "$library" "$folder/runtime/"
    done
    for library in "$folder"/runtime/libonnxruntime_providers*.so; do
        ln -sf "$library" "$folder/python/onnxruntime/capi/"
    done
}

environment() {
    uname -r
    nproc
    "$python" --version
    nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader
    "$python" -m pip list 2>/dev/null | grep -iE '^(torch|torchaudio|nvidia-(cublas|cudnn|cuda-runtime)|onnx) ?' | tr -s ' ' | tr '\n' ';'
    echo
    "$folder/gpu" describe cpu "$bundled" | grep -A3 '"onnxruntime"'
}

# Python's onnxruntime, with the same libraries.
peers() {
    PYTHONPATH=$folder/python LD_LIBRARY_PATH=$folder/runtime:${LD_LIBRARY_PATH:-} ORT_DISABLE_TELEMETRY=1 "$python" benches/gpu/peer.py "$@"
}
export -f peers

case $step in
probe)
    say unpack
    unpack
    say environment
    environment
    LD_LIBRARY_PATH=$folder/runtime ldd "$folder/runtime/libonnxruntime_providers_cuda.so" | grep -E 'not found|cuda|cublas|cudnn'
    say "CUDA through Auricle"
    try 60 bash -c "\"\$folder/gpu\" describe cuda $bundled >\"\$folder/record.json\"" &&
        sed -n '/"providers"/,$p' "$folder/record.json" | grep -vE '^ +"[A-Z][A-Za-z]+ [^:]*",?$'
    try 40 "$folder/gpu" scores cuda "$bundled"
    say "CUDA through Python"
    try 40 bash -c "peers windows CUDAExecutionProvider 1 8 $bundled"
    ;;
main)
    [ -e "$folder/runtime/libonnxruntime_providers_cuda.so" ] || unpack
    say environment
    environment
    "$python" benches/gpu/transformer.py "$folder/models/transformer86.onnx"
    say "scores, TF32 off and on"
    try 60 "$folder/gpu" scores cuda "$bundled" "$folder"/models/*.onnx
    try 60 "$folder/gpu" scores 'cuda={"tf32":true}' "$bundled" "$folder"/models/*.onnx
    say "windows a second"
    for model in "$bundled" "$folder"/models/{yamnet,transformer86}.onnx; do
        for threads in 1 16; do
            try 40 "$folder/gpu" windows cpu $threads 1 "$model"
            try 40 bash -c "peers windows CPUExecutionProvider $threads 1 $model"
        done
        try 60 "$folder/gpu" windows cuda 1 1,8,64,256 "$model"
        try 60 bash -c "peers windows CUDAExecutionProvider 1 1,8,64,256 $model"
    done
    say "whole streams at a hop of 250 ms"
    for threads in 1 16; do
        try 60 "$folder/gpu" streams cuda 256 8192 $threads 3 "$bundled"
        try 60 "$folder/gpu" streams cuda 256 8192 $threads 3 "$folder/models/yamnet.onnx"
        try 60 "$folder/gpu" streams cuda 64 1024 $threads 3 "$folder/models/transformer86.onnx"
    done
    "$folder/gpu" describe cuda "$folder/models/yamnet.onnx" 256 2>/dev/null | grep -A40 '"batches"' | grep -vE '^ +"[A-Z][A-Za-z]+ [^:]*",?$' | head -60
    try 60 bash -c "peers streams CUDAExecutionProvider 1024 6 $bundled"
    say "TensorRT, where its libraries are"
    try 60 "$folder/gpu" windows tensorrt 1 64 "$bundled"
    say "compute-sanitizer"
    sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | head -n 1)
    try 90 "${sanitizer:-compute-sanitizer}" --tool memcheck --error-exitcode 9 "$folder/gpu" describe 'cuda={"memory_limit":2147483648}' "$bundled" | grep -E 'ERROR SUMMARY|=====' | tail -n 5
    ;;
dry)
    for model in "$bundled" "$folder"/models/*.onnx; do
        [ -e "$model" ] && try 60 "$folder/gpu" scores cpu "$model"
    done
    try 60 "$folder/gpu" windows cpu 1 1,8 "$bundled"
    try 60 "$folder/gpu" streams cpu 8 4 2 1 "$bundled"
    ;;
*)
    echo "the step is $step; valid probe, main, dry"
    failed=1
    ;;
esac
say "done"
exit $failed
