// What the C++ tests share: a check of outcomes, and models; sound and files are those of the C tests. The first argument of
// every program is the folder tests/data.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <auricle.hpp>

#include <check.h> // tests/c
#include <cstring>
#include <string>
#include <vector>

#undef EXPECT
#undef OK

// The call has this outcome, and if that is an error, its message holds `text`.
#define EXPECT(wanted, text, call) expect(__FILE__, __LINE__, #call, auricle::Status::wanted, text, outcome(call))
#define OK(call) EXPECT(ok, "", call)

struct Outcome {
    auricle::Status status;
    std::string message;
};

inline Outcome outcome(Outcome found)
{
    return found;
}

inline Outcome outcome(auricle::Status status)
{
    return {status, auricle::last_error()};
}

#ifndef AURICLE_EXCEPTIONS
inline Outcome outcome(const auricle::Error &error)
{
    return {error.status(), error.message()};
}

template <class T> Outcome outcome(const auricle::Result<T> &result)
{
    return result ? Outcome{auricle::Status::ok, ""} : outcome(result.error());
}

inline Outcome outcome(const auricle::Result<auricle::Status> &result)
{
    return result ? Outcome{*result, ""} : outcome(result.error());
}

// The value, or the end of the test.
template <class T> T take(auricle::Result<T> result)
{
    if (result)
        return std::move(*result);
    std::fprintf(stderr, "%s\n", result.error().message());
    std::exit(EXIT_FAILURE);
}

inline auricle::Model tiny(const std::string &folder)
{
    return take(auricle::Model::load(folder + "/tiny.onnx"));
}

inline auricle::Session create(const auricle::Model &model, std::uint32_t sample_rate, std::uint32_t channels)
{
    auricle::SessionOptions options;
    options.sample_rate = sample_rate;
    options.channels = channels;
    options.ring_seconds = 20;
    return take(auricle::Session::create(model, options));
}
#endif

inline void expect(const char *file, int line, const char *call, auricle::Status wanted, const char *text,
                   const Outcome &found)
{
    if (found.status != wanted) {
        std::fprintf(stderr, "%s:%d: %s: %s\n", file, line, auricle::status_text(found.status), found.message.c_str());
        check_failed(file, line, call);
    } else if (found.message.find(text) == std::string::npos) {
        std::fprintf(stderr, "%s:%d: \"%s\" lacks \"%s\"\n", file, line, found.message.c_str(), text);
        check_failed(file, line, call);
    }
}

// noise() of the C tests, in a vector.
inline std::vector<float> sound(std::size_t frames, std::size_t channels)
{
    float *samples = noise(frames, channels);
    std::vector<float> all(samples, samples + frames * channels);
    std::free(samples);
    return all;
}

inline std::string folder_of(int argc, char **argv)
{
    return argc > 1 ? argv[1] : ".";
}

#endif
