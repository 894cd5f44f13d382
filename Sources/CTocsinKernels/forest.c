#include "CTocsinKernels.h"

#include <string.h>

// Rows are walked in groups, so that the loads of one row's step overlap with those of the others: a single walk is a
// chain of dependent loads. Trees are the outer loop: one tree (3 KB) stays in the first-level cache for all rows.

enum { group = 32 };

static void lengths_portable(const tk_forest *forest, const float *columns, size_t stride, size_t rows, uint32_t *sums) {
    int32_t depth = forest->depth;
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        const int32_t *features = forest->features + ((size_t)tree << depth);
        const float *thresholds = forest->thresholds + ((size_t)tree << depth);
        const int32_t *lengths = forest->lengths + ((size_t)tree << depth);
        for (size_t first = 0; first < rows; first += group) {
            uint32_t node[group];
            for (int lane = 0; lane < group; lane++) node[lane] = 1;
            for (int32_t level = 0; level < depth; level++) {
                for (int lane = 0; lane < group; lane++) {
                    uint32_t here = node[lane];
                    float value = columns[(size_t)features[here] * stride + first + lane];
                    node[lane] = here * 2 + (value >= thresholds[here]);
                }
            }
            uint32_t leaves = 1u << depth;
            for (int lane = 0; lane < group; lane++) sums[first + lane] += (uint32_t)lengths[node[lane] - leaves];
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static void
lengths_avx2(const tk_forest *forest, const float *columns, size_t stride, size_t rows, uint32_t *sums) {
    int32_t depth = forest->depth;
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i width = _mm256_set1_epi32((int32_t)stride);
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        const int32_t *features = forest->features + ((size_t)tree << depth);
        const float *thresholds = forest->thresholds + ((size_t)tree << depth);
        const int32_t *lengths = forest->lengths + ((size_t)tree << depth);
        for (size_t first = 0; first < rows; first += group) {
            __m256i node[4];
            for (int k = 0; k < 4; k++) node[k] = _mm256_set1_epi32(1);
            for (int32_t level = 0; level < depth; level++) {
                for (int k = 0; k < 4; k++) {
                    __m256i feature = _mm256_i32gather_epi32(features, node[k], 4);
                    __m256 threshold = _mm256_i32gather_ps(thresholds, node[k], 4);
                    __m256i place = _mm256_add_epi32(_mm256_mullo_epi32(feature, width), lanes);
                    __m256 value = _mm256_i32gather_ps(columns + first + 8 * k, place, 4);
                    __m256i right = _mm256_castps_si256(_mm256_cmp_ps(value, threshold, _CMP_GE_OQ));
                    // The mask is -1 where the row goes right.
                    node[k] = _mm256_sub_epi32(_mm256_add_epi32(node[k], node[k]), right);
                }
            }
            __m256i leaves = _mm256_set1_epi32(1 << depth);
            for (int k = 0; k < 4; k++) {
                __m256i length = _mm256_i32gather_epi32(lengths, _mm256_sub_epi32(node[k], leaves), 4);
                __m256i *sum = (__m256i *)(sums + first + 8 * k);
                _mm256_storeu_si256(sum, _mm256_add_epi32(_mm256_loadu_si256(sum), length));
            }
        }
    }
}

// The upper five levels (31 nodes) fit two registers: a permutation looks them up in place of a gather.
__attribute__((target("avx512f"))) static void
lengths_avx512(const tk_forest *forest, const float *columns, size_t stride, size_t rows, uint32_t *sums) {
    int32_t depth = forest->depth;
    int32_t upper = depth < 5 ? depth : 5;
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i width = _mm512_set1_epi32((int32_t)stride);
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        const int32_t *features = forest->features + ((size_t)tree << depth);
        const float *thresholds = forest->thresholds + ((size_t)tree << depth);
        const int32_t *lengths = forest->lengths + ((size_t)tree << depth);
        // A shallow tree has fewer than 32 slots: copy what there is.
        float top_thresholds[32] = {0};
        int32_t top_places[32] = {0};
        size_t slots = depth < 5 ? (size_t)1 << depth : 32;
        memcpy(top_thresholds, thresholds, slots * sizeof(float));
        for (size_t slot = 0; slot < slots; slot++) top_places[slot] = features[slot] * (int32_t)stride;
        __m512 low = _mm512_loadu_ps(top_thresholds), high = _mm512_loadu_ps(top_thresholds + 16);
        __m512i low_place = _mm512_loadu_si512(top_places), high_place = _mm512_loadu_si512(top_places + 16);
        __m512i one = _mm512_set1_epi32(1);
        for (size_t first = 0; first < rows; first += group) {
            __m512i node[2] = {one, one};
            for (int32_t level = 0; level < upper; level++) {
                for (int k = 0; k < 2; k++) {
                    __m512 threshold = _mm512_permutex2var_ps(low, node[k], high);
                    __m512i place = _mm512_add_epi32(_mm512_permutex2var_epi32(low_place, node[k], high_place), lanes);
                    __m512 value = _mm512_i32gather_ps(place, columns + first + 16 * k, 4);
                    __mmask16 right = _mm512_cmp_ps_mask(value, threshold, _CMP_GE_OQ);
                    __m512i left = _mm512_add_epi32(node[k], node[k]);
                    node[k] = _mm512_mask_add_epi32(left, right, left, one);
                }
            }
            for (int32_t level = upper; level < depth; level++) {
                for (int k = 0; k < 2; k++) {
                    __m512i feature = _mm512_i32gather_epi32(node[k], features, 4);
                    __m512 threshold = _mm512_i32gather_ps(node[k], thresholds, 4);
                    __m512i place = _mm512_add_epi32(_mm512_mullo_epi32(feature, width), lanes);
                    __m512 value = _mm512_i32gather_ps(place, columns + first + 16 * k, 4);
                    __mmask16 right = _mm512_cmp_ps_mask(value, threshold, _CMP_GE_OQ);
                    __m512i left = _mm512_add_epi32(node[k], node[k]);
                    node[k] = _mm512_mask_add_epi32(left, right, left, one);
                }
            }
            __m512i leaves = _mm512_set1_epi32(1 << depth);
            for (int k = 0; k < 2; k++) {
                __m512i length = _mm512_i32gather_epi32(_mm512_sub_epi32(node[k], leaves), lengths, 4);
                uint32_t *sum = sums + first + 16 * k;
                _mm512_storeu_si512(sum, _mm512_add_epi32(_mm512_loadu_si512(sum), length));
            }
        }
    }
}
#endif

tk_body tk_best_body(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return tk_body_avx512;
    if (__builtin_cpu_supports("avx2")) return tk_body_avx2;
#endif
    return tk_body_portable;
}

void tk_forest_lengths(
    const tk_forest *forest, const float *columns, size_t stride, size_t rows, uint32_t *sums, tk_body body) {
    memset(sums, 0, rows * sizeof *sums);
#if defined(__x86_64__)
    if (body == tk_body_avx512) return lengths_avx512(forest, columns, stride, rows, sums);
    if (body == tk_body_avx2) return lengths_avx2(forest, columns, stride, rows, sums);
#endif
    (void)body;
    lengths_portable(forest, columns, stride, rows, sums);
}

uint32_t tk_forest_length(const tk_forest *forest, const float *row) {
    // Eight trees side by side, again to overlap their loads.
    enum { side = 8 };
    int32_t depth = forest->depth;
    uint32_t leaves = 1u << depth;
    uint32_t sum = 0;
    int32_t tree = 0;
    for (; tree + side <= forest->trees; tree += side) {
        size_t base = (size_t)tree << depth;
        uint32_t node[side];
        for (int k = 0; k < side; k++) node[k] = 1;
        for (int32_t level = 0; level < depth; level++) {
            for (int k = 0; k < side; k++) {
                size_t place = base + ((size_t)k << depth) + node[k];
                node[k] = node[k] * 2 + (row[forest->features[place]] >= forest->thresholds[place]);
            }
        }
        for (int k = 0; k < side; k++) sum += (uint32_t)forest->lengths[base + ((size_t)k << depth) + node[k] - leaves];
    }
    for (; tree < forest->trees; tree++) {
        size_t base = (size_t)tree << depth;
        uint32_t node = 1;
        for (int32_t level = 0; level < depth; level++)
            node = node * 2 + (row[forest->features[base + node]] >= forest->thresholds[base + node]);
        sum += (uint32_t)forest->lengths[base + node - leaves];
    }
    return sum;
}
