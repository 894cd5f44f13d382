// The inside of JSON strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tsj {

// Appends the unescaped text. A lone surrogate becomes U+FFFD, as UTF-8 has no form for it. False for an unknown
// escape; then `out` is as before.
bool append_unescaped(const uint8_t *text, size_t length, std::vector<uint8_t> &out);

}  // namespace tsj
