// The lake's transformations as bytes of the program. `#embed` is C23 (ISO/IEC 9899:2024, 6.10.4); clang 19 and later take it
// in every language mode. The compiler lists the embedded files as dependencies: a change in etl/ builds this file again.

#include "CLakeSQL.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#if !defined(__has_embed)
#error "This compiler has no #embed. Build with the toolchain of Swift 6.2 or later (clang 19 or later)."
#endif

static const uint8_t silver_readings[] = {
#embed "../../etl/silver/readings.sql"
};
static const uint8_t silver_quality[] = {
#embed "../../etl/silver/quality.sql"
};
static const uint8_t gold_hourly[] = {
#embed "../../etl/gold/hourly.sql"
};
static const uint8_t gold_daily[] = {
#embed "../../etl/gold/daily.sql"
};
static const uint8_t gold_features[] = {
#embed "../../etl/gold/features.sql"
};

static const tls_file files[] = {
    {"silver/readings.sql", silver_readings, sizeof silver_readings},
    {"silver/quality.sql", silver_quality, sizeof silver_quality},
    {"gold/hourly.sql", gold_hourly, sizeof gold_hourly},
    {"gold/daily.sql", gold_daily, sizeof gold_daily},
    {"gold/features.sql", gold_features, sizeof gold_features},
};

const tls_file *tls_files(size_t *count) {
    *count = sizeof files / sizeof files[0];
    return files;
}
