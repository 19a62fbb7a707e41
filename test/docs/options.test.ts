/** Every option of a node is written about. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const text = (path: string): string => readFileSync(path, 'utf8')
const pages = ['README.md', ...readdirSync('docs').flatMap(file => (file.endsWith('.md') ? `docs/${file}` : []))]
/** What stands as code in a line, and in the examples. */
const code = pages
  .map(text)
  .flatMap(page => [...page.matchAll(/```\w*\n.*?```|`[^`\n]+`/gs)].map(([snippet]) => snippet))
  .join('\n')

t.test('each option stands in a page as code', async t => {
  const options = [...text('src/node/options.ts').matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option = '']) => option)
  t.ok(options.includes('name') && options.includes('epmdPort'), 'they are found')
  // The clock is for tests.
  for (const option of options.filter(option => option !== 'clock')) t.match(code, new RegExp(`\\b${option}\\b`), option)
})

t.test('each option of a store, too', async t => {
  for (const [engine, name, one] of [
    ['lmdb', 'StoreOptions', 'readOnly'],
    ['mnesia', 'MnesiaOptions', 'nodes'],
  ] as const) {
    // prettier-ignore
    const [definition = ''] = new RegExp(`interface ${name} \\{.*?\\n\\}`, 's').exec(text(`src/store/${engine}/store.ts`)) ?? []
    const options = [...definition.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option = '']) => option)
    t.ok(options.includes(one), 'they are found')
    for (const option of options) t.match(text('docs/storage.md'), `| \`${option}\` |`, option)
  }
})
