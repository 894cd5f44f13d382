// The end of each float body.

#include "lstm_passes.h"

static void activations(const float *values, size_t count, float *sigmoids, float *tangents) {
    for (size_t first = 0; first < count; first += lanes) {
        float part[lanes] = {0}, results[lanes];
        size_t size = (count - first < lanes ? count - first : lanes) * sizeof(float);
        memcpy(part, values + first, size);
        store(results, sigmoid(load(part)));
        memcpy(sigmoids + first, results, size);
        store(results, tangent(load(part)));
        memcpy(tangents + first, results, size);
    }
}

const lstm_passes lstm_passes_name = {forward, gradient_of, activations};
