// The list of pages. Streamlit's own measures itself again and again: it takes a third of a page load.

import { el, element, icon, isForBrowser, visit } from "./common.js"
import { keepFocus } from "./focus.js"

keepFocus()

export default element(root => new Navigation(root))

class Navigation {
  constructor(root) {
    this.links = new Map()
    this.root = el("nav", { class: "root nav", "aria-label": "Pages" })
    root.append(this.root)
  }

  stop() {}

  update({ pages, current }) {
    if (!this.links.size) this.draw(pages)
    for (const [path, link] of this.links) {
      if (path === current) link.setAttribute("aria-current", "page")
      else link.removeAttribute("aria-current")
    }
  }

  draw(pages) {
    for (const { path, title, symbol } of pages) {
      const href = `./${path}`
      const link = el("a", { href, title, click: event => this.open(event, href) },
        icon(symbol), el("span", { class: "cut", "data-title": title }, title))
      this.links.set(path, link)
    }
    this.root.append(...this.links.values())
  }

  open(event, href) {
    if (isForBrowser(event)) return
    event.preventDefault()
    visit(href)
  }
}
