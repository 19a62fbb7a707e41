/** docs/limits.md says what the code does. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { defaultFragmentLimits } from '../../src/dist/fragments.js'
import { defaultLimits } from '../../src/etf/index.js'
import { unheld } from '../spec/conformance.js'

const text = (path: string): string => readFileSync(path, 'utf8')

const rows = text('docs/limits.md')
  .split('\n')
  .filter(line => line.startsWith('| `'))
  .map(line => line.split('|').map(cell => cell.trim()))
  .map(([, option = '', standard = '', beyond = '', test = '']) => ({ option: option.replaceAll('`', ''), standard, beyond, test }))

t.test('each limit has its row', async t => {
  const own = ['maxUnfinished', 'maxHandshakes', 'netSetupTime', 'netTickTime', 'netTickIntensity', 'sendBufferLimit', 'sendBufferMax']
  const expected = [...Object.keys(defaultLimits).map(key => `limits.${key}`), ...own]
  t.strictSame(rows.map(({ option }) => option).toSorted(), expected.toSorted())
  const options = text('src/node/options.ts')
  for (const option of own) t.match(options, `readonly ${option}?: `, option)
})

t.test('each default is that of the code', async t => {
  const units: Record<string, number> = { MiB: 2 ** 20, s: 1, ms: 1 }
  const options = text('src/node/options.ts')
  for (const { option, standard } of rows) {
    const [, digits = '', unit] = /^([\d,]+)(?: (\w+))?$/.exec(standard) ?? []
    const value = Number(digits.replaceAll(',', '')) * (unit === undefined ? 1 : (units[unit] ?? Number.NaN))
    const limit = option.replace(/^limits\./, '')
    if (limit in defaultLimits) t.equal(value, defaultLimits[limit as keyof typeof defaultLimits], option)
    else {
      const said = new RegExp(`Default: ([\\d]+)( MiB)? \\*/\\n  readonly ${option}\\?`).exec(options)
      t.equal(Number(said?.[1]) * (said?.[2] ? 2 ** 20 : 1), value, `${option} in src/node/options.ts`)
    }
  }
  t.equal(defaultFragmentLimits.unfinished, 256 * 2 ** 20)
})

t.test('each limit has its test', async t => {
  t.strictSame(
    unheld(
      rows.map(({ option, test }) => ({ claim: option, test, seenOn: 'Beamlet' })),
      text,
    ),
    [],
  )
  const codes = new Set(rows.flatMap(({ beyond }) => beyond.match(/`(ETF|DIST|NET)_[A-Z_]+`/g) ?? []).map(code => code.slice(1, -1)))
  const tests = text('test/node/limits.test.ts')
  for (const code of codes) t.match(tests, `'${code}'`, `${code} is found by a test`)
})
