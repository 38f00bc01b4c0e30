/* Says what a JACK port hears: the audio thread pushes, another thread reads.
 *
 *   jack MODEL.onnx [PORT]        PORT such as system:capture_1; without it, connect auricle:in yourself
 *
 * ONNX Runtime is found beside libauricle or through ORT_DYLIB_PATH.
 */
#define _POSIX_C_SOURCE 200809L
#include <auricle.h>
#include <jack/jack.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    const auricle_model *model;
    auricle_session *session;
    jack_client_t *client;
    jack_port_t *port;
    jack_nframes_t next; /* frame that the next block should begin with */
    int started;
    uint32_t rate;
    auricle_status status; /* what ended the reading thread */
} listener;

/* The audio thread. Pushing never waits, and what is lost on the way is told with the results, so nothing else is to
 * be done here. */
static int process(jack_nframes_t frames, void *user)
{
    listener *l = (listener *)user;
    const float *channels[1];
    jack_nframes_t begin = jack_last_frame_time(l->client);

    channels[0] = (const float *)jack_port_get_buffer(l->port, frames);
    if (l->started && (int32_t)(begin - l->next) > 0) /* an xrun: JACK left frames out */
        auricle_session_gap(l->session, begin - l->next);
    auricle_session_push_planar_f32(l->session, channels, frames);
    l->next = begin + frames;
    l->started = 1;
    return 0;
}

static void print_event(const listener *l, const auricle_event *event)
{
    const char *label = auricle_model_label(l->model, (size_t)event->class_index);
    if (event->is_final)
        printf("event %.2f s to %.2f s: %s, up to %.2f\n", (double)event->onset_frame / l->rate,
               (double)event->offset_frame / l->rate, label, (double)event->peak_score);
    else
        printf("event %.2f s: %s begins\n", (double)event->onset_frame / l->rate, label);
    fflush(stdout);
}

/* The reading thread, which does all the work. It ends when the session is finished. */
static void *read_all(void *user)
{
    listener *l = (listener *)user;
    auricle_result result;
    auricle_event event;

    auricle_result_init(&result);
    auricle_event_init(&event);
    do {
        l->status = auricle_session_wait(l->session, 1000);
        while (l->status >= 0 && (l->status = auricle_session_read(l->session, NULL, 0, &result)) == AURICLE_OK)
            if (result.dropped_frames || result.gap_frames)
                fprintf(stderr, "%.2f s: %llu frames lost here, %llu by JACK\n", (double)result.first_frame / l->rate,
                        (unsigned long long)result.dropped_frames, (unsigned long long)result.gap_frames);
        while (auricle_session_read_event(l->session, &event) == AURICLE_OK)
            print_event(l, &event);
    } while (l->status == AURICLE_AGAIN);
    if (l->status < 0) {
        fprintf(stderr, "%s: %s\n", auricle_status_text(l->status), auricle_last_error());
        kill(getpid(), SIGTERM);
    }
    return NULL;
}

/* The server went away. */
static void shut_down(void *unused)
{
    (void)unused;
    kill(getpid(), SIGHUP);
}

/* Listens until a signal comes. Returns the signal, or 0 if it could not begin. */
static int listen_to(listener *l, const char *port, const sigset_t *signals)
{
    pthread_t reader;
    int signal_number = 0;

    l->port = jack_port_register(l->client, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    jack_set_process_callback(l->client, process, l);
    jack_on_shutdown(l->client, shut_down, NULL);
    if (!l->port || pthread_create(&reader, NULL, read_all, l)) {
        fprintf(stderr, "no port, or no thread\n");
        return 0;
    }
    if (jack_activate(l->client)) {
        fprintf(stderr, "the JACK client cannot be activated\n");
    } else if (port && jack_connect(l->client, port, jack_port_name(l->port))) {
        fprintf(stderr, "%s cannot be connected\n", port);
    } else {
        printf("listening at %u Hz; Ctrl-C ends\n", (unsigned)l->rate);
        fflush(stdout);
        sigwait(signals, &signal_number);
    }
    if (signal_number == SIGHUP)
        fprintf(stderr, "the JACK server went away\n");
    jack_deactivate(l->client); /* the audio thread is gone now, */
    auricle_session_finish(l->session); /* so this one may end the stream; auricle_session_cancel would not read it
                                         * to its end */
    pthread_join(reader, NULL);
    return signal_number;
}

int main(int argc, char **argv)
{
    listener l = {0};
    auricle_model *model = NULL;
    auricle_session_options options;
    auricle_status status;
    sigset_t signals;
    int ended_by = 0;

    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s MODEL.onnx [PORT]\n", argv[0]);
        return EXIT_FAILURE;
    }
    /* Signals wait until sigwait takes them: a handler may not call Auricle. All threads inherit this. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    l.client = jack_client_open("auricle", JackNoStartServer, NULL);
    if (!l.client) {
        fprintf(stderr, "no JACK server is running\n");
        return EXIT_FAILURE;
    }
    l.rate = jack_get_sample_rate(l.client);
    auricle_session_options_init(&options);
    options.sample_rate = l.rate;
    options.stream_json = "{ \"events\": { \"on\": 0.5 } }"; /* NULL: as the model's manifest says */
    status = auricle_model_load(argv[1], NULL, &model);
    if (status == AURICLE_OK)
        status = auricle_session_create(model, &options, &l.session);
    if (status == AURICLE_OK) {
        l.model = model;
        ended_by = listen_to(&l, argv[2], &signals);
    } else {
        fprintf(stderr, "%s: %s\n", auricle_status_text(status), auricle_last_error());
    }
    jack_client_close(l.client);
    auricle_session_free(l.session);
    auricle_model_free(model);
    return l.status >= 0 && (ended_by == SIGINT || ended_by == SIGTERM) ? EXIT_SUCCESS : EXIT_FAILURE;
}
