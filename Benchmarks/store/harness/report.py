"""Turns the numbers of a run into markdown: medians over the rounds, with the least and the greatest."""

import statistics

INGEST = ("decimal", "numeric", "noise", "jitter")
GROWTH = ("growth-devices", "growth-partitions", "growth-late")
TITLES = {
    "decimal": "Decimal readings: temperature, humidity, battery, rssi, status; 1000 devices at 1 Hz",
    "numeric": "Numeric readings: the same without the string",
    "noise": "Noise: four doubles with full mantissas",
    "jitter": "Jitter: decimal readings, times up to 39 ms beside the second",
    "fleet": "A big fleet, 100 readings each in an hour: decimal readings, our cache 8 MiB",
    "fleet-numeric": "A big fleet, 100 readings each in an hour: numeric readings, our cache 8 MiB",
    "growth-devices": "Growth: devices",
    "growth-partitions": "Growth: time span, windows of an hour",
    "growth-late": "Growth: readings out of order",
    "replay": "Replay of the log after a kill",
    "restart": "Restart",
    "drop": "Dropping a partition while commits go on",
}
QUESTIONS = {
    "range100": "100 newest rows of a device", "hour_by_minute": "last hour by minute", "latest1": "latest of a device",
    "latest1000": "latest of 1000 devices", "http": "empty HTTP round trip",
}


def spread(values, digits=2):
    """`median (least-greatest)`; the value alone when there is one."""
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def table(titles, rows):
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def per_reading(results, value, factor=1.0):
    """One number a round: `value(result)` by reading; None where it does not apply."""
    numbers = []
    for result in results:
        number = value(result)
        numbers.append(None if number is None else number * factor / result["readings"])
    return numbers


def net_cpu(result):
    return result["cpu_s"] - result["generator_cpu_s"] if "generator_cpu_s" in result else None


def ingest_row(name, results):
    return [
        name,
        spread([r["readings"] / r["commit_wall_s"] for r in results], 0),
        spread(per_reading(results, lambda r: r["commit_cpu_s"], 1e6)),
        spread(per_reading(results, lambda r: r["cpu_s"], 1e6)),
        spread(per_reading(results, net_cpu, 1e6)),
        spread(per_reading(results, lambda r: r["settled_bytes"])),
        spread([r["peak_bytes"] / 2**20 for r in results], 0),
    ]


INGEST_TITLES = [
    "engine", "readings/s", "CPU µs/reading until acked", "… until settled", "… less generator", "bytes/reading settled", "peak RSS MiB",
]


def ingest(scenario, engines):
    measured = {name: results for name, results in engines.items() if "readings" in results[0]}
    parts = [table(INGEST_TITLES, [ingest_row(name, results) for name, results in measured.items()])]
    for name, (plain, *_) in ((name, results) for name, results in engines.items() if name not in measured):
        parts.append(
            f"{name}, bytes/reading: values alone {plain['values_4096']:.2f} in chunks of 4096 rows, {plain['values_131072']:.2f} in "
            f"chunks of 131 072; with the times {plain['values_and_times_4096']:.2f} and {plain['values_and_times_131072']:.2f}.\n")
    parts.append(questions(measured))
    for name, results in measured.items():
        error = max(r.get("relative_error", 0) for r in results)
        if error > 0:
            parts.append(f"{name} gives back other values than were sent: relative error up to {error:.0e} in the sample.\n")
    if "gaugehouse" in measured:
        parts.append(sync_line(measured["gaugehouse"]))
    return "\n".join(part for part in parts if part)


def questions(engines):
    names = [name for name in QUESTIONS if any(f"{name}_p50_us" in results[0] for results in engines.values())]
    if not names:
        return ""

    def cell(results, name):
        p50, p99 = ([r.get(f"{name}_{share}_us") for r in results] for share in ("p50", "p99"))
        return f"{spread(p50, 1)}; p99 {spread(p99, 0)}" if p50[0] is not None else "–"

    rows = [[engine, *(cell(results, name) for name in names)] for engine, results in engines.items()]
    return table(["µs, p50; p99", *(QUESTIONS[name] for name in names)], rows)


def sync_line(results):
    waits = [r["sync_s"] / r["groups"] * 1e3 for r in results]
    groups = [r["readings"] / r["groups"] for r in results]
    directory = per_reading(results, lambda r: r["directory_bytes"])
    refused = sum(r["overloads"] for r in results)
    return (
        (f"**{refused:.0f} commits were refused as overloaded, and tried again.** " if refused else "")
        + f"Our store: write and sync of a group {spread(waits)} ms, {spread(groups, 0)} readings in a group; {spread(directory)} bytes a "
        "reading in its whole directory, which holds preallocated log files.\n")


def growth(_, rows):
    return table(
        ["", "CPU µs/reading until sealed", "… less generator", "readings/s", "bytes/reading", "peak RSS MiB", "partitions", "flushes"],
        [
            [
                name,
                spread(per_reading(results, lambda r: r["cpu_s"], 1e6)),
                spread(per_reading(results, net_cpu, 1e6)),
                spread([r["readings"] / r["commit_wall_s"] for r in results], 0),
                spread(per_reading(results, lambda r: r["segment_bytes"])),
                spread([r["peak_bytes"] / 2**20 for r in results], 0),
                f"{results[0]['partitions']:.0f}",
                spread([r["flushes"] for r in results], 0),
            ]
            if results else [name, "took too long", *["–"] * 6]
            for name, results in rows.items()
        ])


def replay(_, rows):
    results = rows["replay"]
    return table(
        ["log GB", "s to ready", "s per GB", "CPU s per GB", "CPU µs/reading", "peak RSS MiB"],
        [[
            spread([log_gigabytes(r) for r in results]), spread([r["ready_s"] for r in results]),
            spread([r["ready_s"] / log_gigabytes(r) for r in results]), spread([r["ready_cpu_s"] / log_gigabytes(r) for r in results]),
            spread(per_reading(results, lambda r: r["ready_cpu_s"], 1e6)), spread([r["peak_bytes"] / 2**20 for r in results], 0),
        ]])


def log_gigabytes(result):
    return result["replayed_bytes"] / 1e9


def restart(_, rows):
    results = rows["restart"]
    return table(
        ["segments GB", "readings", "s to ready", "CPU s", "peak RSS MiB"],
        [[
            spread([r["segment_bytes"] / 1e9 for r in results]), f"{results[0]['readings']:,}", spread([r["ready_s"] for r in results]),
            spread([r["ready_cpu_s"] for r in results]), spread([r["peak_bytes"] / 2**20 for r in results], 0),
        ]])


def drop(_, rows):
    results = rows["drop"]
    phases = [
        [phase, *(spread([r[f"{phase}_{share}_us"] / 1e3 for r in results]) for share in ("p50", "p99", "max")),
         spread([r[f"{phase}_count"] for r in results], 0)]
        for phase in ("before", "during", "after")
    ]
    size = spread([r["partition_bytes"] / 1e6 for r in results], 0)
    return (
        f"The pass that drops {size} MB takes {spread([r['drop_ms'] for r in results])} ms.\n\n"
        + table(["commits", "p50 ms", "p99 ms", "max ms", "number"], phases))


def goals(measured):
    """What the project asks for, and what this run says. Goals that name a size need a run of that size."""
    rows = []

    def goal(scenario, name, limit, unit, value, digits=2, at_least=False, row="gaugehouse", is_full=lambda result: True):
        results = measured.get(scenario, {}).get(row)
        values = [value(result) for result in results] if results else []
        if not values or None in values or not is_full(results[0]):
            return
        median = statistics.median(values)
        holds = median >= limit if at_least else median <= limit
        rows.append([name, f"{'≥' if at_least else '≤'} {limit:,.{digits}f} {unit}", spread(values, digits), "yes" if holds else "**no**"])

    goal("decimal", "committed, fdatasync per group", 1e6, "readings/s", lambda r: r["readings"] / r["commit_wall_s"], 0, True)
    goal("decimal", "CPU per reading with flush and seal, less generator", 1, "µs", lambda r: net_cpu(r) / r["readings"] * 1e6)
    victoria = measured.get("numeric", {}).get("victoria-metrics")
    if victoria:
        limit = statistics.median(r["settled_bytes"] / r["readings"] for r in victoria)
        goal("numeric", "bytes per numeric reading, against VictoriaMetrics", limit, "bytes", lambda r: r["settled_bytes"] / r["readings"])
    plain = measured.get("noise", {}).get("raw columns + zstd")
    if plain:
        limit = plain[0]["values_and_times_4096"]
        goal("noise", "bytes per noisy reading, against raw columns + zstd", limit, "bytes", lambda r: r["settled_bytes"] / r["readings"])
    def is_big_fleet(result):
        return result["readings"] >= 10_000_000

    goal("fleet", "100 newest rows of one of 100 000 devices, p50", 100, "µs", lambda r: r.get("range100_p50_us"), 1,
         is_full=is_big_fleet)
    goal("decimal", "last hour at 1 Hz by minute, p50", 300, "µs", lambda r: r.get("hour_by_minute_p50_us"), 1,
         is_full=lambda r: r["readings"] >= 3_600_000)
    goal("fleet", "latest of one device, p50", 1, "µs", lambda r: r.get("latest1_p50_us"))
    goal("fleet", "latest of 1000 devices, p50", 1_000, "µs", lambda r: r.get("latest1000_p50_us"), 0)
    goal("replay", "replay", 5, "s per GB", lambda r: r["ready_s"] / log_gigabytes(r), row="replay",
         is_full=lambda r: log_gigabytes(r) >= 0.9)
    goal("restart", "restart, 2 GB and 100 000 devices", 2, "s", lambda r: r["ready_s"], row="restart",
         is_full=lambda r: r["segment_bytes"] >= 1.9e9)
    goal("drop", "drop of a partition", 50, "ms", lambda r: r["drop_ms"], 1, row="drop",
         is_full=lambda r: r["partition_bytes"] >= 4e8)
    return table(["goal", "asked", "measured", "reached"], rows) if rows else ""


NOTES = """\
How to read it: medians over the rounds, (least-greatest). All engines get the same readings. CPU is of all threads of the measured
process. Our store and RocksDB are called in process by three threads, batches of 500; theirs includes making or reading the readings,
which "less generator" takes off. InfluxDB and VictoriaMetrics are fed over loopback HTTP, 5000 lines of text a request from three
connections: theirs includes HTTP and text parsing, and an answer's time includes a round trip (see the empty one). "Acked": our store,
RocksDB and InfluxDB have synced each write; "no sync" and VictoriaMetrics have not. "Settled": our store sealed, RocksDB compacted,
InfluxDB and VictoriaMetrics at rest after their merges; sizes without logs, names included. VictoriaMetrics has no strings, hence the
numeric readings. Debian's RocksDB is built with assertions, which cost some of its speed; its rows have device numbers, not names.
"""


def render(about, measured):
    sections = {**{name: ingest for name in (*INGEST, "fleet", "fleet-numeric")}, **{name: growth for name in GROWTH},
                "replay": replay, "restart": restart, "drop": drop}
    parts = ["# Store benchmark\n", about, NOTES]
    reached = goals(measured)
    if reached:
        parts += ["## Goals\n", reached]
    for name, results in measured.items():
        readings = next((f" ({r[0]['readings']:,.0f} readings)" for r in results.values() if r and "readings" in r[0]), "")
        parts += [f"## {TITLES[name]}{readings}\n", sections[name](name, results)]
    return "\n".join(parts)
