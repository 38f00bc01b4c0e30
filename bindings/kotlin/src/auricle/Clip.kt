package auricle

import java.nio.ByteBuffer

/** How the samples of a buffer of bytes are stored. */
enum class SampleFormat(internal val number: Int, internal val size: Int) {
    /** Unsigned 8 bit, 128 is silence. */
    U8(1, 1),

    /** Signed 16 bit. */
    I16(2, 2),

    /** Signed 24 bit, packed into 3 bytes, little-endian. */
    I24(3, 3),

    /** Signed 32 bit. */
    I32(4, 4),

    /** Float, full scale 1.0. */
    F32(5, 4),

    /** Double, full scale 1.0. */
    F64(6, 8),
}

/**
 * A recording in memory. [samples] is a direct buffer, of which what remains is taken where it lies; arrays are copied into one,
 * once. [channels] is 1 to 8, [sampleRate] 1000 to 384000 Hz.
 */
class Clip(samples: ByteBuffer, val format: SampleFormat, val channels: Int, val sampleRate: Int) {
    internal val samples: ByteBuffer = samples.also { require(it.isDirect) { "the buffer is not direct" } }
    internal val offset = samples.position()

    /** How many frames it has. */
    val frames: Int = frames(samples.remaining(), format.size, channels)

    /** Interleaved floats, full scale 1.0. */
    constructor(samples: FloatArray, channels: Int, sampleRate: Int) :
        this(memory(frames(samples.size, 1, channels) * channels * 4).also { it.asFloatBuffer().put(samples) }, SampleFormat.F32, channels, sampleRate)

    /** Interleaved 16-bit samples. */
    constructor(samples: ShortArray, channels: Int, sampleRate: Int) :
        this(memory(frames(samples.size, 1, channels) * channels * 2).also { it.asShortBuffer().put(samples) }, SampleFormat.I16, channels, sampleRate)
}

/** Whole frames of `length` units, of which a sample has `size`. */
internal fun frames(length: Int, size: Int, channels: Int): Int {
    require(channels in 1..8) { "channels is $channels; valid 1 to 8" }
    require(length % (size * channels) == 0) { "there are $length elements, no multiple of ${size * channels}, which is one frame" }
    return length / (size * channels)
}
