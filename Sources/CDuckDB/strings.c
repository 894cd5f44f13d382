#include "CDuckDB.h"

#include <stdlib.h>
#include <string.h>

void tdk_assign_unchecked(tdk_vector vector, uint64_t row, const char *bytes, uint64_t length);

// Bytes of the well-formed sequence at `bytes`, 0 where there is none (Unicode 15, table 3-7).
static size_t sequence(const uint8_t *bytes, size_t left) {
    uint8_t first = bytes[0];
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4 || left < 2) return 0;
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high) return 0;
    if (first < 0xe0) return 2;
    if (left < 3 || (bytes[2] & 0xc0) != 0x80) return 0;
    if (first < 0xf0) return 3;
    return left >= 4 && (bytes[3] & 0xc0) == 0x80 ? 4 : 0;
}

bool tdk_is_utf8(const uint8_t *bytes, size_t length) {
    size_t at = 0;
    while (at < length) {
        uint64_t word;
        if (length - at >= 8 && (memcpy(&word, bytes + at, 8), (word & 0x8080808080808080u) == 0)) {
            at += 8;
            continue;
        }
        size_t step = sequence(bytes + at, length - at);
        if (!step) return false;
        at += step;
    }
    return true;
}

// A copy with U+FFFD for every byte that belongs to no sequence; three times the length is always enough.
static uint8_t *repaired(const uint8_t *bytes, size_t length, size_t *out_length) {
    uint8_t *copy = malloc(length * 3 + 1);
    size_t at = 0, end = 0;
    if (!copy) return NULL;
    while (at < length) {
        size_t step = sequence(bytes + at, length - at);
        memcpy(copy + end, step ? (const char *)bytes + at : "\xef\xbf\xbd", step ? step : 3);
        end += step ? step : 3;
        at += step ? step : 1;
    }
    *out_length = end;
    return copy;
}

static void put(tdk_vector vector, tdk_string *strings, uint64_t row, const uint8_t *bytes, size_t length) {
    if (length > 12) {
        tdk_assign_unchecked(vector, row, (const char *)bytes, length);
        return;
    }
    tdk_string string = {.length = (uint32_t)length};
    if (length) memcpy((char *)&string + sizeof(uint32_t), bytes, length);
    strings[row] = string;
}

bool tdk_put_string(tdk_vector vector, tdk_string *strings, uint64_t row, const uint8_t *bytes, size_t length,
                    bool is_text) {
    // The length of a string in a vector has 32 bits.
    if (length > UINT32_MAX / 3) return false;
    if (!is_text || tdk_is_utf8(bytes, length)) {
        put(vector, strings, row, bytes, length);
        return true;
    }
    size_t new_length = 0;
    uint8_t *copy = repaired(bytes, length, &new_length);
    if (!copy) return false;
    put(vector, strings, row, copy, new_length);
    free(copy);
    return true;
}
