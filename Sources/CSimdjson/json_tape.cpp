#include "json_tape.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

static_assert(JSON_TAPE_PADDING >= simdjson::SIMDJSON_PADDING, "payloads need at least simdjson's padding");

namespace {

// Objects and arrays inside one another; telemetry has 2 or 3. Whoever walks the tape recurses no deeper.
constexpr size_t max_depth = 32;
// simdjson's memory fits payloads of this size from the start; powers of two above it.
constexpr size_t initial_capacity = 4096;
constexpr uint64_t payload_mask = (uint64_t(1) << 56) - 1;

}  // namespace

struct json_tape_parser {
    json_tape_result parse(const char *bytes, size_t byte_count, bool is_padded);
    const char *message = "";
    std::unique_ptr<tape_token[]> tokens;

private:
    bool reserve(size_t byte_count);
    const char *padded(const char *bytes, size_t byte_count);
    void translate();

    simdjson::dom::parser parser;
    size_t token_capacity = 0;
    std::unique_ptr<char[]> copy;
    size_t copy_capacity = 0;
};

bool json_tape_parser::reserve(size_t byte_count) {
    size_t capacity = parser.capacity();
    if (capacity != 0 && byte_count <= capacity) return true;
    if (capacity < initial_capacity) capacity = initial_capacity;
    while (capacity < byte_count) capacity *= 2;
    return parser.allocate(capacity, max_depth) == simdjson::SUCCESS;
}

const char *json_tape_parser::padded(const char *bytes, size_t byte_count) {
    if (copy_capacity < byte_count + JSON_TAPE_PADDING) {
        size_t capacity = parser.capacity() + JSON_TAPE_PADDING;
        copy.reset(new char[capacity]);
        copy_capacity = capacity;
    }
    std::memcpy(copy.get(), bytes, byte_count);
    return copy.get();
}

json_tape_result json_tape_parser::parse(const char *bytes, size_t byte_count, bool is_padded) {
    // A byte order mark and a C string's terminator come from careless writers and change nothing.
    if (byte_count >= 3 && std::memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        bytes += 3;
        byte_count -= 3;
    }
    while (byte_count > 0 && bytes[byte_count - 1] == 0) byte_count--;
    if (!reserve(byte_count)) throw std::bad_alloc();
    if (!is_padded) bytes = padded(bytes, byte_count);
    auto error = parser.parse(reinterpret_cast<const uint8_t *>(bytes), byte_count, false).error();
    if (error != simdjson::SUCCESS) {
        message = error == simdjson::NUMBER_ERROR ? "a number is malformed or beyond 64 bits" : simdjson::error_message(error);
        return error == simdjson::NUMBER_ERROR ? JSON_TAPE_BAD_NUMBER : JSON_TAPE_UNDECODABLE;
    }
    translate();
    return JSON_TAPE_OK;
}

/// From simdjson's tape to ours: numbers take two words there, ends of objects and arrays one, and its texts lie behind their lengths.
/// Source: https://github.com/simdjson/simdjson/blob/master/doc/tape.md
void json_tape_parser::translate() {
    const uint64_t *word = parser.doc.tape.get();
    const char *strings = reinterpret_cast<const char *>(parser.doc.string_buf.get());
    size_t word_count = size_t(*word & payload_mask);
    if (token_capacity < word_count) {
        size_t capacity = std::max(word_count, token_capacity * 3 / 2);
        tokens.reset(new tape_token[capacity]);
        token_capacity = capacity;
    }
    tape_token *token = tokens.get();
    tape_token *open[max_depth];
    size_t depth = 0;
    for (word++;; word++) {
        char type = char(*word >> 56);
        switch (type) {
        case '{':
        case '[':
            open[depth++] = token;
            *token++ = {0, 0, type == '{' ? tape_kind_object : tape_kind_array, false};
            break;
        case '}':
        case ']':
            depth--;
            open[depth]->extent = uint32_t(token - open[depth]);
            break;
        case '"': {
            const char *text = strings + (*word & payload_mask);
            uint32_t count;
            std::memcpy(&count, text, sizeof count);
            *token++ = {uint64_t(uintptr_t(text + sizeof count)), count, tape_kind_text, false};
            break;
        }
        case 'l': *token++ = {*++word, 0, tape_kind_integer, false}; break;
        case 'd': *token++ = {*++word, 0, tape_kind_double, false}; break;
        case 'u': *token++ = {*++word, 0, tape_kind_big_integer, false}; break;
        case 't': *token++ = {1, 0, tape_kind_boolean, false}; break;
        case 'f': *token++ = {0, 0, tape_kind_boolean, false}; break;
        case 'n': *token++ = {0, 0, tape_kind_null, false}; break;
        default: return;  // 'r': the end
        }
    }
}

json_tape_parser *json_tape_create(void) {
    try {
        return new json_tape_parser();
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

void json_tape_destroy(json_tape_parser *parser) { delete parser; }

json_tape_result json_tape_parse(
    json_tape_parser *parser, const char *bytes, size_t byte_count, bool is_padded, const tape_token **tokens, const char **message) {
    json_tape_result result;
    try {
        result = parser->parse(bytes, byte_count, is_padded);
        *message = parser->message;
        *tokens = parser->tokens.get();
    } catch (const std::bad_alloc &) {
        result = JSON_TAPE_UNDECODABLE;
        *message = "no memory for a payload of this size";
    }
    return result;
}

bool json_tape_is_utf8(const char *bytes, size_t byte_count) { return simdjson::validate_utf8(bytes, byte_count); }
