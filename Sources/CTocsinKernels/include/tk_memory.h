#ifndef TK_MEMORY_H
#define TK_MEMORY_H

#if defined(__GLIBC__)
#include <malloc.h>
#endif

/// At most so many arenas of glibc's allocator; nothing happens with another C library.
static inline void tk_limit_arenas(int count) {
#if defined(__GLIBC__)
    mallopt(M_ARENA_MAX, count);
#else
    (void)count;
#endif
}

/// Gives freed pages back to the system, where the C library can.
static inline void tk_trim_memory(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

#endif
