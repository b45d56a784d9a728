// A list whose rows all have the same height: its own height is known, only the visible rows are in
// the page, and the server sends the others when they are scrolled to.

import { Asker, el } from "./common.js"

const AROUND = 8
const CLOCK_MS = 30000
const PAUSE_MS = 60

/**
 * The rows of `data`: `total` rows, of which the server has sent `rows`, from number `start` on.
 *
 * A subclass says how high a row is (`height`), makes its node (`make`), and names what the node
 * shows besides the row (`state`). The keyboard reaches the links and buttons of the active row with
 * Tab, and other rows with the arrows.
 */
export class RowList {
  constructor(attributes) {
    this.asker = new Asker()
    this.data = null
    this.shown = new Map()
    this.looks = new WeakMap()
    this.active = 0
    this.rows = el("div", { class: "rows", ...attributes })
    this.list = el("div", {
      class: "list", scroll: () => this.draw(), keydown: event => this.key(event),
    }, this.rows)
    this.clock = setInterval(() => this.data && this.redraw(), CLOCK_MS)
  }

  stop() {
    clearInterval(this.clock)
    clearTimeout(this.wait)
    this.unfit()
    this.asker.stop()
  }

  toTop() {
    this.list.scrollTop = 0
    this.active = 0
  }

  get first() {
    return Math.max(0, Math.floor(this.list.scrollTop / this.height) - AROUND)
  }

  /** The number of the row after the last one that is drawn. */
  get end() {
    const bottom = this.list.scrollTop + this.list.clientHeight
    return Math.min(this.data.total, Math.ceil(bottom / this.height) + AROUND)
  }

  /** What `make` shows besides the row itself. */
  state() {
    return null
  }

  look(row) {
    return JSON.stringify([row, this.state(row), this.height])
  }

  /** Draw the visible rows as they are now; the focus stays in the active row. */
  redraw() {
    const focused = this.focusedPlace()
    for (const [index, node] of this.shown) {
      const row = this.data.rows[index - this.data.start]
      if (row && this.looks.get(node) === this.look(row)) continue
      node.remove()
      this.shown.delete(index)
    }
    this.draw()
    if (focused && this.focusedPlace()?.index !== this.active) {
      this.focusControl(this.active, focused.control)
    }
  }

  draw() {
    if (!this.data) return
    const { total, start, rows, more } = this.data
    this.rows.style.height = `${total * this.height}px`
    const { first, end } = this
    for (const [index, node] of this.shown) {
      if (index >= first && index < end) continue
      node.remove()
      this.shown.delete(index)
    }
    let isMissing = Boolean(more) && end >= total
    for (let index = first; index < end; index += 1) {
      const row = rows[index - start]
      if (!row) isMissing = true
      else if (!this.shown.has(index)) this.add(index, row)
    }
    this.markActive()
    if (isMissing) this.viewSoon()
  }

  add(index, row) {
    const node = this.make(index, row)
    node.addEventListener("focusin", () => this.activate(index))
    node.style.top = `${index * this.height}px`
    node.style.height = `${this.height}px`
    const after = Math.min(...[...this.shown.keys()].filter(other => other > index))
    this.rows.insertBefore(node, this.shown.get(after) ?? null)
    this.shown.set(index, node)
    this.looks.set(node, this.look(row))
  }

  /** Ask for the visible rows, once the scrolling pauses; while a store fails, once for a place. */
  viewSoon() {
    const isAnswered = this.data.trouble && this.viewed === this.first
    if (isAnswered || this.asker.waits("view")) return
    clearTimeout(this.wait)
    this.wait = setTimeout(() => !this.asker.waits("view") && this.view(), PAUSE_MS)
  }

  view() {
    this.viewed = this.first
    this.asker.ask({ kind: "view", start: this.first })
  }

  // The keyboard

  controls(index) {
    return [...(this.shown.get(index)?.querySelectorAll("a, button") ?? [])]
  }

  /** The row and the control that have the focus. */
  focusedPlace() {
    const node = this.list.getRootNode().activeElement
    for (const index of this.shown.keys()) {
      const control = this.controls(index).indexOf(node)
      if (control >= 0) return { index, control }
    }
    return null
  }

  activate(index) {
    this.active = index
    this.markActive()
  }

  markActive() {
    const active = this.shown.has(this.active) ? this.active : Math.min(...this.shown.keys())
    for (const index of this.shown.keys()) {
      for (const control of this.controls(index)) control.tabIndex = index === active ? 0 : -1
    }
  }

  key(event) {
    const place = this.focusedPlace()
    if (!place || event.ctrlKey || event.metaKey || event.altKey) return
    const { index } = place
    const page = Math.max(1, Math.floor(this.list.clientHeight / this.height) - 1)
    const to = {
      ArrowDown: index + 1, j: index + 1, ArrowUp: index - 1, k: index - 1, Home: 0,
      End: this.data.total - 1, PageDown: index + page, PageUp: Math.max(0, index - page),
    }[event.key]
    if (to == null) return
    event.preventDefault()
    if (to < 0) this.beforeFirst()
    else this.focusOn(to, place.control)
  }

  /** An arrow was pressed that leads out of the list, at its beginning. */
  beforeFirst() {}

  /** Move to a row, and scroll to it. */
  focusOn(index, control = 0) {
    const at = Math.max(0, Math.min(index, this.data.total - 1))
    const top = at * this.height
    const { scrollTop, clientHeight } = this.list
    if (top < scrollTop) this.list.scrollTop = top
    else if (top + this.height > scrollTop + clientHeight) {
      this.list.scrollTop = top + this.height - clientHeight
    }
    this.active = at
    this.draw()
    this.focusControl(at, control)
  }

  focusControl(index, control) {
    const controls = this.controls(index)
    ;(controls[control] ?? controls[0])?.focus({ preventScroll: true })
  }
}
