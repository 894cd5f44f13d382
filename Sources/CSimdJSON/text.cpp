#include "text.hpp"

namespace tsj {
namespace {

int32_t hex4(const uint8_t *text) {
    int32_t code = 0;
    for (int i = 0; i < 4; ++i) {
        uint8_t byte = text[i], lowered = byte | 0x20;
        if (uint8_t(byte - '0') <= 9) {
            code = code << 4 | (byte - '0');
        } else if (lowered >= 'a' && lowered <= 'f') {
            code = code << 4 | (lowered - 'a' + 10);
        } else {
            return -1;
        }
    }
    return code;
}

void append_utf8(uint32_t code, std::vector<uint8_t> &out) {
    if (code < 0x80) {
        out.push_back(uint8_t(code));
        return;
    }
    if (code < 0x800) {
        out.push_back(uint8_t(0xc0 | code >> 6));
    } else if (code < 0x10000) {
        out.push_back(uint8_t(0xe0 | code >> 12));
        out.push_back(uint8_t(0x80 | (code >> 6 & 0x3f)));
    } else {
        out.push_back(uint8_t(0xf0 | code >> 18));
        out.push_back(uint8_t(0x80 | (code >> 12 & 0x3f)));
        out.push_back(uint8_t(0x80 | (code >> 6 & 0x3f)));
    }
    out.push_back(uint8_t(0x80 | (code & 0x3f)));
}

// The code point of the \u escape whose digits start at `i`; moves `i` behind it. -1: not four hex digits.
int32_t unicode_escape(const uint8_t *text, size_t length, size_t &i) {
    if (length - i < 4) return -1;
    int32_t code = hex4(text + i);
    if (code < 0) return -1;
    i += 4;
    if (code < 0xd800 || code > 0xdfff) return code;
    if (code < 0xdc00 && length - i >= 6 && text[i] == '\\' && text[i + 1] == 'u') {
        int32_t low = hex4(text + i + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            i += 6;
            return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd;
}

}  // namespace

bool append_unescaped(const uint8_t *text, size_t length, std::vector<uint8_t> &out) {
    size_t before = out.size();
    for (size_t i = 0; i < length;) {
        uint8_t byte = text[i++];
        if (byte != '\\') {
            out.push_back(byte);
            continue;
        }
        uint8_t kind = i < length ? text[i++] : 0;
        switch (kind) {
        case '"': case '\\': case '/': out.push_back(kind); continue;
        case 'b': out.push_back('\b'); continue;
        case 'f': out.push_back('\f'); continue;
        case 'n': out.push_back('\n'); continue;
        case 'r': out.push_back('\r'); continue;
        case 't': out.push_back('\t'); continue;
        case 'u': {
            int32_t code = unicode_escape(text, length, i);
            if (code >= 0) {
                append_utf8(uint32_t(code), out);
                continue;
            }
            break;
        }
        default: break;
        }
        out.resize(before);
        return false;
    }
    return true;
}

}  // namespace tsj
