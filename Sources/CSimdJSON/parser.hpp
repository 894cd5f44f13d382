// The walk over the structure of a chunk.
#pragma once

#include <simdjson.h>

#include <memory>
#include <vector>

#include "CSimdJSON.h"
#include "names.hpp"

namespace tsj {

class Parser {
public:
    explicit Parser(uint64_t seed) : names(seed) {}

    bool parse_lines(const uint8_t *bytes, size_t length, size_t longest);
    bool parse_units(const uint8_t *bytes, size_t length, const tsj_unit *units, size_t count, size_t longest);

    Names names;
    std::vector<tsj_event> events;
    std::vector<tsj_reading> readings;
    std::vector<uint8_t> side;

private:
    struct Frame {
        uint32_t context;
        uint32_t next_element;
        bool is_array;
    };
    // What the walk knows of the value it is about to read.
    struct Slot {
        uint32_t name;  // index into names.entries, or TSJ_NONE
        tsj_text key;   // of an unknown name, for its error
        uint32_t child;
        uint8_t role;
        uint8_t rank;
    };

    void begin(const uint8_t *bytes, size_t length);
    bool index(size_t begin, size_t end, uint8_t &error);
    bool parse_window(const tsj_unit *units, size_t count, size_t longest);
    bool parse_alone(tsj_unit unit);
    bool walk_unit(size_t &i, tsj_unit unit, bool alone);
    bool walk_message(size_t &i, size_t end);
    size_t skip_broken(size_t &i, tsj_unit unit) const;

    // The last index is the length of the window; no walk goes behind it.
    inline size_t at(size_t i) const { return window + indexes[i]; }
    inline bool fail(uint8_t status, size_t position);
    TSJ_HOT bool read_string(size_t i, size_t end, tsj_text &text, bool &escaped);
    inline bool unescape(tsj_text &text);
    TSJ_HOT bool find_name(uint32_t context, tsj_text key, bool escaped, Slot &slot);
    TSJ_HOT void name_slot(uint32_t context, const uint8_t *key, size_t length, Slot &slot);
    inline void name_element(Frame &frame, Slot &slot);
    TSJ_HOT bool walk_scalar(size_t &i, size_t end, const Slot &slot);
    inline bool walk_word(size_t &i, size_t end, const Slot &slot);

    inline void begin_message(size_t position);
    inline void end_message(size_t position);
    inline void report(uint8_t status, size_t begin, size_t end, size_t error_at);
    TSJ_HOT void add_reading(const Slot &slot, double value, uint32_t code, tsj_text text);
    TSJ_HOT bool take_string(const Slot &slot, tsj_text text, bool escaped);
    inline void take_string_value(const Slot &slot, tsj_text text);
    TSJ_HOT void take_number(const Slot &slot, double value, bool finite, tsj_text text);
    inline void take_flag(const Slot &slot, bool flag);
    inline void take_null(const Slot &slot);
    inline void take_composite(const Slot &slot, size_t position);
    inline bool outranks(const Slot &slot);

    const uint8_t *data = nullptr;
    size_t length = 0;

    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    static constexpr uint32_t no_indexes[1] = {0};
    const uint32_t *indexes = no_indexes;
    size_t window = 0;
    bool has_escapes = false;

    tsj_event event{};
    uint8_t ranks[TSJ_LABEL_KIND + 1] = {};
    bool has_value = false;
    uint32_t value_reading = TSJ_NONE;  // the reading under TSJ_VALUE of the current message
    uint64_t serial = 0;
    uint8_t error = TSJ_OK;
    size_t error_at = 0;
    // Messages of one stream have the same fields in the same order: the names of the last one are the guess.
    static constexpr size_t guesses = 64;
    uint32_t guess[guesses] = {};
    size_t ordinal = 0;
    std::vector<tsj_unit> lines;
};

}  // namespace tsj
