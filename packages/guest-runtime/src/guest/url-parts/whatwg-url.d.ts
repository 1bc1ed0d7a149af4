declare module 'whatwg-url/webidl2js-wrapper.js' {
  interface Installable {
    install(globalObject: object, globalNames: readonly string[]): void;
  }
  const wrapper: { readonly URL: Installable; readonly URLSearchParams: Installable };
  export default wrapper;
}
