import CAuricle
import Foundation

/// A loaded model. It never changes, so one serves any number of sessions and threads.
///
/// The initialisers and `classifyAndWait` keep their thread until they are done, which is milliseconds to seconds; `load` and
/// `classify` are `async`, keep none of Swift's pool, and stop when their task is cancelled.
public final class Model: Sendable {
    /// What it gives; the first is what sessions and `classify` give.
    public let outputs: [Output]
    /// Rate that the model works at, Hz. Audio of any rate is converted; audio of this one saves that.
    public let sampleRate: Int
    let handle: Handle

    /// How a model is loaded.
    public struct Options: Hashable, Sendable {
        /// Threads that ONNX Runtime uses inside one inference, 1 to 256, the calling one among them; 0: 1.
        public var threads: Int
        /// The manifest's golden cases are run, and a model that does not reproduce them, or has none, is refused.
        public var selfCheck: Bool
        /// Windows of several sessions that `Session.readMany` may put into one run, 1 to 1024; 0: 1.
        public var maxBatch: Int
        /// Providers of ONNX Runtime that are to run the network, the first before the others; none: the CPU.
        public var providers: [Provider]
        /// The network runs on the pool of threads that `Runtime.open` has made, beside other models; `threads` is 0 then.
        public var sharedPool: Bool

        public init(
            threads: Int = 0, selfCheck: Bool = false, maxBatch: Int = 0, providers: [Provider] = [], sharedPool: Bool = false
        ) {
            (self.threads, self.selfCheck, self.maxBatch, self.providers) = (threads, selfCheck, maxBatch, providers)
            self.sharedPool = sharedPool
        }
    }

    /// Is told how far a load has come: a stage ("read", "prepare", "warm", "self_check") and how much of it is done, 0 to 1, on
    /// the thread that loads. False stops the load, which then throws `.cancelled`.
    public typealias Progress = @Sendable (_ stage: String, _ done: Float) -> Bool

    /// Loads an ONNX file. The manifest is the one embedded in it, else the file beside it whose name ends in .auricle.json
    /// instead of .onnx. The files can go afterwards.
    public convenience init(
        path: String, options: Options = Options(), cancel: Cancel? = nil, progress: Progress? = nil
    ) throws(AuricleError) {
        try requireNoNUL("the path", path)
        try self.init(options, cancel, progress) { auricle_model_load(path, $0, $1) }
    }

    /// Loads a model from the bytes of an ONNX file. `manifest` is JSON that replaces the embedded one.
    public convenience init(
        onnx: some ContiguousBytes, manifest: String? = nil, options: Options = Options(), cancel: Cancel? = nil,
        progress: Progress? = nil
    ) throws(AuricleError) {
        try requireNoNUL("the manifest", manifest)
        try self.init(options, cancel, progress) { options, place in
            onnx.withUnsafeBytes { auricle_model_load_memory($0.baseAddress, $0.count, manifest, options, place) }
        }
    }

    private init(
        _ options: Options, _ cancel: Cancel?, _ progress: Progress?,
        _ load: (UnsafePointer<auricle_model_options>, UnsafeMutablePointer<OpaquePointer?>) -> auricle_status
    ) throws(AuricleError) {
        var c = auricle_model_options()
        auricle_model_options_init(&c)
        c.threads = try narrow("threads", options.threads)
        c.self_check = options.selfCheck ? 1 : 0
        c.max_batch = try narrow("maxBatch", options.maxBatch)
        c.shared_pool = options.sharedPool ? 1 : 0
        let list = try ProviderList(options.providers)
        let listener = progress.map(ProgressListener.init)
        if let listener {
            c.user = Unmanaged.passUnretained(listener).toOpaque()
            c.progress = { user, stage, done in
                let listener = Unmanaged<ProgressListener>.fromOpaque(user!).takeUnretainedValue()
                return listener.progress(String(cString: stage!), done) ? 0 : 1
            }
        }
        c.cancel = try cancel?.handle.enter()
        defer { cancel?.handle.leave() }
        var pointer: OpaquePointer?
        let status = withExtendedLifetime((list, listener)) {
            list.providers.withUnsafeBufferPointer { providers in
                c.providers = providers.isEmpty ? nil : providers.baseAddress
                c.provider_count = providers.count
                return load(&c, &pointer)
            }
        }
        try check(status)
        let handle = try Handle("model", pointer, free: auricle_model_free)
        let model = try handle.enter()
        defer { handle.leave() }
        var outputs: [Output] = []
        for index in 0..<auricle_model_output_count(model) {
            outputs.append(try Output(model, index))
        }
        (self.handle, self.outputs, self.sampleRate) = (handle, outputs, Int(auricle_model_sample_rate(model)))
    }

    /// Loads an ONNX file on a thread of its own.
    public static func load(
        path: String, options: Options = Options(), progress: Progress? = nil
    ) async throws(AuricleError) -> Model {
        let cancel = try Cancel()
        return try await background(cancel) { () throws(AuricleError) in
            try Model(path: path, options: options, cancel: cancel, progress: progress)
        }
    }

    /// Loads a model from the bytes of an ONNX file on a thread of its own.
    public static func load(
        onnx: some ContiguousBytes & Sendable, manifest: String? = nil, options: Options = Options(), progress: Progress? = nil
    ) async throws(AuricleError) -> Model {
        let cancel = try Cancel()
        return try await background(cancel) { () throws(AuricleError) in
            try Model(onnx: onnx, manifest: manifest, options: options, cancel: cancel, progress: progress)
        }
    }

    /// Number of classes, which is the number of scores of every window; if the first output has no labels, the number of its
    /// values.
    public var classCount: Int { outputs[0].size }

    /// Labels of the classes of the first output, in the order of the scores; none if it has no scores.
    public var labels: [String] { outputs[0].labels }

    /// The record for traceability, JSON: versions, files and their SHA-256 sums, options, providers, and the manifest with
    /// every default filled in.
    public func describe() throws(AuricleError) -> String {
        let model = try handle.enter()
        defer { handle.leave() }
        var needed = 0
        try check(auricle_model_describe(model, nil, 0, &needed))
        var json = [UInt8](repeating: 0, count: needed)
        try check(json.withUnsafeMutableBytes { auricle_model_describe(model, $0.baseAddress, $0.count, &needed) })
        return String(decoding: json.dropLast(), as: UTF8.self)
    }

    /// Gives the model back. Calls that are running, and sessions, go on; later calls throw. Twice is fine, and letting the last
    /// reference go does the same.
    public func close() { handle.close() }
}

private final class ProgressListener {
    let progress: Model.Progress
    init(_ progress: @escaping Model.Progress) { self.progress = progress }
}
