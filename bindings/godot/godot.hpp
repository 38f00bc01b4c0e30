// What the extension needs of Godot's plain interface (gdextension_interface.h, which `godot --dump-gdextension-interface`
// writes): values that free themselves, and the functions, by name.
#ifndef AURICLE_GODOT_HPP
#define AURICLE_GODOT_HPP

#include <gdextension_interface.h>

#include <cstdint>
#include <string>

namespace godot
{

// Godot's functions. `load` fills them before anything else runs.
struct Interface {
    GDExtensionClassLibraryPtr library = nullptr;
#define AURICLE_GODOT_FUNCTIONS(f)                                                                                     \
    f(StringNewWithUtf8Chars, string_new_with_utf8_chars) f(StringToUtf8Chars, string_to_utf8_chars)                   \
    f(StringNameNewWithUtf8Chars, string_name_new_with_utf8_chars) f(VariantGetPtrDestructor, variant_get_ptr_destructor) \
    f(GetVariantFromTypeConstructor, get_variant_from_type_constructor)                                                \
    f(GetVariantToTypeConstructor, get_variant_to_type_constructor) f(VariantDestroy, variant_destroy)                 \
    f(VariantCall, variant_call) f(VariantConstruct, variant_construct) f(VariantSetNamed, variant_set_named)          \
    f(PackedByteArrayOperatorIndexConst, packed_byte_array_operator_index_const)                                       \
    f(ClassdbGetMethodBind, classdb_get_method_bind) f(ObjectMethodBindCall, object_method_bind_call)                  \
    f(ObjectMethodBindPtrcall, object_method_bind_ptrcall) f(GlobalGetSingleton, global_get_singleton)                 \
    f(ObjectSetInstance, object_set_instance) f(ClassdbConstructObject2, classdb_construct_object2)                    \
    f(RefSetObject, ref_set_object) f(ClassdbRegisterExtensionClass4, classdb_register_extension_class4)               \
    f(ClassdbRegisterExtensionClassMethod, classdb_register_extension_class_method)                                    \
    f(ClassdbRegisterExtensionClassProperty, classdb_register_extension_class_property)                                \
    f(ClassdbRegisterExtensionClassSignal, classdb_register_extension_class_signal)                                    \
    f(ClassdbUnregisterExtensionClass, classdb_unregister_extension_class) f(PrintErrorWithMessage, print_error_with_message) \
    f(RegisterMainLoopCallbacks, register_main_loop_callbacks)
#define AURICLE_GODOT_DECLARE(type, name) GDExtensionInterface##type name = nullptr;
    AURICLE_GODOT_FUNCTIONS(AURICLE_GODOT_DECLARE)
#undef AURICLE_GODOT_DECLARE

    // False if this Godot lacks one of them: it is older than 4.5.
    bool load(GDExtensionInterfaceGetProcAddress get, GDExtensionClassLibraryPtr of)
    {
        library = of;
#define AURICLE_GODOT_LOAD(type, name)                                                                                 \
    name = reinterpret_cast<GDExtensionInterface##type>(get(#name));                                                   \
    if (!name) return false;
        AURICLE_GODOT_FUNCTIONS(AURICLE_GODOT_LOAD)
#undef AURICLE_GODOT_LOAD
        return true;
    }
};

inline Interface api;

// A name, interned by Godot: equal names have equal pointers.
class StringName
{
public:
    explicit StringName(const char *text) { api.string_name_new_with_utf8_chars(&opaque_, text); }
    StringName(const StringName &) = delete;
    StringName &operator=(const StringName &) = delete;
    ~StringName() { api.variant_get_ptr_destructor(GDEXTENSION_VARIANT_TYPE_STRING_NAME)(&opaque_); }
    void *get() { return &opaque_; }
    bool is(GDExtensionConstStringNamePtr other) const { return *static_cast<void *const *>(other) == opaque_; }

private:
    void *opaque_ = nullptr;
};

class String
{
public:
    explicit String(const char *text = "") { api.string_new_with_utf8_chars(&opaque_, text); }
    String(const String &) = delete;
    String &operator=(const String &) = delete;
    ~String() { api.variant_get_ptr_destructor(GDEXTENSION_VARIANT_TYPE_STRING)(&opaque_); }
    void *get() { return &opaque_; }

    static std::string utf8(GDExtensionConstStringPtr string)
    {
        std::string text(static_cast<std::size_t>(api.string_to_utf8_chars(string, nullptr, 0)), '\0');
        api.string_to_utf8_chars(string, text.data(), static_cast<GDExtensionInt>(text.size()));
        return text;
    }

private:
    void *opaque_ = nullptr;
};

// 24 bytes in builds with single precision, 40 with double.
class Variant
{
public:
    Variant(GDExtensionVariantType type, void *value) { api.get_variant_from_type_constructor(type)(opaque_, value); }
    explicit Variant(const std::string &text) : Variant(GDEXTENSION_VARIANT_TYPE_STRING, String(text.c_str()).get()) {}
    explicit Variant(std::int64_t value) : Variant(GDEXTENSION_VARIANT_TYPE_INT, &value) {}
    explicit Variant(double value) : Variant(GDEXTENSION_VARIANT_TYPE_FLOAT, &value) {}
    explicit Variant(bool value) { GDExtensionBool byte = value; api.get_variant_from_type_constructor(GDEXTENSION_VARIANT_TYPE_BOOL)(opaque_, &byte); }
    Variant(const Variant &) = delete;
    Variant &operator=(const Variant &) = delete;
    ~Variant() { api.variant_destroy(opaque_); }
    void *get() { return opaque_; }

    // What a function of Godot writes, which expects room without a value in it.
    template <typename Function> static Variant result(Function &&write)
    {
        return Variant(Unmade{}, write);
    }
    static Variant name(const char *text) { return Variant(GDEXTENSION_VARIANT_TYPE_STRING_NAME, StringName(text).get()); }
    static Variant dictionary()
    {
        GDExtensionCallError error;
        return result([&](void *to) { api.variant_construct(GDEXTENSION_VARIANT_TYPE_DICTIONARY, to, nullptr, 0, &error); });
    }
    std::int64_t integer()
    {
        std::int64_t value = 0;
        api.get_variant_to_type_constructor(GDEXTENSION_VARIANT_TYPE_INT)(&value, opaque_);
        return value;
    }
    std::string text()
    {
        String string;
        api.get_variant_to_type_constructor(GDEXTENSION_VARIANT_TYPE_STRING)(string.get(), opaque_);
        return String::utf8(string.get());
    }
    void set(const char *key, Variant &&value)
    {
        GDExtensionBool valid;
        api.variant_set_named(opaque_, StringName(key).get(), value.opaque_, &valid);
    }

    template <typename... Arguments> Variant call(const char *method, Arguments &&...arguments)
    {
        const GDExtensionConstVariantPtr all[] = {arguments.get()..., nullptr};
        GDExtensionCallError error;
        return result([&](void *to) { api.variant_call(opaque_, StringName(method).get(), all, sizeof...(arguments), to, &error); });
    }

    // Calls a method later, on the main thread.
    template <typename... Arguments> void call_deferred(const char *method, Arguments &&...arguments)
    {
        call("call_deferred", name(method), arguments...);
    }

private:
    struct Unmade {};
    template <typename Function> Variant(Unmade, Function &&write) { write(opaque_); }
    alignas(8) unsigned char opaque_[40];
};

inline void error(const std::string &text)
{
    api.print_error_with_message("Auricle", text.c_str(), "", "", 0, true);
}

} // namespace godot

#endif
