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

commit=24919a4b33e3604516482832d983e2b1770ef402
mkdir -p "$folder/noixer" "$scratch/noixer"
cd "$scratch/noixer"
git init --quiet --bare .
git fetch --quiet --depth 1 --filter=blob:none https://github.com/abetusk/noixer "$commit"
cut -c 67- "$here/noixer.sha256" | while read -r file; do
    git cat-file blob "$commit:assets/$file" > "$folder/noixer/$file"
done
(cd "$folder/noixer" && sha256sum --check --quiet "$here/noixer.sha256")
