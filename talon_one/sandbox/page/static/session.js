// A session explained: its cart, its codes, and which rules applied.

import { get } from "./door.js";
import { amount, count, element, facts, link, moment, plural, row, shown, table, title } from "./elements.js";
import { balances } from "./lists.js";

function source(each) {
  return [each.campaign, each.rule].filter(Boolean).join(" · ");
}

function units(ranges, quantity) {
  if (!ranges) return "";
  const number = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  if (number === quantity) return quantity === 1 ? "" : "each unit";
  return ranges.map(([first, last]) => first === last ? `unit ${first + 1}` : `units ${first + 1} to ${last + 1}`).join(", ");
}

function discount(each, quantity) {
  const where = [units(each.units, quantity), each.cost ? `on ${each.cost}` : ""].filter(Boolean).join(", ");
  return element("span", { class: "sub" },
    `−${amount(each.value)}`,
    each.wanted !== undefined ? ` of ${amount(each.wanted)} wanted` : null,
    where ? ` ${where}` : null,
    `: ${each.name || each.rule || "a discount"}`,
    each.coupon ? [" with ", element("code", {}, each.coupon)] : null,
    source(each) ? ` (${source(each)})` : null);
}

// A line of the cart, and below it, over the whole width, its discounts.
function line(cells, discounts, quantity) {
  const lines = [row(cells)];
  if (discounts.length) {
    const listed = discounts.map((each) => discount(each, quantity));
    lines.push(element("tr", { class: "more" }, element("td", { colspan: "5" }, listed)));
  }
  return lines;
}

function off(value) {
  return [value ? `−${amount(value)}` : "", "right"];
}

function cart(found, currency) {
  const { items, costs, session, totals } = found;
  if (!items.length && !costs.length && !session.length) return element("p", { class: "empty" }, "The cart is empty.");
  const lines = items.flatMap((item) => line([
    [[item.name || item.sku, item.name ? element("span", { class: "sub" }, item.sku) : null,
      item.returned ? element("span", { class: "sub" }, `${count(item.returned)} returned`) : null], ""],
    [count(item.quantity), "right"],
    [amount(item.price), "right wide"],
    [amount(item.total), "right"],
    off(item.discount),
  ], item.discounts, item.quantity));
  const extra = costs.flatMap((cost) => line([
    cost.name, "", ["", "wide"], [amount(cost.price), "right"], off(cost.discount),
  ], cost.discounts, 1));
  const whole = session.flatMap((each) => line(["The whole session", "", ["", "wide"], "", off(each.value)], [each], 1));
  const sums = [
    ["Total", amount(totals.total), ""],
    ["Discounts", totals.discount ? `−${amount(totals.discount)}` : amount(0), ""],
    ["To pay", `${amount(totals.payable)} ${currency}`, "sum"],
  ].map(([name, value, kind]) => element("tr", { class: kind || null },
    element("td", { class: "wide" }), element("th", { scope: "row", colspan: "3" }, name), element("td", { class: "right" }, value)));
  return table("Cart", ["Item", ["Quantity", "right"], ["Price", "right wide"], ["Total", "right"], ["Discount", "right"]], [...lines, ...extra, ...whole], sums).frame;
}

function codes(found) {
  if (!found.length) return element("p", { class: "empty" }, "The session has no codes.");
  return element("ul", { class: "listed" }, found.map((each) => {
    const state = each.accepted === null
      ? element("span", { class: "quiet" }, "not evaluated")
      : element("span", { class: each.accepted ? "good" : "bad" }, each.accepted ? "accepted" : "refused");
    return element("li", {},
      element("code", {}, each.code), " ", state, each.kind === "referral" ? " (referral)" : null,
      each.sentence ? element("p", {}, each.sentence) : null,
      each.details ? element("p", { class: "small" }, each.details) : null,
      element("p", { class: "small quiet" }, each.reason ? element("code", {}, [each.reason, each.exclusion].filter(Boolean).join(", ")) : null,
        each.reason && source(each) ? " · " : null, source(each)));
  }));
}

function values(found) {
  return element("dl", { class: "values" }, found.map((each) => element("div", { class: each.missing ? "words" : null },
    element("dt", { class: "mono" }, each.name),
    element("dd", { class: "mono" }, each.missing ? element("span", { class: "bad" }, "no value") : shown(each.value)))));
}

function finding(found) {
  return element("div", { class: "finding" },
    element("p", { class: "mono" }, found.condition),
    found.error ? element("p", { class: "small bad" }, found.error) : null,
    found.values ? values(found.values) : null,
    (found.blocks || []).map(finding));
}

function rule(run, excluded) {
  const code = run.coupon ?? run.referral;
  // What passed in a campaign that lost has no effect.
  const color = excluded ? "quiet" : run.passed ? "good" : "bad";
  return element("li", {},
    element("span", { class: color }, run.passed ? "passed" : "failed"),
    element("div", {}, run.title || `rule ${run.index + 1}`, code ? [" with ", element("code", {}, code)] : null,
      run.finding ? finding(run.finding) : run.details ? element("p", { class: "small bad" }, run.details) : null));
}

function campaign(each) {
  return element("li", { class: "campaign" },
    element("h3", {}, each.name || `campaign ${each.id}`, element("span", { class: "quiet small" }, ` ${each.id}`)),
    each.sentence ? element("p", { class: "small" }, each.sentence) : null,
    each.rules.length ? element("ul", { class: "rules" }, each.rules.map((run) => rule(run, each.excluded))) : element("p", { class: "small quiet" }, "It has no rules."),
    each.omitted ? element("p", { class: "note" }, `${count(each.omitted)} further runs are not shown.`) : null);
}

const EVENTS = { talon_session_created: "created", talon_session_updated: "updated", talon_session_closed: "closed", talon_session_partially_returned: "partially returned" };

function rules(found) {
  if (!found.evaluation) return element("p", { class: "empty" }, found.note);
  const why = EVENTS[found.evaluation.event] ?? found.evaluation.event;
  return [
    element("p", { class: "note" }, `They ran when the session was ${why}, at `, moment(found.evaluation.created), "."),
    found.rules.length ? element("ul", {}, found.rules.map(campaign)) : element("p", { class: "empty" }, "No campaign was running."),
  ];
}

function missing(found) {
  if (!found.notEvaluated.length) return null;
  const number = found.notEvaluated.length + found.notEvaluatedOmitted;
  return element("details", {}, element("summary", {}, `${plural(number, "campaign")} had no part in it, as of now`),
    element("ul", { class: "listed" }, found.notEvaluated.map((each) => element("li", {}, each.name || each.id, element("span", { class: "sub" }, each.reason)))));
}

function properties(props) {
  if (props === null || typeof props !== "object" || Array.isArray(props)) return element("code", {}, shown(props));
  const given = Object.entries(props).filter(([, value]) => value !== "" && value !== null);
  return element("dl", { class: "values" }, given.map(([name, value]) => element("div", {},
    element("dt", { class: "mono" }, name), element("dd", { class: "mono" }, shown(value)))));
}

function effects(found, omitted) {
  if (!found.length) return null;
  return [
    element("h2", {}, "Other effects"),
    table("Other effects", ["Effect", "Properties"], found.map((each) => row([
      [[element("code", {}, each.type), element("span", { class: "sub" }, source(each))], ""],
      [properties(each.props), ""],
    ]))).frame,
    omitted ? element("p", { class: "note" }, `${count(omitted)} further effects are not shown.`) : null,
  ];
}

export async function session(view) {
  const found = await get(["sessions", view.path[1]], { applicationId: view.query.get("applicationId") }, view.signal);
  const own = found.session;
  const currency = found.application.currency ?? "";
  const refresh = element("button", { type: "button", class: "plain", click: () => view.again() }, "Refresh");
  return [
    element("p", { class: "back" }, link("Sessions", ["sessions"])),
    title(own.integrationId, refresh),
    facts([
      ["State", own.state.replace("_", " ")],
      ["Profile", own.profileId || "anonymous"],
      ["Application", found.application.name],
      ["Store", own.storeIntegrationId],
      ["Cards", (own.loyaltyCards || []).join(", ")],
      ["Updated", moment(own.updated)],
      ["Attributes", Object.keys(own.attributes || {}).length ? element("code", {}, shown(own.attributes)) : null],
    ]),
    element("h2", {}, "Cart"), cart(found.cart, currency),
    element("h2", {}, "Codes"), codes(found.codes),
    element("h2", {}, "Rules"), rules(found), missing(found),
    effects(found.effects, found.effectsOmitted),
    found.points.length ? element("h2", {}, "Points, as of now") : null,
    found.points.map((each) => [
      element("h3", {}, link(`${each.program}: ${each.holder.replace(/^(profile|card):/, "")}`, ["points", each.programId, each.holder])),
      balances(`Points of ${each.holder} in ${each.program}`, each.ledgers),
    ]),
  ];
}
