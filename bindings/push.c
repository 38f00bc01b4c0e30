/* Times a push of 10 ms at 48 kHz and a read without a due window, for the benches of the bindings: a round of 50 for each line
 * of its standard input. Prints nanoseconds for one. */
#include <auricle.h>

#include <stdio.h>
#include <time.h>

enum { FRAMES = 480, PUSHES = 50 };

int main(int argc, char **argv)
{
    static float block[FRAMES], scores[64];
    char line[16];
    auricle_model *model = NULL;
    auricle_session *session = NULL;
    auricle_session_options options;
    auricle_result result;

    auricle_result_init(&result);
    auricle_session_options_init(&options);
    options.sample_rate = 48000;
    for (int i = 0; i < FRAMES; i++)
        block[i] = (float)(i % 97 - 48) / 480;
    if (argc < 2 || auricle_model_load(argv[1], NULL, &model) || auricle_session_create(model, &options, &session))
        return fprintf(stderr, "%s\n", auricle_last_error()), 1;
    while (fgets(line, sizeof line, stdin)) {
        struct timespec from, to;
        auricle_session_reset(session);
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < PUSHES; i++)
            if (auricle_session_push_f32(session, block, FRAMES) != AURICLE_OK
                || auricle_session_read(session, scores, 64, &result) != AURICLE_AGAIN)
                return fprintf(stderr, "%s\n", auricle_last_error()), 1;
        clock_gettime(CLOCK_MONOTONIC, &to);
        printf("%.0f\n", ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / PUSHES);
        fflush(stdout);
    }
    auricle_session_free(session);
    auricle_model_free(model);
    return 0;
}
