#include "check.h"

static int messages, wrong, infos;

static void count(void *user, int32_t level, const char *message)
{
    messages++;
    infos += level == AURICLE_LOG_INFO;
    wrong += user != &messages || level < AURICLE_LOG_ERROR || level > AURICLE_LOG_DEBUG || !message || !*message
          || strchr(message, '\n') != NULL;
    CHECK(auricle_abi_version() == AURICLE_ABI_VERSION); /* a callback may call back */
    if (infos == 1 && level == AURICLE_LOG_INFO)
        OK(auricle_set_log(count, user, AURICLE_LOG_DEBUG));
}

static int loads;

/* The first message of all says that ONNX Runtime was opened: a callback may load a model then. */
static void load_inside(void *user, int32_t level, const char *message)
{
    (void)level;
    if (loads++ == 0) {
        CHECK(strstr(message, "opened ONNX Runtime") != NULL);
        auricle_model_free(load_tiny((const char *)user));
    }
}

int main(int argc, char **argv)
{
    static char here[] = ".";
    char *folder = argc > 1 ? argv[1] : here;
    int before;

    OK(auricle_set_log(load_inside, folder, AURICLE_LOG_INFO));
    auricle_model_free(load_tiny(folder));
    CHECK(loads > 2);
    OK(auricle_set_log(NULL, NULL, 0));

    EXPECT(AURICLE_INVALID_ARGUMENT, "level is 0", auricle_set_log(count, &messages, 0));
    EXPECT(AURICLE_INVALID_ARGUMENT, "level is 5", auricle_set_log(count, &messages, 5));
    auricle_model_free(load_tiny(folder));
    CHECK(messages == 0); /* a refused callback is not used */

    OK(auricle_set_log(count, &messages, AURICLE_LOG_DEBUG));
    auricle_model_free(load_tiny(folder));
    CHECK(infos > 0);
    CHECK(wrong == 0);

    OK(auricle_set_log(count, &messages, AURICLE_LOG_ERROR));
    before = infos;
    auricle_model_free(load_tiny(folder));
    CHECK(infos == before);

    OK(auricle_set_log(NULL, NULL, -7));
    before = messages;
    auricle_model_free(load_tiny(folder));
    CHECK(messages == before);
    return DONE();
}
