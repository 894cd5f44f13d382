#ifndef CTOCSINKERNELS_H
#define CTOCSINKERNELS_H

#include <stddef.h>
#include <stdlib.h>
#include <stdint.h>

#include "tk_crc32c.h"
#include "tk_memory.h"
#include "tk_prefetch.h"

/// Which body of a kernel to run. The bodies give bit-identical results.
typedef enum { tk_body_portable = 0, tk_body_avx2 = 1, tk_body_avx512 = 2 } tk_body;

/// The fastest body this processor can run.
tk_body tk_best_body(void);

#include "tk_forest.h"
#include "tk_windows.h"
#include "tk_lstm.h"

#endif
