package auricle.tests

import auricle.AuricleException
import auricle.Event
import auricle.Library
import auricle.Model
import auricle.ModelOptions
import auricle.Need
import auricle.Output
import auricle.OutputKind
import auricle.Overflow
import auricle.Provider
import auricle.Result
import auricle.SampleFormat
import auricle.SessionOptions
import auricle.Status
import java.io.File
import java.lang.reflect.Modifier

/** The classes know include/auricle.h as it is. */
class HeaderTest {
    private fun facts(kind: String) = File(folder, "facts").readLines().map { it.split(' ') }.filter { it[0] == kind }

    private fun camel(name: String) = name.split('_').joinToString("") { it.replaceFirstChar(Char::uppercase) }

    private fun number(of: Any): Int =
        of.javaClass.declaredMethods.first { it.name.startsWith("getNumber") }.apply { isAccessible = true }.invoke(of) as Int

    /** The log is not offered: a thread of ONNX Runtime's would have to become one of Java's and back for each message. */
    private val leftOut = setOf("LOG_ERROR", "LOG_WARNING", "LOG_INFO", "LOG_DEBUG")

    fun constantsAreThoseOfTheHeader() {
        val enums = listOf(Status.entries, SampleFormat.entries, OutputKind.entries, Need.entries, Overflow.entries)
        val known = enums.flatten().associate { it.name to number(it) } + ("ABI_VERSION" to Library.abiVersion)
        val header = facts("constant").associate { it[1] to it[2].toInt() }.filterKeys { !it.startsWith("VERSION_") } - leftOut
        same(header.toSortedMap(), known.toSortedMap(), "constants")
        val written = Class.forName("auricle.Native").getField("ABI_VERSION").get(null)
        same(Library.abiVersion, written, "ABI")
    }

    fun structsLieInMemoryAsInC() {
        for ((_, struct, size) in facts("struct")) {
            val layout = Class.forName("auricle.${camel(struct.removePrefix("auricle_"))}Layout")
            val fields = layout.declaredFields.filter { Modifier.isStatic(it.modifiers) && it.type == Int::class.java }
            val here = fields.associate { it.name to it.apply { isAccessible = true }.getInt(null) }.toMutableMap()
            same(size.toInt(), here.remove("SIZE"), "size of $struct")
            here.remove("SIZE_OF_RESULT")?.let { here["SIZE"] = it } // the one member that is called so
            val members = facts("member").filter { it[1] == struct && it[2] != "struct_size" }
            same(members.associate { it[2].uppercase() to it[3].toInt() }.toSortedMap(), here.toSortedMap(), struct)
        }
    }

    /** Each function has a native method of the same name, or a reason. */
    fun everyFunctionIsThere() {
        val not = mapOf(
            "auricle_classify_f32" to "auricle_classify does it",
            "auricle_model_label" to "auricle_model_output_label does it",
            "auricle_session_push_f32" to "auricle_session_push_bytes does it",
            "auricle_session_push_i16" to "auricle_session_push_bytes does it",
            "auricle_session_push_planar_f32" to "no source of audio in Java has planes",
            "auricle_session_push_planar_bytes" to "no source of audio in Java has planes",
            "auricle_runtime_open" to "auricle_runtime_open_with does it",
            "auricle_read_many" to "for servers with a GPU",
            "auricle_set_log" to "see leftOut",
        )
        val other = mapOf("sessionPushBytes" to listOf("sessionPushArray", "sessionPushBuffer"), "setLog" to listOf())
        val wanted = facts("function").map { it[1] }.filter { it !in not }.flatMap {
            val name = camel(it.removePrefix("auricle_")).replaceFirstChar(Char::lowercase)
            other[name] ?: listOf(name)
        } + listOf("address", "pointerSize", "sessionPushArray", "sessionPushBuffer")
        val here = Class.forName("auricle.Native").declaredMethods.filter { Modifier.isNative(it.modifiers) }.map { it.name }
        same(wanted.toSortedSet(), here.toSortedSet(), "functions")
        expect(facts("function").map { it[1] }.containsAll(not.keys)) { "what is left out is gone" }
    }

    fun everyOptionIsThere() {
        val types = mapOf(
            "auricle_model_options" to ModelOptions::class, "auricle_session_options" to SessionOptions::class,
            "auricle_provider" to Provider::class, "auricle_result" to Result::class, "auricle_event" to Event::class,
            "auricle_output" to Output::class,
        )
        for ((_, struct, member) in facts("member")) {
            if (member == "struct_size" || member == "provider_count" || member == "user" || member == "reserved") continue
            val type = types[struct] ?: continue
            val getters = listOf("get${camel(member)}", camel(member).replaceFirstChar(Char::lowercase))
            expect(type.java.methods.any { it.name in getters }) { "${type.java.simpleName} has no $member" }
        }
        expect(Model::class.java.methods.any { it.name == "classify" && it.parameterCount == 5 }) { "classify has other options" }
        expect(AuricleException::class.java.methods.any { it.name == "getStatus" }) { "no status" }
    }
}
