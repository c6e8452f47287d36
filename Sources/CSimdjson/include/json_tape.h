#ifndef GAUGEHOUSE_JSON_TAPE_H
#define GAUGEHOUSE_JSON_TAPE_H

// JSON as a flat array of tokens, parsed and validated by simdjson. A thin C face: no policy on readings, names or times lives here.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes behind a payload that must be readable (their content does not matter) when it is parsed in place.
#define JSON_TAPE_PADDING 64

typedef enum __attribute__((enum_extensibility(closed))) : uint8_t {
    tape_kind_object,
    tape_kind_array,
    /// UTF-8, valid.
    tape_kind_text,
    tape_kind_binary,
    tape_kind_integer,
    tape_kind_double,
    tape_kind_boolean,
    tape_kind_null,
    /// An integer beyond int64.
    tape_kind_big_integer,
} tape_kind;

typedef struct {
    /// Integer: two's complement. Double: IEEE 754 bits. Boolean: 0 or 1. Text, binary: address of the first byte, not terminated.
    uint64_t bits;
    /// Object, array: tokens from this one to the one behind its last child. Text, binary: byte count.
    uint32_t extent;
    tape_kind kind;
    /// A number that is seconds since the epoch, because the encoding says so.
    bool is_epoch_seconds;
} tape_token;

/// Parser state, reused from payload to payload: allocates only while a payload is larger than any before. One thread at a time.
typedef struct json_tape_parser json_tape_parser;

typedef enum {
    JSON_TAPE_OK = 0,
    JSON_TAPE_UNDECODABLE,
    /// A number is malformed or beyond 64 bits.
    JSON_TAPE_BAD_NUMBER,
} json_tape_result;

/// - Returns: NULL when there is no memory.
json_tape_parser *json_tape_create(void);
void json_tape_destroy(json_tape_parser *parser);

/// Parses and validates a whole payload; nested at most 31 deep. A byte order mark and trailing NULs are passed over.
/// - bytes: followed by `JSON_TAPE_PADDING` readable bytes when `is_padded`, copied otherwise. Not needed once this returns.
/// - tokens: set on success to the payload's only value: a token, behind an object's its keys and values in turn, behind an array's its
///   elements. Valid until the next parse.
/// - message: set to a sentence on failure.
json_tape_result json_tape_parse(
    json_tape_parser *parser, const char *bytes, size_t byte_count, bool is_padded, const tape_token **tokens, const char **message);

/// Whether the bytes are well-formed UTF-8.
bool json_tape_is_utf8(const char *bytes, size_t byte_count);

#ifdef __cplusplus
}
#endif

#endif
