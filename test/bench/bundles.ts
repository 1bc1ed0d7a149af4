/** One plug-in type with `steps` steps on the Create of `table`, each doing what a small business rule does. */
export function ruleBundle(table: string, steps: number, name = table): string {
  const declared = Array.from({ length: steps }, (_, index) => ({
    name: `${name} ${index}`,
    message: 'Create',
    table,
    stage: 'PreOperation',
    rank: index,
  }));
  return `exports.rule = { kind: 'airlock.plugin', typeName: ${JSON.stringify(name)}, steps: ${JSON.stringify(declared)}, execute(context) { context.target.attributes.note = 'checked ' + context.target.attributes.name; } };`;
}

/**
 * About `bytes` of script as a bundler leaves it: classes, functions and tables that are made when it is loaded, of which one execution
 * uses a few. `salt` makes it another bundle. It leaves its result in `result` and its table of rules in `rules`.
 */
export function largeScript(bytes: number, salt: string): string {
  const parts = [`const salt = ${JSON.stringify(salt)}; const rules = new Map();`];
  let length = parts[0]?.length ?? 0;
  for (let index = 0; length < bytes; index++) {
    const part = `
class Rule${index} {
  #limit = ${index * 7};
  constructor(options) { this.name = 'rule ${index}'; this.options = Object.freeze({ ...options, codes: [${index}, ${index + 1}, ${index + 2}] }); }
  check(record) {
    if (typeof record.name !== 'string' || record.name.length === 0) return { ok: false, message: 'rule ${index}: the name is missing' };
    const sum = [...record.name].reduce((total, letter, at) => (total * 31 + letter.codePointAt(0) * (at + 1)) % 1000003, this.#limit);
    return { ok: sum % ${index + 3} !== 1, message: 'rule ${index}: ' + sum };
  }
  describe() { return \`\${this.name} with \${this.options.codes.length} codes of \${salt}\`; }
}
rules.set('rule ${index}', new Rule${index}({ severity: ${index % 4}, pattern: /^[a-z]{${(index % 9) + 1},}[0-9]*$/i, labels: { 1033: 'Rule ${index}', 1031: 'Regel ${index}' } }));`;
    parts.push(part);
    length += part.length;
  }
  parts.push(`const result = (record) => [...rules.values()].slice(0, 5).map((rule) => rule.check(record).message).join('; ');`);
  return parts.join('\n');
}
