// The page for reports from outside, beyond the plain form that works without this script: what is written and attached is encrypted
// here, to the team and to the receipt, and only then sent. The receipt is made here too, and never leaves: from it come a token, which
// opens the thread, and a key, to which answers are encrypted.
//
// Nothing is kept on this computer, unless the writer asks for a draft: then in this tab only (sessionStorage), until it is sent.

const $ = (id) => document.getElementById(id);
const form = $('report') ?? $('thread-form');
const says = Object.fromEntries([...($('says')?.children ?? [])].map((n) => [n.dataset.key, n.textContent]));
const same = { createScriptURL: (s) => { if (new URL(s, location.href).origin !== location.origin) throw new TypeError('not ours'); return s; } };
const policy = window.trustedTypes ? trustedTypes.createPolicy('ui', same) : same;
const utf8 = new TextEncoder();
let age; // the package, loaded when it is needed

// Receipts.

const signs = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

async function check(secret) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode('tocsin receipt ' + secret)));
  return signs[sum[0] & 31] + signs[sum[1] & 31];
}

const newSecret = () => Array.from(crypto.getRandomValues(new Uint8Array(20)), (b) => signs[b & 31]).join('');
const printed = async (secret) => (secret + await check(secret)).match(/.{1,5}/g).join('-');

async function parseReceipt(typed) {
  const s = typed.toUpperCase().replace(/[\s\u00a0\u2010-\u2014-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return s.length === 22 && [...s].every((c) => signs.includes(c)) && await check(s.slice(0, 20)) === s.slice(20) ? s.slice(0, 20) : '';
}

async function derive(secret) {
  const key = await crypto.subtle.importKey('raw', utf8.encode(secret), 'HKDF', false, ['deriveBits']);
  const bits = async (label) => new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8.encode(label) }, key, 256));
  const identity = age.bech32.encodeFromBytes('AGE-SECRET-KEY-', await bits('tocsin report key')).toUpperCase();
  return { token: base64(await bits('tocsin report token')), identity, recipient: await age.identityToRecipient(identity) };
}

const base64 = (b) => btoa(String.fromCharCode(...b)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const unbase64 = (s) => Uint8Array.from(atob(s.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));

// Parcels (internal/report/parcel.go has the form).

const mark = utf8.encode('tocsin-parcel 1\n');
const chunk = 65536;
const sealedSize = (n) => n + 22 + 2 * 98 + 48 + 16 + Math.max(Math.ceil(n / chunk), 1) * 16; // of an age file to two recipients

function parcel(head, files) {
  const json = utf8.encode(JSON.stringify({ ...head, files: files.map(({ name, data, clean }) => ({ name, size: data.length, clean })) }));
  const size = mark.length + 4 + json.length + files.reduce((n, f) => n + f.data.length, 0);
  const whole = form.dataset.classes.split(' ').map(Number).find((c) => sealedSize(size) <= c);
  if (!whole) throw new Fault(says.large);
  let padded = size;
  for (let step = whole; step >= 1; step = Math.floor(step / 2)) while (sealedSize(padded + step) <= whole) padded += step;
  const b = new Uint8Array(padded);
  b.set(mark);
  new DataView(b.buffer).setUint32(mark.length, json.length);
  b.set(json, mark.length + 4);
  let at = mark.length + 4 + json.length;
  for (const f of files) { b.set(f.data, at); at += f.data.length; }
  return b;
}

function unparcel(b) {
  if (!mark.every((c, i) => b[i] === c)) throw new Error('no parcel');
  const long = new DataView(b.buffer, b.byteOffset).getUint32(mark.length);
  return JSON.parse(new TextDecoder().decode(b.subarray(mark.length + 4, mark.length + 4 + long)));
}

async function seal(head, files, recipient) {
  const e = new age.Encrypter();
  e.addRecipient(form.dataset.team);
  e.addRecipient(recipient);
  return e.encrypt(parcel(head, files));
}

async function unseal(sealed, identity) {
  const d = new age.Decrypter();
  d.addIdentity(identity);
  return unparcel(await d.decrypt(sealed));
}

// Files. Images are drawn anew, so that what a camera wrote beside the picture is left behind.

class Fault extends Error {}

const [mostText, mostFiles, mostFile, mostAll] = (form?.dataset.most ?? '').split(' ').map(Number);
const claims = (f) => /\.(jpe?g|png|webp)$/i.test(f.name) || /^image\/(jpeg|png|webp)$/.test(f.type);
const mostPixels = 60e6;

async function clean(file) {
  let bitmap;
  try { bitmap = await createImageBitmap(file); } catch { throw new Fault(said('fake', file.name)); }
  try {
    if (bitmap.width * bitmap.height > mostPixels) throw new Fault(said('fake', file.name));
    const png = /\.png$/i.test(file.name) || file.type === 'image/png';
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    const blob = await canvas.convertToBlob(png ? { type: 'image/png' } : { type: 'image/jpeg', quality: 0.92 });
    return { name: png ? file.name : file.name.replace(/\.\w+$/, '') + '.jpg', data: new Uint8Array(await blob.arrayBuffer()), clean: true };
  } finally { bitmap.close(); }
}

const visible = (s) => s.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
const said = (key, name) => says[key].replaceAll('{name}', () => visible(name).slice(0, 100));

async function prepare(list) {
  if (list.length > mostFiles) throw new Fault(says.many);
  let all = 0;
  for (const f of list) {
    if (f.size > mostFile) throw new Fault(said('big', f.name));
    all += f.size;
  }
  if (all > mostAll) throw new Fault(says.large);
  const out = [];
  for (const [i, f] of list.entries()) {
    progress(says.checking, 5 + 30 * i / list.length);
    const made = claims(f) ? await clean(f) : { name: f.name, data: new Uint8Array(await f.arrayBuffer()), clean: false };
    if (made.data.length > mostFile) throw new Fault(said('big', f.name));
    out.push(made);
  }
  return out;
}

function listChosen() {
  $('chosen').replaceChildren(...[...$('files').files].map((f) => {
    const li = document.createElement('li');
    li.textContent = said(claims(f) ? 'cleaned' : 'stays', f.name);
    li.className = claims(f) ? 'outside-clean' : 'outside-stays';
    return li;
  }));
}

// Sending.

function progress(word, percent) {
  $('progress').hidden = false;
  $('doing').textContent = word;
  $('bar').value = percent;
}

function wrong(text, field) {
  $('progress').hidden = true;
  const li = document.createElement('li'), a = document.createElement('a');
  if (field) { a.href = '#' + field; a.textContent = text; li.append(a); $(field).setAttribute('aria-invalid', 'true'); } else li.textContent = text;
  $('wrongs-list').replaceChildren(li);
  $('wrongs').hidden = false;
  $('wrongs').focus();
}

function work({ challenge, bits }) {
  return new Promise((done, fail) => {
    const w = new Worker(policy.createScriptURL(form.dataset.work));
    w.onerror = () => { w.terminate(); fail(new Fault(says.failed)); };
    w.onmessage = ({ data }) => {
      if (data.number === undefined) { progress(says.working, 45 + Math.min(40, 40 * data.tried / 2 ** bits)); return; }
      w.terminate();
      done(data.number);
    };
    w.postMessage({ challenge, bits: Number(bits) });
  });
}

async function ask(action, fields) {
  const body = new FormData();
  for (const [k, v] of Object.entries(fields)) v instanceof Uint8Array ? body.append(k, new Blob([v]), 'sealed.age') : body.append(k, v);
  let answer, told;
  try {
    answer = await fetch(action, { method: 'POST', body, headers: { Accept: 'application/json' }, credentials: 'omit', referrerPolicy: 'no-referrer' });
    told = await answer.json();
  } catch { throw new Fault(says.failed); }
  if (!answer.ok && !told.challenge) throw new Fault(told.says || says.failed);
  return { ...told, ok: answer.ok };
}

// worked sends with the work done. When the challenge is over, or more work is asked for by now, the answer brings a new one.
async function worked(action, fields, challenge) {
  for (let round = 0; ; round++) {
    progress(says.working, 45);
    const number = await work(challenge);
    progress(says.sending, 90);
    const told = await ask(action, { ...fields, challenge: challenge.challenge, number });
    if (told.ok) return told;
    if (round === 2) throw new Fault(told.says || says.failed);
    challenge = told;
  }
}

async function load() {
  age ??= await import(form.dataset.age);
}

// once runs what a button starts, one at a time, and says what went wrong. What was typed stays.
function once(target, what) {
  let busy = false;
  target.addEventListener('submit', async (e) => {
    e.preventDefault();
    if (busy) return;
    busy = true;
    $('wrongs').hidden = true;
    for (const n of target.querySelectorAll('[aria-invalid]')) n.removeAttribute('aria-invalid');
    target.setAttribute('aria-busy', 'true');
    try { await what(); $('progress').hidden = true; } catch (err) { wrong(err instanceof Fault ? err.message : says.failed, err.field); }
    target.removeAttribute('aria-busy');
    busy = false;
  });
}

function need(id, text) {
  if ($(id).value.trim()) return;
  const f = new Fault(text);
  f.field = id;
  throw f;
}

// The form.

const drafted = ['from', 'what', 'when', 'where', 'contact'];
const shelf = 'tocsin-report';

function drafts() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(shelf) ?? 'null');
    if (kept) {
      $('keep').checked = true;
      for (const id of drafted) if (!$(id).value || id === 'from') $(id).value = kept[id] ?? $(id).value;
    }
  } catch { /* this browser keeps nothing: then there is no draft */ }
  const keep = () => {
    try {
      if ($('keep').checked) sessionStorage.setItem(shelf, JSON.stringify(Object.fromEntries(drafted.map((id) => [id, $(id).value]))));
      else sessionStorage.removeItem(shelf);
    } catch { $('keep').checked = false; }
  };
  form.addEventListener('input', keep);
}

const leave = (e) => { if (drafted.slice(1).some((id) => $(id).value.trim())) e.preventDefault(); };

// packed is what was sealed last. When the answer to it is lost on the way, the same is sent again, so that it stays one report with one receipt.
let packed;

async function send() {
  need('what', says.empty);
  const head = Object.fromEntries(drafted.map((id) => [id, $(id).value.slice(0, mostText)])), chosen = [...$('files').files];
  const key = JSON.stringify([head, chosen.map((f) => [f.name, f.size, f.lastModified])]);
  if (packed?.key !== key) {
    progress(says.checking, 5);
    await load();
    const files = await prepare(chosen);
    progress(says.sealing, 40);
    const secret = newSecret(), own = await derive(secret);
    packed = { key, secret, own, sealed: await seal({ ...head, lang: form.dataset.lang }, files, own.recipient) };
  }
  const { secret, own, sealed } = packed;
  await worked(form.action, { from: $('from').value, token: own.token, recipient: own.recipient, sealed }, { challenge: form.dataset.challenge, bits: form.dataset.bits });
  packed = undefined;
  removeEventListener('beforeunload', leave);
  try { sessionStorage.removeItem(shelf); } catch { /* nothing was kept */ }
  form.reset();
  $('chosen').replaceChildren();
  $('write').hidden = true;
  $('sent').hidden = false;
  $('receipt').textContent = await printed(secret);
  receiptButtons();
  $('thanks').focus();
}

function receiptButtons() {
  $('print').hidden = false;
  $('print').addEventListener('click', () => print());
  if (!navigator.clipboard) return;
  $('copy').hidden = false;
  $('copy').addEventListener('click', async () => {
    try { await navigator.clipboard.writeText($('receipt').textContent); $('copied').textContent = says.copied; } catch { getSelection().selectAllChildren($('receipt')); }
  });
}

// The thread.

let own;

async function openThread() {
  const secret = await parseReceipt($('code').value);
  if (!secret) {
    const f = new Fault(says.mistyped);
    f.field = 'code';
    throw f;
  }
  await load();
  own = await derive(secret);
  progress(says.opening, 50);
  let told = await ask(form.action, { token: own.token });
  if (!told.ok) told = await worked(form.action, { token: own.token }, told);
  $('code').value = '';
  await show(told);
  $('thread-h').focus();
}

async function show(told) {
  const rows = await Promise.all(told.rows.map(async ({ team, day, sealed }) => {
    const li = document.createElement('li'), who = document.createElement('p'), name = document.createElement('strong'), when = document.createElement('span'), text = document.createElement('p');
    li.className = 'outside-message' + (team ? ' outside-team' : '');
    who.className = 'outside-who';
    name.textContent = team ? says.team : says.you;
    when.className = 'sub';
    when.textContent = day;
    who.append(name, ' ', when);
    text.className = 'outside-text';
    text.dir = 'auto';
    try { text.textContent = visible((await unseal(unbase64(sealed), own.identity)).what); } catch { text.className = 'empty'; text.textContent = says.unreadable; }
    li.append(who, text);
    return li;
  }));
  $('messages').replaceChildren(...rows);
  $('standing').textContent = told.standing;
  $('filed').textContent = told.filed;
  $('enter').hidden = true;
  $('thread').hidden = false;
  own.next = told;
  $('progress').hidden = true;
}

// written is the message that was sealed last. When the answer to it is lost on the way, the same is sent again, so that it stays one message.
let written;

async function answer() {
  need('reply', says.empty);
  const what = $('reply').value.slice(0, mostText);
  if (written?.what !== what) written = { what, sealed: await seal({ what, lang: form.dataset.lang }, [], own.recipient) };
  const told = await worked($('answer').action, { token: own.token, sealed: written.sealed }, own.next);
  written = undefined;
  $('reply').value = '';
  await show(told);
  progress(says.sent, 100);
}

function begin() {
  if (!form || !form.dataset.team) { if ($('receipt')?.textContent) receiptButtons(); return; }
  if (!window.crypto?.subtle || !window.Worker || !window.OffscreenCanvas || !window.createImageBitmap) return; // an old browser, or plain http: the form works as without script
  for (const n of document.querySelectorAll('[data-with]')) n.hidden = false;
  for (const n of document.querySelectorAll('[data-without]')) n.hidden = true;
  if (form.id === 'report') {
    $('send').textContent = $('send').dataset.withWord;
    $('files').addEventListener('change', listChosen);
    drafts();
    form.addEventListener('input', () => addEventListener('beforeunload', leave), { once: true }); // a browser asks only who has typed
    once(form, send);
    return;
  }
  $('thread').after($('progress'));
  $('thread').before($('wrongs'));
  once(form, openThread);
  once($('answer'), answer);
}

begin();
