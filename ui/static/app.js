// What the console does in a browser beyond plain pages, which work without it: it follows changes, and it sounds a call.
//
// The server says only "changed" (server-sent, on /live). The page then fetches its own address and takes over what
// differs, node by node, so that focus, typed text, open details and the place on the page stay as they are.

const trusted = { createHTML: (s) => s }; // the page comes from our own server, which has escaped it
const policy = window.trustedTypes ? trustedTypes.createPolicy('ui', trusted) : trusted;
const typed = new WeakSet(); // forms somebody has begun to fill in
const main = document.getElementById('main');
const status = document.getElementById('status');

// Taking over a page.

// A node is known again by its id or form action, or else by its name and first class.
const nameOf = (n) => n.nodeType !== 1 ? n.nodeName : n.id || n.getAttribute('action') || n.localName + '.' + (n.classList[0] ?? '');
const isSame = (a, b) => a.nodeName === b.nodeName && nameOf(a) === nameOf(b);
const isTyped = (n) => n.nodeType === 1 && (typed.has(n) || [...n.querySelectorAll('form')].some((f) => typed.has(f)));

function takeOver(now, next) {
  if (now.isEqualNode(next)) return;
  if (now.nodeType !== 1) { now.data = next.data; return; }
  if (now.hasAttribute('data-keep') || typed.has(now)) return;
  const readers = now.localName === 'details' || now.localName === 'dialog'; // whether it is open is the reader's choice
  for (const { name } of [...now.attributes]) if (!next.hasAttribute(name) && !(readers && name === 'open')) now.removeAttribute(name);
  for (const { name, value } of next.attributes) if (now.getAttribute(name) !== value && !(readers && name === 'open')) now.setAttribute(name, value);
  takeOverChildren(now, next);
}

function takeOverChildren(now, next) {
  const wanted = new Set([...next.childNodes].map(nameOf));
  for (const child of [...now.childNodes]) if (!wanted.has(nameOf(child)) && !isTyped(child)) child.remove();
  let at = now.firstChild;
  const drop = () => { const gone = at; at = at.nextSibling; if (!isTyped(gone)) gone.remove(); };
  for (const want of next.childNodes) {
    while (at && at.nodeType !== 1 && want.nodeType === 1) drop(); // the white space between elements need not fit
    let have = at;
    if (want.nodeType === 1) while (have && !isSame(have, want)) have = have.nextSibling;
    if (have && isSame(have, want)) {
      if (have === at) at = at.nextSibling;
      else if (now.moveBefore) now.moveBefore(have, at); // keeps its focus and state
      else now.insertBefore(have, at);
      takeOver(have, want);
    } else if (want.localName !== 'script') {
      now.insertBefore(document.importNode(want, true), at);
    }
  }
  while (at) drop();
}

const read = (html) => new DOMParser().parseFromString(policy.createHTML(html), 'text/html');
window.tocsin = Object.freeze({ read, takeOverChildren }); // for the scripts of single pages

async function refresh() {
  const answer = await fetch(location.href, { cache: 'no-store', headers: { Accept: 'text/html' } });
  if (answer.redirected && new URL(answer.url).pathname === '/sign-in') throw new Error('You are signed out. Reload to sign in.');
  if (!answer.ok) throw new Error('The page could not be fetched. Reload to try again.');
  const page = read(await answer.text());
  if (!page.getElementById('main')) throw new Error('The page could not be read. Reload to try again.');
  const focus = document.activeElement;
  const news = main.dataset.news;
  for (const id of ['top', 'main', 'foot']) takeOver(document.getElementById(id), page.getElementById(id));
  document.title = page.title;
  document.querySelector('link[rel=icon]').href = page.querySelector('link[rel=icon]').getAttribute('href');
  if (focus && focus !== document.body && document.activeElement !== focus) (focus.isConnected ? focus : main).focus({ preventScroll: true });
  say(main.dataset.news === news ? '' : main.dataset.news);
  ring();
}

function say(words) {
  clearTimeout(say.timer);
  if (status.textContent !== words) status.textContent = words;
  if (words) say.timer = setTimeout(() => { status.textContent = ''; }, 8000);
}

// Following changes: one fetch at a time, at most one a second, however often the server says so.

let busy = false, again = false;
async function changed() {
  if (busy) { again = true; return; }
  busy = true;
  do {
    again = false;
    try { await refresh(); } catch (e) { say(e instanceof TypeError ? 'Tocsin cannot be reached. The page is as it was.' : e.message); }
    await new Promise((done) => setTimeout(done, 1000));
  } while (again);
  busy = false;
}

document.addEventListener('input', (e) => { if (e.target.form && e.target.form.method === 'post') typed.add(e.target.form); });
document.addEventListener('reset', (e) => typed.delete(e.target));

if (document.body.dataset.live) {
  const live = new EventSource(document.body.dataset.live);
  let lost = false;
  live.addEventListener('changed', changed);
  live.addEventListener('open', () => { if (lost) changed(); lost = false; });
  live.addEventListener('error', () => { if (!lost) say('Live update is lost; trying again.'); lost = true; });
}

// The sound of a call: a bell of four partials, struck every three seconds while a call rings. A browser lets it sound
// only after its reader has touched the page; the button says so, and mutes.

const button = document.querySelector('[data-sound]');
let audio = null, next = 0;

const muted = () => localStorage.getItem('sound') === 'off';
const sounds = () => audio !== null && audio.state === 'running' && !muted();

function strike() {
  for (const [ratio, loud, long] of [[1, .5, 1.6], [2, .25, 1.2], [2.76, .2, .8], [5.4, .1, .4]]) {
    const tone = audio.createOscillator(), gain = audio.createGain(), t = audio.currentTime;
    tone.frequency.value = 523 * ratio;
    gain.gain.setValueAtTime(loud, t);
    gain.gain.exponentialRampToValueAtTime(.0001, t + long);
    tone.connect(gain).connect(audio.destination);
    tone.start(t);
    tone.stop(t + long);
  }
}

function ring() {
  clearTimeout(next);
  if (!button || !document.querySelector('[data-ring]') || !sounds()) return;
  strike();
  next = setTimeout(ring, 3000);
}

async function wake() { // called in a gesture, so that the browser allows it
  if (!button || muted()) return;
  audio ??= new AudioContext();
  if (audio.state !== 'running') await audio.resume();
  label();
  ring();
}

function label() {
  const [word, drawing] = muted() ? ['Sound off', 'sound-off'] : sounds() ? ['Sound on', 'sound'] : ['Allow sound', 'sound-off'];
  button.querySelector('span').textContent = word;
  const use = button.querySelector('use');
  use.setAttribute('href', use.getAttribute('href').replace(/#.*/, '#' + drawing));
}

if (button && window.AudioContext) {
  button.hidden = false;
  label();
  button.addEventListener('click', async () => {
    if (sounds()) { localStorage.setItem('sound', 'off'); label(); ring(); return; }
    localStorage.removeItem('sound');
    await wake();
  });
  for (const gesture of ['pointerdown', 'keydown']) document.addEventListener(gesture, (e) => { if (!button.contains(e.target) && e.key !== 'Escape') wake(); }, { capture: true });
  if (navigator.userActivation && navigator.userActivation.hasBeenActive) wake();
}

// Whoever sets Tocsin up need not know how their time zone is spelt.
const zone = document.querySelector('input[data-zone]');
if (zone && zone.value === '') zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || '';
