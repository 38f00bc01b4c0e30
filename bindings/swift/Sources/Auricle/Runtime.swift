import CAuricle

/// ONNX Runtime, with which the library computes, and the library's own versions.
public enum Runtime {
    /// Opens ONNX Runtime. Optional: loading the first model looks at the environment variable ORT_DYLIB_PATH, then beside the
    /// library. It is opened once, for the life of the process. (On iOS it is linked, and there is nothing to open.)
    ///
    /// `sharedThreads` makes one pool of threads for all models with `sharedPool`, 1 to 256, the calling one among them; 0: none.
    /// With `knownOnly` a file is refused that is not one of the official releases that Auricle knows. `threadStart` is called
    /// on each thread that ONNX Runtime starts, for as long as the process lives. All are for before the first model.
    public static func open(
        path: String? = nil, sharedThreads: Int = 0, knownOnly: Bool = false, threadStart: (@convention(c) () -> Void)? = nil
    ) throws(AuricleError) {
        try requireNoNUL("the path", path)
        var options = auricle_runtime_options()
        auricle_runtime_options_init(&options)
        options.shared_threads = try narrow("sharedThreads", sharedThreads)
        options.known_only = knownOnly ? 1 : 0
        if let threadStart {
            options.user = unsafeBitCast(threadStart, to: UnsafeMutableRawPointer.self)
            options.thread_start = { unsafeBitCast($0, to: (@convention(c) () -> Void).self)() }
        }
        try check(auricle_runtime_open_with(path, &options))
    }

    /// Version of the library, "MAJOR.MINOR.PATCH".
    public static var version: String { String(cString: auricle_version()) }

    /// Version of the library's binary interface.
    public static var abiVersion: Int { Int(auricle_abi_version()) }

    /// The version of the binary interface that this package was compiled for: the library must have the same.
    public static var compiledABIVersion: Int { Int(AURICLE_ABI_VERSION) }
}
