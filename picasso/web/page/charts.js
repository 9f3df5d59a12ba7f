// Small charts, each with its numbers as text.

const COLORS = ["#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2", "#eeca3b", "#9d755d", "#ff9da6", "#8c8c8c"];

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** The mean time of each stage since the last look, or its median where nothing came since then. */
export function stageTimes(now, before) {
  return Object.entries(now).map(([name, times]) => {
    const past = before?.[name];
    const count = past ? times.count - past.count : 0;
    return [name, count > 0 ? (times.sum - past.sum) / count : times.p50];
  });
}

/** A stacked bar of `[[name, milliseconds], ...]`. */
export function stackedBar(place, parts) {
  const shown = parts.filter(([, ms]) => ms > 0);
  const total = shown.reduce((sum, [, ms]) => sum + ms, 0);
  const stack = made("div", { className: "stack" });
  stack.setAttribute("aria-hidden", "true");
  const legend = made("ul", { className: "legend" });
  shown.forEach(([name, ms], index) => {
    const color = COLORS[index % COLORS.length];
    const part = made("span", { title: `${name}: ${ms.toFixed(1)} ms` });
    part.style.background = color;
    part.style.flex = `${ms} 0 0`;
    stack.append(part);
    const swatch = made("span", { className: "swatch" });
    swatch.style.background = color;
    legend.append(made("li", {}, swatch, name, made("span", { className: "value", textContent: `${ms.toFixed(1)} ms` })));
  });
  legend.append(made("li", {}, "together", made("span", { className: "value", textContent: `${total.toFixed(1)} ms` })));
  place.replaceChildren(stack, legend);
}

/** A line of numbers, the newest at the right. */
export function sparkline(place, values, words) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 100 20");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const most = Math.max(...values, 1);
  const step = 100 / Math.max(values.length - 1, 1);
  const line = document.createElementNS(space, "polyline");
  line.setAttribute("points", values.map((value, at) => `${(at * step).toFixed(2)},${(19 - (18 * value) / most).toFixed(2)}`).join(" "));
  svg.append(line);
  place.replaceChildren(svg, made("p", { textContent: words }));
}
