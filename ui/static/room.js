// The war room in a browser: it joins with the code of the page or of the link, sends the microphone, plays what comes in the lanes,
// and shows who is there. The server answers one offer; who comes, goes or speaks is told as server-sent changes (read by fetch,
// because the secret of the seat goes in a header and never in an address).

const $ = (id) => document.getElementById('room-' + id);
const room = document.getElementById('room');
const base = room.dataset.url;
const lanes = 8, beatEvery = 5000, deaf = 15000; // as package room has them

// The code of a link stands behind its #, and is taken out of the address bar at once; a reload finds it in the window's own store.
const store = (key, value) => { try { if (value !== undefined) sessionStorage.setItem(key, value); return sessionStorage.getItem(key) ?? ''; } catch { return ''; } };
if (!room.dataset.code && location.hash.length > 20) {
  store('room-code', location.hash.slice(1));
  store('room-secret', '');
  history.replaceState(null, '', location.pathname + location.search);
}
const code = room.dataset.code || store('room-code');

let secret = '', here = false, stream = null, pc = null, follower = null, beats = 0, retry = 0, sound = null, wake = null;
let view = null, muted = true, pushing = false, held = false, taped = false, rejoining = null;

const say = (words) => { if ($('says').textContent !== words) $('says').textContent = words; };
const reason = (e) => e instanceof TypeError ? 'Tocsin cannot be reached; trying again.' : e.message;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

class Refused extends Error { constructor(status, says, after) { super(says); this.status = status; this.after = after; } }

async function ask(path, body = {}, more = {}) {
  const answer = await fetch(base + path, { method: 'POST', cache: 'no-store', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ' + secret }, ...more });
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({ says: 'Tocsin answered with something else than expected.' }));
  if (!answer.ok) throw new Refused(answer.status, told.says, told.after);
  return told;
}

// What a person asks for by a button: what goes wrong is said, and nothing else happens.
const act = async (path, body) => { try { await ask(path, body); say(''); } catch (e) { say(reason(e)); } };

// Joining.

async function microphone() {
  if (!navigator.mediaDevices) return null;
  const clean = $('clean').checked;
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean } });
  } catch (e) {
    say(e.name === 'NotFoundError' ? 'This device has no microphone. You hear the others, and are not heard.' : 'The browser gave no microphone. You hear the others, and are not heard. Allow it beside the address, then leave and join again.');
    return null;
  }
}

async function join() {
  $('join').disabled = true;
  say('');
  sound ??= new AudioContext(); // in the gesture, so that the browser lets it sound
  sound.resume();
  try {
    stream = await microphone();
    await enter();
    muted = true;
    pushing = $('push').checked = false;
    $('door').hidden = true;
    $('in').hidden = false;
    await connect(true);
    $('mute').focus();
    navigator.wakeLock?.request('screen').then((lock) => { wake = lock; }, () => {});
  } catch (e) {
    leave(reason(e));
  }
  $('join').disabled = false;
}

async function enter() {
  const told = await ask('/join', { code, secret: store('room-secret') });
  secret = store('room-secret', told.secret) || told.secret;
  here = true;
  await ask('/mute', { seat: told.seat, muted: !pushing && muted });
  clearInterval(beats);
  beats = setInterval(() => ask('/alive').catch((e) => { if (e.status === 401) again(); }), beatEvery);
  follow();
}

// The seat was given up, because the network was away for too long: take another.
function again() {
  rejoining ??= (async () => {
    try {
      while (here) {
        try { await enter(); await connect(true); say(''); return; } catch (e) {
          if (e instanceof Refused && e.status === 403) { leave(e.message); return; }
          say(reason(e));
          await wait(1000 * (e.after || 2));
        }
      }
    } finally { rejoining = null; }
  })();
  return rejoining;
}

function leave(words) {
  here = false;
  clearInterval(beats);
  clearTimeout(retry);
  follower?.abort();
  pc?.close();
  pc = null;
  stream?.getTracks().forEach((t) => t.stop());
  stream = null;
  view = null;
  taped = false;
  clearInterval(beep.timer);
  wake?.release().catch(() => {});
  $('audio').replaceChildren();
  $('people').replaceChildren();
  $('in').hidden = true;
  $('door').hidden = false;
  $('mic').textContent = words || 'You have left. The microphone is off.';
  $('join').disabled = false;
}

// The connection.

let offering = Promise.resolve();
const connect = (anew) => { offering = offering.catch(() => {}).then(() => here && offer(anew)); return offering; };

async function offer(anew) {
  clearTimeout(retry);
  if (anew || !pc || pc.connectionState === 'closed') {
    anew = true;
    pc?.close();
    const mine = pc = new RTCPeerConnection();
    $('audio').replaceChildren();
    mine.addTransceiver(stream?.getAudioTracks()[0] ?? 'audio', { direction: 'sendonly' });
    for (let i = 0; i < lanes; i++) mine.addTransceiver('audio', { direction: 'recvonly' });
    mine.ontrack = (e) => { if (mine === pc) play(e.track, e.transceiver.mid); };
    mine.onconnectionstatechange = () => { if (mine === pc) changed(); };
  } else {
    pc.restartIce();
  }
  await pc.setLocalDescription(await pc.createOffer());
  applyMic();
  const told = await ask('/offer', { sdp: pc.localDescription.sdp, anew });
  await pc.setRemoteDescription({ type: 'answer', sdp: told.sdp });
}

function changed() {
  clearTimeout(retry);
  const state = pc.connectionState;
  if (state === 'connected') say('');
  if (state === 'disconnected') { say('The sound is interrupted; trying again.'); later(false, 2000); }
  if (state === 'failed') { say('There is no way for the sound to the server; trying again. A network may forbid it: try another, such as the phone\'s own.'); later(true, 1000); }
}

const later = (anew, ms) => { clearTimeout(retry); retry = setTimeout(() => mend(anew), ms); };

async function mend(anew) {
  if (!here) return;
  try { await connect(anew); } catch (e) {
    if (e.status === 401) return again();
    say(reason(e));
    later(true, 3000);
  }
}

addEventListener('online', () => mend(false)); // another network: ICE finds its way anew
navigator.connection?.addEventListener?.('change', () => mend(false));

function play(track, mid) {
  const a = document.createElement('audio');
  a.autoplay = true;
  a.srcObject = new MediaStream([track]);
  a.dataset.lane = mid;
  $('audio').append(a);
  a.play().catch(() => {
    if (!a.isConnected) return;
    say('Press anywhere to hear the others.');
    document.addEventListener('pointerdown', () => { a.play().catch(() => {}); say(''); }, { once: true });
  });
}

// Following changes.

async function follow() {
  follower?.abort();
  const mine = follower = new AbortController();
  for (let pause = 500; here && follower === mine; pause = Math.min(5000, pause * 2)) {
    let dog = 0;
    const inner = new AbortController();
    const watch = () => { clearTimeout(dog); dog = setTimeout(() => inner.abort(), deaf); };
    mine.signal.addEventListener('abort', () => inner.abort(), { once: true });
    try {
      watch();
      const answer = await fetch(base + '/changes', { cache: 'no-store', signal: inner.signal, headers: { Authorization: 'Bearer ' + secret } });
      if (answer.status === 401) { again(); return; }
      if (!answer.ok) throw new TypeError();
      const text = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ''; ;) {
        const { done, value } = await text.read();
        if (done || follower !== mine) break;
        watch();
        pause = 500;
        const told = (rest + value).split('\n\n');
        rest = told.pop();
        for (const t of told) heard(t);
      }
    } catch { /* tried again below; the beats say whether the seat is still there */ }
    clearTimeout(dog);
    if (here && follower === mine) await wait(pause);
  }
}

function heard(told) {
  const kind = told.match(/^event: (.*)$/m)?.[1], data = told.match(/^data: (.*)$/m)?.[1];
  if (!data) return;
  if (kind === 'gone') {
    const { says } = JSON.parse(data);
    if (says.startsWith('The connection was lost')) again(); else leave(says);
  }
  if (kind === 'room') { view = JSON.parse(data); show(); }
}

// What is shown.

const copy = (id) => document.getElementById('room-' + id).content.firstElementChild.cloneNode(true);

function mark(tone, icon, words) {
  const n = copy('state'), use = n.querySelector('use');
  n.className = 'state state-' + tone;
  use.setAttribute('href', use.getAttribute('href').replace(/#.*/, '#' + icon));
  n.lastElementChild.textContent = words;
  return n;
}

function show() {
  const me = view.people.find((p) => p.seat === view.you);
  $('count').textContent = view.people.length;
  const list = $('people'), wanted = new Set(view.people.map((p) => 'seat-' + p.seat));
  for (const li of [...list.children]) if (!wanted.has(li.id)) li.remove();
  for (const p of view.people) {
    let li = document.getElementById('seat-' + p.seat);
    if (!li) {
      li = copy('person');
      li.id = 'seat-' + p.seat;
      list.append(li);
    }
    showPerson(li, p);
  }
  const voices = view.people.filter((p) => speaks(p) && p.seat !== view.you).map((p) => p.name).join(', ');
  $('voices').textContent = voices ? 'Speaks now: ' + voices : 'None of the others speaks.'; // in a full room the list is longer than a phone
  const tape = view.recording;
  $('tape').hidden = !tape;
  if (tape) $('tape-says').textContent = `by ${tape.by} since ${new Date(tape.since).toLocaleTimeString()}. Each voice is kept as a file.`;
  if (!!tape !== taped) { taped = !!tape; beep(taped); }
  if (view.fault) say(view.fault);
  for (const id of ['record', 'end']) $(id).hidden = !view.host || (id === 'record' && !view.records && !tape);
  if (!$('record').dataset.sure) $('record').lastElementChild.textContent = tape ? 'Stop recording' : 'Start recording';
  if (me) applyMic(me.silenced);
}

const speaks = (p) => p.speaking && p.connected && !p.muted && !p.silenced;

function showPerson(li, p) {
  const key = JSON.stringify(p) + view.host;
  if (li.dataset.shown === key) return;
  li.dataset.shown = key;
  li.classList.toggle('speaks', speaks(p));
  const since = document.createElement('span');
  since.className = 'sub';
  since.textContent = [p.host ? 'host' : '', p.guest ? 'guest, by a link' : '', 'since ' + new Date(p.since).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })].filter(Boolean).join(' · ');
  li.querySelector('.room-name').replaceChildren(p.name + (p.device > 1 ? ` (device ${p.device})` : '') + (p.seat === view.you ? ' (you)' : ''), since);
  li.querySelector('.room-marks').replaceChildren(
    !p.connected ? mark('late', 'late', 'no sound yet')
      : p.silenced ? mark('bad', 'mic-off', 'muted by a host')
        : p.muted ? mark('off', 'mic-off', 'muted')
          : speaks(p) ? mark('good', 'sound', 'speaks') : mark('busy', 'mic', 'listens'));
  const acts = li.querySelector('.room-acts');
  if (!view.host || p.seat === view.you) { acts.replaceChildren(); return; }
  if (!acts.firstChild) acts.append(button('Mute', () => act('/mute', { seat: p.seat, muted: !(view.people.find((q) => q.seat === p.seat)?.silenced) })), button('Send out', (b) => sure(b, 'Really send out?') && act('/remove', { seat: p.seat })));
  acts.firstChild.textContent = p.silenced ? 'Let speak' : 'Mute';
  for (const b of acts.children) b.setAttribute('aria-label', b.textContent + ': ' + p.name);
}

function button(words, press) {
  const b = document.createElement('button');
  b.type = 'button';
  b.className = 'quiet';
  b.textContent = words;
  b.addEventListener('click', () => press(b));
  return b;
}

// sure asks once more on the button itself: true at the second press within five seconds.
function sure(b, question) {
  const words = b.querySelector('span') ?? b;
  if (b.dataset.sure) { words.textContent = b.dataset.sure; delete b.dataset.sure; return true; }
  b.dataset.sure = words.textContent;
  words.textContent = question;
  b.removeAttribute('aria-label');
  setTimeout(() => { if (b.dataset.sure) { words.textContent = b.dataset.sure; delete b.dataset.sure; } }, 5000);
  return false;
}

// A recording is heard as well as seen: two high tones at its beginning, a short one each minute, a low one at its end.
function beep(on, every = true) {
  clearInterval(beep.timer);
  if (sound?.state === 'running') {
    for (const [at, pitch] of on ? (every ? [[0, 880], [.3, 880]] : [[0, 880]]) : [[0, 440]]) {
      const tone = sound.createOscillator(), gain = sound.createGain(), t = sound.currentTime + at;
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(.2, t);
      gain.gain.exponentialRampToValueAtTime(.0001, t + .25);
      tone.connect(gain).connect(sound.destination);
      tone.start(t);
      tone.stop(t + .25);
    }
  }
  if (on) beep.timer = setInterval(() => beep(true, false), 60000);
}

// The microphone: it is heard if it is not muted, or while the talk button is held. What is muted leaves this device as silence,
// and the server passes nothing on.

function applyMic(silenced = false) {
  const on = !silenced && (pushing ? held : !muted);
  for (const t of stream?.getAudioTracks() ?? []) t.enabled = on;
  const mute = $('mute'), talk = $('talk');
  mute.hidden = pushing;
  talk.hidden = !pushing;
  mute.disabled = talk.disabled = silenced || !stream;
  mute.setAttribute('aria-pressed', String(!on));
  talk.setAttribute('aria-pressed', String(on));
  mute.lastElementChild.textContent = !stream ? 'No microphone' : silenced ? 'A host has muted you' : muted ? 'You are muted. Press to speak' : 'You are heard. Press to mute';
  talk.lastElementChild.textContent = !stream ? 'No microphone' : silenced ? 'A host has muted you' : on ? 'You are heard' : 'Hold to talk';
}

const silencedNow = () => view?.people.find((p) => p.seat === view.you)?.silenced ?? false;

async function mute(to) {
  muted = to;
  applyMic(silencedNow());
  await act('/mute', { seat: view.you, muted: to && !pushing });
}

function hold(to) {
  if (held === to || (to && (!pushing || !here))) return;
  held = to;
  applyMic(silencedNow());
}

const ofKeys = (n) => n.matches?.('input, textarea, select, a, summary, button:not(#room-talk)');
document.addEventListener('keydown', (e) => {
  if (e.key !== ' ' || !pushing || ofKeys(e.target)) return;
  e.preventDefault();
  hold(true);
});
document.addEventListener('keyup', (e) => { if (e.key === ' ' && held) { e.preventDefault(); hold(false); } });
addEventListener('blur', () => hold(false));
document.addEventListener('visibilitychange', () => { if (document.hidden) hold(false); });

const talk = $('talk');
talk.addEventListener('pointerdown', (e) => { talk.setPointerCapture(e.pointerId); hold(true); });
for (const kind of ['pointerup', 'pointercancel', 'lostpointercapture']) talk.addEventListener(kind, () => hold(false));
talk.addEventListener('contextmenu', (e) => e.preventDefault()); // of a long press

$('join').addEventListener('click', join);
$('mute').addEventListener('click', () => view && mute(!muted));
$('push').addEventListener('change', () => {
  if (!view) return;
  pushing = $('push').checked;
  held = false;
  mute(true);
  if (pushing) talk.focus();
});
$('leave').addEventListener('click', async () => { await act('/leave'); leave(''); });
$('end').addEventListener('click', () => { if (sure($('end'), 'Really end it for all?')) act('/end'); });
$('record').addEventListener('click', () => {
  const on = !view?.recording;
  if (!on || sure($('record'), 'Record? All are told')) act('/record', { on });
});
// A link for a guest is made without leaving this page: shown anew, it would end the sound of whoever asks.
async function invite(form) {
  const b = form.querySelector('button'), part = document.getElementById('room-invite');
  b.disabled = true;
  try {
    const answer = await fetch(form.action, { method: 'POST', cache: 'no-store', body: new URLSearchParams(new FormData(form)), headers: { Accept: 'text/html' } });
    const now = tocsin.read(await answer.text()).getElementById('room-invite');
    if (!now) throw new Refused(answer.status, answer.redirected ? 'You are signed out, and the link was not made. Sign in in another window, and try again.' : 'The link was not made. Try again.');
    part.replaceChildren(...document.importNode(now, true).childNodes);
    (document.getElementById('invite-link') ?? part.querySelector('[aria-invalid]') ?? part).focus();
  } catch (e) { say(reason(e)); b.disabled = false; }
}
document.addEventListener('submit', (e) => { if (here && e.target.closest('#room-invite')) { e.preventDefault(); invite(e.target); } });

addEventListener('pagehide', () => { if (here) { ask('/leave', {}, { keepalive: true }).catch(() => {}); leave('You have left this page.'); } });

// Whether it can work here at all.

const plain = (heading, why) => {
  document.querySelector('#room-plain h2').textContent = heading;
  $('why').textContent = why;
};
if (!window.RTCPeerConnection) {
  plain('This browser cannot carry sound', 'It has no WebRTC, or it is switched off. Use a current Firefox, Chrome, Edge or Safari.');
} else if (!code) {
  plain('This link has no code', 'Copy the whole link, with what stands behind the #, or ask for a new one.');
} else {
  room.hidden = false;
  if (window.isSecureContext) document.getElementById('room-plain').hidden = true;
  else {
    plain('You can listen here, and not speak', 'This page did not come over https, and browsers give the microphone to https pages only (and to the machine itself, as localhost). Open the console by its https address.');
    $('mic').textContent = 'You join without a microphone.';
  }
}
