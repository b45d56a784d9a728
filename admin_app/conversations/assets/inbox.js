// The conversations of one user. All rows have the same height, so the height of the list is known,
// and only the visible rows are in the page.

import {
  ago, el, element, fillWindow, isForBrowser, NARROW, plain, showTrouble, utc,
} from "./common.js"
import { RowList } from "./rows.js"

const ROW = 56

export default element(root => new Inbox(root))

class Inbox extends RowList {
  constructor(root) {
    super({ role: "list", "aria-label": "Conversations" })
    this.box = el("input", {
      type: "search", "aria-label": "Filter", placeholder: "Filter by person or last message",
      input: () => this.filter(), keydown: event => this.boxKey(event),
    })
    this.said = el("p", { class: "dim extent", role: "status" })
    this.trouble = el("p", { class: "problem", role: "status" })
    this.root = el("div", { class: "root inbox" }, this.box, this.said, this.trouble, this.list)
    root.append(this.root)
    this.onFocus = () => this.focusOn(this.active)
    document.addEventListener("cruddur-focus-inbox", this.onFocus)
    this.unfit = fillWindow(this.root, { least: 240, resized: () => this.draw() })
  }

  stop() {
    clearTimeout(this.pause)
    document.removeEventListener("cruddur-focus-inbox", this.onFocus)
    super.stop()
  }

  get height() {
    return ROW
  }

  update(data) {
    const isOther = !this.data || this.data.owner !== data.owner
    const active = this.data?.rows[this.active - this.data.start]
    this.data = data
    if (isOther) {
      this.box.value = data.sought
      this.toTop()
    } else {
      this.follow(active)
    }
    if (!this.opening || this.opening === data.chosen) this.opening = null
    this.box.hidden = !data.total && !data.sought
    this.said.textContent = this.extent()
    this.said.hidden = !this.said.textContent
    showTrouble(this.trouble, data.trouble)
    this.redraw()
    if (isOther) this.takeFocus()
    if (data.isSearching && !data.trouble && !this.asker.waits("view")) this.view()
  }

  /** After a person was chosen or a reason was given, the focus is nowhere: the list takes it. */
  takeFocus() {
    const isNowhere = document.activeElement === document.body
    const isAlone = !this.data.chosen && !matchMedia(NARROW).matches
    if (isNowhere && isAlone && this.data.total) this.focusOn(0)
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
      this.toTop()
      this.asker.ask({ kind: "filter", words: this.box.value })
    }, 150)
  }

  isChosen(row) {
    return row.group === (this.opening ?? this.data.chosen)
  }

  state(row) {
    const { handle, more, total } = this.data
    return [this.isChosen(row), ago(row.ms), handle, more, total]
  }

  make(index, row) {
    const query = new URLSearchParams({ user: this.data.handle, conversation: row.group })
    const isChosen = this.isChosen(row)
    const name = plain(row.name || row.handle || "unknown user")
    const handle = plain(row.handle)
    const writer = { me: "You: ", them: `${handle || name}: ` }[row.from] ?? ""
    const link = el(
      "a",
      {
        href: `?${query}`, class: isChosen ? "row chosen" : "row",
        "aria-current": isChosen ? "true" : null,
        click: event => this.open(event, row.group),
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
    return el("div", {
      role: "listitem", class: "item", "aria-posinset": String(index + 1),
      "aria-setsize": String(this.data.more ? -1 : this.data.total),
    }, link)
  }

  open(event, group) {
    if (isForBrowser(event)) return
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

  beforeFirst() {
    this.box.focus()
  }
}
