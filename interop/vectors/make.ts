/**
 * Makes spec/vectors/: what OTP 25, 27 and 29 write, read and refuse, as vectors.erl prints it. `make vectors` runs it.
 *
 * Most of it is the same on every run. Pids, references and funs of the BEAM that ran it are not; recorded, they are as good.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const sources = import.meta.dirname
const root = join(sources, '../..')

for (const release of ['25', '27', '29']) {
  const lines = runOn(release).trimEnd().split('\n')
  const [, otp, erts] = lines.shift()!.split('\t')
  const rows = lines.map(line => JSON.stringify(vectorOf(line)))
  const file = join(root, `spec/vectors/otp${release}.json`)
  writeFileSync(file, `{\n"otp": "${otp}",\n"erts": "${erts}",\n"vectors": [\n${rows.join(',\n')}\n]\n}\n`)
  console.log(`spec/vectors/otp${release}.json: ${rows.length} vectors from OTP ${otp}, erts ${erts}`)
}

/** The columns of vectors.erl. A text of thousands of characters helps nobody: such a term is named by its source. */
function vectorOf(line: string): Record<string, string> {
  const [kind, name, source, ...rest] = line.split('\t') as [string, string, string, ...string[]]
  if (kind === 'refused') return { kind, name, source, hex: rest[0]! }
  const [text, hex, canonical] = rest as [string, string, string?]
  return { kind, name, source, ...(text.length <= 5000 && { text }), hex, ...(canonical !== undefined && { canonical }) }
}

/** The releases live in trees of their own that share only /tmp with this one: the sources go there. */
function runOn(release: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'beamlet-vectors-'))
  try {
    const modules = readdirSync(sources).filter(file => file.endsWith('.erl'))
    for (const file of modules) cpSync(join(sources, file), join(folder, file))
    run(release, 'erlc', '-Werror', '-o', folder, ...modules.map(file => join(folder, file)))
    return run(release, 'erl', '-noshell', '-noinput', '-pa', folder, '-run', 'vectors', 'main')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(release: string, program: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(join(root, 'scripts/otp'), ['run', release, program, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} of OTP ${release} exits with ${status}: ${stderr}${stdout.slice(-1000)}`)
  return stdout
}
