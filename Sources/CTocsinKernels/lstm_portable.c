#define lstm_passes_name lstm_portable
#define row_group 3
enum { gate_vectors = 1 };

#include "lstm_body.h"
#include "lstm_forward.h"
#include "lstm_backward.h"
#include "lstm_table.h"
