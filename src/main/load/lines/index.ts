/**
 * What terminals under load print, and how to tell whether it arrived as it was printed: numbered lines with
 * check values, the program that prints them, and a checker that finds what was lost, doubled or changed.
 * Pure; main thread.
 */
export {
  LineChecker,
  type LineCheckerOptions,
  type LineFault,
  type LineStart,
} from './line-checker.js';
export { LINE_BYTES, LinePattern } from './line-pattern.js';
export {
  ECHO,
  FINISH,
  FINISHED_STATUS,
  isPrinting,
  paceOf,
  producerCommand,
  READY,
  type Output,
  type Printing,
} from './producer.js';
