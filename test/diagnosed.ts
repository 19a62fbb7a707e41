/** A diagnosis in words, with what changes from run to run replaced: for comparing all that it says. */
import { diagnose, type DiagnoseOptions, type DiagnosisStep } from '../src/index.js'

export const plain = (text: string): string =>
  text
    .replaceAll(/ \(\d+(?:\.\d)? ms\)/g, '')
    .replaceAll(/beamlet_\d+_[0-9a-f]{8}/g, 'beamlet_NEW')
    .replaceAll(/(?<=[\d\w]:|port )\d{4,5}\b/g, 'PORT')
    .replaceAll(/(?<=creation is )\d+/g, 'CREATION')
    .replaceAll(/(?<=and not )\d+/g, 'PORT')

/** `ok STEP SAYS`, or `CODE STEP SAYS → REMEDY` */
export const told = ({ step, ok, says, code, remedy }: DiagnosisStep): string =>
  plain(ok ? `ok ${step} ${says}` : `${code} ${step} ${says}${remedy === undefined ? '' : ` → ${remedy}`}`)

export async function steps(target: string, options: DiagnoseOptions): Promise<DiagnosisStep[]> {
  const found: DiagnosisStep[] = []
  for await (const step of diagnose(target, options)) found.push(step)
  return found
}

/** The last step, in words */
export const verdict = async (target: string, options: DiagnoseOptions): Promise<string> => told((await steps(target, options)).at(-1)!)
