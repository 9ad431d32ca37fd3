/** The built page and the headers that confine it. */
export { pages } from './pages.js';
