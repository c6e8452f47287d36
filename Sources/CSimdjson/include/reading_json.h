#ifndef GAUGEHOUSE_READING_JSON_H
#define GAUGEHOUSE_READING_JSON_H

// JSON telemetry payloads as flat readings, parsed by simdjson. A thin C face: no policy on times, tables or batches lives here.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes behind a payload that must be readable (their content does not matter) when it is parsed in place.
#define READING_JSON_PADDING 64

/// Parser state, reused from payload to payload: allocates only while a payload is larger than any before. One thread at a time.
typedef struct reading_json_parser reading_json_parser;

typedef struct {
    size_t field_name_byte_count;
    size_t value_byte_count;
    size_t field_count;
} reading_json_limits;

/// Type of a value. The four storable ones have the numbers of Telemetry's `FieldType`.
enum {
    READING_JSON_NONE = 0,
    READING_JSON_INTEGER = 1,
    READING_JSON_DOUBLE = 2,
    READING_JSON_BOOLEAN = 3,
    READING_JSON_STRING = 4,
    READING_JSON_OTHER = 5,
};

typedef struct {
    uint8_t type;
    /// Integer: two's complement. Double: IEEE 754 bits. Boolean: 0 or 1. String: byte count.
    uint64_t bits;
    /// UTF-8 of a string, not terminated; valid until the next parse.
    const char *text;
} reading_json_value;

typedef struct {
    /// UTF-8, parts of nested names joined by dots, not terminated; valid until the next `reading_json_next`.
    const char *name;
    size_t name_byte_count;
    reading_json_value value;
} reading_json_field;

typedef struct {
    /// `READING_JSON_NONE` without a device or without a time.
    reading_json_value device;
    reading_json_value time;
    const reading_json_field *fields;
    size_t field_count;
    /// On rejection: the field it is about, may be empty, and a sentence that never changes.
    const char *culprit;
    size_t culprit_byte_count;
    const char *message;
} reading_json_reading;

typedef enum {
    READING_JSON_OK = 0,
    READING_JSON_END,
    READING_JSON_UNDECODABLE,
    READING_JSON_BAD_VALUE,
    READING_JSON_FIELD_NAME_TOO_LONG,
    READING_JSON_TOO_MANY_FIELDS,
    READING_JSON_VALUE_TOO_LONG,
} reading_json_result;

typedef struct {
    /// The `device` key is the device's id, not a field.
    bool has_device;
    /// Nothing but `{"device":…,"time":…,"fields":{…}}` and lists of it.
    bool is_native;
} reading_json_shape;

/// - Returns: NULL when there is no memory.
reading_json_parser *reading_json_create(reading_json_limits limits);
void reading_json_destroy(reading_json_parser *parser);

/// Parses and validates the whole payload.
/// - bytes: followed by `READING_JSON_PADDING` readable bytes when `is_padded`, copied otherwise. Not needed once this returns.
/// - message: set to a sentence on failure.
reading_json_result reading_json_parse(
    reading_json_parser *parser, const char *bytes, size_t byte_count, bool is_padded, reading_json_shape shape,
    const char **message);

/// The next reading: the object itself, or each of the list. `READING_JSON_END` behind the last; after any other result the following
/// readings can still be asked for.
reading_json_result reading_json_next(reading_json_parser *parser, reading_json_reading *reading);

#ifdef __cplusplus
}
#endif

#endif
