import { defineConfig } from 'vitest/config';

/** Tests that load isolated-vm: a process per file, and the flag without which Node's own start snapshot breaks isolates. */
const ISOLATE_TESTS = ['packages/guest-runtime/src/**/*.test.ts', 'services/sandbox-worker/src/**/*.test.ts'];

const minute = 60_000;

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'services/*/src/**/*.test.ts', 'deploy/*/*.test.ts', 'test/support/*.test.ts'],
          exclude: ISOLATE_TESTS,
          testTimeout: 30_000,
          hookTimeout: minute,
        },
      },
      {
        test: {
          name: 'isolate',
          include: ISOLATE_TESTS,
          pool: 'forks',
          execArgv: ['--no-node-snapshot'],
          testTimeout: minute,
          hookTimeout: minute,
        },
      },
      { test: { name: 'examples', include: ['examples/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { name: 'repository', include: ['test/architecture/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], pool: 'forks', testTimeout: 2 * minute, hookTimeout: 2 * minute } },
      {
        test: {
          name: 'fuzz',
          include: ['test/fuzz/**/*.test.ts'],
          setupFiles: ['test/fuzz/seed.ts'],
          pool: 'forks',
          testTimeout: 2 * minute,
          hookTimeout: 2 * minute,
        },
      },
      { test: { name: 'hostile', include: ['test/hostile/**/*.test.ts'], pool: 'forks', testTimeout: 2 * minute, hookTimeout: 2 * minute } },
      { test: { name: 'chaos', include: ['test/chaos/**/*.test.ts'], pool: 'forks', testTimeout: 3 * minute } },
    ],
  },
});
