#ifndef CTOCSINKERNELS_H
#define CTOCSINKERNELS_H

#include <stddef.h>
#include <stdlib.h>
#include <stdint.h>

#include "tk_crc32c.h"
#include "tk_memory.h"
#include "tk_prefetch.h"

/// An isolation forest as flat arrays: every tree is a complete binary tree of the same depth, so a walk has no branch.
///
/// Tree t, node n (1 = root, children 2n and 2n + 1) stands at [t << depth | n] of `features` and `thresholds`; slot 0
/// is unused. A row goes to 2n + 1 when its feature is at or above the threshold. Leaf n - (1 << depth) of tree t
/// stands at [t << depth | leaf] of `lengths`. A node that ends early has threshold +infinity: the row goes left to the
/// bottom.
typedef struct {
    const int32_t *features;
    const float *thresholds;
    const float *lengths;
    int32_t trees;
    int32_t depth;
} tk_forest;

/// Which body of a kernel to run. The bodies give bit-identical results.
typedef enum { tk_body_portable = 0, tk_body_avx2 = 1, tk_body_avx512 = 2 } tk_body;

/// The fastest body this processor can run.
tk_body tk_best_body(void);

/// For each row the sum over all trees of the path length.
///
/// Row r of feature f is `columns[f * stride + r]`; values are finite. `rows` is a multiple of 32 and at most `stride`
/// (callers pad), `stride` times the number of features fits an int32, depth is 1...15.
void tk_forest_lengths(
    const tk_forest *forest, const float *columns, size_t stride, size_t rows, float *sums, tk_body body);

/// The same sum for one row with its features side by side, bit-identical to the batch.
float tk_forest_length(const tk_forest *forest, const float *row);

#include "tk_windows.h"

#endif
