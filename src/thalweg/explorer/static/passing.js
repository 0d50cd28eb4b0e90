// Plateaus as they are passed, and words for where a run is and what is proved of it.

import { number, learnedWords } from "./dom.js";

export class Passing {
  // Joins the saddles that single points are near to plateaus: two points in a row, as in the library.
  constructor() {
    this.all = [];
    this.open = null;
  }

  observe({ t, near }) {
    const key = near ? near.learned.join() : null;
    if (this.open && this.open.key === key) {
      this.open.t_exit = t;
      this.open.points += 1;
      return;
    }
    this.open = near ? { key, learned: near.learned, loss: near.loss, t_enter: t, t_exit: t, points: 1 } : null;
    if (this.open) this.all.push(this.open);
  }

  get plateaus() {
    return this.all.filter((item) => item.points > 1);
  }

  get passed() {
    return this.plateaus.filter((item) => item !== this.open);
  }
}

function saddles(learned) {
  return learned.length ? `the saddles that have learned ${learnedWords(learned)}` : "the saddles that have learned nothing";
}

export function nowWords(near, passed, over = false) {
  const names = passed.map((item) => `${learnedWords(item.learned)} (loss ${number(item.loss)})`).join(", then ");
  const past = names ? `passed the saddles that have learned ${names}` : "passed no saddle";
  if (over) return `On the way the run ${past}.`;
  const here = near ? `Now near ${saddles(near.learned)} (loss ${number(near.loss)})` : "Now between saddles";
  return names ? `${here}; so far the run ${past}.` : `${here}.`;
}

export function proofWords(proof) {
  if (!proof) return "";
  const what = proof.excess ? "the excess loss" : "the loss";
  const later = proof.since !== null && proof.time > proof.since ? `from t = ${number(proof.time)} on ` : "";
  const rate = proof.rate > 0 ? `; ${later}${what} decays at least like exp(−2 × ${number(proof.rate, 3)} t)` : "";
  if (proof.since !== null) return `✓ Certified from t = ${number(proof.since)}: the flow from the computed point converges to a global minimum${rate}.`;
  const count = proof.guaranteed.length;
  if (count) return `Not yet certified: so far it is proved that ${learnedWords(proof.guaranteed)} will be learned${rate}.`;
  return "Not yet certified: so far nothing beyond boundedness and convergence is proved.";
}
