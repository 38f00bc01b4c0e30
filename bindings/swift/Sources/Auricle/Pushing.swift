import AuricleCalls
import CAuricle
import Foundation

/// The pushing half of a session, made for audio callbacks: nothing here blocks, locks or allocates, but an error puts its
/// sentence together. A push returns whether every frame found room. If one did not, the ring was full: read more often, or ask
/// for a longer one. The stream goes on, and its clock counts the lost frames.
extension Session {
    /// Pushes interleaved samples: an array, a slice, an `UnsafeBufferPointer`. Only what does not lie in one piece is copied.
    /// Samples that are NaN or infinite are taken as 0 and counted in the result.
    @discardableResult
    public func push<Samples: Collection>(_ samples: Samples) throws(AuricleError) -> Bool where Samples.Element: Sample {
        let format = Samples.Element.format
        let frames = try format.frames(bytes: samples.count * format.size, channels: channels)
        let session = try handle.enter(AURICLE_CALL_PUSH)
        defer { handle.leave(AURICLE_CALL_PUSH) }
        let status = samples.withContiguousStorageIfAvailable {
            auricle_session_push_bytes(session, format.number, $0.baseAddress, frames)
        }
        return try allIn(status ?? auricle_session_push_bytes(session, format.number, Array(samples), frames))
    }

    /// Pushes interleaved samples as bytes: `Data`, or samples in 24 bits.
    @discardableResult
    public func push(bytes: some ContiguousBytes, format: SampleFormat) throws(AuricleError) -> Bool {
        let frames = try format.frames(bytes: bytes.withUnsafeBytes(\.count), channels: channels)
        let session = try handle.enter(AURICLE_CALL_PUSH)
        defer { handle.leave(AURICLE_CALL_PUSH) }
        return try allIn(bytes.withUnsafeBytes { auricle_session_push_bytes(session, format.number, $0.baseAddress, frames) })
    }

    /// Pushes `frames` frames that lie in one array for each channel, as `AVAudioPCMBuffer.floatChannelData` has them.
    @discardableResult
    public func push<S: Sample>(planar channels: UnsafePointer<UnsafeMutablePointer<S>>, frames: Int) throws(AuricleError) -> Bool {
        let frames: UInt = try narrow("frames", frames)
        let session = try handle.enter(AURICLE_CALL_PUSH)
        defer { handle.leave(AURICLE_CALL_PUSH) }
        let pointers = UnsafeRawPointer(channels).assumingMemoryBound(to: UnsafeRawPointer?.self)
        return try allIn(auricle_session_push_planar_bytes(session, S.format.number, pointers, Int(bitPattern: frames)))
    }

    /// Says that the source lost `lostFrames` frames here (an overrun of the device, a lost packet). The clock goes on by as many,
    /// and `gapFrames` of the results that they touch counts them.
    public func gap(_ lostFrames: Int64) throws(AuricleError) {
        guard let lost = UInt64(exactly: lostFrames) else {
            throw AuricleError(.invalidArgument, "lostFrames is \(lostFrames); valid 0 to \(Int64.max)")
        }
        let session = try handle.enter(AURICLE_CALL_PUSH)
        defer { handle.leave(AURICLE_CALL_PUSH) }
        try check(auricle_session_gap(session, lost))
    }

    /// Says that no more input comes. Reads go on to the end of the audio; `results` and `events` then end. Twice is fine.
    public func finish() throws(AuricleError) {
        let session = try handle.enter(AURICLE_CALL_PUSH)
        defer { handle.leave(AURICLE_CALL_PUSH) }
        try check(auricle_session_finish(session))
    }

    private func allIn(_ status: auricle_status) throws(AuricleError) -> Bool {
        try check(status) != AURICLE_DROPPED
    }
}
