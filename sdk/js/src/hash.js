// A 128-bit hash for fingerprints: MurmurHash3_x86_128 (Austin Appleby, public domain), whose
// 32-bit steps are fast in an interpreter.

const C = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93];
const ROTATE_K = [15, 16, 17, 18];
const ROTATE_H = [19, 17, 15, 13];
const ADD = [0x561ccd1b, 0x0bcaa747, 0x96cd1c35, 0x32ac3b17];

const rotate = (x, n) => (x << n) | (x >>> (32 - n));

function finish(h) {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const mixed = (k, lane) => Math.imul(rotate(Math.imul(k, C[lane]), ROTATE_K[lane]), C[(lane + 1) & 3]);

/** 16 bytes for some bytes. */
export function hash128(bytes) {
  const h = [0, 0, 0, 0];
  const blocks = bytes.length >> 4;
  for (let block = 0; block < blocks; block += 1) {
    for (let lane = 0; lane < 4; lane += 1) {
      const at = block * 16 + lane * 4;
      const k = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      h[lane] ^= mixed(k, lane);
      h[lane] = rotate(h[lane], ROTATE_H[lane]);
      h[lane] = (Math.imul(h[lane] + h[(lane + 1) & 3], 5) + ADD[lane]) | 0;
    }
  }
  for (let lane = 0; lane < 4; lane += 1) {
    let k = 0;
    for (let i = 0; i < 4; i += 1) k |= (bytes[blocks * 16 + lane * 4 + i] ?? 0) << (8 * i);
    h[lane] ^= mixed(k, lane);
  }
  for (let lane = 0; lane < 4; lane += 1) h[lane] ^= bytes.length;
  const join = () => {
    h[0] = (h[0] + h[1] + h[2] + h[3]) | 0;
    for (let lane = 1; lane < 4; lane += 1) h[lane] = (h[lane] + h[0]) | 0;
  };
  join();
  for (let lane = 0; lane < 4; lane += 1) h[lane] = finish(h[lane]);
  join();
  return new Uint8Array(Uint32Array.from(h).buffer);
}
