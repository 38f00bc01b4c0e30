/* Which calls are inside a handle of the library, so that it can be closed at any moment and is freed once, by whoever
 * leaves last. In C, because Swift's own atomics need iOS 18. Nothing here blocks but auricle_calls_close. */
#ifndef AURICLE_CALLS_H
#define AURICLE_CALLS_H

#include <stdbool.h>

typedef struct auricle_calls auricle_calls;

/** Two kinds of calls: those of audio threads, which must never be the ones that free, and all others. */
typedef enum { AURICLE_CALL_OTHER, AURICLE_CALL_PUSH } auricle_call;

/** NULL if there is no memory. */
auricle_calls *auricle_calls_create(void);
void auricle_calls_free(auricle_calls *calls);

/** A call begins; false: the handle is closed, and the call may not touch it. Wait-free but for threads that begin at once. */
bool auricle_calls_enter(auricle_calls *calls, auricle_call kind);

/** A call that has entered ends; true: the handle is closed, this was the last call, and the caller frees it. */
bool auricle_calls_leave(auricle_calls *calls, auricle_call kind);

/** Closes: from now on nobody enters. The closer is inside, and leaves when it has woken who waits. False: it was closed. */
bool auricle_calls_close(auricle_calls *calls);

/** Waits for the pushes that are inside, which never block, so that none of them is the last to leave. */
void auricle_calls_await_pushes(const auricle_calls *calls);

bool auricle_calls_is_closed(const auricle_calls *calls);

/** Whether all of the stream was read. */
void auricle_calls_set_ended(auricle_calls *calls, bool ended);
bool auricle_calls_has_ended(const auricle_calls *calls);

#endif
