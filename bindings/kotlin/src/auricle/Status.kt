package auricle

import kotlin.coroutines.cancellation.CancellationException

/** What became of a call: 0 success, positive success of another kind, negative an error. */
enum class Status(val number: Int) {
    /** Done. */
    OK(0),

    /** Not enough audio for the next window yet. */
    AGAIN(1),

    /** The stream was finished and everything has been read. */
    END(2),

    /** The ring was full, and frames were lost. */
    DROPPED(3),

    /** Cancelled from another thread. */
    CANCELLED(4),

    /** An argument is out of its range, or does not fit another argument. */
    INVALID_ARGUMENT(-1),

    /** The call is not allowed now. */
    INVALID_STATE(-2),

    /** The array is too small; nothing was consumed. */
    BUFFER_TOO_SMALL(-3),

    /** The clip is too short for the model to see even one row of features. */
    CLIP_TOO_SHORT(-4),

    /** The memory that the call needs could not be had. */
    MEMORY(-5),

    /** A file could not be read. */
    FILE(-100),

    /** The model is refused: damaged, not ONNX, reads other files, or needs a newer ONNX Runtime. */
    MODEL(-101),

    /** The model has no manifest, or the manifest is not valid. */
    MANIFEST(-102),

    /** The manifest and the network contradict each other. */
    MISMATCH(-103),

    /** ONNX Runtime was not found, could not be opened, or is too old. */
    RUNTIME(-200),

    /** ONNX Runtime failed while running the network, or a score is not finite. */
    INFERENCE(-201),

    /** A required provider cannot be had or does not run the network, or has failed while it ran. */
    PROVIDER(-202),

    /** A defect of Auricle, caught: please report it. Also a number that a newer library has added. */
    INTERNAL(-300);

    internal companion object {
        private val known = entries.associateBy { it.number }

        fun of(number: Int): Status = known[number] ?: INTERNAL
    }
}

/** A call failed. The message is the library's own sentence, with the numbers that fix it. */
class AuricleException internal constructor(val status: Status, message: String) : RuntimeException(message)

/** The status of a call that this thread has just made, unless it failed or was cancelled: then throws. */
internal fun checked(status: Int): Int {
    if (status < 0 || status == Status.CANCELLED.number) throw thrown(status)
    return status
}

private fun thrown(status: Int): Exception =
    if (status == Status.CANCELLED.number) {
        CancellationException(Native.statusText(status).text())
    } else {
        AuricleException(Status.of(status), Native.lastError().text())
    }
