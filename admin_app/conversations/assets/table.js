// A table of rows that open something: a click anywhere on a row, or Enter on a link in it. A row has
// no state that a click could toggle.

import { el, fillWindow, icon, NARROW } from "./common.js"
import { RowList } from "./rows.js"

const PADDING = 12

/** The table's rows below their heads. `columns` are pairs of a name and a label. */
export class RowTable extends RowList {
  constructor(root, { name, label, columns, sorted = [] }) {
    super({ role: "rowgroup" })
    this.columns = columns
    this.sorted = new Set(sorted)
    this.head = el("div", { class: "row head", role: "row" })
    this.table = el("div", { class: "table", role: "table", "aria-label": label },
      el("div", { role: "rowgroup" }, this.head), this.list)
    this.root = el("div", { class: `root ${name}` }, this.table)
    root.append(this.root)
    this.narrow = matchMedia(NARROW)
    this.onWidth = () => this.data && this.redraw()
    this.narrow.addEventListener("change", this.onWidth)
    this.unfit = fillWindow(this.root, {
      least: 240, resized: () => this.draw(), below: this.below, property: "maxHeight",
    })
  }

  /** Pixels of the window below the table. */
  get below() {
    return 12
  }

  draw() {
    super.draw()
    const scrollbar = this.list.offsetWidth - this.list.clientWidth
    this.head.style.paddingInlineEnd = `${PADDING + scrollbar}px`
  }

  stop() {
    this.narrow.removeEventListener("change", this.onWidth)
    super.stop()
  }

  get height() {
    return this.narrow.matches ? 60 : 40
  }

  update(data) {
    const isOther = !this.data || this.data.order !== data.order
    this.data = data
    if (isOther) this.toTop()
    this.table.setAttribute("aria-rowcount", String(data.total + 1))
    this.drawHead()
    this.redraw()
  }

  drawHead() {
    const focused = this.root.getRootNode().activeElement?.dataset?.column
    this.head.replaceChildren(...this.columns.map(([name, label]) => this.columnHead(name, label)))
    if (focused) this.head.querySelector(`[data-column="${focused}"]`)?.focus()
  }

  columnHead(name, label) {
    const { column, descending, next } = this.data.sort ?? {}
    const isSorted = name === column
    const order = isSorted ? (descending ? "descending" : "ascending") : null
    const arrow = isSorted ? icon(descending ? "arrow_downward" : "arrow_upward") : null
    const title = this.sorted.has(name)
      ? el("button", {
        "data-column": name, click: () => this.asker.ask({ kind: "sort", order: next[name] }),
      }, label, arrow)
      : label
    return el("span", { class: name, role: "columnheader", "aria-sort": order }, title)
  }

  make(index, row) {
    const cells = this.cells(row)
    const opens = this.target(row)
    return el(
      "div",
      {
        class: opens ? "row opens" : "row", role: "row", "aria-rowindex": String(index + 2),
        click: event => this.click(event, row),
      },
      ...this.columns.map(([name], at) => el("span", { class: name, role: "cell" },
        ...[cells[at]].flat())),
    )
  }

  click(event, row) {
    const isControl = event.composedPath().some(node => node.matches?.("a, button"))
    const target = this.target(row)
    if (!isControl && target && !getSelection().toString()) this.open(event, row, target)
  }
}
