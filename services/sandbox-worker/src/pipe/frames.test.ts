import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameReader, PipeError, packFrame } from './frames.ts';

const line = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\n') && text.isWellFormed());

test('frames come out as they went in, however the pipe cuts them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(line, { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (frames, cuts) => {
        const stream = Buffer.concat(frames.map(packFrame));
        const seen: string[] = [];
        const read = frameReader(10_000, (text) => seen.push(text));
        for (let at = 0, cut = 0; at < stream.length; cut += 1) {
          const size = cuts[cut % cuts.length] ?? 1;
          read(stream.subarray(at, at + size));
          at += size;
        }
        expect(seen).toEqual(frames.map((lines) => lines.join('\n')));
      },
    ),
  );
});

test('a frame above the limit is refused before its bytes have arrived', () => {
  const read = frameReader(100, () => {});
  const header = Buffer.alloc(4);
  header.writeUInt32LE(101, 0);
  expect(() => read(header)).toThrow(PipeError);
});
