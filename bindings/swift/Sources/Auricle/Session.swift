import AuricleCalls
import CAuricle
import Dispatch

/// One audio stream: push into it as audio arrives, in pieces of any size, and read. How the audio is cut into pieces never
/// changes a score.
///
/// One thread may push (and call `gap` and `finish`) while another one reads; `cancel`, `close` and `pending` are for any
/// thread. A second thread in the same half gets `.invalidState`. What is pushed is lost where nobody reads: `push` says so,
/// and so does `droppedFrames` of the results.
public final class Session: Sendable {
    public let model: Model
    /// Channels of the audio that is pushed.
    public let channels: Int
    /// Its rate, Hz.
    public let sampleRate: Int
    let handle: Handle
    /// Where the reads of `results` and `events` wait.
    let reader = DispatchQueue(label: "auricle.reader")

    /// How a session is set up.
    public struct Options: Hashable, Sendable {
        /// Rate of the audio that will be pushed, Hz, 1000 to 384000; 0: the model's.
        public var sampleRate: Int
        /// Channels of that audio, 1 to 8.
        public var channels: Int
        /// After so many windows in a row a read gives nil although more is waiting, so that a loop does a bounded work; 0: no limit.
        public var maxWindowsPerRead: Int
        /// Distance between windows, seconds, one sample of the model to 3600; 0: the one in `streamJSON`, else the manifest's.
        public var hopSeconds: Double
        /// How much audio can wait between push and read, seconds, one frame to 600; 0: 2.
        public var ringSeconds: Double
        /// What is lost when the ring is full.
        public var overflow: Overflow
        /// The channel that is heard, counted from 1; 0: the mean of all.
        public var channel: Int
        /// Smoothing and events of this stream, in place of the `stream` object of the manifest: docs/manifest.md. For example
        /// `{ "smoothing_seconds": 0.5, "events": { "on": 0.6 } }`. nil: the manifest's.
        public var streamJSON: String?

        public init(
            sampleRate: Int = 0, channels: Int = 1, maxWindowsPerRead: Int = 0, hopSeconds: Double = 0, ringSeconds: Double = 0,
            overflow: Overflow = .dropNewest, channel: Int = 0, streamJSON: String? = nil
        ) {
            (self.sampleRate, self.channels, self.maxWindowsPerRead) = (sampleRate, channels, maxWindowsPerRead)
            (self.hopSeconds, self.ringSeconds, self.overflow) = (hopSeconds, ringSeconds, overflow)
            (self.channel, self.streamJSON) = (channel, streamJSON)
        }
    }

    /// What is lost when the ring is full.
    public enum Overflow: Hashable, Sendable {
        /// The frames pushed last.
        case dropNewest
        /// The frames that have waited longest.
        case dropOldest

        var number: Int32 {
            switch self {
            case .dropNewest: AURICLE_DROP_NEWEST
            case .dropOldest: AURICLE_DROP_OLDEST
            }
        }
    }

    /// All memory is taken here: about 4 bytes for each sample that the ring holds, and the buffers of the model.
    public init(_ model: Model, options: Options = Options()) throws(AuricleError) {
        guard options.channels != 0 else { throw AuricleError(.invalidArgument, "channels is 0; valid 1 to 8") }
        try requireNoNUL("streamJSON", options.streamJSON)
        var c = auricle_session_options()
        auricle_session_options_init(&c)
        c.sample_rate = try narrow("sampleRate", options.sampleRate)
        c.channels = try narrow("channels", options.channels)
        c.max_windows_per_read = try narrow("maxWindowsPerRead", options.maxWindowsPerRead)
        c.hop_seconds = options.hopSeconds
        c.ring_seconds = options.ringSeconds
        c.overflow = options.overflow.number
        c.channel = try narrow("channel", options.channel)
        let loaded = try model.handle.enter()
        defer { model.handle.leave() }
        var pointer: OpaquePointer?
        let create = { (json: UnsafePointer<CChar>?) in
            c.stream_json = json
            return auricle_session_create(loaded, &c, &pointer)
        }
        try check(options.streamJSON?.withCString(create) ?? create(nil))
        handle = try Handle("session", pointer, free: auricle_session_free)
        (self.model, channels) = (model, options.channels)
        sampleRate = options.sampleRate == 0 ? model.sampleRate : options.sampleRate
    }

    /// Forgets the stream, finished, cancelled or not: the next frame pushed is frame 0. When neither half is running.
    public func reset() throws(AuricleError) {
        let session = try handle.enter()
        defer { handle.leave() }
        try check(auricle_session_reset(session))
        handle.hasEnded = false
    }

    /// Whether the stream was finished and everything has been read.
    public var hasEnded: Bool { handle.hasEnded }

    /// How many frames were pushed and have not been read yet. Any thread.
    public func pending() throws(AuricleError) -> Int64 {
        let session = try handle.enter()
        defer { handle.leave() }
        var frames: UInt64 = 0
        try check(auricle_session_pending(session, &frames))
        return Int64(clamping: frames)
    }

    /// Ends reads and waits, which throw `.cancelled` until `reset`; `results` and `events` end. Any thread but the audio thread.
    public func cancel() throws(AuricleError) {
        let session = try handle.enter()
        defer { handle.leave() }
        try check(auricle_session_cancel(session))
    }

    /// Ends the session: who reads or waits gets `.cancelled`, `results` and `events` end, later calls throw `.invalidState`. Twice
    /// is fine, and letting the last reference go does the same. Any thread but the audio thread.
    public func close() { handle.close { auricle_session_cancel($0) } }
}
