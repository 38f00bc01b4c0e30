#include "auricle_calls.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

/* Bits 0 to 31 of `inside` count the other calls, 32 to 62 the pushes; bit 63: closed. */
struct auricle_calls {
    _Atomic uint64_t inside;
    atomic_bool ended;
};

static const uint64_t CLOSED = UINT64_C(1) << 63;
static const uint64_t OTHER = 1;
static const uint64_t PUSH = UINT64_C(1) << 32;

static uint64_t one(auricle_call kind)
{
    return kind == AURICLE_CALL_PUSH ? PUSH : OTHER;
}

auricle_calls *auricle_calls_create(void)
{
    return calloc(1, sizeof(auricle_calls));
}

void auricle_calls_free(auricle_calls *calls)
{
    free(calls);
}

static bool enter(auricle_calls *calls, uint64_t change)
{
    uint64_t inside = atomic_load_explicit(&calls->inside, memory_order_relaxed);
    do {
        if (inside & CLOSED)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&calls->inside, &inside, inside + change, memory_order_acquire,
                                                    memory_order_relaxed));
    return true;
}

bool auricle_calls_enter(auricle_calls *calls, auricle_call kind)
{
    return enter(calls, one(kind));
}

bool auricle_calls_leave(auricle_calls *calls, auricle_call kind)
{
    return atomic_fetch_sub_explicit(&calls->inside, one(kind), memory_order_acq_rel) == CLOSED + one(kind);
}

bool auricle_calls_close(auricle_calls *calls)
{
    return enter(calls, CLOSED + OTHER);
}

void auricle_calls_await_pushes(const auricle_calls *calls)
{
    while ((atomic_load_explicit(&calls->inside, memory_order_acquire) & ~CLOSED) >= PUSH)
        sched_yield();
}

bool auricle_calls_is_closed(const auricle_calls *calls)
{
    return atomic_load_explicit(&calls->inside, memory_order_relaxed) & CLOSED;
}

void auricle_calls_set_ended(auricle_calls *calls, bool ended)
{
    atomic_store_explicit(&calls->ended, ended, memory_order_relaxed);
}

bool auricle_calls_has_ended(const auricle_calls *calls)
{
    return atomic_load_explicit(&calls->ended, memory_order_relaxed);
}
