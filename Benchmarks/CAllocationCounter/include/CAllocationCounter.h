#ifndef TK_ALLOCATION_COUNTER_H
#define TK_ALLOCATION_COUNTER_H

#include <stdint.h>

// Heap allocations of this process so far, by malloc, calloc, realloc and their aligned kin. Always 0 where the C library
// is not glibc.
uint64_t tk_allocation_count(void);

#endif
