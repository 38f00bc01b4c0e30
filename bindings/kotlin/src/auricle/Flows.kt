package auricle

import kotlin.coroutines.cancellation.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn

// How long a flow sleeps before it looks again; a push wakes nobody.
private const val LOOK_MS = 10L

/**
 * The windows as they come, until the stream has ended; read on [Dispatchers.Default], which is free between two looks 10 ms apart.
 * [Session.cancel] and [Session.close] end it with CancellationException. The reading half is taken while it is collected.
 */
fun Session.results(): Flow<Result> = flow {
    while (!ended) {
        val result = closing { read() }
        if (result != null) emit(result) else if (!ended) delay(LOOK_MS)
    }
}.flowOn(Dispatchers.Default)

/** The events as they come, until the stream has ended. Otherwise as [results]. */
fun Session.events(): Flow<Event> = flow {
    do {
        // At the end of the stream the events that it has closed are still to come.
        val last = ended
        val window = !last && closing { step() }
        while (true) emit(closing { readEvent() } ?: break)
        if (!window && !ended) delay(LOOK_MS)
    } while (!last)
}.flowOn(Dispatchers.Default)

/** A flow that [Session.close] ends between two calls ends as it does within one. */
private inline fun <T> Session.closing(read: () -> T): T =
    try {
        read()
    } catch (error: IllegalStateException) {
        throw if (isClosed && error !is CancellationException) CancellationException("the session was closed") else error
    }
