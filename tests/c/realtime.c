/* Pushing allocates nothing, not even the first call of a new thread in a program that loads the library by hand, where
 * the system would make thread-local memory on first use. The program has its own malloc, which the library and the
 * system call too. glibc only. Arguments: the folder tests/data, the library. */
#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *memory);

static __thread int watched;
static int calls;

static void seen(void)
{
    if (watched)
        calls++;
}

void *malloc(size_t size) { seen(); return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { seen(); return __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { seen(); return __libc_realloc(old, size); }
void free(void *memory) { seen(); __libc_free(memory); }

static void *library;
static auricle_session *session;
static float samples[480];

/* The function `name` of the library, as a type that it is cast from. */
static void (*function(const char *name))(void)
{
    void *symbol = dlsym(library, name);
    void (*result)(void);
    if (!symbol) {
        fprintf(stderr, "%s is missing\n", name);
        exit(EXIT_FAILURE);
    }
    memcpy(&result, &symbol, sizeof result);
    return result;
}

typedef auricle_status (*load_function)(const char *, const auricle_model_options *, auricle_model **);
typedef auricle_status (*create_function)(const auricle_model *, const auricle_session_options *, auricle_session **);
typedef auricle_status (*push_f32_function)(auricle_session *, const float *, size_t);
typedef auricle_status (*push_i16_function)(auricle_session *, const int16_t *, size_t);
typedef auricle_status (*planar_function)(auricle_session *, const float *const *, size_t);
typedef auricle_status (*gap_function)(auricle_session *, uint64_t);
typedef auricle_status (*finish_function)(auricle_session *);

static void *push_thread(void *unused)
{
    push_f32_function push_f32 = (push_f32_function)function("auricle_session_push_f32");
    push_i16_function push_i16 = (push_i16_function)function("auricle_session_push_i16");
    planar_function planar = (planar_function)function("auricle_session_push_planar_f32");
    gap_function gap = (gap_function)function("auricle_session_gap");
    finish_function finish = (finish_function)function("auricle_session_finish");
    static const int16_t whole[480];
    const float *planes[1];
    auricle_status status = 0, full = 0;
    int i;

    (void)unused;
    planes[0] = samples;
    watched = 1;
    for (i = 0; i < 10; i++)
        status |= push_f32(session, samples, 480) | push_i16(session, whole, 480) | planar(session, planes, 480)
                | gap(session, 10);
    for (i = 0; i < 300; i++)
        full |= push_f32(session, samples, 480);
    status |= finish(session);
    watched = 0;
    if (status != AURICLE_OK || full != AURICLE_DROPPED)
        check_failures++;
    return NULL;
}

int main(int argc, char **argv)
{
    auricle_model *model = NULL;
    char path[1024];
    pthread_t thread;

    data_path(path, sizeof path, argc > 1 ? argv[1] : ".", "tiny.onnx");
    library = dlopen(argc > 2 ? argv[2] : "libauricle.so", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return EXIT_FAILURE;
    }
    if (((load_function)function("auricle_model_load"))(path, NULL, &model) != AURICLE_OK
        || ((create_function)function("auricle_session_create"))(model, NULL, &session) != AURICLE_OK
        || pthread_create(&thread, NULL, push_thread, NULL) || pthread_join(thread, NULL))
        check_failures++;
    watched = 1;
    free(malloc(1));
    watched = 0;
    if (calls != 2) {
        fprintf(stderr, "pushing called the allocator %d times\n", calls - 2);
        check_failures++;
    }
    return DONE();
}
