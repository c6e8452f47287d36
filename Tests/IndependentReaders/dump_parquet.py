"""Reads Parquet files with pyarrow, duckdb, polars and fastparquet, checks that all see the same, and prints what they saw.

usage: dump_parquet.py [--spark FOLDER] OUTPUT FILE...

With --spark, Spark reads them too; FOLDER is for what it writes.

OUTPUT gets, per file, one JSON line of columns [[name, type, nullable]...], one line with row count, row group count and key-values,
one JSON line per row, and an empty line. Values are texts, see table_text.py.
"""

import argparse
import json

import duckdb
import fastparquet
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from table_text import NAN, expect_same, texts

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
POLARS_TYPES = {
    pl.Int64: "int64",
    pl.Float64: "double",
    pl.Boolean: "boolean",
    pl.String: "string",
    pl.Binary: "binary",
    pl.Datetime("us", "UTC"): "timestamp",
}
UNREADABLE_BY_FASTPARQUET = {"BYTE_STREAM_SPLIT", "DELTA_BINARY_PACKED"}
# Hive-style folders would add columns that are not in the file.
SOURCE = "read_parquet(?, hive_partitioning = false)"


def by_pyarrow(path):
    file = pq.ParquetFile(path, page_checksum_verification=True)
    columns = [[field.name, TYPES[field.type], field.nullable] for field in file.schema_arrow]
    table = file.read()
    table.validate(full=True)
    values = [
        (column.cast(pa.int64()) if kind == "timestamp" else column).to_pylist()
        for (_, kind, _), column in zip(columns, table.columns)
    ]
    return columns, texts([kind for _, kind, _ in columns], values), file.metadata


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
    return texts([kind for _, kind in kinds], list(zip(*rows)))


def by_polars(path, columns):
    frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    kinds = [[name, POLARS_TYPES[kind]] for name, kind in frame.schema.items()]
    assert kinds == [column[:2] for column in columns], f"{path}: polars sees {kinds}"
    values = [
        frame[name].cast(pl.Int64).to_list() if kind == "timestamp" else frame[name].to_list() for name, kind in kinds
    ]
    return texts([kind for _, kind in kinds], values)


def expect_fastparquet_agrees(path, columns, rows, metadata):
    """fastparquet 2026.9 has no BYTE_STREAM_SPLIT; it reads DELTA_BINARY_PACKED wrong, pyarrow's too, where differences take more than 28
    bits; and where a column's first row group has a dictionary, it loses the values of later ones that are PLAIN. Such columns are left
    out: `encoding = "plain"` is for readers like it, and then all are compared. pandas knows no null beside NaN in a column of doubles:
    both are NaN here."""
    if not rows:
        assert fastparquet.ParquetFile(path).count() == 0
        return
    chunks = [
        metadata.row_group(group).column(index) for group in range(metadata.num_row_groups) for index in range(metadata.num_columns)
    ]
    used = {}
    for chunk in chunks:
        used.setdefault(chunk.path_in_schema, []).append(frozenset(chunk.encodings))
    unreadable = {name for name, sets in used.items() if len(set(sets)) > 1 or UNREADABLE_BY_FASTPARQUET & sets[0]}
    read = [(index, name, kind) for index, (name, kind, _) in enumerate(columns) if name not in unreadable]
    if not read:
        return
    frame = fastparquet.ParquetFile(path).to_pandas(columns=[name for _, name, _ in read], index=False)
    values = [fastparquet_values(frame[name], kind) for _, name, kind in read]
    expected = [
        [NAN if kind == "double" and row[index] is None else row[index] for index, _, kind in read] for row in rows
    ]
    expect_same(path, "fastparquet", texts([kind for _, _, kind in read], values), expected)


def fastparquet_values(series, kind):
    missing = series.isna()
    if kind == "double":
        return [float(value) for value in series.to_numpy("float64", na_value=float("nan"))]
    if kind == "timestamp":
        # Microseconds stay microseconds: nanoseconds would overflow in the year 2262.
        assert "us" in str(series.dtype), series.dtype
        series = series.astype("int64")
    return [None if absent else value for value, absent in zip(series.tolist(), missing)]


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


def read(path, spark):
    columns, rows, metadata = by_pyarrow(path)
    expect_same(path, "duckdb", by_duckdb(path, columns), rows)
    expect_same(path, "polars", by_polars(path, columns), rows)
    expect_fastparquet_agrees(path, columns, rows, metadata)
    if spark:
        expect_same(path, "Spark", spark.rows(path, columns), rows)
    statistics_hold(path, metadata)
    return columns, rows, metadata


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--spark", metavar="FOLDER")
    parser.add_argument("output")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    spark = None
    if arguments.spark:
        from spark_reader import Spark  # takes seconds

        spark = Spark(arguments.spark)
    with open(arguments.output, "w", encoding="utf-8") as output:
        for path in arguments.files:
            columns, rows, metadata = read(path, spark)
            pairs = {k.decode(): v.decode() for k, v in (metadata.metadata or {}).items() if k != b"ARROW:schema"}
            print(json.dumps(columns), file=output)
            print(json.dumps({"rows": metadata.num_rows, "rowGroups": metadata.num_row_groups, "keyValues": pairs}), file=output)
            for row in rows:
                print(json.dumps(row), file=output)
            print(file=output)
    if spark:
        spark.stop()


main()
