// Shared code of the page's elements: modules without a build step (see admin_app/scripts.py). Stored
// text only becomes the text of a node: nothing here parses it.

export const NARROW = "(max-width: 699px)"

/** The event that says that the page would show something else now. */
export const NEWS = "cruddur-news"

/** A new element; `attributes` are set as attributes, functions as listeners, the rest is text. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value)
    else if (value === true) node.setAttribute(name, "")
    else if (value !== false && value != null) node.setAttribute(name, value)
  }
  node.append(...children.filter(child => child != null))
  return node
}

/** A Material symbol; the label of the element around it says what it means. */
export function icon(name) {
  return el("span", { class: "icon", "aria-hidden": "true", translate: "no" }, name)
}

/**
 * Asks the server, in order and without loss.
 *
 * A rerun may replace another one and drop its questions. So each question has a number, all open
 * questions are sent together, and the server says which one it answered last.
 */
export class Asker {
  static RETRY_MS = 5000

  constructor() {
    this.open = []
    this.number = Date.now()
    this.onNews = event => this.askForNews(event)
    document.addEventListener(NEWS, this.onNews)
  }

  ask(question) {
    this.number = Math.max(this.number + 1, Date.now())
    this.open.push({ n: this.number, ...question })
    this.flush()
    return this.number
  }

  flush() {
    clearTimeout(this.timer)
    if (!this.open.length || !this.send) return
    this.send("asked", this.open)
    this.timer = setTimeout(() => this.flush(), Asker.RETRY_MS)
  }

  /** One element of the page asks for all of them: the server draws the whole page. */
  askForNews(event) {
    if (event.defaultPrevented || !this.send) return
    event.preventDefault()
    if (!this.waits("news")) this.ask({ kind: "news" })
  }

  /** Whether a question of that kind waits for its answer. */
  waits(kind) {
    return this.open.some(question => question.kind === kind)
  }

  answered(number) {
    this.open = this.open.filter(question => question.n > number)
    if (!this.open.length) clearTimeout(this.timer)
  }

  stop() {
    clearTimeout(this.timer)
    document.removeEventListener(NEWS, this.onNews)
    this.send = null
  }
}

/**
 * Makes `node` end at the foot of the window, whatever is above it, or `below` pixels before it.
 *
 * With `property` "maxHeight" it may end earlier. It is never less than `least` pixels high.
 */
export function fillWindow(node, { least, resized, below = 12, property = "height" }) {
  const fit = () => {
    const top = node.getBoundingClientRect().top + pageScroll(node)
    const height = `${Math.max(least, Math.floor(window.innerHeight - top - below))}px`
    if (node.style[property] !== height) {
      node.style[property] = height
      resized()
    }
  }
  const observer = new ResizeObserver(fit)
  observer.observe(document.body)
  const main = document.querySelector("[data-testid=stMainBlockContainer]")
  if (main) observer.observe(main)
  window.addEventListener("resize", fit)
  fit()
  return () => {
    observer.disconnect()
    window.removeEventListener("resize", fit)
  }
}

function pageScroll(node) {
  const main = node.getRootNode().host?.closest("[data-testid=stMain]")
  return main ? main.scrollTop : 0
}

/**
 * What the script of an element exports. `make` makes what draws it, once for a node of the page.
 *
 * Streamlit calls what a drawing returns when it has removed the element, but also at once if newer
 * data came while the element's script was loaded for these. Then the element stays, and shows the
 * newer ones.
 */
export function element(make) {
  const instances = new WeakMap()
  return component => draw(instances, component, make)
}

function draw(instances, component, make) {
  const root = component.parentElement
  let instance = instances.get(root)
  if (!instance) {
    instance = make(root, component.data)
    instances.set(root, instance)
  }
  if (instance.asker) {
    instance.asker.send = component.setTriggerValue
    instance.asker.answered(component.data.answered)
  }
  instance.update(component.data)
  return () => {
    if (root.isConnected) return
    instance.stop()
    instances.delete(root)
  }
}

/** Whether a click should do what the browser does with a link: another tab, another window. */
export function isForBrowser(event) {
  return event.ctrlKey || event.metaKey || event.shiftKey || event.button > 0
}

/** Whether a key was pressed in a text box. */
export function isTyping(event) {
  const target = event.composedPath()[0]
  return target instanceof Element
    && (target.matches("input, textarea, select, [contenteditable]") || target.closest("dialog"))
}

/**
 * Shows another page of the app in this tab, without loading the app again.
 *
 * To Streamlit this is a step in the browser's history, as with the browser's Back and Forward. Its
 * own `switch_page` with a query adds two steps: Back would lead to an address between the pages.
 */
export function visit(href) {
  history.pushState({}, "", href)
  window.dispatchEvent(new PopStateEvent("popstate"))
}

const begunDownloads = new Set()

/** Lets the browser fetch a file that the server has begun, once. */
export function fetchFile(download) {
  if (download?.state !== "waiting" || begunDownloads.has(download.path)) return
  begunDownloads.add(download.path)
  const link = el("a", { href: download.path, download: download.name })
  document.body.append(link)
  link.click()
  link.remove()
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return
  } catch {
    // Only pages with a certificate, and those of this machine, can use the clipboard.
  }
  const box = el("textarea", { "aria-hidden": "true", style: "position: fixed; opacity: 0" })
  box.value = text
  document.body.append(box)
  box.select()
  document.execCommand("copy")
  box.remove()
}

/** A name on one line, without characters that change the text around it. */
export function plain(text) {
  return text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, " ")
}

/** The problem, and the command that fixes it. */
export function showTrouble(node, trouble) {
  node.hidden = !trouble
  if (!trouble) node.replaceChildren()
  else if (!trouble.command) node.replaceChildren(trouble.text)
  else node.replaceChildren(trouble.text, " ", el("code", {}, trouble.command))
}

export function characters(text) {
  return Array.from(text.trim()).length
}

const formatters = new Map()

/** `ms` as the options of Intl.DateTimeFormat say. To make a formatter takes longer than to use it. */
export function formatted(ms, options) {
  const key = Object.entries(options).join()
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat("en-GB", options))
  return formatters.get(key).format(ms)
}

/** How long ago, in as few letters as possible. */
export function ago(ms) {
  if (ms == null) return ""
  const minutes = (Date.now() - ms) / 60000
  if (minutes < 1) return "now"
  if (minutes < 60) return `${Math.floor(minutes)} min`
  if (minutes < 60 * 24) return `${Math.floor(minutes / 60)} h`
  if (minutes < 60 * 24 * 7) return `${Math.floor(minutes / 60 / 24)} d`
  const year = new Date(ms).getFullYear() === new Date().getFullYear() ? undefined : "numeric"
  return formatted(ms, { day: "numeric", month: "short", year })
}

export function utc(ms, stored) {
  if (ms == null) return stored
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`
}
