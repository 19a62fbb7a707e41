/** What goes wrong in the command itself. */
import { NodeError } from '../term/error.js'

/**
 * Codes: CLI_USAGE, the command line is wrong. CLI_FILE: the file of `start` is not there, or is no program for it. CLI_PROGRAM: that
 * file failed. CLI_NO_PROCESS: no process has that name there.
 */
export class CliError extends NodeError {}

export const usage = (sentence: string): CliError => new CliError('CLI_USAGE', sentence)
