// What is on the page, kept in the address after "#", so that the address brings it back.

export const DEFAULTS = {
  learn: "data", data: "linnerud", upload: "", file: "", target: "", sigma: "3, 2, 1", dims: "4, 4, 4, 3",
  widths: "", metric: "raw", loss: "sum", standardize: "", center: "",
  init: "gaussian", value: "0.1", seed: "0",
};

export function read() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const found = Object.fromEntries(new URLSearchParams(query || ""));
  return { screen: path || "flow", values: { ...DEFAULTS, ...found }, go: found.go === "1" };
}

export function write(screen, values, go) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (name !== "go" && value !== "" && value !== DEFAULTS[name]) query.set(name, value);
  }
  if (go) query.set("go", "1");
  const text = query.toString();
  const hash = `#/${screen}${text ? "?" + text : ""}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

export function numbers(text) {
  return text.split(/[\s,;]+/).filter(Boolean).map(Number);
}

export function source(values) {
  if (values.learn === "sigma") return { sigma: numbers(values.sigma), dims: numbers(values.dims) };
  const common = {
    widths: numbers(values.widths), metric: values.metric, loss: values.loss,
    standardize: values.standardize === "1", center: values.center === "1",
  };
  if (values.learn === "file") {
    const target = values.target.split(",").map((item) => item.trim()).filter(Boolean);
    return { upload: values.upload, name: values.file, target, ...common };
  }
  return { data: values.data, ...common };
}

export function start(values) {
  return { kind: values.init, value: Number(values.value), seed: Number(values.seed) };
}
