// Passkeys: what a browser has to do for a form with data-passkey. It fetches the challenge, asks the device, and posts the form with the answer. A form
// that is hidden is shown where the browser knows passkeys; everything else on its page works without this script.

const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const keys = (list) => (list ?? []).map((k) => ({ ...k, id: bytes(k.id) }));

// options reads the challenge, as the server writes it (WebAuthn 3, 5.1.8 and 5.1.9).
function options(kind, o) {
  const read = { ...o, challenge: bytes(o.challenge) };
  if (kind === 'create') return { ...read, user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: keys(o.excludeCredentials) };
  return { ...read, allowCredentials: keys(o.allowCredentials) };
}

// answer writes what the device said (WebAuthn 3, 5.1, toJSON).
function answer(kind, c) {
  const r = c.response;
  const response = { clientDataJSON: text(r.clientDataJSON) };
  if (kind === 'create') {
    response.attestationObject = text(r.attestationObject);
    response.transports = r.getTransports ? r.getTransports() : [];
  } else {
    response.authenticatorData = text(r.authenticatorData);
    response.signature = text(r.signature);
    if (r.userHandle) response.userHandle = text(r.userHandle);
  }
  return JSON.stringify({ id: c.id, rawId: text(c.rawId), type: c.type, authenticatorAttachment: c.authenticatorAttachment ?? undefined, response, clientExtensionResults: {} });
}

// words say what went wrong.
function words(e) {
  if (e.name === 'NotAllowedError') return 'It was cancelled, or took too long. Try again.';
  if (e.name === 'InvalidStateError') return 'This device has a passkey of yours already.';
  if (e.name === 'SecurityError') return 'Passkeys do not work at this address: open the console by its own name.';
  return e.said ?? 'The device could not do it. Try again, or use another way.';
}

async function run(form) {
  const kind = form.dataset.passkey, says = form.querySelector('[data-passkey-says]');
  says.hidden = true;
  try {
    const begun = await fetch(form.dataset.begin, { method: 'POST', headers: { Accept: 'application/json' }, body: new URLSearchParams() });
    if (begun.redirected) { location.assign(begun.url); return; }
    if (!begun.ok) throw Object.assign(new Error(), { said: 'The server did not begin it. Reload the page and try again.' });
    const { ceremony, publicKey } = await begun.json();
    const asked = { publicKey: options(kind, publicKey) };
    const made = await (kind === 'create' ? navigator.credentials.create(asked) : navigator.credentials.get(asked));
    form.elements.ceremony.value = ceremony;
    form.elements.response.value = answer(kind, made);
    form.submit();
  } catch (e) {
    says.textContent = words(e);
    says.hidden = false;
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.hidden = false;
    form.addEventListener('submit', (e) => { e.preventDefault(); run(form); });
  }
}
