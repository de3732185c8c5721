// Lists that have pages: sessions, coupons and loyalty accounts; and the clock.

import { get, put } from "./door.js";
import { amount, count, element, facts, link, moment, pages, row, search, table, title } from "./elements.js";

const SIZE = 50;

function page(view, data) {
  return pages(view.path, view.query, SIZE, data);
}

function parameters(view) {
  return { pageSize: SIZE, skip: view.query.get("skip"), text: view.query.get("text") };
}

function nothing(view, text) {
  return element("p", { class: "empty" }, view.query.get("text") ? "Nothing has that in its name." : text);
}

function isSearchable(view, data) {
  return data.total > 10 || view.query.get("text");
}

export async function sessions(view) {
  const found = await get(["sessions"], parameters(view), view.signal);
  const many = new Set(found.data.map((each) => each.applicationId)).size > 1;
  const { frame } = table("Sessions, the latest first",
    ["Session", ["Profile", "wide"], "State", ["Items", "right wide"], ["Codes", "right wide"], ["Total", "right"], ["Discount", "right"], ["Updated", "right wide"]],
    found.data.map((each) => row([
      [[link(each.integrationId, ["sessions", each.integrationId], { applicationId: each.applicationId }),
        many ? element("span", { class: "sub" }, each.application) : null], ""],
      [each.profileId || element("span", { class: "quiet" }, "anonymous"), "wide"],
      each.state.replace("_", " "),
      [count(each.items), "right wide"],
      [count(each.codes), "right wide"],
      [amount(each.total), "right"],
      [amount(each.discount), "right"],
      [moment(each.updated), "right wide quiet"],
    ])));
  return [
    title("Sessions"),
    isSearchable(view, found) ? search("Part of the ID of a session or a profile", ["sessions"], view.query, view.go) : null,
    found.data.length ? frame : nothing(view, "No sessions yet. The first update of a customer session makes one."),
    page(view, found),
  ];
}

const STATES = { active: "valid", used: "used up", expired: "expired", pending: "not yet valid", disabled: "campaign does not run" };

export async function coupons(view) {
  const found = await get(["coupons"], parameters(view), view.signal);
  const { frame } = table("Coupons, the latest first",
    ["Code", "Campaign", "State", ["Used", "right"], ["Starts", "wide"], ["Expires", "wide"], ["Belongs to", "wide"]],
    found.data.map((each) => row([
      [element("code", {}, each.code), ""],
      each.campaign,
      [STATES[each.state] ?? each.state, each.state === "active" ? "good" : ""],
      [each.limit ? `${count(each.used)} of ${count(each.limit)}` : count(each.used), "right"],
      [moment(each.starts), "wide quiet"],
      [moment(each.expires), "wide quiet"],
      [each.recipient, "wide"],
    ])));
  return [
    title("Coupons"),
    isSearchable(view, found) ? search("Part of a code", ["coupons"], view.query, view.go) : null,
    found.data.length ? frame : nothing(view, "This sandbox has no coupons."),
    page(view, found),
  ];
}

function holder(text) {
  return text.replace(/^(profile|card):/, "");
}

function ledger(each) {
  return [
    [amount(each.activePoints), "right"],
    [amount(each.pendingPoints), "right"],
    [amount(each.spentPoints), "right wide"],
    [amount(each.expiredPoints), "right wide"],
    [each.tier ?? "", "wide"],
  ];
}

const BALANCES = [["Active", "right"], ["Pending", "right"], ["Spent", "right wide"], ["Expired", "right wide"], ["Tier", "wide"]];

export function balances(caption, ledgers) {
  return table(caption, ["Ledger", ...BALANCES],
    ledgers.map((each) => row([each.subledger || "main", ...ledger(each)]))).frame;
}

export async function programs(view) {
  const found = await get(["programs"], {}, view.signal);
  return [
    title("Points"),
    found.data.length
      ? element("ul", { class: "listed" }, found.data.map((each) => element("li", {},
        link(each.title || each.name, ["points", each.id]),
        element("span", { class: "sub" }, each.cardBased ? "by card" : "by profile"))))
      : element("p", { class: "empty" }, "This sandbox has no loyalty program."),
  ];
}

export async function ledgers(view) {
  const program = view.path[1];
  const [found, known] = await Promise.all([
    get(["programs", program, "ledgers"], parameters(view), view.signal),
    get(["programs"], {}, view.signal),
  ]);
  const own = known.data.find((each) => String(each.id) === program);
  const { frame } = table("Accounts, the latest used first", [own?.cardBased ? "Card" : "Profile", ["Ledger", "wide"], ...BALANCES],
    found.data.flatMap((each) => each.ledgers.map((one, index) => row([
      index ? "" : link(holder(each.holder), ["points", program, each.holder]),
      [one.subledger || "main", "wide"],
      ...ledger(one),
    ]))));
  return [
    element("p", { class: "back" }, link("Points", ["points"])),
    title(own?.title || own?.name || "Points"),
    isSearchable(view, found) ? search("Part of the ID", ["points", program], view.query, view.go) : null,
    found.data.length ? frame : nothing(view, "Nobody has points in this program yet."),
    page(view, found),
  ];
}

export async function account(view) {
  const [, program, whose] = view.path;
  const found = await get(["programs", program, "ledgers", whose], {}, view.signal);
  const { frame } = table("Entries, the latest first",
    ["Entry", ["Points", "right"], ["Ledger", "wide"], ["Active from", "wide"], ["Expires", "wide"], ["At", "right"]],
    found.entries.data.map((each) => row([
      [[each.name || each.ruleName || each.type,
        each.customerSessionId ? element("span", { class: "sub" }, "session ", link(each.customerSessionId, ["sessions", each.customerSessionId])) : null], ""],
      [`${each.type === "subtraction" ? "−" : "+"}${amount(each.amount)}`, "right"],
      [each.subledgerId || "main", "wide"],
      [moment(each.startDate), "wide quiet"],
      [moment(each.expiryDate), "wide quiet"],
      [moment(each.created), "right quiet"],
    ])));
  return [
    element("p", { class: "back" }, link(found.program, ["points", program])),
    title(holder(whose)),
    balances("Balances", found.ledgers),
    element("h2", {}, "Entries"),
    frame,
    found.entries.omitted ? element("p", { class: "note" }, `${count(found.entries.omitted)} older entries are not shown.`) : null,
  ];
}

export async function clock(view) {
  const shown = element("p", { class: "big" });
  const problem = element("p", { role: "alert" });
  const update = ({ now }) => {
    shown.replaceChildren(moment(now), " UTC");
    view.now(now);
  };
  const move = async (change) => {
    problem.className = "";
    problem.textContent = "";
    try {
      update(await put("clock", change));
      view.say(`The clock shows ${shown.textContent}`);
    } catch (error) {
      problem.className = "problem";
      problem.textContent = error.message;
    }
  };
  const step = (text, units) => element("button", { type: "button", click: () => move({ advance: units }) }, text);
  const by = element("input", { id: "by", type: "number", min: "1", step: "any", value: "1", required: "" });
  const unit = element("select", { id: "unit" }, ["minutes", "hours", "days", "weeks"].map((each) => element("option", { value: each, selected: each === "days" ? "" : null }, each)));
  const to = element("input", { id: "to", placeholder: "2027-01-01T00:00:00Z", autocomplete: "off", spellcheck: "false", required: "" });
  update(await get(["clock"], {}, view.signal));
  return [
    title("Clock"),
    shown,
    element("p", { class: "lead" }, "Campaigns, codes, points and tiers follow this clock. It moves forward only."),
    element("h2", {}, "Advance"),
    element("div", { class: "actions" }, step("1 hour", { hours: 1 }), step("1 day", { days: 1 }), step("30 days", { days: 30 })),
    element("form", { submit: (event) => { event.preventDefault(); move({ advance: { [unit.value]: Number(by.value) } }); } },
      element("div", {}, element("label", { for: "by" }, "By"), by),
      element("div", {}, element("label", { for: "unit" }, "Unit"), unit),
      element("button", { type: "submit" }, "Advance")),
    element("form", { submit: (event) => { event.preventDefault(); move({ now: to.value.trim() }); } },
      element("div", {}, element("label", { for: "to" }, "To a moment"), to),
      element("button", { type: "submit" }, "Move")),
    problem,
  ];
}
