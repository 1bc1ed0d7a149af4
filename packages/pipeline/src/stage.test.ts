import { expect, test } from 'vitest';
import { Mode, modeName, parseMode } from './mode.ts';
import { parseStepStage, Stage, stageName } from './stage.ts';

test('every stage and mode is named as its constant', () => {
  for (const [name, stage] of Object.entries(Stage)) expect(stageName(stage)).toBe(name);
  for (const [name, mode] of Object.entries(Mode)) expect(modeName(mode)).toBe(name);
});

test('steps are registered on 10, 20 and 40 only', () => {
  expect([5, 10, 15, 20, 25, 30, 35, 40, 45, 50].filter((stage) => parseStepStage(stage) !== undefined)).toEqual([10, 20, 40]);
});

test('a mode is 0 or 1', () => {
  expect([-1, 0, 1, 2, Number.NaN].filter((mode) => parseMode(mode) !== undefined)).toEqual([0, 1]);
});
