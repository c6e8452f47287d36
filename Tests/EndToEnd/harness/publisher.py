"""An MQTT client that has nothing in common with the gateway's: paho."""

import json
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt

from .waiting import PATIENCE


def topic(device: str) -> str:
    return f"devices/{device}/telemetry"


class Publisher:
    """Publishes at QoS 1; use as a context manager."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connected = threading.Event()
        self._pending: list[mqtt.MQTTMessageInfo] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.max_inflight_messages_set(1_000)
        self._client.on_connect = lambda *_: self._connected.set()

    def __enter__(self) -> "Publisher":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._connected.wait(PATIENCE), "the publisher cannot connect to the broker"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, topic: str, payload: bytes | str | dict[str, Any] | list[Any]) -> None:
        """Begins to publish; JSON for everything that is no text."""
        body = payload if isinstance(payload, bytes | str) else json.dumps(payload, ensure_ascii=False)
        self._pending.append(self._client.publish(topic, body, qos=1))

    def settle(self) -> None:
        """Returns when the broker has acked everything that was sent."""
        deadline = time.monotonic() + PATIENCE
        for info in self._pending:
            info.wait_for_publish(max(0.0, deadline - time.monotonic()))
            assert info.is_published(), "the broker did not ack in time"
        self._pending.clear()

    def publish(self, topic: str, payload: bytes | str | dict[str, Any] | list[Any]) -> None:
        """Publishes one message; returns when the broker has acked it."""
        self.send(topic, payload)
        self.settle()
