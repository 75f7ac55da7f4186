"""Has a real Prometheus read the driver, and asks it each query of the dashboard and of the alerts."""

import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PROMETHEUS, RECIPES, PAGE = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
JOB = "vscp-websocksrv"
# There is no CAN bus here.
EMPTY = ["websocksrv_can_bus_up"]


def get(path, **parameters):
    url = f"{PROMETHEUS}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.load(reply)["data"]


def query(expression):
    try:
        return get("query", query=expression)["result"]
    except urllib.error.HTTPError as error:
        if error.code == 503:
            raise  # It starts.
        sys.exit(f"{expression}: {error.read().decode()}")


def wait_until(what, condition):
    deadline = time.monotonic() + 60
    while True:
        try:
            if condition():
                return
        except urllib.error.URLError:
            pass  # It starts.
        if time.monotonic() > deadline:
            sys.exit(f"in vain: {what}")
        time.sleep(0.2)


def queries_of(panel):
    return [target["expr"] for target in panel.get("targets", [])]


wait_until("the driver is up", lambda: query(f'up{{job="{JOB}"}} == 1'))
# Rates need two samples.
wait_until("there are some samples", lambda: query('count_over_time(websocksrv_uptime_seconds[1m]) >= 3'))

instance = query("websocksrv_build_info")[0]["metric"]["instance"]
dashboard = json.loads((RECIPES / "grafana/dashboard.json").read_text())
panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
variables = {"instance": instance, "type": "Temperature", "__rate_interval": "1m"}
expressions = [expression for panel in panels for expression in queries_of(panel)]
for expression in expressions:
    text = expression
    for name, value in variables.items():
        text = text.replace(f"${name}", value)
    if "$" in text:
        sys.exit(f"{expression}: a variable that the test does not know")
    if not query(text) and not any(name in text for name in EMPTY):
        sys.exit(f"{text}: no result")
if any(not queries_of(panel) for panel in panels):
    sys.exit("a panel has no query")
ids = [panel["id"] for panel in dashboard["panels"]]
if len(ids) != len(set(ids)):
    sys.exit("two panels have the same id")

with urllib.request.urlopen(PAGE, timeout=10) as reply:
    known = set(re.findall(r"^# TYPE (\S+)", reply.read().decode(), re.MULTILINE)) | {"up"}
alerts = [rule for group in get("rules")["groups"] for rule in group["rules"]]
wait_until(
    "all rules are evaluated",
    lambda: all(rule["health"] == "ok" for group in get("rules")["groups"] for rule in group["rules"]),
)
for expression in expressions + [alert["query"] for alert in alerts]:
    for name in re.findall(r"\b(?:websocksrv|process)_\w+", expression):
        if name not in known:
            sys.exit(f"{expression}: the driver has no metric {name}")
firing = [alert["name"] for alert in alerts if alert["state"] != "inactive"]
if firing:
    sys.exit(f"alerts although all is well: {firing}")
print(f"Prometheus reads the driver: {len(known)} metrics, {len(expressions)} queries of the dashboard, {len(alerts)} alerts")
