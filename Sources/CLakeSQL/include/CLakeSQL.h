#ifndef C_LAKE_SQL_H
#define C_LAKE_SQL_H

#include <stddef.h>
#include <stdint.h>

/// One SQL file of the lake's transformations, embedded into the program at build time. Everything lives as long as the
/// program.
typedef struct {
    /// Below etl/: "silver/readings.sql".
    const char *path;
    const uint8_t *bytes;
    size_t length;
} tls_file;

/// All embedded files; `count` receives how many. Never null.
const tls_file *tls_files(size_t *count);

#endif
