// The conversations of the store as a table. A row has no state that a click could toggle: a click
// opens its conversation. All rows have the same height, and only the visible ones are in the page.

const AROUND = 8
const COLUMNS = [
  ["members", "Members"], ["last", "Last message"], ["at", "Last activity"],
  ["messages", "Messages"],
]
const SORTED = new Set(["members", "at", "messages"])
const tables = new WeakMap()

export default function (component) {
  return mounted(tables, component, root => new Groups(root))
}

class Groups {
  constructor(root) {
    this.asker = new Asker()
    this.data = null
    this.shown = new Map()
    this.active = 0
    this.head = el("div", { class: "row head", role: "row" })
    this.rows = el("div", { class: "rows", role: "rowgroup" })
    this.list = el("div", { class: "list", scroll: () => this.draw() }, this.rows)
    this.table = el("div", { class: "table", role: "table", "aria-label": "Conversations" },
      el("div", { role: "rowgroup" }, this.head), this.list)
    this.root = el("div", { class: "root groups" }, this.table)
    root.append(this.root)
    this.list.addEventListener("keydown", event => this.key(event))
    this.narrow = matchMedia(NARROW)
    this.onWidth = () => this.data && this.redraw()
    this.narrow.addEventListener("change", this.onWidth)
    this.unfit = fillWindow(this.root, 240, () => this.draw())
    this.clock = setInterval(this.onWidth, 30000)
  }

  stop() {
    clearInterval(this.clock)
    clearTimeout(this.wait)
    this.narrow.removeEventListener("change", this.onWidth)
    this.unfit()
    this.asker.stop()
  }

  get height() {
    return this.narrow.matches ? 60 : 40
  }

  update(data) {
    const isOther = !this.data || this.data.order !== data.order
    this.data = data
    if (isOther) {
      this.list.scrollTop = 0
      this.active = 0
    }
    this.table.setAttribute("aria-rowcount", String(data.total + 1))
    this.drawHead()
    this.redraw()
    fetchFile(data.download)
  }

  drawHead() {
    const { column, descending } = this.data.sort
    const focused = this.root.getRootNode().activeElement?.dataset?.column
    this.head.replaceChildren(...COLUMNS.map(([name, label]) => {
      const isSorted = name === column
      const order = isSorted ? (descending ? "descending" : "ascending") : null
      const arrow = isSorted ? icon(descending ? "arrow_downward" : "arrow_upward") : null
      const title = SORTED.has(name)
        ? el("button", {
          "data-column": name, click: () => this.asker.ask({ kind: "sort", column: name }),
        }, label, arrow)
        : label
      return el("span", { class: name, role: "columnheader", "aria-sort": order }, title)
    }))
    if (focused) this.head.querySelector(`[data-column="${focused}"]`)?.focus()
  }

  redraw() {
    const focused = this.focusedPlace()
    for (const row of this.shown.values()) row.remove()
    this.shown.clear()
    this.draw()
    if (focused) this.controls(focused.index)[focused.control]?.focus({ preventScroll: true })
  }

  draw() {
    if (!this.data) return
    const { total, start, rows } = this.data
    this.rows.style.height = `${total * this.height}px`
    const first = this.first
    const visible = Math.ceil(this.list.clientHeight / this.height) + 2 * AROUND
    const last = Math.min(total, first + visible)
    for (const [index, row] of this.shown) {
      if (index < first || index >= last) {
        row.remove()
        this.shown.delete(index)
      }
    }
    let isMissing = false
    for (let index = first; index < last; index += 1) {
      const row = rows[index - start]
      if (!row) isMissing = true
      else if (!this.shown.has(index)) this.add(index, row)
    }
    this.markActive()
    if (isMissing && !this.asker.waits("view")) {
      clearTimeout(this.wait)
      this.wait = setTimeout(() => !this.asker.waits("view") && this.view(), 60)
    }
  }

  view() {
    this.asker.ask({ kind: "view", start: this.first })
  }

  get first() {
    return Math.max(0, Math.floor(this.list.scrollTop / this.height) - AROUND)
  }

  add(index, row) {
    const opener = row.members.find(member => member.handle)
    const cell = (name, ...children) => el("span", { class: name, role: "cell" }, ...children)
    const node = el(
      "div",
      {
        class: opener ? "row opens" : "row", role: "row", "aria-rowindex": String(index + 2),
        click: event => this.click(event, row, opener), focusin: () => this.activate(index),
      },
      cell("members", ...row.members.map(member => this.member(row, member))),
      cell("last", el("bdi", { class: "cut", title: plain(row.preview) },
        plain(row.preview) || "—")),
      cell("at", el("time", { title: utc(row.ms, row.key) }, ago(row.ms) || "unknown")),
      cell("messages", this.count(row)),
    )
    node.style.top = `${index * this.height}px`
    node.style.height = `${this.height}px`
    const after = [...this.shown.keys()].filter(other => other > index).sort((a, b) => a - b)[0]
    this.rows.insertBefore(node, this.shown.get(after) ?? null)
    this.shown.set(index, node)
  }

  address(row, member) {
    return `./?${new URLSearchParams({ user: member.handle, conversation: row.group })}`
  }

  member(row, member) {
    const name = plain(member.name || member.handle || "unknown user")
    const parts = [
      el("bdi", { class: "name" }, name),
      el("span", { class: "dim", dir: "ltr" }, plain(member.handle ? `@${member.handle}` : "")),
    ]
    const full = `${name} ${member.handle ? `@${plain(member.handle)}` : member.uuid}`
    if (!member.handle) return el("span", { class: "cut", title: full }, ...parts)
    return el("a", {
      class: "cut", href: this.address(row, member), title: `Open as ${full}`,
      click: event => this.open(event, row, member),
    }, ...parts)
  }

  count(row) {
    if (row.count != null) return row.count.toLocaleString("en")
    const isAsked = this.asker.open.some(one => one.kind === "count" && one.group === row.group)
    return el("button", {
      title: "Reads the messages: 0.5 RCU per 4 KB", disabled: isAsked,
      click: () => {
        this.asker.ask({ kind: "count", group: row.group })
        this.redraw()
      },
    }, isAsked ? "Counting…" : "Count")
  }

  click(event, row, opener) {
    const isControl = event.composedPath().some(node => node.matches?.("a, button"))
    if (!isControl && opener && !getSelection().toString()) this.open(event, row, opener)
  }

  open(event, row, member) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    event.preventDefault()
    visit(this.address(row, member))
  }

  // Keys: the arrows choose a row, and Tab goes through what the row contains

  controls(index) {
    return [...(this.shown.get(index)?.querySelectorAll("a, button") ?? [])]
  }

  focusedPlace() {
    const node = this.root.getRootNode().activeElement
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
    const page = Math.max(1, Math.floor(this.list.clientHeight / this.height) - 1)
    const to = {
      ArrowDown: place.index + 1, j: place.index + 1, ArrowUp: place.index - 1,
      k: place.index - 1, Home: 0, End: this.data.total - 1, PageDown: place.index + page,
      PageUp: place.index - page,
    }[event.key]
    if (to == null) return
    event.preventDefault()
    this.focusOn(Math.max(0, Math.min(to, this.data.total - 1)), place.control)
  }

  focusOn(index, control) {
    const top = index * this.height
    const { scrollTop, clientHeight } = this.list
    if (top < scrollTop) this.list.scrollTop = top
    else if (top + this.height > scrollTop + clientHeight) {
      this.list.scrollTop = top + this.height - clientHeight
    }
    this.active = index
    this.draw()
    const controls = this.controls(index)
    ;(controls[control] ?? controls[0])?.focus({ preventScroll: true })
  }
}
