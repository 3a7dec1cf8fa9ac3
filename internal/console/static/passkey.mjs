// Passkeys. A part of a form with data-passkey asks the browser for one ("get") or
// for a new one ("create"), puts its answer into the field of the part, and sends
// the form. What the browser is asked stands in data-options, and what is said
// when it does not work in data-say-….
const life = 4.5 * 60 * 1000; // of a challenge, and some room to answer it

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

// For browsers older than WebAuthn level 3, which read and write no JSON.
function parsed(kind, options) {
  const parse = kind === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  if (PublicKeyCredential[parse]) return PublicKeyCredential[parse](options);
  const withBytes = (list) => list?.map((c) => ({ ...c, id: bytes(c.id) }));
  const out = { ...options, challenge: bytes(options.challenge) };
  if (options.user) out.user = { ...options.user, id: bytes(options.user.id) };
  if (options.allowCredentials) out.allowCredentials = withBytes(options.allowCredentials);
  if (options.excludeCredentials) out.excludeCredentials = withBytes(options.excludeCredentials);
  return out;
}

function written(credential) {
  if (credential.toJSON) return JSON.stringify(credential);
  const { response } = credential;
  const out = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) out[name] = text(response[name]);
  }
  if (response.getTransports) out.transports = response.getTransports();
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response: out,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
  });
}

// What is said of an error: the person left off or took too long, it is there
// already, the address does not fit, the authenticator cannot do it.
const words = {
  NotAllowedError: "left", AbortError: "left", TimeoutError: "left", InvalidStateError: "there",
  SecurityError: "address", NotSupportedError: "unable", ConstraintError: "unable",
};

let waiting; // the question that waits in the fields of the sign-in form

async function ask(part, mediation, signal) {
  const kind = part.dataset.passkey;
  const publicKey = parsed(kind, JSON.parse(part.dataset.options));
  const credential = await navigator.credentials[kind]({ publicKey, mediation, signal });
  part.querySelector("[data-answer]").value = written(credential);
  part.closest("form").requestSubmit();
}

async function start(part, button) {
  const note = part.querySelector("[data-note]");
  note.hidden = true;
  button.setAttribute("aria-busy", "true");
  waiting?.abort();
  try {
    await ask(part);
  } catch (error) {
    note.querySelector("span").textContent = part.dataset[`say${(words[error.name] ?? "failed").replace(/^./, (c) => c.toUpperCase())}`];
    note.hidden = false;
    button.focus();
    offer();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// The sign-in form offers passkeys beside what the browser fills in.
async function offer() {
  const part = document.querySelector("[data-passkey-fill]");
  if (!part || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  waiting = new AbortController();
  ask(part, "conditional", waiting.signal).catch(() => {}); // nobody asked for it, nobody is told
}

// A page whose question has run out asks anew, unless something was typed in.
function renew() {
  const untouched = [...document.querySelectorAll("input:not([type=hidden])")].every((i) => i.value === i.defaultValue);
  if (!untouched) waiting?.abort();
  else if (document.visibilityState === "visible") location.reload();
  else document.addEventListener("visibilitychange", renew, { once: true });
}

export function passkeys() {
  const parts = document.querySelectorAll("[data-passkey]");
  if (!parts.length) return;
  const able = window.PublicKeyCredential && navigator.credentials;
  for (const part of parts) {
    const button = part.querySelector("[data-start]");
    if (able) button.addEventListener("click", () => start(part, button));
    part.classList.add(able ? "able" : "unable");
  }
  if (!able) return;
  offer();
  if (document.querySelector("[data-passkey-fill]")) setTimeout(renew, life);
}
