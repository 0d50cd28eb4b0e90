// Screen: watch a flow.

import { h } from "./dom.js";
import { problemGroup, startGroup } from "./form.js";
import { RunView } from "./run_view.js";
import { source, start } from "./state.js";

export const title = "Flow";
export const lead = "Follow the gradient flow from a start: what it learns, in which order, where it rests, where it ends.";
export const action = "Follow the flow";

export function groups() {
  return [problemGroup, startGroup, (form) => [h("fieldset", {}, h("legend", {}, "Integration"),
    ...form.field("t_end", "Stop at time", { inputmode: "decimal", placeholder: "when the limit is decided" }),
    ...form.field("rtol", "Tolerance", { inputmode: "decimal", placeholder: "1e-8" }))]];
}

export function request(values) {
  return {
    task: "flow",
    content: { source: source(values), start: start(values), t_end: values.t_end ? Number(values.t_end) : null, rtol: values.rtol ? Number(values.rtol) : 1e-8 },
  };
}

export function view(place) {
  return new RunView(place);
}
