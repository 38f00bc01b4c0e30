package auricle.android

import android.media.AudioFormat
import android.media.AudioRecord
import android.media.MediaRecorder
import auricle.Session
import kotlin.concurrent.thread

/**
 * Pushes what the microphone hears into a session of one channel, from a thread of its own, until [close]. The app has the permission
 * RECORD_AUDIO. [onError] is told, on that thread, what ended it otherwise: a status of [AudioRecord], or an exception of
 * [Session.push].
 */
class Microphone(
    private val session: Session,
    /** Rate to record at, Hz: the session's. */
    sampleRate: Int,
    /** See [MediaRecorder.AudioSource]; this one has the least processing that every device has. */
    source: Int = MediaRecorder.AudioSource.VOICE_RECOGNITION,
    private val onError: (Throwable) -> Unit = {},
) : AutoCloseable {
    private val block = ShortArray(sampleRate / 100) // 10 ms
    private val record: AudioRecord

    @Volatile
    private var open = true

    init {
        require(session.channels == 1) { "the session has ${session.channels} channels; the microphone gives one" }
        val least = AudioRecord.getMinBufferSize(sampleRate, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT)
        require(least > 0) { "the device does not record at $sampleRate Hz: AudioRecord says $least" }
        // Half a second, for when this thread is late.
        val size = maxOf(least, sampleRate)
        record = AudioRecord(source, sampleRate, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT, size)
        check(record.state == AudioRecord.STATE_INITIALIZED) { "the microphone cannot be had: is there the permission RECORD_AUDIO?" }
        record.startRecording()
    }

    private val recording = thread(name = "auricle-microphone") {
        try {
            while (open) {
                val read = record.read(block, 0, block.size)
                check(read >= 0) { "AudioRecord.read says $read" }
                session.push(block, 0, read)
            }
        } catch (error: Throwable) {
            if (open) onError(error)
        } finally {
            record.stop()
            record.release()
        }
    }

    /** Ends recording, and waits for the block that is being read: 10 ms. */
    override fun close() {
        open = false
        if (Thread.currentThread() !== recording) recording.join()
    }
}
