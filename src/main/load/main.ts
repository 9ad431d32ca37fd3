#!/usr/bin/env node
/**
 * The program `holdfast-load`: puts a load on an agent as its users would, and checks that nothing is lost. A
 * program of its own, so that nobody finds it among the commands of daily use, and what it takes is not what
 * the commands take (docs/adr/0041-a-load-generator-of-its-own.md).
 */
import { guardProcess } from '../cli/index.js';
import { PROGRAM } from './command.js';
import { readerGone, run } from './run.js';

guardProcess(PROGRAM, readerGone);

process.exit(await run(process.argv.slice(2)));
