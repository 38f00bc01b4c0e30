package auricle

import java.nio.ByteBuffer

/** Whether a provider has to run the network. */
enum class Need(internal val number: Int) {
    /** Loading fails where it cannot run the whole network. */
    REQUIRED(0),

    /** The next in the list runs it then, in the end the CPU; [Model.describe] says what became of it. */
    PREFERRED(1),
}

/**
 * A provider of ONNX Runtime that a model is to run on, "cpu", "nnapi", "xnnpack" and so on, with its options as JSON:
 * docs/providers.md. Or the path of a plug-in provider's library, which is code that this process will run.
 */
class Provider(val name: String, val need: Need = Need.REQUIRED, val optionsJson: String? = null)

/** What the numbers of an output are. */
enum class OutputKind(internal val number: Int) {
    /** A score for each of its classes. */
    SCORES(1),

    /** A vector: sounds that are alike have vectors that are. */
    EMBEDDING(2),

    /** Other numbers. */
    VALUES(3),
}

/**
 * What a model gives. [size] values for each result, of scores one for each of the [labels]; [hopSeconds] from one result to the
 * next, if the network answers for many moments of a window, else 0.
 */
class Output internal constructor(
    val name: String,
    val kind: OutputKind,
    val size: Int,
    val hopSeconds: Double,
    val labels: List<String>,
)

/** How a model is loaded; what is left alone is the default. */
class ModelOptions(
    /** Threads inside one inference, 1 to 256, the calling one among them; 0: 1. */
    val threads: Int = 0,
    /** Runs the manifest's golden cases, and refuses a model that does not reproduce them or has none. */
    val selfCheck: Boolean = false,
    /** Windows of several sessions in one run: for auricle_read_many of C, 1 to 1024; 0: 1. */
    val maxBatch: Int = 0,
    /** Runs on the pool of threads that [Library.openRuntime] has made, beside other models; [threads] is 0 then. */
    val sharedPool: Boolean = false,
    /** Stops loading from another thread. */
    val cancel: Cancel? = null,
    /** Providers that are to run the network, the first before the others; none: the CPU. */
    val providers: List<Provider> = emptyList(),
    /**
     * Is told "read", "prepare", "warm" or "self_check" and how much of that is done, 0 to 1, on the thread that loads. What it
     * throws stops the load and comes out of it.
     */
    val progress: ((stage: String, done: Float) -> Unit)? = null,
)

/**
 * A network in an ONNX file and its manifest. It never changes: any number of threads may use it at once. Sessions keep their
 * own reference to it: close them in any order.
 */
class Model private constructor(internal val handle: Handle) : AutoCloseable {
    /** What it gives; the first is what [classify] and [Session.read] give. */
    val outputs: List<Output> = handle.use { model -> List(Native.modelOutputCount(model).toInt()) { output(model, it.toLong()) } }

    /** Labels of the classes of the first output, in the order of the scores. */
    val labels: List<String> get() = outputs[0].labels

    /** Number of scores of every window; if the first output has no labels, of its values. */
    val classCount: Int = handle.use(Native::modelClassCount).toInt()

    /** Rate that the model works at, Hz. Audio of this rate saves the conversion. */
    val sampleRate: Int = handle.use(Native::modelSampleRate)

    /**
     * Scores of one whole clip: the mean of the scores of its windows. [channel] is the one that is heard, counted from 1; 0: the
     * mean of all. [hopSeconds] is the distance between windows; 0: the manifest's. [output] is the number of the output that is
     * wanted. Any thread, any number at once. See auricle_classify.
     */
    fun classify(clip: Clip, channel: Int = 0, hopSeconds: Double = 0.0, output: Int = 0, cancel: Cancel? = null): FloatArray {
        val size = outputs.getOrNull(output)?.size ?: 0
        val values = memory(4 * maxOf(size, 1))
        cancel.use { switch ->
            val options = struct(ClipOptionsLayout.SIZE)
            options.putInt(ClipOptionsLayout.CHANNEL, unsigned(channel, "channel"))
            options.putDouble(ClipOptionsLayout.HOP_SECONDS, hopSeconds)
            options.putPointer(ClipOptionsLayout.CANCEL, switch)
            options.putInt(ClipOptionsLayout.OUTPUT, unsigned(output, "output"))
            handle.use { model ->
                checked(
                    Native.classify(
                        model, clip.format.number, clip.samples, clip.offset.toLong(), clip.frames.toLong(), clip.channels,
                        unsigned(clip.sampleRate, "sampleRate"), options, values, size.toLong(),
                    ),
                )
            }
        }
        return FloatArray(size).also { values.asFloatBuffer().get(it) }
    }

    /** The record for traceability, JSON: versions, files, SHA-256 sums, options, providers, the whole manifest. */
    fun describe(): String = handle.use { model ->
        val needed = memory(8)
        checked(Native.modelDescribe(model, null, 0, needed))
        val json = memory(needed.getPointer(0).toInt())
        checked(Native.modelDescribe(model, json, json.capacity().toLong(), needed))
        json.limit(json.capacity() - 1) // without the NUL
        json.text()
    }

    /** Gives this reference to the model back; calls that are running go on, and so do its sessions. Twice is fine. */
    override fun close() = handle.close()

    companion object {
        /**
         * Loads an ONNX file, with the manifest embedded in it or the file beside it that ends in .auricle.json. Takes from
         * milliseconds to seconds. See auricle_model_load.
         */
        @JvmStatic
        @JvmOverloads
        fun load(path: String, options: ModelOptions = ModelOptions()): Model {
            val name = text(path, "path")!!
            return load(options) { given, keep, progress, out -> Native.modelLoad(name, given, keep, progress, out) }
        }

        /**
         * Loads the bytes of an ONNX file that remain in a direct buffer: a mapped file, or an asset read into one. [manifest] is
         * JSON that replaces the embedded one. Otherwise as above.
         */
        @JvmStatic
        @JvmOverloads
        fun load(onnx: ByteBuffer, manifest: String? = null, options: ModelOptions = ModelOptions()): Model {
            require(onnx.isDirect) { "the buffer is not direct" }
            val (bytes, json) = Pair(onnx.slice(), text(manifest, "manifest"))
            return load(options) { given, keep, progress, out ->
                Native.modelLoadMemory(bytes, bytes.remaining().toLong(), json, given, keep, progress, out)
            }
        }

        private fun load(options: ModelOptions, call: (ByteBuffer, Any, Any?, ByteBuffer) -> Int): Model {
            val given = struct(ModelOptionsLayout.SIZE)
            given.putInt(ModelOptionsLayout.THREADS, unsigned(options.threads, "threads"))
            given.putInt(ModelOptionsLayout.SELF_CHECK, if (options.selfCheck) 1 else 0)
            given.putInt(ModelOptionsLayout.MAX_BATCH, unsigned(options.maxBatch, "maxBatch"))
            given.putInt(ModelOptionsLayout.SHARED_POOL, if (options.sharedPool) 1 else 0)
            val keep = ArrayList<ByteBuffer>()
            fun address(buffer: ByteBuffer?): Long = if (buffer == null) 0 else Native.address(buffer.also(keep::add))
            val size = ProviderLayout.SIZE
            if (options.providers.isNotEmpty()) {
                val list = memory(size * options.providers.size)
                options.providers.forEachIndexed { index, provider ->
                    list.putInt(size * index, size)
                    list.putInt(size * index + ProviderLayout.NEED, provider.need.number)
                    list.putPointer(size * index + ProviderLayout.NAME, address(text(provider.name, "name")))
                    list.putPointer(size * index + ProviderLayout.OPTIONS_JSON, address(text(provider.optionsJson, "optionsJson")))
                }
                given.putPointer(ModelOptionsLayout.PROVIDERS, address(list))
                given.putPointer(ModelOptionsLayout.PROVIDER_COUNT, options.providers.size.toLong())
            }
            val out = memory(8)
            options.cancel.use { switch ->
                given.putPointer(ModelOptionsLayout.CANCEL, switch)
                checked(call(given, keep, options.progress?.let(::Listener), out))
            }
            val handle = Handle("model", out.getPointer(0), Native::modelFree)
            try {
                return Model(handle)
            } catch (error: Throwable) {
                handle.close()
                throw error
            }
        }

        private fun output(model: Long, index: Long): Output {
            val found = struct(OutputLayout.SIZE)
            checked(Native.modelOutput(model, index, found))
            val kind = OutputKind.entries.first { it.number == found.getInt(OutputLayout.KIND) }
            val size = found.getLong(OutputLayout.SIZE_OF_RESULT).toInt()
            val labels = List(if (kind == OutputKind.SCORES) size else 0) { Native.modelOutputLabel(model, index, it.toLong()).text() }
            return Output(Native.modelOutputName(model, index).text(), kind, size, found.getDouble(OutputLayout.HOP_SECONDS), labels)
        }
    }
}

/** What the native method calls by name while a model loads. */
internal class Listener(private val progress: (String, Float) -> Unit) {
    @Suppress("unused")
    fun told(stage: ByteBuffer, done: Float) = progress(stage.text(), done)
}

internal fun unsigned(value: Int, name: String): Int = value.also { require(it >= 0) { "$name is $it; it must not be negative" } }
