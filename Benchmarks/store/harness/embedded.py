"""The engines that are measured inside one process: our store, and RocksDB with rows."""

import pathlib
import shutil
import signal
import subprocess

from datasets import RUN_SECONDS, run_json
from servers import folder_bytes


class Gaugehouse:
    """Our store: `gaugehouse-bench-store`, a process for each measurement."""

    def __init__(self, binary):
        self.binary = binary

    def measure(self, data_set, folder, questions, *options, seconds=RUN_SECONDS):
        """Ingest until sealed, checked; then, reopened, the questions."""
        path = pathlib.Path(folder) / "store"
        place = ["--path", path, *options]
        try:
            result = run_json([self.binary, "ingest", *data_set.arguments, *place], seconds)
            result["settled_bytes"] = result["segment_bytes"]
            result["directory_bytes"] = folder_bytes(path)
            if questions:
                answers = run_json([self.binary, "queries", *data_set.arguments, *place, "--count", questions])
                result |= {key: value for key, value in answers.items() if key.endswith("_us")}
                result["query_peak_bytes"] = answers["peak_bytes"]
            return result
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def prepare(self, data_set, path, *options):
        """A store to open: quickly written, in big batches without a sync each; with `--crash`, all of it in the log. Returns the
        numbers of the writing."""
        command = [self.binary, "ingest", *data_set.arguments, "--path", path, "--batch", 5_000, "--durability", "none", *options]
        return run_json(command, ends=-signal.SIGKILL if "--crash" in options else 0)

    def open(self, data_set, path, *options):
        """Opens a prepared store, and leaves it as it was: the process ends as by a kill."""
        return run_json([self.binary, "open", *data_set.arguments, "--path", path, "--crash", *options], ends=-signal.SIGKILL)

    def drop(self, data_set, folder, *options):
        path = pathlib.Path(folder) / "store"
        try:
            return run_json([self.binary, "drop", *data_set.arguments, "--path", path, "--ttl-days", 1, *options])
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def plain_columns(self, data_set):
        return run_json([self.binary, "plain-columns", *data_set.arguments])


class RocksDB:
    """Rows in RocksDB through peers/rocksdb_store.cc."""

    def __init__(self, folder):
        source = pathlib.Path(__file__).parents[1] / "peers" / "rocksdb_store.cc"
        self.binary = pathlib.Path(folder) / "rocksdb_store"
        subprocess.run(
            ["c++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-o", str(self.binary), str(source), "-lrocksdb"], check=True)

    def measure(self, files, folder, questions, mode):
        path = pathlib.Path(folder) / "rocksdb"
        try:
            result = run_json([self.binary, files.records_path, path, mode, questions])
            result["directory_bytes"] = folder_bytes(path)
            return result
        finally:
            shutil.rmtree(path, ignore_errors=True)
