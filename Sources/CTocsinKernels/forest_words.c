#include "CTocsinKernels.h"

#include <string.h>

// The walk of tk_word_forest. Levels 0 to 5 of a tree are 63 nodes of 16 bits: two registers, which one permutation
// looks up for 32 rows at once; level 6 is two more, level 7 four, the leaves eight. The rank that a node asks for is
// picked out of the registers of the 32 rows' features in the same way, two features a permutation.

#if defined(__x86_64__)
#include <immintrin.h>

#define WORDS __attribute__((target("avx512f,avx512bw")))
// The arrays of registers below must come apart into registers.
#define UNROLLED _Pragma("clang loop unroll(full)")
#define INLINE_WORDS WORDS __attribute__((always_inline)) static inline

/// The rank of each row's own feature; bits 6 to 8 of `place` are the pair of features, bits 0 to 5 the lane in it.
INLINE_WORDS __m512i pick(const __m512i *x, __m512i place, const int pairs) {
    __m512i found[8];
    UNROLLED for (int p = 0; p < pairs; p++) found[p] = _mm512_permutex2var_epi16(x[2 * p], place, x[2 * p + 1]);
    int left = pairs;
    UNROLLED for (int bit = 64; bit <= 256; bit *= 2) {
        if (left < 2) continue;
        __mmask32 upper = _mm512_test_epi16_mask(place, _mm512_set1_epi16((int16_t)bit));
        UNROLLED for (int p = 0; p < 4; p++) {
            if (2 * p + 1 < left) found[p] = _mm512_mask_blend_epi16(upper, found[2 * p], found[2 * p + 1]);
            if (2 * p + 1 == left) found[p] = found[2 * p];
        }
        left = (left + 1) / 2;
    }
    return found[0];
}

INLINE_WORDS __m512i step(__m512i node, __m512i rank, __m512i threshold) {
    __mmask32 right = _mm512_cmpgt_epu16_mask(rank, threshold);
    __m512i left = _mm512_add_epi16(node, node);
    return _mm512_mask_sub_epi16(left, right, left, _mm512_set1_epi16(-1));
}

INLINE_WORDS void walk(const tk_word_forest *forest, const uint16_t *ranks, size_t rows, uint32_t *sums, const int pairs) {
    const int width = forest->width;
    __m512i lanes;
    {
        int16_t lane[32];
        for (int k = 0; k < 32; k++) lane[k] = (int16_t)k;
        lanes = _mm512_loadu_si512(lane);
    }
    const __m512i zero = _mm512_setzero_si512();
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        __m512i t[8], f[8], l[8];
        for (int k = 0; k < 8; k++) {
            t[k] = _mm512_loadu_si512(forest->thresholds + ((size_t)tree << 8) + 32 * k);
            f[k] = _mm512_loadu_si512(forest->features + ((size_t)tree << 8) + 32 * k);
            l[k] = _mm512_loadu_si512(forest->lengths + ((size_t)tree << 8) + 32 * k);
        }
        const uint16_t root = forest->features[((size_t)tree << 8) + 1];
        const size_t root_rank = (size_t)((root >> 6) * 2 + (root >> 5 & 1)) * 32;
        const __m512i root_threshold = _mm512_set1_epi16((int16_t)forest->thresholds[((size_t)tree << 8) + 1]);
        for (size_t first = 0; first < rows; first += 32) {
            const uint16_t *group = ranks + first * (size_t)width;
            __m512i x[16];
            // The second of an odd last pair is never picked.
            UNROLLED for (int k = 0; k < 2 * pairs; k++) x[k] = _mm512_loadu_si512(group + 32 * (k < width ? k : width - 1));
            __m512i node = step(_mm512_set1_epi16(1), _mm512_loadu_si512(group + root_rank), root_threshold);
            UNROLLED for (int level = 1; level < 6; level++) {
                __m512i place = _mm512_or_si512(_mm512_permutex2var_epi16(f[0], node, f[1]), lanes);
                node = step(node, pick(x, place, pairs), _mm512_permutex2var_epi16(t[0], node, t[1]));
            }
            {
                __m512i place = _mm512_or_si512(_mm512_permutex2var_epi16(f[2], node, f[3]), lanes);
                node = step(node, pick(x, place, pairs), _mm512_permutex2var_epi16(t[2], node, t[3]));
            }
            __mmask32 upper = _mm512_test_epi16_mask(node, _mm512_set1_epi16(64));
            {
                __m512i place = _mm512_mask_blend_epi16(
                    upper, _mm512_permutex2var_epi16(f[4], node, f[5]), _mm512_permutex2var_epi16(f[6], node, f[7]));
                __m512i threshold = _mm512_mask_blend_epi16(
                    upper, _mm512_permutex2var_epi16(t[4], node, t[5]), _mm512_permutex2var_epi16(t[6], node, t[7]));
                node = step(node, pick(x, _mm512_or_si512(place, lanes), pairs), threshold);
            }
            // Bit 7 of a leaf's number is bit 6 of its parent's.
            __mmask32 odd = _mm512_test_epi16_mask(node, _mm512_set1_epi16(64));
            __m512i low = _mm512_mask_blend_epi16(
                odd, _mm512_permutex2var_epi16(l[0], node, l[1]), _mm512_permutex2var_epi16(l[2], node, l[3]));
            __m512i high = _mm512_mask_blend_epi16(
                odd, _mm512_permutex2var_epi16(l[4], node, l[5]), _mm512_permutex2var_epi16(l[6], node, l[7]));
            __m512i length = _mm512_mask_blend_epi16(upper, low, high);
            // Interleaved in fours; put in order at the end.
            uint32_t *sum = sums + first;
            _mm512_storeu_si512(
                sum, _mm512_add_epi32(_mm512_loadu_si512(sum), _mm512_unpacklo_epi16(length, zero)));
            _mm512_storeu_si512(
                sum + 16, _mm512_add_epi32(_mm512_loadu_si512(sum + 16), _mm512_unpackhi_epi16(length, zero)));
        }
    }
    const __m512i front = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512i back = _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    for (size_t first = 0; first < rows; first += 32) {
        __m512i a = _mm512_loadu_si512(sums + first), b = _mm512_loadu_si512(sums + first + 16);
        _mm512_storeu_si512(sums + first, _mm512_permutex2var_epi32(a, front, b));
        _mm512_storeu_si512(sums + first + 16, _mm512_permutex2var_epi32(a, back, b));
    }
}

#define WALK(pairs)                                                                                                     \
    WORDS static void walk##pairs(const tk_word_forest *forest, const uint16_t *ranks, size_t rows, uint32_t *sums) {   \
        walk(forest, ranks, rows, sums, pairs);                                                                         \
    }
WALK(1)
WALK(2)
WALK(3)
WALK(4)
WALK(5)
WALK(6)
WALK(7)
WALK(8)

WORDS void tk_word_forest_lengths(const tk_word_forest *forest, const uint16_t *ranks, size_t rows, uint32_t *sums) {
    memset(sums, 0, rows * sizeof *sums);
    switch ((forest->width + 1) / 2) {
    case 1: return walk1(forest, ranks, rows, sums);
    case 2: return walk2(forest, ranks, rows, sums);
    case 3: return walk3(forest, ranks, rows, sums);
    case 4: return walk4(forest, ranks, rows, sums);
    case 5: return walk5(forest, ranks, rows, sums);
    case 6: return walk6(forest, ranks, rows, sums);
    case 7: return walk7(forest, ranks, rows, sums);
    default: return walk8(forest, ranks, rows, sums);
    }
}

WORDS void tk_word_forest_ranks(
    const tk_word_forest *forest, const float *columns, size_t stride, size_t rows, uint16_t *ranks) {
    const __m512i one = _mm512_set1_epi32(1);
    for (int32_t feature = 0; feature < forest->width; feature++) {
        const float *top = forest->cuts + forest->cut_starts[feature];
        const float *all = top + 64;
        const uint32_t levels = forest->cut_levels[feature];
        const float *column = columns + (size_t)feature * stride;
        const __m512 a = _mm512_loadu_ps(top), b = _mm512_loadu_ps(top + 16);
        const __m512 c = _mm512_loadu_ps(top + 32), d = _mm512_loadu_ps(top + 48);
        for (size_t first = 0; first < rows; first += 32) {
            __m512 value[2] = {_mm512_loadu_ps(column + first), _mm512_loadu_ps(column + first + 16)};
            __m512i place[2] = {one, one};
            // Six halvings without memory.
            for (int level = 0; level < 6; level++) {
                for (int k = 0; k < 2; k++) {
                    __m512 cut = level < 5 ? _mm512_permutex2var_ps(a, place[k], b)
                                           : _mm512_permutex2var_ps(c, place[k], d);
                    __mmask16 above = _mm512_cmp_ps_mask(cut, value[k], _CMP_LE_OQ);
                    __m512i left = _mm512_add_epi32(place[k], place[k]);
                    place[k] = _mm512_mask_add_epi32(left, above, left, one);
                }
            }
            for (int k = 0; k < 2; k++)
                place[k] = _mm512_slli_epi32(_mm512_sub_epi32(place[k], _mm512_set1_epi32(64)), levels - 6);
            for (int32_t half = (int32_t)(1u << levels >> 7); half > 0; half /= 2) {
                for (int k = 0; k < 2; k++) {
                    __m512 cut = _mm512_i32gather_ps(place[k], all + half - 1, 4);
                    __mmask16 above = _mm512_cmp_ps_mask(cut, value[k], _CMP_LE_OQ);
                    place[k] = _mm512_mask_add_epi32(place[k], above, place[k], _mm512_set1_epi32(half));
                }
            }
            uint16_t *target = ranks + (first * (size_t)forest->width + 32 * (size_t)feature);
            _mm256_storeu_si256((__m256i *)target, _mm512_cvtepi32_epi16(place[0]));
            _mm256_storeu_si256((__m256i *)(target + 16), _mm512_cvtepi32_epi16(place[1]));
        }
    }
}

int tk_has_word_forest(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }
#else

int tk_has_word_forest(void) { return 0; }

// Never called where tk_has_word_forest says no.
void tk_word_forest_ranks(
    const tk_word_forest *forest, const float *columns, size_t stride, size_t rows, uint16_t *ranks) {
    (void)forest, (void)columns, (void)stride;
    memset(ranks, 0, rows * (size_t)forest->width * sizeof *ranks);
}

void tk_word_forest_lengths(const tk_word_forest *forest, const uint16_t *ranks, size_t rows, uint32_t *sums) {
    (void)forest, (void)ranks;
    memset(sums, 0, rows * sizeof *sums);
}
#endif

void tk_forest_scale(
    const double *values, size_t width, size_t rows, const double *centers, const double *scales, float *columns,
    size_t stride) {
    for (size_t feature = 0; feature < width; feature++) {
        const double center = centers[feature], scale = scales[feature];
        float *column = columns + feature * stride;
        for (size_t row = 0; row < rows; row++) {
            double scaled = (values[row * width + feature] - center) * scale;
            scaled = scaled < -1e30 ? -1e30 : (scaled > 1e30 ? 1e30 : scaled);
            column[row] = scaled != scaled ? 0 : (float)scaled;
        }
    }
}
