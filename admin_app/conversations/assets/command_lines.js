// The tasks that do the same in a terminal: a button, and a popover with their lines to copy.
//
// Streamlit's own popover would ask the server whenever it opens or closes.

import { copy, el, icon } from "./common.js"

const NAME = "Command line"

export class CommandLines {
  constructor() {
    this.lines = el("div", {
      class: "lines", popover: "auto", "aria-label": NAME,
      beforetoggle: event => this.toggle(event.newState === "open"),
    })
    this.button = el("button", {
      class: "bare", "aria-label": NAME, title: NAME, "aria-expanded": "false",
    }, icon("terminal"), icon("expand_more"))
    this.button.popoverTargetElement = this.lines
  }

  update(commands) {
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
    // A line breaks between its words, not after the dashes of an option.
    const words = command.split(" ").flatMap(word => [" ", el("span", { class: "word" }, word)])
    return el("div", { class: "command" }, el("code", {}, ...words.slice(1)), button)
  }
}
