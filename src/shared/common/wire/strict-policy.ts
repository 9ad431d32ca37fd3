/**
 * For the page; imported before anything else. Makes zod check without compiling code at run time: it
 * otherwise tries whether it may as soon as a schema is made, which a Content-Security-Policy without
 * 'unsafe-eval' reports.
 */
import { config } from 'zod';

config({ jitless: true });
