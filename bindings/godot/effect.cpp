#include "effect.hpp"

#include <cstring>

using godot::Variant;
using namespace std::chrono_literals;

// The bytes of a file, as Godot sees it. Empty if there is none.
static std::string read_file(const std::string &path)
{
    // The number is the method's hash in Godot's extension_api.json: it changes only if its arguments do.
    GDExtensionMethodBindPtr method = godot::api.classdb_get_method_bind(godot::StringName("FileAccess").get(),
                                                                         godot::StringName("get_file_as_bytes").get(), 659035735);
    Variant name(path);
    const GDExtensionConstVariantPtr arguments[] = {name.get()};
    GDExtensionCallError error;
    if (!method)
        return {};
    std::string content;
    {
        Variant found = Variant::result([&](void *to) { godot::api.object_method_bind_call(method, nullptr, arguments, 1, to, &error); });
        content.resize(static_cast<std::size_t>(found.call("size").integer()));
        alignas(8) unsigned char array[16];
        godot::api.get_variant_to_type_constructor(GDEXTENSION_VARIANT_TYPE_PACKED_BYTE_ARRAY)(array, found.get());
        if (!content.empty())
            std::memcpy(content.data(), godot::api.packed_byte_array_operator_index_const(array, 0), content.size());
        godot::api.variant_get_ptr_destructor(GDEXTENSION_VARIANT_TYPE_PACKED_BYTE_ARRAY)(array);
    }
    return content;
}

void Effect::set_model_path(const std::string &path)
{
    path_ = path;
    model_.reset();
    if (path.empty())
        return;
    const std::string file = read_file(path);
    if (file.empty()) {
        godot::error(path + " cannot be read");
        return;
    }
    auto model = auricle::Model::load_memory(file.data(), file.size());
    if (!model)
        godot::error(path + ": " + model.error().message());
    else
        model_ = std::move(*model);
}

void Instance::begin(const Effect &effect, std::uint32_t rate)
{
    if (!effect.model())
        return;
    auricle::SessionOptions options;
    options.sample_rate = rate;
    options.channels = 2;
    if (!effect.stream().empty())
        options.stream_json = effect.stream().c_str();
    auto session = auricle::Session::create(*effect.model(), options);
    if (!session) {
        godot::error(session.error().message());
        return;
    }
    session_ = std::move(*session);
    GDExtensionObjectPtr object = effect.object();
    effect_.emplace(GDEXTENSION_VARIANT_TYPE_OBJECT, &object);
    for (std::size_t k = 0; k < effect.model()->class_count(); k++)
        labels_.emplace_back(effect.model()->label(k) ? effect.model()->label(k) : "");
    reader_ = std::thread([this, rate] { read_all(rate); });
}

Instance::~Instance()
{
    if (session_)
        session_->cancel();
    if (reader_.joinable())
        reader_.join();
}

void Instance::process(const float *in, float *out, std::size_t frames)
{
    if (session_)
        (void)session_->push(in, frames); // what is lost is told with the results
    std::memcpy(out, in, frames * 2 * sizeof *in);
}

void Instance::read_all(double rate)
{
    auricle::Window window;
    auricle::Event event;
    for (;;) {
        const auto ready = session_->wait(1000ms);
        auto read = ready;
        while (read && (read = session_->read({}, window)) && *read == auricle::Status::ok) {
            if (window.dropped_frames)
                effect_->call_deferred("emit_signal", Variant::name("lost"), Variant(static_cast<std::int64_t>(window.dropped_frames)));
            for (auto found = session_->read_event(event); found && *found == auricle::Status::ok; found = session_->read_event(event)) {
                Variant heard = Variant::dictionary();
                const auto number = [](std::uint64_t value) { return Variant(static_cast<std::int64_t>(value)); };
                heard.set("id", number(event.id));
                heard.set("final", Variant(event.is_final));
                heard.set("label", Variant(labels_[event.class_index]));
                heard.set("onset_seconds", Variant(static_cast<double>(event.onset_frame) / rate));
                heard.set("offset_seconds", Variant(static_cast<double>(event.offset_frame) / rate));
                heard.set("onset_frame", number(event.onset_frame));
                heard.set("offset_frame", number(event.offset_frame));
                heard.set("decided_frame", number(event.decided_frame));
                heard.set("peak_score", Variant(static_cast<double>(event.peak_score)));
                heard.set("mean_score", Variant(static_cast<double>(event.mean_score)));
                effect_->call_deferred("emit_signal", Variant::name("heard"), heard);
            }
        }
        if (!read) {
            godot::error(read.error().message());
            return;
        }
        if (*read == auricle::Status::cancelled)
            return;
    }
}
