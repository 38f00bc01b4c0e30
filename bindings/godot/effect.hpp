// AuricleEffect, an AudioEffect that emits what is heard on its bus, and the instance that Godot makes of it for a bus.
#ifndef AURICLE_GODOT_EFFECT_HPP
#define AURICLE_GODOT_EFFECT_HPP

#include "godot.hpp"

#include <auricle.hpp>

#include <optional>
#include <string>
#include <thread>
#include <vector>

class Effect
{
public:
    // The Godot object that it belongs to.
    explicit Effect(GDExtensionObjectPtr object) : object_(object) {}

    const std::string &model_path() const { return path_; }
    const std::string &stream() const { return stream_; }
    // Loads the model at once, through Godot's files: res:// works in an exported game too. What is wrong is printed as an error.
    void set_model_path(const std::string &path);
    // For instances that are made later.
    void set_stream(const std::string &json) { stream_ = json; }

    GDExtensionObjectPtr object() const { return object_; }
    const std::optional<auricle::Model> &model() const { return model_; }

private:
    GDExtensionObjectPtr object_;
    std::string path_, stream_;
    std::optional<auricle::Model> model_;
};

// One bus: the audio thread pushes, a thread of its own reads.
class Instance
{
public:
    Instance() = default;
    Instance(const Instance &) = delete;
    Instance &operator=(const Instance &) = delete;
    ~Instance();

    // Begins to listen; without a model nothing is heard. `rate` in Hz.
    void begin(const Effect &effect, std::uint32_t rate);
    // The audio thread: stereo frames pass and are heard.
    void process(const float *in, float *out, std::size_t frames);

private:
    void read_all(double rate);

    std::optional<auricle::Session> session_;
    std::optional<godot::Variant> effect_; // keeps it alive
    std::vector<std::string> labels_;
    std::thread reader_;
};

#endif
