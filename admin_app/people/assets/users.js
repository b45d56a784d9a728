// The users as a table: a click on a row shows the user beside it.

import { el, element, formatted, isForBrowser, plain, utc } from "./common.js"
import { RowTable } from "./table.js"

const COLUMNS = [
  ["handle", "Handle"], ["person", "Name"], ["email", "Email"], ["cognito", "Cognito"],
  ["number", "Conversations"], ["at", "Since"],
]

export default element(root => new Users(root))

class Users extends RowTable {
  constructor(root) {
    super(root, { name: "users", label: "Users", columns: COLUMNS })
  }

  /** Space for what can be done with the shown users. */
  get below() {
    return 88
  }

  update(data) {
    if (this.opening === data.chosen) this.opening = null
    const closed = this.data && !data.chosen ? this.data.chosen : ""
    super.update(data)
    if (closed) this.focusClosed(closed)
  }

  /** The row of the user who was closed gets the focus, which was on what is gone now. */
  focusClosed(handle) {
    const index = this.data.rows.findIndex(row => row.handle === handle)
    const focused = document.activeElement
    const isGone = focused === document.body || focused.closest(".st-key-detail")
    if (index >= 0 && isGone) this.focusOn(index)
  }

  isChosen(row) {
    return row.handle === (this.opening ?? this.data.chosen)
  }

  state(row) {
    return [this.isChosen(row), this.address(row)]
  }

  make(index, row) {
    const node = super.make(index, row)
    const isChosen = this.isChosen(row)
    node.classList.toggle("chosen", isChosen)
    if (isChosen) node.querySelector("a").setAttribute("aria-current", "true")
    return node
  }

  cells(row) {
    const cut = (text, attributes = {}) =>
      el("bdi", { class: "cut", title: plain(text), ...attributes }, plain(text))
    return [
      el("a", {
        class: "cut", href: this.address(row), title: plain(row.handle), dir: "ltr",
        click: event => this.open(event, row),
      }, el("span", { class: "name" }, plain(row.handle))),
      cut(row.name),
      cut(row.email, { dir: "ltr" }),
      cut(row.cognito),
      row.conversations == null ? "" : row.conversations.toLocaleString("en"),
      el("time", { title: row.ms == null ? "" : utc(row.ms, "") }, date(row.ms)),
    ]
  }

  target(row) {
    return row
  }

  /** The address of this page with the user and the search. */
  address(row) {
    const { sought } = this.data
    return `?${new URLSearchParams({ user: row.handle, ...(sought && { q: sought }) })}`
  }

  open(event, row) {
    if (isForBrowser(event)) return
    event.preventDefault()
    this.opening = row.handle
    this.redraw()
    this.asker.ask({ kind: "open", handle: row.handle })
  }
}

function date(ms) {
  return ms == null ? "unknown" : formatted(ms, { day: "numeric", month: "short", year: "numeric" })
}
