// What the forms with a password do beyond plain fields, which work without this script: a button shows what is typed, and beside a new password stands how
// strong it is, by the same reckoning as the server's (internal/signin/strength.go), which decides. Nothing of it leaves the browser.

const words = ['too short', 'weak', 'fair', 'good', 'strong'];

// strength reckons 0 to 4: 0 is shorter than 12 characters, then by rough bits: a character that came before or is a neighbour of the last one tells little.
export function strength(password) {
  const all = [...password];
  if (all.length < 12) return 0;
  const seen = new Set();
  let bits = 0, before = -1;
  for (const c of all) {
    const at = c.codePointAt(0);
    bits += seen.has(at) || Math.abs(at - before) <= 1 ? 1.5 : /[a-z]/.test(c) ? 4 : 5;
    seen.add(at);
    before = at;
  }
  return bits < 35 ? 1 : bits < 45 ? 2 : bits < 60 ? 3 : 4;
}

function eye(field) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'show-password';
  button.textContent = 'Show';
  button.setAttribute('aria-pressed', 'false');
  button.setAttribute('aria-label', 'Show what is typed: ' + (field.labels[0]?.textContent ?? 'password'));
  button.addEventListener('click', () => {
    const shown = field.type === 'text';
    field.type = shown ? 'password' : 'text';
    button.textContent = shown ? 'Show' : 'Hide';
    button.setAttribute('aria-pressed', String(!shown));
    field.focus();
  });
  field.form?.addEventListener('submit', () => { field.type = 'password'; }); // so that no browser keeps it as text
  field.after(button);
}

function meter(field) {
  const says = document.createElement('p'), bar = document.createElement('meter'), word = document.createElement('span');
  says.className = 'strength';
  says.hidden = true;
  bar.max = 4;
  bar.low = 2;
  bar.high = 3;
  bar.optimum = 4;
  bar.setAttribute('aria-hidden', 'true');
  word.setAttribute('role', 'status');
  says.append(bar, ' ', word);
  field.parentElement.append(says);
  field.addEventListener('input', () => {
    const n = strength(field.value);
    says.hidden = field.value === '';
    bar.value = n;
    word.textContent = 'Strength: ' + words[n];
  });
}

for (const field of document.querySelectorAll('input[type=password]')) {
  if (field.autocomplete === 'new-password' && field.name === 'password') meter(field);
  eye(field);
}
