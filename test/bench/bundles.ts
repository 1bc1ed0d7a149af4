/** One plug-in type with `steps` steps on the Create of `table`, each doing what a small business rule does. */
export function ruleBundle(table: string, steps: number): string {
  const declared = Array.from({ length: steps }, (_, index) => ({
    name: `${table} ${index}`,
    message: 'Create',
    table,
    stage: 'PreOperation',
    rank: index,
  }));
  return `exports.rule = { kind: 'airlock.plugin', steps: ${JSON.stringify(declared)}, execute(context) { context.target.attributes.note = 'checked ' + context.target.attributes.name; } };`;
}
