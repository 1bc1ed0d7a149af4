import { defineConfig } from 'drizzle-kit';

/** `pnpm run generate-migration` writes the difference between the schema and the last migration. */
export default defineConfig({ dialect: 'postgresql', schema: './src/store/schema/*.ts', out: './migrations' });
