/** Loaded into the worker before its own code, so that the runner can ask from outside whether its builtins are still what they were (I11). */
const builtins = [Object, Function, Array, String, Number, Boolean, Symbol, Promise, Map, Set, Error, RegExp, Date, Uint8Array, JSON, Reflect];
const look = () => JSON.stringify(builtins.map((one) => [...Reflect.ownKeys(one), '|', ...Reflect.ownKeys(one.prototype ?? {})].map(String)));
let before;
process.on('SIGUSR2', () => {
  before ??= look();
  process.stderr.write(`builtins ${look() === before ? 'unchanged' : 'changed'}\n`);
});
