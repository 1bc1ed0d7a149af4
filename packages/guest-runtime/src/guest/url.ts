import './text-codecs.ts';
import wrapper from 'whatwg-url/webidl2js-wrapper.js';

/** URL and URLSearchParams of the standard, by whatwg-url; what it stands on is replaced by the files in `url-parts`. */
export function installUrl(): void {
  wrapper.URL.install(globalThis, ['Window']);
  delete (globalThis as Record<string, unknown>)['webkitURL'];
  wrapper.URLSearchParams.install(globalThis, ['Window']);
}
