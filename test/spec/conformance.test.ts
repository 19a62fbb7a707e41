import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { rowsOf, unheld } from './conformance.js'

const page = readFileSync('spec/conformance.md', 'utf8')

t.test('a claim without its test is found', t => {
  const table = [
    '| Claim | Test | Seen on |',
    '|---|---|---|',
    '| It is so. | `a.test.ts` · it is so | 25 29 |',
    "| It's quoted. | `a.test.ts` · it's quoted | spec |",
    '| It is not. | `a.test.ts` · it is not | 25 |',
    '| Gone. | `b.test.ts` · it is so | 25 |',
    '| Shapeless. | it is so | 25 |',
    '| Unseen. | `a.test.ts` · it is so |  |',
    '| Seen elsewhere. | `a.test.ts` · it is so | 26 |',
    '| A pipe \\| in it. | `a.test.ts` · a \\| b | Beamlet |',
  ].join('\n')
  const files = new Map([['a.test.ts', String.raw`t.test('it is so', t => { t.ok(x, 'it\'s quoted'); t.ok(y, "a | b") })`]])
  t.strictSame(
    unheld(rowsOf(table), path => files.get(path)),
    [
      'It is not.: a.test.ts has no test "it is not"',
      'Gone.: there is no b.test.ts',
      'Shapeless.: the Test column is not `path` · name',
      'Unseen.: the Seen on column says nothing',
      'Seen elsewhere.: "26" is no release of ours, nor spec, nor Beamlet',
    ],
  )
  t.end()
})

t.test('every claim has its test', t => {
  const rows = rowsOf(page)
  t.ok(rows.length > 0)
  const tests = new Map<string, string>(
    ['test', 'interop'].flatMap(folder =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter(file => file.endsWith('.test.ts'))
        .map(file => [`${folder}/${file}`, readFileSync(`${folder}/${file}`, 'utf8')] as const),
    ),
  )
  t.strictSame(
    unheld(rows, path => tests.get(path)),
    [],
  )
  t.end()
})
