#include "lstm_layout.h"
#include "lstm_passes.h"

#include <string.h>

static const lstm_passes *passes_of(tk_body body) {
#if defined(__x86_64__)
    if (body == tk_body_avx512) return &lstm_avx512;
    if (body == tk_body_avx2) return &lstm_avx2;
#endif
    (void)body;
    return &lstm_portable;
}

tk_body tk_lstm_body(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq"))
        return tk_body_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return tk_body_avx2;
#endif
    return tk_body_portable;
}

int tk_lstm_has_bfloat16(void) {
#if defined(__x86_64__)
    return tk_lstm_body() == tk_body_avx512 && __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

size_t tk_lstm_inputs(const tk_lstm *net, int32_t layer) {
    if (layer == 0) return net->features;
    return net->units[layer - 1];
}

size_t tk_lstm_offset(const tk_lstm *net, int32_t index) { return layer_at(net, index, NULL, 1).offset; }

static size_t end_of(const tk_lstm *net, size_t pair) {
    layer last = layer_at(net, net->layers, NULL, pair);
    return last.offset + last.blocks * slots(&last) * slot;
}

size_t tk_lstm_count(const tk_lstm *net) { return end_of(net, 1); }

size_t tk_lstm_bfloat16_count(const tk_lstm *net) { return end_of(net, 2); }

size_t tk_lstm_forward_scratch(const tk_lstm *net) {
    size_t wide = widest(net), steps = net->steps;
    size_t made = steps * few_rows > chunk_rows ? steps * few_rows : chunk_rows;
    size_t sequences = steps * chunk_rows * (rounded(net->features, lanes) + 2 * wide);
    return sequences + chunk_rows * wide + 4 * wide * made;
}

size_t tk_lstm_gradient_scratch(const tk_lstm *net, size_t rows) {
    size_t wide = widest(net), all = net->steps * rows;
    size_t count = all * (rounded(net->features, lanes) + rounded(net->features, slot) + 2 * wide) + 6 * rows * wide;
    for (int32_t index = 0; index < net->layers; index++)
        count += (6 * all + 2 * rows) * rounded(net->units[index], lanes);
    return count;
}

void tk_lstm_forward(
    const tk_lstm *net, const float *packed, const float *input, size_t rows, float *output, float *scratch,
    tk_body body) {
    passes_of(body)->forward(net, packed, input, rows, output, scratch);
}

void tk_lstm_forward_bfloat16(
    const tk_lstm *net, const float *pairs, const float *input, size_t rows, float *output, float *scratch) {
#if defined(__x86_64__)
    lstm_bfloat16.forward(net, pairs, input, rows, output, scratch);
#endif
}

double tk_lstm_gradient(
    const tk_lstm *net, const float *packed, const float *transposed, const float *input, size_t rows, float scale,
    float *gradient, float *scratch, tk_body body) {
    return passes_of(body)->gradient(net, packed, transposed, input, rows, scale, gradient, scratch);
}

void tk_lstm_activations(const float *values, size_t count, float *sigmoids, float *tangents, tk_body body) {
    passes_of(body)->activations(values, count, sigmoids, tangents);
}

/// To the nearest, ties to even; weights are finite.
static uint16_t half_of(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void pack_pairs(const float *panel, size_t count, uint16_t *pairs) {
    for (size_t input = 0; input < count; input++)
        for (size_t place = 0; place < slot; place++)
            pairs[(input / 2 * slot + place) * 2 + input % 2] = half_of(panel[input * slot + place]);
}

void tk_lstm_pack_bfloat16(const tk_lstm *net, const float *packed, float *pairs) {
    memset(pairs, 0, tk_lstm_bfloat16_count(net) * sizeof(float));
    for (int32_t index = 0; index <= net->layers; index++) {
        layer from = layer_at(net, index, packed, 1), to = layer_at(net, index, pairs, 2);
        float *target = pairs + to.offset;
        const float *panel = from.panels;
        for (size_t block = 0; block < from.blocks; block++) {
            pack_pairs(panel, from.inputs, (uint16_t *)target);
            pack_pairs(panel + from.inputs * slot, from.units, (uint16_t *)(target + to.input_depth * slot));
            memcpy(
                target + (slots(&to) - 1) * slot, panel + (slots(&from) - 1) * slot, slot * sizeof(float));
            panel += slots(&from) * slot;
            target += slots(&to) * slot;
        }
    }
}

/// `count` slots of every panel as columns, 64 inputs at a time: [input / 64][block * 64][64].
static float *transpose(const float *first, size_t blocks, size_t panel, size_t count, float *target) {
    size_t depth = blocks * slot, size = rounded(count, slot) * depth;
    memset(target, 0, size * sizeof(float));
    for (size_t block = 0; block < blocks; block++)
        for (size_t start = 0; start < count; start += lanes) {
            size_t end = start + lanes < count ? start + lanes : count;
            float *part = target + start / slot * depth * slot + block * slot * slot;
            for (size_t place = 0; place < slot; place++)
                for (size_t input = start; input < end; input++)
                    part[place * slot + input % slot] = first[block * panel + input * slot + place];
        }
    return target + size;
}

size_t tk_lstm_transposed_count(const tk_lstm *net) {
    size_t count = 0;
    for (int32_t index = 0; index <= net->layers; index++) {
        layer l = layer_at(net, index, NULL, 1);
        count += (rounded(l.units, slot) + (index ? rounded(l.inputs, slot) : 0)) * l.blocks * slot;
    }
    return count;
}

void tk_lstm_transpose(const tk_lstm *net, const float *packed, float *transposed) {
    for (int32_t index = net->layers; index >= 0; index--) {
        layer l = layer_at(net, index, packed, 1);
        size_t panel = slots(&l) * slot;
        transposed = transpose(l.panels + l.inputs * slot, l.blocks, panel, l.units, transposed);
        if (index) transposed = transpose(l.panels, l.blocks, panel, l.inputs, transposed);
    }
}

void tk_lstm_adam(
    float *packed, const float *gradient, float *first, float *second, size_t count, float rate, float factor,
    float epsilon) {
    for (size_t place = 0; place < count; place++) {
        float slope = gradient[place] * factor;
        first[place] = 0.9f * first[place] + 0.1f * slope;
        second[place] = 0.999f * second[place] + 0.001f * slope * slope;
        packed[place] -= rate * first[place] / (__builtin_sqrtf(second[place]) + epsilon);
    }
}

void tk_lstm_add(float *sum, const float *gradients, size_t count) {
    for (size_t place = 0; place < count; place++) sum[place] += gradients[place];
}

double tk_lstm_squares(const float *numbers, size_t count) {
    double sums[8] = {0};
    for (size_t place = 0; place < count; place++) sums[place % 8] += (double)numbers[place] * numbers[place];
    double sum = 0;
    for (int place = 0; place < 8; place++) sum += sums[place];
    return sum;
}
