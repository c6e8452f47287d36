"""What `explain` and `check-config` say of several brokers and of doubtful options."""

import json
import pathlib

from harness.program import GAUGEHOUSE, run

BROKERS = """\
[[mqtt]]
host = "one"
[[mqtt.subscription]]
filter = "a/+"
topic = "a/{device}"
[[mqtt.subscription]]
filter = "both/#"
topic = "both/{device}"

[[mqtt]]
host = "two"
port = 1884
client_id = "second"
[[mqtt.subscription]]
filter = "both/#"
topic = "both/{device}/#"
format = "value"
time_key = "ts"
"""


def explain(config: pathlib.Path, topic: str, *flags: str) -> tuple[int, str]:
    done = run(GAUGEHOUSE, "explain", "--config", config, "--topic", topic, "--payload", "7", *flags)
    return done.returncode, done.stdout + done.stderr


def test_explain_tells_the_broker_apart(tmp_path: pathlib.Path) -> None:
    config = tmp_path / "brokers.toml"
    config.write_text(BROKERS)
    code, text = explain(config, "a/d")
    assert code == 65 and "by subscription a/+ at one:1883 (json)" in text, text
    code, text = explain(config, "both/d/x")
    assert code == 0 and "by subscription both/# at two:1884 (value)" in text, text
    code, text = explain(config, "both/d")
    assert code == 64 and "one:1883, two:1884 fit the topic: choose one by --broker" in text, text
    code, text = explain(config, "both/d", "--broker", "two:1884", "--json")
    assert code == 0 and json.loads(text)["readings"][0]["device"] == "d", text
    code, text = explain(config, "both/d", "--broker", "two")
    assert code == 64 and "no broker two; there is one:1883, two:1884" in text, text
    code, text = explain(config, "nowhere")
    assert code == 65 and "unmatched-topic" in text, text


def test_check_config_warns_and_passes(tmp_path: pathlib.Path) -> None:
    config = tmp_path / "brokers.toml"
    config.write_text(BROKERS)
    done = run(GAUGEHOUSE, "check-config", "--config", config)
    assert (done.returncode, done.stdout) == (0, f"{config}: OK\n"), done
    assert done.stderr == f"warning: {config}:18: time_key: the format value does not read it\n", done
