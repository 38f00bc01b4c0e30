package auricle

import java.nio.ByteBuffer

/**
 * The functions of include/auricle.h, by the native methods in src/ffi/jni: handles are numbers, structs and texts lie in
 * direct buffers, a status comes back as it is. tests/HeaderTest.kt compares what is here with the header.
 */
internal object Native {
    /** AURICLE_ABI_VERSION of the header that the layouts were written from. */
    const val ABI_VERSION = 1

    init {
        System.loadLibrary("auricle")
        val has = abiVersion()
        if (has != ABI_VERSION) {
            throw UnsatisfiedLinkError("the Auricle library has the binary interface $has; these classes were made for $ABI_VERSION")
        }
    }

    /** Size of a pointer, bytes. */
    val pointer = pointerSize()

    @JvmStatic external fun abiVersion(): Int
    @JvmStatic external fun pointerSize(): Int
    @JvmStatic external fun version(): ByteBuffer
    @JvmStatic external fun statusText(status: Int): ByteBuffer
    @JvmStatic external fun lastError(): ByteBuffer
    @JvmStatic external fun address(buffer: ByteBuffer): Long
    @JvmStatic external fun runtimeOpenWith(library: ByteBuffer?, options: ByteBuffer): Int

    @JvmStatic external fun cancelCreate(out: ByteBuffer): Int
    @JvmStatic external fun cancelRequest(cancel: Long): Int
    @JvmStatic external fun cancelFree(cancel: Long)

    @JvmStatic
    external fun modelLoad(path: ByteBuffer, options: ByteBuffer, keep: Any?, progress: Any?, out: ByteBuffer): Int

    @JvmStatic
    external fun modelLoadMemory(
        onnx: ByteBuffer, size: Long, manifest: ByteBuffer?, options: ByteBuffer, keep: Any?, progress: Any?, out: ByteBuffer,
    ): Int

    @JvmStatic external fun modelFree(model: Long)
    @JvmStatic external fun modelClassCount(model: Long): Long
    @JvmStatic external fun modelSampleRate(model: Long): Int
    @JvmStatic external fun modelDescribe(model: Long, json: ByteBuffer?, capacity: Long, needed: ByteBuffer): Int
    @JvmStatic external fun modelOutputCount(model: Long): Long
    @JvmStatic external fun modelOutput(model: Long, index: Long, output: ByteBuffer): Int
    @JvmStatic external fun modelOutputName(model: Long, index: Long): ByteBuffer?
    @JvmStatic external fun modelOutputLabel(model: Long, index: Long, k: Long): ByteBuffer?

    @JvmStatic
    external fun classify(
        model: Long, format: Int, samples: ByteBuffer, offset: Long, frames: Long, channels: Int, sampleRate: Int,
        options: ByteBuffer, values: ByteBuffer, capacity: Long,
    ): Int

    @JvmStatic external fun sessionCreate(model: Long, options: ByteBuffer, keep: Any?, out: ByteBuffer): Int
    @JvmStatic external fun sessionReset(session: Long): Int
    @JvmStatic external fun sessionFree(session: Long)
    @JvmStatic external fun sessionPushArray(session: Long, format: Int, array: Any, offset: Long, frames: Long): Int
    @JvmStatic external fun sessionPushBuffer(session: Long, format: Int, buffer: ByteBuffer, offset: Long, frames: Long): Int
    @JvmStatic external fun sessionGap(session: Long, lostFrames: Long): Int
    @JvmStatic external fun sessionFinish(session: Long): Int
    @JvmStatic external fun sessionRead(session: Long, result: ByteBuffer): Int
    @JvmStatic external fun sessionOutput(session: Long, index: Long, values: Any, capacity: Long): Int
    @JvmStatic external fun sessionReadEvent(session: Long, event: ByteBuffer): Int
    @JvmStatic external fun sessionWait(session: Long, timeoutMs: Int): Int
    @JvmStatic external fun sessionCancel(session: Long): Int
    @JvmStatic external fun sessionPending(session: Long): Long
}
