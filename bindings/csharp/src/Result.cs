#nullable enable

using System;

namespace Auricle
{
    /// <summary>
    /// One window: where it lies in the stream, and what state its audio is in. Frames are the program's, as it pushed them,
    /// counted from 0. Levels, and the counts of clipped and non-finite frames, are taken in stretches of 10 ms: those that end
    /// in the window. See auricle_result.
    /// </summary>
    public readonly struct Result
    {
        readonly Native.auricle_result of;
        readonly float[]? scores;

        internal Result(in Native.auricle_result of, float[]? scores) => (this.of, this.scores) = (of, scores);

        /// <summary>One score for each class; empty where the read wrote them into a span of the program.</summary>
        public float[] Scores => scores ?? Array.Empty<float>();

        /// <summary>Whether the RMS is below -80 dBFS.</summary>
        public bool Silent => of.silent != 0;

        /// <summary>First frame of the window.</summary>
        public long FirstFrame => (long)of.first_frame;

        /// <summary>One past its last frame.</summary>
        public long EndFrame => (long)of.end_frame;

        /// <summary>Number of the window on the grid of hops. A window that lies wholly in a gap is left out, its number too.</summary>
        public long Sequence => (long)of.sequence;

        /// <summary>Highest absolute sample over all channels, dBFS; minus infinity for digital silence.</summary>
        public float PeakDbfs => of.peak_dbfs;

        /// <summary>Root mean square of the mono signal, dBFS; minus infinity for digital silence.</summary>
        public float RmsDbfs => of.rms_dbfs;

        /// <summary>Mean of the mono signal, full scale 1.0. Far from 0 means a faulty source.</summary>
        public float DcOffset => of.dc_offset;

        /// <summary>Whether the inference took longer than a hop: the machine cannot keep up with the stream.</summary>
        public bool Late => of.late != 0;

        /// <summary>Frames with a sample at full scale: the source was too loud.</summary>
        public long ClippedFrames => (long)of.clipped_frames;

        /// <summary>Frames with a sample that was NaN, infinite or absurd, and was taken as 0.</summary>
        public long NonFiniteFrames => (long)of.non_finite_frames;

        /// <summary>Frames of the window lost because the ring was full, taken as silence: exact.</summary>
        public long DroppedFrames => (long)of.dropped_frames;

        /// <summary>Frames of the window that lie in gaps, taken as silence: exact.</summary>
        public long GapFrames => (long)of.gap_frames;

        /// <summary>How long ONNX Runtime took, nanoseconds.</summary>
        public long InferenceNanoseconds => (long)of.inference_nanoseconds;

        /// <summary>Estimate of the steady noise of the last 5 seconds, dBFS; minus infinity for digital silence.</summary>
        public float NoiseFloorDbfs => of.noise_floor_dbfs;

        /// <summary>Power of the window above the noise floor, to the noise floor, dB; minus infinity if nothing is above it.</summary>
        public float SnrDb => of.snr_db;
    }

    /// <summary>
    /// A sound from its onset to its offset. It is reported twice with the same id: provisional as soon as its class is on for
    /// long enough, final once it is over. Frames are the program's. See auricle_event.
    /// </summary>
    public readonly struct Event
    {
        readonly Native.auricle_event of;

        internal Event(in Native.auricle_event of) => this.of = of;

        /// <summary>Whether the event is over and will not change any more.</summary>
        public bool IsFinal => of.is_final != 0;

        /// <summary>Number of the event in its stream, from 1.</summary>
        public long Id => (long)of.id;

        /// <summary>Index of the class: Model.Labels.</summary>
        public int ClassIndex => (int)of.class_index;

        /// <summary>First frame of the sound, to about a hop.</summary>
        public long OnsetFrame => (long)of.onset_frame;

        /// <summary>One past its last frame, to about a hop; of a provisional event, how far it has been heard.</summary>
        public long OffsetFrame => (long)of.offset_frame;

        /// <summary>End of the window that decided it.</summary>
        public long DecidedFrame => (long)of.decided_frame;

        /// <summary>Highest score of its windows.</summary>
        public float PeakScore => of.peak_score;

        /// <summary>Mean score of its windows.</summary>
        public float MeanScore => of.mean_score;

        /// <summary>Events that were given up just before this one, because 256 of them waited.</summary>
        public long LostBefore => (long)of.lost_before;
    }
}
