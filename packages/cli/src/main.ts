#!/usr/bin/env node
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { run } from './run.ts';

const hasPerson = stdin.isTTY === true && stdout.isTTY === true;

async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stdout });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

// Whoever reads the output may stop early, as `head` does.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  print: (text) => console.log(text),
  note: (text) => console.error(text),
  confirm: hasPerson ? confirm : undefined,
  paint: (style, text) => styleText(style, text, { stream: stdout }),
  env: process.env,
  cwd: process.cwd(),
});
