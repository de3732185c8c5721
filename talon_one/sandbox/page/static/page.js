// The page: which view the fragment names, and what happens when it changes.

import { Problem, get, hasKey, setKey, takeKey } from "./door.js";
import { element, title } from "./elements.js";
import * as lists from "./lists.js";
import * as requests from "./requests.js";
import { session } from "./session.js";

const main = document.getElementById("main");
const status = document.getElementById("status");
const CLOCK_INTERVAL = 15000;

const VIEWS = {
  requests: [requests.list, requests.one],
  sessions: [lists.sessions, session],
  coupons: [lists.coupons],
  points: [lists.programs, lists.ledgers, lists.account],
  clock: [lists.clock],
};

let current = null;

function say(text) {
  status.textContent = text;
}

function showNow(text) {
  document.getElementById("now").textContent = `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

// Call a function again and again, one call after the other, while this tab is to be seen.
function repeat(signal, milliseconds, call) {
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    if (!signal.aborted && !document.hidden) timer = setTimeout(run, milliseconds);
  };
  const run = async () => {
    try { await call(); } catch (error) {
      if (error instanceof Problem && error.status === 401) { show(); return; }
    }
    wait();
  };
  document.addEventListener("visibilitychange", wait, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  wait();
}

function parse() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  let segments = [];
  try { segments = path.split("/").map(decodeURIComponent); } catch { /* The fragment is none of ours. */ }
  return [segments, new URLSearchParams(query)];
}

function askForKey(reason) {
  const field = element("input", { id: "key", type: "password", autocomplete: "off", required: "" });
  return [
    title("Management key"),
    element("p", { class: "lead" }, "This page shows what is in the sandbox to those who have its Management key. ",
      element("code", {}, "talon-one sandbox"), " prints an address that has it."),
    reason ? element("p", { class: "problem", role: "alert" }, reason) : null,
    element("form", { submit: (event) => { event.preventDefault(); setKey(field.value.trim()); show(); } },
      element("div", {}, element("label", { for: "key" }, "Management key"), field),
      element("button", { type: "submit" }, "Open")),
  ];
}

function failed(error) {
  if (error.status === 401) return askForKey(hasKey() ? error.message : "");
  const again = element("button", { type: "button", click: show }, "Try again");
  const heading = error.status === 404 ? "Not found" : "That did not work";
  return [title(heading), element("p", { class: "problem", role: "alert" }, error.message), element("p", { class: "note" }, again)];
}

async function show({ focus = true } = {}) {
  current?.abort();
  const own = current = new AbortController();
  const [path, query] = parse();
  const make = VIEWS[path[0]]?.[path.length - 1];
  if (!make) {
    location.replace("#/requests");
    return;
  }
  for (const each of document.querySelectorAll(".bar nav a")) {
    if (each.hash === `#/${path[0]}`) each.setAttribute("aria-current", path.length === 1 ? "page" : "true");
    else each.removeAttribute("aria-current");
  }
  const view = {
    path, query, signal: own.signal, say,
    go: (hash) => { location.hash = hash; },
    again: () => show(),
    now: showNow,
    every: (milliseconds, call) => repeat(own.signal, milliseconds, call),
  };
  main.setAttribute("aria-busy", "true");
  let content;
  try {
    content = await make(view);
    get(["clock"], {}, own.signal).then(({ now }) => showNow(now)).catch(() => {});
    repeat(own.signal, CLOCK_INTERVAL, async () => showNow((await get(["clock"], {}, own.signal)).now));
  } catch (error) {
    if (own.signal.aborted) return;
    content = failed(error);
  }
  if (own.signal.aborted) return;
  main.removeAttribute("aria-busy");
  main.replaceChildren(...content.flat(9).filter(Boolean));
  main.dataset.view = location.hash;
  const heading = main.querySelector("h1");
  document.title = `${heading.textContent} – Sandbox`;
  if (focus) {
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

// The fragment names the view, so the skip link must not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
takeKey();
addEventListener("hashchange", () => {
  takeKey();
  show();
});
show({ focus: false });
