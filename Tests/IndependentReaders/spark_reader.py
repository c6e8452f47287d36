"""Spark, started once for all files: one thread, no network but the loopback, everything it writes in a folder of the caller's."""

import os

from pyspark.sql import SparkSession, functions
from table_text import texts

# Before the Java machine starts: else it looks for an address of its own.
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"

SPARK_TYPES = {"bigint": "int64", "double": "double", "boolean": "boolean", "string": "string", "binary": "binary",
               "timestamp": "timestamp"}


class Spark:
    def __init__(self, folder):
        self.session = (
            SparkSession.builder.master("local[1]").appName("independent-readers")
            .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
            .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").config("spark.local.dir", folder)
            .config("spark.sql.warehouse.dir", f"{folder}/warehouse").config("spark.sql.catalogImplementation", "in-memory")
            .config("spark.driver.extraJavaOptions", f"-Djava.io.tmpdir={folder} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
            .config("spark.sql.session.timeZone", "UTC").config("spark.sql.caseSensitive", "true")
            .config("spark.sql.shuffle.partitions", "1").config("spark.log.level", "ERROR")
            .config("spark.sql.sources.default", "parquet").config("spark.driver.maxResultSize", "0")
            .config("spark.sql.parquet.aggregatePushdown", "false")
            # A row group is a task's smallest share; files of tests are one task.
            .config("spark.sql.files.openCostInBytes", "0").getOrCreate())

    def stop(self):
        self.session.stop()

    def rows(self, path, columns):
        """Rows of texts. Spark calls every column nullable, so that is not compared."""
        frame = self.session.read.parquet(path)
        kinds = [SPARK_TYPES[kind] for _, kind in frame.dtypes]
        assert frame.columns == [column[0] for column in columns], f"{path}: Spark sees {frame.columns}"
        assert kinds == [column[1] for column in columns], f"{path}: Spark sees {kinds}"
        frame = frame.toDF(*[f"c{index}" for index in range(len(kinds))])
        # Spark's own range of microseconds is that of the file; Python's datetime would not hold it.
        selected = [functions.unix_micros(name) if kind == "timestamp" else name for name, kind in zip(frame.columns, kinds)]
        table = frame.select(*selected).toArrow()
        return texts(kinds, [column.to_pylist() for column in table.columns])

    def scanned(self, path, condition):
        """(rows that meet the condition, rows that the scan gave to the filter)."""
        frame = self.session.read.parquet(path).where(condition)
        found = len(frame.collect())
        leaves = frame._jdf.queryExecution().executedPlan().collectLeaves()
        assert leaves.size() == 1, "one scan"
        return found, leaves.head().metrics().apply("numOutputRows").value()


