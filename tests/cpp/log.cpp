// A log function is an object that stays; it may call the library.
#include "check.hpp"

struct Counter {
    int messages = 0, wrong = 0;
    void operator()(auricle::LogLevel level, const char *message) noexcept
    {
        messages++;
        wrong += level < auricle::LogLevel::error || level > auricle::LogLevel::debug || !*message;
        wrong += auricle::abi_version() != AURICLE_ABI_VERSION;
    }
};

int main(int argc, char **argv)
{
    const std::string folder = folder_of(argc, argv);
    static Counter counter;
    static int infos = 0;
    static const auto lambda = [](auricle::LogLevel level, const char *) noexcept { infos += level == auricle::LogLevel::info; };

    EXPECT(invalid_argument, "level is 9", auricle::set_log(static_cast<auricle::LogLevel>(9), counter));
    (void)tiny(folder);
    CHECK(counter.messages == 0);

    OK(auricle::set_log(auricle::LogLevel::debug, counter));
    (void)tiny(folder);
    CHECK(counter.messages > 0 && counter.wrong == 0);

    OK(auricle::set_log(auricle::LogLevel::info, lambda));
    const int before = counter.messages;
    (void)tiny(folder);
    CHECK(infos > 0 && counter.messages == before);

    auricle::set_log(nullptr);
    const int heard = infos;
    (void)tiny(folder);
    CHECK(infos == heard);
    return DONE();
}
