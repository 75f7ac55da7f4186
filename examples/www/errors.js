// The errors of vscp.js and the server, in the language of the page.

import { TEXTS, t } from "./texts.js";

/**
 * Their messages, and the texts for them.
 * @type {Record<string, string>}
 */
export const MESSAGES = {
  "The key must be 32 hex digits.": "error.key",
  "The connection was lost.": "error.lost",
  "The connection was closed.": "error.closed",
  "The server cannot be reached.": "login.unreachable",
  "The server does not answer.": "error.silent",
  "There is no connection.": "error.none",
  "Syntax error.": "error.syntax",
  "Unknown command.": "error.command",
  "Transmit buffer full.": "error.full",
  "Not authorised.": "error.authorised",
  "Not allowed to send event.": "error.allowed",
  "Not allowed to do that (check privileges)": "error.privileges",
  "Parse error, invalid format.": "error.parse",
};
const ENDED = /^The server has closed the connection: (.*)\.$/;

/**
 * Tells why something has failed. A message without a text stays as it is.
 * @param {unknown} error
 * @returns {string}
 */
export function reasonOf(error) {
  const message = error instanceof Error ? error.message : String(error);
  const ended = ENDED.exec(message)?.[1];
  if (ended !== undefined) {
    return t("error.ended", { reason: `error.why.${ended}` in TEXTS ? t(`error.why.${ended}`) : ended });
  }
  const key = MESSAGES[message];
  return key ? t(key) : message;
}
