// The small line on a card.

const WIDTH = 300;
const HEIGHT = 100;
/** Room above and below the line. */
const MARGIN = 8;

/**
 * The paths of a line and of the band between the lowest and the highest values, in a drawing of 300 by
 * 100.
 * @param {{ time: number, last: number, min: number, max: number }[]} steps  of a history
 * @param {number} span  the least difference that fills the height
 */
export function sparkPaths(steps, span = 0) {
  let [min, max] = [Infinity, -Infinity];
  for (const step of steps) {
    min = Math.min(min, step.min);
    max = Math.max(max, step.max);
  }
  const height = Math.max(max - min, span) || 1;
  const low = (min + max - height) / 2;
  const first = steps[0]?.time ?? 0;
  const length = (steps.at(-1)?.time ?? 0) - first;
  const x = ({ time }) => (length > 0 ? ((time - first) / length) * WIDTH : WIDTH);
  const y = (value) => HEIGHT - MARGIN - ((value - low) / height) * (HEIGHT - 2 * MARGIN);
  const at = (step, value) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`;
  const line = steps.map((step) => at(step, step.last));
  const top = steps.map((step) => at(step, step.max));
  const bottom = steps.map((step) => at(step, step.min)).reverse();
  return steps.length < 2
    ? { line: "", band: "" }
    : { line: `M${line.join("L")}`, band: `M${top.join("L")}L${bottom.join("L")}Z` };
}
