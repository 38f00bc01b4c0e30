/* Counts what the calling thread allocates from glibc's heap: malloc and its kin of this program are wrapped. */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stdint.h>

/** Allocations of the calling thread so far. */
uint64_t allocations(void);

#endif
