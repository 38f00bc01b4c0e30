package auricle

import java.nio.ByteBuffer
import java.nio.ByteOrder

// Where the members of the structs of include/auricle.h lie. Pointers are at the end of a struct, after numbers, so that their
// size is all that differs from one machine to the other.

internal object ProviderLayout {
    const val NEED = 4
    const val NAME = 8
    val OPTIONS_JSON = NAME + Native.pointer
    val SIZE = whole(OPTIONS_JSON + Native.pointer)
}

internal object ModelOptionsLayout {
    const val THREADS = 4
    const val SELF_CHECK = 8
    const val MAX_BATCH = 12
    const val CANCEL = 16
    val PROVIDERS = CANCEL + Native.pointer
    val PROVIDER_COUNT = PROVIDERS + Native.pointer

    // Set by the native method, which is given an object to call.
    val PROGRESS = PROVIDER_COUNT + Native.pointer
    val USER = PROGRESS + Native.pointer
    val SHARED_POOL = USER + Native.pointer
    val RESERVED = SHARED_POOL + 4
    val SIZE = whole(RESERVED + 4)
}

internal object RuntimeOptionsLayout {
    const val SHARED_THREADS = 4
    const val KNOWN_ONLY = 8
    const val RESERVED = 12

    // Not set: a thread of ONNX Runtime's would have to become one of Java's.
    const val THREAD_START = 16
    val USER = THREAD_START + Native.pointer
    val SIZE = whole(USER + Native.pointer)
}

internal object ClipOptionsLayout {
    const val CHANNEL = 4
    const val HOP_SECONDS = 8
    const val CANCEL = 16
    val OUTPUT = CANCEL + Native.pointer
    val RESERVED = OUTPUT + 4
    val SIZE = whole(RESERVED + 4)
}

internal object SessionOptionsLayout {
    const val SAMPLE_RATE = 4
    const val CHANNELS = 8
    const val MAX_WINDOWS_PER_READ = 12
    const val HOP_SECONDS = 16
    const val RING_SECONDS = 24
    const val OVERFLOW = 32
    const val CHANNEL = 36
    const val STREAM_JSON = 40
    val SIZE = whole(STREAM_JSON + Native.pointer)
}

internal object ResultLayout {
    const val SILENT = 4
    const val FIRST_FRAME = 8
    const val END_FRAME = 16
    const val SEQUENCE = 24
    const val PEAK_DBFS = 32
    const val RMS_DBFS = 36
    const val DC_OFFSET = 40
    const val LATE = 44
    const val CLIPPED_FRAMES = 48
    const val NON_FINITE_FRAMES = 56
    const val DROPPED_FRAMES = 64
    const val GAP_FRAMES = 72
    const val INFERENCE_NANOSECONDS = 80
    const val NOISE_FLOOR_DBFS = 88
    const val SNR_DB = 92
    const val SIZE = 96
}

internal object EventLayout {
    const val IS_FINAL = 4
    const val ID = 8
    const val CLASS_INDEX = 16
    const val ONSET_FRAME = 24
    const val OFFSET_FRAME = 32
    const val DECIDED_FRAME = 40
    const val PEAK_SCORE = 48
    const val MEAN_SCORE = 52
    const val LOST_BEFORE = 56
    const val SIZE = 64
}

internal object OutputLayout {
    const val KIND = 4
    const val SIZE_OF_RESULT = 8
    const val HOP_SECONDS = 16
    const val SIZE = 24
}

/** Sizes are whole multiples of 8. A struct that C has shorter ends in zeros, which the library takes for unset options. */
private fun whole(size: Int) = (size + 7) / 8 * 8

/** Zeros in native memory, in this machine's order of bytes. */
internal fun memory(size: Int): ByteBuffer = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder())

/** A struct that knows its own size. */
internal fun struct(size: Int): ByteBuffer = memory(size).putInt(0, size)

internal fun ByteBuffer.putPointer(offset: Int, address: Long) {
    if (Native.pointer == 8) putLong(offset, address) else putInt(offset, address.toInt())
}

internal fun ByteBuffer.getPointer(offset: Int): Long = if (Native.pointer == 8) getLong(offset) else getInt(offset).toLong()

/** UTF-8 with a NUL at its end; null for null. */
internal fun text(text: String?, name: String): ByteBuffer? {
    if (text == null) return null
    require('\u0000' !in text) { "$name has a NUL at ${text.indexOf('\u0000')}" }
    val bytes = text.toByteArray()
    return memory(bytes.size + 1).also { it.put(bytes) }
}

/** What a buffer of the library's says, copied. */
internal fun ByteBuffer?.text(): String = if (this == null) "" else Charsets.UTF_8.decode(this).toString()
