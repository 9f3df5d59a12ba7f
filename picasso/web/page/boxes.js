// Boxes over a picture: each kind of object can be switched off.

/** A colour for a kind, the same each time, that can be told from its neighbours. */
export function colorOf(kind) {
  let hash = 0;
  for (const letter of kind) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return `hsl(${(hash * 137) % 360} 90% 60%)`;
}

export function kindOf(object) {
  return `${object[0]} / ${object[1]}`;
}

export class Boxes {
  /**
   * @param {HTMLCanvasElement} canvas lies on the picture
   * @param {HTMLFieldSetElement} filters where the kinds are listed
   */
  constructor(canvas, filters) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.filters = filters;
    this.hidden = new Set();
    this.kinds = new Map();
    this.head = null;
  }

  clear() {
    this.kinds.clear();
    for (const label of this.filters.querySelectorAll("label, .group")) label.remove();
    this.head = null;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  draw(head) {
    this.head = head;
    const { canvas, context } = this;
    if (canvas.width !== head.width || canvas.height !== head.height) {
      canvas.width = head.width;
      canvas.height = head.height;
    }
    context.clearRect(0, 0, canvas.width, canvas.height);
    const pixel = canvas.clientWidth ? Math.max(canvas.width / canvas.clientWidth, 0.5) : 1;
    for (const object of head.objects) {
      const kind = kindOf(object);
      if (!this.kinds.has(kind)) this.add(kind, object);
      if (this.isShown(kind, object[0])) this.box(object, colorOf(kind), pixel);
    }
  }

  isShown(kind, namespace) {
    return !this.hidden.has(kind) && !this.hidden.has(namespace);
  }

  box([, label, , track, confidence, x, y, width, height, angle], color, pixel) {
    const { context } = this;
    context.save();
    context.translate(x, y);
    context.rotate((angle * Math.PI) / 180);
    context.lineWidth = 2 * pixel;
    context.strokeStyle = color;
    context.strokeRect(-width / 2, -height / 2, width, height);
    context.restore();
    const words = [label, track === null ? "" : `#${track}`, confidence === null ? "" : confidence.toFixed(2)];
    const text = words.filter(Boolean).join(" ");
    context.font = `${13 * pixel}px system-ui, sans-serif`;
    const wide = context.measureText(text).width + 8 * pixel;
    const top = Math.max(y - height / 2 - 18 * pixel, 0);
    context.fillStyle = color;
    context.fillRect(x - width / 2, top, wide, 17 * pixel);
    context.fillStyle = "#000";
    context.fillText(text, x - width / 2 + 4 * pixel, top + 13 * pixel);
  }

  /** List a kind, below the switch of its namespace. */
  add(kind, [namespace, label]) {
    this.kinds.set(kind, namespace);
    if (!this.filters.querySelector(`[data-key="${CSS.escape(namespace)}"]`)) {
      this.filters.append(this.box_switch(namespace, `all of ${namespace}`));
    }
    this.filters.append(this.box_switch(kind, label, colorOf(kind)));
  }

  box_switch(key, text, color) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "checkbox";
    input.checked = !this.hidden.has(key);
    input.dataset.key = key;
    input.addEventListener("change", () => {
      if (input.checked) this.hidden.delete(key);
      else this.hidden.add(key);
      if (this.head) this.draw(this.head);
    });
    label.append(input);
    if (color) {
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.background = color;
      label.append(swatch);
    }
    label.append(text);
    return label;
  }
}
