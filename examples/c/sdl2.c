/* Says what a microphone hears, by SDL2, as a game would: the audio callback pushes, and the loop that draws each
 * picture reads at most one window in it.
 *
 *   sdl2 MODEL.onnx [DEVICE]      DEVICE: a part of the name of a microphone; without it, the default one
 *
 * ONNX Runtime is found beside libauricle or through ORT_DYLIB_PATH.
 */
#include <SDL.h>
#include <auricle.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    auricle_session *session;
    uint32_t rate, channels;
} listener;

/* SDL's audio thread. Pushing never waits, and what is lost on the way is told with the results. */
static void SDLCALL capture(void *user, Uint8 *bytes, int size)
{
    listener *l = (listener *)user;
    auricle_session_push_bytes(l->session, AURICLE_F32, bytes, (size_t)size / (sizeof(float) * l->channels));
}

/* The first microphone with `part` in its name. Returns NULL if there is none, and says which there are. */
static const char *find(const char *part)
{
    int i, count = SDL_GetNumAudioDevices(1);

    for (i = 0; i < count; i++)
        if (strstr(SDL_GetAudioDeviceName(i, 1), part))
            return SDL_GetAudioDeviceName(i, 1);
    fprintf(stderr, "no microphone has \"%s\" in its name; there are:\n", part);
    for (i = 0; i < count; i++)
        fprintf(stderr, "  %s\n", SDL_GetAudioDeviceName(i, 1));
    return NULL;
}

/* Prints the events that began or are over. */
static void print_events(const auricle_model *model, const listener *l)
{
    auricle_event event;

    auricle_event_init(&event);
    while (auricle_session_read_event(l->session, &event) == AURICLE_OK) {
        const char *label = auricle_model_label(model, (size_t)event.class_index);
        if (event.is_final)
            printf("event %.2f s to %.2f s: %s, up to %.2f\n", (double)event.onset_frame / l->rate,
                   (double)event.offset_frame / l->rate, label, (double)event.peak_score);
        else
            printf("event %.2f s: %s begins\n", (double)event.onset_frame / l->rate, label);
        fflush(stdout);
    }
}

/* One turn of the loop. */
static auricle_status turn(const auricle_model *model, const listener *l)
{
    auricle_result result;
    auricle_status status;

    auricle_result_init(&result);
    while ((status = auricle_session_read(l->session, NULL, 0, &result)) == AURICLE_OK)
        if (result.dropped_frames)
            fprintf(stderr, "%.2f s: %llu frames lost\n", (double)result.first_frame / l->rate,
                    (unsigned long long)result.dropped_frames);
    print_events(model, l);
    return status;
}

/* Listens until SDL says that it is over (Ctrl-C too), or the microphone is gone. */
static int run(const auricle_model *model, const listener *l, SDL_AudioDeviceID device)
{
    auricle_status status = AURICLE_AGAIN;
    SDL_Event event;
    int over = 0, gone = 0;

    SDL_PauseAudioDevice(device, 0);
    while (!over && !gone && status >= 0) {
        while (SDL_PollEvent(&event)) {
            over |= event.type == SDL_QUIT;
            gone |= event.type == SDL_AUDIODEVICEREMOVED && event.adevice.iscapture && event.adevice.which == device;
        }
        status = turn(model, l); /* a game would draw here, too */
        SDL_Delay(16);
    }
    SDL_CloseAudioDevice(device); /* no callback runs any more, so this thread may end the stream */
    if (status >= 0)
        status = auricle_session_finish(l->session);
    while (status >= 0 && status != AURICLE_END)
        status = turn(model, l);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", auricle_status_text(status), auricle_last_error());
    if (gone)
        fprintf(stderr, "the microphone is gone\n");
    return status == AURICLE_END && !gone ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    listener l = {NULL, 0, 0};
    auricle_model *model = NULL;
    auricle_session_options options;
    auricle_status status;
    int result = EXIT_FAILURE;
    SDL_AudioSpec wanted, had;
    SDL_AudioDeviceID device = 0;
    const char *name = NULL;

    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s MODEL.onnx [DEVICE]\n", argv[0]);
        return EXIT_FAILURE;
    }
    if (SDL_Init(SDL_INIT_AUDIO | SDL_INIT_EVENTS) || (argc == 3 && !(name = find(argv[2])))) {
        fprintf(stderr, "SDL: %s\n", SDL_GetError());
        SDL_Quit();
        return EXIT_FAILURE;
    }
    SDL_zero(wanted);
    wanted.freq = 48000;
    wanted.format = AUDIO_F32SYS;
    wanted.channels = 1;
    wanted.samples = 480; /* 10 ms */
    wanted.callback = capture;
    wanted.userdata = &l;
    device = SDL_OpenAudioDevice(name, 1, &wanted, &had, SDL_AUDIO_ALLOW_FREQUENCY_CHANGE | SDL_AUDIO_ALLOW_CHANNELS_CHANGE);
    if (!device) {
        fprintf(stderr, "SDL: %s\n", SDL_GetError());
        SDL_Quit();
        return EXIT_FAILURE;
    }
    /* It is paused until the session is there. */
    l.rate = (uint32_t)had.freq;
    l.channels = had.channels;
    auricle_session_options_init(&options);
    options.sample_rate = l.rate;
    options.channels = l.channels;
    options.max_windows_per_read = 1; /* no picture waits for more than one inference */
    options.stream_json = "{ \"events\": { \"on\": 0.5 } }"; /* NULL: as the model's manifest says */
    status = auricle_model_load(argv[1], NULL, &model);
    if (status == AURICLE_OK)
        status = auricle_session_create(model, &options, &l.session);
    if (status == AURICLE_OK) {
        printf("listening at %u Hz, %u channels; Ctrl-C ends\n", (unsigned)l.rate, (unsigned)l.channels);
        fflush(stdout);
        result = run(model, &l, device);
    } else {
        fprintf(stderr, "%s: %s\n", auricle_status_text(status), auricle_last_error());
        SDL_CloseAudioDevice(device);
    }
    SDL_Quit();
    auricle_session_free(l.session);
    auricle_model_free(model);
    return result;
}
