// Numbers, times and GUIDs as they are shown.

/** With six digits, or two decimals if that is more, where it is not said how many there are. */
export function formatNumber(value, decimals) {
  const size = Math.abs(value);
  if (size >= 1e12 || (size > 0 && size < 1e-9)) {
    return value.toExponential(3);
  }
  if (decimals === undefined) {
    return String(Number(size < 1000 ? value.toPrecision(6) : value.toFixed(2)));
  }
  return value.toFixed(Math.min(decimals, 12));
}

/** A GUID without its leading FF or 00 bytes, in a form that parseGuid of vscp.js reads. */
export function shortGuid(guid) {
  const short = guid.replace(/^(FF:)+/, "::").replace(/^(00:)+/, "-:");
  return short === "-:00" ? "-" : short;
}

/** The local time of day, HH:MM:SS. */
export function clock(time) {
  return new Date(time).toTimeString().slice(0, 8);
}

export function duration(seconds) {
  if (seconds < 100) {
    return `${Math.max(1, Math.round(seconds))} s`;
  }
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
