// Screen: many random starts, counted as they come in; sweeps that were kept can be opened.

import { h, number, learnedWords, kindWords, rowsTable } from "./dom.js";
import { Chart, axis, colour } from "./chart.js";
import { problemGroup } from "./form.js";
import { source, numbers } from "./state.js";

export const title = "Basins";
export const lead = "Many random starts, each followed until its limit is decided: how likely is each ending, how long are the plateaus?";
export const action = "Count";

export function groups() {
  return [(form) => [h("fieldset", {}, h("legend", {}, "Sweep"),
    ...form.choice("open", "Do", [["", "run a new one"], ...form.options.sweeps.map((name) => [name, `open “${name}”`])], true),
    ...(form.values.open ? [] : [
      ...form.choice("family", "Starts", [["gaussian", "Gaussian"], ["orthogonal", "orthogonal"], ["balanced", "balanced"]]),
      ...form.field("scales", "Scales", { inputmode: "decimal", placeholder: "0.1" }, "one or several, with commas between"),
      ...form.field("n", "Starts for each", { inputmode: "numeric", placeholder: "1000" }),
      ...form.field("seed", "Seed", { inputmode: "numeric" }),
      ...(form.options.keeps ? form.field("keep", "Keep as", { placeholder: "not kept" }, "a name; letters, digits, - and _") : []),
    ].filter(Boolean)))], (form) => (form.values.open ? [] : problemGroup(form))];
}

export function request(values) {
  if (values.open) return { task: "basins", content: { store: values.open, stored: true } };
  return { task: "basins", content: {
    source: source(values), kind: values.family || "gaussian", scales: values.scales ? numbers(values.scales) : [0.1],
    n: values.n ? Number(values.n) : 1000, seed: Number(values.seed || 0), ...(values.keep ? { store: values.keep } : {}),
  } };
}

export function view(place) {
  return new BasinsView(place);
}

class BasinsView {
  constructor(place) {
    this.answer = h("p", { class: "answer", "data-role": "answer" }, "Starting…");
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Starts done" });
    this.chart = new Chart("Where the starts end", { wide: true });
    this.stairs = new Chart("When plateaus are left", { wide: true });
    this.details = h("div", {});
    place.append(this.answer, this.bar, h("div", { class: "charts" }, this.chart.element, this.stairs.element), this.details);
  }

  receive(item) {
    if (item.kind === "counts") this.live(item);
    if (item.kind === "sweep") this.finish(item);
  }

  live(item) {
    this.bar.max = item.total;
    this.bar.value = item.done;
    const parts = item.rows.map((row) => `${kindWords(row.kind)} ${row.count}`);
    this.answer.textContent = `${item.done} of ${item.total} starts: ${parts.join(", ")}`;
    this.bars(item.rows.map((row) => ({ label: kindWords(row.kind), value: row.count / item.done, low: row.interval[0], high: row.interval[1], facet: "" })));
  }

  bars(rows) {
    const P = window.Plot;
    const facets = new Set(rows.map((row) => row.facet)).size > 1;
    const fy = facets ? { fy: "facet" } : {};
    this.chart.draw((width) => (width < 560 ? this.narrow(rows, facets) : {
      height: 72 + 34 * rows.length, marginLeft: 190, marginRight: facets ? 90 : 20, x: { domain: [0, 1], label: "share of the starts, 95 % interval", grid: true }, y: { label: null }, fy: { label: null },
      marks: [
        P.barX(rows, { x: "value", y: "label", fill: colour(0), fillOpacity: 0.75, ...fy }),
        P.link(rows, { x1: "low", x2: "high", y1: "label", y2: "label", stroke: "currentColor", strokeWidth: 2.5, ...fy }),
        P.ruleX([0]),
      ],
    }), [], rows.map((row) => `${row.facet} ${row.label}: ${number(row.value)}, interval ${number(row.low)} to ${number(row.high)}`).join("; "));
  }

  narrow(rows, facets) {
    // On a phone the names stand above the bars.
    const P = window.Plot;
    const names = rows.map((row, i) => ({ ...row, key: i, text: facets ? `${row.facet}, ${row.label}` : row.label }));
    return {
      height: 60 + 52 * rows.length, marginLeft: 14, x: { domain: [0, 1], ticks: 5, label: "share, 95 % interval", grid: true }, y: { axis: null, padding: 0.55 },
      marks: [
        P.barX(names, { x: "value", y: "key", fill: colour(0), fillOpacity: 0.75 }),
        P.link(names, { x1: "low", x2: "high", y1: "key", y2: "key", stroke: "currentColor", strokeWidth: 2.5 }),
        P.text(names, { x: 0, y: "key", text: "text", textAnchor: "start", dy: -20 }),
        P.ruleX([0]),
      ],
    };
  }

  finish(item) {
    this.bar.remove();
    const total = Object.values(item.counts).reduce((a, b) => a + b, 0);
    const parts = Object.entries(item.counts).map(([kind, count]) => `${kindWords(kind)} ${count}`);
    this.answer.textContent = `${total} starts: ${parts.join(", ")} (${item.message}).`;
    this.answer.classList.toggle("bad", item.defects.length > 0);
    this.answer.dataset.done = item.status;
    const where = (parameters) => Object.entries(parameters).map(([name, value]) => `${name} ${typeof value === "number" ? number(value) : value}`).join(", ");
    if (item.fractions) {
      this.bars(item.fractions.map((row) => ({ facet: where(row.parameters), label: row.learned === null ? kindWords(row.kind) : `${kindWords(row.kind)}: ${learnedWords(row.learned)}`, value: row.fraction, low: row.low, high: row.high })));
    }
    this.staircase(item.plateaus, where);
    this.details.replaceChildren(
      ...item.defects.map((defect) => h("p", { class: "no" }, `Defect: ${defect.message}`)),
      rowsTable(item.rows, "The sweep"),
      rowsTable(item.theorems.map((theorem) => [theorem.status, `${theorem.statement} (${theorem.source}; ${theorem.applies ? "applies here" : theorem.message})`]), "What is known for this depth"));
  }

  staircase(found, where) {
    const P = window.Plot;
    const plateaus = [...found].sort((a, b) => a.learned.length - b.learned.length || String(a.learned).localeCompare(String(b.learned)));
    const points = plateaus.flatMap((item) => {
      const middle = item.quantiles.find((row) => row[0] === 0.5);
      const [low, high] = [item.quantiles[0], item.quantiles.at(-1)];
      return middle && middle[1] !== null ? [{ where: where(item.parameters) || "all", learned: learnedWords(item.learned), middle: middle[1], low: low[1], high: high[1] ?? middle[1] }] : [];
    }).filter((point) => point.middle > 0);
    if (!points.length) return;
    const ends = points.flatMap((point) => [point.low, point.middle, point.high]).filter((value) => value > 0);
    const names = [...new Set(points.map((point) => point.learned))];
    const shade = (point) => colour(names.indexOf(point.learned));
    this.stairs.draw(() => ({
      height: 80 + 60 * new Set(points.map((point) => point.where)).size, marginLeft: 110, x: axis({ type: "log", domain: [d3.min(ends) / 1.1, d3.max(ends) * 1.1], label: "time at which the plateau is left (5 %, median, 95 %)", grid: true }), y: { label: null },
      marks: [
        P.link(points.filter((point) => point.low > 0), { x1: "low", x2: "high", y1: "where", y2: "where", stroke: shade, strokeWidth: 3, strokeOpacity: 0.5 }),
        P.dot(points, { x: "middle", y: "where", fill: shade, r: 5 }),
      ],
    }), names.map((name, i) => [`learned ${name}`, colour(i)]), points.map((point) => `${point.where}, ${point.learned}: ${number(point.middle)}`).join("; "));
  }
}
