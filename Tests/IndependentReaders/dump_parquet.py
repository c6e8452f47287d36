"""Reads Parquet files with pyarrow and duckdb, checks that both see the same, and prints what they saw.

usage: dump_parquet.py OUTPUT FILE...

OUTPUT gets, per file, one JSON line of columns [[name, type, nullable]...], one line with row count, row group count and key-values,
one JSON line per row, and an empty line. Values are texts: "i:<decimal>", "d:<16 hex digits of the bits>", "o:true", "s:<text>",
"b:<hex>", "t:<microseconds since the epoch>", null.
"""

import json
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

TYPES = {
    pa.int64(): "int64",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.string(): "string",
    pa.binary(): "binary",
    pa.timestamp("us", tz="UTC"): "timestamp",
}
DUCKDB_TYPES = {
    "BIGINT": "int64",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "VARCHAR": "string",
    "BLOB": "binary",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
# Hive-style folders would add columns that are not in the file.
SOURCE = "read_parquet(?, hive_partitioning = false)"


def text(kind, value):
    if value is None:
        return None
    if kind == "int64":
        return f"i:{value}"
    if kind == "double":
        # The sign of a NaN is no value; readers may normalise it.
        return "d:nan" if value != value else "d:" + struct.pack(">d", value).hex()
    if kind == "boolean":
        return "o:true" if value else "o:false"
    if kind == "string":
        return "s:" + value
    if kind == "binary":
        return "b:" + bytes(value).hex()
    return f"t:{value}"


def by_pyarrow(path):
    file = pq.ParquetFile(path, page_checksum_verification=True)
    schema = file.schema_arrow
    columns = [[field.name, TYPES[field.type], field.nullable] for field in schema]
    table = file.read()
    table.validate(full=True)
    values = []
    for (_, kind, _), column in zip(columns, table.columns):
        if kind == "timestamp":
            column = column.cast(pa.int64())
        values.append([text(kind, value) for value in column.to_pylist()])
    return columns, [list(row) for row in zip(*values)], file.metadata


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def by_duckdb(path, columns):
    connection = duckdb.connect()
    described = connection.execute(f"DESCRIBE SELECT * FROM {SOURCE}", [path]).fetchall()
    kinds = [[row[0], DUCKDB_TYPES[row[1]]] for row in described]
    assert kinds == [column[:2] for column in columns], f"{path}: duckdb sees {kinds}"
    selected = ", ".join(
        f"epoch_us({quoted(name)})" if kind == "timestamp" else quoted(name) for name, kind in kinds
    )
    rows = connection.execute(f"SELECT {selected} FROM {SOURCE}", [path]).fetchall()
    return [[text(kind, value) for (_, kind), value in zip(kinds, row)] for row in rows]


def statistics_hold(path, metadata):
    """Bounds must hold for every value, as the readers that skip by them assume."""
    file = pq.ParquetFile(path)
    for group in range(metadata.num_row_groups):
        table = file.read_row_group(group)
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            values = [value for value in table.column(index).to_pylist() if value is not None]
            statistics = chunk.statistics
            assert statistics.null_count == table.num_rows - len(values), (path, index, statistics)
            ordered = [value for value in values if value == value]
            if statistics.has_min_max and ordered:
                assert statistics.min <= min(ordered) and max(ordered) <= statistics.max, (path, index, statistics)


def main():
    with open(sys.argv[1], "w", encoding="utf-8") as output:
        for path in sys.argv[2:]:
            columns, rows, metadata = by_pyarrow(path)
            others = by_duckdb(path, columns)
            if rows != others:
                for number, (a, b) in enumerate(zip(rows, others)):
                    assert a == b, f"{path}: row {number}: pyarrow {a}, duckdb {b}"
                raise AssertionError(f"{path}: pyarrow {len(rows)} rows, duckdb {len(others)}")
            statistics_hold(path, metadata)
            pairs = {k.decode(): v.decode() for k, v in (metadata.metadata or {}).items() if k != b"ARROW:schema"}
            print(json.dumps(columns), file=output)
            print(json.dumps({"rows": metadata.num_rows, "rowGroups": metadata.num_row_groups, "keyValues": pairs}), file=output)
            for row in rows:
                print(json.dumps(row), file=output)
            print(file=output)


main()
