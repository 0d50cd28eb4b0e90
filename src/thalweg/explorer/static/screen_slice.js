// Screen: a plane through critical points; a start can be put anywhere on it and let go.

import { h, number, learnedWords, kindWords, rowsTable, say } from "./dom.js";
import { Chart, colour } from "./chart.js";
import { problemGroup } from "./form.js";
import { source, numbers } from "./state.js";

export const title = "Slice";
export const lead = "The loss on a plane through two critical points. Click on it, or move the cross with the arrow keys and press Enter, to let a start go.";
export const action = "Draw the plane";

export function groups() {
  return [problemGroup, (form) => [h("fieldset", {}, h("legend", {}, "Points"),
    ...form.field("a", "The first has learned", { inputmode: "numeric", placeholder: "nothing" }, "directions like 1, 2"),
    ...form.field("b", "The second has learned", { inputmode: "numeric", placeholder: "1" }),
    ...form.field("seed", "Seed of the points", { inputmode: "numeric" }))]];
}

function point(text, fallback, values) {
  const listed = text ? numbers(text).map((i) => i - 1) : fallback;
  return { learned: listed, kind: null, seed: Number(values.seed || 0) };
}

export function request(values) {
  return { task: "slice", content: { source: source(values), a: point(values.a, [], values), b: point(values.b, [0], values) } };
}

export function view(place, context) {
  return new SliceView(place, context);
}

class SliceView {
  constructor(place, context) {
    this.context = context;
    this.answer = h("p", { class: "answer", "data-role": "answer" }, "Evaluating the loss…");
    this.chart = new Chart("The loss on the plane", { wide: true });
    this.chart.after = (svg) => this.enliven(svg);
    this.panel = h("section", { "aria-label": "Run from the plane" });
    place.append(this.answer, h("div", { class: "charts" }, this.chart.element), this.panel);
    this.paths = [];
    this.cross = null;
  }

  receive(item) {
    if (item.kind === "problem") this.problem = item;
    if (item.kind !== "plane") return;
    this.plane = item;
    this.grid = item.y.flatMap((y, j) => item.x.map((x, i) => ({ x, y, loss: item.loss[j][i] })));
    this.cross = { x: (item.x[0] + item.x.at(-1)) / 2, y: (item.y[0] + item.y.at(-1)) / 2 };
    this.answer.textContent = `Marked: ${item.marks.map((mark) => `${kindWords(mark.kind)}, learned ${learnedWords(mark.learned)}`).join("; ")}.`;
    this.answer.dataset.done = "limit";
    this.draw();
    const asked = this.context.values.drop;
    if (asked) this.drop(...asked.split(",").map(Number));
  }

  draw() {
    const [P, plane] = [window.Plot, this.plane];
    const span = (values) => [values[0], values.at(-1)];
    const low = Math.min(...this.grid.map((cell) => cell.loss));
    const high = d3.quantile(this.grid.map((cell) => cell.loss), 0.9);
    const levels = d3.range(0, 18).map((k) => low - 1e-9 * (high - low) + (high - low) * (k / 18) ** 2);
    this.chart.draw((width) => ({
      height: Math.min(560, width * 0.7),
      x: { label: "along the line between the points", domain: span(plane.x) }, y: { label: "across", domain: span(plane.y) },
      color: { type: "linear", scheme: "YlGnBu", reverse: true, domain: [low, high], legend: false },
      marks: [
        P.contour(plane.loss.flat(), { width: plane.x.length, height: plane.y.length, x1: plane.x[0], x2: plane.x.at(-1), y1: plane.y[0], y2: plane.y.at(-1), thresholds: levels, fill: P.identity, stroke: "currentColor", strokeOpacity: 0.25, strokeWidth: 0.6 }),
        ...this.paths.map((path) => P.line(path.x.map((x, i) => ({ x, y: path.y[i] })), { x: "x", y: "y", stroke: "#e4007c", strokeWidth: 2.2, clip: true })),
        ...this.paths.map((path) => P.dot([{ x: path.x[0], y: path.y[0] }], { x: "x", y: "y", r: 4, fill: "#e4007c" })),
        P.dot(plane.marks, { x: "x", y: "y", r: 6, fill: "white", stroke: "black", strokeWidth: 1.5 }),
        P.text(plane.marks, { x: "x", y: "y", text: (mark) => learnedWords(mark.learned), dx: 10, textAnchor: "start", fill: "black", stroke: "white", strokeWidth: 3 }),
        P.dot([this.cross], { x: "x", y: "y", r: 8, symbol: "times", stroke: "#e4007c", strokeWidth: 2 }),
      ],
    }), [], `${this.paths.length} runs drawn; losses from ${number(low)}`);
  }

  enliven(svg) {
    const [x, y] = ["x", "y"].map((name) => svgScale(svg, name));
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-roledescription", "plane");
    const place = (event) => {
      const box = svg.getBoundingClientRect();
      const view = svg.viewBox.baseVal;
      return [x.invert(((event.clientX - box.left) * view.width) / box.width), y.invert(((event.clientY - box.top) * view.height) / box.height)];
    };
    svg.addEventListener("pointerdown", (event) => { svg.setPointerCapture(event.pointerId); this.held = true; this.move(...place(event), svg, x, y); });
    svg.addEventListener("pointermove", (event) => { if (this.held) this.move(...place(event), svg, x, y); });
    svg.addEventListener("pointerup", (event) => { if (this.held) { this.held = false; this.drop(...place(event)); } });
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (step) {
        event.preventDefault();
        const [dx, dy] = [this.plane.x[1] - this.plane.x[0], this.plane.y[1] - this.plane.y[0]];
        this.move(this.cross.x + step[0] * dx, this.cross.y + step[1] * dy, svg, x, y);
        say(`cross at ${number(this.cross.x)}, ${number(this.cross.y)}`);
      }
      if (event.key === "Enter") this.drop(this.cross.x, this.cross.y);
    });
    if (this.refocus) { svg.focus(); this.refocus = false; }
  }

  move(px, py, svg, x, y) {
    this.cross = { x: px, y: py };
    const mark = [...svg.querySelectorAll("g[data-mark=dot]")].at(-1)?.firstElementChild;
    if (mark) mark.setAttribute("transform", `translate(${x.apply(px)},${y.apply(py)})`);
  }

  async drop(px, py) {
    const plane = this.plane;
    if (!(px >= plane.x[0] && px <= plane.x.at(-1) && py >= plane.y[0] && py <= plane.y.at(-1))) return;
    [px, py] = [px, py].map((value) => Number(value.toPrecision(6))); // as the address keeps it
    this.cross = { x: px, y: py };
    this.refocus = document.activeElement?.closest?.("svg") !== null;
    this.context.remember({ drop: `${px},${py}` });
    this.panel.replaceChildren(h("p", { class: "answer", "data-role": "answer" }, "Following the flow…"));
    const { content } = request(this.context.values);
    await this.context.ask("drop", { ...content, x: px, y: py }, (item) => {
      if (item.kind === "path") {
        this.paths = [...this.paths.slice(-7), item];
        const off = Math.max(...item.distance);
        this.panel.replaceChildren(
          h("p", { class: "answer", "data-role": "path", "data-done": item.status }, `From (${number(px)}, ${number(py)}) it ends at a ${kindWords(item.verdict.kind)}, learned ${learnedWords(item.verdict.learned)}; the path leaves the plane by at most ${number(off)}.`),
          rowsTable(item.rows, "The run"));
        this.draw();
      }
      if (item.kind === "snippet") this.context.snippet(item, this.panel, "this run");
    });
  }
}

function svgScale(svg, name) {
  return svg.scale(name);
}
