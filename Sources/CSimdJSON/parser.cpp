#include "parser.hpp"

#include <algorithm>
#include <cstring>

#include "text.hpp"
#include "values.hpp"
#include "words.hpp"

namespace tsj {
namespace {

// Structure is found for this many bytes at a time: small enough to stay in the second-level cache, large enough to
// make the call negligible.
constexpr size_t window_bytes = 64 * 1024;

inline bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

uint8_t status_of(simdjson::error_code code) {
    switch (code) {
    case simdjson::UTF8_ERROR: return TSJ_BAD_UTF8;
    case simdjson::UNESCAPED_CHARS: return TSJ_CONTROL_CHARACTER;
    case simdjson::UNCLOSED_STRING: return TSJ_UNCLOSED_STRING;
    default: return TSJ_BAD_VALUE;
    }
}

}  // namespace

void Parser::begin(const uint8_t *bytes, size_t byte_count) {
    data = bytes;
    length = byte_count;
    events.clear();
    readings.clear();
    side.clear();
}

bool Parser::parse_lines(const uint8_t *bytes, size_t byte_count, size_t longest) {
    begin(bytes, byte_count);
    lines.clear();
    size_t start = 0;
    size_t window_start = 0;
    while (start < length) {
        const void *newline = std::memchr(data + start, '\n', length - start);
        size_t end = newline ? size_t(static_cast<const uint8_t *>(newline) - data) : length;
        if (!lines.empty() && end - window_start > window_bytes) {
            if (!parse_window(lines.data(), lines.size(), longest)) return false;
            lines.clear();
        }
        if (lines.empty()) window_start = start;
        lines.push_back({uint32_t(start), uint32_t(end)});
        start = end + 1;
    }
    return lines.empty() || parse_window(lines.data(), lines.size(), longest);
}

bool Parser::parse_units(
    const uint8_t *bytes, size_t byte_count, const tsj_unit *units, size_t unit_count, size_t longest) {
    begin(bytes, byte_count);
    size_t first = 0;
    size_t previous_end = 0;
    for (size_t i = 0; i < unit_count; ++i) {
        if (units[i].begin > units[i].end || units[i].end > length || units[i].begin < previous_end) return false;
        previous_end = units[i].end;
        if (i > first && units[i].end - units[first].begin > window_bytes) {
            if (!parse_window(units + first, i - first, longest)) return false;
            first = i;
        }
    }
    return first == unit_count || parse_window(units + first, unit_count - first, longest);
}

// Stage 1 of simdjson over a range: positions of all brackets, colons, commas and starts of scalars outside strings.
bool Parser::index(size_t begin, size_t end, uint8_t &status) {
    size_t needed = end - begin;
    status = TSJ_OK;
    indexes = no_indexes;
    window = begin;
    if (needed == 0) return true;
    if (!stage) {
        if (simdjson::get_active_implementation()->create_dom_parser_implementation(
                std::max(needed, window_bytes), TSJ_MAX_DEPTH, stage)) {
            return false;
        }
    } else if (stage->capacity() < needed && stage->set_capacity(needed)) {
        return false;
    }
    simdjson::error_code code = stage->stage1(data + begin, needed, simdjson::stage1_mode::regular);
    if (code == simdjson::EMPTY) {
        window = end;
        return true;
    }
    if (code == simdjson::MEMALLOC || code == simdjson::CAPACITY) return false;
    if (code) {
        status = status_of(code);
        return true;
    }
    stage->structural_indexes[stage->n_structural_indexes] = uint32_t(needed);
    indexes = stage->structural_indexes.get();
    has_escapes = std::memchr(data + begin, '\\', needed) != nullptr;
    return true;
}

// Units share one pass of stage 1. An unclosed quote would turn the text after it inside out, so from the first
// trouble on every unit of the window gets its own pass: it can then harm nobody but itself.
bool Parser::parse_window(const tsj_unit *units, size_t unit_count, size_t longest) {
    size_t next = 0;
    bool overlong = false;
    for (size_t i = 0; i < unit_count; ++i) overlong |= units[i].end - units[i].begin > longest;
    if (!overlong) {
        uint8_t status;
        if (!index(units[0].begin, units[unit_count - 1].end, status)) return false;
        if (status == TSJ_OK) {
            size_t i = 0;
            while (next < unit_count && walk_unit(i, units[next], false)) ++next;
        }
    }
    for (; next < unit_count; ++next) {
        tsj_unit unit = units[next];
        if (unit.end - unit.begin > longest) {
            report(TSJ_TOO_LONG, unit.begin, unit.end, unit.begin);
        } else if (!parse_alone(unit)) {
            return false;
        }
    }
    return true;
}

bool Parser::parse_alone(tsj_unit unit) {
    while (unit.end > unit.begin && is_blank(data[unit.end - 1])) --unit.end;
    uint8_t status;
    if (!index(unit.begin, unit.end, status)) return false;
    if (status != TSJ_OK) {
        report(status, unit.begin, unit.end, unit.begin);
        return true;
    }
    size_t i = 0;
    walk_unit(i, unit, true);
    return true;
}

// The messages of one unit. Brackets and commas between messages are those of an array of messages.
// Not `alone`: stops at the first trouble, leaving no trace of the broken message.
bool Parser::walk_unit(size_t &i, tsj_unit unit, bool alone) {
    size_t events_before = events.size(), readings_before = readings.size();
    while (true) {
        size_t position = at(i);
        if (position >= unit.end) return true;
        uint8_t byte = data[position];
        if (byte == '[' || byte == ']' || byte == ',') {
            ++i;
            continue;
        }
        size_t start = i;
        size_t event_readings = readings.size();
        if (byte == '{' ? walk_message(i, unit.end) : fail(TSJ_NOT_AN_OBJECT, position)) continue;
        if (!alone) {
            events.resize(events_before);
            readings.resize(readings_before);
            return false;
        }
        readings.resize(event_readings);
        i = start;
        size_t end = skip_broken(i, unit);
        report(error, position, end, error_at);
    }
}

// Moves behind the bracket that closes the broken message, or to the end of the unit where none does.
size_t Parser::skip_broken(size_t &i, tsj_unit unit) const {
    size_t depth = 0;
    bool is_object = data[at(i)] == '{';
    for (; at(i) < unit.end; ++i) {
        size_t position = at(i);
        uint8_t byte = data[position];
        if (byte == '{' || byte == '[') ++depth;
        if ((byte == '}' || byte == ']') && depth > 0) --depth;
        if (is_object && depth == 0) {
            ++i;
            return position + 1;
        }
    }
    return unit.end;
}

// One message: the whole grammar of RFC 8259, without recursion.
bool Parser::walk_message(size_t &i, size_t end) {
    Frame frames[TSJ_MAX_DEPTH];
    size_t depth = 0;
    Slot slot;
    size_t position = at(i);
    begin_message(position);
    frames[0] = {root_context, 0, false};
    ++i;

members:
    position = at(i);
    if (position < end && data[position] == (frames[depth].is_array ? ']' : '}')) goto close;
    if (frames[depth].is_array) goto element;

member: {
    tsj_text key;
    bool escaped;
    position = at(i);
    if (position >= end) return fail(TSJ_TRUNCATED, end);
    if (data[position] != '"') return fail(TSJ_BAD_KEY, position);
    if (!read_string(i, end, key, escaped)) return fail(TSJ_BAD_STRING, position);
    ++i;
    position = at(i);
    if (position >= end) return fail(TSJ_TRUNCATED, end);
    if (data[position] != ':') return fail(TSJ_BAD_COLON, position);
    ++i;
    if (!find_name(frames[depth].context, key, escaped, slot)) return fail(TSJ_BAD_STRING, key.offset);
    goto value;
}

element:
    name_element(frames[depth], slot);

value:
    position = at(i);
    if (position >= end) return fail(TSJ_TRUNCATED, end);
    if (data[position] == '{' || data[position] == '[') {
        if (depth + 1 == TSJ_MAX_DEPTH) return fail(TSJ_TOO_DEEP, position);
        take_composite(slot, position);
        frames[++depth] = {slot.child, 0, data[position] == '['};
        ++i;
        goto members;
    }
    if (!walk_scalar(i, end, slot)) return false;

after:
    position = at(i);
    if (position >= end) return fail(TSJ_TRUNCATED, end);
    if (data[position] == ',') {
        ++i;
        if (frames[depth].is_array) goto element;
        goto member;
    }
    if (data[position] != (frames[depth].is_array ? ']' : '}')) return fail(TSJ_BAD_COMMA, position);

close:
    position = at(i);
    ++i;
    if (depth == 0) {
        end_message(position + 1);
        return true;
    }
    --depth;
    goto after;
}

// The text between the quotes. A string ends at the last non-blank byte before the next structure, so that it need
// not be searched.
bool Parser::read_string(size_t i, size_t end, tsj_text &text, bool &escaped) {
    size_t open = at(i);
    size_t close = at(i + 1);
    if (close > end) close = end;
    do {
        --close;
    } while (close > open && is_blank(data[close]));
    if (close <= open || data[close] != '"') return false;
    text = {uint32_t(open + 1), uint32_t(close - open - 1)};
    escaped = has_escapes && std::memchr(data + text.offset, '\\', text.length) != nullptr;
    return true;
}

bool Parser::unescape(tsj_text &text) {
    size_t before = side.size();
    if (!append_unescaped(data + text.offset, text.length, side)) return false;
    text = {uint32_t(before) | TSJ_SIDE, uint32_t(side.size() - before)};
    return true;
}

bool Parser::find_name(uint32_t context, tsj_text key, bool escaped, Slot &slot) {
    if (context == ignored_context) {
        slot = {TSJ_NONE, {}, ignored_context, TSJ_IGNORE, 0};
        return true;
    }
    const uint8_t *text = data + key.offset;
    if (escaped) {
        size_t before = side.size();
        if (!unescape(key)) return false;
        text = side.data() + before;
    }
    slot.key = key;
    name_slot(context, text, key.length, slot);
    return true;
}

void Parser::name_slot(uint32_t context, const uint8_t *key, size_t key_length, Slot &slot) {
    uint32_t *guessed = ordinal < guesses ? &guess[ordinal++] : nullptr;
    uint32_t found;
    if (guessed && *guessed < names.entries.size()
        && names.equals(names.entries[*guessed], context, key, key_length)) {
        found = *guessed;
    } else {
        found = names.find(context, key, key_length);
        if (guessed) *guessed = found;
    }
    slot.name = found;
    if (found == TSJ_NONE) {
        slot.role = names.default_role(context);
        slot.rank = 0;
        slot.child = ignored_context;
    } else {
        const Name &name = names.entries[found];
        slot.role = name.role;
        slot.rank = name.rank;
        slot.child = name.child;
    }
}

// The members of an array are named by their index.
void Parser::name_element(Frame &frame, Slot &slot) {
    if (frame.context == ignored_context) {
        slot = {TSJ_NONE, {}, ignored_context, TSJ_IGNORE, 0};
        return;
    }
    uint8_t digits[10];
    size_t start = sizeof digits;
    uint32_t rest = frame.next_element++;
    do {
        digits[--start] = uint8_t('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    slot.key = {};
    name_slot(frame.context, digits + start, sizeof digits - start, slot);
}

}  // namespace tsj
