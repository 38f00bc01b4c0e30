package auricle.bench

import auricle.Model
import auricle.Session
import auricle.SessionOptions

private const val FRAMES = 480
private const val PUSHES = 50
private const val ROUNDS = 300

/**
 * Times a push of 10 ms at 48 kHz and a read without a due window, Kotlin and C by turns: `PushKt MODEL PROGRAM`, the program being
 * bindings/push.c.
 */
fun main(arguments: Array<String>) {
    val (model, program) = arguments
    val c = ProcessBuilder(program, model).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    val ask = c.outputStream.bufferedWriter()
    val answers = c.inputStream.bufferedReader()
    val block = FloatArray(FRAMES) { (it % 97 - 48) / 480f }
    val here = DoubleArray(ROUNDS)
    val there = DoubleArray(ROUNDS)
    val more = DoubleArray(ROUNDS)
    Session(Model.load(model), SessionOptions(sampleRate = 48_000)).use { session ->
        for (round in -ROUNDS until ROUNDS) { // the first half is what is compiled at first use
            session.reset()
            val start = System.nanoTime()
            for (i in 0 until PUSHES) {
                session.push(block)
                session.read()
            }
            val each = (System.nanoTime() - start).toDouble() / PUSHES
            ask.newLine()
            ask.flush()
            val of = answers.readLine().toDouble()
            if (round < 0) continue
            here[round] = each
            there[round] = of
            more[round] = each - of
        }
    }
    ask.close()
    fun median(figures: DoubleArray) = figures.sorted()[ROUNDS / 2]
    println(
        "push of 10 ms and a read without a window, medians: Kotlin %.0f ns, C %.0f ns, %.2f µs more (target: at most 5)"
            .format(median(here), median(there), median(more) / 1000),
    )
}
