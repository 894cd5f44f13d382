// Decimal text to the nearest double.
#pragma once

#include <cstdint>

namespace tsj {

struct Decimal {
    // One past the last byte of the number; nullptr where the text does not start with one.
    const uint8_t *end;
    double value;
    bool finite;
};

// The number at `text`, by the grammar of RFC 8259 section 6.
Decimal parse_json_number(const uint8_t *text, const uint8_t *limit);
// The same, and also a plus sign, leading zeros and a point without digits on one side.
Decimal parse_loose_number(const uint8_t *text, const uint8_t *limit);

}  // namespace tsj
