/* Handles: any order of frees, and no growth. AURICLE_TEST_ROUNDS says how often; 1000 when it does not. */
#include "check.h"

/* Memory of the process that is in use, kB; 0 where the system does not tell it this way. */
static long resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return pages * 4;
}

static void model_goes_first(const char *folder)
{
    auricle_model *model = load_tiny(folder);
    auricle_session *one = create(model, TINY_RATE, 1), *two = create(model, 44100, 2);
    float *samples = noise(2 * 44100, 2), scores[TINY_CLASSES];
    auricle_result result;

    auricle_result_init(&result);
    auricle_model_free(model);
    OK(auricle_session_push_f32(one, samples, TINY_WINDOW));
    OK(auricle_session_read(one, scores, TINY_CLASSES, &result));
    auricle_session_free(one);
    OK(auricle_session_push_f32(two, samples, 2 * 44100));
    OK(auricle_session_read(two, scores, TINY_CLASSES, &result));
    auricle_session_free(two);
    free(samples);
}

static void one_round(const auricle_model *shared, const char *folder, const float *samples)
{
    auricle_model *model = load_tiny(folder);
    auricle_session *session = NULL, *other = NULL;
    float scores[TINY_CLASSES];
    auricle_result result;

    /* The default ring: pages of a longer one come and go with the allocator's moods. */
    OK(auricle_session_create(shared, NULL, &session));
    OK(auricle_session_create(model, NULL, &other));
    auricle_result_init(&result);
    OK(auricle_session_push_f32(other, samples, TINY_WINDOW));
    OK(auricle_session_read(other, scores, TINY_CLASSES, &result));
    OK(auricle_session_push_f32(session, samples, 100));
    CHECK(auricle_session_push_f32(session, NULL, 1) == AURICLE_INVALID_ARGUMENT);
    auricle_model_free(model);
    auricle_session_free(other);
    auricle_session_free(session);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".", *wanted = getenv("AURICLE_TEST_ROUNDS");
    const int rounds = wanted ? atoi(wanted) : 1000;
    const long bound = 2048; /* kB: 2 a round. What is smaller, valgrind finds. */
    auricle_model *shared = load_tiny(folder);
    float *samples = noise(TINY_WINDOW, 1);
    long before;
    int i;

    model_goes_first(folder);
    for (i = 0; i < rounds / 10; i++)
        one_round(shared, folder, samples);
    before = resident();
    for (i = 0; i < rounds; i++)
        one_round(shared, folder, samples);
    if (before == 0)
        printf("SKIPPED: growth, because there is no /proc/self/statm\n");
    else if (rounds >= 1000) { /* fewer show the tool that they run under */
        printf("MEASURED: %d rounds of create and free: %ld kB before, %ld kB after\n", rounds, before, resident());
        CHECK(resident() - before <= bound);
    }
    auricle_model_free(shared);
    free(samples);
    return DONE();
}
