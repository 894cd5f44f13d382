// The dashboard's files as bytes of the program, so that it is served with nothing installed around it.
// `#embed` is C23 (ISO/IEC 9899:2024, 6.10.4); clang 19 and later take it in every language mode. The compiler lists
// the embedded files as dependencies: a change in web/ builds this file again.

#include "CWebAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#if !defined(__has_embed)
#error "This compiler has no #embed. Build with the toolchain of Swift 6.2 or later (clang 19 or later)."
#endif

#if !__has_embed("/usr/share/javascript/dygraphs/dygraph.min.js")
#error "dygraphs is missing: run `apt-get install libjs-dygraphs` (scripts/setup does it)."
#endif

static const uint8_t index_html[] = {
#embed "../../web/index.html"
};
static const uint8_t favicon_svg[] = {
#embed "../../web/favicon.svg"
};
static const uint8_t style_css[] = {
#embed "../../web/style.css"
};
static const uint8_t theme_js[] = {
#embed "../../web/theme.js"
};
static const uint8_t app_js[] = {
#embed "../../web/app.js"
};
static const uint8_t alarms_js[] = {
#embed "../../web/alarms.js"
};
static const uint8_t alarm_figures_js[] = {
#embed "../../web/alarm-figures.js"
};
static const uint8_t alarm_history_js[] = {
#embed "../../web/alarm-history.js"
};
static const uint8_t api_js[] = {
#embed "../../web/api.js"
};
static const uint8_t board_js[] = {
#embed "../../web/board.js"
};
static const uint8_t card_js[] = {
#embed "../../web/card.js"
};
static const uint8_t channels_js[] = {
#embed "../../web/channels.js"
};
static const uint8_t connections_js[] = {
#embed "../../web/connections.js"
};
static const uint8_t dead_letters_js[] = {
#embed "../../web/dead-letters.js"
};
static const uint8_t dom_js[] = {
#embed "../../web/dom.js"
};
static const uint8_t format_js[] = {
#embed "../../web/format.js"
};
static const uint8_t linked_js[] = {
#embed "../../web/linked.js"
};
static const uint8_t live_js[] = {
#embed "../../web/live.js"
};
static const uint8_t overview_js[] = {
#embed "../../web/overview.js"
};
static const uint8_t plot_js[] = {
#embed "../../web/plot.js"
};
static const uint8_t sensors_js[] = {
#embed "../../web/sensors.js"
};
static const uint8_t series_js[] = {
#embed "../../web/series.js"
};
static const uint8_t tip_js[] = {
#embed "../../web/tip.js"
};
static const uint8_t dygraph_min_js[] = {
#embed "/usr/share/javascript/dygraphs/dygraph.min.js"
};
static const uint8_t dygraph_min_css[] = {
#embed "/usr/share/javascript/dygraphs/dygraph.min.css"
};

#define HTML "text/html; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define SVG "image/svg+xml"
#define ASSET(path, type, bytes) {path, type, bytes, sizeof(bytes)}

static const tw_asset assets[] = {
    ASSET("/", HTML, index_html),
    ASSET("/favicon.svg", SVG, favicon_svg),
    ASSET("/assets/style.css", CSS, style_css),
    ASSET("/assets/theme.js", JAVASCRIPT, theme_js),
    ASSET("/assets/app.js", JAVASCRIPT, app_js),
    ASSET("/assets/alarms.js", JAVASCRIPT, alarms_js),
    ASSET("/assets/alarm-figures.js", JAVASCRIPT, alarm_figures_js),
    ASSET("/assets/alarm-history.js", JAVASCRIPT, alarm_history_js),
    ASSET("/assets/api.js", JAVASCRIPT, api_js),
    ASSET("/assets/board.js", JAVASCRIPT, board_js),
    ASSET("/assets/card.js", JAVASCRIPT, card_js),
    ASSET("/assets/channels.js", JAVASCRIPT, channels_js),
    ASSET("/assets/connections.js", JAVASCRIPT, connections_js),
    ASSET("/assets/dead-letters.js", JAVASCRIPT, dead_letters_js),
    ASSET("/assets/dom.js", JAVASCRIPT, dom_js),
    ASSET("/assets/format.js", JAVASCRIPT, format_js),
    ASSET("/assets/linked.js", JAVASCRIPT, linked_js),
    ASSET("/assets/live.js", JAVASCRIPT, live_js),
    ASSET("/assets/overview.js", JAVASCRIPT, overview_js),
    ASSET("/assets/plot.js", JAVASCRIPT, plot_js),
    ASSET("/assets/sensors.js", JAVASCRIPT, sensors_js),
    ASSET("/assets/series.js", JAVASCRIPT, series_js),
    ASSET("/assets/tip.js", JAVASCRIPT, tip_js),
    ASSET("/assets/dygraph.min.js", JAVASCRIPT, dygraph_min_js),
    ASSET("/assets/dygraph.min.css", CSS, dygraph_min_css),
};

const tw_asset *tw_assets(size_t *count) {
    *count = sizeof(assets) / sizeof(assets[0]);
    return assets;
}
