// One conversation: its messages, the navigation, and the box for an answer.
//
// The server sends a part of the conversation, a few hundred messages at most, and this shows the
// visible ones. Scrolling near an end loads the next part.

import {
  Asker, characters, copy, el, element, fetchFile, fillWindow, formatted, icon, isForBrowser,
  isTyping, NARROW, plain, showTrouble, utc, visit,
} from "./common.js"
import { keepLeft, readUnsent, saveWaiting, waiting, writeUnsent } from "./unsent.js"

const OVERSCAN = 320
const GUESS = 40
const NEAR_END = 600
const TOGETHER_MS = 60 * 60000
const BOTTOM = 32
const LOW = "(max-height: 599px)"
const KEYS = [
  ["j ↓ / k ↑", "Next or previous message"],
  ["Home / End", "First or newest message"],
  ["t / l", "Copy the message’s text or link"],
  ["Delete", "Remove the message"],
  ["/", "Search this conversation"],
  ["c", "Write a message"],
  ["Enter", "Send; Shift+Enter starts a new line"],
  ["Esc", "Back: to the messages, then to the list"],
  ["?", "Show the keys"],
]

const FORMATS = [["html", "Web page, to print"], ["text", "Text"], ["jsonl", "JSON Lines"]]

export default element(root => new Thread(root))

class Thread {
  constructor(root) {
    this.asker = new Asker()
    this.data = null
    this.list = []
    this.heights = new Map()
    this.rows = new Map()
    this.anchor = { key: null, offset: 0 }
    this.atBottom = true
    this.seen = 0
    this.active = null
    this.usesUtc = localStorage.getItem("cruddur times") === "utc"
    this.build(root)
    keepLeft()
    this.onKey = event => this.key(event)
    this.onFocus = () => this.focusMessages()
    document.addEventListener("keydown", this.onKey)
    document.addEventListener("cruddur-focus-thread", this.onFocus)
    this.unfit = fillWindow(this.root, { least: 320, resized: () => this.resized() })
  }

  stop() {
    document.removeEventListener("keydown", this.onKey)
    document.removeEventListener("cruddur-focus-thread", this.onFocus)
    this.resizes.disconnect()
    this.unfit()
    this.asker.stop()
  }

  /** A question about the conversation that is shown; a message may name another one. */
  ask(question) {
    this.asker.ask({ group: this.data.group, ...question })
  }

  // Building

  build(root) {
    this.head = this.buildHead()
    this.find = this.buildFind()
    this.top = el("div", { class: "edge" })
    this.above = el("div", { "aria-hidden": "true" })
    this.shown = el("div", {
      class: "shown", role: "feed", "aria-label": "Messages, oldest first",
    })
    this.below = el("div", { "aria-hidden": "true" })
    this.pending = el("div", { class: "pending" })
    this.scroll = el(
      "div", { class: "scroll", scroll: () => this.scrolled() },
      this.top, this.above, this.shown, this.below, this.pending,
    )
    // End does the same: from a message, Tab leads to the box in one step.
    this.news = el("button", {
      class: "news", hidden: true, tabindex: "-1", click: () => this.toNewest(),
    })
    this.view = el("div", { class: "view" }, this.scroll, this.news)
    this.trouble = el("div", { class: "trouble problem", role: "status" })
    this.exportSaid = el("span", {})
    this.stopExport = el("button", { click: () => this.ask({ kind: "stop" }) }, "Stop")
    this.exported = el("div", { class: "trouble", role: "status", hidden: true },
      this.exportSaid, " ", this.stopExport)
    this.unsent = el("div", { class: "unsent", role: "status" })
    this.composer = this.buildComposer()
    this.help = this.buildHelp()
    this.live = el("div", { class: "hidden", "aria-live": "polite" })
    this.tools = this.buildTools()
    this.root = el(
      "div", { class: "root thread" },
      this.head, this.find, this.view, this.trouble, this.exported, this.unsent, this.composer,
      this.help, this.live,
    )
    root.append(this.root)
    this.resizes = new ResizeObserver(() => this.resized())
    this.resizes.observe(this.scroll)
  }

  buildHead() {
    this.title = el("h2", { class: "cut", dir: "auto" })
    this.zone = el("button", { class: "zone dim", click: () => this.switchZone() })
    const back = el(
      "button",
      { class: "bare back", "aria-label": "Back to the list", click: () => this.close() },
      icon("arrow_back"),
    )
    const search = el(
      "button",
      {
        class: "bare", "aria-label": "Search this conversation", title: "Search ( / )",
        "aria-expanded": "false", click: () => this.showFind(this.find.hidden),
      },
      icon("search"),
    )
    const keys = el(
      "button",
      { class: "bare", "aria-label": "Keys", title: "Keys ( ? )", click: () => this.showHelp() },
      icon("keyboard"),
    )
    this.searchButton = search
    return el("header", {}, back, this.title, this.zone, search, this.buildExport(), keys)
  }

  /** A menu of the forms in which the conversation can be saved. */
  buildExport() {
    const items = FORMATS.map(([format, label]) => el(
      "button", { role: "menuitem", click: () => this.export(format) }, label))
    this.menu = el("div", { class: "menu", role: "menu", "aria-label": "Export as", hidden: true },
      ...items)
    this.exportButton = el(
      "button",
      {
        class: "bare", "aria-label": "Export", title: "Export this conversation",
        "aria-haspopup": "menu", "aria-expanded": "false",
        click: () => this.showMenu(this.menu.hidden),
      },
      icon("download"),
    )
    const box = el("span", {
      class: "exporting",
      focusout: event => !box.contains(event.relatedTarget) && this.showMenu(false),
      keydown: event => this.menuKey(event, items),
    }, this.exportButton, this.menu)
    return box
  }

  showMenu(isShown) {
    if (this.menu.hidden !== isShown) return
    this.menu.hidden = !isShown
    this.exportButton.setAttribute("aria-expanded", String(isShown))
    if (isShown) this.menu.firstChild.focus()
  }

  menuKey(event, items) {
    const at = items.indexOf(this.focused)
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (this.menu.hidden || (!step && event.key !== "Escape")) return
    event.preventDefault()
    event.stopPropagation()
    if (step) items[(at + step + items.length) % items.length].focus()
    else {
      this.showMenu(false)
      this.exportButton.focus()
    }
  }

  export(format) {
    this.exportButton.focus()
    this.showMenu(false)
    this.ask({ kind: "export", format })
  }

  /** How far the export is; once it is complete, only until the next one. */
  showExport() {
    const { download } = this.data
    fetchFile(download)
    const state = download?.state
    const count = download ? `${download.seen?.toLocaleString("en")} ${download.unit}` : ""
    const words = {
      waiting: "Exporting…", running: `Exporting… ${count}`, stopped: "The export was stopped.",
      failed: "The export ended early: the file is not complete.",
    }[state] ?? ""
    if (download?.problem) showTrouble(this.exportSaid, download.problem)
    else if (this.exportSaid.textContent !== words) this.exportSaid.replaceChildren(words)
    this.exported.hidden = !words && !download?.problem
    this.stopExport.hidden = !["waiting", "running"].includes(state)
  }

  buildFind() {
    this.words = el("input", {
      type: "search", "aria-label": "Search this conversation", placeholder: "Search messages",
      maxlength: 200,
    })
    this.date = el("input", { type: "date", "aria-label": "Go to a date" })
    this.hits = el("div", { class: "hits" })
    const search = event => {
      event.preventDefault()
      this.search()
    }
    const go = event => {
      event.preventDefault()
      this.goToDate()
    }
    return el(
      "div", { class: "find", hidden: true, role: "search", keydown: event => this.findKey(event) },
      el("form", { submit: search }, this.words, el("button", { class: "hidden" }, "Search")),
      el("form", { submit: go }, this.date, el("button", {}, "Go")),
      el(
        "button",
        { class: "bare", "aria-label": "Close the search", click: () => this.showFind(false) },
        icon("close"),
      ),
      this.hits,
    )
  }

  buildComposer() {
    this.senders = el("div", { class: "senders", role: "radiogroup", "aria-label": "Send as" })
    this.box = el("textarea", {
      rows: 1, "aria-label": "Message", "aria-describedby": "said",
      input: () => this.typed(), keydown: event => this.boxKey(event),
    })
    this.count = el("span", { class: "count dim" })
    this.said = el("div", { class: "said", id: "said", role: "status" })
    const send = el("button", { class: "send", click: () => this.submit() }, "Send")
    this.foot = el("div", { class: "foot" }, this.senders, this.said, this.count, send)
    this.closed = el("p", { class: "dim", hidden: true })
    this.gone = el("p", { class: "dim", hidden: true, dir: "auto" })
    this.writing = el("div", { class: "writing" }, this.box, this.foot)
    return el("div", { class: "composer" }, this.gone, this.writing, this.closed)
  }

  buildHelp() {
    const rows = KEYS.map(([key, means]) =>
      el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, key)), el("td", {}, means)))
    return el(
      "dialog", { "aria-label": "Keys" },
      el("table", {}, ...rows),
      el("button", { click: () => this.help.close() }, "Close"),
    )
  }

  /** The actions for a message: one bar, moved to the message under the pointer. */
  buildTools() {
    const tool = (name, label, act) => el(
      "button",
      {
        class: "bare", "aria-label": label, title: label, tabindex: "-1",
        click: event => {
          event.stopPropagation()
          act(this.tooled)
        },
      },
      icon(name),
    )
    this.removeTool = tool("delete", "Remove", message => this.remove(message))
    return el(
      "div", { class: "tools" },
      tool("content_copy", "Copy text", message => this.copyText(message)),
      tool("link", "Copy link", message => this.copyLink(message)),
      this.removeTool,
    )
  }

  // Data from the server

  update(data) {
    const before = this.data
    const isOther = !before || before.group !== data.group || before.me.uuid !== data.me.uuid
    const isElsewhere = isOther || before.place !== data.place
    this.data = data
    if (isOther) this.enter()
    this.title.textContent = plain(data.title)
    this.title.title = plain(data.title)
    this.takeOutcomes(data.outcomes)
    this.take(data.messages, isElsewhere)
    showTrouble(this.trouble, data.trouble)
    this.showExport()
    this.showHits()
    this.showComposer(isOther)
    this.showUnsent()
    this.showZone()
    if (isOther && !data.at && !matchMedia(NARROW).matches && !data.whyNot) {
      this.box.focus({ preventScroll: true })
    }
    const hasNoFocus = document.activeElement === document.body
    const leads = isOther ? data.at && hasNoFocus : data.at || hasNoFocus
    if (isElsewhere && leads) this.focusMessages()
  }

  /** Start with another conversation. */
  enter() {
    this.heights.clear()
    for (const row of this.rows.values()) row.remove()
    this.rows.clear()
    this.active = null
    this.seen = 0
    this.words.value = ""
    this.showFind(false)
    this.box.value = sessionStorage.getItem(this.draftKey) ?? ""
    this.sender = this.data.me.handle
    this.forgetStored()
    const [first] = this.unsentHere
    if (first && this.isFree()) this.edit(first)
    else if (this.inBox) this.sendAs(this.inBox.sender)
    this.showReason()
  }

  take(messages, isElsewhere) {
    const known = new Set(this.list.map(message => message.key))
    const last = this.list.at(-1)?.key
    const stuck = this.atBottom && !isElsewhere
    const couldGoOn = !this.hadNewer
    this.hadNewer = this.data.hasNewer
    this.list = messages
    const isFocused = this.rows.get(this.active)?.contains(this.focused)
    this.joinUp()
    this.drop()
    if (isElsewhere) {
      this.goTo(this.data.at)
    } else if (stuck && !this.data.hasNewer) {
      this.place()
      this.toBottom()
    } else {
      const arrived = couldGoOn && last
        ? messages.filter(m => m.key > last && !known.has(m.key) && m.sender !== this.data.me.uuid)
        : []
      this.seen += arrived.length
      this.place()
    }
    if (this.active && !this.list.some(m => m.key === this.active)) this.active = null
    // A row that was drawn anew, as the first one is when older ones arrive, keeps the focus.
    if (isFocused) this.rows.get(this.active)?.focus({ preventScroll: true })
    this.showEdges()
    this.showNews()
    this.showPending()
    this.reach()
  }

  /** Group messages of one sender, on one day, with little time between them. */
  joinUp() {
    let previous = null
    for (const message of this.list) {
      message.day = this.day(message)
      const isNewDay = !previous || previous.day !== message.day
      message.showsDay = isNewDay
      message.leads = isNewDay || previous.sender !== message.sender
        || Math.abs((message.ms ?? 0) - (previous.ms ?? 0)) > TOGETHER_MS
      previous = message
    }
  }

  get focused() {
    return this.root.getRootNode().activeElement
  }

  drop() {
    const kept = new Map(this.list.map(message => [message.key, message]))
    for (const [key, row] of this.rows) {
      const message = kept.get(key)
      if (!message || row.dataset.look !== this.look(message)) {
        if (row.contains(this.tools)) this.tools.remove()
        row.remove()
        this.rows.delete(key)
        this.heights.delete(key)
      }
    }
  }

  look(message) {
    return [
      message.uuid, message.removed, message.leads, message.showsDay, this.usesUtc,
      this.isSought(message),
    ].join()
  }

  isSought(message) {
    return Boolean(this.data.at) && message.key === this.data.at
  }

  // Visible messages

  heightOf(message) {
    return this.heights.get(message.key) ?? GUESS
  }

  goTo(at) {
    this.seen = 0
    if (!at) {
      this.atBottom = true
      this.anchor = { key: this.list.at(-1)?.key ?? null, offset: this.scroll.clientHeight }
      this.place()
      this.toBottom()
      return
    }
    this.atBottom = false
    const index = this.list.findIndex(message => message.key >= at)
    const message = this.list[index] ?? this.list.at(-1)
    const exact = message?.key === at
    this.anchor = { key: message?.key ?? null, offset: exact ? this.scroll.clientHeight / 3 : 8 }
    if (index === 0) this.anchor.offset = this.edgeHeight()
    this.active = message?.key ?? null
    this.place()
    this.atBottom = this.isAtBottom()  // of a short conversation, all of it is in view
  }

  isAtBottom() {
    const { scrollHeight, clientHeight, scrollTop } = this.scroll
    return scrollHeight - clientHeight - scrollTop < BOTTOM && !this.data.hasNewer
  }

  edgeHeight() {
    return this.top.offsetHeight
  }

  toBottom() {
    for (let turn = 0; turn < 4; turn += 1) {
      this.scroll.scrollTop = this.scroll.scrollHeight
      this.noteAnchor()
      if (!this.place()) break
    }
    this.scroll.scrollTop = this.scroll.scrollHeight
    this.noteAnchor()
    this.atBottom = true
    this.seen = 0
    this.showNews()
  }

  resized() {
    if (!this.data) return
    if (this.atBottom && !this.data.hasNewer) this.toBottom()
    else this.place()
  }

  toNewest() {
    if (this.data.hasNewer) this.go("")
    else this.toBottom()
  }

  go(at) {
    this.showReason()
    this.ask({ kind: "go", at })
  }

  scrolled() {
    if (this.placing) return
    this.atBottom = this.isAtBottom()
    if (this.atBottom) this.seen = 0
    this.showNews()
    this.noteAnchor()
    cancelAnimationFrame(this.frame)
    this.frame = requestAnimationFrame(() => {
      this.place()
      this.reach()
    })
  }

  /** The message at the top of the view, and its distance from it: this must not move. */
  noteAnchor() {
    let top = this.edgeHeight() - this.scroll.scrollTop
    for (const message of this.list) {
      const height = this.heightOf(message)
      if (top + height > 0) {
        this.anchor = { key: message.key, offset: top }
        return
      }
      top += height
    }
  }

  /** Show the messages around the anchor, and keep it in its place; whether a height was new. */
  place() {
    if (!this.data) return false
    this.placing = true
    let hasChanged = false
    for (let turn = 0; turn < 3; turn += 1) {
      const [first, last] = this.range()
      this.draw(first, last)
      if (!this.measure(first, last)) break
      hasChanged = true
    }
    this.placing = false
    return hasChanged
  }

  range() {
    const at = Math.max(0, this.list.findIndex(message => message.key === this.anchor.key))
    let first = at
    let room = this.anchor.offset + OVERSCAN
    while (first > 0 && room > 0) room -= this.heightOf(this.list[--first])
    let last = at
    room = this.scroll.clientHeight - this.anchor.offset + OVERSCAN
    while (last < this.list.length && room > 0) room -= this.heightOf(this.list[last++])
    return [first, last]
  }

  draw(first, last) {
    const wanted = this.list.slice(first, last)
    const keys = new Set(wanted.map(message => message.key))
    for (const [key, row] of this.rows) {
      if (keys.has(key) || row.contains(this.focused)) continue
      if (row.contains(this.tools)) this.tools.remove()
      row.remove()
      this.rows.delete(key)
    }
    let next = this.shown.firstChild
    for (const message of wanted) {
      let row = this.rows.get(message.key)
      if (!row) {
        row = this.row(message)
        this.rows.set(message.key, row)
      }
      row.tabIndex = message.key === (this.active ?? wanted.at(-1).key) ? 0 : -1
      while (next && next !== row && !keys.has(next.dataset.key)) next = next.nextSibling
      if (row === next) next = next.nextSibling
      else this.shown.insertBefore(row, next)
    }
  }

  /** Measure the real heights, and put the anchor back; return whether a height has changed. */
  measure(first, last) {
    let changed = false
    for (const message of this.list.slice(first, last)) {
      const height = this.rows.get(message.key).getBoundingClientRect().height
      if (Math.abs(height - (this.heights.get(message.key) ?? -1)) > 0.01) {
        this.heights.set(message.key, height)
        changed = true
      }
    }
    const total = part => part.reduce((sum, message) => sum + this.heightOf(message), 0)
    this.above.style.height = `${total(this.list.slice(0, first))}px`
    this.below.style.height = `${total(this.list.slice(last))}px`
    const at = this.list.findIndex(message => message.key === this.anchor.key)
    if (at >= 0) {
      const wanted = this.edgeHeight() + total(this.list.slice(0, at)) - this.anchor.offset
      if (Math.abs(wanted - this.scroll.scrollTop) > 0.5) this.scroll.scrollTop = wanted
    }
    return changed
  }

  /** Ask for the next part once an end of this one is near; not while the store fails. */
  reach() {
    if (!this.list.length || this.data.trouble) return
    const { scrollTop, clientHeight, scrollHeight } = this.scroll
    if (this.data.hasOlder && scrollTop < NEAR_END && !this.asker.waits("older")) {
      this.ask({ kind: "older", before: this.list[0].key })
    } else if (
      this.data.hasNewer && scrollHeight - clientHeight - scrollTop < NEAR_END
      && !this.asker.waits("newer")
    ) {
      this.ask({ kind: "newer", after: this.list.at(-1).key })
    }
  }

  showEdges() {
    const text = this.data.hasOlder ? "Loading older messages…" : "Beginning of the conversation"
    this.top.textContent = this.list.length ? text : "No messages yet"
    this.shown.setAttribute("aria-busy", String(this.data.hasOlder && this.asker.waits("older")))
  }

  showNews() {
    const { hasNewer } = this.data
    this.news.hidden = !hasNewer && (this.atBottom || !this.list.length)
    if (this.seen) {
      const words = this.seen === 1 ? "1 new message" : `${this.seen} new messages`
      if (this.live.textContent !== words) this.live.textContent = words
      this.news.replaceChildren(words, icon("arrow_downward"))
    } else {
      this.news.replaceChildren("Newest messages", icon("arrow_downward"))
    }
    this.news.classList.toggle("loud", this.seen > 0)
  }

  // One message

  row(message) {
    const { data } = this
    const mine = message.sender === data.me.uuid
    const row = el(
      "div",
      {
        role: "article", tabindex: "-1", class: mine ? "row mine" : "row theirs",
        "aria-label": `${this.nameOf(message)}, ${this.time(message)}`,
        focus: () => this.activate(message),
        pointerenter: () => this.point(row, message),
        pointerdown: () => this.point(row, message),
      },
    )
    row.dataset.key = message.key
    row.dataset.look = this.look(message)
    if (message.leads) row.classList.add("leads")
    if (message.showsDay) row.append(el("div", { class: "day dim" }, message.day))
    if (message.leads && !message.removed) {
      row.append(el("div", { class: "who dim" }, el("b", { dir: "auto" }, this.nameOf(message))))
    }
    const bubble = el("div", { class: "bubble" })
    const text = el("div", { class: "text", dir: "auto" })
    text.textContent = message.text
    if (message.removed) bubble.classList.add("removed")
    const stamp = el("time", { class: "dim", title: utc(message.ms, message.key) },
      this.time(message))
    bubble.append(text, stamp)
    row.append(bubble)
    if (this.isSought(message)) {
      row.classList.add("sought")
      bubble.append(el("span", { class: "mark" }, "Linked message"))
    }
    return row
  }

  nameOf(message) {
    if (message.removed) return "Nobody"
    const { me, other } = this.data
    const person = [me, other].find(one => one.uuid === message.sender)
    if (!person) return plain(message.name || message.handle || "unknown sender")
    const name = person.name || `@${person.handle}`
    return plain(me.name === other.name ? `${name} @${person.handle}` : name)
  }

  time(message) {
    if (message.ms == null) return message.key
    return formatted(message.ms, {
      hour: "2-digit", minute: "2-digit", timeZone: this.timeZone,
    })
  }

  day(message) {
    if (message.ms == null) return "Unknown day"
    return formatted(message.ms, {
      weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: this.timeZone,
    })
  }

  dayAndTime(message) {
    if (message.ms == null) return message.key
    return formatted(message.ms, {
      day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
      timeZone: this.timeZone,
    })
  }

  get timeZone() {
    return this.usesUtc ? "UTC" : undefined
  }

  showZone() {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone
    const name = this.usesUtc ? "UTC" : own.replaceAll("_", " ")
    this.zone.replaceChildren(el("span", { class: "wide" }, "Times in"), name)
    this.zone.setAttribute("aria-label", `Times in ${name}`)
    this.zone.title = this.usesUtc ? `Show times in ${own}` : "Show times in UTC"
  }

  switchZone() {
    this.usesUtc = !this.usesUtc
    localStorage.setItem("cruddur times", this.usesUtc ? "utc" : "own")
    this.showZone()
    this.showHits()
    this.joinUp()
    this.drop()
    this.place()
  }

  activate(message) {
    this.active = message.key
    for (const [key, row] of this.rows) row.tabIndex = key === message.key ? 0 : -1
    this.point(this.rows.get(message.key), message)
  }

  point(row, message) {
    this.tooled = message
    this.removeTool.hidden = !this.mayRemove(message)
    const bubble = row?.querySelector(".bubble")
    if (bubble && this.tools.parentNode !== bubble) bubble.append(this.tools)
  }

  async copyText(message) {
    await copy(message.text)
    this.tell("Text copied")
  }

  async copyLink(message) {
    const { user, group } = this.data
    const query = new URLSearchParams({ user, conversation: group, at: message.key })
    await copy(`${location.origin}${location.pathname}?${query}`)
    this.tell("Link copied")
  }

  mayRemove(message) {
    return this.data.mayWrite && !message.removed && Boolean(message.uuid)
  }

  remove(message) {
    this.ask({ kind: "remove", id: message.uuid })
  }

  tell(words) {
    this.live.textContent = words
    const note = el("div", { class: "note", "aria-hidden": "true" }, words)
    this.view.append(note)
    setTimeout(() => note.remove(), 1500)
  }

  // Search

  showFind(isShown) {
    this.find.hidden = !isShown
    this.searchButton.setAttribute("aria-expanded", String(isShown))
    if (isShown) this.words.focus()
    this.place()
  }

  search() {
    const words = this.words.value.trim()
    if (!words) return
    this.hits.replaceChildren(el("p", { class: "dim" }, "Searching…"))
    this.ask({ kind: "search", words })
  }

  /** Show a match; in a low window there is room for it only without the search. */
  goToHit(key) {
    if (matchMedia(LOW).matches) this.showFind(false)
    this.go(key)
  }

  /** The arrows lead from the words to the matches, and through them. */
  findKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const hits = [...this.hits.querySelectorAll("button")]
    const focused = event.composedPath()[0]
    const at = hits.indexOf(focused)
    if (!step || !hits.length || (at < 0 && focused !== this.words)) return
    event.preventDefault()
    event.stopPropagation()
    ;(hits[at + step] ?? (step < 0 ? this.words : hits.at(-1))).focus()
  }

  goToDate() {
    const [year, month, day] = this.date.value.split("-").map(Number)
    if (!year) return
    const start = this.usesUtc ? Date.UTC(year, month - 1, day) : new Date(year, month - 1, day)
    this.go(new Date(start).toISOString().slice(0, 23))
  }

  showHits() {
    const { search } = this.data
    if (!search || this.asker.waits("search")) {
      if (!search) this.hits.replaceChildren()
      return
    }
    const found = `${search.found.toLocaleString("en")} found in`
    const looked = search.lookedAt.toLocaleString("en")
    const extent = search.more ? `the newest ${looked} messages` : `all ${looked} messages`
    const rest = search.found > search.hits.length ? `; the newest ${search.hits.length} are here` : ""
    const counted = `${found} ${extent}${rest}`
    this.hits.replaceChildren(
      el("p", { class: "dim" }, counted),
      ...search.hits.map(hit => el(
        "button", { class: "hit", click: () => this.goToHit(hit.key) },
        el("span", { class: "dim", title: utc(hit.ms, hit.key) }, this.dayAndTime(hit)),
        el("b", { dir: "auto" }, plain(hit.handle)),
        el("span", { class: "cut", dir: "auto" }, plain(hit.excerpt)),
      )),
      search.more
        ? el("button", { click: () => this.ask({ kind: "further" }) }, "Search further back")
        : null,
    )
  }

  // The composer

  get draftKey() {
    return `cruddur draft ${this.data.scope} ${this.data.me.uuid} ${this.data.group}`
  }

  showComposer(isOther) {
    const { data } = this
    this.writing.hidden = Boolean(data.whyNot)
    this.closed.hidden = !data.whyNot
    this.closed.textContent = plain(data.whyNot)
    this.gone.hidden = !data.gone
    this.gone.textContent = plain(data.gone)
    this.box.placeholder = plain(`Message ${data.other.name || data.other.handle || ""}`).trim()
    this.showSenders(isOther)
    if (isOther) this.typed()
  }

  /** Who can send; the one who is chosen stays so under another handle. */
  showSenders(isOther) {
    const { senders, me } = this.data
    const before = [...this.senders.children].map(choice => choice.dataset.handle)
    if (!isOther && before.join() === senders.join()) return
    if (!isOther) this.sender = senders[before.indexOf(this.sender)] ?? me.handle
    const hadFocus = this.senders.contains(this.focused)
    const choices = senders.map(handle => {
      const choice = el(
        "button", {
          role: "radio", "aria-checked": String(handle === this.sender),
          tabindex: handle === this.sender ? "0" : "-1", title: plain(`Send as @${handle}`),
          class: "cut", click: () => this.sendAs(handle),
        },
        plain(`as ${handle}`),
      )
      choice.dataset.handle = handle
      return choice
    })
    this.senders.replaceChildren(...choices)
    this.senders.onkeydown = event => this.senderKey(event)
    if (hadFocus) choices.find(choice => choice.tabIndex === 0)?.focus()
  }

  sendAs(handle) {
    if (!this.data.senders.includes(handle)) return
    this.sender = handle
    for (const choice of this.senders.children) {
      const isChosen = choice.dataset.handle === handle
      choice.setAttribute("aria-checked", String(isChosen))
      choice.tabIndex = isChosen ? 0 : -1
    }
  }

  senderKey(event) {
    if (!event.key.startsWith("Arrow")) return
    event.preventDefault()
    event.stopPropagation()
    const other = [...this.senders.children].find(c => c.dataset.handle !== this.sender)
    if (!other) return
    this.sendAs(other.dataset.handle)
    other.focus()
  }

  typed() {
    const { box } = this
    if (box.value) sessionStorage.setItem(this.draftKey, box.value)
    else this.forgetDraft()
    box.style.height = "auto"
    box.style.height = `${Math.min(box.scrollHeight + 2, 176)}px`
    const length = characters(box.value)
    const { limit } = this.data
    this.count.textContent = length < 900 ? ""
      : `${length.toLocaleString("en")} of ${limit.toLocaleString("en")} characters`
    this.count.classList.toggle("problem", length > limit)
  }

  boxKey(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault()
      this.submit()
    } else if (event.key === "Escape" || (event.key === "ArrowUp" && !this.box.value)) {
      event.preventDefault()
      event.stopPropagation()
      this.focusMessages()
    }
  }

  submit() {
    const text = this.box.value
    const length = characters(text)
    const { limit } = this.data
    if (!length) return this.complain("The message is empty. Enter some text.")
    if (length > limit) {
      return this.complain(`The message has ${length.toLocaleString("en")} characters, but the`
        + ` limit is ${limit.toLocaleString("en")}. Shorten it.`)
    }
    const { inBox } = this
    const isSame = inBox?.text === text && inBox.sender === this.sender
    waiting.push(this.newMessage(text, isSame ? inBox.id : newId()))
    this.box.value = ""
    this.typed()
    this.showReason()
    this.box.focus()
    this.post()
    this.showPending()
    if (!this.data.hasNewer) this.toBottom()
  }

  newMessage(text, id) {
    const { me, other, user, group, scope } = this.data
    const recipient = this.sender === me.handle ? other : me
    const to = recipient.name || recipient.handle
    return { id, text, sender: this.sender, group, scope, me: me.uuid, user, to }
  }

  complain(words) {
    this.said.replaceChildren(el("span", { class: "problem" }, words))
    this.box.focus()
  }

  /** Send the oldest waiting message: each is sent after the previous one. */
  post() {
    const [next] = waiting
    if (next && this.posted !== next.id) {
      this.posted = next.id
      next.isPosted = true
      next.outbox ??= this.data.outbox  // another one, after a restart, does not know the message
      const { id, text, sender, group, me, outbox } = next
      this.ask({ kind: "send", id, text, sender, group, me, outbox })
    }
    saveWaiting()
  }

  takeOutcomes(outcomes) {
    this.forgetStored()
    for (const outcome of outcomes) {
      const message = waiting.find(one => one.id === outcome.id)
      const isOfEarlierTry = this.posted !== outcome.id
        || this.asker.open.some(question => question.id === outcome.id)
      if (!message || isOfEarlierTry) continue
      waiting.splice(waiting.indexOf(message), 1)
      this.posted = null
      if (outcome.problem) this.giveBack({ ...message, ...outcome })
      else if (this.isHere(message) && this.data.hasNewer) this.sayWhere(outcome.key)
    }
    this.forgetStored()  // what was given back, too
    this.post()
  }

  // Messages that were not sent

  isHere(message) {
    const { scope, group, me } = this.data
    return message.scope === scope && message.group === group && message.me === me.uuid
  }

  /** Whether the box can take a message without losing a draft. */
  isFree() {
    return !this.box.value && !this.data.whyNot
  }

  get unsentHere() {
    return readUnsent().filter(message => this.isHere(message))
  }

  /** The message that was not sent and is in the box again. */
  get inBox() {
    return this.unsentHere.find(message => message.isInBox)
  }

  giveBack(message) {
    writeUnsent([...readUnsent().filter(one => one.id !== message.id), message])
    if (!this.isHere(message) || !this.isFree()) return
    this.edit(message)
    this.box.focus()
  }

  /** Take a message into the box. What was in the box is kept in the list. */
  edit(message) {
    const { inBox } = this
    const text = this.box.value
    const others = readUnsent().filter(one => one.id !== message.id && one.id !== inBox?.id)
    if (text && inBox?.text === text) others.push({ ...inBox, isInBox: false })
    else if (text) others.push(this.newMessage(text, newId()))
    writeUnsent([...others, { ...message, isInBox: true }])
    this.box.value = message.text
    this.sendAs(message.sender)
    this.typed()
    this.showReason()
    this.showUnsent()
  }

  discard(message) {
    writeUnsent(readUnsent().filter(one => one.id !== message.id))
    if (message.isInBox) this.box.value = ""
    this.typed()
    this.showUnsent()
    if (this.data.whyNot) this.focusMessages()
    else this.box.focus()
  }

  forgetDraft() {
    sessionStorage.removeItem(this.draftKey)
    const { inBox } = this
    if (!inBox) return
    writeUnsent(readUnsent().filter(message => message.id !== inBox.id))
    this.showReason()
  }

  /** A message that was stored after all is no longer among the others, nor in the box. */
  forgetStored() {
    const stored = new Set(this.data.messages.map(message => message.uuid))
    const isStored = message => this.isHere(message) && stored.has(message.id)
    const { inBox } = this
    if (inBox && isStored(inBox) && this.box.value === inBox.text) {
      this.box.value = ""
      this.typed()
    }
    const messages = readUnsent()
    if (!messages.some(isStored)) return
    writeUnsent(messages.filter(message => !isStored(message)))
    this.showReason()
  }

  /** Beside the box: why the message in it was not sent. */
  showReason() {
    this.said.replaceChildren(...(this.inBox?.problem ? [reason(this.inBox)] : []))
  }

  /** The messages of this conversation that were not sent, and where there are others. */
  showUnsent() {
    const { scope, whyNot } = this.data
    const here = this.unsentHere.filter(message => whyNot || !message.isInBox)
    const elsewhere = readUnsent().filter(message =>
      message.scope === scope && message.problem && !this.isHere(message))
    const look = JSON.stringify([here, elsewhere, whyNot])
    if (look === this.unsentLook) return  // a live region is read out again when it is drawn
    this.unsentLook = look
    const counts = new Map()
    for (const { user, group, to } of elsewhere) {
      const place = JSON.stringify({ user, group, to })
      counts.set(place, (counts.get(place) ?? 0) + 1)
    }
    this.unsent.replaceChildren(
      ...here.map(message => this.unsentRow(message)),
      ...[...counts].map(([place, count]) => unsentElsewhere(JSON.parse(place), count)),
    )
  }

  unsentRow(message) {
    const label = message.problem ? "Not sent:" : "Draft:"
    return el(
      "div", { role: "group", "aria-label": `${label} ${plain(message.text)}` },
      el("div", { class: "what" },
        el("div", { class: "cut", title: message.text },
          el("span", { class: "dim" }, label), " ", el("bdi", {}, message.text)),
        message.problem ? reason(message) : null),
      this.data.whyNot ? null : el("button", {
        click: () => {
          this.edit(message)
          this.box.focus()
        },
      }, "Edit it"),
      el("button", { click: () => this.discard(message) }, "Discard"),
    )
  }

  sayWhere(key) {
    this.said.replaceChildren("Sent · ", el("button", { click: () => this.go(key) }, "Show it"))
  }

  showPending() {
    const here = this.data.hasNewer ? []
      : waiting.filter(message => this.isHere(message))
    const stored = new Set(this.list.map(message => message.uuid))
    const nodes = here.filter(m => !stored.has(m.id)).map(message => {
      const text = el("div", { class: "text", dir: "auto" })
      text.textContent = message.text
      const mine = message.sender === this.data.me.handle
      return el(
        "div", { class: mine ? "row mine" : "row theirs" },
        el("div", { class: "bubble" }, text, el("span", { class: "dim stamp" }, "Sending…")),
      )
    })
    this.pending.replaceChildren(...nodes)
  }

  // Keys

  key(event) {
    if (!this.data || this.root.offsetParent === null) return
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (isTyping(event)) {
      if (event.key === "Escape" && this.find.contains(event.composedPath()[0])) {
        event.preventDefault()
        this.showFind(false)
        this.focusMessages()
      }
      return
    }
    const inside = event.composedPath().includes(this.root)
    const acts = {
      "/": () => this.showFind(true),
      c: () => this.box.focus(),
      "?": () => this.showHelp(),
    }
    if (inside || event.composedPath()[0] === document.body) {
      Object.assign(acts, {
        j: () => this.move(1), ArrowDown: () => this.move(1),
        k: () => this.move(-1), ArrowUp: () => this.move(-1),
        Home: () => this.toEnd(true), End: () => this.toEnd(false),
        Escape: () => this.leave(),
        t: () => this.tooled && this.copyText(this.tooled),
        l: () => this.tooled && this.copyLink(this.tooled),
        Delete: () => this.tooled && this.mayRemove(this.tooled) && this.remove(this.tooled),
      })
    }
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : null
    if (!act) return
    event.preventDefault()
    act()
  }

  move(step) {
    const at = this.list.findIndex(message => message.key === this.active)
    const next = at < 0 ? this.list.length - 1 : at + step
    if (next >= 0 && next < this.list.length) this.focusOn(this.list[next])
  }

  toEnd(isFirst) {
    if (isFirst && this.data.hasOlder) return this.go("0")
    if (!isFirst && this.data.hasNewer) return this.go("")
    if (!this.list.length) return
    this.focusOn(isFirst ? this.list[0] : this.list.at(-1))
    if (!isFirst) this.toBottom()
  }

  focusMessages() {
    const message = this.list.find(one => one.key === this.active) ?? this.list.at(-1)
    if (message) this.focusOn(message)
  }

  /** Give a message the focus, and keep it in view. */
  focusOn(message) {
    this.active = message.key
    if (!this.rows.has(message.key)) {
      this.anchor = { key: message.key, offset: this.edgeHeight() }
      this.place()
    }
    const row = this.rows.get(message.key)
    const view = this.scroll.getBoundingClientRect()
    const box = row.getBoundingClientRect()
    if (box.top < view.top) this.scroll.scrollTop -= view.top - box.top + 8
    else if (box.bottom > view.bottom) this.scroll.scrollTop += box.bottom - view.bottom + 8
    row.focus({ preventScroll: true })
    this.noteAnchor()
    this.place()
    this.reach()
  }

  leave() {
    if (matchMedia(NARROW).matches) this.close()
    else document.dispatchEvent(new CustomEvent("cruddur-focus-inbox"))
  }

  close() {
    this.ask({ kind: "close" })
  }

  showHelp() {
    this.help.showModal()
  }
}

/** Why a message was not sent, and the command that fixes it. */
function reason({ problem, command }) {
  return el("span", { class: "problem" }, problem, ...(command ? [" ", el("code", {}, command)] : []))
}

/** How many messages to a person were not sent, and the conversation that shows them. */
function unsentElsewhere({ user, group, to }, count) {
  const href = `?${new URLSearchParams({ user, conversation: group })}`
  const open = event => {
    if (isForBrowser(event)) return
    event.preventDefault()
    visit(href)
  }
  const isOne = count === 1
  return el(
    "div", {},
    el("div", { class: "what problem" }, isOne ? "A message to " : `${count} messages to `,
      el("bdi", {}, plain(to) || "an unknown user"), isOne ? " was not sent." : " were not sent."),
    el("a", { href, click: open }, "Open conversation"),
  )
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
    .join("-")
}
