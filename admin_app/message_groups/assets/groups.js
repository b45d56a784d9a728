// The conversations of the store as a table: a click on a row opens its conversation.

import { ago, el, element, fetchFile, isForBrowser, plain, utc, visit } from "./common.js"
import { RowTable } from "./table.js"

const COLUMNS = [
  ["members", "Members"], ["last", "Last message"], ["at", "Last activity"],
  ["messages", "Messages"],
]

export default element(root => new Groups(root))

class Groups extends RowTable {
  constructor(root) {
    super(root, {
      name: "groups", label: "Conversations", columns: COLUMNS,
      sorted: ["members", "at", "messages"],
    })
  }

  update(data) {
    super.update(data)
    fetchFile(data.download)
  }

  cells(row) {
    return [
      row.members.map(member => this.member(row, member)),
      el("bdi", { class: "cut", title: plain(row.preview) }, plain(row.preview) || "—"),
      el("time", { title: utc(row.ms, row.key) }, ago(row.ms) || "unknown"),
      this.count(row),
    ]
  }

  /** The member as whom a click on the row opens its conversation. */
  target(row) {
    return row.members.find(member => member.handle)
  }

  address(row, member) {
    return `./?${new URLSearchParams({ user: member.handle, conversation: row.group })}`
  }

  member(row, member) {
    const name = plain(member.name || member.handle || "unknown user")
    const parts = [
      el("bdi", { class: "cut name" }, name),
      el("span", { class: "cut dim", dir: "ltr" }, plain(member.handle ? `@${member.handle}` : "")),
    ]
    const full = `${name} ${member.handle ? `@${plain(member.handle)}` : member.uuid}`
    if (!member.handle) return el("span", { class: "cut", title: full }, ...parts)
    return el("a", {
      class: "cut", href: this.address(row, member), title: `Open as ${full}`,
      click: event => this.open(event, row, member),
    }, ...parts)
  }

  isAsked(row) {
    return this.asker.open.some(one => one.kind === "count" && one.group === row.group)
  }

  state(row) {
    return [this.isAsked(row), ago(row.ms)]
  }

  count(row) {
    if (row.count != null) return row.count.toLocaleString("en")
    const isAsked = this.isAsked(row)
    return el("button", {
      title: "Reads the messages: 0.5 RCU per 4 KB",
      "aria-disabled": isAsked ? "true" : null,  // a disabled button would lose the focus
      click: () => {
        if (this.isAsked(row)) return
        this.asker.ask({ kind: "count", group: row.group })
        this.redraw()
      },
    }, isAsked ? "Counting…" : "Count")
  }

  open(event, row, member) {
    if (isForBrowser(event)) return
    event.preventDefault()
    visit(this.address(row, member))
  }
}
