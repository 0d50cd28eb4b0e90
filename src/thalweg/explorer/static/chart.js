// Charts: drawn with Observable Plot as SVG, with export, legend and a text for screen readers.

import { h, number } from "./dom.js";

const DASHES = [null, "7,3", "2,3", "9,3,2,3", "14,4", "4,2,1,2"];

export function colour(index) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--c${index % 6}`).trim();
}

export function dash(index) {
  // Nothing hangs on colour alone; beyond six both turn, not in step.
  return DASHES[(index + Math.floor(index / 6)) % DASHES.length];
}

export class Chart {
  constructor(title, { wide = false, description = "" } = {}) {
    this.title = title;
    this.picture = h("div", { class: "picture" });
    this.legend = h("ul", { class: "legend" });
    this.description = description;
    this.element = h("figure", { class: wide ? "chart wide" : "chart" },
      h("figcaption", {}, h("span", {}, title), h("span", { class: "export row" },
        h("button", { type: "button", "aria-label": `Save ${title} as SVG`, onclick: () => this.save("svg") }, "SVG"),
        h("button", { type: "button", "aria-label": `Save ${title} as PNG`, onclick: () => this.save("png") }, "PNG"))),
      this.picture, this.legend);
    this.spec = null;
    this.observer = new ResizeObserver(() => this.render());
    this.observer.observe(this.picture);
  }

  draw(spec, legend = [], description = this.description) {
    this.spec = spec;
    this.description = description;
    this.entries = legend;
    this.legend.replaceChildren(...legend.map((entry) => h("li", {}, sample(entry), entry[0])));
    this.render();
  }

  render() {
    const width = Math.floor(this.picture.clientWidth);
    if (!this.spec || width < 80) return;
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      const spec = typeof this.spec === "function" ? this.spec(width) : this.spec;
      const svg = window.Plot.plot({ height: Math.min(420, Math.max(220, width * 0.55)), marginLeft: 58, marginRight: 14, marginBottom: 42, ...spec, x: { labelOffset: 36, ...spec.x }, y: { tickFormat: plain, ...spec.y }, width, style: { background: "transparent", color: "inherit", fontSize: "12px" } });
      // The whole picture has a name; the names that Plot gives to its groups are for us.
      for (const group of svg.querySelectorAll("g[aria-label]")) {
        group.dataset.mark = group.getAttribute("aria-label");
        group.removeAttribute("aria-label");
        if (group.hasAttribute("aria-description")) group.dataset.name = group.getAttribute("aria-description");
        group.removeAttribute("aria-description");
      }
      svg.setAttribute("role", this.after ? "group" : "img");
      svg.setAttribute("aria-label", `${this.title}. ${this.description}`);
      this.picture.replaceChildren(svg);
      if (this.after) this.after(svg);
    });
  }

  save(kind) {
    const svg = this.picture.querySelector("svg");
    if (!svg) return;
    const copy = svg.cloneNode(true);
    const style = getComputedStyle(document.documentElement);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("color", style.getPropertyValue("--ink").trim());
    copy.setAttribute("font-family", "system-ui, sans-serif");
    const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    paper.setAttribute("width", "100%");
    paper.setAttribute("height", "100%");
    paper.setAttribute("fill", style.getPropertyValue("--paper").trim());
    copy.prepend(paper);
    legendInto(copy, this.entries, svg.viewBox.baseVal);
    const text = new XMLSerializer().serializeToString(copy);
    const name = `thalweg-${this.title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.${kind}`;
    if (kind === "svg") return download(new Blob([text], { type: "image/svg+xml" }), name);
    const image = new Image();
    const [width, height] = [copy.viewBox.baseVal.width, copy.viewBox.baseVal.height];
    image.onload = () => {
      const canvas = h("canvas", {});
      canvas.width = 2 * width;
      canvas.height = 2 * height;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => download(blob, name), "image/png");
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  }
}

function shape(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) element.setAttribute(name, value);
  return element;
}

function key([, stroke, dashes, symbol], x, y) {
  // A piece of the curve, or the symbol of the points.
  if (symbol) return shape("path", { d: d3.symbol(d3[`symbol${symbol[0].toUpperCase()}${symbol.slice(1)}`], 70)(), transform: `translate(${x + 13},${y})`, fill: stroke });
  return shape("line", { x1: x, x2: x + 26, y1: y, y2: y, stroke, "stroke-width": 3, "stroke-dasharray": dashes });
}

function sample(entry) {
  const picture = shape("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" });
  picture.append(key(entry, 0, 6));
  return picture;
}

function legendInto(svg, entries = [], box) {
  // What is saved stands alone: the legend goes below the picture, in as many rows as it needs.
  let [x, y] = [12, box.height + 10];
  for (const entry of entries) {
    const length = 44 + 7.2 * entry[0].length;
    if (x > 12 && x + length > box.width) [x, y] = [12, y + 20];
    const text = shape("text", { x: x + 32, y: y + 4, fill: "currentColor", "font-size": 12, "text-anchor": "start" });
    text.textContent = entry[0];
    svg.append(key(entry, x, y), text);
    x += length;
  }
  const height = entries.length ? y + 14 : box.height;
  svg.setAttribute("viewBox", `0 0 ${box.width} ${height}`);
  svg.setAttribute("height", height);
}

function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function curves(t, columns, names) {
  // One object a curve: its points, colour, dash and name.
  return columns.map((values, index) => ({
    name: names[index], stroke: colour(index), dash: dash(index),
    points: t.map((time, i) => ({ t: time, y: values[i] })),
  }));
}

function plain(value) {
  return typeof value === "number" ? number(value) : value;
}

function tick(value) {
  const power = Math.log10(value);
  if (Math.abs(power) < 3.5) return String(Number(value.toPrecision(6)));
  return Math.abs(power - Math.round(power)) < 1e-9 ? value.toExponential(0).replace("e+", "e") : "";
}

export function axis(options) {
  // Logarithmic axes: whole powers where they span many, all leading digits where they do not.
  if (options.type !== "log" || !options.domain) return options.type === "log" ? { tickFormat: tick, ...options } : options;
  const [low, high] = options.domain.map(Math.log10);
  const every = Math.max(1, Math.ceil((high - low) / 8));
  const powers = d3.range(Math.ceil(low), Math.floor(high) + 1).filter((power) => power % every === 0).map((power) => 10 ** power);
  return powers.length >= 3 ? { ticks: powers, tickFormat: tick, ...options } : { ticks: 5, tickFormat: tick, ...options };
}

export function linesSpec({ lines, x, y, until = Infinity, extra = [] }) {
  const P = window.Plot;
  const inside = (point) => point.y !== null && (x.type !== "log" || point.t > 0) && (y.type !== "log" || point.y > 0);
  return {
    x: { grid: true, ...axis(x) }, y: { grid: true, ...axis(y) },
    marks: [
      ...extra,
      ...lines.map((line) => P.line(line.points.filter((point) => inside(point) && point.t <= until), { x: "t", y: "y", stroke: line.stroke, strokeDasharray: line.dash, strokeWidth: 1.8, clip: true })),
    ],
  };
}
