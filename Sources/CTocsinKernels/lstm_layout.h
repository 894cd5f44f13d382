#ifndef LSTM_LAYOUT_H
#define LSTM_LAYOUT_H

#include "CTocsinKernels.h"

// How the numbers of a net and the buffers of a pass lie in memory; the same for all bodies.

enum { lanes = tk_lstm_lanes, slot = tk_lstm_slot };

static inline size_t rounded(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

/// A layer with everything derived; the dense layer has no units of its own.
typedef struct {
    const float *panels;
    /// Floats before the panels.
    size_t offset;
    size_t inputs;
    size_t units;
    /// Groups of 16 units; of 64 outputs in the dense layer.
    size_t blocks;
    /// Distance of two rows of outputs.
    size_t stride;
    /// Slots of inputs and of outputs fed back in a panel.
    size_t input_depth;
    size_t state_depth;
} layer;

/// `pair` is 2 where two inputs share a slot.
static inline layer layer_at(const tk_lstm *net, int32_t index, const float *packed, size_t pair) {
    layer all = {0};
    for (int32_t place = 0; place <= index; place++) {
        all.offset += all.blocks * (all.input_depth + all.state_depth + 1) * slot;
        all.inputs = tk_lstm_inputs(net, place);
        all.units = place < net->layers ? (size_t)net->units[place] : 0;
        all.stride = rounded(all.units, lanes);
        all.blocks = place < net->layers ? all.stride / lanes : rounded(net->features, slot) / slot;
        all.input_depth = (all.inputs + pair - 1) / pair;
        all.state_depth = (all.units + pair - 1) / pair;
    }
    all.panels = packed ? packed + all.offset : NULL;
    return all;
}

static inline size_t slots(const layer *l) { return l->input_depth + l->state_depth + 1; }

static inline size_t widest(const tk_lstm *net) {
    size_t most = 0;
    for (int32_t place = 0; place < net->layers; place++)
        if ((size_t)net->units[place] > most) most = net->units[place];
    return rounded(most, lanes);
}

/// The next part of the scratch, on a cache line.
static inline float *take(float **cursor, size_t count) {
    float *part = *cursor;
    *cursor += rounded(count, lanes);
    return part;
}

/// Sequences that go through the layers together: their outputs of one layer stay in the second-level cache.
enum { chunk_rows = 24 };
/// Up to so many the products of inputs are made for all steps at once: weights then are read once, not once a step.
enum { few_rows = 3 };

#endif
