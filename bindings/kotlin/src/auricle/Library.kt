package auricle

/** What belongs to the whole process. */
object Library {
    /** Version of the library that runs. */
    @JvmStatic
    val version: String get() = Native.version().text()

    /** Version of its binary interface. */
    @JvmStatic
    val abiVersion: Int get() = Native.abiVersion()

    /** What kind of outcome a status is, in a few words. */
    @JvmStatic
    fun textOf(status: Status): String = Native.statusText(status.number).text()

    /**
     * Opens ONNX Runtime by the path of its library; null: on Android `libonnxruntime.so` of the app, elsewhere ORT_DYLIB_PATH, else
     * the file beside this library. Optional: the first model does it with null. [sharedThreads] makes one pool of threads for all
     * models with `sharedPool`, 1 to 256, the calling one among them; 0: none. With [knownOnly] a file is refused that is not one of
     * the official releases that Auricle knows, of which there is none for Android. Both are for before the first model. See
     * auricle_runtime_open_with.
     */
    @JvmStatic
    @JvmOverloads
    fun openRuntime(path: String? = null, sharedThreads: Int = 0, knownOnly: Boolean = false) {
        val options = struct(RuntimeOptionsLayout.SIZE)
        options.putInt(RuntimeOptionsLayout.SHARED_THREADS, unsigned(sharedThreads, "sharedThreads"))
        options.putInt(RuntimeOptionsLayout.KNOWN_ONLY, if (knownOnly) 1 else 0)
        checked(Native.runtimeOpenWith(text(path, "path"), options))
    }
}
