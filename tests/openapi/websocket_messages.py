"""Sends the examples of docs/asyncapi.yaml, and compares what comes with it: websocket_messages.py PORT."""

import asyncio
import json
import sys
import urllib.request
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from websockets.asyncio.client import connect

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
SPEC = yaml.safe_load(FILE.read_text())
PORT = sys.argv[1]
ORIGIN = f"http://localhost:{PORT}"


def at(reference):
    """What a reference leads to, through others if need be."""
    found = SPEC
    for key in reference["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return at(found) if "$ref" in found else found


def log_in():
    """Logs in as a page does, and returns the cookie."""
    request = urllib.request.Request(
        f"{ORIGIN}/api/login",
        data=json.dumps({"user": "admin", "password": "secret"}).encode(),
        headers={"Content-Type": "application/json", "Origin": ORIGIN},
    )
    with urllib.request.urlopen(request) as response:
        return response.headers["Set-Cookie"].split(";")[0]


def read(message, text):
    return text if message.get("contentType") == "text/plain" else json.loads(text)


def fits(messages, text):
    """Counts the messages that the text may be."""
    return sum(Draft202012Validator(message["payload"]).is_valid(read(message, text)) for message in messages)


def check(messages, text, what):
    """Fails unless the text is one of the messages."""
    if (count := fits(messages, text)) != 1:
        sys.exit(f"{what}: {text} is {count} of the messages that it may be")


async def exchange(name, cookie):
    """Sends all examples of a channel. Returns the number of messages that were compared."""
    channel = SPEC["channels"][name]
    operations = {key: at_ for key, at_ in SPEC["operations"].items() if key.startswith(name)}
    greet, deliver, take = (operations[name + word] for word in ("Greet", "Deliver", "Take"))
    url = f"ws://localhost:{PORT}{channel['address']}"
    headers = {"Cookie": cookie}
    async with connect(url, origin=ORIGIN, additional_headers=headers) as ours, connect(
        url, origin=ORIGIN, additional_headers=headers
    ) as other:
        for socket in (ours, other):
            check([at(message) for message in greet["messages"]], await socket.recv(), f"{name} greeting")
        command = next(message for message in map(at, take["messages"]) if message["examples"][0]["name"] == "NOOP")
        opened = next(example["payload"] for example in command["examples"] if example["name"] == "OPEN")
        await other.send(opened if isinstance(opened, str) else json.dumps(opened))
        await other.recv()
        replies = [at(message) for message in take["reply"]["messages"]]
        events = [at(message) for message in deliver["messages"]]
        count = 2
        for message in map(at, take["messages"]):
            for example in message["examples"]:
                payload = example["payload"]
                await ours.send(payload if isinstance(payload, str) else json.dumps(payload))
                what = f"{name} {example['name']}"
                # A login that fails is answered late.
                reply = await asyncio.wait_for(ours.recv(), 20)
                while fits(events, reply) == 1:
                    reply = await asyncio.wait_for(ours.recv(), 20)
                check(replies, reply, what)
                count += 1
        event = await asyncio.wait_for(other.recv(), 20)
        check(events, event, f"{name} event")
        return count + 1


async def main():
    cookie = log_in()
    counts = {name: await exchange(name, cookie) for name in SPEC["channels"]}
    print(f"docs/asyncapi.yaml: {counts} messages are as it says")


asyncio.run(main())
