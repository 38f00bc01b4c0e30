import CAuricle

/// ONNX Runtime, with which the library computes, and the library's own versions.
public enum Runtime {
    /// Opens ONNX Runtime. Optional: loading the first model looks at the environment variable ORT_DYLIB_PATH, then beside the
    /// library. It is opened once, for the life of the process. (On iOS it is linked, and there is nothing to open.)
    public static func open(path: String? = nil) throws(AuricleError) {
        try requireNoNUL("the path", path)
        try check(auricle_runtime_open(path))
    }

    /// Version of the library, "MAJOR.MINOR.PATCH".
    public static var version: String { String(cString: auricle_version()) }

    /// Version of the library's binary interface.
    public static var abiVersion: Int { Int(auricle_abi_version()) }

    /// The version of the binary interface that this package was compiled for: the library must have the same.
    public static var compiledABIVersion: Int { Int(AURICLE_ABI_VERSION) }
}
