/* Libraries that are nearly ONNX Runtime; FAULT says which: see tests/runtime.rs. */
#include <stddef.h>

#define NO_BASE 1    /* OrtGetApiBase gives NULL */
#define NO_API 2     /* GetApi gives NULL */
#define NO_VERSION 3 /* GetVersionString gives NULL */
#define OLD 4        /* it is version 1.23 */
#define ODD 5        /* its version is no version */
#define NO_ENV 6     /* it is whole, but its environment cannot be made */
#define NO_SYMBOL 7  /* it is another library */

typedef void *(*function)(void);

static const char *reason(void *status)
{
    (void)status;
    return "no environment today";
}

static void *nothing(void)
{
    return NULL;
}

static void *status(void)
{
    static int failure;
    return &failure;
}

static const void *api(unsigned version)
{
    static function table[1024];
    size_t k;

    (void)version;
    for (k = 0; k < sizeof table / sizeof *table; k++)
        table[k] = nothing;
    /* Order of OrtApi: CreateStatus, GetErrorCode, GetErrorMessage, CreateEnv, CreateEnvWithCustomLogger. */
    *(const char *(**)(void *))(void *)&table[2] = reason;
    table[3] = status;
    table[4] = status;
    return FAULT == NO_API ? NULL : table;
}

static const char *version(void)
{
    return FAULT == NO_VERSION ? NULL : FAULT == OLD ? "1.23.2" : FAULT == ODD ? "new" : "1.28.0";
}

struct base {
    const void *(*api)(unsigned);
    const char *(*version)(void);
};

#if FAULT != NO_SYMBOL
const struct base *OrtGetApiBase(void);

const struct base *OrtGetApiBase(void)
{
    static const struct base base = { api, version };
    return FAULT == NO_BASE ? NULL : &base;
}
#endif
