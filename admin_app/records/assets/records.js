// Stored text as a table that is only read: one line a row, and all of a row in a dialog.

import { el, element, plain } from "./common.js"
import { RowTable } from "./table.js"

export default element((root, data) => new Records(root, data))

class Records extends RowTable {
  constructor(root, data) {
    super(root, data)
    this.root.classList.add("records")
    this.record = el("dl", {})
    this.dialog = el("dialog", { "aria-label": data.label }, this.record,
      el("button", { click: () => this.dialog.close() }, "Close"))
    this.root.append(this.dialog)
  }

  /** Space for the tasks that do the same in a terminal. */
  get below() {
    return 72
  }

  cells(row) {
    return row.map((text, at) => {
      const line = plain(text)
      const cut = el("bdi", { class: "cut", title: line, dir: "auto" }, line)
      if (at) return cut
      return el("button", { class: "bare", click: () => this.open(null, row) }, cut)
    })
  }

  target(row) {
    return row
  }

  /** Show all of the row; what is copied from it is the stored text. */
  open(event, row) {
    const parts = row.flatMap((text, at) =>
      text ? [el("dt", {}, this.columns[at][1]), el("dd", { dir: "auto" }, text)] : [])
    this.record.replaceChildren(...parts)
    this.dialog.showModal()
  }
}
