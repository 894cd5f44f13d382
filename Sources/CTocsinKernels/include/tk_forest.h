#ifndef TK_FOREST_H
#define TK_FOREST_H

#include <stddef.h>
#include <stdint.h>

// Included by CTocsinKernels.h, which declares tk_body.

/// An isolation forest as flat arrays: every tree is a complete binary tree of the same depth, so a walk has no branch.
///
/// Tree t, node n (1 = root, children 2n and 2n + 1) stands at [t << depth | n] of `features` and `thresholds`; slot 0
/// is unused. A row goes to 2n + 1 when its feature is at or above the threshold. Leaf n - (1 << depth) of tree t
/// stands at [t << depth | leaf] of `lengths`: whole numbers of a unit of the caller's choice, so that sums do not
/// depend on their order. A node that ends early has threshold +infinity: the row goes left to the bottom.
typedef struct {
    const int32_t *features;
    const float *thresholds;
    const int32_t *lengths;
    int32_t trees;
    int32_t depth;
} tk_forest;

/// For each row the sum over all trees of the path length.
///
/// Row r of feature f is `columns[f * stride + r]`; values are finite. `rows` is a multiple of 32 and at most `stride`
/// (callers pad), `stride` times the number of features fits an int32, depth is 1...15.
void tk_forest_lengths(
    const tk_forest *forest, const float *columns, size_t stride, size_t rows, uint32_t *sums, tk_body body);

/// The same sum for one row with its features side by side, equal to the batch.
uint32_t tk_forest_length(const tk_forest *forest, const float *row);

/// A forest of at most 16 features and depth 8 in 16-bit words, so that a tree fits registers and permutations take
/// the place of memory look-ups, 32 rows at a time.
///
/// A value is its rank among all thresholds of its feature, a threshold its place among them: comparing these is
/// comparing the numbers. Depth is always 8, 256 slots a tree in the order of `tk_forest`.
typedef struct {
    /// The row goes right where its rank is above; 65535 = never.
    const uint16_t *thresholds;
    /// (feature / 2) << 6 | (feature % 2) << 5.
    const uint16_t *features;
    const uint16_t *lengths;
    /// All distinct thresholds of the features, see `tk_cuts_floats`.
    const float *cuts;
    /// Per feature, where its cuts begin and how many levels (6...16) they have.
    const uint32_t *cut_starts;
    const uint8_t *cut_levels;
    int32_t trees;
    int32_t width;
} tk_word_forest;

/// Whether this processor can run `tk_word_forest_lengths` (AVX-512BW).
int tk_has_word_forest(void);

/// Floats that the cuts of a feature with `levels` levels take: 64, the middle cuts of the first six halvings of the
/// range as a heap (root at 1), then all cuts ascending, filled up with +infinity to 1 << levels.
static inline size_t tk_cuts_floats(uint32_t levels) { return 64 + ((size_t)1 << levels); }

/// `ranks[(r / 32 * width + f) * 32 + r % 32]` becomes the number of cuts at or below the value of row r and feature f,
/// columns as in `tk_forest_lengths`. `rows` is a multiple of 32.
void tk_word_forest_ranks(
    const tk_word_forest *forest, const float *columns, size_t stride, size_t rows, uint16_t *ranks);

/// The sums of `tk_forest_lengths` from ranks. `rows` is a multiple of 32; ranks and sums need no alignment.
void tk_word_forest_lengths(const tk_word_forest *forest, const uint16_t *ranks, size_t rows, uint32_t *sums);

/// Centres and scales `rows` rows of `width` doubles into columns: 0 for what is no number, never beyond +-1e30.
void tk_forest_scale(
    const double *values, size_t width, size_t rows, const double *centers, const double *scales, float *columns,
    size_t stride);

/// A tree on bins of one byte, at most 16 features and 2^18 nodes. A row goes to the right child where bin - offset
/// (wrapping) is above the threshold.
typedef struct {
    /// The upper ten levels, node n (1 = root, children 2n and 2n + 1) at [n] of 1,024 slots. A feature is coded as
    /// feature / 2 | (feature % 2) << 6 | offset << 7. Below a leaf rows keep to the left.
    const uint8_t *thresholds;
    const uint8_t *features;
    /// For each of the 1,024 places below them the node there, or the leaf above.
    const uint32_t *entries;
    /// threshold | feature << 8 | offset << 12 | whether it is a leaf << 13 | left child << 14; the right child follows
    /// the left one.
    const uint32_t *nodes;
} tk_byte_tree;

/// Whether this processor can run `tk_byte_tree_leaves` (AVX-512VBMI).
int tk_has_byte_trees(void);

/// Row `arrived[k]` comes to leaf `leaves[k]`, for every row once, in no order. Row r of feature f is
/// `bins[f * stride + r]`; `rows` is a multiple of 64 and at most `stride`; 3 bytes behind the last bin may be read.
/// `arrived` and `leaves` have room for 16 numbers more than rows, `scratch` holds 2.5 * rows + 32.
void tk_byte_tree_leaves(
    const tk_byte_tree *tree, int32_t width, const uint8_t *bins, size_t stride, size_t rows, uint32_t *arrived,
    uint32_t *leaves, uint32_t *scratch);

#endif
