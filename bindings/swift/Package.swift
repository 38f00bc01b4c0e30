// swift-tools-version: 6.0
// Auricle for Swift, against an installed libauricle: pkg-config finds it. Apps for iOS take the package that
// `cargo xtask dist --apple` lays out, which has the same sources and the library in it.
import PackageDescription

let package = Package(
    name: "Auricle",
    products: [.library(name: "Auricle", targets: ["Auricle"])],
    targets: [
        .systemLibrary(name: "CAuricle", pkgConfig: "auricle"),
        .target(name: "AuricleCalls"),
        .target(name: "Auricle", dependencies: ["CAuricle", "AuricleCalls"]),
        .target(name: "Allocations", path: "Benches/Allocations"),
        .executableTarget(name: "push-bench", dependencies: ["Allocations", "Auricle", "CAuricle"], path: "Benches/Push"),
        .testTarget(name: "AuricleTests", dependencies: ["Auricle", "CAuricle"]),
        .testTarget(name: "AuricleStreamTests", dependencies: ["Auricle", "CAuricle"]),
    ]
)
