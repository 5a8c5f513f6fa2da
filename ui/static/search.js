// The search page beyond its forms and links, which work without it: it completes what is typed, shows a search while it runs, follows
// lines that come, and lets a range be chosen on the histogram. What it shows was made and escaped by the server.

const { read, takeOverChildren } = window.tocsin;
const box = document.getElementById('q');
const found = document.getElementById('found');

// With this the server answers a search that takes long at once, with a page that this script fills.
document.cookie = 'script=1; path=/search; SameSite=Strict';

const make = (name, attributes = {}, ...inside) => {
  const n = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) n.setAttribute(key, value);
  n.append(...inside);
  return n;
};

// Each line of an answer is an object. It ends when the server does or the signal says so.
async function* told(url, signal) {
  const answer = await fetch(url, { signal, cache: 'no-store', headers: { Accept: 'application/x-ndjson' } });
  if (answer.redirected && new URL(answer.url).pathname === '/sign-in') throw new Error('You are signed out. Reload to sign in.');
  if (!answer.ok) throw new Error('Tocsin refused to search. Reload to try again.');
  const text = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ;) {
    const { done, value } = await text.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
}

const reason = (e) => e instanceof TypeError ? 'Tocsin cannot be reached.' : e.message;

// A search that runs: how far it is, what it has found so far, and a button that stops it.

async function run(query) {
  const stop = new AbortController();
  const says = make('span', {}, 'Searching…'), done = make('progress', { max: 1, 'aria-label': 'How much is searched' });
  const button = make('button', { type: 'button' }, 'Stop');
  const heard = make('p', { class: 'heard', role: 'status' });
  const bar = make('div', { class: 'seek-run', id: 'run' }, done, says, button);
  found.before(heard, bar);
  heard.textContent = 'Searching. Escape stops it.';
  button.addEventListener('click', () => stop.abort());
  const escape = (e) => { if (e.key === 'Escape' && !e.defaultPrevented) stop.abort(); };
  document.addEventListener('keydown', escape);
  let end = 'The connection was lost before all was searched. Search again.';
  const quiet = document.getElementById('wait');
  if (quiet) quiet.remove();
  try {
    for await (const x of told('/search/run?' + new URLSearchParams({ q: query }), stop.signal)) {
      if (x.says) says.textContent = x.says;
      if (x.done !== undefined) done.value = x.done;
      if (x.html) show(x.html);
      if (x.kind === 'end') end = '';
    }
  } catch (e) {
    end = stop.signal.aborted ? 'Stopped. What was found until then is shown.' : reason(e);
  }
  const had = bar.contains(document.activeElement);
  document.removeEventListener('keydown', escape);
  bar.remove();
  if (end) {
    found.prepend(make('p', { class: 'warn' }, end));
    for (const b of found.querySelectorAll('[data-follow]')) b.hidden = true;
  }
  heard.textContent = end || 'The search is done. ' + (found.querySelector('#says strong')?.textContent ?? '');
  if (had) (found.querySelector('#found-lines summary, a') ?? box).focus();
  found.removeAttribute('data-run');
}

function show(html) {
  const next = read(html).body;
  takeOverChildren(found, next);
  dress();
}

// A row that opens shows everything that was read in its line.
found?.addEventListener('toggle', async (e) => {
  const part = e.target.open && e.target.querySelector('[data-line]');
  if (!part) return;
  const line = part.dataset.line;
  part.removeAttribute('data-line');
  try {
    const answer = await fetch(`/search/line/${Number(line)}?` + new URLSearchParams({ q: box.defaultValue, part: 1 }), { cache: 'no-store' });
    if (answer.ok && !answer.redirected) part.replaceChildren(...[...read(await answer.text()).body.children].map((n) => document.importNode(n, true)));
  } catch { part.setAttribute('data-line', line); } // what stands there is good, and the next time it is tried again
}, true);

// Lines that come, the newest first. At most so many stay on the page.

const most = 500;

function follow(button) {
  const list = document.getElementById('found-lines');
  const state = { stop: null, paused: false, waiting: [], count: 0, left: 0 };
  const says = make('span', { class: 'sub' }), pause = make('button', { type: 'button', class: 'quiet' }, 'Pause'), heard = make('span', { class: 'heard', role: 'status' });
  pause.hidden = true;
  button.after(' ', pause, ' ', says, heard);
  button.setAttribute('aria-pressed', 'false');
  const word = () => {
    const n = state.count === 1 ? '1 new line' : state.count + ' new lines';
    says.textContent = !state.stop ? (state.count ? n : '') : state.paused ? `Paused; ${state.waiting.length} wait` : n + (state.left ? `, ${state.left} more came too fast to be shown` : '');
  };
  const put = (rows) => {
    document.getElementById('none')?.remove();
    for (const row of rows) list.prepend(document.importNode(row, true));
    while (list.children.length > most) list.lastElementChild.remove();
  };
  let told1 = 0; // when a screen reader was told last
  const take = (x) => {
    if (x.html) {
      const rows = [...read(x.html).body.children];
      state.count += rows.length;
      state.left += x.left ?? 0;
      if (state.paused) state.waiting = state.waiting.concat(rows).slice(-most);
      else put(rows);
      if (Date.now() - told1 > 10000) { told1 = Date.now(); heard.textContent = `${state.count} new lines`; }
    }
    word();
  };
  const go = async () => {
    state.stop = new AbortController();
    button.textContent = 'Stop following';
    button.setAttribute('aria-pressed', 'true');
    pause.hidden = false;
    heard.textContent = 'Following. New lines appear at the top of the list.';
    for (let behind = button.dataset.behind; state.stop;) {
      try {
        for await (const x of told('/search/live?' + new URLSearchParams({ q: button.dataset.follow, behind }), state.stop.signal)) {
          if (x.kind === 'end') throw new Error(x.says);
          if (x.behind) behind = x.behind;
          take(x);
        }
      } catch (e) {
        if (!state.stop) break;
        if (!(e instanceof TypeError)) { end(e.message); break; }
        says.textContent = 'Tocsin cannot be reached; trying again.';
      }
      await new Promise((on) => setTimeout(on, 2000));
    }
  };
  const end = (why) => {
    state.stop?.abort();
    state.stop = null;
    put(state.waiting.splice(0));
    state.paused = false;
    button.textContent = 'Follow';
    button.setAttribute('aria-pressed', 'false');
    pause.hidden = true;
    word();
    heard.textContent = why;
    if (why !== 'No longer following.') says.textContent = why;
  };
  button.addEventListener('click', () => state.stop ? end('No longer following.') : go());
  pause.addEventListener('click', () => {
    state.paused = !state.paused;
    pause.textContent = state.paused ? 'Go on' : 'Pause';
    if (!state.paused) put(state.waiting.splice(0));
    word();
  });
}

// A range of the histogram, by dragging or by Shift and the arrows.

function ranged(svg) {
  const bars = [...svg.querySelectorAll('a.col')];
  if (bars.length === 0) return;
  const says = make('p', { class: 'sub range-says', role: 'status' });
  svg.closest('figure').append(says);
  const mark = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [k, v] of [['class', 'range'], ['y', 0], ['height', 104], ['width', 0]]) mark.setAttribute(k, v);
  svg.append(mark);
  let from = -1, to = -1, pressed = false, dragged = false;
  const unit = 960 / bars.length;
  const draw = () => {
    const [a, b] = [Math.min(from, to), Math.max(from, to)];
    const on = from >= 0 && (a !== b || dragged);
    mark.setAttribute('x', on ? a * unit : 0);
    mark.setAttribute('width', on ? (b - a + 1) * unit : 0);
    const lines = bars.slice(Math.max(a, 0), b + 1).reduce((n, x) => n + Number(x.dataset.count), 0);
    says.textContent = on ? `${bars[a].dataset.from} to ${bars[b].dataset.to}: ${lines === 1 ? '1 line' : lines.toLocaleString('en') + ' lines'}. ${pressed ? 'Let go' : 'Enter'} narrows to it, Escape leaves it.` : '';
  };
  const clear = () => { from = to = -1; pressed = dragged = false; draw(); };
  const go = () => {
    const [a, b] = [Math.min(from, to), Math.max(from, to)];
    location.assign('/search?' + new URLSearchParams({ q: svg.dataset.range, since: bars[a].dataset.since, until: bars[b].dataset.until }));
  };
  const place = (e) => {
    const r = svg.getBoundingClientRect();
    return Math.min(bars.length - 1, Math.max(0, Math.floor((e.clientX - r.left) / r.width * bars.length)));
  };
  const focus = (k) => { bars.forEach((x, i) => x.setAttribute('tabindex', i === k ? 0 : -1)); bars[k].focus(); };
  bars.forEach((x, i) => x.setAttribute('tabindex', i === 0 ? 0 : -1)); // one stop for all bars; arrows walk
  svg.addEventListener('dragstart', (e) => e.preventDefault());
  svg.addEventListener('pointerdown', (e) => { if (e.button === 0) { pressed = true; dragged = false; from = to = place(e); } });
  svg.addEventListener('pointermove', (e) => {
    if (!pressed) return;
    to = place(e);
    if (to !== from && !dragged) { dragged = true; svg.setPointerCapture(e.pointerId); }
    if (dragged) draw();
  });
  svg.addEventListener('pointerup', () => { pressed = false; if (dragged) go(); });
  svg.addEventListener('pointercancel', clear);
  svg.addEventListener('click', (e) => { if (dragged) e.preventDefault(); }, true);
  svg.addEventListener('keydown', (e) => {
    const at = bars.indexOf(e.target);
    if (at < 0) return;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 }[e.key];
    if (next !== undefined) {
      e.preventDefault();
      const k = Math.min(bars.length - 1, Math.max(0, next));
      if (!e.shiftKey) clear();
      else { if (from < 0) from = at; to = k; draw(); }
      focus(k);
    } else if (e.key === 'Escape' && from >= 0) {
      e.preventDefault();
      if (pressed) dragged = false;
      clear();
    } else if (e.key === 'Enter' && from >= 0 && from !== to) {
      e.preventDefault();
      go();
    }
  });
  document.addEventListener('keydown', (e) => { if (e.key === 'Escape' && pressed) clear(); });
}

// Completion: a combobox with a listbox (ARIA 1.2). Nothing is chosen until an arrow says so, so that Enter searches.

function completed() {
  const list = make('ul', { id: 'q-list', role: 'listbox', 'aria-label': 'Ways to go on', class: 'completions' });
  const heard = make('p', { class: 'heard', role: 'status' });
  list.hidden = true;
  box.parentElement.append(list, heard);
  for (const [k, v] of [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-controls', 'q-list'], ['aria-expanded', 'false']]) box.setAttribute(k, v);
  let all = [], at = -1, timer = 0, stop = new AbortController();
  const close = () => {
    clearTimeout(timer);
    stop.abort();
    list.hidden = true;
    at = -1;
    box.setAttribute('aria-expanded', 'false');
    box.removeAttribute('aria-activedescendant');
    heard.textContent = '';
  };
  const choose = (k) => {
    list.children[at]?.setAttribute('aria-selected', 'false');
    at = k;
    const option = list.children[at];
    if (!option) { box.removeAttribute('aria-activedescendant'); return; }
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    box.setAttribute('aria-activedescendant', option.id);
  };
  const take = (x) => {
    const runes = [...box.value];
    const before = runes.slice(0, x.from).join('') + x.text + (x.blank ? ' ' : '');
    box.value = before + runes.slice(x.to).join('');
    box.setSelectionRange(before.length, before.length);
    close();
    ask();
  };
  const ask = async (tries = 0) => {
    stop.abort();
    stop = new AbortController();
    const text = box.value, place = [...text.slice(0, box.selectionStart)].length;
    let got, again;
    try {
      const answer = await fetch(`/search/complete?${new URLSearchParams({ q: text, at: place })}`, { signal: stop.signal, cache: 'no-store' });
      if (!answer.ok || answer.redirected) return;
      ({ suggestions: got, again } = await answer.json());
    } catch { return; } // the next letter asks again
    if (document.activeElement !== box || text !== box.value) return;
    all = got;
    at = -1;
    box.removeAttribute('aria-activedescendant');
    list.replaceChildren(...all.map((x, i) => make('li', { role: 'option', id: `q-option-${i}`, 'aria-selected': 'false' }, make('code', {}, x.shown), make('span', { class: 'sub' }, x.says))));
    list.hidden = all.length === 0;
    box.setAttribute('aria-expanded', String(all.length > 0));
    heard.textContent = all.length ? `${all.length} ${all.length === 1 ? 'way' : 'ways'} to go on` : '';
    if (again && tries < 5) { // the server was too busy to look for values in a moment
      clearTimeout(timer);
      timer = setTimeout(() => ask(tries + 1), 400 << tries);
    }
  };
  box.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(ask, 80); });
  box.addEventListener('keydown', (e) => {
    if (e.isComposing) return;
    const open = !list.hidden;
    switch (e.key) {
      case 'ArrowDown':
      case 'ArrowUp':
        e.preventDefault();
        if (!open) ask();
        else choose(e.key === 'ArrowDown' ? (at + 1) % all.length : (at <= 0 ? all.length : at) - 1);
        break;
      case 'Enter':
        if (open && at >= 0) { e.preventDefault(); take(all[at]); } else close();
        break;
      case 'Tab':
        if (open && at >= 0 && !e.shiftKey) { e.preventDefault(); take(all[at]); } else close();
        break;
      case 'Escape':
        if (open) { e.preventDefault(); close(); }
        break;
      case 'ArrowLeft':
      case 'ArrowRight':
      case 'Home':
      case 'End':
        close();
    }
  });
  box.addEventListener('blur', close);
  list.addEventListener('pointerdown', (e) => e.preventDefault()); // the box keeps the focus
  list.addEventListener('click', (e) => {
    const k = [...list.children].indexOf(e.target.closest('[role=option]'));
    if (k >= 0) take(all[k]);
  });
}

// What the server has put on the page is dressed once.

function dress() {
  for (const b of document.querySelectorAll('[data-follow]:not([data-dressed])')) {
    b.dataset.dressed = '';
    b.hidden = false;
    follow(b);
  }
  for (const svg of document.querySelectorAll('svg[data-range]:not([data-dressed])')) {
    svg.setAttribute('data-dressed', '');
    ranged(svg);
  }
}

if (box && found) {
  completed();
  dress();
  if (found.dataset.run) run(found.dataset.run);
}
