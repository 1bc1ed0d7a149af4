'use strict';
// In place of @exodus/bytes/whatwg.js: percent-encodes the UTF-8 bytes of a query. C0 controls, DEL and everything beyond ASCII always
// are, and the characters of `set`.
const encoder = new TextEncoder();

exports.percentEncodeAfterEncoding = (_encoding, text, set) => {
  let result = '';
  for (const byte of encoder.encode(text)) {
    const char = String.fromCharCode(byte);
    const isPlain = byte > 0x1f && byte < 0x7f && !set.includes(char);
    result += isPlain ? char : `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`;
  }
  return result;
};
