// Who owns a handle, and that it is freed once, in any order. AURICLE_TEST_ROUNDS says how often.
#include "check.hpp"

static void owners(const std::string &folder)
{
    auricle::Model first = tiny(folder);
    auricle_model *handle = first.get();
    auricle::Model second = std::move(first);
    CHECK(second.get() == handle && second.class_count() == TINY_CLASSES);
    CHECK(!first && first.class_count() == 0); // NOLINT: what is left is empty
    first = std::move(second);
    CHECK(first.get() == handle && !second);
    first = tiny(folder); // the old one is freed
    handle = first.release();
    CHECK(!first);
    const auricle::Model adopted(handle);
    CHECK(adopted.class_count() == TINY_CLASSES);

    auricle_session *made = nullptr;
    CHECK(auricle_session_create(adopted.get(), nullptr, &made) == AURICLE_OK);
    auricle::Session session(made, 1);
    std::vector<auricle::Session> many;
    many.push_back(std::move(session));
    many.push_back(create(adopted, 44100, 2));
    CHECK(!session && many[0].channels() == 1 && many[1].channels() == 2);
    OK(many[0].push(std::vector<float>(100)));
    EXPECT(invalid_argument, "session is NULL", session.push(std::vector<float>(100)));
}

static void model_goes_first(const std::string &folder)
{
    auricle::Model model = tiny(folder);
    auricle::Session session = create(model, TINY_RATE, 1);
    std::vector<float> scores(TINY_CLASSES);
    auricle::Window window;
    model = auricle::Model();
    OK(session.push(sound(TINY_WINDOW, 1)));
    OK(session.read(scores, window));
}

int main(int argc, char **argv)
{
    const std::string folder = folder_of(argc, argv);
    const char *rounds = std::getenv("AURICLE_TEST_ROUNDS");
    for (int i = rounds ? std::atoi(rounds) : 20; i > 0; i--) {
        owners(folder);
        model_goes_first(folder);
        EXPECT(file, "no_such", auricle::Model::load(folder + "/no_such"));
    }
    return DONE();
}
