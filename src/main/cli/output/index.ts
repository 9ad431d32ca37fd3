/** What the command line prints: errors of one line, tables, colours. Pure; main thread. */
export { asHoldfastError, EXIT, EXIT_MEANINGS, exitCodeOf, formatError } from './errors.js';
export { oneLine, styleFor, type Style } from './style.js';
export { formatAge, formatBytes, formatTable } from './table.js';
