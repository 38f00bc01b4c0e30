/* Loading and classifying are stopped from another thread. The third argument is the folder of looping.onnx, which never
 * ends for a loud clip: it counts from 0.25 and 0.5 as often as the highest sample times 1e18 says. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>
#include <time.h>

enum { CLASSES = 2, FRAMES = 1600, RATE = 16000 };

static const char manifest[] =
    "{\"auricle\":1,\"labels\":[\"a\",\"b\"],\"input\":{\"sample_rate\":16000,\"window_seconds\":0.1,"
    "\"features\":{\"kind\":\"waveform\"},\"layout\":[\"batch\",\"sample\"]}";
/* 8901 golden windows, loud ones: the first never ends. */
static const char golden[] =
    ",\"stream\":{\"hop_seconds\":0.001},\"golden\":[{\"signal\":{\"kind\":\"noise\",\"seed\":1},\"seconds\":9,"
    "\"scores\":[0,0]}]";

typedef struct {
    const auricle_model *model; /* NULL: load */
    const unsigned char *onnx;
    size_t size;
    const char *manifest;
    auricle_cancel *cancel;
    auricle_status status;
    float scores[CLASSES];
    char error[256];
} job;

static void *run(void *argument)
{
    job *j = (job *)argument;
    if (j->model) {
        float loud[FRAMES];
        int i;
        auricle_clip_options options;
        auricle_clip_options_init(&options);
        options.cancel = j->cancel;
        for (i = 0; i < FRAMES; i++)
            loud[i] = 0.5f;
        j->status = auricle_classify(j->model, AURICLE_F32, loud, FRAMES, 1, RATE, &options, j->scores, CLASSES);
    } else {
        auricle_model *model = NULL;
        auricle_model_options options;
        auricle_model_options_init(&options);
        options.self_check = 1;
        options.cancel = j->cancel;
        j->status = auricle_model_load_memory(j->onnx, j->size, j->manifest, &options, &model);
        CHECK(model == NULL);
    }
    snprintf(j->error, sizeof j->error, "%s", auricle_last_error());
    return NULL;
}

static void pause_ms(long ms)
{
    struct timespec time;
    time.tv_sec = 0;
    time.tv_nsec = ms * 1000000;
    nanosleep(&time, NULL);
}

/* Starts two jobs with a switch each, and stops the first before the second. */
static void stop_both(job *jobs)
{
    pthread_t threads[2];
    int k;
    for (k = 0; k < 2; k++) {
        OK(auricle_cancel_create(&jobs[k].cancel));
        jobs[k].scores[0] = jobs[k].scores[1] = -7;
        jobs[k].status = AURICLE_OK;
        if (pthread_create(&threads[k], NULL, run, &jobs[k]))
            abort();
    }
    pause_ms(200);
    for (k = 0; k < 2; k++) {
        OK(auricle_cancel_request(jobs[k].cancel));
        pthread_join(threads[k], NULL);
        CHECK(jobs[k].status == AURICLE_CANCELLED);
        CHECK(jobs[k].scores[0] == -7.0f && jobs[k].scores[1] == -7.0f);
        CHECK(k == 1 || jobs[1].status == AURICLE_OK); /* it goes on */
    }
    for (k = 0; k < 2; k++) {
        run(&jobs[k]); /* the switch stays on */
        CHECK(jobs[k].status == AURICLE_CANCELLED);
        auricle_cancel_free(jobs[k].cancel);
    }
}

int main(int argc, char **argv)
{
    char text[sizeof manifest + sizeof golden + 2];
    const float silence[FRAMES] = {0};
    float scores[CLASSES];
    size_t size;
    unsigned char *onnx = read_file(argc > 3 ? argv[3] : ".", "looping.onnx", &size);
    auricle_model *model = NULL;
    job jobs[2];
    auricle_clip_options options;

    EXPECT(AURICLE_INVALID_ARGUMENT, "cancel is NULL", auricle_cancel_create(NULL));
    EXPECT(AURICLE_INVALID_ARGUMENT, "cancel is NULL", auricle_cancel_request(NULL));
    auricle_cancel_free(NULL);

    snprintf(text, sizeof text, "%s}", manifest);
    OK(auricle_model_load_memory(onnx, size, text, NULL, &model));
    memset(jobs, 0, sizeof jobs);
    jobs[0].model = jobs[1].model = model;
    stop_both(jobs);

    /* Calls with another switch, or none, are not touched. */
    auricle_clip_options_init(&options);
    OK(auricle_cancel_create(&jobs[0].cancel));
    options.cancel = jobs[0].cancel;
    OK(auricle_classify(model, AURICLE_F32, silence, FRAMES, 1, RATE, &options, scores, CLASSES));
    CHECK(scores[0] == 0.25f && scores[1] == 0.5f);
    auricle_cancel_free(jobs[0].cancel);
    OK(auricle_classify_f32(model, silence, FRAMES, 1, RATE, scores, CLASSES));
    auricle_model_free(model);

    snprintf(text, sizeof text, "%s%s}", manifest, golden);
    memset(jobs, 0, sizeof jobs);
    jobs[0].onnx = jobs[1].onnx = onnx;
    jobs[0].size = jobs[1].size = size;
    jobs[0].manifest = jobs[1].manifest = text;
    stop_both(jobs);
    free(onnx);
    return DONE();
}
