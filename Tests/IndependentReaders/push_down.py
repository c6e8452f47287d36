"""Asks readers for few rows of a Parquet file and prints, as JSON, how much of the file they looked at.

usage: push_down.py FILE FOLDER DEVICE ABSENT SINCE

FILE has columns device, time and value; DEVICE is one of its devices, ABSENT is not; SINCE is in microseconds. FOLDER is for what Spark
writes. Every answer is [rows found, row groups or rows looked at] for: device, device and time >= SINCE, absent device.
"""

import json
import os
import re
import sys
import tempfile

import duckdb
import fastparquet
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from spark_reader import Spark


def by_pyarrow(path, device, absent, since):
    name, time = ds.field("device"), ds.field("time")
    dataset = ds.dataset(path)
    (fragment,) = dataset.get_fragments()
    since = pa.scalar(since, pa.timestamp("us", tz="UTC"))
    return [
        [dataset.count_rows(filter=condition), len(fragment.split_by_row_group(condition))]
        for condition in (name == device, (name == device) & (time >= since), name == absent)
    ]


def by_duckdb(path, device, absent, since):
    """Row groups scanned, by what it explains; and which row groups the Bloom filter excludes for `absent` and `device`."""
    connection = duckdb.connect()
    answers = []
    for condition, value in [("", device), (f" AND time >= make_timestamptz({since})", device), ("", absent)]:
        # A sum, for a count may be answered from the metadata alone.
        query = f"SELECT count(*), sum(value) FROM read_parquet(?) WHERE device = ?{condition}"
        found = connection.execute(query, [path, value]).fetchall()[0][0]
        profile = connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {query}", [path, value]).fetchall()[0][1]
        answers.append([found, int(re.findall(r'"total_row_groups_scanned": (\d+)', profile)[0])])
    probes = [
        [row[-1] for row in connection.execute("SELECT * FROM parquet_bloom_probe(?, 'device', ?)", [path, value]).fetchall()]
        for value in (absent, device)
    ]
    return answers, probes


def by_polars(path, device, absent, since):
    """Row groups, by what it tells on standard error when asked to."""
    name = pl.col("device")
    late = pl.col("time") >= pl.lit(since).cast(pl.Datetime("us", "UTC"))
    return [polars_answer(path, condition) for condition in (name == device, (name == device) & late, name == absent)]


def polars_answer(path, condition):
    screen = os.dup(2)
    with tempfile.TemporaryFile() as log, pl.Config(verbose=True):
        os.dup2(log.fileno(), 2)
        try:
            found = pl.scan_parquet(path).filter(condition).select("value").collect().height
        finally:
            os.dup2(screen, 2)
            os.close(screen)
        log.seek(0)
        groups = re.findall(rb"reading (\d+) / \d+ row groups", log.read())
    return [found, int(groups[0])]


def by_fastparquet(path, device, absent, since):
    """Row groups that its filters leave, times as it has them; it does not look for rows within them."""
    file = fastparquet.ParquetFile(path)
    return [
        [None, len(fastparquet.api.filter_row_groups(file, filters))]
        for filters in ([("device", "==", device)], [("device", "==", device)], [("device", "==", absent)])
    ]


def by_spark(path, folder, device, absent, since):
    """Rows that the scan let through: row groups and pages that it read. Then the same for `absent` without Bloom filters; without
    dictionaries both times, which would do for them."""
    spark = Spark(folder)
    late = f"time >= timestamp_micros({since})"
    answers = [spark.scanned(path, condition) for condition in (f"device = '{device}'", f"device = '{device}' AND {late}")]
    options = spark.session._jsc.hadoopConfiguration()
    options.set("parquet.filter.dictionary.enabled", "false")
    for bloom in ("true", "false"):
        options.set("parquet.filter.bloom.enabled", bloom)
        answers.append(spark.scanned(path, f"device = '{absent}'"))
    spark.stop()
    return answers


def whole(path):
    """Rows, sum of the values and values that are missing, by every reader that can tell at once."""
    query = "SELECT count(*), sum(value)::BIGINT, count(*) - count(value) FROM read_parquet(?)"
    frame = pl.read_parquet(path)["value"]
    column = ds.dataset(path).to_table(columns=["value"])["value"]
    pandas = fastparquet.ParquetFile(path).to_pandas(columns=["value"])["value"]
    return {
        "duckdb": list(duckdb.execute(query, [path]).fetchone()),
        "polars": [len(frame), frame.sum(), frame.null_count()],
        "pyarrow": [len(column), pc.sum(column).as_py(), column.null_count],
        "fastparquet": [len(pandas), int(pandas.sum()), int(pandas.isna().sum())],
    }


def main():
    path, folder, device, absent, since = sys.argv[1:]
    since = int(since)
    duckdb_answers, probes = by_duckdb(path, device, absent, since)
    print(json.dumps({
        "groups": {
            "pyarrow": by_pyarrow(path, device, absent, since),
            "duckdb": duckdb_answers,
            "polars": by_polars(path, device, absent, since),
            "fastparquet": by_fastparquet(path, device, absent, since),
        },
        "sparkRows": by_spark(path, folder, device, absent, since),
        "bloomExcludes": probes,
        "whole": whole(path),
    }))


main()
