// The live list of requests, and one request with its response.

import { get } from "./door.js";
import { count, element, facts, link, moment, plural, row, table, title } from "./elements.js";

const INTERVAL = 1000;
const KEPT = 500;

function status(exchange) {
  if (!exchange.status) return element("span", { class: "quiet" }, "open");
  return element("span", { class: exchange.status < 400 ? null : "bad" }, exchange.status);
}

function time(exchange) {
  return element("time", { datetime: exchange.moment, title: exchange.moment }, exchange.moment.slice(11, 19));
}

function line(exchange, fresh) {
  const target = element("code", {}, `${exchange.method} ${exchange.target}`);
  return row([
    [exchange.number, "fit quiet wide"],
    [link(target, ["requests", exchange.number]), ""],
    [exchange.operation ? element("code", { class: "quiet" }, exchange.operation) : "", "wide"],
    [[status(exchange), exchange.fault ? element("span", { class: "sub" }, exchange.fault) : null], "fit"],
    [exchange.status ? `${count(exchange.milliseconds)} ms` : "", "right wide quiet"],
    [time(exchange), "right quiet"],
  ], { class: fresh ? "fresh" : null });
}

export async function list(view) {
  const rows = new Map();
  const { frame, body } = table("Requests, the latest first",
    [["No.", "wide"], "Request", ["Method of the SDK", "wide"], "Status", ["Time", "right wide"], ["At", "right"]], []);
  const state = element("p", { class: "lead" });
  const empty = element("div", { class: "empty" },
    element("p", {}, "No requests yet. Point a program at this sandbox, and they appear here:"),
    element("pre", {}, `export TALON_ONE_HOST=${location.origin}`));
  let paused = false;
  let cleared = null;
  let omitted = 0;

  function update(found, first) {
    if (cleared !== null && found.cleared !== cleared) {
      rows.clear();
      body.replaceChildren();
      omitted = 0;
    }
    cleared = found.cleared;
    omitted += found.omitted;
    for (const exchange of found.data) {
      const made = line(exchange, !first);
      const known = rows.get(exchange.number);
      // One that was open stays where it is, with its response.
      if (known) known.row.replaceWith(made);
      else body.prepend(made);
      rows.set(exchange.number, { row: made, open: !exchange.status });
    }
    for (const [number, known] of rows) {
      if (rows.size <= KEPT) break;
      known.row.remove();
      rows.delete(number);
      omitted += 1;
    }
    frame.hidden = rows.size === 0;
    empty.hidden = rows.size > 0;
    const more = omitted ? `, and ${count(omitted)} before them` : "";
    state.textContent = `${plural(rows.size, "request")}${more}${paused ? ". The list is paused." : ""}`;
    state.hidden = rows.size === 0;
  }

  async function poll(first = false) {
    let since = 0;
    if (!first) {
      for (const [number, known] of rows) {
        since = Math.max(since, number);
        if (known.open) { since = number - 1; break; }
      }
    }
    const found = await get(["requests"], { since }, view.signal);
    // After a reset the numbers begin anew, so what has a higher number is not all there is.
    if (cleared !== null && found.cleared !== cleared && since > 0) return update(await get(["requests"], {}, view.signal), first);
    return update(found, first);
  }

  const button = element("button", { type: "button", class: "plain", "aria-pressed": "false", click: () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? "Resume" : "Pause";
    if (!paused) poll().catch(() => {});
    else state.textContent += ". The list is paused.";
  } }, "Pause");
  await poll(true);
  view.every(INTERVAL, () => paused ? null : poll());
  return [title("Requests", button), state, frame, empty];
}

function headers(pairs) {
  if (!pairs.length) return null;
  return element("details", {}, element("summary", {}, plural(pairs.length, "header")),
    element("dl", { class: "values mono" }, pairs.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)))));
}

function body(part, what) {
  if (!part) return element("p", { class: "note" }, "No body.");
  const note = part.cut ? element("p", { class: "note" }, `Only the beginning is shown: the body has ${plural(part.bytes, "byte")}.`) : null;
  return [element("pre", { tabindex: "0", role: "region", "aria-label": `Body of the ${what}` }, part.text), note];
}

export async function one(view) {
  const number = view.path[1];
  const found = await get(["requests", number], {}, view.signal);
  const session = found.session ? link(found.session, ["sessions", found.session]) : null;
  return [
    element("p", { class: "back" }, link("Requests", ["requests"])),
    title(element("code", {}, `${found.method} ${found.target}`)),
    facts([
      ["Status", found.status ? status(found) : "no response yet"],
      ["Method of the SDK", found.operation ? element("code", {}, found.operation) : null],
      ["Time", found.status ? `${count(found.milliseconds)} ms` : null],
      ["At", moment(found.moment)],
      ["Session", session],
      ["Fault", found.fault],
    ]),
    element("div", { class: "halves" },
      element("section", {}, element("h2", {}, "Request"), headers(found.headers), body(found.body, "request")),
      element("section", {}, element("h2", {}, "Response"), headers(found.responseHeaders), body(found.responseBody, "response"))),
    element("nav", { class: "pages", "aria-label": "Other requests" },
      found.number > 1 ? link("Previous request", ["requests", found.number - 1]) : null,
      link("Next request", ["requests", found.number + 1])),
  ];
}
