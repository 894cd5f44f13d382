// What becomes of the rarer values, and of broken messages.
#pragma once

#include <algorithm>
#include <cstring>

#include "values.hpp"

namespace tsj {

// true, false, null, and the words that common encoders write for numbers JSON cannot hold.
bool Parser::walk_word(size_t &i, size_t end, const Slot &slot) {
    size_t position = at(i);
    size_t next = std::min(at(i + 1), end);
    size_t stop = next;
    while (stop > position + 1 && std::memchr(" \t\r\n", data[stop - 1], 4)) --stop;
    auto is = [&](const char *word) {
        return stop - position == std::strlen(word) && std::memcmp(data + position, word, stop - position) == 0;
    };
    ++i;
    if (is("true") || is("false")) {
        take_flag(slot, data[position] == 't');
    } else if (is("null")) {
        take_null(slot);
    } else if (is("NaN") || is("Infinity") || is("-Infinity")) {
        if (slot.role == TSJ_METRIC || slot.role == TSJ_VALUE || slot.role == TSJ_TIME) {
            take_number(slot, 0, false, {uint32_t(position), uint32_t(stop - position)});
        }
    } else {
        return fail(TSJ_BAD_VALUE, position);
    }
    return true;
}

// Many devices send their numbers as strings. Other text is metadata, unless the field is known to be numeric.
void Parser::take_string_value(const Slot &slot, tsj_text text) {
    const uint8_t *bytes = text.offset & TSJ_SIDE ? side.data() + (text.offset & ~TSJ_SIDE) : data + text.offset;
    double value = 0;
    uint32_t code = tsj_decimal(bytes, text.length, &value);
    Name *name = slot.name == TSJ_NONE ? nullptr : &names.entries[slot.name];
    if (code == TSJ_NOT_A_NUMBER && !(name && name->numeric)) return;
    add_reading(slot, value, code, text);
    if (code == TSJ_NUMBER && name) name->numeric = true;
}

void Parser::take_flag(const Slot &slot, bool flag) {
    switch (slot.role) {
    case TSJ_METRIC:
    case TSJ_VALUE: take_number(slot, flag ? 1 : 0, true, {}); break;
    case TSJ_LABEL:
        if (outranks(slot)) event.label = flag ? TSJ_LABEL_ANOMALOUS : TSJ_LABEL_NORMAL;
        break;
    case TSJ_TIME:
        if (outranks(slot)) event.time_kind = TSJ_TIME_WRONG_TYPE;
        break;
    default: break;
    }
}

// Null is the device's word for "no reading".
void Parser::take_null(const Slot &slot) {
    if (slot.role != TSJ_METRIC && slot.role != TSJ_VALUE) return;
    if (slot.role == TSJ_VALUE) has_value = true;
    if (event.nulls < 255) ++event.nulls;
    if (slot.name != TSJ_NONE && names.entries[slot.name].event == serial) add_reading(slot, 0, TSJ_SKIPPED, {});
}

// Objects and arrays are metadata, unless the field is known to be numeric.
void Parser::take_composite(const Slot &slot, size_t position) {
    if (slot.role == TSJ_TIME) {
        if (outranks(slot)) event.time_kind = TSJ_TIME_WRONG_TYPE;
        return;
    }
    if ((slot.role == TSJ_METRIC || slot.role == TSJ_VALUE) && slot.name != TSJ_NONE
        && names.entries[slot.name].numeric && slot.child == ignored_context) {
        add_reading(slot, 0, TSJ_NOT_A_NUMBER, {uint32_t(position), 1});
    }
}

void Parser::report(uint8_t status, size_t begin, size_t end, size_t position) {
    while (end > begin && std::memchr(" \t\r\n", data[end - 1], 4)) --end;
    tsj_event broken{};
    broken.begin = uint32_t(begin);
    broken.end = uint32_t(end);
    broken.error_at = uint32_t(position);
    broken.first_reading = uint32_t(readings.size());
    broken.status = status;
    events.push_back(broken);
}

}  // namespace tsj
