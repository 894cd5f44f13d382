#include "CTocsinKernels.h"

#include <string.h>

// Vectors are the compiler's own, so that one text serves every body: inlined into a function with a target attribute
// it becomes that processor's code. Nothing is contracted to fused operations and lanes are fixed: all bodies give the
// same bits.
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

typedef double f64x8 __attribute__((vector_size(64)));
typedef int64_t i64x8 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef f64x8 f64x8_memory __attribute__((aligned(8), may_alias));
typedef i64x8 i64x8_memory __attribute__((aligned(8), may_alias));
typedef i32x16 i32x16_memory __attribute__((aligned(4), may_alias));
typedef i32x8 i32x8_memory __attribute__((aligned(4), may_alias));

#define LOAD(type, address) (*(const type##_memory *)(address))
#define STORE(type, address, vector) (*(type##_memory *)(address) = (vector))

// ---- Decoding

INLINE uint64_t field(const uint64_t *words, size_t bit, uint32_t width) {
    const uint64_t *word = words + (bit >> 6);
    uint32_t shift = bit & 63;
    uint64_t bits = word[0] >> shift | word[1] << 1 << (63 - shift);
    return width < 64 ? bits & ((1ull << width) - 1) : bits;
}

INLINE int64_t unzigzag(uint64_t bits) { return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1); }

INLINE void decode_times(
    const tk_frame *frame, const uint64_t *payload, size_t first, size_t count, int64_t origin, int64_t *times) {
    uint64_t time = (uint64_t)frame->start - (uint64_t)origin + (uint64_t)frame->step * first;
    if (frame->time_bits == 0) {
        for (size_t i = 0; i < count; i++) times[i] = (int64_t)(time + (uint64_t)frame->step * i);
        return;
    }
    size_t pitch = frame->value_bits + frame->time_bits;
    size_t bit = first * pitch + frame->value_bits;
    for (size_t i = 0; i < count; i++) {
        uint64_t residual = (uint64_t)unzigzag(field(payload, bit + i * pitch, frame->time_bits));
        times[i] = (int64_t)(time + (uint64_t)frame->step * i + residual * (uint64_t)frame->unit);
    }
}

INLINE void decode_values(
    const tk_frame *frame, const uint64_t *payload, size_t first, size_t count, double *values) {
    size_t pitch = frame->value_bits + frame->time_bits;
    size_t bit = first * pitch;
    if (frame->scale == 0) {
        for (size_t i = 0; i < count; i++) {
            uint64_t bits = field(payload, bit + i * pitch, 64);
            memcpy(values + i, &bits, 8);
        }
        return;
    }
    // At most 48 bits: they lie within the eight bytes from the first one on.
    const char *bytes = (const char *)payload;
    uint64_t mask = (1ull << frame->value_bits) - 1;
    for (size_t i = 0; i < count; i++, bit += pitch) {
        uint64_t bits;
        memcpy(&bits, bytes + (bit >> 3), 8);
        values[i] = (double)((int64_t)(bits >> (bit & 7) & mask) + frame->base) / frame->scale;
    }
}

INLINE void decode(
    const tk_frame *frame, const uint64_t *payload, size_t first, size_t count, int64_t origin, int64_t *times,
    double *values) {
    decode_times(frame, payload, first, count, origin, times);
    decode_values(frame, payload, first, count, values);
}

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw")))

// Eight fields of at most 57 bits, gathered from where their bytes begin.
AVX512 static void decode_avx512(
    const tk_frame *frame, const uint64_t *payload, size_t first, size_t count, int64_t origin, int64_t *times,
    double *values) {
    size_t pitch = frame->value_bits + frame->time_bits;
    const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), seven = _mm512_set1_epi64(7);
    const __m512i strides = _mm512_mullo_epi64(lanes, _mm512_set1_epi64((int64_t)pitch));
    if (frame->time_bits == 0 || frame->time_bits > 57) {
        decode_times(frame, payload, first, count, origin, times);
    } else {
        const __m512i mask = _mm512_set1_epi64((int64_t)((1ull << frame->time_bits) - 1));
        const __m512i step = _mm512_set1_epi64(frame->step), unit = _mm512_set1_epi64(frame->unit);
        uint64_t start = (uint64_t)frame->start - (uint64_t)origin;
        for (size_t i = 0; i < count; i += 8) {
            __mmask8 live = count - i < 8 ? (__mmask8)((1u << (count - i)) - 1) : 0xff;
            size_t place = (first + i) * pitch + frame->value_bits;
            __m512i bit = _mm512_add_epi64(strides, _mm512_set1_epi64((int64_t)place));
            __m512i bits = _mm512_mask_i64gather_epi64(lanes, live, _mm512_srli_epi64(bit, 3), payload, 1);
            bits = _mm512_and_si512(_mm512_srlv_epi64(bits, _mm512_and_si512(bit, seven)), mask);
            __m512i sign = _mm512_sub_epi64(_mm512_setzero_si512(), _mm512_and_si512(bits, _mm512_set1_epi64(1)));
            __m512i residual = _mm512_xor_si512(_mm512_srli_epi64(bits, 1), sign);
            __m512i index = _mm512_add_epi64(lanes, _mm512_set1_epi64((int64_t)(first + i)));
            __m512i time = _mm512_add_epi64(_mm512_mullo_epi64(index, step), _mm512_mullo_epi64(residual, unit));
            _mm512_mask_storeu_epi64(times + i, live, _mm512_add_epi64(time, _mm512_set1_epi64((int64_t)start)));
        }
    }
    if (frame->scale == 0) return decode_values(frame, payload, first, count, values);
    const __m512i mask = _mm512_set1_epi64((int64_t)((1ull << frame->value_bits) - 1));
    const __m512i base = _mm512_set1_epi64(frame->base);
    const __m512d scale = _mm512_set1_pd(frame->scale);
    for (size_t i = 0; i < count; i += 8) {
        __mmask8 live = count - i < 8 ? (__mmask8)((1u << (count - i)) - 1) : 0xff;
        __m512i bit = _mm512_add_epi64(strides, _mm512_set1_epi64((int64_t)((first + i) * pitch)));
        __m512i bits = _mm512_mask_i64gather_epi64(lanes, live, _mm512_srli_epi64(bit, 3), payload, 1);
        bits = _mm512_and_si512(_mm512_srlv_epi64(bits, _mm512_and_si512(bit, seven)), mask);
        __m512d value = _mm512_div_pd(_mm512_cvtepi64_pd(_mm512_add_epi64(bits, base)), scale);
        _mm512_mask_storeu_pd(values + i, live, value);
    }
}
#endif

// ---- Moments

INLINE double total(const double *lanes) {
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

INLINE void
mean_pass(const int64_t *times, const double *values, size_t count, tk_moments *moments, double *mean_time) {
    f64x8 sums = {0}, offsets = {0}, time_sums = {0};
    double origin = values[0];
    size_t whole = count & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8) {
        f64x8 value = LOAD(f64x8, values + i);
        sums += value;
        offsets += value - origin;
        time_sums += __builtin_convertvector(LOAD(i64x8, times + i), f64x8);
    }
    double sum[8], offset[8], time[8];
    memcpy(sum, &sums, 64);
    memcpy(offset, &offsets, 64);
    memcpy(time, &time_sums, 64);
    for (size_t i = whole; i < count; i++) {
        sum[i & 7] += values[i];
        offset[i & 7] += values[i] - origin;
        time[i & 7] += (double)times[i];
    }
    moments->sum = total(sum);
    moments->mean_offset = total(offset) / (double)count;
    *mean_time = total(time) / (double)count;
}

// Sides with values that equal the mean (or a mean that is no number).
static int64_t crossings_with_ties(const double *values, size_t count, double mean) {
    int side = 0;
    int64_t crossings = 0;
    for (size_t i = 0; i < count; i++) {
        int now = (values[i] > mean) - (values[i] < mean);
        if (now == 0) continue;
        crossings += side != 0 && now != side;
        side = now;
    }
    return crossings;
}

INLINE void crossing_pass(const double *values, size_t count, double mean, tk_moments *moments) {
    // Lanes count down: a comparison that holds is -1.
    i64x8 changes = {0}, sided = {0};
    size_t pairs = (count - 1) & ~(size_t)7;
    for (size_t i = 0; i < pairs; i += 8) {
        f64x8 value = LOAD(f64x8, values + i), next = LOAD(f64x8, values + i + 1);
        changes += (value > mean) ^ (next > mean);
        sided += (value > mean) | (value < mean);
    }
    int64_t crossings = 0, sides = 0;
    for (int lane = 0; lane < 8; lane++) {
        crossings -= changes[lane];
        sides -= sided[lane];
    }
    for (size_t i = pairs; i < count; i++) {
        if (i + 1 < count) crossings += (values[i] > mean) ^ (values[i + 1] > mean);
        sides += (values[i] > mean) | (values[i] < mean);
    }
    moments->crossings = sides == (int64_t)count ? crossings : crossings_with_ties(values, count, mean);
}

INLINE void moments_body(const int64_t *times, const double *values, size_t count, tk_moments *moments) {
    double mean_time;
    mean_pass(times, values, count, moments, &mean_time);
    double origin = values[0], center = moments->mean_offset;
    f64x8 second = {0}, third = {0}, fourth = {0}, lag = {0}, change = {0}, time_second = {0}, products = {0};
    size_t pairs = (count - 1) & ~(size_t)7;
    for (size_t i = 0; i < pairs; i += 8) {
        f64x8 value = LOAD(f64x8, values + i), next = LOAD(f64x8, values + i + 1);
        f64x8 deviation = value - origin - center, square = deviation * deviation;
        second += square;
        third += square * deviation;
        fourth += square * square;
        lag += deviation * (next - origin - center);
        change += __builtin_elementwise_abs(next - value);
        f64x8 time = (__builtin_convertvector(LOAD(i64x8, times + i), f64x8) - mean_time) * 1e-9;
        time_second += time * time;
        products += time * deviation;
    }
    double lanes[7][8];
    memcpy(lanes[0], &second, 64);
    memcpy(lanes[1], &third, 64);
    memcpy(lanes[2], &fourth, 64);
    memcpy(lanes[3], &lag, 64);
    memcpy(lanes[4], &change, 64);
    memcpy(lanes[5], &time_second, 64);
    memcpy(lanes[6], &products, 64);
    for (size_t i = pairs; i < count; i++) {
        size_t lane = i & 7;
        double deviation = values[i] - origin - center, square = deviation * deviation;
        lanes[0][lane] += square;
        lanes[1][lane] += square * deviation;
        lanes[2][lane] += square * square;
        if (i + 1 < count) {
            lanes[3][lane] += deviation * (values[i + 1] - origin - center);
            lanes[4][lane] += __builtin_fabs(values[i + 1] - values[i]);
        }
        double time = ((double)times[i] - mean_time) * 1e-9;
        lanes[5][lane] += time * time;
        lanes[6][lane] += time * deviation;
    }
    moments->second = total(lanes[0]);
    moments->third = total(lanes[1]);
    moments->fourth = total(lanes[2]);
    moments->lag_products = total(lanes[3]);
    moments->absolute_change = total(lanes[4]);
    moments->time_second = total(lanes[5]);
    moments->time_products = total(lanes[6]);
    crossing_pass(values, count, origin + center, moments);
}

// ---- Sorting
//
// Batcher's bitonic network ("Sorting Networks and their Applications", AFIPS 1968) with every comparison ascending:
// first each vector, then runs of 1, 2, 4 ... vectors merged by pairs. Because all comparisons ascend, those with the
// vectors beyond the end, which would hold the greatest key, change nothing and are left out.

// Lanes to compare with (their number changed in one bit, or mirrored in a group), and of which the greater is kept.
#define LIST(...) __VA_ARGS__
#define SWAP8_1 1, 0, 3, 2, 5, 4, 7, 6
#define SWAP8_2 2, 3, 0, 1, 6, 7, 4, 5
#define SWAP8_4 4, 5, 6, 7, 0, 1, 2, 3
#define MIRROR8_4 3, 2, 1, 0, 7, 6, 5, 4
#define MIRROR8_8 7, 6, 5, 4, 3, 2, 1, 0
#define KEEP8_1 0, 9, 2, 11, 4, 13, 6, 15
#define KEEP8_2 0, 1, 10, 11, 4, 5, 14, 15
#define KEEP8_4 0, 1, 2, 3, 12, 13, 14, 15
#define SWAP16_1 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#define SWAP16_2 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13
#define SWAP16_4 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11
#define SWAP16_8 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7
#define MIRROR16_4 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12
#define MIRROR16_8 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8
#define MIRROR16_16 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
#define KEEP16_1 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31
#define KEEP16_2 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27, 12, 13, 30, 31
#define KEEP16_4 0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31
#define KEEP16_8 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31
#define STEP8(vector, swapped, kept) STEP_LISTS(i64x8, vector, LIST(swapped), LIST(kept))
#define STEP16(vector, swapped, kept) STEP_LISTS(i32x16, vector, LIST(swapped), LIST(kept))
#define STEP_LISTS(type, vector, swapped, kept)                                          \
    do {                                                                                 \
        type other = __builtin_shufflevector(vector, vector, swapped);                   \
        type low = __builtin_elementwise_min(vector, other);                             \
        type high = __builtin_elementwise_max(vector, other);                            \
        vector = __builtin_shufflevector(low, high, kept);                               \
    } while (0)

// A run of `run` vectors and the one behind it become one: the second is compared back to front.
#define MERGE(type, keys, lanes, vectors, mirror, finish)                                            \
    for (size_t run = 1; run < (vectors); run *= 2) {                                                \
        for (size_t start = 0; start < (vectors); start += 2 * run) {                                \
            for (size_t i = 0; i < run; i++) {                                                       \
                size_t left = start + i, right = start + 2 * run - 1 - i;                            \
                if (right >= (vectors)) continue;                                                    \
                type low = LOAD(type, (keys) + left * lanes), high = LOAD(type, (keys) + right * lanes); \
                high = __builtin_shufflevector(high, high, mirror);                                  \
                STORE(type, (keys) + left * lanes, __builtin_elementwise_min(low, high));            \
                STORE(type, (keys) + right * lanes, __builtin_elementwise_max(low, high));           \
            }                                                                                        \
        }                                                                                            \
        for (size_t apart = run / 2; apart > 0; apart /= 2) {                                        \
            for (size_t start = 0; start < (vectors); start += 2 * apart) {                          \
                for (size_t left = start; left < start + apart && left + apart < (vectors); left++) { \
                    type low = LOAD(type, (keys) + left * lanes);                                    \
                    type high = LOAD(type, (keys) + (left + apart) * lanes);                         \
                    STORE(type, (keys) + left * lanes, __builtin_elementwise_min(low, high));        \
                    STORE(type, (keys) + (left + apart) * lanes, __builtin_elementwise_max(low, high)); \
                }                                                                                    \
            }                                                                                        \
        }                                                                                            \
        for (size_t i = 0; i < (vectors); i++) {                                                     \
            type vector = LOAD(type, (keys) + i * lanes);                                            \
            finish(vector);                                                                          \
            STORE(type, (keys) + i * lanes, vector);                                                 \
        }                                                                                            \
    }

#define FINISH8(vector)                  \
    STEP8(vector, SWAP8_4, KEEP8_4);     \
    STEP8(vector, SWAP8_2, KEEP8_2);     \
    STEP8(vector, SWAP8_1, KEEP8_1)
#define FINISH16(vector)                 \
    STEP16(vector, SWAP16_8, KEEP16_8);  \
    STEP16(vector, SWAP16_4, KEEP16_4);  \
    STEP16(vector, SWAP16_2, KEEP16_2);  \
    STEP16(vector, SWAP16_1, KEEP16_1)

INLINE void sort_long(int64_t *keys, size_t vectors) {
    for (size_t i = 0; i < vectors; i++) {
        i64x8 vector = LOAD(i64x8, keys + 8 * i);
        STEP8(vector, SWAP8_1, KEEP8_1);
        STEP8(vector, MIRROR8_4, KEEP8_2);
        STEP8(vector, SWAP8_1, KEEP8_1);
        STEP8(vector, MIRROR8_8, KEEP8_4);
        STEP8(vector, SWAP8_2, KEEP8_2);
        STEP8(vector, SWAP8_1, KEEP8_1);
        STORE(i64x8, keys + 8 * i, vector);
    }
    MERGE(i64x8, keys, 8, vectors, LIST(MIRROR8_8), FINISH8)
}

INLINE void sort_short(int32_t *keys, size_t vectors) {
    for (size_t i = 0; i < vectors; i++) {
        i32x16 vector = LOAD(i32x16, keys + 16 * i);
        STEP16(vector, SWAP16_1, KEEP16_1);
        STEP16(vector, MIRROR16_4, KEEP16_2);
        STEP16(vector, SWAP16_1, KEEP16_1);
        STEP16(vector, MIRROR16_8, KEEP16_4);
        STEP16(vector, SWAP16_2, KEEP16_2);
        STEP16(vector, SWAP16_1, KEEP16_1);
        STEP16(vector, MIRROR16_16, KEEP16_8);
        STEP16(vector, SWAP16_4, KEEP16_4);
        STEP16(vector, SWAP16_2, KEEP16_2);
        STEP16(vector, SWAP16_1, KEEP16_1);
        STORE(i32x16, keys + 16 * i, vector);
    }
    MERGE(i32x16, keys, 16, vectors, LIST(MIRROR16_16), FINISH16)
}

INLINE int sort_decimals(const double *values, size_t count, double scale, int32_t *keys, double *sorted) {
    double least = values[0], greatest = values[0];
    size_t whole = count & ~(size_t)7;
    if (whole > 0) {
        f64x8 low = LOAD(f64x8, values), high = low;
        for (size_t i = 8; i < whole; i += 8) {
            f64x8 value = LOAD(f64x8, values + i);
            low = __builtin_elementwise_min(low, value);
            high = __builtin_elementwise_max(high, value);
        }
        for (int lane = 0; lane < 8; lane++) {
            least = low[lane] < least ? low[lane] : least;
            greatest = high[lane] > greatest ? high[lane] : greatest;
        }
    }
    for (size_t i = whole; i < count; i++) {
        least = values[i] < least ? values[i] : least;
        greatest = values[i] > greatest ? values[i] : greatest;
    }
    // value * scale lies within one unit in the last place of its whole number.
    double base = __builtin_rint(least * scale);
    if (!(greatest * scale - base < 2147483646.0)) return 0;
    double shift = base - 0.5;
    for (size_t i = 0; i < whole; i += 8)
        STORE(i32x8, keys + i, __builtin_convertvector(LOAD(f64x8, values + i) * scale - shift, i32x8));
    for (size_t i = whole; i < count; i++) keys[i] = (int32_t)(values[i] * scale - shift);
    size_t vectors = (count + 15) / 16;
    for (size_t i = count; i < 16 * vectors; i++) keys[i] = INT32_MAX;
    sort_short(keys, vectors);
    for (size_t i = 0; i < whole; i += 8)
        STORE(f64x8, sorted + i, (__builtin_convertvector(LOAD(i32x8, keys + i), f64x8) + base) / scale);
    for (size_t i = whole; i < count; i++) sorted[i] = ((double)keys[i] + base) / scale;
    return 1;
}

// A double's bits as a whole number of the same order; its own inverse.
INLINE int64_t ordered(int64_t bits) { return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1); }

INLINE void sort_doubles(const double *values, size_t count, int64_t *keys, double *sorted) {
    for (size_t i = 0; i < count; i++) {
        int64_t bits;
        memcpy(&bits, values + i, 8);
        keys[i] = values[i] == values[i] ? ordered(bits) : 0x7ff8000000000000;
    }
    size_t vectors = (count + 7) / 8;
    for (size_t i = count; i < 8 * vectors; i++) keys[i] = INT64_MAX;
    sort_long(keys, vectors);
    for (size_t i = 0; i < count; i++) {
        int64_t bits = ordered(keys[i]);
        memcpy(sorted + i, &bits, 8);
    }
}

// ---- Bodies

#define BODIES(attributes, suffix)                                                                                  \
    attributes static void moments_##suffix(                                                                        \
        const int64_t *times, const double *values, size_t count, tk_moments *moments) {                            \
        moments_body(times, values, count, moments);                                                                \
    }                                                                                                               \
    attributes static int sort_decimals_##suffix(                                                                   \
        const double *values, size_t count, double scale, int32_t *scratch, double *sorted) {                       \
        return sort_decimals(values, count, scale, scratch, sorted);                                                \
    }                                                                                                               \
    attributes static void sort_doubles_##suffix(                                                                   \
        const double *values, size_t count, int64_t *scratch, double *sorted) {                                     \
        sort_doubles(values, count, scratch, sorted);                                                               \
    }

static void decode_portable(
    const tk_frame *frame, const uint64_t *payload, size_t first, size_t count, int64_t origin, int64_t *times,
    double *values) {
    decode(frame, payload, first, count, origin, times, values);
}

BODIES(, portable)
#if defined(__x86_64__)
BODIES(__attribute__((target("avx2"))), avx2)
BODIES(AVX512, avx512)
#endif

tk_body tk_window_body(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw"))
        return tk_body_avx512;
    if (__builtin_cpu_supports("avx2")) return tk_body_avx2;
#endif
    return tk_body_portable;
}

void tk_frame_decode(
    const tk_frame *frame, const uint64_t *payload, size_t first, size_t count, int64_t origin, int64_t *times,
    double *values, tk_body body) {
#if defined(__x86_64__)
    if (body == tk_body_avx512) return decode_avx512(frame, payload, first, count, origin, times, values);
#endif
    (void)body;
    decode_portable(frame, payload, first, count, origin, times, values);
}

void tk_moments_compute(const int64_t *times, const double *values, size_t count, tk_moments *moments, tk_body body) {
#if defined(__x86_64__)
    if (body == tk_body_avx512) return moments_avx512(times, values, count, moments);
    if (body == tk_body_avx2) return moments_avx2(times, values, count, moments);
#endif
    (void)body;
    moments_portable(times, values, count, moments);
}

int tk_sort_decimals(
    const double *values, size_t count, double scale, int32_t *scratch, double *sorted, tk_body body) {
#if defined(__x86_64__)
    if (body == tk_body_avx512) return sort_decimals_avx512(values, count, scale, scratch, sorted);
    if (body == tk_body_avx2) return sort_decimals_avx2(values, count, scale, scratch, sorted);
#endif
    (void)body;
    return sort_decimals_portable(values, count, scale, scratch, sorted);
}

void tk_sort_doubles(const double *values, size_t count, int64_t *scratch, double *sorted, tk_body body) {
#if defined(__x86_64__)
    if (body == tk_body_avx512) return sort_doubles_avx512(values, count, scratch, sorted);
    if (body == tk_body_avx2) return sort_doubles_avx2(values, count, scratch, sorted);
#endif
    (void)body;
    sort_doubles_portable(values, count, scratch, sorted);
}
