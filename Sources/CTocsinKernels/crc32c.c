#include "tk_crc32c.h"

#include <string.h>

// 0x1EDC6F41 with its bits reversed.
static const uint32_t polynomial = 0x82f63b78u;

// The instruction has a latency of three cycles and a throughput of one: three strips of this many bytes run side by
// side.
enum { strip = 2048 };

// tables[k][b]: the checksum of byte b followed by k zero bytes ("slicing by 8", Kounavis and Berry 2005).
static uint32_t tables[8][256];
// shifts[k][b]: what byte k of a checksum becomes after `strip` zero bytes; CRC is linear, so four look-ups and XORs
// shift it.
static uint32_t shifts[4][256];

__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? polynomial : 0);
        tables[0][byte] = sum;
    }
    for (int k = 1; k < 8; k++)
        for (int byte = 0; byte < 256; byte++)
            tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 0xff];
    for (int k = 0; k < 4; k++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t sum = byte << (8 * k);
            for (int zero = 0; zero < strip; zero++) sum = sum >> 8 ^ tables[0][sum & 0xff];
            shifts[k][byte] = sum;
        }
    }
}

static uint32_t sum_tables(uint32_t sum, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        uint32_t low = sum ^ (bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24);
        sum = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^
              tables[3][bytes[4]] ^ tables[2][bytes[5]] ^ tables[1][bytes[6]] ^ tables[0][bytes[7]];
    }
    for (; count > 0; bytes++, count--) sum = sum >> 8 ^ tables[0][(sum ^ *bytes) & 0xff];
    return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>

static uint64_t shifted(uint64_t sum) {
    return shifts[0][sum & 0xff] ^ shifts[1][sum >> 8 & 0xff] ^ shifts[2][sum >> 16 & 0xff] ^
           shifts[3][sum >> 24 & 0xff];
}

__attribute__((target("sse4.2"))) static uint32_t sum_sse42(uint32_t start, const uint8_t *bytes, size_t count) {
    uint64_t sum = start;
    for (; count >= 3 * strip; bytes += 3 * strip, count -= 3 * strip) {
        uint64_t second = 0, third = 0;
        for (size_t place = 0; place < strip; place += 8) {
            uint64_t words[3];
            memcpy(&words[0], bytes + place, 8);
            memcpy(&words[1], bytes + strip + place, 8);
            memcpy(&words[2], bytes + 2 * strip + place, 8);
            sum = _mm_crc32_u64(sum, words[0]);
            second = _mm_crc32_u64(second, words[1]);
            third = _mm_crc32_u64(third, words[2]);
        }
        sum = shifted(shifted(sum) ^ second) ^ third;
    }
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        sum = _mm_crc32_u64(sum, word);
    }
    for (; count > 0; bytes++, count--) sum = _mm_crc32_u8((uint32_t)sum, *bytes);
    return (uint32_t)sum;
}
#endif

tk_crc32c_body tk_crc32c_best(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return tk_crc32c_sse42;
#endif
    return tk_crc32c_tables;
}

uint32_t tk_crc32c_by(uint32_t before, const void *bytes, size_t count, tk_crc32c_body body) {
#if defined(__x86_64__)
    if (body == tk_crc32c_sse42) return ~sum_sse42(~before, bytes, count);
#endif
    (void)body;
    return ~sum_tables(~before, bytes, count);
}

uint32_t tk_crc32c(uint32_t before, const void *bytes, size_t count) {
    return tk_crc32c_by(before, bytes, count, tk_crc32c_best());
}
