#ifndef C_WEB_ASSETS_H
#define C_WEB_ASSETS_H

#include <stddef.h>
#include <stdint.h>

/// One file of the dashboard, embedded into the program at build time. Everything lives as long as the program.
typedef struct {
    /// The path it is served under: "/" or "/assets/app.js".
    const char *path;
    /// The value of its Content-Type header.
    const char *content_type;
    const uint8_t *bytes;
    size_t length;
} tw_asset;

/// All embedded files; `count` receives how many. Never null.
const tw_asset *tw_assets(size_t *count);

#endif
