/**
 * The examples of the documentation: every block that begins with ```` ```ts ````, in the comments of src/ and in Markdown, is a program
 * of its own. It is type-checked and run against the built package, as a reader would. A block that cannot stand alone says so:
 * ```` ```ts fragment ````.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { promisify } from 'node:util'
import ts from 'typescript'
import { freePort } from '../node/support.js'

export interface Snippet {
  readonly file: string
  /** Of the fence; the code begins on the next */
  readonly line: number
  readonly code: string
}

/** The snippets of one file, a TypeScript source or Markdown. */
export function snippetsIn(file: string, text: string): Snippet[] {
  const lines = text.split('\n').map(line => (file.endsWith('.ts') ? line.replace(/^\s*\* ?/, '') : line))
  return lines.flatMap((line, index) => {
    if (line.trim() !== '```ts') return []
    const end = lines.findIndex((line, at) => at > index && line.trim() === '```')
    return [{ file, line: index + 1, code: lines.slice(index + 1, end).join('\n') }]
  })
}

export const allSnippets = (): Snippet[] =>
  [...['README.md'].filter(existsSync), ...filesBelow('docs', '.md'), ...filesBelow('src', '.ts')].flatMap(file =>
    snippetsIn(file, readFileSync(file, 'utf8')),
  )

function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files
    .filter(file => file.endsWith(ending))
    .sort()
    .map(file => join(folder, file))
}

export const needsBeam = ({ code }: Snippet): boolean => code.includes("'beamlet/interop'")

/**
 * What is wrong with each snippet: the compiler's complaints, with lines of the document, or how its run in a process of its own
 * failed. `folder` is a name of the caller's, so that two may work at once.
 */
export async function faultsOf(folder: string, snippets: readonly Snippet[]): Promise<Map<Snippet, string[]>> {
  // Inside the package: 'beamlet' is then this package by its own name, and its exports lead to dist/.
  const dir = join('.cache/examples', folder)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  const programs = new Map(snippets.map(snippet => [join(dir, `${nameOf(snippet)}.ts`), snippet]))
  for (const [path, { code }] of programs) writeFileSync(path, `${code}\nexport {}\n`)
  const faults = compile(programs)
  for (const [path, snippet] of programs) {
    const found = faults.get(snippet) ?? []
    faults.set(snippet, found.length > 0 ? found : await run(path.replace(/ts$/, 'js'), snippet))
  }
  return faults
}

const nameOf = ({ file, line }: Snippet): string => `${file.replace(/\W+/g, '-')}-${line}`

/** Writes the JavaScript beside the sources. */
function compile(programs: ReadonlyMap<string, Snippet>): Map<Snippet, string[]> {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
  const program = ts.createProgram([...programs.keys()], { ...options, noEmit: false, noUnusedLocals: false })
  const faults = new Map<Snippet, string[]>()
  for (const [path, snippet] of programs) {
    const source = program.getSourceFile(path)
    program.emit(source)
    const found = ts.getPreEmitDiagnostics(program, source).map(({ start = 0, messageText }) => {
      const line = snippet.line + 1 + (source?.getLineAndCharacterOfPosition(start).line ?? 0)
      return `${snippet.file}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
    faults.set(snippet, found)
  }
  return faults
}

async function run(path: string, snippet: Snippet): Promise<string[]> {
  // Nodes in examples have plain names: with an EPMD of its own each, they disturb no other run.
  const environment = needsBeam(snippet) ? env : { ...env, ERL_EPMD_PORT: String(await freePort()) }
  try {
    await promisify(execFile)(execPath, [path], { timeout: 60_000, env: environment })
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}
