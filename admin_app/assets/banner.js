// The target, in one line. A click opens its details.

import { el, element, icon, plain } from "./common.js"

export default element(root => new Banner(root))

class Banner {
  constructor(root) {
    this.line = el("summary", {})
    this.details = el("dl", {})
    this.root = el("details", { class: "root banner", toggle: () => this.drawDetails() },
      this.line, this.details)
    root.append(this.root)
  }

  stop() {}

  update(data) {
    const said = JSON.stringify(data)
    if (said === this.said) return
    this.said = said
    const [kind, ...rest] = data.words.map(plain)
    this.root.classList.toggle("production", data.isProduction)
    this.line.replaceChildren(
      icon(data.isProduction ? "warning" : "dns"),
      el("span", { class: "cut" }, el("b", {}, kind), ` · ${rest.join(" · ")}`),
      icon("expand_more"),
    )
    this.shown = data.details
    this.drawDetails()
  }

  drawDetails() {
    const shown = this.root.open ? this.shown : []
    this.details.replaceChildren(...shown.flatMap(([name, text]) =>
      [el("dt", {}, name), el("dd", {}, plain(text))]))
  }
}
