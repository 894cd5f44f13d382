#include "number.hpp"

#include <charconv>
#include <cstring>

#include "CSimdJSON.h"

namespace tsj {
namespace {

// Exactly representable powers of ten (Clinger, "How to read floating point numbers accurately", 1990).
constexpr double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr uint64_t largest_exact = uint64_t(1) << 53;

inline bool is_digit(uint8_t byte) { return uint8_t(byte - '0') <= 9; }

// The general case; `magnitude` is the decimal exponent of the first significant digit.
Decimal parse_slowly(const uint8_t *start, const uint8_t *end, bool negative, int64_t magnitude) {
    double value = 0;
    auto result = std::from_chars(
        reinterpret_cast<const char *>(start), reinterpret_cast<const char *>(end), value);
    bool finite = true;
    if (result.ec == std::errc::result_out_of_range) {
        finite = magnitude <= 0;
        value = 0;
    } else if (result.ec != std::errc()) {
        return {nullptr, 0, false};
    }
    return {end, negative ? -value : value, finite};
}

template <bool strict>
inline Decimal parse(const uint8_t *text, const uint8_t *limit) {
    const uint8_t *p = text;
    bool negative = false;
    if (p < limit && (*p == '-' || (!strict && *p == '+'))) negative = *p++ == '-';
    const uint8_t *start = p;
    uint64_t mantissa = 0;
    while (p < limit && is_digit(*p)) mantissa = mantissa * 10 + (*p++ - '0');
    const uint8_t *integer_end = p;
    int64_t integer_digits = p - start;
    if (strict && (integer_digits == 0 || (integer_digits > 1 && *start == '0'))) return {nullptr, 0, false};
    int64_t fraction_digits = 0;
    if (p < limit && *p == '.') {
        const uint8_t *fraction = ++p;
        while (p < limit && is_digit(*p)) mantissa = mantissa * 10 + (*p++ - '0');
        fraction_digits = p - fraction;
        if (strict && fraction_digits == 0) return {nullptr, 0, false};
    }
    if (integer_digits + fraction_digits == 0) return {nullptr, 0, false};
    int64_t exponent = 0;
    if (p < limit && (*p | 0x20) == 'e') {
        const uint8_t *q = p + 1;
        bool below = false;
        if (q < limit && (*q == '-' || *q == '+')) below = *q++ == '-';
        if (q >= limit || !is_digit(*q)) return {nullptr, 0, false};
        while (q < limit && is_digit(*q)) {
            if (exponent < 1'000'000'000) exponent = exponent * 10 + (*q - '0');
            ++q;
        }
        if (below) exponent = -exponent;
        p = q;
    }
    int64_t scale = exponent - fraction_digits;
    bool fits = integer_digits + fraction_digits <= 19;
    if (fits && mantissa == 0) return {p, negative ? -0.0 : 0.0, true};
    if (fits && mantissa <= largest_exact && scale >= -22 && scale <= 22) {
        double value = double(mantissa);
        value = scale < 0 ? value / exact_powers[-scale] : value * exact_powers[scale];
        return {p, negative ? -value : value, true};
    }
    const uint8_t *significant = start;
    while (significant < p && (*significant == '0' || *significant == '.')) ++significant;
    int64_t magnitude = significant < integer_end ? (integer_end - significant) + exponent
                                                  : (integer_end + 1 - significant) + exponent;
    return parse_slowly(start, p, negative, magnitude);
}

inline bool is_space(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

bool equals_ignoring_case(const uint8_t *text, size_t length, const char *word) {
    if (length != std::strlen(word)) return false;
    for (size_t i = 0; i < length; ++i) {
        if ((text[i] | 0x20) != uint8_t(word[i])) return false;
    }
    return true;
}

bool is_word_for_no_number(const uint8_t *text, size_t length) {
    if (length > 0 && (*text == '-' || *text == '+')) ++text, --length;
    return equals_ignoring_case(text, length, "nan") || equals_ignoring_case(text, length, "inf")
        || equals_ignoring_case(text, length, "infinity");
}

}  // namespace

Decimal parse_json_number(const uint8_t *text, const uint8_t *limit) { return parse<true>(text, limit); }
Decimal parse_loose_number(const uint8_t *text, const uint8_t *limit) { return parse<false>(text, limit); }

}  // namespace tsj

extern "C" uint32_t tsj_decimal(const uint8_t *text, size_t length, double *value) {
    while (length > 0 && tsj::is_space(*text)) ++text, --length;
    while (length > 0 && tsj::is_space(text[length - 1])) --length;
    if (length == 0) return TSJ_NOT_A_NUMBER;
    tsj::Decimal number = tsj::parse_loose_number(text, text + length);
    if (number.end != text + length) {
        return tsj::is_word_for_no_number(text, length) ? TSJ_NOT_FINITE : TSJ_NOT_A_NUMBER;
    }
    if (!number.finite) return TSJ_NOT_FINITE;
    *value = number.value;
    return TSJ_NUMBER;
}
