// The conversations of one user. All rows have the same height, so the height of the list is known,
// and only the visible rows are in the page.

const ROW = 56
const AROUND = 8
const inboxes = new WeakMap()

export default function (component) {
  return mounted(inboxes, component, root => new Inbox(root))
}

class Inbox {
  constructor(root) {
    this.asker = new Asker()
    this.data = null
    this.links = new Map()
    this.active = 0
    this.box = el("input", {
      type: "search", "aria-label": "Filter", placeholder: "Filter by person or last message",
      input: () => this.filter(), keydown: event => this.boxKey(event),
    })
    this.rows = el("div", { class: "rows", role: "list", "aria-label": "Conversations" })
    this.list = el("div", { class: "list", scroll: () => this.draw() }, this.rows)
    this.said = el("p", { class: "dim extent", role: "status" })
    this.trouble = el("p", { class: "problem", role: "status" })
    this.root = el("div", { class: "root inbox" }, this.box, this.said, this.trouble, this.list)
    root.append(this.root)
    this.list.addEventListener("keydown", event => this.key(event))
    this.onFocus = () => this.focusOn(this.active)
    document.addEventListener("cruddur-focus-inbox", this.onFocus)
    this.unfit = fillWindow(this.root, 240, () => this.draw())
    this.clock = setInterval(() => this.data && this.redraw(), 30000)
  }

  stop() {
    clearInterval(this.clock)
    clearTimeout(this.pause)
    document.removeEventListener("cruddur-focus-inbox", this.onFocus)
    this.unfit()
    this.asker.stop()
  }

  update(data) {
    const isOther = !this.data || this.data.owner !== data.owner
    const active = this.data?.rows[this.active - this.data.start]
    this.data = data
    if (isOther) {
      this.box.value = data.sought
      this.list.scrollTop = 0
      this.active = 0
    } else {
      this.follow(active)
    }
    if (!this.opening || this.opening === data.chosen) this.opening = null
    this.box.hidden = !data.total && !data.sought
    this.said.textContent = this.extent()
    this.said.hidden = !this.said.textContent
    showTrouble(this.trouble, data.trouble)
    this.redraw()
    if (data.isSearching && !this.asker.waits("view")) this.view()
  }

  /** Stay at the same conversation: a message in another one moves the rows. */
  follow(active) {
    const at = active ? this.data.rows.findIndex(row => row.group === active.group) : -1
    if (at >= 0) this.active = this.data.start + at
  }

  extent() {
    const { total, sought, isSearching, loaded } = this.data
    if (!sought) return total ? "" : "No conversations yet. Start one on the page New conversation."
    if (isSearching) return `Searching… ${loaded.toLocaleString("en")} conversations so far`
    return total ? "" : `None of ${loaded.toLocaleString("en")} conversations matches.`
  }

  filter() {
    clearTimeout(this.pause)
    this.pause = setTimeout(() => {
      this.list.scrollTop = 0
      this.active = 0
      this.asker.ask({ kind: "filter", words: this.box.value })
    }, 150)
  }

  view() {
    this.asker.ask({ kind: "view", start: this.first })
  }

  get first() {
    return Math.max(0, Math.floor(this.list.scrollTop / ROW) - AROUND)
  }

  redraw() {
    const hasFocus = this.focused != null
    for (const link of this.links.values()) link.parentNode.remove()
    this.links.clear()
    this.draw()
    if (hasFocus) this.links.get(this.active)?.focus({ preventScroll: true })
  }

  get focused() {
    const node = this.root.getRootNode().activeElement
    for (const [index, link] of this.links) if (link === node) return index
    return null
  }

  draw() {
    if (!this.data) return
    const { total, start, rows, more } = this.data
    this.rows.style.height = `${total * ROW}px`
    const { first } = this
    const last = Math.min(
      total, Math.ceil((this.list.scrollTop + this.list.clientHeight) / ROW) + AROUND)
    for (const [index, link] of this.links) {
      if (index < first || index >= last) {
        link.parentNode.remove()
        this.links.delete(index)
      }
    }
    let isMissing = false
    for (let index = first; index < last; index += 1) {
      const row = rows[index - start]
      if (!row) isMissing = true
      else if (!this.links.has(index)) this.add(index, row)
    }
    for (const [index, link] of this.links) link.tabIndex = index === this.active ? 0 : -1
    if (this.links.size && !this.links.has(this.active)) {
      this.links.values().next().value.tabIndex = 0
    }
    const isAtEnd = more && last >= total
    if ((isMissing || isAtEnd) && !this.asker.waits("view")) {
      clearTimeout(this.wait)
      this.wait = setTimeout(() => !this.asker.waits("view") && this.view(), 60)
    }
  }

  add(index, row) {
    const query = new URLSearchParams({ user: this.data.handle, conversation: row.group })
    const isChosen = row.group === (this.opening ?? this.data.chosen)
    const name = plain(row.name || row.handle || "unknown user")
    const handle = plain(row.handle)
    const writer = { me: "You: ", them: `${handle || name}: ` }[row.from] ?? ""
    const link = el(
      "a",
      {
        href: `?${query}`, class: isChosen ? "row chosen" : "row",
        "aria-current": isChosen ? "true" : null,
        click: event => this.open(event, row.group),
        focus: () => { this.active = index },
      },
      el(
        "span", { class: "line" },
        el("b", { class: "cut", dir: "auto", title: name }, name),
        el("span", { class: "cut dim handle", dir: "ltr" }, handle ? `@${handle}` : ""),
        el("time", { class: "dim", title: utc(row.ms, row.key) }, ago(row.ms)),
      ),
      el(
        "span", { class: "line" },
        el("span", { class: "cut dim" },
          el("span", {}, writer), el("bdi", {}, plain(row.preview) || "—")),
        row.from === "them"
          ? el("span", { class: "waits", role: "img", "aria-label": "Waits for an answer",
            title: "Waits for an answer" })
          : null,
      ),
    )
    const item = el("div", {
      role: "listitem", class: "item", "aria-posinset": String(index + 1),
      "aria-setsize": String(this.data.more ? -1 : this.data.total),
    }, link)
    item.style.top = `${index * ROW}px`
    const after = [...this.rows.children].find(other => parseFloat(other.style.top) > index * ROW)
    this.rows.insertBefore(item, after ?? null)
    this.links.set(index, link)
  }

  open(event, group) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    event.preventDefault()
    this.opening = group
    this.redraw()
    this.asker.ask({ kind: "open", group })
  }

  boxKey(event) {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault()
      this.focusOn(0)
    } else if (event.key === "Escape" && this.box.value) {
      event.preventDefault()
      this.box.value = ""
      this.filter()
    }
  }

  key(event) {
    const at = this.focused
    if (at == null || event.ctrlKey || event.metaKey || event.altKey) return
    const to = {
      ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: this.data.total - 1,
    }[event.key]
    if (to == null) return
    event.preventDefault()
    event.stopPropagation()
    if (to < 0) this.box.focus()
    else this.focusOn(to)
  }

  focusOn(index) {
    const at = Math.max(0, Math.min(index, this.data.total - 1))
    this.active = at
    const top = at * ROW
    const { scrollTop, clientHeight } = this.list
    if (top < scrollTop) this.list.scrollTop = top
    else if (top + ROW > scrollTop + clientHeight) this.list.scrollTop = top + ROW - clientHeight
    this.draw()
    this.links.get(at)?.focus({ preventScroll: true })
  }
}
