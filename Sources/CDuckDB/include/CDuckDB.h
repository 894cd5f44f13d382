// DuckDB's C interface, found at run time: nothing is linked, the program starts on machines without DuckDB.
//
// tdk_load opens the library and finds every function; until it succeeded no other function may be called.
// The calls keep DuckDB's own names and meanings behind the prefix tdk_.
#ifndef CDUCKDB_H
#define CDUCKDB_H

#include "tdk_types.h"

#ifdef __cplusplus
extern "C" {
#endif

// Opens `library`; before it, where `python` is not NULL, that libpython with its symbols made global, as the
// extension module of PyPI's duckdb needs. One process loads one library: later calls answer as the first success did.
// Returns false with a sentence in `message` (always ended by NUL).
bool tdk_load(const char *library, const char *python, char *message, size_t capacity);

#define TDK_CALL(result, name, parameters, arguments) result tdk_##name parameters;
#include "tdk_functions.h"
#undef TDK_CALL

// Writes one VARCHAR (is_text: invalid UTF-8 is replaced by U+FFFD) or BLOB into row `row` of a vector whose data are
// `strings`. Up to 12 bytes no call into DuckDB is made. Returns false when memory ran out.
bool tdk_put_string(tdk_vector vector, tdk_string *strings, uint64_t row, const uint8_t *bytes, size_t length,
                    bool is_text);

// Whether the bytes are UTF-8 as Unicode defines it: no surrogates, nothing overlong, at most U+10FFFF.
bool tdk_is_utf8(const uint8_t *bytes, size_t length);

// Where the bytes of a string lie.
static inline const char *tdk_string_bytes(const tdk_string *string) {
    return string->length <= 12 ? string->prefix : string->tail.pointer;
}

#ifdef __cplusplus
}
#endif

#endif
