// The page: screens, settings, one computation at a time.

import { h, say, snippets } from "./dom.js";
import { options, stream } from "./api.js";
import { Form } from "./form.js";
import * as state from "./state.js";
import * as basins from "./screen_basins.js";
import * as flow from "./screen_flow.js";
import * as landscape from "./screen_landscape.js";
import * as optimizer from "./screen_optimizer.js";
import * as slice from "./screen_slice.js";

const SCREENS = { flow, landscape, slice, basins, optimizer };
const view = document.getElementById("view");
let form = null;
let current = null;
let running = null;

class Context {
  // What a screen may do besides drawing: ask further tasks, and remember what was chosen.
  constructor(values) {
    this.values = values;
    this.snippetPlace = null;
  }

  remember(chosen) {
    Object.assign(this.values, chosen);
    state.write(current.name, this.values, true);
  }

  async ask(task, content, receive) {
    return attempt((signal) => stream(task, content, receive, signal));
  }

  snippet(item, place, what) {
    place.querySelector(":scope > .snippets")?.remove();
    place.append(snippets(item, what));
  }
}

async function attempt(work) {
  // Says whether the work came to its end.
  running?.abort();
  const control = new AbortController();
  running = control;
  busy(true);
  form.complain("");
  try {
    await work(control.signal);
    say("done");
    return true;
  } catch (error) {
    if (error.name === "AbortError") {
      if (running === control) say("stopped");
    } else {
      form.complain(error.message);
      const answer = view.querySelector("[data-role=answer]:not([data-done])");
      answer?.classList.add("bad");
      if (answer) answer.textContent = error.message;
    }
    return false;
  } finally {
    if (running === control) {
      running = null;
      busy(false);
    }
  }
}

function busy(is) {
  view.setAttribute("aria-busy", String(is));
  const stop = document.getElementById("stop");
  if (stop) stop.disabled = !is;
  const answer = view.querySelector("[data-role=answer]:not([data-done])");
  if (!is && answer && !answer.classList.contains("bad")) answer.textContent = "Stopped.";
}

async function submit() {
  const { name, screen } = current;
  for (const key of ["point", "push", "drop"]) delete form.values[key];
  state.write(name, form.values, true);
  await run(screen);
}

async function run(screen) {
  const context = new Context(form.values);
  const [place, snippet] = [h("div", {}), h("div", {})];
  view.replaceChildren(...heading(screen), place, snippet);
  const shown = screen.view(place, context);
  let asked;
  try {
    asked = screen.request(form.values);
  } catch (error) {
    form.complain(error.message);
    return;
  }
  let followUp = null;
  await attempt((signal) => stream(asked.task, asked.content, (item) => {
    if (item.kind === "snippet") context.snippet(item, snippet);
    else followUp = shown.receive(item) || followUp;
  }, signal));
}

function heading(screen) {
  return [h("h1", {}, screen.title), h("p", { class: "lead" }, screen.lead)];
}

async function open() {
  const { screen: asked, values, go } = state.read();
  const name = SCREENS[asked] ? asked : "flow";
  const screen = SCREENS[name];
  running?.abort();
  current = { name, screen };
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.screen === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${screen.title} – thalweg explorer`;
  const draw = () => {
    const actions = [h("button", { type: "submit", class: "main", id: "go" }, screen.action), h("button", { type: "button", id: "stop", disabled: true, onclick: () => running?.abort() }, "Stop")];
    form.show(screen.groups(), form.values || values, actions);
  };
  form.values = values;
  form.redraw = draw;
  draw();
  view.replaceChildren(...heading(screen), h("p", {}, `Choose the settings and press “${screen.action}”.`));
  if (go) await run(screen);
}

function theme() {
  const button = document.getElementById("theme");
  const wanted = localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const set = (name) => {
    document.documentElement.dataset.theme = name;
    button.setAttribute("aria-pressed", String(name === "dark"));
  };
  set(wanted);
  button.addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", next);
    set(next);
    if (state.read().go) open();
  });
}

async function scripts() {
  for (const name of ["d3.min.js", "plot.min.js"]) {
    await new Promise((resolve, reject) => {
      document.head.append(h("script", { src: `/static/${name}`, onload: resolve, onerror: reject }));
    });
  }
}

async function begin() {
  theme();
  document.getElementById("screens").append(...Object.entries(SCREENS).map(([name, screen]) => h("li", {}, h("a", { href: `#/${name}`, "data-screen": name }, screen.title))));
  try {
    const [found] = await Promise.all([options(), scripts()]);
    form = new Form(document.getElementById("controls"), found, (values) => state.write(current.name, values, state.read().go), submit);
    window.addEventListener("hashchange", open);
    await open();
  } catch (error) {
    view.replaceChildren(h("p", { class: "answer bad" }, error.message));
  }
}

begin();
