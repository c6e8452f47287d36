"""What /deliveries/{name}/ddl gives, pasted into DuckDB and into Spark: the table has exactly the rows that were written."""

import pathlib
import subprocess
import sys
from typing import Any

import duckdb
import pytest

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.objects import Expected
from harness.waiting import now_us, wait_until

SECOND = 1_000_000
WINDOW = 3 * SECOND

# Pasted as it is, then asked; prints rows as repr.
SPARK = """
import sys
from pyspark.sql import SparkSession
spark = (
    SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.warehouse.dir", sys.argv[2]).getOrCreate()
)
for statement in open(sys.argv[1], encoding="utf-8").read().split(";"):
    if statement.strip():
        spark.sql(statement)
rows = spark.sql("SELECT device, unix_micros(time) AS us, n, x, `st``at\\"e` AS state FROM telemetry ORDER BY device, us").collect()
for row in rows:
    print(repr(tuple(row)))
"""


def deliver(bench: Bench, prefix: str) -> tuple[Gateway, Expected]:
    """Two windows, of which the second has a further field; delivered."""
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[[table]]"] |= {"partition": "3s", "seal_after": "0s", "ttl": "1h"}
    gateway.deliver(age="0s", prefix=prefix)
    gateway.start()
    start = (now_us() - 600 * SECOND) // WINDOW * WINDOW
    expected: Expected = {}
    for number in range(40):
        fields: dict[str, Any] = {"n": number, "x": number / 8}
        if number >= 20:
            fields['st`at"e'] = f"it's {number}"
        expected[f"d'{number % 3}", start + number // 20 * WINDOW + number] = fields
    gateway.api.write(*(reading(device, time_us, **fields) for (device, time_us), fields in expected.items()))
    wait_until(lambda: {p["state"] for p in gateway.api.partitions()} == {"delivered"}, "all is delivered", 60)
    # Another task's objects, and whatever else lies there, are not the table's.
    (gateway.archive / "other_0___00000000.parquet").write_bytes(b"not Parquet")
    return gateway, expected


def statement(gateway: Gateway, engine: str) -> str:
    response = gateway.api.request("GET", f"/api/v1/deliveries/archive/ddl?engine={engine}")
    assert response.status_code == 200, response.text
    return response.text


def rows(expected: Expected) -> list[tuple[Any, ...]]:
    return sorted(
        (device, time_us, fields["n"], fields["x"], fields.get('st`at"e')) for (device, time_us), fields in expected.items()
    )


@pytest.mark.parametrize("prefix", ["table=$table/year=$yyyy/month=$MM/day=$dd/hour=$HH", "$yyyy/$MM-$dd/$bucket", ""])
def test_duckdb_has_a_view_of_all_rows(bench: Bench, prefix: str) -> None:
    gateway, expected = deliver(bench, prefix)
    with duckdb.connect() as connection:
        connection.execute(statement(gateway, "duckdb"))
        found = connection.execute('SELECT device, epoch_us(time), n, x, "st`at""e" FROM telemetry ORDER BY ALL').fetchall()
        assert found == rows(expected)
        if prefix.startswith("table"):
            assert connection.execute("SELECT DISTINCT year FROM telemetry").fetchall()


@pytest.mark.parametrize("prefix", ["table=$table/year=$yyyy/month=$MM/day=$dd/hour=$HH", "$yyyy/$MM-$dd/$bucket"])
def test_spark_has_a_view_of_all_rows(bench: Bench, tmp_path: pathlib.Path, prefix: str) -> None:
    gateway, expected = deliver(bench, prefix)
    file = tmp_path / "statement.sql"
    file.write_text(statement(gateway, "spark"))
    output = subprocess.run(
        [sys.executable, "-c", SPARK, str(file), str(tmp_path / "warehouse")],
        capture_output=True, text=True, cwd=tmp_path, timeout=180, check=False,
    )
    assert output.returncode == 0, output.stderr[-4000:]
    assert [eval(line) for line in output.stdout.splitlines()] == rows(expected)


def test_engines_that_must_be_told_get_the_columns(bench: Bench) -> None:
    gateway, _ = deliver(bench, "year=$yyyy")
    for engine, column in [("trino", '"st`at""e" varchar'), ("hive", '`st``at"e` string')]:
        text = statement(gateway, engine)
        assert column in text and "year" in text and str(gateway.archive) in text
    response = gateway.api.request("GET", "/api/v1/deliveries/archive/ddl?engine=oracle")
    assert response.status_code == 400 and response.json()["param"] == "engine", response.text
