#!/usr/bin/env bash
# What needs Apple's frameworks, as far as it goes without them: the helpers for AVFoundation are compiled and run with a stand-in; the
# example app and the page's microphone are type-checked with stand-ins. `apple.sh PLACE`, in the package's folder, with Swift on
# the PATH; PLACE/prefix has the library.
set -euo pipefail
place=$1
mkdir -p "$place/checks"
out=$place/checks
options=(-swift-version 6 -warnings-as-errors -I "$out" -L "$out" -I "$place/prefix/include" -L "$place/prefix/lib"
    -Xcc -fmodule-map-file=Sources/CAuricle/module.modulemap -Xcc "-fmodule-map-file=$out/AuricleCalls.modulemap"
    -module-cache-path "$out/cache" -Xlinker -rpath -Xlinker "$out")
echo "module AuricleCalls { header \"$PWD/Sources/AuricleCalls/include/auricle_calls.h\" export * }" >"$out/AuricleCalls.modulemap"

for framework in AVFoundation SwiftUI; do
    swiftc -swift-version 6 -parse-as-library -emit-module -emit-library -module-name "$framework" \
        -emit-module-path "$out/$framework.swiftmodule" -o "$out/lib$framework.so" "Checks/$framework.swift"
done
clang -c -fPIC -ISources/AuricleCalls/include Sources/AuricleCalls/calls.c -o "$out/calls.o"
swiftc "${options[@]}" -parse-as-library -emit-module -emit-library -module-name Auricle -emit-module-path "$out/Auricle.swiftmodule" \
    -o "$out/libAuricle.so" Sources/Auricle/*.swift "$out/calls.o" -lAVFoundation -lauricle
swiftc "${options[@]}" Checks/main.swift -o "$out/check" -lAuricle -lAVFoundation
"$out/check" ../../models/esc10.onnx
swiftc "${options[@]}" -typecheck -parse-as-library -module-name Listener Examples/Listener/*.swift
grep -l "import AVFoundation" "$place"/page/[0-9]*.swift >"$out/pages"
while read -r page; do
    cp "$page" "$out/main.swift"
    swiftc "${options[@]}" -typecheck "$out/main.swift"
done <"$out/pages"
# A mistake is seen.
sed 's/session.readEvent()/session.readEvents()/' Examples/Listener/Listener.swift >"$out/Listener.swift"
if swiftc "${options[@]}" -typecheck -parse-as-library -module-name Listener "$out/Listener.swift" 2>/dev/null; then
    echo "a mistake in the example passes"
    exit 1
fi
