"""The templates of the package for Home Assistant, rendered by it with what the driver answers. Sends an event as its
script would."""

import asyncio
import json
import pathlib
import sys
import urllib.parse
import urllib.request

from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
from homeassistant.util.yaml import Secrets, load_yaml

FOLDER, URL = pathlib.Path(sys.argv[1]), sys.argv[2]


def fetch(request):
    with urllib.request.urlopen(request, timeout=10) as reply:
        return reply.read().decode()


async def main():
    hass = HomeAssistant(str(FOLDER))
    render = lambda text, **variables: Template(text, hass).async_render(variables, parse_result=False)
    package = load_yaml(str(FOLDER / "packages/vscp.yaml"), Secrets(FOLDER))

    for resource in package["rest"]:
        page = await hass.async_add_executor_job(fetch, resource["resource"])
        variables = {"value": page}
        if page.startswith("{"):
            variables["value_json"] = json.loads(page)
        for kind in ("sensor", "binary_sensor"):
            for entity in resource.get(kind, []):
                value = render(entity["value_template"], **variables)
                print(f"Home Assistant: {entity['name']} is {value}")
                if kind == "sensor":
                    float(value)
                elif value != "True":
                    sys.exit(f"{entity['name']}: {value}")
                if "availability" in entity and render(entity["availability"], **variables) != "True":
                    sys.exit(f"{entity['name']} is not available")

    (name, command), = package["rest_command"].items()
    step = package["script"]["hall_light_on"]["sequence"][0]
    if step["service"] != f"rest_command.{name}":
        sys.exit(f"the script calls {step['service']}")
    headers = {**command["headers"], "Content-Type": command["content_type"]}
    body = render(command["payload"], **step["data"]).encode()
    request = urllib.request.Request(command["url"], body, headers, method=command["method"].upper())
    reply = await hass.async_add_executor_job(fetch, request)
    if not reply.startswith("1 1 Success"):
        sys.exit(reply)
    print("Home Assistant: its script sends an event")
    await hass.async_stop(force=True)


asyncio.run(main())
