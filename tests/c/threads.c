/* One model on many threads, one session on two. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>

enum { FRAMES = 10 * TINY_RATE, PIECE = 160, THREADS = 4 };

typedef struct {
    auricle_session *session;
    const auricle_model *model;
    const float *samples;
    double sums[TINY_CLASSES];
    int windows;
} stream;

static void read_stream(stream *s, int until)
{
    float scores[TINY_CLASSES];
    auricle_result result;
    auricle_status status;
    int k;
    auricle_result_init(&result);
    for (;;) {
        status = auricle_session_read(s->session, scores, TINY_CLASSES, &result);
        if (status == AURICLE_OK) {
            s->windows++;
            for (k = 0; k < TINY_CLASSES; k++)
                s->sums[k] += (double)scores[k];
        } else if (status < 0) {
            check_failed(__FILE__, __LINE__, "read");
            return;
        } else if (status == until) {
            return;
        }
    }
}

static void *push_thread(void *argument)
{
    stream *s = (stream *)argument;
    size_t at;
    for (at = 0; at < FRAMES; at += PIECE)
        OK(auricle_session_push_f32(s->session, s->samples + at, PIECE));
    OK(auricle_session_finish(s->session));
    return NULL;
}

static void *read_thread(void *argument)
{
    read_stream((stream *)argument, AURICLE_END);
    return NULL;
}

/* A session of its own, pushed and read by one thread, and whole clips in between. */
static void *session_thread(void *argument)
{
    stream *s = (stream *)argument;
    float scores[TINY_CLASSES];
    size_t at;
    for (at = 0; at < FRAMES; at += TINY_RATE) {
        OK(auricle_session_push_f32(s->session, s->samples + at, TINY_RATE));
        read_stream(s, AURICLE_AGAIN);
        OK(auricle_classify_f32(s->model, s->samples, TINY_WINDOW, 1, TINY_RATE, scores, TINY_CLASSES));
    }
    OK(auricle_session_finish(s->session));
    read_stream(s, AURICLE_END);
    return NULL;
}

int main(int argc, char **argv)
{
    auricle_model *model = load_tiny(argc > 1 ? argv[1] : ".");
    float *samples = noise(FRAMES, 1);
    stream streams[1 + THREADS];
    pthread_t threads[2 + THREADS];
    int i;

    memset(streams, 0, sizeof streams);
    for (i = 0; i <= THREADS; i++) {
        streams[i].session = create(model, TINY_RATE, 1);
        streams[i].model = model;
        streams[i].samples = samples;
    }
    CHECK(!pthread_create(&threads[0], NULL, push_thread, &streams[0]));
    CHECK(!pthread_create(&threads[1], NULL, read_thread, &streams[0]));
    for (i = 1; i <= THREADS; i++)
        CHECK(!pthread_create(&threads[1 + i], NULL, session_thread, &streams[i]));
    for (i = 0; i < 2 + THREADS; i++)
        CHECK(!pthread_join(threads[i], NULL));
    for (i = 0; i <= THREADS; i++) {
        CHECK(streams[i].windows == 37);
        CHECK(!memcmp(streams[i].sums, streams[0].sums, sizeof streams[0].sums));
        auricle_session_free(streams[i].session);
    }
    free(samples);
    auricle_model_free(model);
    return DONE();
}
