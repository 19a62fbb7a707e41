/** spec/README.md leads to places that are there. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { unheld } from './conformance.js'

const page = readFileSync('spec/README.md', 'utf8')

const sources = new Map<string, string | undefined>()
const source = (path: string): string | undefined => {
  if (!sources.has(path)) {
    try {
      sources.set(path, readFileSync(path, 'utf8'))
    } catch {
      sources.set(path, undefined)
    }
  }
  return sources.get(path)
}

interface Rule {
  readonly rule: string
  readonly data: string
  readonly code: string
  readonly test: string
}

const rulesOf = (markdown: string): Rule[] =>
  markdown
    .split('\n')
    .filter(line => line.startsWith('|') && line.split(' | ').length === 4 && !/^\| (Rule|-)/.test(line))
    .map(line => line.replace(/^\| | \|$/g, '').split(' | '))
    .map(([rule = '', data = '', code = '', test = '']) => ({ rule, data, code, test }))

/** `path` · text that stands in it. What is wrong, or nothing. */
function missing(place: string, read: (path: string) => string | undefined): string[] {
  const [, path, text] = /^`([^`]+)` · (.+)$/.exec(place) ?? []
  if (path === undefined || text === undefined) return [`${place} is no place`]
  const found = read(path)
  return found === undefined ? [`there is no ${path}`] : found.includes(text) ? [] : [`${path} does not hold ${text}`]
}

const faultsOf = (markdown: string, read: (path: string) => string | undefined): string[] =>
  rulesOf(markdown).flatMap(({ rule, data, code, test }) => [
    ...missing(data, read),
    ...missing(code, read),
    ...unheld([{ claim: rule, test, seenOn: 'spec' }], read),
  ])

t.test('a place that is gone is found', async t => {
  const files = new Map([
    ['a.json', '{ "tag": 1 }'],
    ['a.ts', 'export function tag() {}'],
    ['a.test.ts', "t.test('a tag', () => {})"],
  ])
  const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`
  const page = [
    row('Rule', 'Data', 'Code', 'Test'),
    '|---|---|---|---|',
    row('Right', '`a.json` · tag', '`a.ts` · export function tag', '`a.test.ts` · a tag'),
    row('Wrong', '`a.json` · bit', '`b.ts` · tag', '`a.test.ts` · a bit'),
    row('Shapeless', 'a.json', '`a.ts` · tag', '`a.test.ts` · a tag'),
  ].join('\n')
  const read = (path: string) => files.get(path)
  t.strictSame(faultsOf(page, read), [
    'a.json does not hold bit',
    'there is no b.ts',
    'Wrong: a.test.ts has no test "a bit"',
    'a.json is no place',
  ])
})

t.test('every rule leads to its data, its code and its test', async t => {
  t.ok(rulesOf(page).length > 60, `${rulesOf(page).length} rules`)
  t.strictSame(faultsOf(page, source), [])
})

t.test('every file of data is in the index, with the test that holds it to the code', async t => {
  for (const file of readdirSync('spec').filter(file => file.endsWith('.json'))) {
    t.match(page, `\`spec/${file}\``, file)
    const { checked } = JSON.parse(readFileSync(`spec/${file}`, 'utf8')) as { checked: string }
    const tests = checked.match(/(?:test|interop)\/[\w/-]+\.test\.ts/g) ?? []
    t.ok(tests.length > 0, `${file} names its test`)
    for (const test of tests) t.match(source(test) ?? '', file, `${test} reads ${file}`)
  }
})
