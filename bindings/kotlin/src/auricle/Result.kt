package auricle

import java.nio.ByteBuffer

/**
 * One window: its scores, where it lies in the stream, and what state its audio is in. Frames are the program's, as it pushed
 * them, counted from 0. Levels, and the counts of clipped and non-finite frames, are taken in stretches of 10 ms: those that end
 * in the window. See auricle_result.
 */
class Result internal constructor(
    /** One score for each class; empty where they were not asked for. */
    val scores: FloatArray,
    from: ByteBuffer,
) {
    /** Whether the RMS is below -80 dBFS. */
    val silent: Boolean = from.getInt(ResultLayout.SILENT) != 0

    /** First frame of the window. */
    val firstFrame: Long = from.getLong(ResultLayout.FIRST_FRAME)

    /** One past its last frame. */
    val endFrame: Long = from.getLong(ResultLayout.END_FRAME)

    /** Number of the window on the grid of hops. A window that lies wholly in a gap is left out, its number too. */
    val sequence: Long = from.getLong(ResultLayout.SEQUENCE)

    /** Highest absolute sample over all channels, dBFS; minus infinity for digital silence. */
    val peakDbfs: Float = from.getFloat(ResultLayout.PEAK_DBFS)

    /** Root mean square of the mono signal, dBFS; minus infinity for digital silence. */
    val rmsDbfs: Float = from.getFloat(ResultLayout.RMS_DBFS)

    /** Mean of the mono signal, full scale 1.0. Far from 0 means a faulty source. */
    val dcOffset: Float = from.getFloat(ResultLayout.DC_OFFSET)

    /** Whether the inference took longer than a hop: the machine cannot keep up with the stream. */
    val late: Boolean = from.getInt(ResultLayout.LATE) != 0

    /** Frames with a sample at full scale: the source was too loud. */
    val clippedFrames: Long = from.getLong(ResultLayout.CLIPPED_FRAMES)

    /** Frames with a sample that was NaN, infinite or absurd, and was taken as 0. */
    val nonFiniteFrames: Long = from.getLong(ResultLayout.NON_FINITE_FRAMES)

    /** Frames of the window lost because the ring was full, taken as silence: exact. */
    val droppedFrames: Long = from.getLong(ResultLayout.DROPPED_FRAMES)

    /** Frames of the window that lie in gaps, taken as silence: exact. */
    val gapFrames: Long = from.getLong(ResultLayout.GAP_FRAMES)

    /** How long ONNX Runtime took, nanoseconds. */
    val inferenceNanoseconds: Long = from.getLong(ResultLayout.INFERENCE_NANOSECONDS)

    /** Estimate of the steady noise of the last 5 seconds, dBFS; minus infinity for digital silence. */
    val noiseFloorDbfs: Float = from.getFloat(ResultLayout.NOISE_FLOOR_DBFS)

    /** Power of the window above the noise floor, to the noise floor, dB; minus infinity if nothing is above it. */
    val snrDb: Float = from.getFloat(ResultLayout.SNR_DB)
}

/**
 * A sound from its onset to its offset. It is reported twice with the same id: provisional as soon as its class is on for long
 * enough, final once it is over. Frames are the program's. See auricle_event.
 */
class Event internal constructor(from: ByteBuffer) {
    /** Whether the event is over and will not change any more. */
    val isFinal: Boolean = from.getInt(EventLayout.IS_FINAL) != 0

    /** Number of the event in its stream, from 1. */
    val id: Long = from.getLong(EventLayout.ID)

    /** Index of the class: [Model.labels]. */
    val classIndex: Int = from.getLong(EventLayout.CLASS_INDEX).toInt()

    /** First frame of the sound, to about a hop. */
    val onsetFrame: Long = from.getLong(EventLayout.ONSET_FRAME)

    /** One past its last frame, to about a hop; of a provisional event, how far it has been heard. */
    val offsetFrame: Long = from.getLong(EventLayout.OFFSET_FRAME)

    /** End of the window that decided it. */
    val decidedFrame: Long = from.getLong(EventLayout.DECIDED_FRAME)

    /** Highest score of its windows. */
    val peakScore: Float = from.getFloat(EventLayout.PEAK_SCORE)

    /** Mean score of its windows. */
    val meanScore: Float = from.getFloat(EventLayout.MEAN_SCORE)

    /** Events that were given up just before this one, because 256 of them waited. */
    val lostBefore: Long = from.getLong(EventLayout.LOST_BEFORE)
}
