// The settings of a screen.

import { h, say } from "./dom.js";
import { upload, stream } from "./api.js";

const STARTS = { gaussian: "scale", orthogonal: "scale", balanced: "scale", lambda_balanced: "λ", exponential: "rate" };

export class Form {
  constructor(element, options, changed, submitted) {
    this.element = element;
    this.options = options;
    this.changed = changed;
    element.addEventListener("submit", (event) => { event.preventDefault(); submitted(); });
    element.addEventListener("change", () => this.changed(this.values));
  }

  show(groups, values, actions) {
    this.values = { ...values };
    this.element.replaceChildren(...groups.flatMap((group) => group(this)), h("div", { class: "row" }, actions), h("p", { id: "form-error", class: "no", role: "alert" }));
  }

  complain(text) {
    const place = this.element.querySelector("#form-error");
    if (place) place.textContent = text;
  }

  field(name, label, attributes = {}, hint = null) {
    const id = `f-${name}`;
    const input = h("input", { id, name, value: this.values[name] ?? "", ...attributes, oninput: (event) => { this.values[name] = event.target.value; this.changed(this.values); } });
    const extra = hint ? h("small", { class: "hint", id: `${id}-hint` }, hint) : null;
    if (extra) input.setAttribute("aria-describedby", `${id}-hint`);
    return [h("label", { for: id }, label), input, extra];
  }

  choice(name, label, items, redraw = false) {
    const id = `f-${name}`;
    const select = h("select", { id, name, onchange: (event) => {
      this.values[name] = event.target.value;
      this.changed(this.values);
      if (redraw) this.redraw();
    } }, items.map(([value, text]) => h("option", { value, selected: this.values[name] === value }, text)));
    return [h("label", { for: id }, label), select];
  }

  tick(name, label) {
    const box = h("input", { type: "checkbox", name, checked: this.values[name] === "1", onchange: (event) => { this.values[name] = event.target.checked ? "1" : ""; this.changed(this.values); } });
    return [h("label", { class: "tick" }, box, label)];
  }
}

export function problemGroup(form) {
  const learn = form.values.learn;
  const parts = [form.choice("learn", "Learn", [["data", "a bundled data set"], ["file", "a table of mine"], ["sigma", "given singular values"]], true)];
  if (learn === "sigma") {
    parts.push(form.field("sigma", "Singular values of the target", { inputmode: "decimal" }), form.field("dims", "Sizes of all layers", { inputmode: "numeric" }, "inputs, hidden layers, outputs"));
  } else {
    if (learn === "data") parts.push(form.choice("data", "Data", form.options.datasets.map((name) => [name, name])));
    else parts.push(fileField(form));
    parts.push(
      form.field("widths", "Hidden widths", { inputmode: "numeric", placeholder: "automatic" }, "like 8,8; one hidden layer if empty"),
      form.choice("metric", "Flow", [["raw", "on the data as they are"], ["whitened", "on whitened inputs"]]),
      form.choice("loss", "Loss", [["sum", "sum over samples"], ["mean", "mean over samples"]]),
      form.tick("standardize", "Standardize the features"), form.tick("center", "Centre everything"));
  }
  return [h("fieldset", {}, h("legend", {}, "Problem"), ...parts.flat(2).filter(Boolean))];
}

function fileField(form) {
  const pick = h("input", { type: "file", id: "f-table", accept: ".csv,.npz,.parquet,.arrow,.feather" });
  const target = form.field("target", "Target columns", {}, "names with commas between; archives (.npz) have X and Y");
  const hint = h("small", { class: "hint", id: "columns" }, form.values.file ? `now: ${form.values.file}` : "it stays on this machine");
  pick.addEventListener("change", async () => {
    const file = pick.files[0];
    if (!file) return;
    try {
      form.values.upload = await upload(file);
      form.values.file = file.name;
      form.changed(form.values);
      hint.textContent = `now: ${file.name}`;
      await stream("table", { source: { upload: form.values.upload } }, (item) => {
        if (item.kind === "columns" && item.columns.length) hint.textContent = `columns: ${item.columns.slice(0, 40).join(", ")}`;
      });
      form.complain("");
      say(`${file.name} is here`);
    } catch (error) {
      form.complain(error.message);
    }
  });
  return [h("label", { for: "f-table" }, "Table (.csv, .parquet, .arrow, .npz)"), pick, hint, ...target];
}

export function startGroup(form) {
  const parts = [
    form.choice("init", "Kind", Object.keys(STARTS).map((kind) => [kind, kind.replace("_", "-")]), true),
    form.field("value", `Its ${STARTS[form.values.init]}`, { inputmode: "decimal" }),
    form.field("seed", "Seed", { inputmode: "numeric" }),
  ];
  return [h("fieldset", {}, h("legend", {}, "Start"), ...parts.flat().filter(Boolean))];
}
