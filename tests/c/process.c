/* What a process may do with the library in it: fork, signals, threads with small stacks, atexit. Arguments: the folder tests/data,
 * another model. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MAP_ANONYMOUS, setitimer */
#endif
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 2, FRAMES = SECONDS * 44100, MAX_CLASSES = 1024 };

static const char *paths[2]; /* of two models */
static float *samples;

static auricle_model *load(const char *path)
{
    auricle_model *model = NULL;
    OK(auricle_model_load(path, NULL, &model));
    return model;
}

/* One stream of everything that `samples` has. */
static void stream(const auricle_model *model, float *scores)
{
    auricle_session *session = create(model, 44100, 1);
    auricle_result result;
    auricle_status status;
    auricle_result_init(&result);
    OK(auricle_session_push_f32(session, samples, FRAMES));
    OK(auricle_session_finish(session));
    while ((status = auricle_session_read(session, scores, MAX_CLASSES, &result)) == AURICLE_OK)
        ;
    CHECK(status == AURICLE_END);
    auricle_session_free(session);
}

static auricle_session *inherited;

/* The child of a process with one thread goes on with what its parent had, and loads and frees for itself. */
static int child(auricle_model *model, const float *expected)
{
    static float scores[MAX_CLASSES];
    auricle_result result;
    auricle_model *own;
    size_t size = TINY_CLASSES * sizeof *scores;

    alarm(120); /* should it hang */
    auricle_result_init(&result);
    OK(auricle_classify_f32(model, samples, FRAMES, 1, 44100, scores, MAX_CLASSES));
    CHECK(!memcmp(scores, expected, size));
    OK(auricle_session_push_f32(inherited, samples, FRAMES));
    OK(auricle_session_read(inherited, scores, MAX_CLASSES, &result));
    own = load(paths[0]);
    OK(auricle_classify_f32(own, samples, FRAMES, 1, 44100, scores, MAX_CLASSES));
    CHECK(!memcmp(scores, expected, size));
    auricle_session_free(inherited);
    auricle_model_free(own);
    auricle_model_free(model);
    free(samples);
    return DONE();
}

static void fork_of_one_thread(void)
{
    static float expected[MAX_CLASSES], scores[MAX_CLASSES];
    auricle_model *model = load(paths[0]);
    pid_t pid;
    int status = -1;

    inherited = create(model, 44100, 1);
    OK(auricle_classify_f32(model, samples, FRAMES, 1, 44100, expected, MAX_CLASSES));
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        exit(child(model, expected));
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
    OK(auricle_classify_f32(model, samples, FRAMES, 1, 44100, scores, MAX_CLASSES));
    CHECK(!memcmp(scores, expected, sizeof scores));
    auricle_session_free(inherited);
    auricle_model_free(model);
}

/* kB of stack, as the header has them. Code that a sanitizer has instrumented needs more. */
#if defined(__SANITIZE_ADDRESS__)
enum { PUSHING = 16 * 2, READING = 64 * 2 };
#elif defined(__aarch64__)
enum { PUSHING = 16, READING = 128 };
#else
enum { PUSHING = 16, READING = 64 };
#endif

static const auricle_model *shared;
static auricle_session *session;
static const char *loaded;

static void *push_thread(void *unused)
{
    (void)unused;
    OK(auricle_session_push_f32(session, samples, FRAMES));
    CHECK(auricle_session_push_f32(session, NULL, 5) == AURICLE_INVALID_ARGUMENT); /* it puts a sentence together */
    OK(auricle_session_finish(session));
    return NULL;
}

static void *read_thread(void *unused)
{
    static float scores[MAX_CLASSES];
    auricle_result result;
    auricle_status status;
    (void)unused;
    auricle_result_init(&result);
    OK(auricle_session_wait(session, 1000));
    while ((status = auricle_session_read(session, scores, MAX_CLASSES, &result)) == AURICLE_OK)
        ;
    CHECK(status == AURICLE_END);
    return NULL;
}

static void *classify_thread(void *unused)
{
    static float scores[MAX_CLASSES];
    (void)unused;
    OK(auricle_classify_f32(shared, samples, FRAMES, 1, 44100, scores, MAX_CLASSES));
    return NULL;
}

static void *load_thread(void *unused)
{
    static float scores[MAX_CLASSES];
    auricle_model *model = load(loaded);
    (void)unused;
    stream(model, scores);
    auricle_model_free(model);
    return NULL;
}

/* Runs `body` on a stack of so many kB, below which lies a page that must not be touched. */
static void on_a_stack(const char *what, void *(*body)(void *), size_t kilobytes)
{
    static const unsigned char paint = 0x5a;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = kilobytes * 1024, least, unused = 0;
    long smallest = sysconf(_SC_THREAD_STACK_MIN);
    unsigned char *memory;
    pthread_attr_t attributes;
    pthread_t thread;

    least = smallest > 0 ? (size_t)smallest : 16384;
    size = ((size < least ? least : size) + page - 1) / page * page;
    memory = (unsigned char *)mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (CHECK(memory != (unsigned char *)MAP_FAILED))
        return;
    CHECK(!mprotect(memory, page, PROT_NONE));
    memset(memory + page, paint, size);
    pthread_attr_init(&attributes);
    CHECK(!pthread_attr_setstack(&attributes, memory + page, size));
    CHECK(!pthread_create(&thread, &attributes, body, NULL));
    CHECK(!pthread_join(thread, NULL));
    CHECK(!mprotect(memory + page, size, PROT_READ)); /* valgrind takes the stack of a thread that has ended away */
    while (unused < size && memory[page + unused] == paint)
        unused++;
    printf("MEASURED: %s: %zu of %zu bytes of stack\n", what, size - unused, size);
    pthread_attr_destroy(&attributes);
    munmap(memory, size + page);
}

static void small_stacks(void)
{
    auricle_model *model;
    int i;
    for (i = 0; i < 2; i++) {
        loaded = paths[i];
        model = load(loaded);
        shared = model;
        session = create(model, 44100, 1);
        on_a_stack("push", push_thread, PUSHING);
        on_a_stack("read", read_thread, READING);
        on_a_stack("classify", classify_thread, READING);
        on_a_stack("load, stream, free", load_thread, READING);
        auricle_session_free(session);
        auricle_model_free(model);
    }
}

static volatile sig_atomic_t signals;

static void handle(int number)
{
    (void)number;
    signals = signals + 1;
}

/* 500 signals a second, without SA_RESTART, interrupt what they can. */
static void signals_stop_nothing(void)
{
    static float scores[MAX_CLASSES], expected[MAX_CLASSES];
    struct sigaction action;
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    auricle_model *model = load(paths[0]), *other;
    auricle_session *idle = create(model, 44100, 1);
    int i;

    OK(auricle_classify_f32(model, samples, FRAMES, 1, 44100, expected, MAX_CLASSES));
    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    CHECK(!sigaction(SIGALRM, &action, NULL) && !setitimer(ITIMER_REAL, &often, NULL));
    CHECK(auricle_session_wait(idle, 200) == AURICLE_AGAIN);
    CHECK(signals > 10);
    for (i = 0; i < 10; i++) {
        OK(auricle_classify_f32(model, samples, FRAMES, 1, 44100, scores, MAX_CLASSES));
        CHECK(!memcmp(scores, expected, sizeof scores));
        other = load(paths[0]);
        auricle_model_free(other);
    }
    CHECK(!setitimer(ITIMER_REAL, &never, NULL));
    auricle_session_free(idle);
    auricle_model_free(model);
}

static auricle_model *last;

static void at_exit(void)
{
    static float scores[MAX_CLASSES];
    OK(auricle_classify_f32(last, samples, FRAMES, 1, 44100, scores, MAX_CLASSES));
    auricle_model_free(last);
    free(samples);
    if (check_failures)
        _exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    char tiny[1024];
    data_path(tiny, sizeof tiny, argc > 1 ? argv[1] : ".", "tiny.onnx");
    paths[0] = tiny;
    paths[1] = argc > 2 ? argv[2] : tiny;
    samples = noise(FRAMES, 1);
    loaded = paths[0];
    on_a_stack("first load, which opens ONNX Runtime", load_thread, READING);
    fork_of_one_thread();
    small_stacks();
    signals_stop_nothing();
    last = load(paths[0]);
    CHECK(!atexit(at_exit));
    return DONE();
}
