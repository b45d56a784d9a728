// The messages of this tab that are not stored: those that wait to be sent, and those that were not
// sent. Both are in the tab's storage, as drafts are: a reload keeps them.

const WAITING = "cruddur waiting"
const UNSENT = "cruddur unsent"
const NOT_SENT = "The page was reloaded before the message was sent."
const UNCONFIRMED = "The page was reloaded before the answer came: the message may or may not be"
  + " stored. Check the conversation before you send it again."

/** The messages to send, oldest first. A form that takes the element's place does not end them. */
export const waiting = []

export function saveWaiting() {
  write(WAITING, waiting)
}

/**
 * The messages that were not sent, oldest first, of all conversations.
 *
 * `problem` is the reason; a draft that gave its place in the box to another text has none. The one
 * that is in its box again is `isInBox`.
 */
export function readUnsent() {
  return read(UNSENT)
}

export function writeUnsent(messages) {
  write(UNSENT, messages)
}

/**
 * Keep the messages that waited when the page was left.
 *
 * They are not sent by themselves: the server remembers the ids of messages only until it ends, and
 * another person may have logged in.
 */
export function keepLeft() {
  const left = read(WAITING).filter(message => !waiting.some(one => one.id === message.id))
  if (!left.length) return
  writeUnsent([...readUnsent(), ...left.map(message => (
    { ...message, problem: message.isPosted ? UNCONFIRMED : NOT_SENT }))])
  saveWaiting()
}

function read(name) {
  return JSON.parse(sessionStorage.getItem(name) ?? "[]")
}

function write(name, messages) {
  if (messages.length) sessionStorage.setItem(name, JSON.stringify(messages))
  else sessionStorage.removeItem(name)
}
