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
     * the file beside this library. Optional: the first model does it with null. See auricle_runtime_open.
     */
    @JvmStatic
    @JvmOverloads
    fun openRuntime(path: String? = null) {
        checked(Native.runtimeOpen(text(path, "path")))
    }
}
