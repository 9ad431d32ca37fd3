/**
 * Import direction: the table of ARCHITECTURE.md as rules. The table itself is import-rules.json.
 */
const fs = require('node:fs');
const path = require('node:path');
const { folders, vendors } = require('./import-rules.json');

const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const inside = (folder) => `^${literal(folder)}/`;

/** Each folder imports itself and what the table lists, of all that is under src. */
const directions = Object.entries(folders).map(([folder, allowed]) => ({
  name: `direction: ${folder}`,
  comment: `${folder} may import ${['itself', ...allowed].join(', ')} and nothing else of src.`,
  severity: 'error',
  from: { path: inside(folder) },
  to: { path: '^(src|test|benchmarks|scripts)/', pathNot: [folder, ...allowed].map(inside) },
}));

/** Every folder under src with files of its own, deepest included. */
function foldersUnder(folder) {
  const entries = fs.readdirSync(path.join(__dirname, folder), { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory());
  return [
    ...(entries.some((entry) => entry.isFile()) ? [folder] : []),
    ...below.flatMap((entry) => foldersUnder(`${folder}/${entry.name}`)),
  ];
}

/**
 * Folders without a face: those of the page only sort the files of one bundle, and the commands are
 * loaded one by one by the catalogue beside them.
 */
const isFaced = (folder) => !folder.startsWith('src/web/') && folder !== 'src/main/cli/commands';

/** Run for its effect, before the face of its folder is loaded. */
const BEFORE_ALL = '^src/shared/common/wire/strict-policy\\.ts$';

/** From outside, a folder is its index.ts: inner files are free to change. Parts of one product may also
 * take each other's contracts from types.ts (the product rules keep everybody else out). */
const faces = foldersUnder('src')
  .filter(isFaced)
  .map((folder) => {
    const isPart = /^src\/main\/(agent|broker|client)\/[^/]+$/.test(folder);
    return {
      name: `face: ${folder}`,
      comment: `From outside of ${folder} import its index.ts${isPart ? ', or its types.ts within the same product' : ''}.`,
      severity: 'error',
      from: { path: '^src/', pathNot: inside(folder) },
      to: {
        path: `^${literal(folder)}/[^/]+$`,
        pathNot: [`^${literal(folder)}/${isPart ? '(index|types)' : 'index'}\\.ts$`, BEFORE_ALL],
      },
    };
  });

/** Agent, broker and client are whole products; only the command line may load a part's face by itself. */
const products = ['src/main/agent', 'src/main/broker', 'src/main/client'].map((folder) => ({
  name: `product: ${folder}`,
  comment: `From outside of ${folder} only its own face counts, not those of its parts.`,
  severity: 'error',
  // A command that needs one part starts faster without the rest.
  from: { path: '^src/', pathNot: [inside(folder), inside('src/main/cli')] },
  to: { path: `${inside(folder)}.+/` },
}));

const oneFolderPerVendor = Object.entries(vendors).map(([name, allowed]) => ({
  name: `vendor: ${name}`,
  comment: `${name} is used in ${allowed.join(', ')} only; everybody else uses that folder's interface.`,
  severity: 'error',
  from: { path: '^src/', pathNot: allowed.map(inside) },
  to: { path: `(^|/)node_modules/(@types/)?${literal(name)}(/|$)` },
}));

module.exports = {
  forbidden: [
    ...directions,
    ...faces,
    ...products,
    ...oneFolderPerVendor,
    {
      name: 'unlisted package',
      comment: 'Add the package to import-rules.json: one vendor, one folder.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: 'node_modules/',
        pathNot: Object.keys(vendors).map((name) => `node_modules/(@types/)?${literal(name)}(/|$)`),
      },
    },
    {
      name: 'no cycles',
      comment: 'Types may refer to each other in a circle; running code may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { path: '^(src|test|benchmarks)/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'common without node',
      comment: 'src/shared/common runs in the browser as well.',
      severity: 'error',
      from: { path: '^src/(shared/common|web)/' },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
