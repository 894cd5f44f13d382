#include "CTocsinKernels.h"

#include <string.h>

// The upper ten levels of a classifying tree, 64 rows at a time: 127 nodes of one byte are two registers, which one
// permutation looks up; the eighth level is two more, the next four and eight. What is below is looked up in memory, 16
// rows at a time.

#if defined(__x86_64__)
#include <immintrin.h>

#define BYTES __attribute__((target("avx512f,avx512bw,avx512vbmi")))
// The arrays of registers below must come apart into registers.
#define UNROLLED _Pragma("clang loop unroll(full)")
#define INLINE_BYTES BYTES __attribute__((always_inline)) static inline

/// One level: bits 0 to 2 of `feature` are the pair of features, bit 6 which of the two, bit 7 the offset.
INLINE_BYTES __m512i step(
    const __m512i *x, __m512i node, __m512i threshold, __m512i feature, __m512i lanes, const int pairs) {
    __m512i place = _mm512_or_si512(_mm512_and_si512(feature, _mm512_set1_epi8(64)), lanes);
    __m512i found[8];
    UNROLLED for (int p = 0; p < pairs; p++) found[p] = _mm512_permutex2var_epi8(x[2 * p], place, x[2 * p + 1]);
    int left = pairs;
    UNROLLED for (int bit = 1; bit <= 4; bit *= 2) {
        if (left < 2) continue;
        __mmask64 upper = _mm512_test_epi8_mask(feature, _mm512_set1_epi8((char)bit));
        UNROLLED for (int p = 0; p < 4; p++) {
            if (2 * p + 1 < left) found[p] = _mm512_mask_blend_epi8(upper, found[2 * p], found[2 * p + 1]);
            if (2 * p + 1 == left) found[p] = found[2 * p];
        }
        left = (left + 1) / 2;
    }
    __m512i bin = _mm512_mask_sub_epi8(found[0], _mm512_movepi8_mask(feature), found[0], _mm512_set1_epi8(1));
    __mmask64 right = _mm512_cmpgt_epu8_mask(bin, threshold);
    node = _mm512_add_epi8(node, node);
    return _mm512_mask_add_epi8(node, right, node, _mm512_set1_epi8(1));
}

INLINE_BYTES __m512i look(const uint8_t *table, __m512i node) {
    return _mm512_permutex2var_epi8(_mm512_loadu_si512(table), node, _mm512_loadu_si512(table + 64));
}

/// Of 256 bytes.
INLINE_BYTES __m512i look_wide(const uint8_t *table, __m512i node, __mmask64 upper) {
    return _mm512_mask_blend_epi8(upper, look(table, node), look(table + 128, node));
}

/// Of 512 bytes; `high` is bit 8 of the place, `upper` bit 7.
INLINE_BYTES __m512i look_wider(const uint8_t *table, __m512i node, __mmask64 upper, __mmask64 high) {
    return _mm512_mask_blend_epi8(high, look_wide(table, node, upper), look_wide(table + 256, node, upper));
}

/// Where the rows come to below the upper levels: bits 0 to 7 into `low`, 8 and 9 into `high`.
INLINE_BYTES void upper_levels(
    const tk_byte_tree *tree, int32_t width, const uint8_t *bins, size_t stride, size_t rows, uint8_t *low,
    uint8_t *high, const int pairs) {
    uint8_t lane[64];
    for (int k = 0; k < 64; k++) lane[k] = (uint8_t)k;
    const __m512i lanes = _mm512_loadu_si512(lane);
    const uint8_t *t = tree->thresholds, *f = tree->features;
    for (size_t first = 0; first < rows; first += 64) {
        __m512i x[16];
        // The second of an odd last pair is never picked.
        UNROLLED for (int k = 0; k < 2 * pairs; k++)
            x[k] = _mm512_loadu_si512(bins + (size_t)(k < width ? k : width - 1) * stride + first);
        __m512i node = _mm512_set1_epi8(1);
        UNROLLED for (int level = 0; level < 7; level++)
            node = step(x, node, look(t, node), look(f, node), lanes, pairs);
        node = step(x, node, look(t + 128, node), look(f + 128, node), lanes, pairs);
        // From here on a place in its level.
        const __mmask64 bit9 = _mm512_movepi8_mask(node);
        node = step(x, node, look_wide(t + 256, node, bit9), look_wide(f + 256, node, bit9), lanes, pairs);
        const __mmask64 bit8 = _mm512_movepi8_mask(node);
        node = step(
            x, node, look_wider(t + 512, node, bit8, bit9), look_wider(f + 512, node, bit8, bit9), lanes, pairs);
        _mm512_storeu_si512(low + first, node);
        _mm512_storeu_si512(
            high + first,
            _mm512_or_si512(
                _mm512_maskz_set1_epi8(bit8, 1), _mm512_maskz_set1_epi8(bit9, 2)));
    }
}

#define UPPER_LEVELS(pairs)                                                                                             \
    BYTES static void upper_levels##pairs(                                                                              \
        const tk_byte_tree *tree, int32_t width, const uint8_t *bins, size_t stride, size_t rows, uint8_t *low,         \
        uint8_t *high) {                                                                                                \
        upper_levels(tree, width, bins, stride, rows, low, high, pairs);                                                \
    }
UPPER_LEVELS(1)
UPPER_LEVELS(2)
UPPER_LEVELS(3)
UPPER_LEVELS(4)
UPPER_LEVELS(5)
UPPER_LEVELS(6)
UPPER_LEVELS(7)
UPPER_LEVELS(8)

// Rows that have come to a leaf make room for others, so that the lanes stay full: some paths are twice as long as most.
// Whether a node is a leaf is asked when it is visited: known a visit earlier, it would come later, behind the second
// look-up, and the addresses of the stores wait for it.
BYTES static void lower_levels(
    const uint32_t *nodes, const uint8_t *bins, size_t stride, size_t rows, uint32_t *arrived, uint32_t *leaves,
    uint32_t *walkers, uint32_t *here) {
    const __m512i columns = _mm512_set1_epi32((int32_t)stride);
    const __m512i byte = _mm512_set1_epi32(255), one = _mm512_set1_epi32(1);
    size_t left = rows, done = 0;
    while (left > 0) {
        size_t kept = 0;
        for (size_t first = 0; first < left; first += 16) {
            const __mmask16 lanes = left - first < 16 ? (__mmask16)((1u << (left - first)) - 1) : (__mmask16)0xffff;
            const __m512i row = _mm512_maskz_loadu_epi32(lanes, walkers + first);
            const __m512i index = _mm512_maskz_loadu_epi32(lanes, here + first);
            const __m512i node = _mm512_i32gather_epi32(index, nodes, 4);
            const __mmask16 at_leaf = _mm512_mask_test_epi32_mask(lanes, node, _mm512_set1_epi32(1 << 13));
            // Sixteen numbers are written at a time: behind the last there is room.
            _mm512_storeu_si512(arrived + done, _mm512_maskz_compress_epi32(at_leaf, row));
            _mm512_storeu_si512(leaves + done, _mm512_maskz_compress_epi32(at_leaf, index));
            done += (size_t)__builtin_popcount(at_leaf);
            const __m512i feature = _mm512_and_si512(_mm512_srli_epi32(node, 8), _mm512_set1_epi32(15));
            const __m512i place = _mm512_add_epi32(_mm512_mullo_epi32(feature, columns), row);
            // Three bytes beyond the last are read and not used.
            __m512i bin = _mm512_i32gather_epi32(place, bins, 1);
            bin = _mm512_and_si512(_mm512_sub_epi32(bin, _mm512_and_si512(_mm512_srli_epi32(node, 12), one)), byte);
            const __mmask16 right = _mm512_cmpgt_epu32_mask(bin, _mm512_and_si512(node, byte));
            __m512i next = _mm512_srli_epi32(node, 14);
            next = _mm512_mask_add_epi32(next, right, next, one);
            const __mmask16 going = lanes & (__mmask16)~at_leaf;
            // Never beyond what has been read.
            _mm512_storeu_si512(walkers + kept, _mm512_maskz_compress_epi32(going, row));
            _mm512_storeu_si512(here + kept, _mm512_maskz_compress_epi32(going, next));
            kept += (size_t)__builtin_popcount(going);
        }
        left = kept;
    }
}

/// All rows set out from the nodes below the upper levels.
BYTES static void enter(
    const uint32_t *entries, const uint8_t *low, const uint8_t *high, size_t rows, uint32_t *walkers, uint32_t *here) {
    __m512i row = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (size_t first = 0; first < rows; first += 16) {
        const __m512i front = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(low + first)));
        const __m512i back = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(high + first)));
        const __m512i place = _mm512_or_si512(front, _mm512_slli_epi32(back, 8));
        _mm512_storeu_si512(walkers + first, row);
        _mm512_storeu_si512(here + first, _mm512_i32gather_epi32(place, entries, 4));
        row = _mm512_add_epi32(row, _mm512_set1_epi32(16));
    }
}

void tk_byte_tree_leaves(
    const tk_byte_tree *tree, int32_t width, const uint8_t *bins, size_t stride, size_t rows, uint32_t *arrived,
    uint32_t *leaves, uint32_t *scratch) {
    uint8_t *low = (uint8_t *)(scratch + 2 * (rows + 16)), *high = low + rows;
    switch ((width + 1) / 2) {
    case 1: upper_levels1(tree, width, bins, stride, rows, low, high); break;
    case 2: upper_levels2(tree, width, bins, stride, rows, low, high); break;
    case 3: upper_levels3(tree, width, bins, stride, rows, low, high); break;
    case 4: upper_levels4(tree, width, bins, stride, rows, low, high); break;
    case 5: upper_levels5(tree, width, bins, stride, rows, low, high); break;
    case 6: upper_levels6(tree, width, bins, stride, rows, low, high); break;
    case 7: upper_levels7(tree, width, bins, stride, rows, low, high); break;
    default: upper_levels8(tree, width, bins, stride, rows, low, high); break;
    }
    uint32_t *walkers = scratch, *here = scratch + rows + 16;
    enter(tree->entries, low, high, rows, walkers, here);
    lower_levels(tree->nodes, bins, stride, rows, arrived, leaves, walkers, here);
}

int tk_has_byte_trees(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vbmi");
}
#else

int tk_has_byte_trees(void) { return 0; }

// Never called where tk_has_byte_trees says no.
void tk_byte_tree_leaves(
    const tk_byte_tree *tree, int32_t width, const uint8_t *bins, size_t stride, size_t rows, uint32_t *arrived,
    uint32_t *leaves, uint32_t *scratch) {
    (void)tree, (void)width, (void)bins, (void)stride, (void)scratch;
    memset(arrived, 0, rows * sizeof *arrived);
    memset(leaves, 0, rows * sizeof *leaves);
}
#endif
