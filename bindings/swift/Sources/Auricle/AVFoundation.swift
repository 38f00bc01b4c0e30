#if canImport(AVFoundation)
import AVFoundation

extension Session.Options {
    /// For audio of this format.
    public init(format: AVAudioFormat, streamJSON: String? = nil) {
        self.init(sampleRate: Int(format.sampleRate), channels: Int(format.channelCount), streamJSON: streamJSON)
    }
}

extension Session {
    /// Pushes a buffer where it lies: floats, 16 or 32 bits, interleaved or not, of the session's rate and channels.
    @discardableResult
    public func push(_ buffer: AVAudioPCMBuffer) throws(AuricleError) -> Bool {
        guard Int(buffer.format.channelCount) == channels, Int(buffer.format.sampleRate) == sampleRate else {
            throw AuricleError(
                .invalidArgument,
                "the buffer has \(buffer.format.channelCount) channels at \(buffer.format.sampleRate) Hz; "
                    + "the session takes \(channels) at \(sampleRate)")
        }
        if let data = buffer.floatChannelData { return try push(data, of: buffer) }
        if let data = buffer.int16ChannelData { return try push(data, of: buffer) }
        if let data = buffer.int32ChannelData { return try push(data, of: buffer) }
        throw AuricleError(.invalidArgument, "the buffer's samples are not floats of 32 bits, nor integers of 16 or 32")
    }

    private func push<S: Sample>(
        _ data: UnsafePointer<UnsafeMutablePointer<S>>, of buffer: AVAudioPCMBuffer
    ) throws(AuricleError) -> Bool {
        let frames = Int(buffer.frameLength)
        return buffer.format.isInterleaved
            ? try push(UnsafeBufferPointer(start: data[0], count: frames * channels)) : try push(planar: data, frames: frames)
    }

    /// Pushes what a node gives out, until its tap is removed. What the node has lost, by its own clock, becomes a gap.
    /// `failed` is called on the node's thread, for each buffer that cannot be pushed: after `finish` and `close`, and when the
    /// device has changed its format.
    public func installTap(
        on node: AVAudioNode, bus: AVAudioNodeBus = 0, bufferSize: AVAudioFrameCount = 4096,
        failed: (@Sendable (AuricleError) -> Void)? = nil
    ) {
        let clock = Clock()
        node.installTap(onBus: bus, bufferSize: bufferSize, format: nil) { buffer, time in
            do throws(AuricleError) {
                let lost = clock.lost(before: buffer, at: time)
                if lost > 0 { try self.gap(lost) }
                try self.push(buffer)
            } catch {
                failed?(error)
            }
        }
    }

    /// What the source's clock says comes next. `@unchecked Sendable`: the node calls its tap on one thread at a time.
    private final class Clock: @unchecked Sendable {
        private var next: AVAudioFramePosition?

        func lost(before buffer: AVAudioPCMBuffer, at time: AVAudioTime) -> Int64 {
            guard time.isSampleTimeValid else { return 0 }
            let lost = next.map { max(0, time.sampleTime - $0) } ?? 0
            next = time.sampleTime + AVAudioFramePosition(buffer.frameLength)
            return lost
        }
    }
}

extension Clip {
    /// A buffer of floats or 16 bits. Channels that lie apart are put together: the one copy there is.
    public init(_ buffer: AVAudioPCMBuffer) throws(AuricleError) {
        if let data = buffer.floatChannelData {
            self.init(Self.interleaved(data, of: buffer), buffer)
        } else if let data = buffer.int16ChannelData {
            self.init(Self.interleaved(data, of: buffer), buffer)
        } else {
            throw AuricleError(.invalidArgument, "the buffer's samples are not floats of 32 bits, nor integers of 16")
        }
    }

    /// Any file that AVFoundation reads.
    public init(contentsOf url: URL) throws {
        let file = try AVAudioFile(forReading: url)
        guard let frames = AVAudioFrameCount(exactly: file.length),
            let buffer = AVAudioPCMBuffer(pcmFormat: file.processingFormat, frameCapacity: frames)
        else { throw AuricleError(.memory, "no memory for the \(file.length) frames of \(url.lastPathComponent)") }
        try file.read(into: buffer)
        try self.init(buffer)
    }

    private init<S: Sample>(_ samples: [S], _ buffer: AVAudioPCMBuffer) {
        self.init(samples, sampleRate: Int(buffer.format.sampleRate), channels: Int(buffer.format.channelCount))
    }

    private static func interleaved<S: Sample>(
        _ data: UnsafePointer<UnsafeMutablePointer<S>>, of buffer: AVAudioPCMBuffer
    ) -> [S] {
        let (frames, channels) = (Int(buffer.frameLength), Int(buffer.format.channelCount))
        guard !buffer.format.isInterleaved else { return Array(UnsafeBufferPointer(start: data[0], count: frames * channels)) }
        return [S](unsafeUninitializedCapacity: frames * channels) { place, count in
            for channel in 0..<channels {
                for frame in 0..<frames {
                    place.initializeElement(at: frame * channels + channel, to: data[channel][frame])
                }
            }
            count = frames * channels
        }
    }
}
#endif
