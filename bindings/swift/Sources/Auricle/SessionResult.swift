import CAuricle

extension Session {
    /// One window: its scores, where it lies in the stream, and what state its audio is in. Frames are the program's, as it pushed
    /// them, counted from 0; the delays of conversion and features are taken out. Levels, and the counts of clipped and non-finite
    /// frames, are taken in stretches of 10 ms: those that end in the window.
    public struct Result: Hashable, Sendable {
        /// One for each class; none if they were not asked for.
        public var scores: [Float]
        /// Whether the RMS is below -80 dBFS.
        public let silent: Bool
        /// First frame of the window.
        public let firstFrame: Int64
        /// One past its last frame.
        public let endFrame: Int64
        /// Number of the window on the grid of hops. A window that lies wholly in a gap is left out, its number too.
        public let sequence: Int64
        /// Highest absolute sample over all channels, dBFS; minus infinity for digital silence.
        public let peakDBFS: Float
        /// Root mean square of the mono signal, dBFS; minus infinity for digital silence.
        public let rmsDBFS: Float
        /// Mean of the mono signal, full scale 1.0. Far from 0 means a faulty source.
        public let dcOffset: Float
        /// Whether the inference took longer than a hop: the machine cannot keep up with the stream.
        public let late: Bool
        /// Frames with a sample at full scale: the source was too loud.
        public let clippedFrames: Int64
        /// Frames with a sample that was NaN, infinite or absurd, and was taken as 0.
        public let nonFiniteFrames: Int64
        /// Frames of the window lost because the ring was full. They were taken as silence.
        public let droppedFrames: Int64
        /// Frames of the window that lie in gaps. They were taken as silence.
        public let gapFrames: Int64
        /// How long ONNX Runtime took, nanoseconds.
        public let inferenceNanoseconds: Int64
        /// Estimate of the steady noise of the last 5 seconds, dBFS; minus infinity for digital silence.
        public let noiseFloorDBFS: Float
        /// Power of the window above the noise floor, to the noise floor, dB; minus infinity if nothing is above it.
        public let snrDB: Float

        init(_ c: auricle_result) {
            scores = []
            silent = c.silent != 0
            firstFrame = Int64(clamping: c.first_frame)
            endFrame = Int64(clamping: c.end_frame)
            sequence = Int64(clamping: c.sequence)
            peakDBFS = c.peak_dbfs
            rmsDBFS = c.rms_dbfs
            dcOffset = c.dc_offset
            late = c.late != 0
            clippedFrames = Int64(clamping: c.clipped_frames)
            nonFiniteFrames = Int64(clamping: c.non_finite_frames)
            droppedFrames = Int64(clamping: c.dropped_frames)
            gapFrames = Int64(clamping: c.gap_frames)
            inferenceNanoseconds = Int64(clamping: c.inference_nanoseconds)
            noiseFloorDBFS = c.noise_floor_dbfs
            snrDB = c.snr_db
        }
    }
}
