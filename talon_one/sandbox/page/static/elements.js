// Elements of the page. Texts come from shops and tests, so all of them become text nodes: nothing
// in these files reads HTML.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat(9).filter((child) => child !== null && child !== undefined).map(
    (child) => child instanceof Node ? child : String(child)));
  return made;
}

// The address of a view: segments may be any text.
export function address(segments, query = {}) {
  const path = segments.map((segment) => encodeURIComponent(String(segment).toWellFormed?.() ?? segment));
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== 0 && value != null);
  const parameters = new URLSearchParams(given).toString();
  return `#/${path.join("/")}${parameters ? `?${parameters}` : ""}`;
}

export function link(text, segments, query = {}, attributes = {}) {
  return element("a", { href: address(segments, query), ...attributes }, text);
}

export function title(text, ...beside) {
  return element("div", { class: "top" }, element("h1", { tabindex: "-1" }, text), ...beside);
}

// Cells are texts and elements, or [content, class].
export function row(cells, attributes = {}, head = false) {
  return element("tr", attributes, cells.map((cell, index) => {
    const [content, kind] = Array.isArray(cell) ? cell : [cell, ""];
    if (head) return element("th", { scope: "col", class: kind || null }, content);
    const name = index === 0 ? "th" : "td";
    return element(name, { scope: index === 0 ? "row" : null, class: kind || null }, content);
  }));
}

export function table(caption, columns, rows, foot = []) {
  const body = element("tbody", {}, rows);
  const whole = element("table", {},
    element("caption", { class: "hidden" }, caption),
    element("thead", {}, row(columns, {}, true)), body,
    foot.length ? element("tfoot", {}, foot) : null);
  // Wide content scrolls inside of its frame, which the keyboard must reach.
  const frame = element("div", { class: "table", role: "region", "aria-label": caption, tabindex: "0" }, whole);
  return { frame, body };
}

export function facts(pairs) {
  return element("dl", { class: "facts" }, pairs
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

export function moment(text) {
  if (typeof text !== "string" || text.length < 19) return text ?? "";
  return element("time", { datetime: text, title: text }, `${text.slice(0, 10)} ${text.slice(11, 19)}`);
}

const amounts = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 6 });
const counts = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

export function amount(value) {
  return typeof value === "number" ? amounts.format(value) : shown(value);
}

export function count(value) {
  return typeof value === "number" ? counts.format(value) : shown(value);
}

export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

// A JSON value as text.
export function shown(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "string") return value === "" ? "(empty)" : value;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

// The search field, the list and the links of a list that has pages.
export function pages(view, query, size, data) {
  const skip = Number(query.get("skip")) || 0;
  const text = query.get("text") || "";
  const last = skip + data.data.length;
  if (data.total <= size && skip === 0) return null;
  return element("nav", { class: "pages", "aria-label": "Pages" },
    element("span", {}, `${count(last ? Math.min(skip + 1, last) : 0)} to ${count(last)} of ${count(data.total)}`),
    skip > 0 ? link("Newer", view, { skip: Math.max(skip - size, 0), text }) : null,
    last < data.total ? link("Older", view, { skip: last, text }) : null);
}

export function search(label, view, query, go) {
  const field = element("input", { type: "search", id: "text", name: "text", value: query.get("text") || "", autocomplete: "off", spellcheck: "false" });
  return element("form", { role: "search", submit: (event) => {
    event.preventDefault();
    go(address(view, { text: field.value }));
  } },
  element("div", {}, element("label", { for: "text" }, label), field),
  element("button", { type: "submit" }, "Search"));
}
