// Strings and their UTF-8 bytes. The engine has no TextDecoder; its native functions are much
// faster than a loop over bytes.

/** Bytes for one call: an engine takes only so many arguments. */
const CHUNK = 4096;

const latin1 = (bytes) => {
  if (bytes.length <= CHUNK) return String.fromCharCode.apply(null, bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK));
  return text;
};

/** The string of bytes that are UTF-8. */
export function decode(bytes) {
  const text = latin1(bytes);
  return /[\x80-\xff]/.test(text) ? decodeURIComponent(escape(text)) : text;
}

/** The UTF-8 bytes of a string; half a surrogate pair becomes U+FFFD. */
export function encode(text) {
  const binary = /[^\x00-\x7f]/.test(text) ? unescape(encodeURIComponent(text.toWellFormed())) : text;
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
