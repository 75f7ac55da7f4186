// Addresses inside of the panel: #/VIEW/PART?name=value. Each can be kept and sent to others.

/**
 * @typedef {object} Route
 * @property {string} view
 * @property {string} part   the id of what the view shows, or ""
 * @property {Object<string, string>} values
 */

/** @returns {Route} */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...parts] = path.split("/");
  return { view: view || "home", part: decode(parts.join("/")), values: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a view; values that are "" or undefined are left out. */
export function routeTo(view, part = "", values = {}) {
  // Colons and slashes of ids are allowed in the fragment of an address (RFC 3986 §3.5).
  const tail = part && `/${encodeURIComponent(part).replaceAll("%3A", ":").replaceAll("%2F", "/")}`;
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
  return `#/${view}${tail}${query && `?${query}`}`;
}

/** Changes values of the address without a step in the history of the browser. */
export function keepInAddress(change) {
  const { view, part, values } = parseRoute(location.hash);
  history.replaceState(history.state, "", routeTo(view, part, { ...values, ...change }));
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
