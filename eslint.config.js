/**
 * Lint rules: async lifecycles and unions are where this project can break, so the rules that see
 * types are on. Import direction is .dependency-cruiser.cjs; the vendor rule is here as well, since an
 * editor shows it at once.
 */
import { readFileSync } from 'node:fs';
import tseslint from 'typescript-eslint';

const { vendors } = JSON.parse(readFileSync(new URL('import-rules.json', import.meta.url), 'utf8'));
const MAX_LINES = 400;

/** Which vendors the files under `folder` may not import. */
function vendorRule(folder) {
  const forbidden = Object.entries(vendors).filter(
    ([, allowed]) => !allowed.some((root) => `${folder}/`.startsWith(`${root}/`)),
  );
  return [
    'error',
    {
      patterns: forbidden.map(([name, allowed]) => ({
        group: [name, `${name}/*`],
        message: `${name} belongs to ${allowed.join(', ')}; use that folder's interface.`,
      })),
    },
  ];
}

const vendorFolders = [...new Set(Object.values(vendors).flat())].sort();

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'test-output/', 'benchmarks/results/', '**/*.d.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    rules: {
      eqeqeq: 'error',
      'no-undef-init': 'error',
      'no-unused-vars': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './src/web/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      eqeqeq: 'error',
      'object-shorthand': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      // Parts made of closures (loggers, clocks) are taken apart at will, and a method that reads a
      // private field fails loudly when it is called without its object.
      '@typescript-eslint/unbound-method': 'off',
      // What was caught is passed on as it is.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      // `deferred<void>()` says what it means.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        // A `default` with assertNever proves the same and also stands at run time.
        { considerDefaultExhaustiveForUnions: true, allowDefaultCaseForExhaustiveSwitch: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => stream.end()` reads better than a block where the value is not used.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // It trusts narrowing across calls and awaits, where signals abort and streams end meanwhile; and
      // what comes from JSON, ports and C is not always what its type says.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: MAX_LINES, skipBlankLines: true, skipComments: true }],
      'no-restricted-imports': vendorRule('src'),
    },
  },
  // From the outer folders to the inner ones: the last that matches a file holds.
  ...vendorFolders.map((folder) => ({
    files: [`${folder}/**/*.ts`],
    rules: { 'no-restricted-imports': vendorRule(folder) },
  })),
  {
    // A codec is one table; splitting the frames over files would hide what belongs together.
    files: ['src/shared/common/wire/terminal-frames.ts'],
    rules: { 'max-lines': 'off' },
  },
  {
    files: ['test/**/*.ts', 'benchmarks/**/*.ts'],
    rules: {
      // node:test's `test()` returns a promise that the runner itself waits for.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
);
