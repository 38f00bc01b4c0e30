package auricle.tests

import java.io.File
import java.lang.reflect.InvocationTargetException
import java.lang.reflect.Modifier
import kotlin.system.exitProcess

/** Holds model.onnx, `facts` (bindings/header.py) and the program `reference` (bindings/reference.c). */
lateinit var folder: File

val modelPath: String get() = File(folder, "model.onnx").path

/** Runs every public method without parameters of the test classes: `MainKt FOLDER [PART OF A NAME]`. */
fun main(arguments: Array<String>) {
    folder = File(arguments[0])
    var passed = 0
    var failed = 0
    for (tests in listOf(HeaderTest(), LifetimeTest(), StreamTest())) {
        val methods = tests.javaClass.declaredMethods.filter { it.parameterCount == 0 && Modifier.isPublic(it.modifiers) && '$' !in it.name }
        for (test in methods.sortedBy { it.name }) {
            val name = "${tests.javaClass.simpleName}.${test.name}"
            if (arguments.size > 1 && arguments[1] !in name) continue
            val start = System.nanoTime()
            try {
                test.invoke(tests)
                passed++
                println("$name: ok, ${(System.nanoTime() - start) / 1_000_000} ms")
            } catch (error: InvocationTargetException) {
                failed++
                println("$name: FAILED")
                error.targetException.printStackTrace(System.out)
            }
        }
    }
    println("$passed passed, $failed failed")
    exitProcess(if (failed == 0 && passed > 0) 0 else 1)
}

fun expect(holds: Boolean, what: () -> String) {
    if (!holds) throw AssertionError(what())
}

fun <T> same(wanted: T, found: T, what: String = "") = expect(wanted == found) { "$what: $wanted was expected, $found was found" }

inline fun <reified T : Throwable> throws(says: String = "", call: () -> Unit): T {
    try {
        call()
    } catch (error: Throwable) {
        if (error !is T) throw error
        expect(says in error.message.orEmpty()) { "'${error.message}' does not say '$says'" }
        return error
    }
    throw AssertionError("nothing was thrown; ${T::class.java.simpleName} was expected")
}
