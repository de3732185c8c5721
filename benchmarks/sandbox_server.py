"""The sandbox as a process: its start, the CPU time of an update, and its memory.

`python -m benchmarks.sandbox_server SESSIONS` prints the measurements of a server with a database
file as JSON. Each session has one update, which closes it with a cart and a coupon; every tenth
has an idempotency key. The server runs twice, the first time with a fifth of the sessions:
memory that grows with them would show in the difference.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HEADERS = {"Authorization": "ApiKey-v1 sandbox-integration-key"}
CART = [{"sku": f"sku-{line}", "quantity": 1, "price": 12.5} for line in range(20)]
CLOSING = {"state": "closed", "couponCodes": ["TEN-OFF"]}
PROFILES = 1_000


def measure(sessions: int) -> dict[str, float]:
    """Run a server for so many sessions, and return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "sandbox.db"
        started = time.perf_counter()
        command = [sys.executable, "-m", "talon_one.cli", "sandbox", "--database", str(database)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        connection = http.client.HTTPConnection("127.0.0.1", _port(process))
        _update(connection, "first", {})
        first_response = time.perf_counter() - started
        for number in range(sessions):
            profile = f"profile-{number % PROFILES}"
            session = {"profileId": profile, "cartItems": CART, **CLOSING}
            key = {"Idempotency-Key": f"key-{number}"} if number % 10 == 0 else {}
            _update(connection, f"order-{number}", session, key)
        connection.close()
        size = database.stat().st_size
        process.terminate()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        assert process.stdout is not None
        process.stdout.close()
    return {
        "seconds from command to first response": round(first_response, 3),
        "milliseconds of CPU per update": round(
            1000 * (usage.ru_utime + usage.ru_stime) / sessions, 3
        ),
        "megabytes of memory at most": round(usage.ru_maxrss / 1024, 1),
        "megabytes of the database": round(size / 1e6, 1),
    }


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if match := re.search(r"127\.0\.0\.1:(\d+)", line):
            return int(match[1])
    raise RuntimeError("the sandbox has not started")


def _update(
    connection: http.client.HTTPConnection,
    session_id: str,
    session: dict[str, Any],
    headers: dict[str, str] | None = None,
) -> None:
    body = json.dumps({"customerSession": session})
    target = f"/v2/customer_sessions/{session_id}"
    connection.request("PUT", target, body, {**HEADERS, **(headers or {})})
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        raise RuntimeError(f"{response.status} {content!r}")


if __name__ == "__main__":
    wanted = int(sys.argv[1])
    print(json.dumps({count: measure(count) for count in (wanted // 5, wanted)}, indent=2))
