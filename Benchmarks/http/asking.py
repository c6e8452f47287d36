"""Asks a server questions over HTTP from outside of Python: `wrk` as fast as it goes, `paced` at a fixed rate."""

import json
import pathlib
import re
import subprocess
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent

# `wrk` asks the paths in turn; the numbers come as one line that needs no units.
SCRIPT = """
local number = 0
request = function()
    number = number % #paths + 1
    return wrk.format("GET", paths[number])
end
done = function(summary, latency, requests)
    local errors = summary.errors
    local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    print(string.format("JSON {\\"requests\\": %d, \\"seconds\\": %f, \\"bytes\\": %d, \\"errors\\": %d, \\"p50_us\\": %f, \\"p99_us\\": %f}",
        summary.requests, summary.duration / 1e6, summary.bytes, wrong, latency:percentile(50), latency:percentile(99)))
end
"""


class WrongAnswer(Exception):
    """A server that answered, but not what was asked."""


def path_of(question):
    """The path of a question that other harnesses may send as a form."""
    (path, body), _ = question
    return f"{path}{'&' if '?' in path else '?'}{body}" if body else path


def check(server, question):
    """Asks once, before anything is measured: a wrong answer is quickly given."""
    content = server.get(path_of(question))
    is_right = question[1]
    if is_right and not is_right(content):
        raise WrongAnswer(f"{server.name}: {path_of(question)[:200]}: {content[:300]}")
    return content


def flat_out(port, paths, connections, seconds, folder):
    """Requests a second and latencies of a closed loop of so many connections."""
    script = pathlib.Path(folder) / "paths.lua"
    listed = ",".join(json.dumps(path) for path in paths)
    script.write_text(f"paths = {{{listed}}}\n{SCRIPT}")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "30", "--latency", "-s", script, f"http://127.0.0.1:{port}/"]
    output = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
    result = json.loads(re.search(r"^JSON (.*)$", output, re.MULTILINE).group(1))
    if result["errors"] or not result["requests"]:
        raise WrongAnswer(f"port {port}: {result}")
    return result | {"per_second": result["requests"] / result["seconds"]}


def build_paced(folder):
    binary = pathlib.Path(folder) / "paced"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", str(binary), str(HERE / "paced.c")], check=True)
    return binary


def paced(binary, port, paths, connections, rate, seconds):
    """Latencies at a fixed rate, each from when its request was due."""
    done = subprocess.run(
        [str(binary), str(port), str(connections), str(rate), str(seconds)], check=True, input="\n".join(paths) + "\n", capture_output=True, text=True)
    return json.loads(done.stdout)


def quoted(text):
    return urllib.parse.quote(text, safe="")
