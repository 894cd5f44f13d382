#ifndef TK_LSTM_H
#define TK_LSTM_H

#include <stddef.h>
#include <stdint.h>

// Included at the end of CTocsinKernels.h, which declares tk_body.

enum { tk_lstm_most_layers = 8, tk_lstm_lanes = 16, tk_lstm_slot = 64 };

/// An autoencoder of sequences: `encoders` LSTM layers, the last state of the last one repeated, then the other LSTM
/// layers, then a dense layer back to the features.
///
/// Its numbers are packed, layer by layer, for 16 units at a time: a panel of (inputs + units + 1) slots of 64 floats,
/// the slot of an input (of a unit's last output, of the bias) holding its weights to the gates i, f, g and o of the
/// 16 units side by side. The dense layer is packed alike, 64 outputs at a time. Padding is zero and stays zero.
typedef struct {
    int32_t features;
    int32_t steps;
    /// LSTM layers in all, at most `tk_lstm_most_layers`.
    int32_t layers;
    /// 1 ..< layers.
    int32_t encoders;
    int32_t units[tk_lstm_most_layers];
} tk_lstm;

/// Floats of the packed numbers.
size_t tk_lstm_count(const tk_lstm *net);

/// Inputs of LSTM layer `layer`, or of the dense layer for `layer == layers`.
size_t tk_lstm_inputs(const tk_lstm *net, int32_t layer);

/// Where the panels of a layer (`layers` = dense) start.
size_t tk_lstm_offset(const tk_lstm *net, int32_t layer);

/// Floats that the forward pass of any number of sequences needs as scratch.
size_t tk_lstm_forward_scratch(const tk_lstm *net);

/// Reconstructs `rows` sequences, [row][step][feature] both; every buffer on a 64-byte boundary but these two.
void tk_lstm_forward(
    const tk_lstm *net, const float *packed, const float *input, size_t rows, float *output, float *scratch,
    tk_body body);

/// The fastest body of these kernels that this processor can run. The bodies sum in different orders.
tk_body tk_lstm_body(void);

/// 1 where the processor multiplies bfloat16.
int tk_lstm_has_bfloat16(void);

/// Floats that the packed bfloat16 copy takes.
size_t tk_lstm_bfloat16_count(const tk_lstm *net);

/// Rounds packed numbers to pairs of bfloat16.
void tk_lstm_pack_bfloat16(const tk_lstm *net, const float *packed, float *pairs);

/// The forward pass with weights and activations rounded to bfloat16, sums in float; needs `tk_lstm_has_bfloat16`.
void tk_lstm_forward_bfloat16(
    const tk_lstm *net, const float *pairs, const float *input, size_t rows, float *output, float *scratch);

/// Floats of the transposed copy that the backward pass reads, and its filling.
size_t tk_lstm_transposed_count(const tk_lstm *net);
void tk_lstm_transpose(const tk_lstm *net, const float *packed, float *transposed);

/// Floats that `tk_lstm_gradient` of `rows` sequences needs as scratch.
size_t tk_lstm_gradient_scratch(const tk_lstm *net, size_t rows);

/// The sum of squared errors of `rows` sequences; writes `scale` times half its gradient, packed, by backpropagation
/// through time.
double tk_lstm_gradient(
    const tk_lstm *net, const float *packed, const float *transposed, const float *input, size_t rows, float scale,
    float *gradient, float *scratch, tk_body body);

/// One step of Adam (Kingma and Ba 2015). `rate` holds the bias corrections; gradients count `factor` times.
void tk_lstm_adam(
    float *packed, const float *gradient, float *first, float *second, size_t count, float rate, float factor,
    float epsilon);

/// Adds `gradients` to `sum`.
void tk_lstm_add(float *sum, const float *gradients, size_t count);

/// The sum of squares, in double.
double tk_lstm_squares(const float *numbers, size_t count);

/// sigmoid and tanh as the layers compute them, for tests of their error.
void tk_lstm_activations(const float *values, size_t count, float *sigmoids, float *tangents, tk_body body);

#endif
