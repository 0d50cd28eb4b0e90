// Small helpers around the document. Text always enters as text, never as markup.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function say(text) {
  document.getElementById("news").textContent = text;
}

export function number(value, digits = 4) {
  if (value === null || value === undefined) return "unknown";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(digits - 2) : String(Number(value.toPrecision(digits)));
}

export function learnedWords(learned) {
  return learned.length ? learned.map((i) => `σ${subscript(i + 1)}`).join(", ") : "nothing";
}

export function subscript(count) {
  return String(count).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
}

export function kindWords(kind) {
  return kind.replaceAll("_", " ").replace("non strict", "non-strict");
}

export function rowsTable(rows, caption) {
  return h("div", { class: "scroll" }, h("table", {}, caption ? h("caption", {}, caption) : null,
    h("tbody", {}, rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, String(value)))))));
}

export function conditions(items, caption) {
  const words = (holds) => (holds === true ? ["yes", "✓ holds"] : holds === false ? ["no", "✗ fails"] : ["open", "? undecided"]);
  return h("div", { class: "scroll" }, h("table", {}, h("caption", {}, caption), h("tbody", {}, items.map((item) => {
    const [style, text] = words(item.holds);
    return h("tr", {}, h("th", { scope: "row" }, item.name), h("td", {}, h("span", { class: style }, text)), h("td", {}, item.message));
  }))));
}

export function snippets(content, what = "") {
  const more = what ? `: ${what}` : "";
  const block = (title, text) => h("details", {},
    h("summary", {}, title),
    h("pre", { tabindex: "0" }, text),
    h("button", { type: "button", onclick: async (event) => {
      await navigator.clipboard.writeText(text);
      event.target.textContent = "Copied";
      say(`${title} copied`);
    } }, "Copy"));
  return h("div", { class: "snippets" }, block(`The same in Python${more}`, content.python),
    block(`The same on the command line${more}`, content.command));
}
