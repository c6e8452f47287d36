"""How values are compared between readers, as texts: "i:<decimal>", "d:<16 hex digits of the bits>", "o:true", "s:<text>", "b:<hex>",
"t:<microseconds since the epoch>", None."""

import struct

NAN = "d:nan"


def text(kind, value):
    if value is None:
        return None
    if kind == "int64":
        return f"i:{value}"
    if kind == "double":
        # The sign of a NaN is no value; readers may normalise it.
        return NAN if value != value else "d:" + struct.pack(">d", value).hex()
    if kind == "boolean":
        return "o:true" if value else "o:false"
    if kind == "string":
        return "s:" + value
    if kind == "binary":
        return "b:" + bytes(value).hex()
    return f"t:{value}"


def texts(kinds, columns):
    """Rows of texts from columns of values."""
    return [list(row) for row in zip(*[[text(kind, value) for value in column] for kind, column in zip(kinds, columns)])]


def expect_same(path, reader, found, expected):
    """Rows of texts, pyarrow's expected."""
    if found == expected:
        return
    for number, (a, b) in enumerate(zip(expected, found)):
        assert a == b, f"{path}: row {number}: pyarrow {str(a)[:500]}, {reader} {str(b)[:500]}"
    raise AssertionError(f"{path}: pyarrow {len(expected)} rows, {reader} {len(found)}")
