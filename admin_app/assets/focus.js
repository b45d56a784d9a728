// The place of the keyboard: "/" leads to the search of a page, and the focus is kept. Streamlit draws
// a button or a box anew when its key changes, as after a job has begun or a form was sent; the focus
// would then be nowhere.

import { isTyping } from "./common.js"

const WAIT_MS = 5000
const CONTROLS = "button, input, textarea"

let last = null
const changes = new MutationObserver(restore)

/** From now on, "/" works, and a control that takes the place of the focused one gets the focus. */
export function keepFocus() {
  window.addEventListener("keydown", toSearch)  // after the elements, which listen in the document
  document.addEventListener("focusin", ({ target }) => remember(target))
  document.addEventListener("focusout", ({ target }) => setTimeout(() => forgetLeft(target)))
}

function toSearch(event) {
  if (event.key !== "/" || event.defaultPrevented || isTyping(event)) return
  const box = document.querySelector("[data-testid=stMain] input[type=search]")
  if (!box) return
  event.preventDefault()
  box.focus()
}

function remember(node) {
  if (!node.matches(CONTROLS)) {
    forget()
    return
  }
  last = { node, page: location.pathname, tag: node.localName, label: labelOf(node), lostAt: null }
  changes.observe(document.body, { childList: true, subtree: true })
}

function forget() {
  last = null
  changes.disconnect()
}

function labelOf(node) {
  return node.getAttribute("aria-label") || node.textContent
}

/** Forget a control that is still there: its reader has left it. */
function forgetLeft(node) {
  if (last?.node === node && node.isConnected) forget()
}

function restore() {
  if (!last || last.node.isConnected || document.activeElement !== document.body) return
  last.lostAt ??= Date.now()
  if (location.pathname !== last.page || Date.now() - last.lostAt > WAIT_MS) {
    forget()
    return
  }
  const others = [...document.querySelectorAll(`[data-testid=stMain] ${last.tag}`)]
  others.find(node => labelOf(node) === last.label)?.focus({ preventScroll: true })
}
