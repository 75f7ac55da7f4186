// Serves the panel in front of a driver that does not serve files itself.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { extname, join } from "node:path";

import { WEB_ROOT } from "../panel/driver.mjs";

const HEADERS = {
  "content-security-policy":
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self'; script-src 'self'; frame-ancestors 'self'",
  "x-content-type-options": "nosniff",
};

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** Returns the port of the panel: the driver's, where it serves it. */
export async function serve(driver) {
  if ((await fetch(driver.url.replace("ws:", "http:"))).ok) {
    return driver.port;
  }
  const server = createServer(async ({ url }, response) => {
    const path = join(WEB_ROOT, url === "/" ? "index.html" : url);
    try {
      const body = await readFile(path);
      response.writeHead(200, { ...HEADERS, "content-type": TYPES[extname(path)] ?? "text/plain" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.on("upgrade", ({ method, url, rawHeaders }, socket, head) => {
    const fields = rawHeaders.map((text, index) => text + (index % 2 ? "\r\n" : ": ")).join("");
    const upstream = connect(driver.port, "127.0.0.1", () => upstream.write(`${method} ${url} HTTP/1.1\r\n${fields}\r\n`));
    upstream.write(head);
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
    upstream.pipe(socket).pipe(upstream);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return server.address().port;
}
