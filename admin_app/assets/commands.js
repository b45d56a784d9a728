// The tasks that do the same in a terminal, where a page has no space below.

import { CommandLines } from "./command_lines.js"
import { el, element } from "./common.js"

export default element(root => new Commands(root))

class Commands {
  constructor(root) {
    this.commands = new CommandLines()
    const { button, lines } = this.commands
    this.root = el("div", { class: "root" }, button, lines)
    root.append(this.root)
  }

  stop() {}

  update({ commands }) {
    this.commands.update(commands)
  }
}
