// Statuses and errors.
#include "check.hpp"

#include <thread>

int main(int argc, char **argv)
{
    using auricle::Status;
    const std::string folder = folder_of(argc, argv);

    CHECK(std::string(auricle::status_text(Status::mismatch)) == auricle_status_text(AURICLE_MISMATCH));
    CHECK(std::string(auricle::last_error()).empty());

    auto failed = auricle::Model::load(folder + "/no_such_model.onnx");
    CHECK(!failed && failed.error().status() == Status::file);
    std::thread([] { CHECK(std::string(auricle::last_error()).empty()); }).join();

    // An error keeps its sentence when other calls fail, and when it is copied and moved.
    const std::string first = failed.error().message();
    CHECK(first == auricle::last_error() && first.find("no_such_model.onnx") != std::string::npos);
    EXPECT(invalid_argument, "session is NULL", auricle::Session().finish());
    CHECK(first == failed.error().message());
    const auricle::Error copy = failed.error();
    failed = auricle::Model::load(folder + "/tiny.onnx");
    CHECK(failed && failed->class_count() == TINY_CLASSES && first == copy.message());
    CHECK(std::string(auricle::Error(Status::invalid_argument).message()) == "session is NULL");

    // A result is equal to its value alone.
    const auricle::Result<Status> good = Status::again, bad = copy;
    CHECK(good == Status::again && good != Status::ok && bad != Status::again && !(bad == Status::file));
    return DONE();
}
