// What becomes of the values of a message: inline, because each runs once per field.
#pragma once

#include <cstring>

#include "number.hpp"
#include "parser.hpp"

namespace tsj {

bool Parser::fail(uint8_t status, size_t position) {
    error = status;
    error_at = position;
    return false;
}

void Parser::begin_message(size_t position) {
    event = {};
    event.begin = uint32_t(position);
    event.first_reading = uint32_t(readings.size());
    std::memset(ranks, 0xff, sizeof ranks);
    has_value = false;
    value_reading = TSJ_NONE;
    ordinal = 0;
    ++serial;
}

void Parser::end_message(size_t position) {
    event.end = uint32_t(position);
    if (event.metric.length > 0 && has_value) {
        event.narrow = 1;
        if (value_reading != TSJ_NONE) {
            readings[event.first_reading] = readings[value_reading];
            readings.resize(event.first_reading + 1);
        } else {
            readings.resize(event.first_reading);
        }
    }
    event.reading_count = uint32_t(readings.size()) - event.first_reading;
    events.push_back(event);
}

bool Parser::outranks(const Slot &slot) {
    if (slot.rank > ranks[slot.role]) return false;
    ranks[slot.role] = slot.rank;
    return true;
}

// A duplicate of a name in the same message overwrites: the last one wins.
void Parser::add_reading(const Slot &slot, double value, uint32_t code, tsj_text text) {
    if (slot.role == TSJ_VALUE) has_value = true;
    if (slot.name == TSJ_NONE) {
        uint32_t unknown = slot.key.length > TSJ_MAX_KEY ? TSJ_KEY_TOO_LONG : TSJ_TOO_MANY_KEYS;
        readings.push_back({0, TSJ_NONE, unknown, slot.key});
        return;
    }
    Name &name = names.entries[slot.name];
    tsj_reading reading = {value, slot.name, code, text};
    if (name.event == serial) {
        readings[name.reading] = reading;
    } else {
        name.event = serial;
        name.reading = uint32_t(readings.size());
        readings.push_back(reading);
    }
    if (slot.role == TSJ_VALUE) value_reading = name.reading;
}

bool Parser::take_string(const Slot &slot, tsj_text text, bool escaped) {
    if (slot.role == TSJ_IGNORE) return true;
    if (escaped && !unescape(text)) return fail(TSJ_BAD_STRING, text.offset);
    if (slot.role == TSJ_METRIC || slot.role == TSJ_VALUE) {
        take_string_value(slot, text);
        return true;
    }
    if (!outranks(slot)) return true;
    switch (slot.role) {
    case TSJ_SENSOR: event.sensor = text; break;
    case TSJ_TIME:
        event.time = text;
        event.time_kind = text.length > 0 ? TSJ_TIME_TEXT : TSJ_TIME_NONE;
        break;
    case TSJ_EVENT_ID: event.event_id = text; break;
    case TSJ_METRIC_NAME: event.metric = text; break;
    case TSJ_UNIT: event.unit = text; break;
    case TSJ_ZONE: event.zone = text; break;
    case TSJ_LABEL:
        event.label = TSJ_LABEL_TEXT;
        event.label_text = text;
        break;
    case TSJ_LABEL_KIND: event.label_kind = text; break;
    default: break;
    }
    return true;
}

void Parser::take_number(const Slot &slot, double value, bool finite, tsj_text text) {
    switch (slot.role) {
    case TSJ_METRIC:
    case TSJ_VALUE:
        add_reading(slot, value, finite ? TSJ_NUMBER : TSJ_NOT_FINITE, text);
        if (finite && slot.name != TSJ_NONE) names.entries[slot.name].numeric = true;
        break;
    case TSJ_SENSOR:
        if (outranks(slot)) event.sensor = text;
        break;
    case TSJ_EVENT_ID:
        if (outranks(slot)) event.event_id = text;
        break;
    case TSJ_TIME:
        if (outranks(slot)) {
            event.time = text;
            event.time_kind = TSJ_TIME_NUMBER;
        }
        break;
    case TSJ_LABEL:
        if (outranks(slot)) event.label = value != 0 ? TSJ_LABEL_ANOMALOUS : TSJ_LABEL_NORMAL;
        break;
    default: break;
    }
}

bool Parser::walk_scalar(size_t &i, size_t end, const Slot &slot) {
    size_t position = at(i);
    uint8_t byte = data[position];
    if (byte == '"') {
        tsj_text text;
        bool escaped;
        if (!read_string(i, end, text, escaped)) return fail(TSJ_BAD_STRING, position);
        ++i;
        return take_string(slot, text, escaped);
    }
    if (byte != '-' && uint8_t(byte - '0') > 9) return walk_word(i, end, slot);
    size_t next = at(i + 1) < end ? at(i + 1) : end;
    Decimal number = parse_json_number(data + position, data + next);
    if (!number.end) return byte == '-' ? walk_word(i, end, slot) : fail(TSJ_BAD_NUMBER, position);
    for (const uint8_t *rest = number.end; rest < data + next; ++rest) {
        if (*rest != ' ' && *rest != '\n' && *rest != '\r' && *rest != '\t') return fail(TSJ_BAD_NUMBER, position);
    }
    ++i;
    tsj_text text = {uint32_t(position), uint32_t(number.end - (data + position))};
    take_number(slot, number.value, number.finite, text);
    return true;
}

}  // namespace tsj
