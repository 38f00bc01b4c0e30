package auricle.tests

import auricle.AuricleException
import auricle.Cancel
import auricle.Clip
import auricle.Library
import auricle.Model
import auricle.ModelOptions
import auricle.Need
import auricle.OutputKind
import auricle.Provider
import auricle.SampleFormat
import auricle.Session
import auricle.SessionOptions
import auricle.Status
import auricle.events
import auricle.results
import java.io.File
import java.nio.ByteBuffer
import java.util.concurrent.CancellationException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull

private const val EVENTS = """{ "events": { "on": 0.5 } }"""

/** Errors, cancelling, closing: the language's own exceptions, and never a crash. */
class LifetimeTest {
    private val model = Model.load(modelPath)
    private val second = FloatArray(16_000)

    private fun status(wanted: Status, says: String = "", call: () -> Unit) = same(wanted, throws<AuricleException>(says, call).status, "status")

    private fun bytes(content: ByteArray) = ByteBuffer.allocateDirect(content.size).also { it.put(content).flip() }

    fun whatAModelSays() {
        same(10, model.classCount, "classes")
        same(10, model.labels.toSet().size, "labels")
        same(OutputKind.SCORES, model.outputs[0].kind, "kind")
        same(16_000, model.sampleRate, "rate")
        expect("\"sha256\"" in model.describe() && model.describe().endsWith("}")) { model.describe() }
        Model.load(bytes(File(modelPath).readBytes())).use { same(model.labels, it.labels, "labels from memory") }
        expect(Library.version.startsWith("0.")) { Library.version }
        same("invalid argument", Library.textOf(Status.INVALID_ARGUMENT), "text")
    }

    fun errorsAreTheLibrarysOwnSentences() {
        status(Status.FILE, "no/ünïcode 音.onnx") { Model.load("no/ünïcode 音.onnx") }
        status(Status.MODEL) { Model.load(bytes(ByteArray(100))) }
        throws<IllegalArgumentException>("NUL") { Model.load("a\u0000b") }
        throws<IllegalArgumentException>("direct") { Model.load(ByteBuffer.allocate(3)) }
        status(Status.INVALID_ARGUMENT, "10") { Session(model, SessionOptions(sampleRate = 10)) }
        status(Status.INVALID_ARGUMENT) { Session(model, SessionOptions(streamJson = "{")) }
        throws<IllegalArgumentException>("1 to 8") { Session(model, SessionOptions(channels = 9)) }
        throws<IllegalArgumentException>("-1") { Session(model, SessionOptions(sampleRate = -1)) }
        status(Status.CLIP_TOO_SHORT) { model.classify(Clip(FloatArray(0), 1, 16_000)) }
        status(Status.INVALID_ARGUMENT) { model.classify(Clip(second, 1, 16_000), output = 4) }
        throws<IllegalArgumentException>("3 elements") { Clip(FloatArray(3), 2, 16_000) }
        Session(model, SessionOptions(channels = 2, streamJson = "{}")).use { session ->
            throws<IllegalArgumentException>("3 elements") { session.push(FloatArray(3)) }
            throws<IndexOutOfBoundsException>("from 2 on") { session.push(FloatArray(4), 2, 4) }
            throws<IndexOutOfBoundsException>("of 4") { session.push(FloatArray(4), Int.MAX_VALUE, 2) }
            throws<IndexOutOfBoundsException> { session.push(FloatArray(4), -2, 2) }
            throws<IllegalArgumentException>("direct") { session.push(ByteBuffer.allocate(4), SampleFormat.I16) }
            status(Status.INVALID_STATE) { session.readEvent() }
            status(Status.INVALID_STATE) { session.output(0, FloatArray(10)) }
            session.finish()
            status(Status.INVALID_STATE) { session.push(FloatArray(2)) }
        }
        Session(model).use { session ->
            session.push(second)
            status(Status.BUFFER_TOO_SMALL) { session.read(FloatArray(3)) }
        }
        status(Status.PROVIDER) { Model.load(modelPath, ModelOptions(providers = listOf(Provider("cuda")))) }
        val preferred = listOf(Provider("cuda", Need.PREFERRED), Provider("cpu"))
        Model.load(modelPath, ModelOptions(providers = preferred)).use { expect("cuda" in it.describe()) { "cuda is not told of" } }
    }

    fun loadingTellsHowFarItIsAndCanBeStopped() {
        val stages = mutableListOf<String>()
        Model.load(modelPath, ModelOptions(selfCheck = true, progress = { stage, _ -> stages += stage })).close()
        expect("read" in stages && "self_check" in stages) { stages.toString() }
        throws<UnsupportedOperationException>("enough") {
            Model.load(modelPath, ModelOptions(progress = { _, _ -> throw UnsupportedOperationException("enough") }))
        }
        Cancel().use { cancel ->
            cancel.request()
            throws<CancellationException> { Model.load(modelPath, ModelOptions(cancel = cancel)) }
            throws<CancellationException> { model.classify(Clip(second, 1, 16_000), cancel = cancel) }
        }
    }

    private fun inside(call: (Session) -> Unit, end: (Session) -> Unit) {
        val session = Session(model, SessionOptions(streamJson = EVENTS))
        val waiting = CompletableFuture<Unit>()
        thread {
            try {
                call(session)
                waiting.complete(Unit)
            } catch (error: Throwable) {
                waiting.completeExceptionally(error)
            }
        }
        Thread.sleep(50)
        end(session)
        val ended = try {
            waiting.get(5, TimeUnit.SECONDS)
            null
        } catch (error: ExecutionException) {
            error.cause
        } catch (error: CancellationException) {
            error
        }
        expect(ended is CancellationException) { "it ended with $ended" }
        session.close()
    }

    fun closingEndsAWaitAtOnce() {
        for (end in listOf(Session::close, Session::cancel)) {
            inside({ it.await(300_000) }, end)
            inside({ runBlocking { it.results().collect {} } }, end)
            inside({ runBlocking { it.events().collect {} } }, end)
        }
        Session(model).use { session ->
            same(null, runBlocking { withTimeoutOrNull(100) { session.results().collect {} } }, "a cancelled coroutine")
            session.push(second)
            expect(session.read() != null) { "the session goes on" }
        }
    }

    fun whatIsClosedSaysSo() {
        val model = Model.load(modelPath)
        val session = Session(model, SessionOptions(streamJson = EVENTS))
        model.close()
        model.close()
        session.push(second)
        expect(session.read() != null) { "a session outlives its model" }
        session.close()
        session.close()
        val cancel = Cancel()
        cancel.close()
        val uses = listOf<() -> Any?>(
            { session.push(second) }, { session.push(ShortArray(1)) }, { session.push(bytes(ByteArray(1)), SampleFormat.U8) },
            { session.gap(1) }, { session.finish() }, { session.read() }, { session.readEvent() },
            { session.output(0, FloatArray(10)) }, { session.await(0) }, { session.pending }, { session.cancel() },
            { session.reset() }, { Session(model) }, { model.describe() }, { model.classify(Clip(second, 1, 16_000)) },
            { cancel.request() }, { Model.load(modelPath, ModelOptions(cancel = cancel)) },
        )
        for (use in uses) throws<IllegalStateException>("is closed") { use() }
    }

    /** Pushes, reads and closes race: each ends in its own exception, and the process lives. */
    fun closingDuringCallsIsNoCrash() {
        for (round in 0 until 200) {
            val session = Session(model)
            val block = FloatArray(160)
            val uses = listOf<() -> Any?>({ session.push(block) }, { session.read() }, { session.pending })
            val threads = uses.map { use ->
                thread {
                    try {
                        while (true) use()
                    } catch (_: IllegalStateException) {
                    }
                }
            }
            Thread.sleep(round % 3L)
            session.close()
            for (one in threads) {
                one.join(10_000)
                expect(!one.isAlive) { "a thread goes on" }
            }
        }
    }

    fun twoThreadsInOneHalfAreAnError() = Session(model).use { session ->
        val waiting = thread { expect(!session.await(500)) { "something came" } }
        Thread.sleep(100)
        status(Status.INVALID_STATE) { session.read() }
        status(Status.INVALID_STATE) { session.reset() }
        waiting.join()
    }

    fun tenThousandSessionsLeaveNothing() {
        fun rounds(count: Int) = repeat(count) {
            Session(model, SessionOptions(ringSeconds = 0.1, streamJson = EVENTS)).use { it.push(FloatArray(160)) }
        }
        rounds(2000)
        // A heap may grow once, by what the collector is late; what leaks grows every time.
        val grown = generateSequence {
            val before = resident()
            rounds(10_000)
            (resident() - before) shr 20
        }.take(3).firstOrNull { it < 4 }
        expect(grown != null) { "4 MB more than before, three times" }
    }

    private fun resident(): Long {
        repeat(3) {
            System.gc()
            Thread.sleep(50)
        }
        return File("/proc/self/statm").readText().split(' ')[1].toLong() * 4096
    }
}
