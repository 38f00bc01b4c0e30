/* Says what a microphone hears, by miniaudio: its audio thread pushes, the main thread reads.
 *
 *   miniaudio MODEL.onnx SECONDS [null]      null: miniaudio's own silent device, for machines without a sound card
 *
 * miniaudio.h lies on the include path; this file compiles it. ONNX Runtime is found beside libauricle or through
 * ORT_DYLIB_PATH.
 */
#define MINIAUDIO_IMPLEMENTATION
#define MA_NO_DECODING
#define MA_NO_ENCODING
#include <miniaudio.h>

#include <auricle.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* miniaudio's audio thread. Pushing never waits, and what is lost on the way is told with the results. */
static void capture(ma_device *device, void *output, const void *input, ma_uint32 frames)
{
    (void)output;
    auricle_session_push_bytes((auricle_session *)device->pUserData, AURICLE_F32, input, frames);
}

/* Reads what is there. Returns AURICLE_AGAIN, AURICLE_END, or what went wrong. */
static auricle_status read_all(const auricle_model *model, auricle_session *session, uint32_t rate, uint64_t *heard)
{
    auricle_result result;
    auricle_event event;
    auricle_status status;

    auricle_result_init(&result);
    auricle_event_init(&event);
    while ((status = auricle_session_read(session, NULL, 0, &result)) == AURICLE_OK) {
        *heard = result.end_frame;
        if (result.dropped_frames)
            fprintf(stderr, "%.2f s: %llu frames lost\n", (double)result.first_frame / rate, (unsigned long long)result.dropped_frames);
        while (auricle_session_read_event(session, &event) == AURICLE_OK) {
            const char *label = auricle_model_label(model, (size_t)event.class_index);
            if (event.is_final)
                printf("event %.2f s to %.2f s: %s, up to %.2f\n", (double)event.onset_frame / rate,
                       (double)event.offset_frame / rate, label, (double)event.peak_score);
            else
                printf("event %.2f s: %s begins\n", (double)event.onset_frame / rate, label);
        }
    }
    return status;
}

/* Listens until so many seconds were heard. */
static auricle_status run(const auricle_model *model, auricle_session *session, ma_device *device, double seconds)
{
    uint64_t heard = 0;
    auricle_status status = AURICLE_AGAIN;

    if (ma_device_start(device) != MA_SUCCESS) {
        fprintf(stderr, "the microphone does not start\n");
        return AURICLE_END;
    }
    while (status == AURICLE_AGAIN && (double)heard < seconds * device->sampleRate) {
        status = auricle_session_wait(session, 1000);
        if (status >= 0)
            status = read_all(model, session, device->sampleRate, &heard);
    }
    ma_device_stop(device); /* no callback runs any more, so this thread may end the stream */
    if (status >= 0)
        status = auricle_session_finish(session);
    if (status >= 0)
        status = read_all(model, session, device->sampleRate, &heard);
    printf("heard %.2f s\n", (double)heard / device->sampleRate);
    return status;
}

int main(int argc, char **argv)
{
    const ma_backend null_backend = ma_backend_null;
    const int silent = argc == 4 && !strcmp(argv[3], "null");
    auricle_model *model = NULL;
    auricle_session *session = NULL;
    auricle_session_options options;
    auricle_status status;
    ma_device_config config = ma_device_config_init(ma_device_type_capture);
    ma_context context;
    ma_device device;

    if (argc != 3 && !silent) {
        fprintf(stderr, "usage: %s MODEL.onnx SECONDS [null]\n", argv[0]);
        return EXIT_FAILURE;
    }
    config.capture.format = ma_format_f32;
    config.dataCallback = capture;
    if (ma_context_init(silent ? &null_backend : NULL, (ma_uint32)silent, NULL, &context) != MA_SUCCESS) {
        fprintf(stderr, "miniaudio finds no audio system\n");
        return EXIT_FAILURE;
    }
    if (ma_device_init(&context, &config, &device) != MA_SUCCESS) { /* its rate and channels, as nothing else was asked for */
        fprintf(stderr, "there is no microphone\n");
        ma_context_uninit(&context);
        return EXIT_FAILURE;
    }
    auricle_session_options_init(&options);
    options.sample_rate = device.sampleRate;
    options.channels = device.capture.channels;
    options.stream_json = "{ \"events\": { \"on\": 0.5 } }"; /* NULL: as the model's manifest says */
    status = auricle_model_load(argv[1], NULL, &model);
    if (status == AURICLE_OK)
        status = auricle_session_create(model, &options, &session);
    if (status == AURICLE_OK) {
        device.pUserData = session;
        printf("listening to %s at %u Hz, %u channels\n", device.capture.name, (unsigned)device.sampleRate, (unsigned)device.capture.channels);
        fflush(stdout);
        status = run(model, session, &device, strtod(argv[2], NULL));
    }
    if (status < 0)
        fprintf(stderr, "%s: %s\n", auricle_status_text(status), auricle_last_error());
    ma_device_uninit(&device);
    ma_context_uninit(&context);
    auricle_session_free(session);
    auricle_model_free(model);
    return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
