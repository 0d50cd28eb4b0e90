// Screen: the critical values as a Hasse diagram; points can be constructed and left again.

import { h, number, learnedWords, kindWords, rowsTable, say } from "./dom.js";
import { Chart, colour, linesSpec } from "./chart.js";
import { problemGroup } from "./form.js";
import { RunView } from "./run_view.js";
import { source } from "./state.js";

export const title = "Landscape";
export const lead = "Every level at which the flow can stand still. Choose a level to construct a critical point there.";
export const action = "Draw the landscape";
const STYLES = { global_minimum: "c2", strict_saddle: "c0", non_strict_saddle: "c1" };
const SYMBOLS = { global_minimum: "circle", strict_saddle: "square", non_strict_saddle: "triangle" };

export function groups() {
  return [problemGroup, (form) => [h("fieldset", {}, h("legend", {}, "Diagram"),
    ...form.field("lowest", "Levels to show", { inputmode: "numeric", placeholder: "32" }),
    ...form.field("seed", "Seed of the points", { inputmode: "numeric" }))]];
}

export function request(values) {
  return { task: "landscape", content: { source: source(values), lowest: values.lowest ? Number(values.lowest) : 32 } };
}

export function view(place, context) {
  return new LandscapeView(place, context);
}

function inWords(text) {
  // The library counts directions from 0, this page names them.
  return text.replace(/directions? \(([\d, ]*)\)/g, (_, list) => learnedWords(list.split(",").filter((item) => item.trim()).map(Number)));
}

class LandscapeView {
  constructor(place, context) {
    this.context = context;
    this.answer = h("p", { class: "answer", "data-role": "answer" }, "Counting…");
    this.chart = new Chart("Hasse diagram of the critical values", { wide: true });
    this.chart.after = (svg) => this.enliven(svg);
    this.panel = h("section", { "aria-label": "Critical point" });
    place.append(this.answer, h("div", { class: "charts" }, this.chart.element), this.panel);
  }

  receive(item) {
    if (item.kind === "problem") this.problem = item;
    if (item.kind === "levels") this.show(item);
  }

  show(item) {
    this.levels = item.levels;
    this.answer.textContent = `${item.n_levels} critical values; ${item.levels.length} are shown, lowest first.`;
    if (!item.complete) this.answer.textContent += " Some singular values are tied or zero: further maps share these values.";
    this.answer.dataset.done = "limit";
    this.chart.draw((width) => this.spec(width), Object.entries(STYLES).map(([kind, name]) => [kindWords(kind), getComputedStyle(document.documentElement).getPropertyValue(`--${name}`), null, SYMBOLS[kind]]),
      `${item.n_levels} levels; columns: number of learned directions; edges lead to sets with one direction more`);
    const asked = this.context.values.point;
    if (asked) {
      const [learned, kind] = asked.split("|");
      this.construct(learned ? learned.split(",").map(Number) : [], kind, this.context.values.push === "1");
    }
  }

  spec(width) {
    const P = window.Plot;
    const place = new Map(this.levels.map((level) => [level.learned.join(), level]));
    const edges = this.levels.flatMap((level) => level.contained_in.map((set) => place.get(set.join())).filter(Boolean).map((next) => ({ x1: level.learned.length, y1: level.loss, x2: next.learned.length, y2: next.loss })));
    const nodes = this.levels.flatMap((level) => level.kinds.map((kind, k) => ({ ...level, kind, dx: k * 11 })));
    const most = Math.max(...this.levels.map((level) => level.learned.length));
    // Losses of real data differ by powers of ten: where nodes would cover each other, levels are
    // set one above the other in their order, and the axis says their losses.
    const losses = [...new Set(this.levels.map((level) => level.loss))].sort((a, b) => a - b);
    const even = this.crowded(losses.at(-1) - losses[0]);
    const up = even ? (loss) => losses.indexOf(loss) : (loss) => loss;
    const thin = Math.ceil(losses.length / 30);
    const y = even
      ? { label: "reducible loss (levels in order, not to scale)", grid: true, ticks: d3.range(0, losses.length, thin), tickFormat: (i) => number(losses[i]) }
      : { label: "reducible loss", grid: true };
    return {
      height: even ? Math.max(460, 18 * losses.length) : 460, x: { label: "directions learned", ticks: d3.range(most + 1), tickFormat: "d", domain: [-0.4, most + 0.9] }, y, marginLeft: 66, marginTop: 34,
      marks: [
        P.link(edges, { x1: "x1", y1: (edge) => up(edge.y1), x2: "x2", y2: (edge) => up(edge.y2), stroke: "currentColor", strokeOpacity: 0.22 }),
        ...Object.entries(STYLES).flatMap(([kind, name]) => [0, 11].map((dx) => P.dot(nodes.filter((node) => node.kind === kind && node.dx === dx), {
          x: (node) => node.learned.length, y: (node) => up(node.loss), r: 6, dx, symbol: SYMBOLS[kind],
          fill: getComputedStyle(document.documentElement).getPropertyValue(`--${name}`), ariaDescription: `${kind} ${dx}`,
        }))),
        ...[true, false].map((left) => P.text(nodes.filter((node) => node.dx === 0 && left === (width < 560 && node.learned.length === most && most > 1)), {
          x: (node) => node.learned.length, y: (node) => up(node.loss), text: (node) => learnedWords(node.learned), dx: left ? -10 : 24, dy: left ? -9 : -2, textAnchor: left ? "end" : "start",
        })),
      ],
    };
  }

  crowded(range) {
    const columns = d3.group(this.levels, (level) => level.learned.length);
    return [...columns.values()].some((column) => {
      const sorted = column.map((level) => level.loss).sort((a, b) => a - b);
      return d3.pairs(sorted).some(([low, high]) => high - low < 0.03 * range);
    });
  }

  enliven(svg) {
    // Plot draws the nodes of a mark in the order of its data: give each its place in the page.
    for (const kind of Object.keys(STYLES)) {
      for (const dx of [0, 11]) {
        const nodes = this.levels.flatMap((level) => level.kinds.map((k, i) => ({ level, kind: k, dx: i * 11 }))).filter((node) => node.kind === kind && node.dx === dx);
        const found = svg.querySelector(`g[data-name="${kind} ${dx}"]`);
        if (!found) continue;
        [...found.children].forEach((dot, i) => this.button(dot, nodes[i]));
      }
    }
  }

  button(dot, node) {
    dot.classList.add("node");
    dot.setAttribute("role", "button");
    dot.setAttribute("tabindex", "0");
    dot.setAttribute("aria-label", `${kindWords(node.kind)}, learned ${learnedWords(node.level.learned)}, loss ${number(node.level.loss)}`);
    const choose = () => this.construct(node.level.learned, node.kind);
    dot.addEventListener("click", choose);
    dot.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } });
  }

  async construct(learned, kind, push = false) {
    this.context.remember({ point: `${learned.join(",")}|${kind}`, push: push ? "1" : "" });
    const content = { source: source(this.context.values), learned, kind, seed: Number(this.context.values.seed || 0) };
    const waiting = h("p", { class: "answer", "data-role": "answer" }, "Constructing the point…");
    this.panel.replaceChildren(h("h2", {}, `A ${kindWords(kind)} that has learned ${learnedWords(learned)}`), waiting);
    say("constructing the point");
    const whole = await this.context.ask("point", content, (item) => {
      if (item.kind === "point") { waiting.remove(); this.verdict(item, content); }
      if (item.kind === "line") this.line(item);
      if (item.kind === "snippet") this.context.snippet(item, this.panel, "this point");
    });
    if (push && whole) this.push(content);
  }

  verdict(item, content) {
    const verdict = item.verdict;
    this.panel.append(h("p", { class: "answer", "data-role": "point" }, inWords(verdict.message)));
    if (verdict.kind.endsWith("saddle")) {
      this.panel.append(h("button", { type: "button", class: "main", onclick: () => { this.context.remember({ push: "1" }); this.push(content); } }, "Push off and follow the flow"));
    }
    this.charts = h("div", { class: "charts" });
    this.panel.append(this.charts);
    if (verdict.eigenvalues) this.spectrum(verdict.eigenvalues);
    this.panel.append(rowsTable(verdict.rows.map(([name, value]) => [kindWords(name), name === "learned" ? learnedWords(verdict.learned) : name === "kind" ? kindWords(value) : inWords(String(value))]), "Verdict"));
    if (verdict.pivots.length) {
      this.panel.append(h("div", { class: "scroll" }, h("table", {}, h("caption", {}, "Pairs of layers: a saddle is strict if any pair is open"),
        h("thead", {}, h("tr", {}, ["Layers", "Rank between", "Rank around", "Pair is"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, verdict.pivots.map((pivot) => h("tr", {}, h("th", { scope: "row" }, pivot.layers.join(" and ")), [pivot.rank_between, pivot.rank_around, pivot.tightened ? "closed" : "open"].map((value) => h("td", {}, String(value)))))))));
    }
  }

  spectrum(eigenvalues) {
    const chart = new Chart("Eigenvalues of the Hessian");
    this.charts.append(chart.element);
    const data = eigenvalues.map((value, i) => ({ i: i + 1, value }));
    const least = eigenvalues[0];
    chart.draw({ x: { label: "number" }, y: { label: "eigenvalue", grid: true }, marks: [window.Plot.ruleY([0]), window.Plot.dot(data, { x: "i", y: "value", r: 2.5, fill: (item) => (item.value < -1e-9 ? colour(1) : colour(0)) })] }, [], `${eigenvalues.length} values, the least ${number(least)}`);
  }

  line(item) {
    const chart = new Chart("Loss along the way down");
    this.charts.append(chart.element);
    const line = { stroke: colour(1), points: item.t.map((t, i) => ({ t, y: item.change[i] })) };
    chart.draw(linesSpec({ lines: [line], x: { label: "distance along the direction" }, y: { label: "change of the loss" }, extra: [window.Plot.ruleY([0]), window.Plot.ruleX([0])] }), [], "change of the loss from the critical point");
  }

  async push(content) {
    const place = h("section", { "aria-label": "Run after the push" }, h("h2", {}, "After the push"));
    this.panel.append(place);
    const view = new RunView(place);
    await this.context.ask("push", { ...content, step: 1e-3 }, (item) => (item.kind === "snippet" ? this.context.snippet(item, place, "the run after the push") : view.receive(item)));
  }
}
