/**
 * Asks OTP 25, 27 and 29 what io_lib:format/2 prints and writes spec/vectors/io-lib-format.json: what all of them print, and for a row where
 * they differ what each does. `make vectors` runs this.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { releases, startBeam } from '../../src/interop/index.js'
import { text } from '../../src/index.js'

interface Row {
  readonly format: string
  readonly args: string
  readonly printed: string | null
}

const code = await readFile(new URL('io_lib_vectors.erl', import.meta.url), 'utf8')
const printed = new Map<number, readonly Row[]>()
for (const otp of releases) {
  await using beam = await startBeam({ otp, name: false, code, args: ['+pc', 'unicode'] })
  printed.set(otp, JSON.parse(text(await beam.eval('io_lib_vectors:json().'))) as readonly Row[])
}
const [newest = []] = [...printed.values()].reverse()
const lines = newest.map((row, i) => {
  const by = Object.fromEntries([...printed].map(([otp, rows]) => [otp, rows[i]?.printed ?? null]))
  return JSON.stringify(new Set(Object.values(by)).size === 1 ? row : { ...row, by })
})
await writeFile(new URL('../../spec/vectors/io-lib-format.json', import.meta.url), `[\n${lines.join(',\n')}\n]\n`)
