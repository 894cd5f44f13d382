#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma"))), apply_to = function)

#define LSTM_AVX512
#define LSTM_BFLOAT16
#define row_group 6
enum { gate_vectors = 4 };

#include "lstm_body.h"
#include "lstm_forward.h"
#include "lstm_passes.h"

const lstm_passes lstm_bfloat16 = {.forward = forward};

#pragma clang attribute pop
#endif
