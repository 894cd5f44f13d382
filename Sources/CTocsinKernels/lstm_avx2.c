#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define lstm_passes_name lstm_avx2
#define row_group 6
enum { gate_vectors = 1 };

#include "lstm_body.h"
#include "lstm_forward.h"
#include "lstm_backward.h"
#include "lstm_table.h"

#pragma clang attribute pop
#endif
