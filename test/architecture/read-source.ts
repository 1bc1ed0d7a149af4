import { parseSync, Visitor } from 'oxc-parser';

/**
 * Imports come from a real parser of TypeScript (the one that knip uses, so it is in the tree already). Searching the text would
 * miss multi-line imports and find those in comments; Node's own type stripping drops exactly the type imports that count here.
 */
export interface ImportOf {
  readonly specifier: string;
  readonly kind: 'value' | 'type';
}

export interface SourceFacts {
  readonly imports: readonly ImportOf[];
  readonly readsEnvironment: boolean;
  readonly lines: number;
}

/** Whether the program reads `process.env` or `import.meta.env`. */
function findEnvironmentReads(program: ReturnType<typeof parseSync>['program']): boolean {
  let found = false;
  const visitor = new Visitor({
    MemberExpression: ({ object, property }) => {
      const name = property.type === 'Identifier' ? property.name : property.type === 'Literal' ? property.value : undefined;
      const owner = object.type === 'MetaProperty' || (object.type === 'Identifier' && object.name === 'process');
      if (name === 'env' && owner) found = true;
    },
    ImportDeclaration: ({ source, specifiers }) => {
      if (source.value !== 'node:process' && source.value !== 'process') return;
      found ||= specifiers.some((one) => one.type === 'ImportSpecifier' && one.imported.type === 'Identifier' && one.imported.name === 'env');
    },
  });
  visitor.visit(program);
  return found;
}

export function readSource(path: string, text: string): SourceFacts {
  const { module, program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message ?? ''}`);
  const imports: ImportOf[] = [];
  for (const { moduleRequest, entries } of module.staticImports) {
    const typesOnly = entries.length > 0 && entries.every((entry) => entry.isType);
    imports.push({ specifier: moduleRequest.value, kind: typesOnly ? 'type' : 'value' });
  }
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest !== null) imports.push({ specifier: moduleRequest.value, kind: isType ? 'type' : 'value' });
    }
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^\s*(['"`])(.*)\1\s*$/s.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[2];
    imports.push({ specifier: literal ?? '<computed>', kind: 'value' });
  }
  return { imports, readsEnvironment: findEnvironmentReads(program), lines: text.split('\n').length };
}
