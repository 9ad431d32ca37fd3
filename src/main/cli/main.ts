#!/usr/bin/env node
/**
 * The program `holdfast`. Only this file and what it imports statically is read before the command is
 * known; each command is loaded when it is called for, so that `holdfast version` starts as fast as
 * Node does.
 */
import { guardProcess } from './guard-process.js';
import { interrupt } from './interrupt.js';
import { run } from './run.js';

guardProcess('holdfast', () => interrupt('SIGPIPE'));

process.exit(await run(process.argv.slice(2)));
