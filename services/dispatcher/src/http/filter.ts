import type { JsonValue } from '@airlock/pipeline';
import { type ComparisonOperator, type Filter, MAX_FILTER_DEPTH } from '../records/record-query.ts';
import { syntaxError, type Token, tokensOf } from './filter-tokens.ts';

/**
 * `$filter`, recursive descent over a grammar of our own: `or` binds weaker than `and`, `and` weaker than `not`. A parser of
 * its own because the published ones know neither the unquoted GUIDs and dates that clients of this API send, nor the
 * `Microsoft.Dynamics.CRM` query functions, and round long numbers silently.
 */
export interface FilterNames {
  /** The logical column name of a property; throws for an unknown one. */
  column(property: string): string;
  /** The value as the column wants it, where the expression leaves something out. */
  value(column: string, value: JsonValue): JsonValue;
}

/** A side of a comparison. */
type Operand = { readonly kind: 'column'; readonly name: string } | { readonly kind: 'value'; readonly value: JsonValue };

const FLIPPED = { eq: 'eq', ne: 'ne', gt: 'lt', ge: 'le', lt: 'gt', le: 'ge' } as const satisfies Record<ComparisonOperator, ComparisonOperator>;
const TEXT_FUNCTIONS = new Map([
  ['contains', 'contains'],
  ['startswith', 'starts-with'],
  ['endswith', 'ends-with'],
] as const);
const QUERY_FUNCTIONS = 'Microsoft.Dynamics.CRM.';
const CONSTANTS: ReadonlyMap<string, JsonValue> = new Map([
  ['null', null],
  ['true', true],
  ['false', false],
]);

export function parseFilter(expression: string, names: FilterNames): Filter {
  const reader = new TokenReader(tokensOf(expression), names);
  const filter = reader.either();
  reader.end();
  return filter;
}

/** Owns the position in the tokens of one expression. */
class TokenReader {
  readonly #tokens: readonly Token[];
  readonly #names: FilterNames;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], names: FilterNames) {
    this.#tokens = tokens;
    this.#names = names;
  }

  either(): Filter {
    return this.#joined('or', () => this.#joined('and', () => this.#term()));
  }

  end(): void {
    const token = this.#peek();
    if (token.kind !== 'end') throw syntaxError(token.at, 'the expression should end here');
  }

  #joined(kind: 'and' | 'or', part: () => Filter): Filter {
    const first = part();
    const filters = [first];
    while (this.#takeWord(kind)) filters.push(part());
    return filters.length === 1 ? first : { kind, filters };
  }

  #term(): Filter {
    if (this.#takeWord('not')) return this.#nested(() => ({ kind: 'not', filter: this.#term() }));
    if (this.#takeMark('(')) {
      return this.#nested(() => {
        const filter = this.either();
        this.#expectMark(')');
        return filter;
      });
    }
    return this.#call() ?? this.#comparison();
  }

  #nested(read: () => Filter): Filter {
    if (++this.#depth > MAX_FILTER_DEPTH) throw syntaxError(this.#peek().at, `it is nested deeper than ${MAX_FILTER_DEPTH} levels`);
    const filter = read();
    this.#depth--;
    return filter;
  }

  #call(): Filter | undefined {
    const token = this.#peek();
    const after = this.#tokens[this.#next + 1];
    if (token.kind !== 'word' || after?.kind !== 'mark' || after.text !== '(') return undefined;
    this.#next += 2;
    if (token.text.startsWith(QUERY_FUNCTIONS)) return this.#queryFunction(token.text.slice(QUERY_FUNCTIONS.length), token.at);
    // Looked up by any text; `undefined` is the answer for other functions.
    const kind = TEXT_FUNCTIONS.get(token.text.toLowerCase() as 'contains');
    if (kind === undefined) throw syntaxError(token.at, `the function '${token.text}' is not supported`);
    const column = this.#property();
    this.#expectMark(',');
    const value = this.#text();
    this.#expectMark(')');
    // `contains(x,'y') eq true` is how some query builders write it.
    const negated = this.#takeWord('eq') ? this.#boolean() === false : false;
    return negated ? { kind: 'not', filter: { kind, column, value } } : { kind, column, value };
  }

  /** `In(PropertyName='c',PropertyValues=['a','b'])` and its like. */
  #queryFunction(name: string, at: number): Filter {
    let column: string | undefined;
    let values: readonly JsonValue[] | undefined;
    do {
      const parameter = this.#word();
      this.#expectMark('=');
      if (parameter === 'PropertyName') column = this.#names.column(this.#text());
      else if (parameter === 'PropertyValues') values = this.#list('[', ']');
      else throw syntaxError(at, `the function '${name}' has no parameter '${parameter}'`);
    } while (this.#takeMark(','));
    this.#expectMark(')');
    if (column === undefined || values === undefined) throw syntaxError(at, `the function '${name}' needs PropertyName and PropertyValues`);
    const inner = column;
    switch (name) {
      case 'In':
        return { kind: 'in', column, values };
      case 'NotIn':
        return { kind: 'not', filter: { kind: 'in', column, values } };
      case 'ContainValues':
        return { kind: 'contain-values', column: inner, values: values.map((value) => numberOf(value, at)) };
      case 'DoesNotContainValues':
        return { kind: 'not', filter: { kind: 'contain-values', column: inner, values: values.map((value) => numberOf(value, at)) } };
      default:
        throw syntaxError(at, `the function '${QUERY_FUNCTIONS}${name}' is not supported`);
    }
  }

  #comparison(): Filter {
    const at = this.#peek().at;
    const left = this.#operand();
    if (this.#takeWord('in')) {
      if (left.kind !== 'column') throw syntaxError(at, "'in' needs a column on its left");
      return { kind: 'in', column: left.name, values: this.#list('(', ')').map((value) => this.#names.value(left.name, value)) };
    }
    const operator = this.#operator();
    const right = this.#operand();
    if (left.kind === 'column') {
      return right.kind === 'column'
        ? { kind: 'compare-columns', column: left.name, operator, other: right.name }
        : this.#compare(left.name, operator, right.value);
    }
    if (right.kind === 'column') return this.#compare(right.name, FLIPPED[operator], left.value);
    throw syntaxError(at, 'a comparison needs a column on one side');
  }

  #compare(column: string, operator: ComparisonOperator, value: JsonValue): Filter {
    return { kind: 'compare', column, operator, value: this.#names.value(column, value) };
  }

  #operator(): ComparisonOperator {
    const token = this.#take();
    const word = token.kind === 'word' ? token.text : '';
    if (!Object.hasOwn(FLIPPED, word)) throw syntaxError(token.at, 'one of eq, ne, gt, ge, lt, le or in was expected');
    // Its own keys are the operators.
    return word as ComparisonOperator;
  }

  #operand(): Operand {
    const token = this.#peek();
    if (token.kind === 'word' && !CONSTANTS.has(token.text)) return { kind: 'column', name: this.#property() };
    return { kind: 'value', value: this.#value() };
  }

  #property(): string {
    const name = this.#word();
    const slash = this.#peek();
    if (slash.kind === 'mark' && slash.text === '/') throw syntaxError(slash.at, `columns of the row that '${name}' points to cannot be compared`);
    return this.#names.column(name);
  }

  #list(open: string, close: string): readonly JsonValue[] {
    this.#expectMark(open);
    const values: JsonValue[] = [];
    if (this.#takeMark(close)) return values;
    do values.push(this.#value());
    while (this.#takeMark(','));
    this.#expectMark(close);
    return values;
  }

  #value(): JsonValue {
    const token = this.#take();
    if (token.kind === 'value') return token.value;
    const constant = token.kind === 'word' ? CONSTANTS.get(token.text) : undefined;
    if (constant === undefined) throw syntaxError(token.at, 'a value was expected');
    return constant;
  }

  #text(): string {
    const token = this.#take();
    if (token.kind !== 'value' || typeof token.value !== 'string') throw syntaxError(token.at, 'a text in single quotes was expected');
    return token.value;
  }

  #boolean(): boolean {
    const token = this.#take();
    const value = token.kind === 'word' ? CONSTANTS.get(token.text) : undefined;
    if (typeof value !== 'boolean') throw syntaxError(token.at, 'true or false was expected');
    return value;
  }

  #word(): string {
    const token = this.#take();
    if (token.kind !== 'word') throw syntaxError(token.at, 'a name was expected');
    return token.text;
  }

  #takeWord(text: string): boolean {
    const token = this.#peek();
    const found = token.kind === 'word' && token.text === text;
    if (found) this.#next++;
    return found;
  }

  #takeMark(text: string): boolean {
    const token = this.#peek();
    const found = token.kind === 'mark' && token.text === text;
    if (found) this.#next++;
    return found;
  }

  #expectMark(text: string): void {
    if (!this.#takeMark(text)) throw syntaxError(this.#peek().at, `'${text}' was expected`);
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', at: this.#tokens.at(-1)?.at ?? 0 };
  }
}

function numberOf(value: JsonValue, at: number): number {
  const number = typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number') throw syntaxError(at, 'the values of a choice are numbers');
  return number;
}
