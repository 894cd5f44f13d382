// Field names, each kept once: what a name means in its context, found again by guess or by hash.
#pragma once

#include <cstdint>
#include <vector>

#include "CSimdJSON.h"

// Runs for every field: the call would cost more than the body.
#define TSJ_HOT __attribute__((always_inline)) inline

namespace tsj {

// Contexts 0 (the message) and 1 (whatever is under it is of no interest) always exist.
constexpr uint32_t root_context = 0;
constexpr uint32_t ignored_context = 1;

// A field name as it was spelled in a message.
struct Name {
    uint32_t offset;  // into Names::text
    uint32_t length;
    uint32_t context;
    uint32_t child;  // the context of its members
    uint32_t field;  // the registration it matches, or TSJ_NONE
    uint32_t hash;
    uint8_t role;
    uint8_t rank;
    bool numeric;  // has held a number before, or must hold one
    // The reading this name made in the event `event`, so that a duplicate overwrites it.
    uint32_t reading;
    uint64_t event;
};

class Names {
public:
    explicit Names(uint64_t seed);

    int32_t add_context(uint32_t parent, const uint8_t *key, size_t length, uint8_t default_role);
    int32_t add_field(uint32_t context, const uint8_t *key, size_t length, uint8_t role, uint8_t rank, bool required);
    bool is_context(uint32_t context) const { return context < default_roles.size(); }
    uint8_t default_role(uint32_t context) const { return default_roles[context]; }
    void set_default_role(uint32_t context, uint8_t role) { default_roles[context] = role; }

    // The index of a name, entered when new; TSJ_NONE where the name is of no interest, too long, or one too many.
    uint32_t find(uint32_t context, const uint8_t *key, size_t length);

    TSJ_HOT bool equals(const Name &name, uint32_t context, const uint8_t *key, size_t length) const;

    std::vector<Name> entries;
    std::vector<uint8_t> text;

private:
    // A registered field; spelled in lower case.
    struct Field {
        std::vector<uint8_t> key;
        uint32_t context;
        uint32_t child;
        uint8_t role;
        uint8_t rank;
        bool required;
    };

    uint32_t registration(uint32_t context, const std::vector<uint8_t> &lowered) const;
    uint32_t hash(uint32_t context, const uint8_t *key, size_t length) const;
    void place(uint32_t index);
    void grow();

    std::vector<Field> fields;
    std::vector<uint8_t> default_roles;
    std::vector<uint32_t> slots;  // index + 1; at most half full
    uint64_t seed;
};

inline uint64_t load8(const uint8_t *bytes) {
    uint64_t word;
    __builtin_memcpy(&word, bytes, 8);
    return word;
}

inline uint32_t load4(const uint8_t *bytes) {
    uint32_t word;
    __builtin_memcpy(&word, bytes, 4);
    return word;
}

// Overlapping loads instead of a call to memcmp: names are short.
TSJ_HOT bool equal_bytes(const uint8_t *a, const uint8_t *b, size_t length) {
    if (length >= 8) {
        for (size_t i = 0; i + 8 < length; i += 8) {
            if (load8(a + i) != load8(b + i)) return false;
        }
        return load8(a + length - 8) == load8(b + length - 8);
    }
    if (length >= 4) return load4(a) == load4(b) && load4(a + length - 4) == load4(b + length - 4);
    for (size_t i = 0; i < length; ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

inline bool Names::equals(const Name &name, uint32_t context, const uint8_t *key, size_t length) const {
    return name.length == length && name.context == context && equal_bytes(text.data() + name.offset, key, length);
}

}  // namespace tsj
