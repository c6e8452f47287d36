"""A fleet to look at: river gauges with plausible days behind them. The same seed makes the same rivers."""

import json
import math
import random
from collections.abc import Iterator

RIVERS = ("aare", "elbe", "inn", "isar", "lech", "main", "mosel", "neckar", "oder", "rhein", "ruhr", "saale", "spree", "werra")
BATCH_LINES = 20_000
# Radio and battery of one gauge in so many are bad, one in so many has lost hours.
WEAK_ONE_IN = 17
GAPPY_ONE_IN = 5


class Gauge:
    """One device: its name, and what it measures at a time."""

    def __init__(self, number: int, seed: int) -> None:
        chance = random.Random(seed * 1_000_003 + number)
        self.name = f"{RIVERS[number % len(RIVERS)]}-{number // len(RIVERS) + 1:03}"
        self._level = chance.uniform(0.8, 6.5)
        self._swing = chance.uniform(0.05, 0.5)
        self._phase = chance.uniform(0, 2 * math.pi)
        self._warmth = chance.uniform(6, 17)
        self._battery = 100 - chance.expovariate(1 / 18)
        self.is_weak = chance.randrange(WEAK_ONE_IN) == 0
        self._gap = (chance.uniform(0.2, 0.6), chance.uniform(0.03, 0.12)) if chance.randrange(GAPPY_ONE_IN) == 0 else (2.0, 0.0)
        self._chance = chance

    def is_silent(self, share: float) -> bool:
        """Whether it was silent at this share of its history, 0...1."""
        return self._gap[0] <= share <= self._gap[0] + self._gap[1]

    def values(self, second: float) -> dict[str, float | int | str]:
        hour = second / 3_600
        wave = math.sin(hour / 3.1 + self._phase) + 0.35 * math.sin(hour * 1.7 + 2 * self._phase)
        level = self._level + self._swing * wave + self._chance.gauss(0, 0.02)
        battery = max(4, min(100, int(self._battery - (70 if self.is_weak else 0))))
        return {
            "level": round(level, 3),
            "flow": round(max(0.1, 14 * level**1.6 + self._chance.gauss(0, 1.5)), 2),
            "water_temp": round(self._warmth + 1.8 * math.sin(hour * math.pi / 12 - 2.2) + self._chance.gauss(0, 0.05), 2),
            "battery": battery,
            "status": "low-battery" if battery < 20 else "ok",
        }


def gauges(count: int, seed: int = 5) -> list[Gauge]:
    return [Gauge(number, seed) for number in range(count)]


def history(fleet: list[Gauge], start: int, end: int, interval: int) -> Iterator[str]:
    """NDJSON for all gauges from second `start` to `end`, in bodies of a few thousand lines."""
    lines: list[str] = []
    for second in range(start, end, interval):
        for gauge in fleet:
            if gauge.is_silent((second - start) / max(1, end - start)):
                continue
            lines.append(line(gauge, second))
            if len(lines) == BATCH_LINES:
                yield "\n".join(lines)
                lines = []
    if lines:
        yield "\n".join(lines)


def line(gauge: Gauge, second: int) -> str:
    """One native reading as a line of NDJSON."""
    return json.dumps({"device": gauge.name, "time": second * 1_000, "fields": gauge.values(second)})
