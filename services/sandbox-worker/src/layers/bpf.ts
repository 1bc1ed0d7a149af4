/**
 * Just enough of an assembler for classic BPF: seccomp filters are short, and a library for it would be one more native dependency beside the
 * one thing that must not have a surprise in it.
 */
export type Instruction =
  | { readonly do: 'load'; readonly offset: number }
  /** Goes to the label if the value that was loaded … ; otherwise to the next instruction. */
  | { readonly do: 'jump-if'; readonly is: 'equal' | 'at-least' | 'any-bit-of'; readonly value: number; readonly to: string }
  | { readonly do: 'jump'; readonly to: string }
  | { readonly do: 'return'; readonly value: number }
  | { readonly do: 'label'; readonly name: string };

const LOAD_WORD = 0x20;
const JUMP = 0x05;
const JUMP_IF = { equal: 0x15, 'at-least': 0x35, 'any-bit-of': 0x45 } as const;
const RETURN = 0x06;
const INSTRUCTION_BYTES = 8;
/** A conditional jump has one byte for its distance. */
const FARTHEST = 255;

/** `struct sock_filter[]` in little endian, as `bwrap --seccomp` reads it. Jumps only go forward: a filter always ends. */
export function assemble(program: readonly Instruction[]): Buffer {
  const code = program.filter((one) => one.do !== 'label');
  const placeOf = new Map<string, number>();
  let place = 0;
  for (const one of program) {
    if (one.do === 'label') placeOf.set(one.name, place);
    else place += 1;
  }
  const bytes = Buffer.alloc(code.length * INSTRUCTION_BYTES);
  const distance = (from: number, to: string): number => {
    const target = placeOf.get(to);
    if (target === undefined || target <= from) throw new Error(`the filter has no label '${to}' after instruction ${from}`);
    return target - from - 1;
  };
  for (const [index, one] of code.entries()) {
    const put = (operation: number, value: number, ifTrue = 0, ifFalse = 0): void => {
      const at = index * INSTRUCTION_BYTES;
      bytes.writeUInt16LE(operation, at);
      bytes.writeUInt8(ifTrue, at + 2);
      bytes.writeUInt8(ifFalse, at + 3);
      bytes.writeUInt32LE(value >>> 0, at + 4);
    };
    switch (one.do) {
      case 'load':
        put(LOAD_WORD, one.offset);
        break;
      case 'jump-if': {
        const far = distance(index, one.to);
        if (far > FARTHEST) throw new Error(`the label '${one.to}' is ${far} instructions away; ${FARTHEST} is the most`);
        put(JUMP_IF[one.is], one.value, far, 0);
        break;
      }
      case 'jump':
        put(JUMP, distance(index, one.to));
        break;
      case 'return':
        put(RETURN, one.value);
        break;
      default:
        one satisfies never;
    }
  }
  return bytes;
}
