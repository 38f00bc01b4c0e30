// Faults that AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer and valgrind must report, to show that they watch.
// Arguments: the folder tests/data, the fault.
#include "check.hpp"

#include <thread>

int main(int argc, char **argv)
{
    const std::string fault = argc > 2 ? argv[2] : "";
    auricle::Model model = tiny(folder_of(argc, argv));
    auricle::Session session = create(model, TINY_RATE, 1);
    const auto samples = sound(100, 1);

    if (fault == "freed") { // a label outlives its model
        const char *label = model.label(0);
        model = auricle::Model();
        std::printf("%c\n", label[0]);
    }
    if (fault == "twice") // two owners
        (void)auricle::Model(model.get());
    if (fault == "overflow") // the library reads behind what this side gave
        OK(session.push(samples.data(), 101));
    if (fault == "leak") // a handle that was given away, to nobody
        (void)model.release();
    if (fault == "undefined") {
        volatile int largest = 0x7fffffff;
        return largest + argc < 0;
    }
    if (fault == "race") { // one thread pushes what another one still writes
        std::vector<float> shared(1000);
        std::thread writer([&] {
            for (int round = 0; round < 1000; round++)
                shared[static_cast<std::size_t>(round)] = 0.5f;
        });
        OK(session.push(shared));
        writer.join();
    }
    return DONE();
}
