// The arithmetic of the LSTM kernels; each body includes this with its own processor features switched on.
//
// gate_vectors: how many of the four gates are summed at a time; row_group: rows at a time. Their product is what the
// registers hold. LSTM_BFLOAT16: operands are pairs of bfloat16.

#include <string.h>

#include "lstm_layout.h"

// Functions that pass such vectors are inlined: there is no call whose convention could differ.
#pragma clang diagnostic ignored "-Wpsabi"

#define inlined static inline __attribute__((always_inline))

typedef float v16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t v16i __attribute__((vector_size(64), aligned(4), may_alias));

inlined v16 load(const float *from) { return *(const v16 *)from; }
inlined void store(float *to, v16 value) { *(v16 *)to = value; }

inlined void copy_slots(float *to, const float *from, size_t count) {
    for (size_t place = 0; place < count * slot; place += lanes) store(to + place, load(from + place));
}

inlined v16 limited(v16 x, float limit) {
#ifdef LSTM_AVX512
    return (v16)_mm512_max_ps(_mm512_min_ps((__m512)x, _mm512_set1_ps(limit)), _mm512_set1_ps(-limit));
#else
    v16 high = (v16){0} + limit;
    return __builtin_elementwise_max(__builtin_elementwise_min(x, high), -high);
#endif
}

/// e^x within 2e-7 of it, |x| cut at 40: there sigmoid and tanh have long reached their ends, and products of two do
/// not overflow. 2^part by a polynomial (least squares on Chebyshev points), 2^whole into the exponent.
inlined v16 exponential(v16 x) {
    const float turns = 1.44269504f, magic = 12582912.0f;
    x = limited(x, 40);
    v16 shifted = x * turns + magic;
    v16 whole = shifted - magic;
    v16 part = x * turns - whole;
    v16 value = part * 0.0013266970636323094f + 0.009675459936261177f;
    value = value * part + 0.05550742521882057f;
    value = value * part + 0.24022121727466583f;
    value = value * part + 0.6931469440460205f;
    value = value * part + 1.0f;
    return (v16)((v16i)value + ((v16i)shifted << 23));
}

inlined v16 sigmoid(v16 x) { return 1.0f / (1.0f + exponential(-x)); }

inlined v16 tangent(v16 x) {
    v16 e = exponential(x + x);
    return (e - 1.0f) / (e + 1.0f);
}

#ifdef LSTM_BFLOAT16
typedef uint16_t operand;
enum { pair = 2 };
inlined void store_operand(operand *to, v16 value) {
    __m256bh half = _mm512_cvtneps_pbh((__m512)value);
    memcpy(to, &half, sizeof half);
}
inlined v16 multiply_add(const operand *a, v16 b, v16 sum) {
    int32_t both;
    memcpy(&both, a, sizeof both);
    return (v16)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(both), (__m512bh)b);
}
#else
typedef float operand;
enum { pair = 1 };
inlined void store_operand(operand *to, v16 value) { store(to, value); }
inlined v16 multiply_add(const operand *a, v16 b, v16 sum) { return *a * b + sum; }
#endif

/// sums[row][64] += the products of `depth` operands of each row with as many slots. All counts but `depth` are known
/// when this is inlined.
inlined void tile_rows(
    const int rows, const int vectors, const operand *a, size_t row_stride, size_t step, const float *b, size_t depth,
    float *sums) {
    for (int first = 0; first < vectors; first += gate_vectors) {
        v16 held[row_group][gate_vectors];
        const int count = vectors < gate_vectors ? vectors : gate_vectors;
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
            for (int gate = 0; gate < count; gate++)
                held[row][gate] = load(sums + row * slot + (first + gate) * lanes);
        const operand *place = a;
        const float *weights = b + first * lanes;
        for (size_t k = 0; k < depth; k++, place += step, weights += slot) {
            v16 now[gate_vectors];
#pragma clang loop unroll(full)
            for (int gate = 0; gate < count; gate++) now[gate] = load(weights + gate * lanes);
#pragma clang loop unroll(full)
            for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
                for (int gate = 0; gate < count; gate++)
                    held[row][gate] = multiply_add(place + row * row_stride, now[gate], held[row][gate]);
        }
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
            for (int gate = 0; gate < count; gate++)
                store(sums + row * slot + (first + gate) * lanes, held[row][gate]);
    }
}

/// One row has too few sums to keep the multipliers busy: even and odd operands are summed apart.
inlined void tile_one(const operand *a, const float *b, size_t depth, float *sums) {
    size_t half = depth / 2;
    for (int first = 0; first < 4; first += gate_vectors) {
        v16 even[gate_vectors], odd[gate_vectors];
#pragma clang loop unroll(full)
        for (int gate = 0; gate < gate_vectors; gate++) {
            even[gate] = load(sums + (first + gate) * lanes);
            odd[gate] = (v16){0};
        }
        const float *weights = b + first * lanes;
        for (size_t k = 0; k < half; k++, weights += 2 * slot) {
#pragma clang loop unroll(full)
            for (int gate = 0; gate < gate_vectors; gate++) {
                even[gate] = multiply_add(a + 2 * k * pair, load(weights + gate * lanes), even[gate]);
                odd[gate] = multiply_add(a + (2 * k + 1) * pair, load(weights + slot + gate * lanes), odd[gate]);
            }
        }
#pragma clang loop unroll(full)
        for (int gate = 0; gate < gate_vectors; gate++) {
            if (depth % 2) even[gate] = multiply_add(a + 2 * half * pair, load(weights + gate * lanes), even[gate]);
            store(sums + (first + gate) * lanes, even[gate] + odd[gate]);
        }
    }
}

/// The operands of a row lie side by side.
static void tile(int rows, int vectors, const operand *a, size_t stride, const float *b, size_t depth, float *sums) {
    if (vectors == 1) {
        switch (rows) {
        case 1: return tile_rows(1, 1, a, stride, pair, b, depth, sums);
        case 2: return tile_rows(2, 1, a, stride, pair, b, depth, sums);
        case 3: return tile_rows(3, 1, a, stride, pair, b, depth, sums);
#if row_group > 3
        case 4: return tile_rows(4, 1, a, stride, pair, b, depth, sums);
        case 5: return tile_rows(5, 1, a, stride, pair, b, depth, sums);
        default: return tile_rows(6, 1, a, stride, pair, b, depth, sums);
#endif
        }
    }
    switch (rows) {
    case 1: return tile_one(a, b, depth, sums);
    case 2: return tile_rows(2, 4, a, stride, pair, b, depth, sums);
    case 3: return tile_rows(3, 4, a, stride, pair, b, depth, sums);
#if row_group > 3
    case 4: return tile_rows(4, 4, a, stride, pair, b, depth, sums);
    case 5: return tile_rows(5, 4, a, stride, pair, b, depth, sums);
    default: return tile_rows(6, 4, a, stride, pair, b, depth, sums);
#endif
    }
}

/// Rows of the next group so that the groups are alike: 16 as 6, 5, 5 rather than 6, 6, 4.
inlined int group_of(size_t left) {
    size_t groups = (left + row_group - 1) / row_group;
    return (int)((left + groups - 1) / groups);
}
