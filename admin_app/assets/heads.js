// The parts at the head of a page. They have one script, which a browser then loads once.

const HEADS = { nav: Navigation, banner: Banner, person: PersonHead }
const heads = new WeakMap()

export default function (component) {
  return mounted(heads, component, root => new HEADS[component.data.part](root))
}
