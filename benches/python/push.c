/* Times auricle_session_push_bytes of 10 ms at 48 kHz: the library alone, for push.py. Prints nanoseconds a push. */
#include <auricle.h>

#include <stdio.h>
#include <time.h>

enum { FRAMES = 480, PUSHES = 100, ROUNDS = 300 };

int main(int argc, char **argv)
{
    static float block[FRAMES];
    auricle_model *model = NULL;
    auricle_session *session = NULL;
    auricle_session_options options;
    double best = 1e9;

    auricle_session_options_init(&options);
    options.sample_rate = 48000;
    for (int i = 0; i < FRAMES; i++)
        block[i] = (float)(i % 97 - 48) / 480;
    if (argc < 2 || auricle_model_load(argv[1], NULL, &model) || auricle_session_create(model, &options, &session))
        return fprintf(stderr, "%s\n", auricle_last_error()), 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct timespec from, to;
        double each;
        auricle_session_reset(session);
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < PUSHES; i++)
            if (auricle_session_push_bytes(session, AURICLE_F32, block, FRAMES) != AURICLE_OK)
                return fprintf(stderr, "%s\n", auricle_last_error()), 1;
        clock_gettime(CLOCK_MONOTONIC, &to);
        each = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / PUSHES;
        if (each < best)
            best = each;
    }
    printf("%.0f\n", best);
    auricle_session_free(session);
    auricle_model_free(model);
    return 0;
}
