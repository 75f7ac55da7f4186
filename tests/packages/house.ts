// A program of somebody who has installed the package: it is compiled with all of its types checked.

import { TEST_KEY, VscpClient, VscpError, VscpEvent, formatEvent, parseEvent, parseGuid } from "vscp-client";
import { measurementOf } from "vscp-client/measurement";
import type { Measurement } from "vscp-client/measurement";
import type { VscpSwitch, VscpValue } from "vscp-client/widgets";

export { TEST_KEY, VscpError, parseGuid };

/** A lamp: it answers what others send to its zone until `stop` says so. */
export async function lamp(url: string, stop: AbortSignal, protocol: "ws1" | "ws2"): Promise<number> {
  const client = new VscpClient({ url, user: "admin", password: "secret", protocol });
  stop.addEventListener("abort", () => client.close());
  let switched = 0;
  for await (const event of client) {
    if (event.class === 30 && (event.type === 5 || event.type === 6)) {
      switched += 1;
      await client.send({ class: 20, type: event.type - 2, data: event.data }).catch((error) => {
        if (!stop.aborted) {
          throw error;
        }
      });
    }
  }
  return switched;
}

/** Returns the first temperature that comes. */
export async function firstTemperature(url: string): Promise<Measurement> {
  const client = new VscpClient({ url, user: "admin", password: "secret" });
  await client.connect();
  await client.setFilter({ class: 10, type: 6 });
  for await (const { type, measurement } of client) {
    if (type === 6 && measurement) {
      client.close();
      return measurement;
    }
  }
  throw new Error("The client was closed.");
}

/** Both ways to the same. */
export function read(text: string): [Measurement | null, Measurement | null, string] {
  const event: VscpEvent = parseEvent(text);
  return [event.measurement, measurementOf(event), formatEvent(event)];
}

/** Never called: elements are for browsers. Their types are there. */
export function label(value: VscpValue, light: VscpSwitch): string {
  // @ts-expect-error: there is no such member
  void value.nothing;
  return `${value.label} ${light.isOn === null ? "?" : String(light.isOn)}`;
}
