// The place of the keyboard: "/" leads to the search of a page, a form that asks something gets the
// focus, Esc cancels it, and the focus is kept. Streamlit draws a button or a box anew when its key
// changes, as after a job has begun or a form was sent; the focus would then be nowhere.

import { isTyping } from "./common.js"

const WAIT_MS = 5000
const CONTROLS = "button, input, textarea"
const QUESTION = "[data-testid=stMain] [class*=st-key-asks-]"
const TOUCH = "(pointer: coarse)"  // there, the focus would open a keyboard over the page

let last = null
let asked = null
let cancelled = null  // a form for which Esc was pressed, until its button is drawn
const seen = new WeakSet()
let searchBefore = null
let answeredAt = 0
const changes = new MutationObserver(restore)

/** From now on, "/" and Esc work, and what takes the place of the focused control gets the focus. */
export function keepFocus() {
  new MutationObserver(() => {
    toQuestion()
    pressCancel()
  }).observe(document.body, { childList: true, subtree: true })
  toQuestion()  // of a page that was drawn before
  window.addEventListener("keydown", toSearch)  // after the elements, which listen in the document
  window.addEventListener("keydown", cancel)
  document.addEventListener("focusin", ({ target }) => remember(target))
  document.addEventListener("focusout", ({ target }) => setTimeout(() => forgetLeft(target)))
}

function toSearch(event) {
  if (event.key !== "/" || event.defaultPrevented || isTyping(event)) return
  const box = searchBox()
  if (!box) return
  event.preventDefault()
  box.focus()
}

/** The box of a form that has just appeared gets the focus, unless a text is being typed. */
function toQuestion() {
  const questions = [...document.querySelectorAll(QUESTION)]
  const boxes = questions.map(question => question.querySelector("input")).filter(Boolean)
  if (!boxes.includes(asked)) toAnswer()
  const shown = boxes.filter(box => box.offsetParent !== null)
  const box = shown.at(-1)  // of a link's two forms, the one of what it opens
  const isNew = box && !seen.has(box)
  shown.forEach(one => seen.add(one))
  if (!isNew || matchMedia(TOUCH).matches) return
  asked = box
  searchBefore = searchBox()
  const { activeElement } = document
  const focused = activeElement.shadowRoot?.activeElement ?? activeElement
  if (!focused.matches("input, textarea")) box.focus({ preventScroll: true })
}

/** After the question, the search of what it opened gets the focus. */
function toAnswer() {
  if (asked) [asked, answeredAt] = [null, Date.now()]
  if (Date.now() - answeredAt > WAIT_MS || document.activeElement !== document.body) return
  const box = searchBox()
  if (!box || box === searchBefore) return
  answeredAt = 0
  box.focus({ preventScroll: true })
}

function searchBox() {
  return document.querySelector("[data-testid=stMain] input[type=search]")
}

function cancel(event) {
  cancelled = null  // a later key is meant for something else
  if (event.key !== "Escape" || event.defaultPrevented) return
  const forms = [...document.querySelectorAll(QUESTION)]
  cancelled = forms.find(cancelButton) ?? forms.at(-1)
  pressCancel()
}

function pressCancel() {
  const button = cancelled?.isConnected && cancelButton(cancelled)
  if (!button) return
  cancelled = null
  button.click()
}

function cancelButton(form) {
  return [...form.querySelectorAll("button")].find(button => button.textContent === "Cancel")
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
