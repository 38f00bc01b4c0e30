#!/bin/sh
# Puts the sounds of README.md into a folder: fetch.sh FOLDER
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

python3 "$here/procedural.py" "$folder/procedural"

cd "$scratch"
archive=$(npm pack --silent supersonic-scsynth-samples@0.84.2)
echo "aff0b03208adb5dc7612dc7a4e86d55161188326bcff4dbc2d20ce9e1b94238c  $archive" | sha256sum --check --quiet
mkdir -p "$folder/sonic-pi"
tar xzf "$archive"
cp package/samples/*.flac package/LICENSE "$folder/sonic-pi/"
