// The person whose conversations are shown, and the tasks that do the same in a terminal.

import { CommandLines } from "./command_lines.js"
import { el, element, plain } from "./common.js"

export default element(root => new PersonHead(root))

class PersonHead {
  constructor(root) {
    this.name = el("h2", { class: "cut", dir: "auto" })
    this.handle = el("span", { class: "cut dim", dir: "ltr" })
    this.commands = new CommandLines()
    const { button, lines } = this.commands
    this.root = el("div", { class: "root person" }, this.name, this.handle, button, lines)
    root.append(this.root)
  }

  stop() {}

  update({ name, handle, commands }) {
    this.name.textContent = this.name.title = plain(name)
    this.handle.textContent = this.handle.title = `@${plain(handle)}`
    this.commands.update(commands)
  }
}
