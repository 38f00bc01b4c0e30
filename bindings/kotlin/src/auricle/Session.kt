package auricle

import java.nio.ByteBuffer

/** What is lost when the ring is full. */
enum class Overflow(internal val number: Int) {
    /** The frames pushed last. */
    DROP_NEWEST(1),

    /** The frames that have waited longest. */
    DROP_OLDEST(2),
}

/** How a session is set up; what is left alone is the default. */
class SessionOptions(
    /** Rate of the audio that will be pushed, Hz; 1000 to 384000; 0: the model's. */
    val sampleRate: Int = 0,
    /** Channels of that audio, 1 to 8. */
    val channels: Int = 1,
    /** After so many windows in a row a read gives none although more is waiting; 0: no limit. */
    val maxWindowsPerRead: Int = 0,
    /** Distance between windows, seconds; 0: the one in [streamJson], else the manifest's. */
    val hopSeconds: Double = 0.0,
    /** How much audio can wait between push and read, seconds, one frame to 600; 0: 2. */
    val ringSeconds: Double = 0.0,
    /** What is lost when the ring is full. */
    val overflow: Overflow = Overflow.DROP_NEWEST,
    /** The channel that is heard, counted from 1; 0: the mean of all. */
    val channel: Int = 0,
    /** Smoothing and events of this stream in place of the manifest's, JSON: `{ "events": { "on": 0.6 } }`. */
    val streamJson: String? = null,
)

/**
 * One audio stream of a model, which may be closed at once. One thread may push (and call [gap] and [finish]) while another one
 * reads (and calls [readEvent] and [await]); [cancel], [pending] and [close] are for any thread. A second thread in the same half
 * gets [Status.INVALID_STATE]. How the audio is cut into pieces never changes a score. See auricle_session_create.
 */
class Session(model: Model, options: SessionOptions = SessionOptions()) : AutoCloseable {
    private val sizes = model.outputs.map { it.size }
    private val handle: Handle

    // Of the reading half, so that reading allocates only what it gives.
    private val result = struct(ResultLayout.SIZE)
    private val event = struct(EventLayout.SIZE)

    /** Channels of the audio that is pushed. */
    val channels: Int = options.channels

    /** Whether the stream was finished and everything has been read. */
    @Volatile
    var ended: Boolean = false
        private set

    init {
        frames(0, 1, channels)
        val given = struct(SessionOptionsLayout.SIZE)
        given.putInt(SessionOptionsLayout.SAMPLE_RATE, unsigned(options.sampleRate, "sampleRate"))
        given.putInt(SessionOptionsLayout.CHANNELS, channels)
        given.putInt(SessionOptionsLayout.MAX_WINDOWS_PER_READ, unsigned(options.maxWindowsPerRead, "maxWindowsPerRead"))
        given.putDouble(SessionOptionsLayout.HOP_SECONDS, options.hopSeconds)
        given.putDouble(SessionOptionsLayout.RING_SECONDS, options.ringSeconds)
        given.putInt(SessionOptionsLayout.OVERFLOW, options.overflow.number)
        given.putInt(SessionOptionsLayout.CHANNEL, unsigned(options.channel, "channel"))
        val json = text(options.streamJson, "streamJson")
        if (json != null) given.putPointer(SessionOptionsLayout.STREAM_JSON, Native.address(json))
        val out = memory(8)
        model.handle.use { checked(Native.sessionCreate(it, given, json, out)) }
        handle = Handle("session", out.getPointer(0), Native::sessionFree)
    }

    // Pushing: never blocks and allocates nothing.

    /**
     * Pushes interleaved floats, full scale 1.0, where they lie: [count] of them from [offset] on. False: the ring was full, and
     * frames were lost; the stream goes on, and `droppedFrames` of the results that they touch counts them. The pushing thread.
     * See auricle_session_push_f32.
     */
    @JvmOverloads
    fun push(samples: FloatArray, offset: Int = 0, count: Int = samples.size - offset): Boolean =
        pushArray(samples, samples.size, SampleFormat.F32, offset, count)

    /** Pushes interleaved 16-bit samples. Otherwise as above. */
    @JvmOverloads
    fun push(samples: ShortArray, offset: Int = 0, count: Int = samples.size - offset): Boolean =
        pushArray(samples, samples.size, SampleFormat.I16, offset, count)

    /** Pushes interleaved samples of any format, what remains in a direct buffer, whose position stays. Otherwise as above. */
    fun push(samples: ByteBuffer, format: SampleFormat): Boolean {
        require(samples.isDirect) { "the buffer is not direct" }
        val count = frames(samples.remaining(), format.size, channels).toLong()
        val offset = samples.position().toLong()
        return handle.use { checked(Native.sessionPushBuffer(it, format.number, samples, offset, count)) } == 0
    }

    private fun pushArray(samples: Any, size: Int, format: SampleFormat, offset: Int, count: Int): Boolean {
        if (offset < 0 || count < 0 || offset > size - count) {
            throw IndexOutOfBoundsException("$count samples from $offset on, of $size")
        }
        val frames = frames(count, 1, channels).toLong()
        val bytes = offset.toLong() * format.size
        return handle.use { checked(Native.sessionPushArray(it, format.number, samples, bytes, frames)) } == 0
    }

    /** Says that the source lost frames here (an overrun of the device, a lost packet). The pushing thread. */
    fun gap(lostFrames: Long) {
        require(lostFrames >= 0) { "lostFrames is $lostFrames; it must not be negative" }
        handle.use { checked(Native.sessionGap(it, lostFrames)) }
    }

    /** Says that no more input comes. Reads go on to the end of the audio; then [ended] is true. The pushing thread. */
    fun finish() {
        handle.use { checked(Native.sessionFinish(it)) }
    }

    // Reading: does the work.

    /**
     * Does the work that is due and gives the next window, its scores in [scores], which has one for each class, or in a new array.
     * Null: there is not enough audio for it yet, `maxWindowsPerRead` was reached, or (see [ended]) the stream is over. The reading
     * thread. See auricle_session_read.
     */
    @JvmOverloads
    fun read(scores: FloatArray? = null): Result? {
        if (!step()) return null
        val values = scores ?: FloatArray(sizes[0])
        output(0, values)
        return Result(values, result)
    }

    /** The same without scores: for programs that want events alone. True: there was a window. */
    internal fun step(): Boolean {
        val status = handle.use { checked(Native.sessionRead(it, result)) }
        if (status == 0) return true
        ended = status == Status.END.number
        return false
    }

    /** Gives the next event that the windows read so far have made; null: none is waiting. The reading thread. */
    fun readEvent(): Event? =
        if (handle.use { checked(Native.sessionReadEvent(it, event)) } == 0) Event(event) else null

    /** Writes the values of an output for the result that the last read gave. The reading thread, before it reads or waits again. */
    fun output(index: Int, values: FloatArray): FloatArray {
        handle.use { checked(Native.sessionOutput(it, unsigned(index, "index").toLong(), values, values.size.toLong())) }
        return values
    }

    /**
     * Waits until a read has something to give: true; or until the time is over: false. It may answer a few milliseconds late, and
     * up to 50 ms after [finish]. The reading thread; [cancel] and [close] end it.
     */
    fun await(timeoutMs: Int): Boolean = handle.use { checked(Native.sessionWait(it, unsigned(timeoutMs, "timeoutMs"))) } == 0

    // Any thread.

    /** How many frames were pushed and have not been read yet. */
    val pending: Long
        get() {
            val frames = handle.use(Native::sessionPending)
            if (frames < 0) checked(frames.toInt())
            return frames
        }

    /** Ends waits and reads, with CancellationException, until [reset]. */
    fun cancel() {
        handle.use { checked(Native.sessionCancel(it)) }
    }

    /** Forgets the stream: the next frame pushed is frame 0. When neither half is running. */
    fun reset() {
        handle.use { checked(Native.sessionReset(it)) }
        ended = false
    }

    /** Ends the stream, and a read or wait of another thread. Twice is fine. */
    override fun close() {
        try {
            cancel()
        } catch (_: IllegalStateException) {
            return // another thread was first
        }
        handle.close()
    }

    internal val isClosed: Boolean get() = handle.isClosed
}
