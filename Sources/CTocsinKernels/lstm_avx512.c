#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma"))), apply_to = function)

#define LSTM_AVX512
#define lstm_passes_name lstm_avx512
#define row_group 6
enum { gate_vectors = 4 };

#include "lstm_body.h"
#include "lstm_forward.h"
#include "lstm_backward.h"
#include "lstm_table.h"

#pragma clang attribute pop
#endif
