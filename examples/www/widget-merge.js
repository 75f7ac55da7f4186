// The events that a page has seen and those that the server remembers, as one list.

/** @typedef {{ time: number, event: import("./vscp.js").VscpEvent }} Entry */

/**
 * Puts what the server has answered into a list, the newest first.
 * @param {Entry[]} shown      what the page has, the newest first
 * @param {Entry[][]} answers  one for each class or type that was asked for, or one for all
 * @param {number} since       when the server was asked
 * @returns {Entry[]}
 */
export function merge(shown, answers, since) {
  const loaded = answers.flat();
  const isKnown = shown.map(({ event }) => loaded.some((other) => isSame(other.event, event)));
  // An event that no answer has is newer than the answer, or too old for its limit. Times do not
  // tell which, for the clock of the server may differ. The order on the page does: the event is
  // newer if it stands above the newest one that the answer has, or came after the server was
  // asked.
  const isNewer = shown.map(({ time, event }, place) => {
    const newest = isKnown.findIndex((known, other) => known && (answers.length === 1 || isAlike(shown[other]?.event, event)));
    return !isKnown[place] && (time >= since || place < newest);
  });
  const others = shown.filter((_, place) => !isKnown[place] && !isNewer[place]);
  return [...shown.filter((_, place) => isNewer[place]), ...[...loaded, ...others].sort((one, other) => other.time - one.time)];
}

/**
 * @param {Entry["event"]} one
 * @param {Entry["event"]} other
 */
function isSame(one, other) {
  return one.timestamp === other.timestamp && one.guid === other.guid && isAlike(one, other);
}

/**
 * @param {Entry["event"] | undefined} one
 * @param {Entry["event"]} other
 */
function isAlike(one, other) {
  return one?.class === other.class && one.type === other.type;
}
