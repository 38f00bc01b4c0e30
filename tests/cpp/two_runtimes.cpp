// A program that links another ONNX Runtime, of another version, and Auricle, which opens its own: both work, in turn and at
// once. Arguments: the folder tests/data, the version of the one that is linked.
#include "check.hpp"

#include <cstring>
#include <thread>

// The head of ONNX Runtime's C API, whose functions keep their places in every version.
struct ApiBase {
    const void *const *(*api)(std::uint32_t version);
    const char *(*version)();
};
extern "C" const ApiBase *OrtGetApiBase();
enum Place : std::size_t { GET_MESSAGE = 2, CREATE_ENV = 3, CREATE_SESSION = 7, RUN = 9, CREATE_OPTIONS = 10,
    CREATE_TENSOR = 49, TENSOR_DATA = 51, CPU_MEMORY = 69, FREE_ENV = 92, FREE_MEMORY = 94, FREE_SESSION = 95,
    FREE_VALUE = 96, FREE_OPTIONS = 100 };

static const void *const *table;

// Calls the function at a place of the table, and ends the program where it fails.
template <class... Arguments> static void ort(Place place, Arguments... arguments)
{
    using Function = void *(*)(Arguments...);
    void *failed = reinterpret_cast<Function>(const_cast<void *>(table[place]))(arguments...);
    if (failed) {
        using Message = const char *(*)(const void *);
        std::fprintf(stderr, "place %d: %s\n", static_cast<int>(place),
                     reinterpret_cast<Message>(const_cast<void *>(table[GET_MESSAGE]))(failed));
        std::exit(EXIT_FAILURE);
    }
}

static void free_by(Place place, void *object)
{
    reinterpret_cast<void (*)(void *)>(const_cast<void *>(table[place]))(object);
}

// probe.onnx in the runtime that is linked: first, last, mean and largest of four samples.
static void others_turn(void *session)
{
    float samples[4] = {0.25f, 1.0f, -0.5f, 0.25f};
    const std::int64_t shape[2] = {1, 4};
    const char *input = "input", *output = "output";
    void *memory = nullptr, *in = nullptr, *out = nullptr;
    float *scores = nullptr;
    ort(CPU_MEMORY, 0, 0, &memory);
    ort(CREATE_TENSOR, static_cast<const void *>(memory), static_cast<void *>(samples), sizeof samples, shape,
        std::size_t{2}, 1, &in);
    const void *inputs[1] = {in};
    ort(RUN, session, static_cast<const void *>(nullptr), static_cast<const char *const *>(&input),
        static_cast<const void *const *>(inputs), std::size_t{1}, static_cast<const char *const *>(&output),
        std::size_t{1}, &out);
    ort(TENSOR_DATA, out, &scores);
    CHECK(scores[0] == 0.25f && scores[1] == 0.25f && scores[2] == 0.25f && scores[3] == 1.0f);
    free_by(FREE_VALUE, out);
    free_by(FREE_VALUE, in);
    free_by(FREE_MEMORY, memory);
}

int main(int argc, char **argv)
{
    const std::string folder = folder_of(argc, argv);
    const ApiBase *base = OrtGetApiBase();
    void *environment = nullptr, *options = nullptr, *session = nullptr;
    CHECK(argc > 2 && !std::strcmp(base->version(), argv[2]));
    table = base->api(16);
    ort(CREATE_ENV, 2, "other", &environment);
    ort(CREATE_OPTIONS, &options);
    ort(CREATE_SESSION, static_cast<const void *>(environment), (folder + "/probe.onnx").c_str(),
        static_cast<const void *>(options), &session);
    others_turn(session);
    {
        const auricle::Model model = tiny(folder);
        const auto samples = sound(TINY_WINDOW, 1);
        const auto scores = take(model.classify(auricle::Clip(samples, 1, TINY_RATE)));
        const std::string record = take(model.describe());
        const std::string key = "\"onnxruntime\": {\n    \"version\": \"";
        const auto at = record.find(key);
        const std::string own = at == std::string::npos ? "" : record.substr(at + key.size(), std::strlen(argv[2]));
        CHECK(!own.empty() && own != argv[2]);
        std::printf("MEASURED: linked ONNX Runtime %s, Auricle's %s\n", base->version(), own.c_str());
        others_turn(session);
        std::thread other([&] {
            for (int i = 0; i < 100; i++)
                others_turn(session);
        });
        for (int i = 0; i < 100; i++)
            CHECK(take(model.classify(auricle::Clip(samples, 1, TINY_RATE))) == scores);
        other.join();
    }
    others_turn(session); // Auricle's model is gone
    free_by(FREE_SESSION, session);
    free_by(FREE_OPTIONS, options);
    free_by(FREE_ENV, environment);
    return DONE();
}
