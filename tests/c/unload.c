/* The library opened by hand, as plug-in hosts do: closed and opened again, and two copies of it in one process.
 * Arguments: the folder tests/data, the library, a copy of it under another name. */
#define _GNU_SOURCE /* dladdr */
#include <auricle.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FRAMES = 16000, CLASSES = 3, CYCLES = 100 };

static int failures;

#define CHECK(condition) ((condition) ? 0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), ++failures))

/* A copy of the library: its functions, as far as they are needed here. */
typedef struct {
    void *handle;
    auricle_status (*load)(const char *, const auricle_model_options *, auricle_model **);
    auricle_status (*load_memory)(const void *, size_t, const char *, const auricle_model_options *, auricle_model **);
    void (*free_model)(auricle_model *);
    auricle_status (*classify)(const auricle_model *, const float *, size_t, uint32_t, uint32_t, float *, size_t);
    auricle_status (*set_log)(auricle_log_fn, void *, int32_t);
    const char *(*last_error)(void);
} library;

static float samples[FRAMES], expected[CLASSES];
static char model_path[1024];

/* Function pointers do not convert from what dlsym gives; their bytes do. */
static void look_up(void *handle, const char *name, void *function, size_t size)
{
    void *symbol = dlsym(handle, name);
    if (CHECK(symbol != NULL) || CHECK(size == sizeof symbol))
        exit(EXIT_FAILURE);
    memcpy(function, &symbol, size);
}

static library open_library(const char *path)
{
    library opened;
    opened.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!opened.handle) {
        fprintf(stderr, "%s\n", dlerror());
        exit(EXIT_FAILURE);
    }
    look_up(opened.handle, "auricle_model_load", &opened.load, sizeof opened.load);
    look_up(opened.handle, "auricle_model_load_memory", &opened.load_memory, sizeof opened.load_memory);
    look_up(opened.handle, "auricle_model_free", &opened.free_model, sizeof opened.free_model);
    look_up(opened.handle, "auricle_classify_f32", &opened.classify, sizeof opened.classify);
    look_up(opened.handle, "auricle_set_log", &opened.set_log, sizeof opened.set_log);
    look_up(opened.handle, "auricle_last_error", &opened.last_error, sizeof opened.last_error);
    return opened;
}

static void load_and_classify(const library *used, float *scores)
{
    auricle_model *model = NULL;
    if (CHECK(used->load(model_path, NULL, &model) == AURICLE_OK)) {
        fprintf(stderr, "    last error: %s\n", used->last_error());
        exit(EXIT_FAILURE);
    }
    CHECK(used->classify(model, samples, FRAMES, 1, 16000, scores, CLASSES) == AURICLE_OK);
    used->free_model(model);
}

/* A model that ONNX Runtime refuses, and says so in its log: tiny.onnx with an operator that there is not. */
static void load_refused(const library *used)
{
    static char bytes[1 << 16];
    auricle_model *model = NULL;
    FILE *file = fopen(model_path, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0, i;
    if (file)
        fclose(file);
    for (i = 0; i + 4 < size && memcmp(bytes + i, "Gemm", 4); i++)
        ;
    if (!CHECK(i + 4 < size))
        memcpy(bytes + i, "Hemm", 4);
    CHECK(used->load_memory(bytes, size, NULL, NULL, &model) == AURICLE_MODEL);
    CHECK(strstr(used->last_error(), "Hemm") != NULL);
}

typedef struct {
    int all, of_onnxruntime;
} told;

static void count(void *user, int32_t level, const char *message)
{
    told *mine = (told *)user;
    (void)level;
    mine->all++;
    mine->of_onnxruntime += !strncmp(message, "ONNX Runtime: ", 14);
}

/* kB in use; 0 where the system does not tell it this way. */
static long resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return pages * 4;
}

/* Closes it, and lays something else where it was, if that is free now. */
static void close_library(library *closed)
{
    Dl_info info;
    void *somewhere = NULL;
    memcpy(&somewhere, &closed->load, sizeof somewhere);
    CHECK(dladdr(somewhere, &info) != 0);
    CHECK(dlclose(closed->handle) == 0);
#ifdef MAP_FIXED_NOREPLACE
    mmap(info.dli_fbase, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
#endif
}

static void closed_and_opened_again(const char *path, int cycles)
{
    library opened;
    float scores[CLASSES];
    long before = 0;
    told logged = {0, 0};
    int i;
    for (i = 0; i < cycles; i++) {
        opened = open_library(path);
        CHECK(opened.set_log(count, &logged, AURICLE_LOG_DEBUG) == AURICLE_OK);
        load_and_classify(&opened, scores);
        CHECK(!memcmp(scores, expected, sizeof scores));
        CHECK(opened.set_log(NULL, NULL, 0) == AURICLE_OK);
        close_library(&opened);
        if (i == cycles / 10)
            before = resident();
    }
    CHECK(logged.of_onnxruntime > cycles);
    if (before > 0 && cycles >= 100) {
        printf("MEASURED: %d times opened and closed: %ld kB before, %ld kB after\n", cycles, before, resident());
        CHECK(resident() - before <= 2048);
    }
}

static void two_copies(const char *one, const char *other)
{
    library a = open_library(one), b = open_library(other);
    told of_a = {0, 0}, of_b = {0, 0};
    float scores[CLASSES];
    int before;

    CHECK(a.load != b.load);
    CHECK(a.set_log(count, &of_a, AURICLE_LOG_DEBUG) == AURICLE_OK);
    CHECK(b.set_log(count, &of_b, AURICLE_LOG_DEBUG) == AURICLE_OK);
    load_and_classify(&b, scores); /* ONNX Runtime, which a has opened, now for b too */
    before = of_a.all;
    of_b.all = of_b.of_onnxruntime = 0;

    load_and_classify(&b, scores);
    CHECK(!memcmp(scores, expected, sizeof scores));
    CHECK(of_b.of_onnxruntime > 0);
    of_b.of_onnxruntime = 0;
    load_refused(&b);
    CHECK(of_b.of_onnxruntime > 0);
    printf("MEASURED: the second copy was told %d messages, the first one %d of them\n", of_b.all, of_a.all - before);
    CHECK(of_a.all == before);

    before = of_b.all;
    load_refused(&a);
    CHECK(of_a.of_onnxruntime > 0);
    CHECK(of_b.all == before);

    /* The first one goes, with its log: the second one works on. */
    CHECK(a.set_log(NULL, NULL, 0) == AURICLE_OK);
    close_library(&a);
    load_and_classify(&b, scores);
    CHECK(!memcmp(scores, expected, sizeof scores));
    before = of_b.all;
    load_refused(&b);
    CHECK(of_b.all > before);
    CHECK(b.set_log(NULL, NULL, 0) == AURICLE_OK);
    close_library(&b);
}

int main(int argc, char **argv)
{
    const char *rounds = getenv("AURICLE_TEST_ROUNDS");
    library first;
    int i;
    if (argc != 4)
        return EXIT_FAILURE;
    for (i = 0; i < FRAMES; i++)
        samples[i] = (float)((i * 7919) % 2001 - 1000) / 2000.0f;
    snprintf(model_path, sizeof model_path, "%s/tiny.onnx", argv[1]);
    first = open_library(argv[2]);
    load_and_classify(&first, expected);
    close_library(&first);
    closed_and_opened_again(argv[2], rounds ? atoi(rounds) : CYCLES);
    two_copies(argv[2], argv[3]);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
