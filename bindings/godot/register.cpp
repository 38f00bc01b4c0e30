// Tells Godot of the classes AuricleEffect and AuricleEffectInstance.
#include "effect.hpp"

#include <utility>

using godot::api;
using godot::String;
using godot::StringName;
using godot::Variant;

#define EFFECT "AuricleEffect"
#define INSTANCE "AuricleEffectInstance"

// An object of a class of Godot's, with one of ours behind it.
template <typename Ours, typename... Arguments>
static std::pair<GDExtensionObjectPtr, Ours *> construct(const char *parent, const char *name, bool notify)
{
    static GDExtensionMethodBindPtr notification =
        api.classdb_get_method_bind(StringName("Object").get(), StringName("notification").get(), 4023243586);
    GDExtensionObjectPtr object = api.classdb_construct_object2(StringName(parent).get());
    Ours *ours;
    if constexpr (std::is_constructible_v<Ours, GDExtensionObjectPtr>)
        ours = new Ours(object);
    else
        ours = new Ours();
    api.object_set_instance(object, StringName(name).get(), ours);
    if (notify && notification) {
        std::int64_t post_initialize = 0;
        GDExtensionBool reversed = false;
        const GDExtensionConstTypePtr arguments[] = {&post_initialize, &reversed};
        api.object_method_bind_ptrcall(notification, object, arguments, nullptr);
    }
    return {object, ours};
}

template <typename Ours> static void destroy(void *, GDExtensionClassInstancePtr ours)
{
    delete static_cast<Ours *>(ours);
}

// AudioEffect._instantiate() -> AudioEffectInstance, for each bus (and each pair of its channels).
static void instantiate(GDExtensionClassInstancePtr effect, const GDExtensionConstTypePtr *, GDExtensionTypePtr result)
{
    static GDExtensionMethodBindPtr mix_rate =
        api.classdb_get_method_bind(StringName("AudioServer").get(), StringName("get_mix_rate").get(), 1740695150);
    double rate = 44100;
    auto made = construct<Instance>("AudioEffectInstance", INSTANCE, true);
    if (mix_rate)
        api.object_method_bind_ptrcall(mix_rate, api.global_get_singleton(StringName("AudioServer").get()), nullptr, &rate);
    made.second->begin(*static_cast<Effect *>(effect), static_cast<std::uint32_t>(rate));
    api.ref_set_object(result, made.first);
}

// AudioEffectInstance._process(src: const void*, dst: AudioFrame*, frames: int); an AudioFrame is two floats.
static void process(GDExtensionClassInstancePtr instance, const GDExtensionConstTypePtr *arguments, GDExtensionTypePtr)
{
    static_cast<Instance *>(instance)->process(*static_cast<const float *const *>(arguments[0]), *static_cast<float *const *>(arguments[1]),
                                               static_cast<std::size_t>(*static_cast<const std::int64_t *>(arguments[2])));
}

// AudioEffectInstance._process_silence() -> bool: time goes on when nothing plays, and events end.
static void process_silence(GDExtensionClassInstancePtr, const GDExtensionConstTypePtr *, GDExtensionTypePtr result)
{
    *static_cast<GDExtensionBool *>(result) = true;
}

static GDExtensionClassCallVirtual virtual_of_effect(void *, GDExtensionConstStringNamePtr name, std::uint32_t)
{
    return StringName("_instantiate").is(name) ? instantiate : nullptr;
}

static GDExtensionClassCallVirtual virtual_of_instance(void *, GDExtensionConstStringNamePtr name, std::uint32_t)
{
    if (StringName("_process").is(name))
        return process;
    return StringName("_process_silence").is(name) ? process_silence : nullptr;
}

template <typename Ours>
static void register_class(const char *name, const char *parent, GDExtensionClassCreateInstance2 create, GDExtensionClassGetVirtual2 virtuals)
{
    GDExtensionClassCreationInfo4 info = {};
    info.is_exposed = true;
    info.create_instance_func = create;
    info.free_instance_func = destroy<Ours>;
    info.get_virtual_func = virtuals;
    api.classdb_register_extension_class4(api.library, StringName(name).get(), StringName(parent).get(), &info);
}

// A text that can be got and set.
struct Property {
    const char *name, *getter, *setter;
    std::uint32_t hint; // PROPERTY_HINT_FILE 13, PROPERTY_HINT_MULTILINE_TEXT 18
    const char *hint_text;
    const std::string &(Effect::*get)() const;
    void (Effect::*set)(const std::string &);
};

static void call_get(void *property, GDExtensionClassInstancePtr effect, const GDExtensionConstTypePtr *, GDExtensionTypePtr result)
{
    const auto *p = static_cast<const Property *>(property);
    String text((static_cast<Effect *>(effect)->*p->get)().c_str());
    std::swap(*static_cast<void **>(result), *static_cast<void **>(text.get())); // a String is one pointer
}

static void call_set(void *property, GDExtensionClassInstancePtr effect, const GDExtensionConstTypePtr *arguments, GDExtensionTypePtr)
{
    const auto *p = static_cast<const Property *>(property);
    (static_cast<Effect *>(effect)->*p->set)(String::utf8(arguments[0]));
}

// The same, called with Variants.
static void call(void *property, GDExtensionClassInstancePtr effect, const GDExtensionConstVariantPtr *arguments, GDExtensionInt count,
                 GDExtensionVariantPtr result, GDExtensionCallError *error)
{
    error->error = GDEXTENSION_CALL_OK;
    if (count == 0) {
        String text;
        call_get(property, effect, nullptr, text.get());
        api.get_variant_from_type_constructor(GDEXTENSION_VARIANT_TYPE_STRING)(result, text.get());
    } else {
        String text;
        // The Variant is only read.
        api.get_variant_to_type_constructor(GDEXTENSION_VARIANT_TYPE_STRING)(text.get(), const_cast<GDExtensionVariantPtr>(arguments[0]));
        const GDExtensionConstTypePtr first[] = {text.get()};
        call_set(property, effect, first, nullptr);
    }
}

static void register_property(const Property &property)
{
    StringName effect(EFFECT), name(property.name), getter(property.getter), setter(property.setter), none("");
    String hint(property.hint_text);
    const std::uint32_t usage = 6; // PROPERTY_USAGE_DEFAULT
    GDExtensionPropertyInfo info = {GDEXTENSION_VARIANT_TYPE_STRING, name.get(), none.get(), property.hint, hint.get(), usage};
    GDExtensionClassMethodArgumentMetadata plain = GDEXTENSION_METHOD_ARGUMENT_METADATA_NONE;
    GDExtensionClassMethodInfo method = {};
    method.method_userdata = const_cast<Property *>(&property);
    method.method_flags = GDEXTENSION_METHOD_FLAGS_DEFAULT;
    method.call_func = call;

    method.name = getter.get();
    method.ptrcall_func = call_get;
    method.has_return_value = true;
    method.return_value_info = &info;
    api.classdb_register_extension_class_method(api.library, effect.get(), &method);

    method.name = setter.get();
    method.ptrcall_func = call_set;
    method.has_return_value = false;
    method.return_value_info = nullptr;
    method.argument_count = 1;
    method.arguments_info = &info;
    method.arguments_metadata = &plain;
    api.classdb_register_extension_class_method(api.library, effect.get(), &method);
    api.classdb_register_extension_class_property(api.library, effect.get(), &info, setter.get(), getter.get());
}

static void register_signal(const char *name, const char *argument, GDExtensionVariantType type)
{
    StringName argument_name(argument), none("");
    String hint;
    GDExtensionPropertyInfo info = {type, argument_name.get(), none.get(), 0, hint.get(), 6};
    api.classdb_register_extension_class_signal(api.library, StringName(EFFECT).get(), StringName(name).get(), &info, 1);
}

static const Property properties[] = {
    {"model", "get_model", "set_model", 13, "*.onnx", &Effect::model_path, &Effect::set_model_path},
    {"stream", "get_stream", "set_stream", 18, "", &Effect::stream, &Effect::set_stream},
};

// Takes the effects off their buses, which would keep them until after scripts are gone: a script's function that is connected
// to their signals would be freed twice then (Godot 4.6).
static void leave_buses()
{
    GDExtensionObjectPtr server = api.global_get_singleton(StringName("AudioServer").get());
    Variant audio(GDEXTENSION_VARIANT_TYPE_OBJECT, &server);
    for (std::int64_t bus = audio.call("get_bus_count").integer() - 1; bus >= 0; bus--)
        for (std::int64_t place = audio.call("get_bus_effect_count", Variant(bus)).integer() - 1; place >= 0; place--) {
            Variant effect = audio.call("get_bus_effect", Variant(bus), Variant(place));
            Variant name = effect.call("get_class");
            if (name.text() == EFFECT)
                audio.call("remove_bus_effect", Variant(bus), Variant(place));
        }
}

// Buses, which are servers, may hold effects until servers end, so the classes must be there as long.
static void initialize(void *, GDExtensionInitializationLevel level)
{
    if (level != GDEXTENSION_INITIALIZATION_SERVERS)
        return;
    register_class<Instance>(
        INSTANCE, "AudioEffectInstance",
        [](void *, GDExtensionBool notify) { return construct<Instance>("AudioEffectInstance", INSTANCE, notify).first; }, virtual_of_instance);
    register_class<Effect>(
        EFFECT, "AudioEffect", [](void *, GDExtensionBool notify) { return construct<Effect>("AudioEffect", EFFECT, notify).first; },
        virtual_of_effect);
    for (const Property &property : properties)
        register_property(property);
    register_signal("heard", "event", GDEXTENSION_VARIANT_TYPE_DICTIONARY);
    register_signal("lost", "frames", GDEXTENSION_VARIANT_TYPE_INT);
    const GDExtensionMainLoopCallbacks callbacks = {nullptr, leave_buses, nullptr};
    api.register_main_loop_callbacks(api.library, &callbacks);
}

static void deinitialize(void *, GDExtensionInitializationLevel level)
{
    if (level != GDEXTENSION_INITIALIZATION_SERVERS)
        return;
    api.classdb_unregister_extension_class(api.library, StringName(EFFECT).get());
    api.classdb_unregister_extension_class(api.library, StringName(INSTANCE).get());
}

extern "C" __attribute__((visibility("default"))) GDExtensionBool auricle_godot_init(GDExtensionInterfaceGetProcAddress get,
                                                                                     GDExtensionClassLibraryPtr library,
                                                                                     GDExtensionInitialization *initialization)
{
    initialization->minimum_initialization_level = GDEXTENSION_INITIALIZATION_SERVERS;
    initialization->userdata = nullptr;
    initialization->initialize = initialize;
    initialization->deinitialize = deinitialize;
    return api.load(get, library);
}
