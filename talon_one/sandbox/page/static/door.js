// The data of the page, from the door of the sandbox, which takes the Management key.

const STORED = "talon-one-sandbox-key";

export class Problem extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

// A key in the fragment was printed by `talon-one sandbox`. It moves to the storage of this tab.
export function takeKey() {
  const given = location.hash.match(/^#key=(.+)$/);
  if (!given) return;
  let key = given[1];
  try { key = decodeURIComponent(key); } catch { /* It is the key as it stands. */ }
  setKey(key);
  history.replaceState(null, "", "#/requests");
}

export function setKey(key) {
  sessionStorage.setItem(STORED, key);
}

export function hasKey() {
  return Boolean(sessionStorage.getItem(STORED));
}

function headers() {
  const key = sessionStorage.getItem(STORED) || "";
  // A header has no room for other characters; such a key is wrong anyway.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Problem("The Management key is missing or wrong.", 401);
  return { Authorization: `ManagementKey-v1 ${key}` };
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(`/_sandbox/${path}`, { ...options, headers: headers(), cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError" || error instanceof Problem) throw error;
    throw new Problem("The sandbox does not respond. Is it still running?");
  }
  if (response.status === 204) return null;
  let body = null;
  try { body = await response.json(); } catch (error) {
    if (error.name === "AbortError") throw error;
  }
  if (!response.ok || body === null) {
    if (response.status === 401) throw new Problem("The sandbox refuses this Management key.", 401);
    const details = (body?.errors || []).map((each) => each.details).filter(Boolean).join("; ");
    throw new Problem(details || body?.message || `The sandbox responds with ${response.status}.`, response.status);
  }
  return body;
}

export function get(segments, query = {}, signal = undefined) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const path = segments.map(encodeURIComponent).join("/");
  const parameters = new URLSearchParams(given).toString();
  return send(parameters ? `${path}?${parameters}` : path, { signal });
}

export function put(path, body) {
  return send(path, { method: "PUT", body: JSON.stringify(body) });
}
