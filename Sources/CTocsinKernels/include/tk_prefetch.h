#ifndef TK_PREFETCH_H
#define TK_PREFETCH_H

/// Asks the processor to fetch the cache line at `address`, which need not be valid, for a write to come.
static inline void tk_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

#endif
