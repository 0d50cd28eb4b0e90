// Screen: the same start under the flow and under optimizers.

import { h, number, rowsTable } from "./dom.js";
import { Chart, colour, dash, linesSpec } from "./chart.js";
import { problemGroup, startGroup } from "./form.js";
import { source, start } from "./state.js";

export const title = "Optimizer";
export const lead = "The flow keeps the imbalance of neighbouring layers for ever. Steps of finite size, momentum and Adam do not: see how much each destroys.";
export const action = "Train";
const METHODS = [["gd", "gradient descent"], ["sgd", "minibatch SGD"], ["momentum", "heavy ball"], ["nesterov", "Nesterov"], ["adam", "Adam"], ["adamw", "AdamW"]];
const USUAL = "gd,momentum,adam";

export function groups() {
  return [problemGroup, startGroup, (form) => [h("fieldset", {}, h("legend", {}, "Optimizers"),
    ...METHODS.map(([name, words]) => {
      const chosen = () => (form.values.methods || USUAL).split(",").filter(Boolean);
      const box = h("input", { type: "checkbox", name: `m-${name}`, checked: chosen().includes(name), onchange: (event) => {
        const rest = chosen().filter((item) => item !== name);
        form.values.methods = METHODS.map(([key]) => key).filter((key) => rest.includes(key) || (key === name && event.target.checked)).join(",") || "none";
        form.changed(form.values);
      } });
      return h("label", { class: "tick" }, box, words);
    }),
    ...form.field("lr", "Learning rate", { inputmode: "decimal", placeholder: "0.01" }),
    ...form.field("steps", "Steps", { inputmode: "numeric", placeholder: "1000" }),
    ...form.field("decay", "Weight decay", { inputmode: "decimal", placeholder: "0" }))]];
}

export function request(values) {
  const methods = (values.methods || USUAL).split(",").filter((name) => name && name !== "none");
  return { task: "optimizer", content: {
    source: source(values), start: start(values), methods,
    lr: values.lr ? Number(values.lr) : 0.01, steps: values.steps ? Number(values.steps) : 1000, weight_decay: values.decay ? Number(values.decay) : 0,
  } };
}

export function view(place) {
  return new OptimizerView(place);
}

class OptimizerView {
  constructor(place) {
    this.answer = h("p", { class: "answer", "data-role": "answer" }, "Training…");
    this.loss = new Chart("Loss", { wide: true });
    this.drift = new Chart("Drift of the conserved matrices", { wide: true });
    this.table = h("div", { class: "scroll" });
    this.tracks = [];
    place.append(this.answer, h("div", { class: "charts" }, this.loss.element, this.drift.element), this.table);
  }

  receive(item) {
    if (item.kind === "problem") this.problem = item;
    if (item.kind === "live") this.answer.textContent = `${item.name}: step ${item.step} of ${item.steps}, loss ${number(item.loss)}`;
    if (item.kind === "track") { this.tracks.push(item); this.draw(); }
    if (item.kind === "finished") this.finish();
  }

  draw() {
    const first = Math.min(...this.tracks.map((track) => track.t.find((t) => t > 0) || 1));
    const end = Math.max(...this.tracks.map((track) => track.t.at(-1)));
    const x = { type: "log", label: "time (learning rate × steps)", domain: [first, Math.max(end, 1.01 * first)] };
    const curve = (track, index, values, dashes = dash(index)) => ({ name: track.name, stroke: colour(index), dash: dashes, points: track.t.map((t, i) => ({ t, y: values[i] })) });
    const legend = this.tracks.map((track, index) => [words(track.name), colour(index), dash(index)]);
    const rest = this.problem?.irreducible || 0;
    const losses = this.tracks.map((track, index) => curve(track, index, track.loss.map((value) => (value === null ? null : value - rest))));
    const all = losses.flatMap((line) => line.points.map((point) => point.y)).filter((value) => value > 0);
    const most = Math.min(Math.max(...all), 1e3 * losses[0].points[0].y);
    this.loss.draw(linesSpec({ lines: losses, x, y: { type: "log", label: "reducible loss", domain: [Math.max(Math.min(...all), 1e-12 * most), 1.3 * most] } }), legend, `${this.tracks.length} curves`);
    const drifts = this.tracks.map((track, index) => curve(track, index, track.drift));
    const predicted = this.tracks.map((track, index) => (track.predicted ? curve(track, index, track.predicted, "1,6") : null)).filter(Boolean);
    const seen = [...drifts, ...predicted].flatMap((line) => line.points.map((point) => point.y)).filter((value) => value > 0);
    const high = Math.max(...seen, 1e-15);
    this.drift.draw(linesSpec({ lines: [...drifts, ...predicted], x, y: { type: "log", label: "relative drift", domain: [Math.max(Math.min(...seen) / 1.5, 1e-17), 1.5 * high] } }), [...legend, ["predicted from the steps", "currentColor", "1,6"]], `largest ${number(high)}`);
  }

  finish() {
    this.answer.textContent = `Drift at the end: ${this.tracks.map((track) => `${words(track.name)} ${number(track.drift.at(-1), 2)}`).join(", ")}.`;
    this.answer.dataset.done = "limit";
    this.table.replaceChildren(h("table", {}, h("caption", {}, "Side by side"),
      h("thead", {}, h("tr", {}, ["", "Loss at the end", "Drift", "Predicted drift"].map((name) => (name ? h("th", { scope: "col" }, name) : h("td", {}))))),
      h("tbody", {}, this.tracks.map((track) => h("tr", {}, h("th", { scope: "row" }, words(track.name)),
        [number(track.loss.at(-1), 6), number(track.drift.at(-1), 3), track.predicted ? number(track.predicted.at(-1), 3) : "–"].map((text) => h("td", { class: "figure" }, text)))))),
      rowsTable(this.tracks.map((track) => [words(track.name), `${track.status}: ${track.message}`]), "What happened"));
  }
}

function words(name) {
  return METHODS.find(([key]) => key === name)?.[1] || name;
}
