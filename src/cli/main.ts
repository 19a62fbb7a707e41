#!/usr/bin/env node
/** The `beamlet` command. What it takes and prints is told in docs/cli.md. */
import process, { argv, stderr, stdout } from 'node:process'
import { run } from './command-line.js'
import { expectBrokenPipe } from './output.js'

async function main(args: readonly string[]): Promise<void> {
  expectBrokenPipe()
  try {
    await run(args)
  } catch (error) {
    const { report } = await import('./report.js')
    report(error, args.includes('--json'))
  }
  // What a file that was started has left open keeps nobody waiting; what was written goes out first.
  await Promise.all([stdout, stderr].map(stream => new Promise(resolve => stream.write('', resolve))))
  process.exit()
}

void main(argv.slice(2))
