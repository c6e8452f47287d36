"""What stands in delivered objects, read by pyarrow and by duckdb."""

import hashlib
import pathlib
import struct
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

# Device, time in µs, values by field.
Row = tuple[str, int, dict[str, Any]]
Expected = dict[tuple[str, int], dict[str, Any]]

TYPES = {pa.int64(), pa.float64(), pa.bool_(), pa.string()}
FOLDERS = ("table", "year", "month", "day", "hour")


def object_files(archive: pathlib.Path) -> list[pathlib.Path]:
    """Every visible object, in order of names."""
    return sorted(path for path in archive.rglob("*.parquet") if not path.name.startswith("."))


def fingerprints(archive: pathlib.Path) -> dict[str, tuple[int, str]]:
    """Time of change and SHA-256 of every visible object, by key."""
    return {
        str(path.relative_to(archive)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in object_files(archive)
    }


def _row(values: dict[str, Any]) -> Row:
    """A field whose types differ has a further column `<field>:<type>`; a row has a value in one of them."""
    fields = {name.split(":")[0]: value for name, value in values.items() if value is not None}
    return fields.pop("device"), fields.pop("time"), fields


def rows_by_pyarrow(archive: pathlib.Path) -> list[Row]:
    rows: list[Row] = []
    for path in object_files(archive):
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        table.validate(full=True)
        types = {field.name: field.type for field in table.schema}
        assert types.pop("device") == pa.string() and types.pop("time") == pa.timestamp("us", tz="UTC"), path
        assert set(types.values()) <= TYPES, types
        time = table.schema.get_field_index("time")
        rows += [_row(row) for row in table.set_column(time, "time", table["time"].cast(pa.int64())).to_pylist()]
    return rows


def rows_by_duckdb(archive: pathlib.Path) -> list[Row]:
    """Also holds the Hive-style folders to the rows' times."""
    query = f"""
        SELECT * REPLACE (epoch_us(time) AS time)
        FROM read_parquet('{archive}/**/*.parquet', hive_partitioning = true, union_by_name = true)
    """
    with duckdb.connect() as connection:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        rows = []
        for values in cursor.fetchall():
            row = dict(zip(names, values, strict=True))
            folder = [str(row.pop(name)) for name in FOLDERS]
            device, time, fields = _row(row)
            start = datetime.fromtimestamp(time // 1_000_000, UTC)
            assert folder[0] == "telemetry" and [int(part) for part in folder[1:]] == [
                start.year,
                start.month,
                start.day,
                start.hour,
            ]
            rows.append((device, time, fields))
        return rows


def exact(value: Any) -> tuple[str, Any]:
    """Type and value; doubles by their bits, so that −0.0 is not 0.0."""
    return (type(value).__name__, struct.pack(">d", value) if isinstance(value, float) else value)


def check_rows(rows: list[Row], expected: Expected, reader: str) -> None:
    """Each expected row is there once, nothing else is, and values and types are equal."""
    found = {(device, time): fields for device, time, fields in rows}
    assert len(found) == len(rows), f"{reader}: {len(rows) - len(found)} rows are there twice"
    missing, surplus = expected.keys() - found.keys(), found.keys() - expected.keys()
    assert (
        not missing and not surplus
    ), f"{reader}: {len(missing)} rows missing {sorted(missing)[:3]}, {len(surplus)} too many"
    for key, fields in expected.items():
        seen = {name: exact(value) for name, value in found[key].items()}
        assert seen == {name: exact(value) for name, value in fields.items()}, f"{reader}: {key}"


def check_objects(archive: pathlib.Path, expected: Expected) -> None:
    """pyarrow and duckdb read exactly the expected rows."""
    check_rows(rows_by_pyarrow(archive), expected, "pyarrow")
    check_rows(rows_by_duckdb(archive), expected, "duckdb")
