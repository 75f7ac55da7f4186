#!/usr/bin/env node
// A client in JavaScript for Node.js: logs in with ws2, sends an event if one is given, prints
// those that come. All that it needs is ../www/vscp.js; it connects again by itself.
//
//     node client.mjs ["96,30,5,,,,-,0,1,2"]      # turn on zone 1, subzone 2
//
// Up to Node.js 21: node --experimental-websocket client.mjs
// The environment says where and who: VSCP_URL, VSCP_USER, VSCP_PASSWORD, VSCP_KEY (hex).

import { VscpClient, formatEvent, parseEvent } from "../www/vscp.js";

const {
  VSCP_URL: url = "ws://localhost:8884",
  VSCP_USER: user = "admin",
  VSCP_PASSWORD: password = "secret",
  VSCP_KEY: key,
} = process.env;

const client = new VscpClient({ url, user, password, key, protocol: "ws2" });
client.on("event", (event) => console.log(formatEvent(event)));
client.on("state", ({ state, error }) => console.error(state, error?.message ?? ""));
try {
  await client.connect();
  for (const text of process.argv.slice(2)) {
    await client.send(parseEvent(text));
  }
} catch (error) {
  client.close();
  process.exitCode = 1;
}
