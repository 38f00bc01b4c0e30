import CAuricle

/// A sound from its onset to its offset. It is reported twice with the same id: provisional as soon as its class is on for long
/// enough, and final once it is over. Frames are the program's.
public struct Event: Hashable, Sendable, Identifiable {
    /// Whether the event is over and will not change any more.
    public let isFinal: Bool
    /// Number of the event in its stream, from 1.
    public let id: UInt64
    /// Index of the class: `Model.labels`.
    public let classIndex: Int
    /// First frame of the sound, to about a hop.
    public let onsetFrame: Int64
    /// One past its last frame, to about a hop; of a provisional event, how far it has been heard.
    public let offsetFrame: Int64
    /// End of the window that decided it.
    public let decidedFrame: Int64
    /// Highest score of its windows.
    public let peakScore: Float
    /// Mean score of its windows.
    public let meanScore: Float
    /// Events that were given up just before this one, because 256 of them waited.
    public let lostBefore: Int64

    init(_ c: auricle_event) {
        isFinal = c.is_final != 0
        id = c.id
        classIndex = Int(clamping: c.class_index)
        onsetFrame = Int64(clamping: c.onset_frame)
        offsetFrame = Int64(clamping: c.offset_frame)
        decidedFrame = Int64(clamping: c.decided_frame)
        peakScore = c.peak_score
        meanScore = c.mean_score
        lostBefore = Int64(clamping: c.lost_before)
    }
}
