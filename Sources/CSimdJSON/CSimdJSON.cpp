// The C face: no exception passes it.
#include "CSimdJSON.h"

#include <new>

#include "parser.hpp"

struct tsj_parser {
    explicit tsj_parser(uint64_t seed) : parser(seed) {}
    tsj::Parser parser;
};

namespace {

template <typename Result, typename Body>
Result guarded(Result failure, Body body) noexcept {
    try {
        return body();
    } catch (...) {  // only std::bad_alloc and std::length_error can come here
        return failure;
    }
}

}  // namespace

extern "C" {

tsj_parser *tsj_create(uint64_t seed) {
    return guarded<tsj_parser *>(nullptr, [&] { return new tsj_parser(seed); });
}

void tsj_destroy(tsj_parser *parser) { delete parser; }

int32_t tsj_context(
    tsj_parser *parser, int32_t parent, const uint8_t *key, size_t length, uint8_t default_role) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        if (parent < 0 || !parser->parser.names.is_context(uint32_t(parent))) return -1;
        return parser->parser.names.add_context(uint32_t(parent), key, length, default_role);
    });
}

void tsj_set_default_role(tsj_parser *parser, int32_t context, uint8_t role) {
    if (context >= 0 && parser->parser.names.is_context(uint32_t(context))) {
        parser->parser.names.set_default_role(uint32_t(context), role);
    }
}

int32_t tsj_field(
    tsj_parser *parser, int32_t context, const uint8_t *key, size_t length, uint8_t role, uint8_t rank,
    bool required) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        if (context < 0 || !parser->parser.names.is_context(uint32_t(context)) || role > TSJ_LABEL_KIND) return -1;
        return parser->parser.names.add_field(uint32_t(context), key, length, role, rank, required);
    });
}

bool tsj_parse(
    tsj_parser *parser, const uint8_t *bytes, size_t length, const tsj_unit *units, size_t unit_count,
    size_t longest) {
    if (length > TSJ_MAX_CHUNK) return false;
    return guarded(false, [&] {
        return units ? parser->parser.parse_units(bytes, length, units, unit_count, longest)
                     : parser->parser.parse_lines(bytes, length, longest);
    });
}

const tsj_event *tsj_events(const tsj_parser *parser, size_t *count) {
    *count = parser->parser.events.size();
    return parser->parser.events.data();
}

const tsj_reading *tsj_readings(const tsj_parser *parser, size_t *count) {
    *count = parser->parser.readings.size();
    return parser->parser.readings.data();
}

const uint8_t *tsj_side(const tsj_parser *parser) { return parser->parser.side.data(); }

size_t tsj_key_count(const tsj_parser *parser) { return parser->parser.names.entries.size(); }

tsj_key tsj_key_at(const tsj_parser *parser, size_t index) {
    const tsj::Names &names = parser->parser.names;
    if (index >= names.entries.size()) return {nullptr, 0, TSJ_NONE, TSJ_IGNORE};
    const tsj::Name &name = names.entries[index];
    return {names.text.data() + name.offset, name.length, name.field, name.role};
}

const char *tsj_implementation(void) {
    static const std::string name = simdjson::get_active_implementation()->name();
    return name.c_str();
}

}  // extern "C"
