package auricle.tests

import auricle.Clip
import auricle.Event
import auricle.Model
import auricle.Result
import auricle.SampleFormat
import auricle.Session
import auricle.SessionOptions
import auricle.events
import auricle.results
import java.io.File
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.Random
import kotlin.concurrent.thread
import kotlin.math.abs
import kotlin.math.sin
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking

private const val RATE = 48_000
private const val CHANNELS = 2
private const val RULES = """{ "smoothing_seconds": 0.3, "events": { "on": 0.3 } }"""

/** Audio in, numbers out: the bits of C, whatever the blocks, and no loss without a word. */
class StreamTest {
    private val model = Model.load(modelPath)

    /** 5 s of noise whose level goes up and down, so that scores and health differ from window to window. */
    private val noise = Random(7).let { random ->
        FloatArray(5 * RATE * CHANNELS) { ((random.nextDouble() * 2 - 1) * 0.6 * abs(sin(it / CHANNELS / 30_000.0))).toFloat() }
    }

    private fun session(ring: Double = 0.0) =
        Session(model, SessionOptions(sampleRate = RATE, channels = CHANNELS, streamJson = RULES, ringSeconds = ring))

    private fun direct(samples: FloatArray): ByteBuffer =
        ByteBuffer.allocateDirect(samples.size * 4).order(ByteOrder.nativeOrder()).also { it.asFloatBuffer().put(samples) }

    /** What C says of the same audio. */
    private val reference: String by lazy {
        val c = ProcessBuilder(File(folder, "reference").path, modelPath, "480", RULES).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val bytes = ByteArray(noise.size * 4)
        direct(noise).get(bytes)
        thread { c.outputStream.use { it.write(bytes) } }
        c.inputStream.bufferedReader().readText().also { same(0, c.waitFor(), "the C program") }
    }

    private fun line(scores: FloatArray) = scores.joinToString("") { " ${bits(it)}" }

    private fun bits(value: Float) = value.toRawBits().toUInt()

    private fun Boolean.digit() = if (this) 1 else 0

    private fun line(r: Result) =
        "window ${r.silent.digit()} ${r.firstFrame} ${r.endFrame} ${r.sequence} ${bits(r.peakDbfs)} ${bits(r.rmsDbfs)} " +
            "${bits(r.dcOffset)} ${r.clippedFrames} ${r.nonFiniteFrames} ${r.droppedFrames} ${r.gapFrames} " +
            "${bits(r.noiseFloorDbfs)} ${bits(r.snrDb)}${line(r.scores)}"

    private fun line(e: Event) =
        "event ${e.isFinal.digit()} ${e.id} ${e.classIndex} ${e.onsetFrame} ${e.offsetFrame} ${e.decidedFrame} " +
            "${bits(e.peakScore)} ${bits(e.meanScore)} ${e.lostBefore}"

    private fun readAll(session: Session, into: MutableList<String>) {
        val scores = FloatArray(model.classCount)
        while (true) {
            // Both ways of reading give the same.
            val result = (if (into.size % 2 == 0) session.read() else session.read(scores)) ?: break
            into += line(result)
            while (true) into += line(session.readEvent() ?: break)
        }
        while (true) into += line(session.readEvent() ?: break)
    }

    fun anyBlockGivesTheBitsOfC() {
        val wanted = reference.trimEnd()
        expect(wanted.lines().count { it.startsWith("window") } > 10 && "event 1 " in wanted) { "C found little" }
        for (block in listOf(1, 7, 480, 4096, 90_000)) {
            val found = mutableListOf("clip" + line(model.classify(Clip(noise, CHANNELS, RATE))))
            session(ring = if (block > RATE) 3.0 else 0.0).use { session ->
                for (at in noise.indices step block * CHANNELS) {
                    // A small array for a small block: -Xcheck:jni copies all of an array for each push.
                    val end = minOf(at + block * CHANNELS, noise.size)
                    val whole = if (block < 480) session.push(noise.copyOfRange(at, end)) else session.push(noise, at, end - at)
                    expect(whole) { "frames were lost" }
                    if (block > 1 || at % 4800 == 0) readAll(session, found)
                }
                session.finish()
                readAll(session, found)
                expect(session.ended) { "the stream did not end" }
            }
            same(wanted, found.joinToString("\n"), "blocks of $block")
        }
    }

    fun everyFormatIsTheSameAudio() {
        val shorts = ShortArray(noise.size) { (noise[it] * 32_000).toInt().toShort() }
        val floats = FloatArray(noise.size) { shorts[it] / 32_768f }
        val bytes = ByteBuffer.allocateDirect(shorts.size * 2).order(ByteOrder.nativeOrder()).also { it.asShortBuffer().put(shorts) }
        fun said(push: Session.(Int) -> Boolean) = session(ring = 6.0).use { session ->
            for (at in noise.indices step 9600) expect(session.push(at)) { "lost" }
            session.finish()
            mutableListOf<String>().also { readAll(session, it) }
        }
        val wanted = said { push(floats, it, 9600) }
        same(wanted, said { push(shorts, it, 9600) }, "16 bit")
        same(wanted, said { at ->
            bytes.limit(2 * (at + 9600)).position(2 * at)
            push(bytes, SampleFormat.I16).also { same(2 * at, bytes.position(), "position") }
        }, "a buffer")
        bytes.clear()
        val clip = model.classify(Clip(floats, CHANNELS, RATE))
        expect(clip.contentEquals(model.classify(Clip(shorts, CHANNELS, RATE)))) { "a clip of 16 bit" }
        expect(clip.contentEquals(model.classify(Clip(bytes, SampleFormat.I16, CHANNELS, RATE)))) { "a clip in a buffer" }
    }

    private fun pushing(session: Session) = thread {
        for (at in noise.indices step 4800) {
            while (session.pending > RATE) Thread.sleep(1)
            session.push(noise, at, 4800)
        }
        session.finish()
    }

    fun aFlowGivesTheSame() = runBlocking {
        session().use { session ->
            var pushing = pushing(session)
            val windows = session.results().toList().map(::line)
            pushing.join()
            same(reference.lines().filter { it.startsWith("window") }, windows, "windows")
            session.reset()
            pushing = pushing(session)
            val events = session.events().toList().map(::line)
            pushing.join()
            same(reference.lines().filter { it.startsWith("event") }, events, "events")
        }
    }

    fun aSlowReaderIsToldOfDrops() = session(ring = 0.5).use { session ->
        expect(session.push(noise, 0, RATE / 2 * CHANNELS)) { "half a second fits" }
        expect(!session.push(noise, 0, 480 * CHANNELS)) { "the ring is full" }
        var told = 0L
        for (at in 0 until 2 * RATE * CHANNELS step 480 * CHANNELS) {
            while (true) told = maxOf(told, (session.read() ?: break).droppedFrames)
            session.push(noise, at, 480 * CHANNELS)
        }
        same(480L, told, "dropped frames")
    }

    fun gapsAndBrokenSamplesAreCounted() = session().use { session ->
        val block = noise.copyOf(RATE * CHANNELS)
        block[0] = Float.NaN
        block[2] = 1.5f
        session.push(block)
        session.gap(480)
        session.push(noise, 0, RATE / 2 * CHANNELS)
        session.finish()
        val results = generateSequence { session.read() }.toList()
        same(
            listOf(1L, 1L, 480L),
            listOf(results.maxOf { it.nonFiniteFrames }, results.maxOf { it.clippedFrames }, results.maxOf { it.gapFrames }),
            "broken, clipped, gap",
        )
    }

    fun aPushAndAReadWithoutAWindowAllocateNothing() = session().use { session ->
        val threads = ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean
        val me = Thread.currentThread().id
        val shorts = ShortArray(960)
        fun rounds(count: Int) {
            session.reset()
            for (i in 0 until count) {
                session.push(noise, 0, 960)
                session.push(shorts)
                expect(session.read() == null) { "a window" }
            }
        }
        for (i in 0 until 500) rounds(20)
        val before = threads.getThreadAllocatedBytes(me)
        val idle = threads.getThreadAllocatedBytes(me) - before // what asking costs
        for (i in 0 until 50) rounds(20)
        val all = threads.getThreadAllocatedBytes(me) - before - 2 * idle
        expect(all < 1000) { "$all bytes for 1000 rounds" }
    }
}
