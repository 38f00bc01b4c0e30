package auricle

import java.util.concurrent.atomic.AtomicInteger

/**
 * Owns what the library has made. It counts the calls that are inside, so what is closed during a call is freed when that call
 * returns, by whichever thread is last.
 */
internal class Handle(private val name: String, private val pointer: Long, private val free: (Long) -> Unit) {
    // One for the owner, until it is closed, and one for each call; below 0 there is nothing any more.
    private val users = AtomicInteger(1)
    private val closed = AtomicInteger(0)

    /** Runs a call with the pointer. */
    inline fun <T> use(call: (Long) -> T): T {
        enter()
        try {
            return call(pointer())
        } finally {
            leave()
        }
    }

    fun pointer(): Long = pointer

    fun enter() {
        while (true) {
            val count = users.get()
            check(count > 0 && closed.get() == 0) { "the $name is closed" }
            if (users.compareAndSet(count, count + 1)) return
        }
    }

    fun leave() {
        if (users.decrementAndGet() == 0) free(pointer)
    }

    /** Gives the owner's share back, once. */
    fun close() {
        if (closed.compareAndSet(0, 1)) leave()
    }

    val isClosed: Boolean get() = closed.get() != 0
}
