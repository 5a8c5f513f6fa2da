// What is typed in a form stays in this browser until it is sent: a browser that is closed in mid-form loses nothing. A draft goes when the server says that its form
// was taken, when its reader signs out, when another person signs in, and after a week. Of an incident that is restricted or TLP:RED it goes with the tab.
// Without this script the server gives back what it refused.

const side = document.querySelector('.who');
const who = side?.dataset.person ?? '';
const own = 'draft:' + who + ':';
const week = 7 * 24 * 3600 * 1000;
const keyOf = (form) => own + form.getAttribute('action') + '#' + form.id;
const kept = (e) => e.name && !['hidden', 'file', 'password', 'submit'].includes(e.type) && e.localName !== 'button';
const looked = (e) => e.type === 'hidden' && (e.name === 'seen' || e.name === 'before'); // what the person looked at when they typed: the server tells by it who came second
const boxes = (e) => e.type === 'checkbox' || e.type === 'radio';
const safe = (deed) => { try { return deed(); } catch { return null; } }; // a full or forbidden store costs the draft only
const stores = [safe(() => localStorage), safe(() => sessionStorage)].filter(Boolean);
const home = side?.dataset.drafts === 'tab' ? safe(() => sessionStorage) : safe(() => localStorage);
const forget = (key) => { for (const s of stores) safe(() => s.removeItem(key)); };

function read(form) {
  const fields = [];
  for (const e of form.elements) if (kept(e)) fields.push([e.name, e.value, boxes(e) ? e.checked : null]);
  return fields;
}

const sight = (form) => [...form.elements].filter(looked).map((e) => [e.name, e.value]);
const save = (form) => safe(() => home.setItem(keyOf(form), JSON.stringify({ at: Date.now(), fields: read(form), seen: sight(form) })));

function put(form, fields, seen) {
  for (const e of form.elements) {
    if (looked(e)) { const f = (seen ?? []).find(([n]) => n === e.name); if (f) e.value = f[1]; continue; }
    if (!kept(e)) continue;
    const f = boxes(e) ? fields.find(([n, v]) => n === e.name && v === e.value) : fields.find(([n]) => n === e.name);
    if (!f) continue;
    if (boxes(e)) e.checked = f[2] === true;
    else if (e.localName !== 'select' || [...e.options].some((o) => o.value === f[1])) e.value = f[1];
  }
}

function note(form, words, drop) {
  const p = document.createElement('p');
  p.className = 'hint draft-note';
  p.append(words + ' ');
  const b = document.createElement('button');
  b.type = 'button';
  b.textContent = 'Throw it away';
  b.addEventListener('click', () => { drop(); p.remove(); });
  p.append(b);
  form.prepend(p);
}

function restore(form) {
  const key = keyOf(form), was = read(form), now = sight(form);
  const text = stores.map((s) => safe(() => s.getItem(key))).find(Boolean);
  const draft = text && safe(() => JSON.parse(text));
  if (!draft || !Array.isArray(draft.fields)) { forget(key); return; }
  forget(key);
  safe(() => home.setItem(key, text)); // what became secret meanwhile moves
  if (JSON.stringify(draft.fields) === JSON.stringify(was)) return;
  put(form, draft.fields, draft.seen);
  if (JSON.stringify(read(form)) === JSON.stringify(was)) { put(form, was, now); return; }
  for (let d = form.closest('details'); d; d = d.parentElement?.closest('details')) d.open = true;
  form.dispatchEvent(new InputEvent('input', { bubbles: true })); // app.js leaves it alone from now on
  for (const e of form.elements) { e.dispatchEvent(new InputEvent('input', { bubbles: true })); break; }
  note(form, 'This is your draft: you typed it before and did not send it.', () => { put(form, was, now); forget(key); });
}

// What others left here, and what is old, goes at once, wherever it was typed.
for (const s of stores) {
  for (const k of safe(() => Object.keys(s)) ?? []) {
    if (k.startsWith('draft:') && (!k.startsWith(own) || !(Date.now() - safe(() => JSON.parse(s.getItem(k)).at) < week))) safe(() => s.removeItem(k));
  }
}

// The form that was sent last carried a number. Only when the server gives that back was it taken, and what was typed in it is no draft any more.
const sent = safe(() => JSON.parse(sessionStorage.getItem('sent')));
if (sent && sent.number === new URLSearchParams(location.search).get('took')) {
  forget(sent.key);
  safe(() => sessionStorage.removeItem('sent'));
}
if (!document.querySelector('.wrongs')) document.querySelectorAll('form[data-draft]').forEach(restore); // after a refusal the page has what was typed

let timer = 0;
document.addEventListener('input', (e) => {
  const form = e.target.form;
  if (!form || !form.hasAttribute('data-draft')) return;
  clearTimeout(timer);
  timer = setTimeout(() => save(form), 300);
});
document.addEventListener('submit', (e) => {
  const form = e.target;
  if (form.getAttribute('action') === '/sign-out') {
    for (const s of stores) for (const k of safe(() => Object.keys(s)) ?? []) if (k.startsWith('draft:')) safe(() => s.removeItem(k));
    return;
  }
  if (!form.hasAttribute('data-draft')) return;
  clearTimeout(timer);
  save(form); // should it get lost on the way
  let field = form.querySelector('input[name="draft"]');
  if (!field) {
    field = document.createElement('input');
    field.type = 'hidden';
    field.name = 'draft';
    form.prepend(field);
  }
  field.value = String(Date.now());
  safe(() => sessionStorage.setItem('sent', JSON.stringify({ key: keyOf(form), number: field.value })));
});

// Keys: a letter leads to the field that has it, Ctrl and Enter send the form that is being typed in.
document.addEventListener('keydown', (e) => {
  const typing = e.target.closest('input, textarea, select');
  if (e.key === 'Enter' && (e.ctrlKey || e.metaKey) && e.target.form?.hasAttribute('data-draft')) { e.preventDefault(); e.target.form.requestSubmit(); return; }
  if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
  const field = document.querySelector(`[data-key="${CSS.escape(e.key.toLowerCase())}"]`);
  if (field) { e.preventDefault(); field.focus(); }
});
document.documentElement.classList.add('script');
