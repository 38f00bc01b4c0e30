// A second translation unit of header.cpp, of the other form: with exceptions.
#define AURICLE_EXCEPTIONS
#include <auricle.hpp>

int other_translation_unit();

int other_translation_unit()
{
    try {
        const auricle::Model model = auricle::Model::load("no/such/model.onnx");
        return 0;
    } catch (const auricle::Error &error) {
        return error.status() == auricle::Status::file;
    }
}
