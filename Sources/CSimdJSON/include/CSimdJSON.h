// JSON messages in, columns out: simdjson finds the structure of a chunk, a table-driven walk fills flat arrays.
//
// All offsets are bytes into the chunk of the last tsj_parse call, or, with TSJ_SIDE set, into tsj_side().
// All arrays belong to the parser and stay valid until its next call. A parser serves one thread at a time.
// No call throws, aborts or reads outside what it was given.
#ifndef CSIMDJSON_H
#define CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tsj_parser tsj_parser;

// Set in tsj_text.offset where the text had escapes and stands, unescaped, in tsj_side().
#define TSJ_SIDE 0x80000000u
// Longest chunk, in bytes.
#define TSJ_MAX_CHUNK 0x7fffffffu
// Longest field name that can be a metric, in bytes.
#define TSJ_MAX_KEY 256u
// Most field names kept; numbers under further ones get TSJ_TOO_MANY_KEYS.
#define TSJ_MAX_KEYS 65536u
// Nesting allowed in one message.
#define TSJ_MAX_DEPTH 64u
// tsj_reading.key of a reading whose name was not kept; tsj_key.field of a name not registered by tsj_field.
#define TSJ_NONE 0xffffffffu

// What a field of a message is for.
enum {
    TSJ_IGNORE = 0,
    TSJ_METRIC,       // a reading under the field's own name
    TSJ_SENSOR,
    TSJ_TIME,
    TSJ_EVENT_ID,
    TSJ_METRIC_NAME,  // narrow form: with TSJ_VALUE, the name of the only reading
    TSJ_VALUE,
    TSJ_UNIT,
    TSJ_ZONE,
    TSJ_LABEL,        // ground truth: a flag or a word
    TSJ_LABEL_KIND    // ground truth: the kind of anomaly
};

// tsj_event.status
enum {
    TSJ_OK = 0,
    TSJ_TOO_LONG,
    TSJ_NOT_AN_OBJECT,
    TSJ_BAD_KEY,
    TSJ_BAD_COLON,
    TSJ_BAD_COMMA,
    TSJ_BAD_STRING,
    TSJ_BAD_NUMBER,
    TSJ_BAD_VALUE,
    TSJ_TRUNCATED,
    TSJ_TOO_DEEP,
    TSJ_BAD_UTF8,
    TSJ_CONTROL_CHARACTER,
    TSJ_UNCLOSED_STRING
};

// tsj_reading.code
enum {
    TSJ_NUMBER = 0,
    TSJ_SKIPPED,         // a duplicate key whose last value is null
    TSJ_NOT_A_NUMBER,    // text = the offending value
    TSJ_NOT_FINITE,      // NaN, infinity, or a number beyond 1.8e308
    TSJ_KEY_TOO_LONG,    // text = the key
    TSJ_TOO_MANY_KEYS    // text = the key
};

// tsj_event.time_kind
enum { TSJ_TIME_NONE = 0, TSJ_TIME_TEXT, TSJ_TIME_NUMBER, TSJ_TIME_WRONG_TYPE };

// tsj_event.label
enum { TSJ_LABEL_NONE = 0, TSJ_LABEL_NORMAL, TSJ_LABEL_ANOMALOUS, TSJ_LABEL_TEXT };

typedef struct {
    uint32_t offset;
    uint32_t length;  // 0 = absent
} tsj_text;

typedef struct {
    uint32_t begin, end;  // the message in the chunk
    uint32_t error_at;    // where the message broke, when status is not TSJ_OK
    uint32_t first_reading, reading_count;
    tsj_text sensor, time, event_id, metric, unit, zone, label_text, label_kind;
    uint8_t status;
    uint8_t time_kind;
    uint8_t label;
    uint8_t nulls;   // metric fields that were null, saturating
    uint8_t narrow;  // 1: `metric` names the only reading
} tsj_event;

typedef struct {
    double value;
    uint32_t key;
    uint32_t code;
    tsj_text text;
} tsj_reading;

typedef struct {
    const uint8_t *text;
    uint32_t length;
    uint32_t field;  // what tsj_field returned, or TSJ_NONE
    uint8_t role;
} tsj_key;

typedef struct {
    uint32_t begin, end;
} tsj_unit;

// NULL when memory is short. `seed` protects the name table against chosen names.
tsj_parser *tsj_create(uint64_t seed);
void tsj_destroy(tsj_parser *parser);

// The context of the members of `key` inside context `parent` (0 = the message itself; array members are named by
// their index). Unregistered members get `default_role`. Names compare without regard to ASCII case. -1: no memory.
int32_t tsj_context(
    tsj_parser *parser, int32_t parent, const uint8_t *key, size_t length, uint8_t default_role);
// The role of unregistered fields in a context.
void tsj_set_default_role(tsj_parser *parser, int32_t context, uint8_t role);
// Registers a field; the lowest `rank` present in a message wins, the last of equal rank. A `required` number makes
// every value that is none an error instead of metadata. Returns the number of the field, or -1: no memory.
int32_t tsj_field(
    tsj_parser *parser, int32_t context, const uint8_t *key, size_t length, uint8_t role, uint8_t rank, bool required);

// Decodes the messages of a chunk. `units` are the ranges that no message crosses, in order; NULL = the lines of the
// chunk. Units longer than `longest` become one event TSJ_TOO_LONG. False when memory is short or the chunk too long.
bool tsj_parse(
    tsj_parser *parser, const uint8_t *bytes, size_t length, const tsj_unit *units, size_t unit_count,
    size_t longest);

const tsj_event *tsj_events(const tsj_parser *parser, size_t *count);
const tsj_reading *tsj_readings(const tsj_parser *parser, size_t *count);
const uint8_t *tsj_side(const tsj_parser *parser);
// Names live as long as the parser, their text until the next tsj_parse.
size_t tsj_key_count(const tsj_parser *parser);
tsj_key tsj_key_at(const tsj_parser *parser, size_t index);

// A decimal number, correctly rounded; spaces around it, a plus sign and a bare point are allowed, words are not.
// Returns TSJ_NUMBER, TSJ_NOT_A_NUMBER, or TSJ_NOT_FINITE ("NaN", "inf", 1e999).
uint32_t tsj_decimal(const uint8_t *text, size_t length, double *value);

// The instruction set simdjson chose ("haswell", "icelake", …).
const char *tsj_implementation(void);

#ifdef __cplusplus
}
#endif
#endif
