// The tasks that do the same in a terminal, where a page has no space below.

import { CommandLines } from "./command_lines.js"
import { el, mounted } from "./common.js"

const instances = new WeakMap()

export default function (component) {
  return mounted(instances, component, root => new Commands(root))
}

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
