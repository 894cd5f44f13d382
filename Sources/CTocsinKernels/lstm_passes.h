#ifndef LSTM_PASSES_H
#define LSTM_PASSES_H

#include "CTocsinKernels.h"

/// One body of the kernels.
typedef struct {
    void (*forward)(const tk_lstm *, const float *, const float *, size_t, float *, float *);
    double (*gradient)(const tk_lstm *, const float *, const float *, const float *, size_t, float, float *, float *);
    void (*activations)(const float *, size_t, float *, float *);
} lstm_passes;

extern const lstm_passes lstm_portable;
#if defined(__x86_64__)
extern const lstm_passes lstm_avx2;
extern const lstm_passes lstm_avx512;
/// The forward pass alone.
extern const lstm_passes lstm_bfloat16;
#endif

#endif
