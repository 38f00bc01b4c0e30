// swift-tools-version: 6.0
// The library is where its xcframework lies beside this file, for apps (`cargo xtask dist --apple` puts it there), or else the
// one that is installed: pkg-config finds it.
import Foundation
import PackageDescription

func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(name)") }

#if os(Linux)
let isBundled = false
#else
let isBundled = has("Auricle.xcframework")
#endif

let package = Package(
    name: "Auricle",
    platforms: [.iOS("15.1"), .macOS(.v13)],
    products: [.library(name: "Auricle", targets: ["Auricle"])],
    targets: [.target(name: "AuricleCalls")]
)

if isBundled {
    package.targets += [
        .binaryTarget(name: "CAuricle", path: "Auricle.xcframework"),
        .binaryTarget(name: "onnxruntime", path: "onnxruntime.xcframework"),
        .target(
            name: "Auricle",
            dependencies: ["AuricleCalls", "CAuricle", "onnxruntime"],
            resources: [.copy("PrivacyInfo.xcprivacy")],
            linkerSettings: [.linkedLibrary("c++"), .linkedFramework("Foundation"), .linkedFramework("CoreML")]
        ),
    ]
} else {
    package.targets += [
        .systemLibrary(name: "CAuricle", pkgConfig: "auricle"),
        .target(name: "Auricle", dependencies: ["AuricleCalls", "CAuricle"], exclude: ["PrivacyInfo.xcprivacy"]),
    ]
}

// What a package that is shipped leaves out.
if has("Tests") {
    package.targets += [
        .target(name: "Allocations", path: "Benches/Allocations"),
        .executableTarget(name: "push-bench", dependencies: ["Allocations", "Auricle", "CAuricle"], path: "Benches/Push"),
        .testTarget(name: "AuricleTests", dependencies: ["Auricle", "CAuricle"]),
        .testTarget(name: "AuricleStreamTests", dependencies: ["Auricle"]),
    ]
}
