// The work that a report costs: a number that makes SHA-256(challenge ":" number) begin with so many zero bits. A thread of its own,
// so that the page stays alive.

const encoder = new TextEncoder();
const together = 256; // digests asked for at once

function zeros(hash) {
  let n = 0;
  for (const b of hash) {
    if (b !== 0) return n + Math.clz32(b) - 24;
    n += 8;
  }
  return n;
}

onmessage = async ({ data: { challenge, bits } }) => {
  for (let from = 0; ; from += together) {
    const sums = await Promise.all(Array.from({ length: together }, (_, i) => crypto.subtle.digest('SHA-256', encoder.encode(challenge + ':' + (from + i)))));
    const at = sums.findIndex((s) => zeros(new Uint8Array(s)) >= bits);
    if (at >= 0) {
      postMessage({ number: String(from + at) });
      return;
    }
    if (from % 4096 === 0) postMessage({ tried: from });
  }
};
