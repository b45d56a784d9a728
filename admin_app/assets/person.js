// The person whose conversations are shown, and the tasks that do the same in a terminal.

import { copy, el, icon, mounted, plain } from "./common.js"

const instances = new WeakMap()

export default function (component) {
  return mounted(instances, component, root => new PersonHead(root))
}

class PersonHead {
  constructor(root) {
    this.name = el("h2", { class: "cut", dir: "auto" })
    this.handle = el("span", { class: "cut dim", dir: "ltr" })
    this.lines = el("div", {
      class: "lines", popover: "auto", "aria-label": "Command line",
      beforetoggle: event => this.toggle(event.newState === "open"),
    })
    this.button = el("button", {
      class: "bare", "aria-label": "Command line", title: "Command line", "aria-expanded": "false",
    }, icon("terminal"), icon("expand_more"))
    this.button.popoverTargetElement = this.lines
    this.root = el("div", { class: "root person" }, this.name, this.handle, this.button, this.lines)
    root.append(this.root)
  }

  stop() {}

  update({ name, handle, commands }) {
    this.name.textContent = this.name.title = plain(name)
    this.handle.textContent = this.handle.title = `@${plain(handle)}`
    this.commands = commands
  }

  toggle(isOpen) {
    this.button.setAttribute("aria-expanded", String(isOpen))
    this.lines.replaceChildren(...(isOpen ? this.commands.map(command => this.line(command)) : []))
    const { bottom, left } = this.button.getBoundingClientRect()
    this.lines.style.top = `${bottom + 4}px`
    this.lines.style.left = `${Math.max(8, Math.min(left, window.innerWidth - 508))}px`
  }

  line(command) {
    const button = el("button", {
      class: "bare", "aria-label": "Copy", title: "Copy",
      click: async () => {
        await copy(command)
        button.replaceChildren(icon("check"))
      },
    }, icon("content_copy"))
    return el("div", { class: "command" }, el("code", {}, command), button)
  }
}
