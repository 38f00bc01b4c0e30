/* Faults that AddressSanitizer and UndefinedBehaviorSanitizer must report, to show that they watch. Arguments: the folder
 * tests/data, the fault. */
#include "check.h"

int main(int argc, char **argv)
{
    const char *fault = argc > 2 ? argv[2] : "", *label;
    auricle_model *model = load_tiny(argc > 1 ? argv[1] : ".");
    auricle_session *session = create(model, TINY_RATE, 1);
    volatile int largest = 0x7fffffff;
    float *samples = noise(100, 1);

    if (!strcmp(fault, "freed")) { /* this side reads what the library has freed */
        label = auricle_model_label(model, 0);
        auricle_model_free(model);
        return label[0] == 'x';
    }
    if (!strcmp(fault, "overflow")) /* the library reads behind what this side gave */
        return auricle_session_push_f32(session, samples, 101);
    if (!strcmp(fault, "leak")) /* this side forgets what the library made */
        return EXIT_SUCCESS;
    if (!strcmp(fault, "undefined"))
        return largest + argc < 0;
    auricle_session_free(session);
    auricle_model_free(model);
    free(samples);
    return DONE();
}
