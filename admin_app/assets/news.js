// Says in the page that the server has news. It is drawn only then, and shows nothing.

import { NEWS } from "./common.js"

let said

export default function ({ data }) {
  if (data.at === said) return
  said = data.at
  document.dispatchEvent(new CustomEvent(NEWS, { cancelable: true }))
}
