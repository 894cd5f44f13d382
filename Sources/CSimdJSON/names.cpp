#include "names.hpp"

namespace tsj {
namespace {

std::vector<uint8_t> lower_case(const uint8_t *key, size_t length) {
    std::vector<uint8_t> lowered(key, key + length);
    for (uint8_t &byte : lowered) {
        if (byte >= 'A' && byte <= 'Z') byte |= 0x20;
    }
    return lowered;
}

}  // namespace

Names::Names(uint64_t seed) : default_roles{TSJ_METRIC, TSJ_IGNORE}, slots(256, 0), seed(seed) {}

int32_t Names::add_context(uint32_t parent, const uint8_t *key, size_t length, uint8_t default_role) {
    uint32_t known = registration(parent, lower_case(key, length));
    if (known != TSJ_NONE && fields[known].child != ignored_context) return int32_t(fields[known].child);
    uint32_t child = uint32_t(default_roles.size());
    default_roles.push_back(default_role);
    if (known == TSJ_NONE) known = uint32_t(add_field(parent, key, length, TSJ_IGNORE, 0, false));
    fields[known].child = child;
    return int32_t(child);
}

int32_t Names::add_field(
    uint32_t context, const uint8_t *key, size_t length, uint8_t role, uint8_t rank, bool required) {
    std::vector<uint8_t> lowered = lower_case(key, length);
    uint32_t known = registration(context, lowered);
    if (known != TSJ_NONE) {
        fields[known].role = role;
        fields[known].rank = rank;
        fields[known].required = required;
        return int32_t(known);
    }
    fields.push_back({std::move(lowered), context, ignored_context, role, rank, required});
    return int32_t(fields.size() - 1);
}

uint32_t Names::registration(uint32_t context, const std::vector<uint8_t> &lowered) const {
    for (size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].context == context && fields[i].key == lowered) return uint32_t(i);
    }
    return TSJ_NONE;
}

uint32_t Names::find(uint32_t context, const uint8_t *key, size_t length) {
    if (length > TSJ_MAX_KEY) return TSJ_NONE;
    uint32_t hashed = hash(context, key, length);
    size_t mask = slots.size() - 1;
    for (size_t slot = hashed & mask; slots[slot] != 0; slot = (slot + 1) & mask) {
        const Name &name = entries[slots[slot] - 1];
        if (name.hash == hashed && equals(name, context, key, length)) return slots[slot] - 1;
    }
    uint32_t field = registration(context, lower_case(key, length));
    if (field == TSJ_NONE && default_roles[context] == TSJ_IGNORE) return TSJ_NONE;
    if (entries.size() >= TSJ_MAX_KEYS) return TSJ_NONE;
    if ((entries.size() + 1) * 2 > slots.size()) grow();
    Name name{};
    name.offset = uint32_t(text.size());
    name.length = uint32_t(length);
    name.context = context;
    name.field = field;
    name.hash = hashed;
    if (field == TSJ_NONE) {
        name.role = default_roles[context];
        name.child = ignored_context;
    } else {
        name.role = fields[field].role;
        name.rank = fields[field].rank;
        name.child = fields[field].child;
        name.numeric = fields[field].required;
    }
    text.insert(text.end(), key, key + length);
    entries.push_back(name);
    place(uint32_t(entries.size() - 1));
    return uint32_t(entries.size() - 1);
}

void Names::place(uint32_t index) {
    size_t mask = slots.size() - 1;
    size_t slot = entries[index].hash & mask;
    while (slots[slot] != 0) slot = (slot + 1) & mask;
    slots[slot] = index + 1;
}

void Names::grow() {
    slots.assign(slots.size() * 2, 0);
    for (uint32_t index = 0; index < entries.size(); ++index) place(index);
}

// Eight bytes a step, folded through a 64 x 64 -> 128-bit product (the construction of wyhash).
uint32_t Names::hash(uint32_t context, const uint8_t *key, size_t length) const {
    auto fold = [](uint64_t word) {
        unsigned __int128 product = (unsigned __int128)word * 0xe7037ed1a0b428dbull;
        return uint64_t(product) ^ uint64_t(product >> 64);
    };
    uint64_t state = seed ^ (uint64_t(context) << 32 | length) ^ 0xa0761d6478bd642full;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) state = fold(state ^ load8(key + i));
    uint64_t tail = 0;
    for (; i < length; ++i) tail = tail << 8 | key[i];
    return uint32_t(fold(fold(state ^ tail)));
}

}  // namespace tsj
