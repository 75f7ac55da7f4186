// Numbers as measurements have them.

/**
 * With six digits, or two decimals if that is more, where it is not said how many there are.
 * @param {number} value
 * @param {number} [decimals]
 */
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
