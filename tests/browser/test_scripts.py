"""The elements' scripts alone: drawn with data as a server sends it, without a server's answers."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from admin_app import scripts

DRAWN = """
const sleep = ms => new Promise(done => setTimeout(done, ms))

/** An element that is drawn with `data`, and what it has asked so far. */
async function drawn(path, data) {
  const script = await import(path)
  const parentElement = document.body.appendChild(document.createElement("div"))
  const element = { parentElement, data, asked: [] }
  const setTriggerValue = (_, open) => {
    const known = new Set(element.asked.map(question => question.n))
    element.asked.push(...open.filter(question => !known.has(question.n)))
  }
  element.draw = changes => {
    Object.assign(data, changes)
    script.default({ parentElement, data: structuredClone(data), setTriggerValue })
  }
  /** Draw it with the answers to all that it has asked. */
  element.answer = changes => element.draw({ answered: element.asked.at(-1)?.n, ...changes })
  element.find = selector => parentElement.querySelector(selector)
  element.button = words => [...parentElement.querySelectorAll("button")]
    .find(button => button.textContent === words)
  element.count = kind => element.asked.filter(question => question.kind === kind).length
  element.draw({})
  return element
}

const thread = {
  subject: "g", scope: "messages", group: "g", place: 1, at: "", user: "ana",
  title: "Ana and Ben", me: { uuid: "1", handle: "ana", name: "Ana" },
  other: { uuid: "2", handle: "ben", name: "Ben" },
  messages: [{
    key: "2026", uuid: "m", sender: "2", handle: "ben", name: "Ben", removed: false, text: "hello",
    ms: 0,
  }],
  hasOlder: false, hasNewer: false, search: null, mayWrite: true, whyNot: "",
  senders: ["ana", "ben"], gone: "", limit: 1024, outbox: "first", outcomes: [], trouble: null,
  download: null, answered: 0,
}
const inbox = {
  subject: "1", owner: "1", handle: "ana", chosen: "", sought: "", total: 0, loaded: 0,
  more: false, isSearching: false, start: 0, rows: [], trouble: null, answered: 0,
}
"""


def run(page: Page, app_url: str, script: str) -> Any:
    """What the script returns, with the paths of the elements' files as its argument."""
    page.goto(f"{app_url}/_stcore/health")
    paths = {name: scripts.address(name) for name in ("thread", "inbox")}
    return page.evaluate(f"async paths => {{ {DRAWN} {script} }}", paths)


def test_a_refused_message_is_sent_again_behind_another_one(page: Page, app_url) -> None:
    """The server still reports the refusal, until it has answered the new try. If it is another
    server then, it learns that it is not the one that was asked first.
    """
    script = """
      const shown = await drawn(paths.thread, thread)
      const box = shown.find("textarea")
      const send = text => {
        if (text) box.value = text
        shown.button("Send").click()
      }
      const refuse = () => shown.answer({ outcomes: shown.asked.map(({ id }) => (
        { id, problem: "busy", command: "" })) })
      send("one")
      send("two")
      refuse()  // the first, which is in the box again
      refuse()  // the second, which is in the list below it
      const [one, two] = shown.asked.map(question => question.id)
      send()
      shown.button("Edit it").click()
      send()
      shown.answer({ outcomes: [
        { id: two, problem: "busy", command: "" }, { id: one, key: "2027" },
      ] })
      const sent = shown.asked.map(question => ({ [one]: "one", [two]: "two" })[question.id])
      // After a restart: the server that is asked now was not the first one.
      const restarted = await drawn(paths.thread, { ...thread, outbox: "second" })
      const asked = restarted.asked.map(question => [question.id === two, question.outbox])
      return [sent, box.value, asked]
    """
    sent, in_box, asked = run(page, app_url, script)
    assert sent == ["one", "two", "one", "two"]
    assert in_box == ""
    assert asked == [[True, "first"]]


def test_a_page_does_not_ask_a_failing_store_again_until_it_answers(page: Page, app_url) -> None:
    script = """
      const trouble = { text: "DynamoDB does not answer.", command: "" }
      const row = { group: "g", key: "2026", name: "", handle: "", preview: "", ms: 0, from: "me" }
      const scrolled = await drawn(paths.inbox, { ...inbox, total: 1, rows: [row], more: true })
      const filtered = await drawn(paths.inbox, { ...inbox, sought: "x", isSearching: true })
      const opened = await drawn(paths.thread, { ...thread, hasOlder: true })
      const elements = [scrolled, filtered, opened]
      const counts = async changes => {
        for (const element of elements) if (changes) element.answer(changes)
        await sleep(150)
        return [scrolled.count("view"), filtered.count("view"), opened.count("older")]
      }
      return [await counts(), await counts({ trouble }), await counts({ trouble: null })]
    """
    assert run(page, app_url, script) == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]


def test_the_choice_of_a_sender_follows_a_rename(page: Page, app_url) -> None:
    script = """
      const shown = await drawn(paths.thread, thread)
      shown.button("as ben").click()
      shown.answer({ senders: ["ana", "bob"], other: { ...thread.other, handle: "bob" } })
      shown.find("textarea").value = "hello"
      shown.button("Send").click()
      const choices = [...shown.find(".senders").children]
      const shownAs = choices.map(choice => [choice.textContent, choice.ariaChecked])
      return [shownAs, shown.asked[0].sender]
    """
    assert run(page, app_url, script) == [[["as ana", "false"], ["as bob", "true"]], "bob"]
