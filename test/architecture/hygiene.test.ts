import { describe, expect, test } from 'vitest';
import { readText, repositoryFiles } from './repository-files.ts';

const MAX_TEXT_BYTES = 2_000_000;

/** What must not be in a file that strangers read. The patterns are put together so that this file does not match itself. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'a path of somebody’s machine': new RegExp(`(^|[\\s"'\`(=:])/(${['work', 'root', 'tmp/probe'].join('|')})/|/home/[a-z]+/`, 'm'),
  'the address of a package registry': new RegExp(
    `registry\\.${'npmjs'}|registry\\.${'yarnpkg'}|deb\\.${'debian'}\\.org|${'artif'}actory|npm\\.pkg\\.${'github'}`,
    'i',
  ),
  'a conflict marker': new RegExp(`^(${'<'.repeat(7)}|${'>'.repeat(7)}) `, 'm'),
  'how the work was organised': new RegExp(
    `\\b(${['Cl' + 'aude', 'Anth' + 'ropic', 'Co-Authored-' + 'By', 'sub' + 'agent', 'AI' + '-generated'].join('|')})\\b`,
    'i',
  ),
  'a test that runs alone': new RegExp(`\\b(test|it|describe)\\.${'only'}\\(`),
};

const findings = (path: string, text: string) =>
  Object.entries(REFUSED).flatMap(([what, pattern]) => {
    const match = pattern.exec(text);
    return match === null ? [] : [`${path}:${text.slice(0, match.index).split('\n').length} has ${what}: ${JSON.stringify(match[0].trim())}`];
  });

test('no file tells of a machine, a registry, or how the work was organised', () => {
  const texts = repositoryFiles()
    .filter((path) => !/\.(png|ico|woff2?|gz)$/.test(path))
    .map((path) => ({ path, text: readText(path) }))
    .filter(({ text }) => text.length < MAX_TEXT_BYTES && !text.includes('\u0000'));
  expect(texts.flatMap(({ path, text }) => findings(path, text))).toEqual([]);
});

describe('the patterns themselves', () => {
  test.for([
    ['a machine’s path', `see ${'/work'}/main/x.ts`],
    ['a home directory', `see /home/${'someone'}/x.ts`],
    ['a registry', `https://registry.${'npmjs'}.org/`],
    ['a focused test', `test.${'only'}('x')`],
  ] as const)('find %s', ([, text]) => {
    expect(findings('x', text)).toHaveLength(1);
  });

  test('leave ordinary text alone', () => {
    expect(findings('x', 'The worker keeps its work in `network/` and asks the registry of errors.')).toEqual([]);
  });
});
