/** A node on its own, and a folder for the modules that it loads. */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Node } from 'beamlet'
import type { Test } from 'tap'
import { uniqueName } from './support.js'

export interface CodeFolder {
  readonly node: Node
  /** Writes a module, and gives its URL. */
  write(text: string, file?: string): URL
}

/** @param spare whether a place waits for the next isolated process */
export async function codeFolder(t: Test, spare = true): Promise<CodeFolder> {
  const folder = t.testdir()
  const schedulers = { count: 1, execArgv: [], spare }
  const node = await Node.start({ name: uniqueName(), cookie: 'secret', epmd: false, listen: false, schedulers })
  t.teardown(() => node.close())
  return {
    node,
    write(text, file = 'calc.mjs') {
      writeFileSync(`${folder}/${file}`, text)
      return pathToFileURL(`${folder}/${file}`)
    },
  }
}
