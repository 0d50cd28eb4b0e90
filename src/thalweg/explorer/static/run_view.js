// A run of the flow as it comes in: loss, strengths, norms, drift, plateaus, what is proved, and a
// slider for the time. Plateaus and proof are named while it runs.

import { h, number, learnedWords, subscript, kindWords, rowsTable, conditions } from "./dom.js";
import { Chart, colour, curves, linesSpec } from "./chart.js";
import { Passing, nowWords, proofWords } from "./passing.js";

const empty = () => ({ t: [], loss: [], gradient: [], drift: [], modes: [], norms: [] });

export class RunView {
  constructor(place) {
    this.loss = new Chart("Reducible loss", { wide: true });
    this.modes = new Chart("Strength of each direction");
    this.norms = new Chart("Norm of each layer");
    this.drift = new Chart("Drift of the conserved matrices");
    this.gradient = new Chart("Gradient norm");
    this.answer = h("p", { class: "answer", "data-role": "answer" }, "Integrating…");
    this.where = h("p", { "data-role": "where", "aria-live": "polite", "aria-atomic": "true" }, "");
    this.proved = h("p", { "data-role": "proof", "aria-live": "polite", "aria-atomic": "true" }, "");
    this.now = h("output", { for: "time" }, "");
    this.slider = h("input", { type: "range", id: "time", min: 0, max: 0, step: 1, value: "0", oninput: () => this.scrub() });
    this.scrubber = h("div", { class: "scrub" }, h("label", { for: "time" }, "Time"), this.slider, this.now);
    this.details = h("div", {});
    this.charts = h("div", { class: "charts" }, [this.loss, this.modes, this.norms, this.drift, this.gradient].map((chart) => chart.element));
    place.append(this.answer, h("div", { class: "standing" }, this.where, this.proved), this.scrubber, this.charts, this.details);
    this.live = null;
    this.whole = null;
    this.points = null;
    this.plateaus = [];
    this.passing = new Passing();
    this.proof = null;
  }

  receive(item) {
    if (item.kind === "problem") this.problem = item;
    if (item.kind === "queued") this.answer.textContent = `Waiting for ${item.before} other computation${item.before > 1 ? "s" : ""}…`;
    if (item.kind === "live") {
      this.answer.textContent = `Integrating: time ${number(item.t)}, ${item.steps} steps, reducible loss ${number(item.loss)}`;
      this.live ||= empty();
      for (const name of Object.keys(this.live)) this.live[name].push(item[name]);
      this.passing.observe(item);
      this.plateaus = this.passing.plateaus;
      this.tell(nowWords(item.near, this.passing.passed), item.proof);
      if (this.live.t.length > 1) { this.points = this.live; this.toEnd(); }
    }
    if (item.kind === "points") this.append(item);
    if (item.kind === "plateaus") {
      this.plateaus = item.plateaus;
      this.tell(nowWords(null, item.plateaus, true), item.proof);
      this.draw();
    }
    if (item.kind === "end") this.finish(item);
  }

  tell(where, proof) {
    // A text that stays is not set again: it would be read out again.
    this.proof = proof;
    const texts = [[this.where, where], [this.proved, proofWords(proof)]];
    for (const [place, text] of texts) if (place.textContent !== text) place.textContent = text;
    this.proved.classList.toggle("yes", proof !== null && proof.since !== null);
  }

  append(item) {
    this.whole ||= empty();
    for (const name of Object.keys(this.whole)) this.whole[name].push(...item[name]);
    this.points = this.whole;
    this.toEnd();
  }

  toEnd() {
    this.slider.max = this.points.t.length - 1;
    this.slider.value = this.slider.max;
    this.draw();
  }

  get until() {
    return this.points.t[Number(this.slider.value)];
  }

  scrub() {
    this.draw();
    const index = Number(this.slider.value);
    const here = this.plateaus.find((item) => item.t_enter <= this.until && this.until <= item.t_exit);
    const where = here ? `, near the saddle that has learned ${learnedWords(here.learned)}` : "";
    this.now.textContent = `t = ${number(this.until)}, loss ${number(this.points.loss[index])}${where}`;
  }

  draw() {
    const P = window.Plot;
    const points = this.points;
    if (!points) return;
    const [t, until] = [points.t, this.until];
    const first = t.find((value) => value > 0) || 1;
    const end = t.at(-1) || 1;
    const x = { type: "log", label: "flow time", domain: [first, end] };
    const least = Math.min(...points.loss.filter((value) => value > 0), Infinity);
    const most = Math.max(...points.loss);
    const levels = (this.problem?.levels || []).filter((level) => level.loss > 0);
    const low = Math.max(least, 1e-12 * most, levels.length ? 1e-4 * levels.at(-1).loss : 0);
    const top = most * Math.max(most / low, 10) ** 0.07; // room for a name above the curve
    const shown = levels.filter((level) => level.loss >= low && level.loss <= top);
    const bands = this.plateaus.map((item) => ({ x1: Math.max(item.t_enter, first), x2: Math.max(item.t_exit, first), name: learnedWords(item.learned), loss: item.loss }));
    const extra = [
      P.rect(bands, { x1: "x1", x2: "x2", fill: "currentColor", fillOpacity: 0.08 }),
      P.ruleY(shown, { y: "loss", stroke: "currentColor", strokeOpacity: 0.45, strokeDasharray: "4,3" }),
      P.text(shown, { y: "loss", text: (level) => `level: ${learnedWords(level.learned)}`, frameAnchor: "left", dy: 7, dx: 4, fillOpacity: 0.75, textAnchor: "start" }),
      P.text(bands.filter((band) => Math.log(band.x2 / band.x1) > 0.12 * Math.log(end / first)), { x: (band) => Math.sqrt(band.x1 * band.x2), y: "loss", text: (band) => `at ${band.name}`, dy: -8, fontWeight: 600 }),
    ];
    const since = this.proof?.since ?? null;
    if (since !== null) {
      const mark = [{ t: Math.min(Math.max(since, first), end) }];
      const late = Math.log(mark[0].t / first) > 0.5 * Math.log(end / first);
      extra.push(
        P.ruleX(mark, { x: "t", stroke: colour(2), strokeWidth: 1.6, strokeDasharray: "1,3" }),
        P.text(mark, { x: "t", text: () => (late ? "certified ✓" : "✓ certified"), frameAnchor: "bottom", textAnchor: late ? "end" : "start", dx: late ? -5 : 5, dy: -8, fill: colour(2), fontWeight: 600 }));
    }
    const named = this.plateaus.map((item) => learnedWords(item.learned)).join(", then ") || "none";
    const loss = { name: "loss", stroke: colour(0), points: t.map((time, i) => ({ t: time, y: points.loss[i] })) };
    this.loss.draw(linesSpec({ lines: [loss], until, x, y: { type: "log", label: "reducible loss", domain: [low, top] }, extra }), [],
      `Falls from ${number(points.loss[0])} to ${number(points.loss.at(-1))}; plateaus: ${named}${since === null ? "" : `; certified from time ${number(since)}`}`);
    const count = points.modes[0].length;
    const strengths = curves(t, Array.from({ length: count }, (_, k) => points.modes.map((row) => row[k])), Array.from({ length: count }, (_, k) => `σ${subscript(k + 1)}`));
    const targets = (this.problem?.sigma || []).slice(0, count);
    this.modes.draw(linesSpec({ lines: strengths, until, x, y: { label: "strength" }, extra: [P.ruleY(targets, { stroke: "currentColor", strokeOpacity: 0.4, strokeDasharray: "4,3" })] }),
      strengths.map((line) => [line.name, line.stroke, line.dash]), "dashed: what is to be learned");
    const layers = points.norms[0].length;
    const norms = curves(t, Array.from({ length: layers }, (_, k) => points.norms.map((row) => row[k])), Array.from({ length: layers }, (_, k) => `W${k + 1}`));
    this.norms.draw(linesSpec({ lines: norms, until, x, y: { label: "spectral norm" } }), norms.map((line) => [line.name, line.stroke, line.dash]), "in the coordinates of the flow");
    this.single(this.drift, points.drift, x, until, "relative drift", 1);
    this.single(this.gradient, points.gradient, x, until, "gradient norm", 2);
  }

  single(chart, values, x, until, label, index) {
    const line = { stroke: colour(index), points: this.points.t.map((time, i) => ({ t: time, y: values[i] })) };
    if (values.some((value) => value === null)) return;
    const positive = values.filter((value) => value > 0);
    const y = positive.length ? { type: "log", label, domain: [Math.min(...positive) / 1.5, Math.max(...positive) * 1.5] } : { label, domain: [0, 1] };
    chart.draw(linesSpec({ lines: [line], until, x, y }), [], positive.length ? `at most ${number(Math.max(...positive))}` : "zero throughout");
  }

  finish(item) {
    const verdict = item.verdict;
    const sure = item.certified ? " (a theorem says so)" : "";
    this.answer.textContent = item.status === "limit"
      ? `Ends at a ${kindWords(verdict.kind)}${sure}: learned ${learnedWords(verdict.learned)}, reducible loss ${number(verdict.loss)}.`
      : `${item.status}: ${item.message}`;
    this.answer.dataset.done = item.status;
    this.scrub();
    this.details.replaceChildren(
      this.plateauTable(), rowsTable(item.rows, "The run"),
      conditions(item.certificate.hypotheses, `Proved at time ${number(item.certificate.time)}: ${item.certificate.message.replace(/^proved: /, "")}`));
  }

  plateauTable() {
    if (!this.plateaus.length) return h("p", {}, "No plateau on the way: this run did not linger near a saddle.");
    return h("div", { class: "scroll" }, h("table", {}, h("caption", {}, "Plateaus on the way"),
      h("thead", {}, h("tr", {}, ["Learned", "Loss there", "From", "To"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, this.plateaus.map((item) => h("tr", {}, h("th", { scope: "row" }, learnedWords(item.learned)),
        [item.loss, item.t_enter, item.t_exit].map((value) => h("td", {}, number(value))))))));
  }
}
