package auricle

/** A switch that stops loading a model, and [Model.classify], from another thread. (A session has [Session.cancel].) */
class Cancel : AutoCloseable {
    internal val handle: Handle

    init {
        val out = memory(8)
        checked(Native.cancelCreate(out))
        handle = Handle("switch", out.getPointer(0), Native::cancelFree)
    }

    /** Calls that were given this switch throw CancellationException soon; later ones at once. It stays on. Any thread. */
    fun request() {
        handle.use { checked(Native.cancelRequest(it)) }
    }

    /** Frees it; calls that were given it go on. */
    override fun close() = handle.close()
}

/** Runs a call with the pointer of a switch, or 0. */
internal inline fun <T> Cancel?.use(call: (Long) -> T): T = if (this == null) call(0) else handle.use(call)
