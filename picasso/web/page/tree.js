// A value of JSON as a tree that keys and screen readers walk through. What is open stays open.

export class Tree {
  constructor(root) {
    this.root = root;
    this.open = new Set(["metadata", "metadata/objects"]);
    this.at = "";
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("click", (event) => this.onClick(event));
  }

  show(value) {
    const had = this.root.contains(document.activeElement);
    this.root.replaceChildren(...this.items(value, ""));
    const items = this.shown();
    const current = items.find((item) => item.dataset.path === this.at) ?? items[0];
    if (!current) return;
    current.tabIndex = 0;
    if (had) current.focus({ preventScroll: true });
  }

  items(value, path) {
    return Object.entries(value).map(([key, inner]) => {
      const here = path ? `${path}/${key}` : key;
      const item = document.createElement("li");
      item.setAttribute("role", "treeitem");
      item.tabIndex = -1;
      item.dataset.path = here;
      const name = document.createElement("span");
      name.className = "key";
      name.textContent = key;
      item.append(name);
      const isGroup = inner !== null && typeof inner === "object";
      if (!isGroup || Object.keys(inner).length === 0) {
        item.append(`: ${JSON.stringify(inner)}`);
        return item;
      }
      item.append(Array.isArray(inner) ? ` [${inner.length}]` : "");
      item.setAttribute("aria-expanded", String(this.open.has(here)));
      const group = document.createElement("ul");
      group.setAttribute("role", "group");
      if (this.open.has(here)) group.append(...this.items(inner, here));
      item.value_ = inner;
      item.append(group);
      return item;
    });
  }

  shown() {
    return [...this.root.querySelectorAll('[role="treeitem"]')];
  }

  toggle(item, isOpen) {
    if (!item.hasAttribute("aria-expanded")) return;
    const path = item.dataset.path;
    if (isOpen) this.open.add(path);
    else this.open.delete(path);
    item.setAttribute("aria-expanded", String(isOpen));
    item.querySelector('[role="group"]').replaceChildren(...(isOpen ? this.items(item.value_, path) : []));
  }

  go(item) {
    if (!item) return;
    for (const other of this.shown()) other.tabIndex = -1;
    item.tabIndex = 0;
    this.at = item.dataset.path;
    item.focus();
  }

  onClick(event) {
    const item = event.target.closest('[role="treeitem"]');
    if (!item) return;
    this.toggle(item, item.getAttribute("aria-expanded") !== "true");
    this.go(item);
  }

  onKey(event) {
    const item = event.target.closest('[role="treeitem"]');
    if (!item || event.ctrlKey || event.altKey || event.metaKey) return;
    const items = this.shown();
    const at = items.indexOf(item);
    const isOpen = item.getAttribute("aria-expanded") === "true";
    const keys = {
      ArrowDown: () => this.go(items[at + 1]),
      ArrowUp: () => this.go(items[at - 1]),
      Home: () => this.go(items[0]),
      End: () => this.go(items.at(-1)),
      ArrowRight: () => (item.hasAttribute("aria-expanded") && !isOpen ? this.toggle(item, true) : this.go(items[at + 1])),
      ArrowLeft: () => (isOpen ? this.toggle(item, false) : this.go(item.parentElement.closest('[role="treeitem"]'))),
      Enter: () => this.toggle(item, !isOpen),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }
}
