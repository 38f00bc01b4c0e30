/* A real audio thread: a JACK client pushes 64 frames at a time while its reader is sometimes slow.
 *
 *   jack FOLDER SECONDS      FOLDER is tests/data; a JACK server runs (`.ci/hosts` starts one without a sound card)
 *
 * It fails unless the audio thread is SCHED_FIFO (but where AURICLE_NO_REAL_TIME is set, because the machine allows none), push never gives up the processor there, every frame is accounted
 * for (in = out + dropped), and what came out lies where it was pushed.
 */
#define _GNU_SOURCE /* getrusage of one thread */
#include "check.h"

#include <jack/jack.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <time.h>

/* The probe at 48 kHz without conversion: its scores are the first, the last, the mean and the largest of 1600
 * samples. Windows lie side by side, so every frame is in just one. */
enum { RATE = 48000, WINDOW = 1600, CLASSES = 4 };
static const char manifest[]
    = "{\"auricle\":1,\"labels\":[\"first\",\"last\",\"mean\",\"max\"],\"input\":{\"sample_rate\":48000,"
      "\"window_seconds\":0.03333333333333333,\"features\":{\"kind\":\"waveform\"},\"layout\":[\"batch\",\"sample\"]},"
      "\"output\":{\"activation\":\"none\"}}";

/* The first frame of a window, the last one, and all others. Lost frames are 0. */
static const float FIRST = 0.75f, LAST = 0.25f, OTHERS = 0.5f;

enum { MOST_CALLS = 400000 }; /* 8 minutes of 64 frames */

/* What the audio thread writes; others look at it when `done` was posted. */
typedef struct {
    auricle_session *session; /* NULL: the callback does nothing, to see what the machine does by itself */
    uint64_t quota, frames;
    uint32_t calls, dropping, failures, switches, faults, preempted;
    int policy, priority, over;
    uint32_t wall[MOST_CALLS], cpu[MOST_CALLS]; /* nanoseconds in push */
    sem_t done;
} audio;

static audio thread;
static volatile int xruns;

static uint64_t now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int on_xrun(void *unused)
{
    (void)unused;
    xruns++;
    return 0;
}

static void push(audio *a, float *block, jack_nframes_t frames)
{
    struct rusage before, after;
    const float *channels[1];
    uint64_t wall, cpu;
    auricle_status status;
    jack_nframes_t i;

    for (i = 0; i < frames; i++) {
        uint64_t at = (a->frames + i) % WINDOW;
        block[i] = at == 0 ? FIRST : at == WINDOW - 1 ? LAST : OTHERS;
    }
    channels[0] = block;
    getrusage(RUSAGE_THREAD, &before);
    wall = now(CLOCK_MONOTONIC);
    cpu = now(CLOCK_THREAD_CPUTIME_ID);
    status = auricle_session_push_planar_f32(a->session, channels, frames);
    a->cpu[a->calls] = (uint32_t)(now(CLOCK_THREAD_CPUTIME_ID) - cpu);
    a->wall[a->calls] = (uint32_t)(now(CLOCK_MONOTONIC) - wall);
    getrusage(RUSAGE_THREAD, &after);
    a->switches += (uint32_t)(after.ru_nvcsw - before.ru_nvcsw);
    a->preempted += (uint32_t)(after.ru_nivcsw - before.ru_nivcsw);
    a->faults += (uint32_t)(after.ru_minflt - before.ru_minflt + after.ru_majflt - before.ru_majflt);
    a->dropping += status == AURICLE_DROPPED;
    a->failures += status < 0;
}

static int process(jack_nframes_t frames, void *arg)
{
    audio *a = (audio *)arg;
    static float block[8192];
    struct sched_param schedule;

    if (a->over)
        return 0;
    if (a->calls == 0) {
        pthread_getschedparam(pthread_self(), &a->policy, &schedule);
        a->priority = schedule.sched_priority;
    }
    if (frames > a->quota - a->frames)
        frames = (jack_nframes_t)(a->quota - a->frames);
    if (a->session)
        push(a, block, frames);
    a->frames += frames;
    a->calls++;
    if (a->frames == a->quota || a->calls == MOST_CALLS || frames > 8192) {
        a->over = 1;
        sem_post(&a->done);
    }
    return 0;
}

/* What came out. */
typedef struct {
    auricle_session *session;
    uint64_t survived, dropped, windows, left_out, next, misplaced, late_most;
    auricle_status end;
} output;

static void account(output *out, const float *scores, const auricle_result *result)
{
    float first = scores[0], last = scores[1];
    double others = ((double)scores[2] * WINDOW - (double)first - (double)last) / (double)OTHERS;
    uint64_t survived = (uint64_t)(others + 0.5) + (first > 0) + (last > 0);

    out->left_out += result->sequence - out->next;
    out->dropped += (result->sequence - out->next) * WINDOW + result->dropped_frames;
    out->next = result->sequence + 1;
    out->survived += survived;
    out->windows++;
    /* What is there, is where it was pushed; what is missing was told of this very window. */
    out->misplaced += (first != 0 && first != FIRST) || (last != 0 && last != LAST)
                      || survived + result->dropped_frames != WINDOW || result->first_frame != result->sequence * WINDOW;
}

/* Reads what comes; every 2.5 s it is away for 0.9 s, longer than the ring holds. */
static void *reader(void *arg)
{
    static const struct timespec away = {0, 900000000};
    output *out = (output *)arg;
    auricle_result result;
    float scores[CLASSES];
    uint64_t pause = now(CLOCK_MONOTONIC) + 2500000000u, pending;

    auricle_result_init(&result);
    do {
        if (now(CLOCK_MONOTONIC) > pause) {
            nanosleep(&away, NULL);
            pause = now(CLOCK_MONOTONIC) + 2500000000u;
        }
        auricle_session_wait(out->session, 100);
        if (auricle_session_pending(out->session, &pending) == AURICLE_OK && pending > out->late_most)
            out->late_most = pending;
        while ((out->end = auricle_session_read(out->session, scores, CLASSES, &result)) == AURICLE_OK)
            account(out, scores, &result);
    } while (out->end == AURICLE_AGAIN);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Runs the audio thread over `frames` frames. Returns the xruns. */
static int run(auricle_session *session, uint64_t frames, const char *name)
{
    static const char *server = NULL;
    jack_client_t *client = jack_client_open("auricle-test", JackNoStartServer, NULL, server);
    int before;

    memset(&thread, 0, sizeof thread);
    sem_init(&thread.done, 0, 0);
    thread.session = session;
    thread.quota = frames;
    if (!client) {
        fprintf(stderr, "no JACK server runs\n");
        exit(EXIT_FAILURE);
    }
    CHECK(jack_get_sample_rate(client) == RATE);
    jack_port_register(client, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    jack_set_process_callback(client, process, &thread);
    jack_set_xrun_callback(client, on_xrun, NULL);
    before = xruns;
    CHECK(jack_activate(client) == 0);
    while (sem_wait(&thread.done)) {}
    jack_client_close(client);

    CHECK(thread.policy == SCHED_FIFO || getenv("AURICLE_NO_REAL_TIME"));
    CHECK(thread.frames == frames);
    printf("%s: %.1f s, %u callbacks of %u frames, %s priority %d, %d xruns\n", name, (double)frames / RATE,
           thread.calls, (unsigned)(frames / thread.calls), thread.policy == SCHED_FIFO ? "SCHED_FIFO" : "not SCHED_FIFO",
           thread.priority, xruns - before);
    return xruns - before;
}

static void push_for(const auricle_model *model, int32_t overflow, uint64_t frames, const char *name)
{
    const uint64_t period = 1000000000ull * 64 / RATE;
    auricle_session_options options;
    output out;
    pthread_t reading;
    int lost_cycles;

    auricle_session_options_init(&options);
    options.sample_rate = RATE;
    options.ring_seconds = 0.5;
    options.overflow = overflow;
    memset(&out, 0, sizeof out);
    OK(auricle_session_create(model, &options, &out.session));
    if (!out.session || pthread_create(&reading, NULL, reader, &out))
        exit(EXIT_FAILURE);
    lost_cycles = run(out.session, frames, name);
    OK(auricle_session_finish(out.session));
    pthread_join(reading, NULL);
    CHECK(out.end == AURICLE_END);
    if (out.next < frames / WINDOW) { /* nothing follows the last loss, so no window tells of it */
        out.left_out += frames / WINDOW - out.next;
        out.dropped += frames - out.next * WINDOW;
    }

    printf("    in %llu = out %llu + dropped %llu; %llu windows, %llu left out, %llu misplaced\n",
           (unsigned long long)thread.frames, (unsigned long long)out.survived, (unsigned long long)out.dropped,
           (unsigned long long)out.windows, (unsigned long long)out.left_out, (unsigned long long)out.misplaced);
    CHECK(thread.frames == out.survived + out.dropped);
    CHECK(out.misplaced == 0);
    CHECK(thread.failures == 0);
    /* The reader was too slow, and the pushes said so: the ring, the blocks and the steps of the reader are multiples
     * of 64 frames, so a push of the newest is lost whole. With the oldest, the reader may just have had some. */
    CHECK(out.dropped > 0);
    if (overflow == AURICLE_DROP_NEWEST)
        CHECK(out.dropped == 64 * (uint64_t)thread.dropping);
    else
        CHECK(out.dropped <= 64 * (uint64_t)thread.dropping);

    qsort(thread.wall, thread.calls, sizeof *thread.wall, ascending);
    qsort(thread.cpu, thread.calls, sizeof *thread.cpu, ascending);
    printf("    push: median %u ns, 99.9 %% below %u ns, longest %u ns (%u ns of CPU); a period is %llu ns\n",
           thread.wall[thread.calls / 2], thread.wall[thread.calls - thread.calls / 1000 - 1],
           thread.wall[thread.calls - 1], thread.cpu[thread.calls - 1], (unsigned long long)period);
    printf("    %u times it gave up the processor, %u times that was taken from it, %u page faults\n", thread.switches,
           thread.preempted, thread.faults);
    CHECK(thread.switches == 0);
    /* An xrun can be ours only if a push took long. One in a thousand may be the hypervisor's, which takes the processor
     * away from the whole machine. */
    CHECK(lost_cycles == 0 || thread.wall[thread.calls - thread.calls / 1000 - 1] < period / 2);
    auricle_session_free(out.session);
}

int main(int argc, char **argv)
{
    const uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    auricle_model *model = NULL;
    unsigned char *onnx;
    size_t size;

    if (seconds < 8 || seconds > 400) {
        fprintf(stderr, "usage: jack FOLDER SECONDS, 8 to 400\n");
        return EXIT_FAILURE;
    }
    onnx = read_file(argv[1], "probe.onnx", &size);
    OK(auricle_model_load_memory(onnx, size, manifest, NULL, &model));
    free(onnx);
    if (!model)
        return EXIT_FAILURE;
    run(NULL, seconds / 6 * RATE, "nothing pushed");
    push_for(model, AURICLE_DROP_NEWEST, seconds / 2 * RATE, "the newest are dropped");
    push_for(model, AURICLE_DROP_OLDEST, seconds / 2 * RATE, "the oldest are dropped");
    auricle_model_free(model);
    return DONE();
}
