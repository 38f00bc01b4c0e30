#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>

static void *fail_differently(void *unused)
{
    (void)unused;
    CHECK(!strcmp(auricle_last_error(), "")); /* another thread's failure is not this thread's */
    CHECK(auricle_model_label(NULL, 0) == NULL);
    CHECK(!strcmp(auricle_last_error(), "model is NULL"));
    return NULL;
}

/* Names that a terminal would obey, or that nobody could read to their end, come as one short line. */
static void shown(const char *folder)
{
    static const char obeyed[] = "{ \"auricle\": 1, \"\\u001b]0;gotcha\\u0007\\u202e\\n\": 1 }";
    const size_t size = (size_t)1 << 19;
    auricle_model *model = NULL;
    char *manifest = (char *)malloc(size);
    size_t tiny_size;
    unsigned char *tiny = read_file(folder, "tiny.onnx", &tiny_size);

    EXPECT(AURICLE_MANIFEST, "`\\u{1b}]0;gotcha\\u{7}\\u{202e}\\n`",
           auricle_model_load_memory(tiny, tiny_size, obeyed, NULL, &model));
    EXPECT(AURICLE_FILE, "no\\nsuch\\u{9b}model", auricle_model_load("no\nsuch\xc2\x9bmodel", NULL, &model));
    if (!manifest)
        abort();
    memset(manifest, 'x', size);
    memcpy(manifest, "{ \"", 3);
    memcpy(manifest + size - 7, "\": 1 }", 7);
    EXPECT(AURICLE_MANIFEST, "longer than 1024 bytes",
           auricle_model_load_memory(tiny, tiny_size, manifest, NULL, &model));
    CHECK(strlen(auricle_last_error()) <= 4096);
    free(manifest);
    free(tiny);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    static const int32_t numbers[] = {
        AURICLE_OK, AURICLE_AGAIN, AURICLE_END, AURICLE_DROPPED, AURICLE_CANCELLED, AURICLE_INVALID_ARGUMENT,
        AURICLE_INVALID_STATE,
        AURICLE_BUFFER_TOO_SMALL, AURICLE_CLIP_TOO_SHORT, AURICLE_MEMORY, AURICLE_FILE, AURICLE_MODEL,
        AURICLE_MANIFEST, AURICLE_MISMATCH, AURICLE_RUNTIME, AURICLE_INFERENCE, AURICLE_PROVIDER,
        AURICLE_INTERNAL,
    };
    static const int32_t kept[] = {0, 1, 2, 3, 4, -1, -2, -3, -4, -5, -100, -101, -102, -103, -200, -201, -202, -300};
    static const int32_t unknown[] = {5, -6, -99, -301, 2147483647, -2147483647 - 1};
    const char *nothing = auricle_status_text(12345);
    pthread_t thread;
    size_t i, k;

    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        CHECK(numbers[i] == kept[i]);
        CHECK(strlen(auricle_status_text(numbers[i])) > 1 && strcmp(auricle_status_text(numbers[i]), nothing));
        for (k = 0; k < i; k++)
            CHECK(strcmp(auricle_status_text(numbers[i]), auricle_status_text(numbers[k])));
    }
    for (i = 0; i < sizeof unknown / sizeof *unknown; i++)
        CHECK(!strcmp(auricle_status_text(unknown[i]), nothing));

    CHECK(!strcmp(auricle_last_error(), ""));
    shown(folder);
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_finish(NULL));
    CHECK(!strcmp(auricle_last_error(), "session is NULL"));
    CHECK(!pthread_create(&thread, NULL, fail_differently, NULL) && !pthread_join(thread, NULL));
    CHECK(!strcmp(auricle_last_error(), "session is NULL"));
    OK(auricle_set_log(NULL, NULL, 0));
    CHECK(!strcmp(auricle_last_error(), "session is NULL")); /* success leaves it alone */
    return DONE();
}
