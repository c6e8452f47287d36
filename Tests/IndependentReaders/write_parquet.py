"""Writes Parquet files with pyarrow, duckdb, polars and fastparquet, and what is in them, for the reader's tests.

Usage: write_parquet.py DIRECTORY [indexed]. Leaves DIRECTORY/N.parquet and DIRECTORY/N.json: {"name", "columns": [{"name", "values" or
"unsupported"}]}. Values are texts as dump_parquet.py writes them: i:5 d:<hex of bits> o:true s:text b:<hex> t:<microseconds>, null. They
are what the writing library itself reads from its file. `indexed`: instead, files with small pages and a page index.
"""
import datetime
import decimal
import json
import random
import struct
import sys
import uuid

import duckdb
import fastparquet
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq

DIRECTORY = sys.argv[1]
COUNT = 0
SCALE = {"s": 1_000_000, "ms": 1_000, "us": 1}
EPOCH = datetime.date(1970, 1, 1)


def next_path():
    return f"{DIRECTORY}/{COUNT}.parquet"


def done(name, columns):
    global COUNT
    with open(f"{DIRECTORY}/{COUNT}.json", "w") as file:
        json.dump({"name": name, "columns": columns}, file)
    COUNT += 1


def double(value):
    return "d:nan" if value != value else "d:" + struct.pack(">d", value).hex()


def integer(value):
    return f"i:{value}" if value < 1 << 63 else double(float(value))


def microseconds(value, unit):
    return f"t:{value // 1000}" if unit == "ns" else f"t:{value * SCALE[unit]}"


def each(text, values):
    return [None if value is None else text(value) for value in values]


# pyarrow


def arrow_column(name, column):
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_decimal(kind) or pa.types.is_nested(kind) or pa.types.is_float16(kind):
        return {"name": name, "unsupported": True}
    if pa.types.is_timestamp(kind):
        values = each(lambda value: microseconds(value, kind.unit), column.cast(pa.int64()).to_pylist())
    elif pa.types.is_date32(kind):
        values = each(lambda value: f"t:{value * 86_400_000_000}", column.cast(pa.int32()).to_pylist())
    elif pa.types.is_time32(kind):
        values = each(integer, column.cast(pa.int32()).to_pylist())
    elif pa.types.is_time64(kind):
        values = each(integer, column.cast(pa.int64()).to_pylist())
    elif pa.types.is_integer(kind):
        values = each(integer, column.to_pylist())
    elif pa.types.is_floating(kind):
        values = each(double, column.to_pylist())
    elif pa.types.is_boolean(kind):
        values = each(lambda value: "o:true" if value else "o:false", column.to_pylist())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values = each(lambda value: "s:" + value, column.to_pylist())
    elif pa.types.is_null(kind):
        values = column.to_pylist()
    else:
        values = each(lambda value: "b:" + value.hex(), column.to_pylist())
    return {"name": name, "values": values}


def arrow(name, table, **options):
    pq.write_table(table, next_path(), **options)
    read = pq.read_table(next_path())
    columns = []
    for field in read.schema:
        column = arrow_column(field.name, read[field.name])
        columns.append(column)
    done("pyarrow: " + name, columns)


def arrow_table(seed, count, null_share):
    chance = random.Random(seed)

    def column(kind, make):
        return pa.array([None if chance.random() < null_share else make() for _ in range(count)], kind)

    def whole(bits, signed):
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        return lambda: chance.choice([low, high, 0, chance.randint(low, high), chance.randint(0, 100)])

    def floating():
        return chance.choice([0.0, -0.0, float("inf"), float("-inf"), float("nan"), chance.uniform(-1e6, 1e6), round(chance.random(), 2)])

    def word():
        return chance.choice(["", "a", "é–🛰", "line\n\"", "x" * chance.randint(0, 300), f"value {chance.randint(0, 50)}"])

    columns = {}
    for bits in (8, 16, 32, 64):
        columns[f"int{bits}"] = column(getattr(pa, f"int{bits}")(), whole(bits, True))
        columns[f"uint{bits}"] = column(getattr(pa, f"uint{bits}")(), whole(bits, False))
    columns["float32"] = column(pa.float32(), floating)
    columns["float64"] = column(pa.float64(), floating)
    columns["bool"] = column(pa.bool_(), lambda: chance.random() < 0.3)
    columns["string"] = column(pa.string(), word)
    columns["large_string"] = column(pa.large_string(), word)
    columns["dictionary"] = column(pa.string(), lambda: chance.choice(["on", "off", ""])).dictionary_encode()
    columns["binary"] = column(pa.binary(), lambda: chance.randbytes(chance.randint(0, 20)))
    columns["fixed"] = column(pa.binary(5), lambda: chance.randbytes(5))
    for unit, limit in (("s", 1 << 32), ("ms", 1 << 42), ("us", 1 << 52), ("ns", (1 << 62))):
        for zone in (None, "UTC", "Europe/Berlin"):
            columns[f"time_{unit}_{zone}"] = column(pa.timestamp(unit, zone), lambda: chance.randint(-limit, limit))
    columns["date"] = column(pa.date32(), lambda: chance.randint(-100_000, 100_000))
    columns["time32"] = column(pa.time32("ms"), lambda: chance.randint(0, 86_399_999))
    columns["time64"] = column(pa.time64("us"), lambda: chance.randint(0, 86_399_999_999))
    columns["time64_ns"] = column(pa.time64("ns"), lambda: chance.randint(0, 86_399_999_999_999))
    columns["null"] = pa.nulls(count)
    return pa.table(columns)


def required(table):
    return table.cast(pa.schema([pa.field(field.name, field.type, nullable=False) for field in table.schema]))


def write_arrow():
    table = arrow_table(1, 300, 0.2)
    for version in ("1.0", "2.0"):
        for codec in ("none", "snappy", "gzip", "brotli", "lz4", "zstd"):
            for dictionary in (True, False):
                name = f"pages {version}, {codec}, {'dictionary' if dictionary else 'plain'}"
                arrow(name, table, data_page_version=version, compression=codec, use_dictionary=dictionary, write_page_checksum=dictionary)
        whole = required(arrow_table(2, 200, 0).drop_columns(["null"]))
        arrow(f"required, pages {version}", whole, data_page_version=version, use_dictionary=False)
        arrow(f"required, dictionary, pages {version}", whole, data_page_version=version)
        arrow(f"no rows, pages {version}", table.slice(0, 0), data_page_version=version)
        arrow(f"one row, pages {version}", table.slice(0, 1), data_page_version=version)
        arrow(f"all null, pages {version}", arrow_table(3, 100, 1), data_page_version=version)
        arrow(f"small pages, pages {version}", arrow_table(4, 3_000, 0.1).select(["int64", "string", "float64", "bool", "time_ns_None"]),
              data_page_version=version, data_page_size=500, write_batch_size=50, row_group_size=1_000, write_page_index=True)
        arrow(f"dictionary that gets too large, pages {version}", arrow_table(5, 5_000, 0.1).select(["string", "int64", "binary", "time_us_UTC"]),
              data_page_version=version, dictionary_pagesize_limit=2_000, data_page_size=4_000)
        write_arrow_encodings(version)
    arrow("INT96", table.select([name for name in table.column_names if name.startswith("time_") or name == "int8"]),
          use_deprecated_int96_timestamps=True, use_dictionary=False)
    arrow("INT96, dictionary", table.select(["time_us_None", "time_ns_UTC"]), use_deprecated_int96_timestamps=True)
    coarse = table.select([name for name in table.column_names if not name.startswith("time_ns")])
    for version in ("1.0", "2.4", "2.6"):
        arrow(f"format {version}", coarse, version=version)
    small = table.select([name for name in table.column_names if name.startswith("time_")])
    arrow("milliseconds", small, coerce_timestamps="ms", allow_truncated_timestamps=True)
    nested = {
        "list": pa.array([[1, 2], None, []]), "a": pa.array([1, None, 3]), "struct": pa.array([{"x": 1}, None, {"x": 2}]),
        "decimal": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-7.00")]), "half": pa.array([1.5, None, 2.5], pa.float16()),
        "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())), "b": pa.array(["x", "y", None]),
    }
    arrow("nested beside flat", pa.table(nested))


def write_arrow_encodings(version):
    table = arrow_table(6, 700, 0.15)
    options = {"data_page_version": version, "use_dictionary": False, "data_page_size": 3_000}
    whole = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "time_us_UTC", "time_ns_None", "date"]
    arrow(f"delta, pages {version}", table.select(whole), column_encoding={name: "DELTA_BINARY_PACKED" for name in whole}, **options)
    split = ["int32", "int64", "float32", "float64", "fixed", "uint64", "time_ms_None"]
    arrow(f"byte stream split, pages {version}", table.select(split), column_encoding={name: "BYTE_STREAM_SPLIT" for name in split}, **options)
    strings = ["string", "large_string", "binary"]
    for encoding in ("DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"):
        arrow(f"{encoding}, pages {version}", table.select(strings), column_encoding={name: encoding for name in strings}, **options)
    arrow(f"DELTA_BYTE_ARRAY fixed, pages {version}", table.select(["fixed"]), column_encoding={"fixed": "DELTA_BYTE_ARRAY"}, **options)
    arrow(f"RLE, pages {version}", table.select(["bool"]), column_encoding={"bool": "RLE"}, **options)
    ascending = pa.table({"t": pa.array([1_700_000_000_000_000 + i * 1_000 for i in range(3_000)]),
                          "name": pa.array([f"plant/line-{i // 100:04d}/sensor-{i:06d}" for i in range(3_000)])})
    arrow(f"ascending, pages {version}", ascending, column_encoding={"t": "DELTA_BINARY_PACKED", "name": "DELTA_BYTE_ARRAY"}, **options)


# duckdb

DUCK = """
select (i % 256 - 128)::tinyint tiny, (i * 37 - 9000)::smallint small, (i * 4_219_313 - 1e9::bigint)::integer whole, i * 7_919_000_000_313 - 5e15::bigint big,
 (i % 256)::utinyint utiny, (i * 13 % 65536)::usmallint usmall, (4294967295 - i)::uinteger uwhole, (18446744073709551615 - i)::ubigint ubig,
 (i / 7)::float f, i / 7 d, i % 3 = 0 o, 'device ' || (i % 10) s, ('value ' || i)::blob b, case when i % 4 > 0 then i end sparse,
 date '1969-12-01' + i::integer as on_day, timestamp '1969-12-31 23:00:00.000001' + interval (i * 17) second t,
 (timestamp '2024-01-01' + interval (i) millisecond)::timestamp_ms tms, (timestamp '2024-01-01' + interval (i) second)::timestamp_s ts,
 make_timestamp_ns(1_700_000_000_000_000_001 + i * 999)::timestamp_ns tns, timestamptz '2024-06-01 00:00:00+02' + interval (i) minute tz,
 case when i % 5 = 0 then null else ('00000000-0000-0000-0000-' || lpad(i::varchar, 12, '0'))::uuid end u,
 case when i % 2 = 0 then 'on' else 'off' end::enum('off', 'on') e, (i / 100)::decimal(9, 2) dec, [i, i + 1] l
from range({count}) t(i)
"""


def duck_value(value):
    if isinstance(value, bool):
        return "o:true" if value else "o:false"
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return double(value)
    if isinstance(value, (bytes, uuid.UUID)):
        return "b:" + (value.bytes if isinstance(value, uuid.UUID) else value).hex()
    return "s:" + value


def duck_column(connection, name, kind, path):
    if kind.startswith("DECIMAL") or kind.endswith("[]"):
        return {"name": name, "unsupported": True}
    expression, text = f'"{name}"', duck_value
    if kind == "TIMESTAMP_NS":
        expression, text = f'epoch_ns("{name}")', lambda value: microseconds(value, "ns")
    elif kind.startswith("TIMESTAMP") or kind == "DATE":
        expression, text = f'epoch_us("{name}")', lambda value: microseconds(value, "us")
    rows = connection.execute(f"select {expression} from read_parquet('{path}')").fetchall()
    return {"name": name, "values": each(text, [row[0] for row in rows])}


def write_duck():
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; set preserve_insertion_order = true; set threads = 1")
    for codec in ("uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4_raw"):
        for version in ("v1", "v2"):
            path = next_path()
            connection.execute(f"copy ({DUCK.format(count=500)}) to '{path}' (format parquet, compression {codec}, parquet_version {version})")
            kinds = connection.execute(f"describe select * from read_parquet('{path}')").fetchall()
            done(f"duckdb: {codec}, {version}", [duck_column(connection, kind[0], kind[1], path) for kind in kinds])
    path = next_path()
    connection.execute(f"copy (select i, i % 1000 k, i / 3 d, 'device ' || (i % 7) s, i::varchar n from range(30000) t(i)) to '{path}' (row_group_size 10000)")
    kinds = connection.execute(f"describe select * from read_parquet('{path}')").fetchall()
    done("duckdb: many rows", [duck_column(connection, kind[0], kind[1], path) for kind in kinds])


# polars


def polars_column(series):
    kind = series.dtype
    if isinstance(kind, (polars.List, polars.Decimal, polars.Struct)):
        return {"name": series.name, "unsupported": True}
    if isinstance(kind, polars.Datetime):
        values = each(lambda value: microseconds(value, kind.time_unit), series.cast(polars.Int64).to_list())
    elif kind == polars.Date:
        values = each(lambda value: f"t:{value * 86_400_000_000}", series.cast(polars.Int32).to_list())
    elif kind in (polars.Categorical, polars.Enum):
        values = each(lambda value: "s:" + value, series.cast(polars.String).to_list())
    else:
        values = each(duck_value, series.to_list())
    return {"name": series.name, "values": values}


def write_polars():
    count = 400
    sparse = [None if i % 7 == 3 else i for i in range(count)]
    frame = polars.DataFrame({
        "i8": polars.Series([i % 100 - 50 for i in range(count)], dtype=polars.Int8), "u16": polars.Series(sparse, dtype=polars.UInt16),
        "i64": [(1 << 62) - i for i in range(count)], "u64": polars.Series([(1 << 64) - 1 - i for i in range(count)], dtype=polars.UInt64),
        "f32": polars.Series([i / 3 for i in range(count)], dtype=polars.Float32), "f64": [None if i % 5 == 0 else i / 7 for i in range(count)],
        "flag": [None if i % 11 == 0 else i % 2 == 0 for i in range(count)], "text": [None if i % 13 == 0 else f"device {i % 9}" for i in range(count)],
        "blob": [bytes([i % 256]) * (i % 5) for i in range(count)],
        "category": polars.Series([f"c{i % 3}" for i in range(count)], dtype=polars.Categorical),
        "ms": polars.Series(sparse, dtype=polars.Datetime("ms")), "us": polars.Series(sparse, dtype=polars.Datetime("us", "UTC")),
        "ns": polars.Series([i * 999 - 5_000 for i in range(count)], dtype=polars.Datetime("ns")), "day": polars.Series(sparse, dtype=polars.Date),
        "list": [[i] for i in range(count)],
    })
    for codec in ("uncompressed", "snappy", "gzip", "brotli", "lz4", "zstd"):
        frame.write_parquet(next_path(), compression=codec)
        read = polars.read_parquet(next_path())
        done(f"polars: {codec}", [polars_column(series) for series in read])
    frame.write_parquet(next_path(), row_group_size=100, data_page_size=200)
    read = polars.read_parquet(next_path())
    done("polars: small pages", [polars_column(series) for series in read])


# fastparquet


def fast_column(name, series):
    if str(series.dtype).startswith("datetime64"):
        unit = str(series.dtype)[len("datetime64["):][:2]
        return {"name": name, "values": [None if value is pandas.NaT else microseconds(value.as_unit(unit)._value, unit) for value in series]}
    if str(series.dtype) == "category":
        series = series.astype(object)
    values = [None if value is None or value is pandas.NA else value for value in series]
    return {"name": name, "values": each(lambda value: duck_value(value.item() if hasattr(value, "item") else value), values)}


def write_fast():
    count = 300
    frame = pandas.DataFrame({
        "i64": range(count), "i32": pandas.Series(range(count), dtype="int32"), "u8": pandas.Series([i % 256 for i in range(count)], dtype="uint8"),
        "f64": [i / 7 for i in range(count)], "f32": pandas.Series([i / 3 for i in range(count)], dtype="float32"),
        "flag": [i % 3 == 0 for i in range(count)], "text": [f"device {i % 9} é" for i in range(count)],
        "sparse": pandas.Series([None if i % 4 == 0 else i for i in range(count)], dtype="Int64"),
        "category": pandas.Series([f"c{i % 3}" for i in range(count)], dtype="category"),
        "time": pandas.to_datetime([1_700_000_000_000_001 + i for i in range(count)], unit="us"),
    })
    for codec in (None, "SNAPPY", "GZIP", "ZSTD", "LZ4_RAW"):
        for times in ("int64", "int96"):
            fastparquet.write(next_path(), frame, compression=codec, times=times, row_group_offsets=[0, 120])
            read = fastparquet.ParquetFile(next_path()).to_pandas()
            done(f"fastparquet: {codec}, {times}", [fast_column(name, read[name]) for name in read.columns])


def write_indexed():
    rows = range(6_000)
    table = pa.table({
        "device": [f"device-{100 + row // 300}" for row in rows],
        "time": pa.array([None if row % 10 == 9 else row % 300 * 1_000 for row in rows], pa.timestamp("us", "UTC")),
        "value": [None if row % 7 == 3 else row / 3 for row in rows],
    })
    for version in ("1.0", "2.0"):
        for name in ("plain", "dictionary"):
            pq.write_table(table, f"{DIRECTORY}/{name}-{version}.parquet", data_page_version=version, use_dictionary=name == "dictionary",
                           write_page_index=True, data_page_size=300, write_batch_size=23, row_group_size=2_500)


if sys.argv[2:] == ["indexed"]:
    write_indexed()
else:
    write_arrow()
    write_duck()
    write_polars()
    write_fast()
