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

int main(void)
{
    static const int32_t numbers[] = {
        AURICLE_OK, AURICLE_AGAIN, AURICLE_END, AURICLE_DROPPED, AURICLE_CANCELLED, AURICLE_INVALID_ARGUMENT,
        AURICLE_INVALID_STATE,
        AURICLE_BUFFER_TOO_SMALL, AURICLE_CLIP_TOO_SHORT, AURICLE_MEMORY, AURICLE_FILE, AURICLE_MODEL,
        AURICLE_MANIFEST, AURICLE_MISMATCH, AURICLE_RUNTIME, AURICLE_INFERENCE, AURICLE_INTERNAL,
    };
    static const int32_t kept[] = {0, 1, 2, 3, 4, -1, -2, -3, -4, -5, -100, -101, -102, -103, -200, -201, -300};
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
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_finish(NULL));
    CHECK(!strcmp(auricle_last_error(), "session is NULL"));
    CHECK(!pthread_create(&thread, NULL, fail_differently, NULL) && !pthread_join(thread, NULL));
    CHECK(!strcmp(auricle_last_error(), "session is NULL"));
    OK(auricle_set_log(NULL, NULL, 0));
    CHECK(!strcmp(auricle_last_error(), "session is NULL")); /* success leaves it alone */
    return DONE();
}
