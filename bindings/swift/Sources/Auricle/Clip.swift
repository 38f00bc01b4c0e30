import CAuricle
import Foundation

/// A recording in memory: interleaved samples, which are taken where they lie.
public struct Clip: Sendable {
    /// Hz, 1000 to 384000.
    public let sampleRate: Int
    /// 1 to 8.
    public let channels: Int
    public let format: SampleFormat
    let byteCount: Int
    let withBytes: @Sendable ((UnsafeRawBufferPointer) -> auricle_status) -> auricle_status

    public init<S: Sample>(_ samples: [S], sampleRate: Int, channels: Int = 1) {
        (self.sampleRate, self.channels, format) = (sampleRate, channels, S.format)
        byteCount = samples.count * S.format.size
        withBytes = { body in samples.withUnsafeBytes(body) }
    }

    /// Bytes of a file or a socket, such as `Data`.
    public init(bytes: some ContiguousBytes & Sendable, format: SampleFormat, sampleRate: Int, channels: Int = 1) {
        (self.sampleRate, self.channels, self.format) = (sampleRate, channels, format)
        byteCount = bytes.withUnsafeBytes(\.count)
        withBytes = { body in bytes.withUnsafeBytes(body) }
    }
}

extension Model {
    /// How a clip is looked at.
    public struct ClipOptions: Hashable, Sendable {
        /// The channel that is heard, counted from 1; 0: the mean of all.
        public var channel: Int
        /// Distance between windows, seconds, one sample of the model to 3600; 0: the manifest's.
        public var hopSeconds: Double
        /// The output whose values are wanted: `Model.outputs`.
        public var output: Int

        public init(channel: Int = 0, hopSeconds: Double = 0, output: Int = 0) {
            (self.channel, self.hopSeconds, self.output) = (channel, hopSeconds, output)
        }
    }

    /// Scores of one whole clip, one for each class: the mean of the scores of its windows. A clip shorter than a window is padded
    /// as the manifest says. Any thread, any number at once. Keeps its thread; `classify` does the same and keeps none of Swift's.
    public func classifyAndWait(
        _ clip: Clip, options: ClipOptions = ClipOptions(), cancel: Cancel? = nil
    ) throws(AuricleError) -> [Float] {
        let model = try handle.enter()
        defer { handle.leave() }
        var c = auricle_clip_options()
        auricle_clip_options_init(&c)
        c.channel = try narrow("channel", options.channel)
        c.hop_seconds = options.hopSeconds
        c.output = try narrow("output", options.output)
        c.cancel = try cancel?.handle.enter()
        defer { cancel?.handle.leave() }
        let channels: UInt32 = try narrow("channels", clip.channels)
        let sampleRate: UInt32 = try narrow("sampleRate", clip.sampleRate)
        let frames = try clip.format.frames(bytes: clip.byteCount, channels: clip.channels)
        var values = [Float](repeating: 0, count: outputs.indices.contains(options.output) ? outputs[options.output].size : 0)
        let status = values.withUnsafeMutableBufferPointer { place in
            clip.withBytes { bytes in
                auricle_classify(
                    model, clip.format.number, bytes.baseAddress, frames, channels, sampleRate, &c, place.baseAddress, place.count)
            }
        }
        try check(status)
        return values
    }

    /// Scores of one whole clip, one for each class: see `classifyAndWait`. It stops when its task is cancelled.
    public func classify(_ clip: Clip, options: ClipOptions = ClipOptions()) async throws(AuricleError) -> [Float] {
        let cancel = try Cancel()
        return try await background(cancel) { () throws(AuricleError) in
            try self.classifyAndWait(clip, options: options, cancel: cancel)
        }
    }
}
